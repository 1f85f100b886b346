//! Chance from a seed: the same seed and the same number of a call draw the same, whatever other calls draw.

use std::time::Duration;

/// A source of numbers that looks like chance and is none.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The source of one call under a seed.
    pub(crate) fn of(seed: u64, call: u64) -> Self {
        let mut chance = Self(seed ^ call.wrapping_mul(0xD134_2543_DE82_EF95));
        // Neighbouring seeds and calls differ in few bits: the first numbers are thrown away.
        chance.next();
        chance.next();
        chance
    }

    /// Any number.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Below `most`; 0 when that is 0.
    pub fn below(&mut self, most: u64) -> u64 {
        if most == 0 { 0 } else { self.next() % most }
    }

    /// From nothing to `most`, in milliseconds.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(self.below(millis + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_call_draw_the_same() {
        let draw = |seed, call| Chance::of(seed, call).next();
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn numbers_are_spread_evenly() {
        let mut tenths = [0_u32; 10];
        for call in 0..10_000 {
            let unit = Chance::of(3, call).unit();
            assert!((0.0..1.0).contains(&unit));
            tenths[(unit * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (850..1150).contains(count)), "{tenths:?}");
    }

    #[test]
    fn a_duration_stays_within_its_bound() {
        let mut chance = Chance::of(1, 1);
        assert_eq!(chance.up_to(Duration::ZERO), Duration::ZERO);
        assert!((0..1_000).all(|_| chance.up_to(Duration::from_millis(5)) <= Duration::from_millis(5)));
    }
}
