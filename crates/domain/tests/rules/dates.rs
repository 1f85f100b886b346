//! Dates in every time zone (B6.4 to B6.6, B4.4).

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use lineshift_domain::dates::{check_date, is_later, resolve, start_of_day, start_of_its_day};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::EffectiveDate;
use lineshift_domain::reading::{codes, read_effective_date};
use proptest::prelude::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar")
}

/// The start of a day by the text of the order, as text.
fn begins(text: &str, zone: Tz) -> String {
    let date = read_effective_date(text).expect("a date");
    resolve(date, zone).format("%FT%TZ").to_string()
}

/// A day begins when its date first stands on the clock, or, where the zone skipped it, when a later one does.
fn assert_begins(date: NaiveDate, zone: Tz) {
    let start = start_of_day(date, zone);
    let just_before = start - TimeDelta::nanoseconds(1);
    assert!(just_before.with_timezone(&zone).date_naive() < date, "{zone} {date} had begun before {start}");
    assert!(start.with_timezone(&zone).date_naive() >= date, "{zone} {date} has not begun at {start}");
}

#[test]
fn every_day_of_three_years_begins_rightly_in_every_zone() {
    for zone in TZ_VARIANTS {
        for date in day(2025, 1, 1).iter_days().take_while(|date| date.year() < 2028) {
            assert_begins(date, zone);
        }
    }
}

#[test]
fn clocks_put_forward_or_back_at_midnight_have_one_start_of_day() {
    // Put forward at midnight: the day begins at one.
    assert_eq!(begins("2018-11-04", Tz::America__Sao_Paulo), "2018-11-04T03:00:00Z");
    assert_eq!(begins("2024-04-26", Tz::Africa__Cairo), "2024-04-25T22:00:00Z");
    // Put back from one to midnight: midnight comes twice, the day begins with the first.
    assert_eq!(begins("2026-11-01", Tz::America__Havana), "2026-11-01T04:00:00Z");
    // Ordinary days around a change in the small hours.
    assert_eq!(begins("2026-03-08", Tz::America__New_York), "2026-03-08T05:00:00Z");
    assert_eq!(begins("2026-03-09", Tz::America__New_York), "2026-03-09T04:00:00Z");
}

#[test]
fn a_day_that_a_zone_skipped_begins_with_the_next() {
    // Samoa went from the 29th to the 31st of December 2011.
    let zone = Tz::Pacific__Apia;
    assert_eq!(start_of_day(day(2011, 12, 30), zone), start_of_day(day(2011, 12, 31), zone));
    assert_eq!(begins("2011-12-30", zone), "2011-12-30T10:00:00Z");
    assert_eq!(begins("2011-12-30T12:00:00", zone), "2011-12-30T10:00:00Z");
}

#[test]
fn local_times_and_moments_are_resolved() {
    let zone = Tz::America__New_York;
    assert_eq!(begins("2026-12-01", zone), "2026-12-01T05:00:00Z");
    assert_eq!(begins("2026-12-01T08:00:00", zone), "2026-12-01T13:00:00Z");
    assert_eq!(begins("2026-12-01T08:00:00Z", zone), "2026-12-01T08:00:00Z");
    assert_eq!(begins("2026-12-01T08:00:00+02:00", zone), "2026-12-01T06:00:00Z");
    assert_eq!(begins("2026-03-08T02:30:00", zone), "2026-03-08T07:00:00Z", "in the gap: its end");
    assert_eq!(begins("2026-11-01T01:30:00", zone), "2026-11-01T05:30:00Z", "twice: the first");
}

#[test]
fn dates_lie_within_their_bounds() {
    let now = Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).single().expect("a moment");
    let limits = Limits::default();
    let check = |at: DateTime<Utc>| check_date("EffectiveDate", at, now, &limits);
    let (second, back, ahead) = (TimeDelta::seconds(1), TimeDelta::days(400), TimeDelta::days(730));
    for allowed in [now, now - back, now + ahead] {
        assert_eq!(check(allowed), None, "{allowed}");
    }
    let problem = check(now - back - second).expect("too far back");
    assert_eq!((problem.field.as_str(), problem.code.as_str()), ("EffectiveDate", codes::DATE_OUT_OF_RANGE));
    assert_eq!(problem.message, "2025-10-16T11:59:59Z lies 401 days back, expected at most 400; give a date nearer to today");
    let problem = check(now + ahead + second).expect("too far ahead");
    assert!(problem.message.contains("lies 731 days ahead, expected at most 730"), "{}", problem.message);
    let endless = Limits { days_ahead: i64::MAX, days_back: i64::MAX, ..limits };
    assert_eq!(check_date("EffectiveDate", now + ahead * 100, now, &endless), None);
    assert!(check(DateTime::<Utc>::MAX_UTC).is_some() && check(DateTime::<Utc>::MIN_UTC).is_some());
}

#[test]
fn now_is_not_later() {
    let now = DateTime::UNIX_EPOCH;
    assert!(!is_later(None, now) && !is_later(Some(now), now));
    assert!(is_later(Some(now + TimeDelta::nanoseconds(1)), now));
}

proptest! {
    #![proptest_config(crate::cases(2048))]

    #[test]
    fn any_day_begins_rightly_in_any_zone(zone in prop::sample::select(&TZ_VARIANTS[..]), days in 0..20_000_u64) {
        assert_begins(day(1980, 1, 1) + Days::new(days), zone);
    }

    #[test]
    fn later_days_begin_later(zone in prop::sample::select(&TZ_VARIANTS[..]), days in 0..20_000_u64, more in 2..40_u64) {
        let first = day(1980, 1, 1) + Days::new(days);
        prop_assert!(start_of_day(first, zone) < start_of_day(first + Days::new(more), zone));
    }

    #[test]
    fn a_moment_belongs_to_the_day_that_began_last(zone in prop::sample::select(&TZ_VARIANTS[..]), second in 320_000_000..2_000_000_000_i64) {
        let moment = DateTime::from_timestamp(second, 0).expect("within chrono's years");
        let start = start_of_its_day(moment, zone);
        prop_assert!(start <= moment && moment - start < TimeDelta::hours(26));
        prop_assert_eq!(resolve(EffectiveDate::Instant(moment), zone), moment);
        let date = moment.with_timezone(&zone).date_naive();
        prop_assert_eq!(resolve(EffectiveDate::Day(date), zone), start);
    }
}
