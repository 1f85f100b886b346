//! Orders of every kind by two tenants, and processes whose connections end, whose transactions are undone, who die, freeze or have too
//! few connections, drawn from a seed, on a virtual clock: every line ends as it should, nothing is billed or applied twice.
//!
//! Two hundred seeds by default; with `LINESHIFT_SEEDS` 25 times as many as that says, so that `just soak` tries 5,000.

use lineshift_testkit::crash::many_seeds;
use lineshift_testkit::mixed_seeds::{MixedTemplate, run_seed};

/// How many tests share the seeds: the test runner runs them beside each other.
const SHARDS: u64 = 16;

fn run(shard: u64) {
    let seeds = many_seeds(200, 25).every(SHARDS, shard);
    let paused = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    let template = paused().block_on(MixedTemplate::new());
    seeds.try_each(&format!("mixed_seeds::shard_{shard}"), |seed| paused().block_on(run_seed(&template, seed)));
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

shards!(
    shard_0 0, shard_1 1, shard_2 2, shard_3 3, shard_4 4, shard_5 5, shard_6 6, shard_7 7, shard_8 8, shard_9 9, shard_10 10,
    shard_11 11, shard_12 12, shard_13 13, shard_14 14, shard_15 15
);
