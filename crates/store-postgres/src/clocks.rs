//! How far the clock of a process is from the database's. Leases, the windows of an account and the wait before a call is repeated
//! go by the clock of each process (B5.1, B7.3, B7.4); the database's is the one that all of them can see.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::clock::Clock;
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::{Engine as _, Scope, Sql};

use crate::engine::Postgres;

/// How often both are read one after the other; the quickest answer counts.
const SAMPLES: usize = 5;

/// How far one clock is from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOffset {
    /// How far ours is ahead of the database's; negative when it is behind.
    pub ahead: TimeDelta,
    /// By how much that may be wrong: half the time that the answer took.
    pub uncertain_by: TimeDelta,
}

impl ClockOffset {
    /// The answer said `theirs`; it was asked for at `asked` by our clock, and came so long after that.
    fn of(asked: DateTime<Utc>, took: Duration, theirs: DateTime<Utc>) -> Self {
        let half = TimeDelta::from_std(took / 2).unwrap_or(TimeDelta::MAX);
        Self { ahead: (asked - theirs).checked_add(&half).unwrap_or(TimeDelta::MAX), uncertain_by: half }
    }

    /// How far they are apart at least, in either direction.
    #[must_use]
    pub fn at_least(&self) -> TimeDelta {
        (self.ahead.abs() - self.uncertain_by).max(TimeDelta::zero())
    }
}

impl Postgres {
    /// How far that clock is from the database's, by the quickest of a few answers. Half of the time that it took is taken off, and
    /// stands beside it as what may be wrong. Shown as `lineshift_clock_skew_seconds`.
    ///
    /// # Errors
    /// `Unavailable`: the database does not answer, so that nothing is known.
    pub async fn clock_offset(&self, clock: impl Clock + Clone) -> Result<ClockOffset> {
        let best = self
            .read(Scope::Across, move |sql| {
                let mut best: Option<ClockOffset> = None;
                for _ in 0..SAMPLES {
                    let (asked, since) = (clock.now(), Instant::now());
                    let theirs = database_time(sql)?;
                    let found = ClockOffset::of(asked, since.elapsed(), theirs);
                    if best.is_none_or(|best| found.uncertain_by < best.uncertain_by) {
                        best = Some(found);
                    }
                }
                best.ok_or_else(|| StoreError::internal("no clock was looked at"))
            })
            .await?;
        let seconds = best.ahead.as_seconds_f64();
        metrics::gauge!("lineshift_clock_skew_seconds").set(seconds);
        Ok(best)
    }
}

fn database_time(sql: &Sql<'_>) -> Result<DateTime<Utc>> {
    let text = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)";
    let micros = sql.find(text, &[], |row| row.get::<i64>(0))?;
    micros.and_then(DateTime::from_timestamp_micros).ok_or_else(|| StoreError::internal("the database has no time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_796_083_200_000 + milliseconds).expect("a moment in 2026")
    }

    #[test]
    fn half_of_what_the_answer_took_is_taken_off_and_may_be_wrong() {
        let offset = ClockOffset::of(at(10_000), Duration::from_secs(3), at(500));
        assert_eq!((offset.ahead, offset.uncertain_by), (TimeDelta::seconds(11), TimeDelta::milliseconds(1_500)));
        assert_eq!(offset.at_least(), TimeDelta::milliseconds(9_500));
        let behind = ClockOffset::of(at(0), Duration::from_millis(100), at(8_050));
        assert_eq!((behind.ahead, behind.at_least()), (TimeDelta::seconds(-8), TimeDelta::milliseconds(7_950)));
        let slow = ClockOffset::of(at(0), Duration::from_secs(40), at(12_000));
        assert_eq!(slow.at_least(), TimeDelta::zero(), "an answer that took so long says nothing");
    }
}
