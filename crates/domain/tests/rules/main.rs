//! The rules as a whole, by example and by property: what holds for every order, line, date and sequence of moves.

mod at_carriers;
mod body;
mod counting;
mod dates;
mod judging;
mod judging_rules;
mod moves;
mod orders;
mod places;
mod reading_forms;
mod reading_limits;
mod reading_orders;
mod reading_properties;
mod settings;

/// A fixed number of cases and a fixed seed, so that two runs test the same.
fn cases(count: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases: count,
        rng_seed: proptest::test_runner::RngSeed::Fixed(20_261_120),
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    }
}
