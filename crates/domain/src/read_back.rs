//! When the unknown outcome of a call is looked at again, and when it counts as settled (B7.3).

use chrono::{DateTime, TimeDelta, Utc};

/// The longest pause between two looks.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(60);

/// How unknown outcomes are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBackPolicy {
    /// What was not found by then did not take effect: it may be sent again.
    pub settle_after: TimeDelta,
    /// What could not be read by then is given up.
    pub give_up_after: TimeDelta,
}

/// What follows from a look that found nothing, or that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBack {
    /// It may still show up: look again then.
    AgainAt(DateTime<Utc>),
    /// It did not take effect.
    Settled,
    /// Nobody will know: a person has to look.
    GivenUp,
}

impl ReadBackPolicy {
    /// After a look at `now` that found nothing of a call of which the last byte was sent at `unknown_since` or before.
    #[must_use]
    pub fn after_nothing(&self, unknown_since: DateTime<Utc>, now: DateTime<Utc>) -> ReadBack {
        let settled_at = unknown_since + self.settle_after;
        if now >= settled_at { ReadBack::Settled } else { ReadBack::AgainAt(self.next_look(unknown_since, now).min(settled_at)) }
    }

    /// Until when a call may still work late of which the last byte was sent at `unknown_since` or before and nobody heard; none: by `now`
    /// it cannot any more. A look that shows what the call was to do does not end that: what it shows may have come about otherwise.
    #[must_use]
    pub fn may_work_until(&self, unknown_since: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let settled_at = unknown_since + self.settle_after;
        (now < settled_at).then_some(settled_at)
    }

    /// After a look at `now` that brought no answer.
    #[must_use]
    pub fn after_no_answer(&self, unknown_since: DateTime<Utc>, now: DateTime<Utc>) -> ReadBack {
        if now >= unknown_since + self.give_up_after {
            ReadBack::GivenUp
        } else {
            ReadBack::AgainAt(self.next_look(unknown_since, now))
        }
    }

    /// The pause doubles, because it is as long as the time that has passed; rows that became unknown together are looked at
    /// together, because looks stand on a grid.
    fn next_look(&self, unknown_since: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let shortest = (self.settle_after / 100).max(TimeDelta::seconds(1));
        let pause = (now - unknown_since).clamp(shortest, LONGEST_PAUSE.max(shortest));
        let grid = shortest.num_microseconds().unwrap_or(1_000_000).max(1);
        let at = (now + pause).timestamp_micros();
        DateTime::from_timestamp_micros(at + (grid - at.rem_euclid(grid)) % grid).unwrap_or(now + pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_796_083_200 + seconds, 0).expect("a moment in 2026")
    }

    const POLICY: ReadBackPolicy =
        ReadBackPolicy { settle_after: TimeDelta::seconds(600), give_up_after: TimeDelta::seconds(86_400) };

    #[test]
    fn looks_come_closer_together_at_first_and_the_last_one_settles_it() {
        let (mut now, mut looks) = (at(0), Vec::new());
        while let ReadBack::AgainAt(next) = POLICY.after_nothing(at(0), now) {
            assert!(next > now, "a look lies ahead of the one before");
            assert!(next <= at(600), "none lies behind the moment that settles it");
            now = next;
            looks.push((next - at(0)).num_seconds());
        }
        assert_eq!(looks, [6, 12, 24, 48, 96, 156, 216, 276, 336, 396, 456, 516, 576, 600]);
    }

    #[test]
    fn a_call_may_work_late_until_it_would_count_as_settled() {
        assert_eq!(POLICY.may_work_until(at(0), at(0)), Some(at(600)));
        assert_eq!(POLICY.may_work_until(at(0), at(599)), Some(at(600)));
        assert_eq!(POLICY.may_work_until(at(0), at(600)), None);
        assert_eq!(POLICY.after_nothing(at(0), at(600)), ReadBack::Settled);
    }

    #[test]
    fn what_cannot_be_read_is_given_up_in_the_end_but_never_sent_again() {
        let (mut now, mut looks) = (at(0), 0);
        while let ReadBack::AgainAt(next) = POLICY.after_no_answer(at(0), now) {
            now = next;
            looks += 1;
        }
        assert_eq!(POLICY.after_no_answer(at(0), now), ReadBack::GivenUp);
        assert!(now >= at(86_400) && now < at(86_400 + 120), "given up at {now}");
        assert!(looks < 1_500, "{looks} looks in a day");
    }
}
