//! Chance that follows from a seed, for jitter.

use std::sync::Mutex;
use std::time::Duration;

use super::lock;

/// Numbers that look random and follow from a seed (SplitMix64). They keep retries apart, and keep nothing secret.
pub(super) struct Chance(Mutex<u64>);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    fn next(&self) -> u64 {
        let mut state = lock(&self.0);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between half of `longest` and `longest`.
    pub(super) fn jittered(&self, longest: Duration) -> Duration {
        let thousandths = u32::try_from(self.next() % 500).expect("less than 500");
        longest / 2 + longest * thousandths / 1000
    }

    /// How long to wait before try `attempt` + 1: `first` doubled with each attempt, at most `most`, with jitter.
    pub(super) fn backoff(&self, attempt: u32, first: Duration, most: Duration) -> Duration {
        let doubled = first.saturating_mul(1_u32 << attempt.saturating_sub(1).min(20));
        self.jittered(doubled.min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_within_its_jitter_up_to_its_most() {
        let chance = Chance::new(1);
        let (first, most) = (Duration::from_millis(200), Duration::from_secs(10));
        for (attempt, longest) in [(1, 200), (2, 400), (3, 800), (6, 6_400), (7, 10_000), (60, 10_000)] {
            let longest = Duration::from_millis(longest);
            for _ in 0..50 {
                let waits = chance.backoff(attempt, first, most);
                assert!(waits >= longest / 2 && waits <= longest, "attempt {attempt}: {waits:?}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let waits = |seed| {
            let chance = Chance::new(seed);
            (1..9).map(|attempt| chance.backoff(attempt, Duration::from_millis(200), Duration::from_secs(10))).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }
}
