//! Places of an account: never more than it allows in all, whoever asks when; and everybody who waits has one in the end.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::places::{PlaceHolder, PlacesAsked, PlacesLeased, TURN, WAITS_FOR, lease_places};
use proptest::prelude::*;

use crate::cases;

const LEASE: TimeDelta = TimeDelta::seconds(60);

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_800_000_000_000 + milliseconds).expect("a moment")
}

/// What a store keeps of one account, with the rule that what ran out is forgotten first.
struct Account {
    concurrency: u32,
    rows: BTreeMap<String, PlaceHolder>,
}

impl Account {
    fn new(concurrency: u32) -> Self {
        Self { concurrency, rows: BTreeMap::new() }
    }

    fn ask(&mut self, holder: &str, wanted: u32, kept: u32, now: DateTime<Utc>) -> PlacesLeased {
        self.rows.retain(|_, row| row.lease_until > now);
        let own = self.rows.remove(holder);
        let others: Vec<_> = self.rows.values().cloned().collect();
        let asked = PlacesAsked { wanted, kept, concurrency: self.concurrency, until: now + LEASE };
        let (leased, stored) = lease_places(holder, (own.as_ref(), &others), asked, now);
        self.rows.insert(holder.to_owned(), stored);
        leased
    }

    fn in_all(&self, now: DateTime<Utc>) -> u32 {
        self.rows.values().filter(|row| row.lease_until > now).map(|row| row.places).sum()
    }
}

#[test]
fn one_alone_has_what_it_wants() {
    let mut account = Account::new(32);
    assert_eq!(account.ask("a", 4, 0, at(0)), PlacesLeased { places: 4, share: 32 });
    assert_eq!(account.ask("a", 64, 4, at(1_000)), PlacesLeased { places: 32, share: 32 });
}

#[test]
fn a_second_one_has_its_part_once_the_first_gave_it_up() {
    let mut account = Account::new(5);
    assert_eq!(account.ask("a", 9, 0, at(0)).places, 5);
    assert_eq!(account.ask("b", 9, 0, at(100)), PlacesLeased { places: 0, share: 2 });
    // It keeps its calls under way, and begins no others.
    assert_eq!(account.ask("a", 9, 4, at(200)), PlacesLeased { places: 4, share: 3 });
    assert_eq!(account.ask("b", 9, 0, at(300)), PlacesLeased { places: 1, share: 2 });
    assert_eq!(account.ask("a", 9, 3, at(400)), PlacesLeased { places: 3, share: 3 });
    assert_eq!(account.ask("b", 9, 1, at(500)), PlacesLeased { places: 2, share: 2 });
}

#[test]
fn who_wants_little_leaves_the_rest_to_the_others() {
    let mut account = Account::new(32);
    assert_eq!(account.ask("sync", 1, 0, at(0)), PlacesLeased { places: 1, share: 32 });
    assert_eq!(account.ask("a", 40, 0, at(0)), PlacesLeased { places: 31, share: 31 });
    assert_eq!(account.ask("b", 40, 0, at(0)), PlacesLeased { places: 0, share: 15 });
    assert_eq!(account.ask("a", 40, 16, at(0)), PlacesLeased { places: 16, share: 16 });
    assert_eq!(account.ask("b", 40, 0, at(0)), PlacesLeased { places: 15, share: 15 });
}

#[test]
fn the_places_of_one_that_froze_come_free_when_its_lease_runs_out() {
    let mut account = Account::new(1);
    assert_eq!(account.ask("frozen", 1, 0, at(0)).places, 1);
    let mut now = 0;
    while account.ask("b", 1, 0, at(now)).places == 0 {
        now += 500;
    }
    assert_eq!(at(now), at(0) + LEASE);
}

#[test]
fn two_take_turns_at_a_single_place() {
    let mut account = Account::new(1);
    assert_eq!(account.ask("a", 1, 0, at(0)).places, 1);
    assert_eq!(account.ask("b", 1, 0, at(100)).share, 0);
    let turn = TURN.num_milliseconds();
    assert_eq!(account.ask("a", 1, 1, at(turn - 1)), PlacesLeased { places: 1, share: 1 }, "its turn is not over");
    assert_eq!(account.ask("b", 1, 0, at(turn - 1)).places, 0);
    // It is told, ends its call, and lets go.
    assert_eq!(account.ask("a", 1, 1, at(turn)), PlacesLeased { places: 1, share: 0 });
    assert_eq!(account.ask("a", 1, 0, at(turn + 50)), PlacesLeased { places: 0, share: 0 });
    assert_eq!(account.ask("b", 1, 0, at(turn + 100)), PlacesLeased { places: 1, share: 1 });
    // One that does not ask any more is waited for no longer.
    let gone = turn + 50 + WAITS_FOR.num_milliseconds();
    assert_eq!(account.ask("b", 1, 1, at(gone + turn)), PlacesLeased { places: 1, share: 1 });
}

/// One asking: who, how much time after the one before, how many it wants, which part of its places is in use.
fn askings() -> impl Strategy<Value = (u32, Vec<(u8, i64, u32, u32)>)> {
    (1_u32..12, prop::collection::vec((0_u8..6, 0_i64..20_000, 1_u32..20, 0_u32..=100), 1..200))
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn there_are_never_more_places_than_the_account_allows((concurrency, askings) in askings()) {
        let mut account = Account::new(concurrency);
        let mut now = 0;
        for (who, pause, wanted, in_use) in askings {
            now += pause;
            let holder = who.to_string();
            let before = account.rows.get(&holder).filter(|row| row.lease_until > at(now)).map_or(0, |row| row.places);
            let kept = before * in_use / 100;
            let leased = account.ask(&holder, wanted, kept, at(now));
            prop_assert!(account.in_all(at(now)) <= concurrency);
            prop_assert!(leased.places >= kept, "{leased:?} for one that keeps {kept}");
            prop_assert!(leased.places <= wanted.max(kept));
            prop_assert!(leased.share <= concurrency);
        }
    }

    /// Everybody asks every second, uses what it may, and lets go of what it must: each has a place within its round of turns.
    #[test]
    fn nobody_waits_for_ever(concurrency in 1_u32..8, holders in 1_usize..12, wanted in 1_u32..10) {
        let mut account = Account::new(concurrency);
        let mut leased = vec![PlacesLeased { places: 0, share: 0 }; holders];
        let mut served_at = vec![0_i64; holders];
        let mut used = 0;
        for second in 0..240_i64 {
            for (who, held) in leased.iter_mut().enumerate() {
                let kept = held.places.min(held.share);
                *held = account.ask(&format!("{who:02}"), wanted, kept, at(second * 1_000));
                if held.places > 0 {
                    served_at[who] = second;
                }
                let rounds = i64::try_from(holders).expect("few") / i64::from(concurrency) + 1;
                let longest = rounds * (TURN.num_seconds() + 3);
                prop_assert!(second - served_at[who] <= longest, "holder {who} waits since second {}", served_at[who]);
            }
            prop_assert!(account.in_all(at(second * 1_000)) <= concurrency);
            used += leased.iter().map(|held| held.places.min(held.share)).sum::<u32>();
        }
        let could_be = 240 * concurrency.min(u32::try_from(holders).expect("few") * wanted);
        prop_assert!(used * 10 >= could_be * 6, "{used} of {could_be} seconds of places are used");
    }
}
