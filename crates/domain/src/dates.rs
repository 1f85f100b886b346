//! Dates in the tenant's time zone (B6.4 to B6.6): when a date begins, and whether it is now or later.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::limits::Limits;
use crate::order::EffectiveDate;
use crate::reading::codes;
use crate::refusal::Problem;

/// The moment at which a day begins in a zone. Where midnight does not exist (a clock put forward), the first
/// moment after the gap; where it exists twice, the first.
#[must_use]
pub fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    local_to_utc(day.and_time(NaiveTime::MIN), zone)
}

/// The moment at which the day of `moment` began in a zone (B6.4).
#[must_use]
pub fn start_of_its_day(moment: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    start_of_day(moment.with_timezone(&zone).date_naive(), zone)
}

/// The moment that an order's date means (B6.6).
#[must_use]
pub fn resolve(date: EffectiveDate, zone: Tz) -> DateTime<Utc> {
    match date {
        EffectiveDate::Day(day) => start_of_day(day, zone),
        EffectiveDate::Local(local) => local_to_utc(local, zone),
        EffectiveDate::Instant(moment) => moment,
    }
}

/// Whether a date lies after now, so that a customer plan is queued for it (B8.1, B8.2).
#[must_use]
pub fn is_later(effective_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    effective_at.is_some_and(|at| at > now)
}

/// What is wrong with a date that lies too far back or ahead (B4.4): more than `days_back` or `days_ahead` times 24 hours
/// from now. Both bounds are allowed.
#[must_use]
pub fn check_date(field: &str, at: DateTime<Utc>, now: DateTime<Utc>, limits: &Limits) -> Option<Problem> {
    let days = |count: i64| TimeDelta::try_days(count).unwrap_or(TimeDelta::MAX);
    let (days_back, days_ahead) = (limits.days_back, limits.days_ahead);
    let distance = at - now;
    let (away, direction, most) = if distance < -days(days_back) {
        (-distance, "back", days_back)
    } else if distance > days(days_ahead) {
        (distance, "ahead", days_ahead)
    } else {
        return None;
    };
    // Rounded up, so that one second too many does not read as the bound itself.
    let away_days = away.num_days() + i64::from(away > days(away.num_days()));
    let message = format!(
        "{} lies {away_days} days {direction}, expected at most {most}; give a date nearer to today",
        at.format("%Y-%m-%dT%H:%M:%SZ"),
    );
    Some(Problem::new(field, codes::DATE_OUT_OF_RANGE, message))
}

fn local_to_utc(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let mut local = local;
    loop {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => return moment.with_timezone(&Utc),
            // Gaps are at most a day long (Samoa skipped one), and their ends fall on full minutes.
            LocalResult::None => local += TimeDelta::minutes(1),
        }
    }
}
