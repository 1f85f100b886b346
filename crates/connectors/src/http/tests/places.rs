//! Places of one account in several processes: each has an account object of its own, and what a store keeps is shared.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, advance, sleep, timeout};

use super::super::test_kit::{Does, MemoryMeter, MemoryPlaces, Script, account_of, limits};
use super::super::*;
use super::{endpoint, ok, whole};
use crate::CallError;

fn of(concurrency: usize) -> AccountLimits {
    AccountLimits { concurrency, calls_a_minute: 100_000, patience: Duration::from_secs(120), ..limits() }
}

/// Callers of one process that read `path` one after the other until they are aborted.
fn call_on(account: &Account, path: &'static str, callers: usize) -> Vec<JoinHandle<()>> {
    let endpoint = endpoint(account);
    let call = |endpoint: Arc<Endpoint>| async move {
        loop {
            drop(endpoint.read(path, whole).await);
        }
    };
    (0..callers).map(|_| tokio::spawn(call(Arc::clone(&endpoint)))).collect()
}

fn stop(callers: Vec<JoinHandle<()>>) {
    callers.into_iter().for_each(|caller| caller.abort());
}

/// When calls of a path came.
fn calls_on(script: &Script, path: &str) -> Vec<Instant> {
    let line = format!("GET {path}");
    script.seen().into_iter().filter(|seen| seen.line == line).map(|seen| seen.at).collect()
}

fn places_of(places: &MemoryPlaces, holder: &str) -> u32 {
    let holders = places.holders.lock().expect("no test panics here");
    holders.iter().filter(|row| row.holder == holder).map(|row| row.places).sum()
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_what_the_account_allows() {
    for concurrency in [1_usize, 2, 5, 32] {
        let (script, places) = (Script::new([], ok()), Arc::<MemoryPlaces>::default());
        let (a, _) = account_of("a", &places, of(concurrency), &script);
        let (b, _) = account_of("b", &places, of(concurrency), &script);
        let callers = call_on(&a, "/a", 40);
        sleep(Duration::from_secs(10)).await;
        let others = call_on(&b, "/b", 40);
        sleep(Duration::from_secs(60)).await;
        stop(callers);
        stop(others);
        assert_eq!(script.most_under_way.load(Ordering::SeqCst), concurrency, "as many as are allowed, and never more");
        let (first, second) = (calls_on(&script, "/a"), calls_on(&script, "/b"));
        // A call takes 50 ms.
        let possible = concurrency * 20 * 70;
        assert!(first.len() + second.len() > possible * 8 / 10, "{} and {} of {possible}", first.len(), second.len());
        let begun = first[0];
        let shared: Vec<usize> =
            [&first, &second].map(|calls| calls.iter().filter(|at| **at - begun > Duration::from_secs(20)).count()).into();
        assert!(shared[0] * 2 > shared[1] && shared[1] * 2 > shared[0], "{concurrency}: {shared:?} are not shared fairly");
    }
}

#[tokio::test(start_paused = true)]
async fn with_one_place_processes_take_turns() {
    let (script, places) = (Script::new([], ok()), Arc::<MemoryPlaces>::default());
    let names = [("a", "/a"), ("b", "/b"), ("c", "/c")];
    let mut callers = Vec::new();
    for (name, path) in names {
        let (account, _) = account_of(name, &places, of(1), &script);
        callers.extend(call_on(&account, path, 3));
    }
    sleep(Duration::from_secs(120)).await;
    stop(callers);
    assert_eq!(script.most_under_way.load(Ordering::SeqCst), 1);
    for (name, path) in names {
        let calls = calls_on(&script, path);
        let longest = calls.windows(2).map(|two| two[1] - two[0]).max().expect("many calls");
        assert!(longest < Duration::from_secs(20), "{name} waited {longest:?} for its turn");
        assert!(calls.len() > 500, "{name} made {} calls", calls.len());
    }
}

#[tokio::test(start_paused = true)]
async fn the_places_of_a_process_that_froze_are_used_when_none_of_its_calls_can_be_under_way() {
    let (script, places) = (Script::new([], Does::Silence), Arc::<MemoryPlaces>::default());
    let (frozen, _) = account_of("frozen", &places, of(1), &script);
    let callers = call_on(&frozen, "/frozen", 1);
    sleep(Duration::from_secs(1)).await;
    // Nothing of it moves any more; its call is under way.
    stop(callers);
    let sent = calls_on(&script, "/frozen")[0];
    script.rest(ok());
    let (other, _) = account_of("other", &places, of(1), &script);
    let callers = call_on(&other, "/other", 1);
    sleep(Duration::from_secs(100)).await;
    stop(callers);
    let first = calls_on(&script, "/other")[0] - sent;
    assert!(first > limits().timeout && first < Duration::from_secs(70), "it began {first:?} after the other's last call");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_cannot_renew_its_lease_begins_no_call() {
    let (script, places) = (Script::new([], ok()), Arc::<MemoryPlaces>::default());
    let impatient = AccountLimits { patience: Duration::from_secs(5), ..of(4) };
    let (account, meter) = account_of("a", &places, impatient, &script);
    let callers = call_on(&account, "/a", 4);
    sleep(Duration::from_secs(10)).await;
    meter.is_cut_off.store(true, Ordering::SeqCst);
    let cut_off = Instant::now();
    sleep(Duration::from_secs(20)).await;
    let still = calls_on(&script, "/a").len();
    sleep(Duration::from_secs(3)).await;
    assert!(calls_on(&script, "/a").len() > still, "the lease is young enough for 30 seconds");
    sleep(Duration::from_secs(60)).await;
    let last = *calls_on(&script, "/a").last().expect("it called");
    assert!(last - cut_off <= Duration::from_secs(30), "it called {:?} after it was cut off", last - cut_off);
    assert_eq!(account.permit().await.err().map(|not_now| not_now.why), Some(WhyNot::NotCounted));
    meter.is_cut_off.store(false, Ordering::SeqCst);
    sleep(Duration::from_secs(2)).await;
    assert!(*calls_on(&script, "/a").last().expect("it called") > last, "it goes on");
    stop(callers);
}

#[tokio::test(start_paused = true)]
async fn a_permit_from_before_a_freeze_sends_nothing() {
    let (script, places) = (Script::new([], ok()), Arc::<MemoryPlaces>::default());
    let impatient = AccountLimits { patience: Duration::from_secs(5), ..of(1) };
    let (account, _) = account_of("a", &places, impatient, &script);
    let permit = account.permit().await.expect("nothing speaks against it");
    advance(Duration::from_secs(100)).await;
    let (other, _) = account_of("b", &places, of(1), &script);
    script.rest(Does::Silence);
    let callers = call_on(&other, "/b", 1);
    sleep(Duration::from_millis(10)).await;
    assert_eq!(calls_on(&script, "/b").len(), 1, "the lease had run out");
    let called = endpoint(&account).send(permit, super::effect(), whole).await;
    let Err(CallError::NotNow(not_now)) = called.result else { panic!("{:?}", called.result) };
    assert_eq!((not_now.why, script.most_under_way.load(Ordering::SeqCst)), (WhyNot::Busy, 1));
    stop(callers);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_rests_gives_its_places_back() {
    let (script, places) = (Script::new([], ok()), Arc::<MemoryPlaces>::default());
    let (a, _) = account_of("a", &places, of(1), &script);
    let (b, _) = account_of("b", &places, of(1), &script);
    let reads = endpoint(&a);
    assert!(reads.read("/a", whole).await.result.is_ok());
    assert_eq!(places_of(&places, "a"), 1);
    a.rest(Duration::from_secs(2)).await;
    assert_eq!(places_of(&places, "a"), 1, "it was called a moment ago");
    sleep(Duration::from_secs(2)).await;
    let held = a.permit().await.expect("its place");
    a.rest(Duration::from_secs(2)).await;
    assert_eq!(places_of(&places, "a"), 1, "a call is prepared");
    drop(held);
    a.rest(Duration::ZERO).await;
    assert_eq!(places_of(&places, "a"), 0);
    let now = Instant::now();
    assert!(endpoint(&b).read("/b", whole).await.result.is_ok());
    b.rest(Duration::ZERO).await;
    assert!(reads.read("/a", whole).await.result.is_ok(), "it leases again when it calls again");
    assert!(now.elapsed() < Duration::from_millis(150), "{:?}", now.elapsed());
}

#[tokio::test(start_paused = true)]
async fn one_alone_is_not_held_up() {
    let (script, places) = (Script::new([], ok()), Arc::<MemoryPlaces>::default());
    let (account, meter): (Account, Arc<MemoryMeter>) = account_of("a", &places, of(32), &script);
    let callers = call_on(&account, "/a", 64);
    sleep(Duration::from_secs(100)).await;
    let calls = calls_on(&script, "/a").len();
    assert!(calls >= 32 * 20 * 97, "{calls} calls in 100 seconds");
    let asked = meter.asked_for_places.load(Ordering::SeqCst);
    assert!(asked <= 60, "the store was asked {asked} times");
    stop(callers);
    let alone = timeout(Duration::from_millis(60), endpoint(&account).read("/a", whole)).await;
    assert!(alone.is_ok_and(|called| called.result.is_ok()), "a single call waits for nothing");
}
