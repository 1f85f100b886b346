//! The sliding windows of an account's calls (B7.4).

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use super::fixture::{Fixture, at};
use crate::Store;
use crate::billing::{CallWindows, CallsMade, FullWindow, TakenCalls};

/// Numbers in a fixed order, so that a failure comes back.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Calls taken, the latest last, and how many of them lie within a window.
#[derive(Default)]
struct Taken {
    calls: VecDeque<(DateTime<Utc>, u32)>,
}

impl Taken {
    fn within(&self, now: DateTime<Utc>, window: TimeDelta) -> u32 {
        self.calls.iter().rev().take_while(|(moment, _)| *moment > now - window).map(|(_, calls)| calls).sum()
    }
}

/// Calls in bursts and pauses over four days: never more than allowed in any minute or day, and none refused for nothing.
pub async fn windows_are_never_exceeded<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "windows").await;
    let windows = CallWindows { calls_a_minute: 50, calls_a_day: 900 };
    for seed in 1..=3_u64 {
        let account = super::fixture::authentication(&format!("account {seed}"));
        let account = store.create_integration_authentication(fixture.tenant, &account, at(0)).await.expect("an account");
        let (mut chance, mut taken, mut now) = (Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), Taken::default(), at(0));
        let (mut full_minutes, mut full_days) = (0, 0);
        for _ in 0..250 {
            let wanted = u32::try_from(chance.below(40)).expect("a few") + 1;
            let TakenCalls { taken: calls, full } =
                store.take_calls(fixture.tenant, account, wanted, windows, now).await.expect("taken");
            taken.calls.push_back((now, calls));
            let (minute, day) = (taken.within(now, TimeDelta::seconds(60)), taken.within(now, TimeDelta::hours(24)));
            assert!(minute <= windows.calls_a_minute, "seed {seed}: {minute} calls in the minute before {now}");
            assert!(day <= windows.calls_a_day, "seed {seed}: {day} calls in the day before {now}");
            assert_eq!(full.is_none(), calls == wanted, "seed {seed}: {full:?}");
            let pause = match full {
                None => TimeDelta::milliseconds(i64::try_from(chance.below(20_000)).expect("small")),
                Some(FullWindow::Minute(room)) => {
                    full_minutes += 1;
                    assert!(room > now && room <= now + TimeDelta::seconds(61), "seed {seed}: {room}");
                    room - now
                }
                Some(FullWindow::Day(room)) => {
                    full_days += 1;
                    assert!(room > now && room <= now + TimeDelta::seconds(86_460), "seed {seed}: {room}");
                    room - now
                }
            };
            now += pause;
            let made = store.count_calls(fixture.tenant, account, now).await.expect("counted");
            match full {
                None => {}
                Some(FullWindow::Minute(_)) => assert!(made.in_minute < 50, "seed {seed}: {made:?}"),
                Some(FullWindow::Day(_)) => assert!(made.in_day < 900, "seed {seed}: {made:?}"),
            }
        }
        assert!(full_minutes > 0 && full_days > 0, "seed {seed}: both windows were full at times");
    }
}

/// Each account and tenant has its own; what was taken is counted until it leaves.
pub async fn windows_are_counted_by_account<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "windows by account").await;
    let (tenant, account) = (fixture.tenant, fixture.authentication);
    let windows = CallWindows { calls_a_minute: 10, calls_a_day: 12 };
    let take = async |wanted: u32, now: i64| store.take_calls(tenant, account, wanted, windows, at(now)).await.expect("taken");
    assert_eq!(take(0, 0).await, TakenCalls { taken: 0, full: None });
    assert_eq!(take(4, 0).await, TakenCalls { taken: 4, full: None });
    assert_eq!(take(7, 30).await, TakenCalls { taken: 6, full: Some(FullWindow::Minute(at(61))) });
    let count = async |now: i64| store.count_calls(tenant, account, at(now)).await.expect("counted");
    assert_eq!(count(30).await, CallsMade { in_minute: 10, in_day: 10 });
    assert_eq!(count(60).await, CallsMade { in_minute: 10, in_day: 10 }, "a part of the first second lies in the window");
    assert_eq!(count(61).await, CallsMade { in_minute: 6, in_day: 10 });
    // The clock was set back: what was taken later counts all the same.
    assert_eq!(take(5, 20).await.taken, 0);
    let TakenCalls { taken, full } = take(5, 61).await;
    let first_leaves = (at(0).timestamp().div_euclid(60) + 1) * 60 + 86_400;
    assert_eq!((taken, full), (2, Some(FullWindow::Day(DateTime::from_timestamp(first_leaves, 0).expect("a moment")))));
    assert_eq!(count(200_000).await, CallsMade { in_minute: 0, in_day: 0 });
    let other = super::fixture::authentication("another");
    let other = store.create_integration_authentication(tenant, &other, at(0)).await.expect("an account");
    assert_eq!(store.count_calls(tenant, other, at(61)).await.expect("counted"), CallsMade { in_minute: 0, in_day: 0 });
    assert_eq!(store.take_calls(tenant, other, 10, windows, at(61)).await.expect("taken").taken, 10);
    let none = CallWindows { calls_a_minute: 0, calls_a_day: 50 };
    let stopped = store.take_calls(fixture.tenant, other, 1, none, at(500)).await.expect("asked");
    assert_eq!((stopped.taken, matches!(stopped.full, Some(FullWindow::Minute(room)) if room > at(500))), (0, true));
}
