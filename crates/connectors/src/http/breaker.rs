//! The circuit breaker of one account, as pure rules (section 13).

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// How many calls it looks back.
const LOOKS_BACK: usize = 20;

/// It opens when so many of them failed: 50 %.
const MOST_FAILED: usize = LOOKS_BACK / 2;

/// How long it stays open before one call is tried.
const STAYS_OPEN: TimeDelta = TimeDelta::seconds(30);

/// How soon it makes sense to ask again while one call is being tried.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// Whether a call may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// It may.
    Free,
    /// It may, as the one call that is tried while the breaker is half open.
    Probe,
    /// Not before that moment.
    NotBefore(DateTime<Utc>),
}

/// Opens when 50 % of the last 20 calls failed; after 30 seconds lets one call at a time through until one works.
#[derive(Debug)]
pub(super) enum Breaker {
    /// Calls pass. Of the calls begun last, in the order in which they began, whether each failed; calls that never were count as
    /// worked. Time-outs come in long after the calls that began beside them, and then say nothing about those that began since.
    Closed { failed: VecDeque<(u64, bool)> },
    /// No call passes.
    Open { until: DateTime<Utc> },
    /// One call passes at a time.
    HalfOpen { probing: bool },
}

impl Breaker {
    pub(super) const fn new() -> Self {
        Self::Closed { failed: VecDeque::new() }
    }

    pub(super) const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// Asks for a passage. One that gets [`Passage::Probe`] must end it by [`Breaker::record`] or [`Breaker::give_back`].
    pub(super) fn ask(&mut self, now: DateTime<Utc>) -> Passage {
        if let Some(until) = self.closed_until(now) {
            return Passage::NotBefore(until);
        }
        if self.is_closed() {
            return Passage::Free;
        }
        *self = Self::HalfOpen { probing: true };
        Passage::Probe
    }

    /// Before when no call passes; none: the next passes.
    pub(super) fn closed_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Open { until } if *until > now => Some(*until),
            Self::HalfOpen { probing: true } => Some(now + ASK_AGAIN),
            Self::Closed { .. } | Self::Open { .. } | Self::HalfOpen { probing: false } => None,
        }
    }

    /// Notes how a call ended; `begun` is its number in the order in which calls began. Calls that were under way when it opened
    /// say nothing new.
    pub(super) fn record(&mut self, failed: bool, begun: u64, as_probe: bool, now: DateTime<Utc>) {
        let opens = match self {
            Self::Closed { failed: last } => {
                let place = last.partition_point(|(earlier, _)| *earlier <= begun);
                last.insert(place, (begun, failed));
                if last.len() > LOOKS_BACK {
                    last.pop_front();
                }
                last.iter().filter(|(_, failed)| *failed).count() >= MOST_FAILED
            }
            Self::HalfOpen { .. } if as_probe && !failed => {
                *self = Self::new();
                false
            }
            Self::HalfOpen { .. } => as_probe,
            Self::Open { .. } => false,
        };
        if opens {
            *self = Self::Open { until: now + STAYS_OPEN };
        }
    }

    /// The probe was not sent.
    pub(super) fn give_back(&mut self) {
        if let Self::HalfOpen { probing } = self {
            *probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).expect("a moment")
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::new();
        for call in 0..MOST_FAILED {
            assert_eq!(breaker.ask(at(0)), Passage::Free);
            breaker.record(true, call as u64, false, at(0));
        }
        breaker
    }

    #[test]
    fn it_opens_at_half_of_the_last_twenty() {
        let mut breaker = Breaker::new();
        for call in 0..200 {
            // Nine of twenty, again and again.
            breaker.record(call % 20 < 9, call, false, at(0));
            assert!(breaker.is_closed(), "call {call}");
        }
        breaker.record(true, 200, false, at(0));
        assert!(breaker.is_closed(), "it replaces one that failed, too");
        let mut breaker = Breaker::new();
        for call in 0..19 {
            breaker.record(call % 2 == 0, call, false, at(0));
        }
        assert_eq!(breaker.ask(at(0)), Passage::NotBefore(at(30)), "ten of nineteen failed");
    }

    #[test]
    fn time_outs_of_long_ago_do_not_outweigh_what_worked_since() {
        let mut breaker = Breaker::new();
        // One in ten never answers; the others do so at once.
        let (slow, fast): (Vec<u64>, Vec<u64>) = (0..300).partition(|call| call % 10 == 0);
        for call in fast {
            breaker.record(false, call, false, at(0));
        }
        for call in slow {
            breaker.record(true, call, false, at(30));
            assert!(breaker.is_closed(), "call {call}");
        }
        for call in 300..310 {
            breaker.record(true, call, false, at(60));
        }
        assert!(!breaker.is_closed(), "when nothing works any more it opens all the same");
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let mut breaker = opened();
        assert_eq!(breaker.ask(at(29)), Passage::NotBefore(at(30)));
        assert_eq!(breaker.ask(at(30)), Passage::Probe);
        assert_eq!(breaker.ask(at(30)), Passage::NotBefore(at(31)));
        breaker.record(false, 8, false, at(31));
        assert_eq!(breaker.ask(at(31)), Passage::NotBefore(at(32)), "one sent before it opened decides nothing");
        breaker.record(true, 20, true, at(32));
        assert_eq!(breaker.ask(at(32)), Passage::NotBefore(at(62)));
        assert_eq!(breaker.ask(at(62)), Passage::Probe);
        breaker.give_back();
        assert_eq!(breaker.ask(at(62)), Passage::Probe);
        breaker.record(false, 21, true, at(63));
        assert_eq!(breaker.ask(at(63)), Passage::Free);
        for call in 0..MOST_FAILED - 1 {
            breaker.record(true, 22 + call as u64, false, at(63));
        }
        assert!(breaker.is_closed(), "what failed before is forgotten");
    }
}
