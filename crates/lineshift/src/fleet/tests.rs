//! That a fleet is the same again, that its numbers are of the right form, and that it meets every refusal.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::catalogue::{METERS, PHONES, PROVIDERS, ROUTERS, SENSORS, TRACKERS};
use super::*;

#[test]
fn the_same_seed_makes_the_same_fleet() {
    let lines = |seed| Fleet::new(1_000, seed).lines().collect::<Vec<_>>();
    assert_eq!(lines(7), lines(7));
    assert_ne!(lines(7), lines(8));
}

#[test]
fn a_line_does_not_depend_on_how_many_there_are() {
    let (small, large) = (Fleet::new(150, 3), Fleet::new(1_000_000, 3));
    assert!((0..150).all(|index| small.line(index) == large.line(index)));
}

#[test]
fn every_iccid_is_of_the_right_form_and_there_once() {
    let mut seen = HashSet::new();
    for line in Fleet::new(20_000, 1).lines() {
        assert!((19..=20).contains(&line.iccid.len()) && line.iccid.starts_with("89"), "{}", line.iccid);
        let (digits, check) = line.iccid.split_at(line.iccid.len() - 1);
        assert_eq!(numbers::check_digit(digits).to_string(), check, "{}", line.iccid);
        assert!(line.iccid.starts_with(PROVIDERS[line.provider].prefix));
        assert_eq!(line.imei.len(), 15);
        assert!(seen.insert(line.iccid));
    }
}

#[test]
fn numbers_are_shared_by_special_lines_only() {
    let fleet = Fleet::new(10_000, 1);
    let mut by_number: HashMap<String, Vec<Special>> = HashMap::new();
    for line in fleet.lines() {
        let Some(number) = line.number else { continue };
        assert!(number.len() == 11 && number.starts_with("15"), "{number}");
        by_number.entry(number).or_default().push(line.special);
    }
    for (number, specials) in &by_number {
        let shared = *specials == [Special::SharedNumber, Special::SharedNumber];
        assert!(specials.len() == 1 || shared, "{number}: {specials:?}");
    }
    assert_eq!(by_number.values().filter(|specials| specials.len() == 2).count(), 25);
}

#[test]
fn every_block_of_a_hundred_has_each_carriers_share() {
    for seed in 0..20 {
        let fleet = Fleet::new(300, seed);
        let shares: Vec<usize> = (0..PROVIDERS.len()).map(|provider| fleet.lines_of(provider).count()).collect();
        assert_eq!(shares, [120, 60, 60, 30, 30], "seed {seed}");
    }
    assert_eq!([METERS, TRACKERS, PHONES, SENSORS, ROUTERS], [0, 1, 2, 3, 4]);
}

#[test]
fn special_lines_have_a_known_share() {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for line in Fleet::new(2_000, 9).lines() {
        *counts.entry(format!("{:?}", line.special)).or_default() += 1;
    }
    // Of the twenty blocks five hold them.
    let expected = [
        ("Archived", 25),
        ("BilledToOther", 10),
        ("Held", 5),
        ("Inactive", 20),
        ("Moved", 5),
        ("Ordinary", 1_910),
        ("OverBound", 5),
        ("SharedNumber", 10),
        ("WithoutNumber", 10),
    ];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)).into());
}

#[test]
fn strangers_are_not_in_the_fleet() {
    let fleet = Fleet::new(450, 4);
    let known: HashSet<String> = fleet.lines().map(|line| line.iccid).collect();
    let numbers: HashSet<String> = fleet.lines().filter_map(|line| line.number).collect();
    let mut strangers = HashSet::new();
    for nth in 0..40 {
        let stranger = fleet.stranger(SENSORS, nth);
        assert_eq!(stranger.provider, SENSORS);
        assert!(!known.contains(&stranger.iccid));
        assert!(!numbers.contains(&stranger.number.expect("ordinary lines have one")));
        strangers.insert(stranger.iccid);
    }
    assert_eq!(strangers.len(), 40);
}

#[test]
fn the_files_are_the_same_again() {
    let (one, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let fleet = Fleet::new(230, 5);
    let written = files::write(&fleet, one.path()).expect("written");
    assert_eq!(files::write(&fleet, other.path()).expect("written"), written);
    for file in &written {
        let read = |dir: &std::path::Path| std::fs::read(dir.join(file.file)).expect("readable");
        assert_eq!(read(one.path()), read(other.path()), "{}", file.file);
    }
    assert_eq!(written.iter().find(|file| file.file == "devices.csv").map(|file| file.rows), Some(230));
}

#[test]
fn the_examples_are_a_generated_fleet() {
    let fresh = tempfile::tempdir().expect("a directory");
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for written in files::write(&Fleet::new(100, 1), fresh.path()).expect("written") {
        let read = |dir: &std::path::Path| std::fs::read_to_string(dir.join(written.file)).expect("readable");
        assert!(
            read(&examples) == read(fresh.path()),
            "{} differs: lineshift examples generate --devices 100 --seed 1 --out examples",
            written.file
        );
    }
}
