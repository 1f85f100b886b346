//! Generated fleets: of any size, the same for the same seed and size, with a known share of lines for every refusal.
//!
//! A line is a pure function of seed and place, so that a fleet of a million lines is never held as a whole.

pub(crate) mod catalogue;
pub(crate) mod files;
mod line;
mod numbers;
pub(crate) mod orders;
mod random;
pub(crate) mod records;
pub(crate) mod simulated;
#[cfg(test)]
mod tests;

pub(crate) use line::{Line, Special};

use random::mixed;

/// Lines that follow one pattern of providers and special lines.
pub(crate) const BLOCK: u64 = 100;

/// Only every so many blocks hold special lines, the first one among them.
const SPECIAL_BLOCKS: u64 = 4;

/// A fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fleet {
    seed: u64,
    devices: u64,
}

/// Where a line stands in its block, once the block is shuffled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    block: u64,
    /// 0 to 99: decides the provider and what is special about the line.
    position: u64,
}

impl Fleet {
    /// A fleet of that many lines.
    pub(crate) const fn new(devices: u64, seed: u64) -> Self {
        Self { seed, devices }
    }

    /// How many lines.
    pub(crate) const fn devices(&self) -> u64 {
        self.devices
    }

    /// The line at that place, from 0.
    pub(crate) fn line(&self, index: u64) -> Line {
        line::at(self.seed, self.place(index))
    }

    /// All lines in order.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Line> {
        let fleet = *self;
        (0..fleet.devices).map(move |index| fleet.line(index))
    }

    /// The lines of one carrier account, in order.
    pub(crate) fn lines_of(&self, provider: usize) -> impl Iterator<Item = Line> {
        let fleet = *self;
        let places = (0..fleet.devices).map(move |index| fleet.place(index));
        places.filter(move |place| line::provider_at(place.position) == provider).map(move |place| line::at(fleet.seed, place))
    }

    /// A line that is not in the fleet, of that carrier account.
    pub(crate) fn stranger(&self, provider: usize, nth: u64) -> Line {
        // Beyond every place, and in no special block.
        let block = (self.devices / BLOCK + 1).next_multiple_of(SPECIAL_BLOCKS) + 1;
        let positions = (0..BLOCK).filter(|position| line::provider_at(*position) == provider);
        let position = positions.cycle().nth(usize::try_from(nth % 10).expect("less than ten")).expect("each provider has lines");
        line::at(self.seed, Place { block: block + nth / 10 * SPECIAL_BLOCKS, position })
    }

    /// 37 and 100 have no common divisor: every position comes once in a block.
    fn place(&self, index: u64) -> Place {
        let block = index / BLOCK;
        let shift = mixed(&[self.seed, block]) % BLOCK;
        Place { block, position: ((index % BLOCK) * 37 + shift) % BLOCK }
    }
}

impl Place {
    /// Whether the block of this place holds special lines.
    const fn is_in_special_block(self) -> bool {
        self.block.is_multiple_of(SPECIAL_BLOCKS)
    }

    /// A number that no other place has.
    const fn serial(self) -> u64 {
        self.block * BLOCK + self.position
    }
}
