//! Everything that can go wrong at carriers at once, drawn from a seed, on a virtual clock: no package is added twice, no line is lost, and
//! what is called done stands there.
//!
//! A few hundred seeds by default; `LINESHIFT_SEEDS`, which `just soak` sets, counts twenty-five times, for a seed costs little.

use lineshift_testkit::carrier_seeds::{CARRIER_SEED_LINES, run_carrier_seed};
use lineshift_testkit::carriers::CarrierTemplate;
use lineshift_testkit::crash::many_seeds;
use lineshift_testkit::store::on_postgres;

/// How many tests share the seeds: the test runner runs them beside each other.
const SHARDS: u64 = 4;

fn run(shard: u64) {
    // On PostgreSQL one costs as much as ten in a file.
    let seeds = if on_postgres() { many_seeds(20, 1) } else { many_seeds(200, 25) }.every(SHARDS, shard);
    let paused = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    let template = paused().block_on(CarrierTemplate::with_lines(CARRIER_SEED_LINES));
    seeds.try_each(&format!("seeds::shard_{shard}"), |seed| paused().block_on(run_carrier_seed(&template, seed)));
}

macro_rules! shards {
    ($($name:ident $shard:literal),*) => {
        $(#[test]
        fn $name() {
            run($shard);
        })*

        #[test]
        fn every_seed_belongs_to_a_shard() {
            let shards: std::collections::BTreeSet<u64> = [$($shard),*].into();
            assert_eq!(shards, (0..SHARDS).collect());
        }
    };
}

shards!(shard_0 0, shard_1 1, shard_2 2, shard_3 3);
