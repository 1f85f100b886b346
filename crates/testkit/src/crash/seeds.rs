//! Seeds: what is random in a fault test follows from one number, which it prints when it fails.

use super::process::setting;

/// How many seeds each fault test tries; `just soak`.
const SEEDS: &str = "LINESHIFT_SEEDS";
/// The one seed to replay.
const SEED: &str = "LINESHIFT_SEED";
/// The one statement to replay in a sweep.
const KILL_AT: &str = "LINESHIFT_KILL_AT";

/// The seeds to try, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds(pub Vec<u64>);

/// The seed to replay, else as many as asked for, else `few`.
#[must_use]
pub fn seeds(few: u64) -> Seeds {
    if let Some(seed) = setting(SEED) {
        return Seeds(vec![seed.parse().expect("LINESHIFT_SEED is a number")]);
    }
    let count = setting(SEEDS).map_or(few, |count| count.parse().expect("LINESHIFT_SEEDS is a number"));
    Seeds((1..=count).collect())
}

/// The same for seeds that cost little: `few`, else `times` as many as asked for.
#[must_use]
pub fn many_seeds(few: u64, times: u64) -> Seeds {
    if setting(SEED).is_some() {
        return seeds(few);
    }
    let count = setting(SEEDS).map_or(few, |count| times * count.parse::<u64>().expect("LINESHIFT_SEEDS is a number"));
    Seeds((1..=count.max(few)).collect())
}

impl Seeds {
    /// Those whose remainder is that one, so that several tests may share them.
    #[must_use]
    pub fn every(mut self, of: u64, remainder: u64) -> Self {
        self.0.retain(|seed| seed % of == remainder);
        self
    }

    /// The first of each so many, for tests that take long.
    #[must_use]
    pub fn one_in(mut self, of: usize) -> Self {
        self.0.truncate(self.0.len().div_ceil(of));
        self
    }

    /// Runs the test with each seed; a failure says how to replay it.
    pub fn try_each(&self, test: &str, run: impl Fn(u64)) {
        for seed in &self.0 {
            let hint = Replay(format!("{SEED}={seed} cargo nextest run -p lineshift-testkit -- --exact {test}"));
            run(*seed);
            hint.passed();
        }
    }
}

/// The statements to kill at: the one to replay, else all.
pub(super) fn statements_to_try(all: u64) -> Vec<u64> {
    let one = setting(KILL_AT).map(|number| number.parse().expect("LINESHIFT_KILL_AT is a number"));
    one.map_or_else(|| (1..=all).collect(), |one| vec![one])
}

/// The way to replay one statement of a sweep.
pub(super) fn replay_statement(test: &str, number: u64) -> Replay {
    Replay(format!("{KILL_AT}={number} cargo nextest run -p lineshift-testkit -- --exact {test}"))
}

/// Says how to replay a test, if it does not pass.
pub(super) struct Replay(String);

impl Replay {
    pub(super) fn passed(self) {
        std::mem::forget(self);
    }
}

impl Drop for Replay {
    #[expect(clippy::print_stderr, reason = "this is read by who looks at a failed test")]
    fn drop(&mut self) {
        eprintln!("to replay: {}", self.0);
    }
}

/// Numbers that look random and follow from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    /// True once in `of` times.
    pub fn once_in(&mut self, of: u64) -> bool {
        self.next().is_multiple_of(of)
    }
}
