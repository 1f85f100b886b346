//! Calls in sliding windows of any length up to a day.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// More calls than that are forgotten: a limit above it lets through what it should not, and nobody runs out of memory.
const MOST_REMEMBERED: usize = 1_000_000;

/// When calls were let through, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    passed: VecDeque<Instant>,
}

impl Throttle {
    /// Lets a call through, or says how long until one would be. A refused call does not count.
    pub(super) fn pass(&mut self, windows: &[(u32, Duration)], now: Instant) -> Result<(), Duration> {
        while self.passed.front().is_some_and(|at| now.duration_since(*at) >= DAY) || self.passed.len() > MOST_REMEMBERED {
            self.passed.pop_front();
        }
        let wait = windows.iter().filter_map(|(most, window)| self.wait(*most, *window, now)).max();
        match wait {
            Some(wait) => Err(wait),
            None => {
                self.passed.push_back(now);
                Ok(())
            }
        }
    }

    /// How long until fewer than `most` calls stand in the window; none: now.
    fn wait(&self, most: u32, window: Duration, now: Instant) -> Option<Duration> {
        let gone = self.passed.partition_point(|at| now.duration_since(*at) >= window);
        let standing = self.passed.len() - gone;
        let excess = (standing + 1).checked_sub(most as usize).filter(|excess| *excess > 0)?;
        // With a limit of none at all there is no call whose leaving would help: the whole window it is.
        let leaves = self.passed.get(gone + excess - 1).map(|at| window - now.duration_since(*at));
        Some(leaves.unwrap_or(window))
    }

    /// How many calls were let through in the last minute.
    pub(super) fn in_last_minute(&self, now: Instant) -> usize {
        self.passed.len() - self.passed.partition_point(|at| now.duration_since(*at) >= MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &[(u32, Duration)] = &[(5, DAY), (3, MINUTE)];

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn windows_slide() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        for at in [0, 10, 20] {
            assert_eq!(throttle.pass(LIMITS, start + seconds(at)), Ok(()));
        }
        assert_eq!(throttle.pass(LIMITS, start + seconds(30)), Err(seconds(30)));
        assert_eq!(throttle.pass(LIMITS, start + seconds(60)), Ok(()));
        assert_eq!(throttle.pass(LIMITS, start + seconds(61)), Err(seconds(9)));
        assert_eq!(throttle.in_last_minute(start + seconds(61)), 3);
        assert_eq!(throttle.pass(LIMITS, start + seconds(90)), Ok(()));
        let day = throttle.pass(LIMITS, start + seconds(900)).expect_err("five were let through today");
        assert_eq!(day, DAY - seconds(900));
        assert_eq!(throttle.pass(LIMITS, start + DAY), Ok(()));
    }

    #[test]
    fn a_limit_of_none_lets_nobody_through() {
        assert_eq!(Throttle::default().pass(&[(0, DAY)], Instant::now()), Err(DAY));
        assert_eq!(Throttle::default().pass(&[], Instant::now()), Ok(()));
    }
}
