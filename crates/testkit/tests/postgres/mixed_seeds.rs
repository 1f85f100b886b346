//! Orders of every kind by two tenants, and processes whose connections end, whose transactions are undone, who die, freeze or have too
//! few connections, drawn from a seed, on a virtual clock: every line ends as it should, nothing is billed or applied twice.
//!
//! Two hundred seeds by default, and as many as `LINESHIFT_SEEDS` says where that is more.

use lineshift_testkit::crash::many_seeds;
use lineshift_testkit::mixed_seeds::{MixedTemplate, run_seed};

/// How many tests share the seeds: the test runner runs them beside each other.
const SHARDS: u64 = 4;

fn run(shard: u64) {
    let seeds = many_seeds(200, 1).every(SHARDS, shard);
    let paused = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    let template = paused().block_on(MixedTemplate::new());
    seeds.try_each(&format!("mixed_seeds::shard_{shard}"), |seed| paused().block_on(run_seed(&template, seed)));
}

#[test]
fn shard_0() {
    run(0);
}

#[test]
fn shard_1() {
    run(1);
}

#[test]
fn shard_2() {
    run(2);
}

#[test]
fn shard_3() {
    run(3);
}
