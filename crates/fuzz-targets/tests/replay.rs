//! Every seed once more: those that were made by hand, and those that the fuzzer found and that are kept.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lineshift_fuzz_targets::{TARGETS, begin};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The names of what stands in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8")).collect()
}

fn replay(target: &str) {
    let (run, folder) = (begin(target), fuzz().join("seeds").join(target));
    let seeds = names(&folder);
    assert!(seeds.len() >= 5, "{target} has {} seeds", seeds.len());
    for seed in seeds {
        let bytes = std::fs::read(folder.join(&seed)).expect("a seed");
        assert!(bytes.len() <= 4_096, "{seed} is long: make it smaller");
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&bytes)));
        assert!(outcome.is_ok(), "seed {target}/{seed} fails");
        // What was cut off is an input as well.
        run(&bytes[..bytes.len() / 2]);
    }
}

#[test]
fn orders() {
    replay("orders");
}

#[test]
fn records() {
    replay("records");
}

#[test]
fn csv_files() {
    replay("csv_files");
}

#[test]
fn callbacks() {
    replay("callbacks");
}

#[test]
fn outside() {
    replay("outside");
}

#[test]
fn queries() {
    replay("queries");
}

#[test]
fn words() {
    replay("words");
}

#[test]
fn lines() {
    replay("lines");
}

#[test]
fn every_target_has_seeds_a_replay_and_a_program() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let lines = include_str!("replay.rs").lines();
    let replayed: BTreeSet<String> =
        lines.filter_map(|line| line.trim().strip_prefix("replay(\"")?.strip_suffix("\");")).map(str::to_owned).collect();
    let programs: BTreeSet<String> =
        names(&fuzz().join("fuzz_targets")).iter().map(|file| file.trim_end_matches(".rs").to_owned()).collect();
    assert_eq!(replayed, targets);
    assert_eq!(names(&fuzz().join("seeds")), targets);
    assert_eq!(programs, targets);
}
