//! Accounts and endpoints against a script, on tokio's paused clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::SecretString;
use tokio::time::Instant;

use super::test_kit::{Does, Script, account, limits};
use super::*;
use crate::CallError;

mod places;

fn endpoint(account: &Account) -> Arc<Endpoint> {
    let secret = SecretString::from("topsecret");
    let masker = Masker::new([&secret]);
    Arc::new(Endpoint::new(account.clone(), "https://billing.example/v1/", vec![("authorization", secret)], masker))
}

fn effect() -> Effect {
    Effect { method: "POST", path: "/Services".to_owned(), body: r#"{"number":"1","key":"topsecret"}"#.to_owned() }
}

fn whole(answer: &Answer) -> Result<String, String> {
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

fn ok() -> Does {
    Does::answer(200, "{}")
}

#[tokio::test(start_paused = true)]
async fn windows_and_concurrency_hold_for_a_hundred_callers_and_are_asked_in_groups() {
    let script = Script::new([], ok());
    let limits = AccountLimits { concurrency: 8, calls_a_minute: 60, patience: Duration::from_secs(3_600), ..limits() };
    let (account, meter) = account(limits, &script);
    let endpoint = endpoint(&account);
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let endpoint = Arc::clone(&endpoint);
            tokio::spawn(async move {
                for _ in 0..3 {
                    let called = endpoint.read("/Services", whole).await;
                    assert_eq!(called.result, Ok("{}".to_owned()));
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no caller panics");
    }
    let seen: Vec<Instant> = script.seen().iter().map(|seen| seen.at).collect();
    assert_eq!(seen.len(), 300);
    // A call is sent a little after it was counted: what the store takes, and at most one call's time for the slot.
    let (minute, slack) = (Duration::from_secs(60), Duration::from_millis(200));
    for (index, first) in seen.iter().enumerate() {
        let within = seen[index..].iter().take_while(|at| **at - *first < minute - slack).count();
        assert!(within <= 60, "{within} calls within a minute");
    }
    assert!(seen[299] - seen[0] < Duration::from_secs(4 * 60 + 5), "the windows are used up");
    assert!(script.most_under_way.load(Ordering::SeqCst) <= 8);
    let asked = meter.asked.load(Ordering::SeqCst);
    assert!(asked < 120, "300 calls asked the meter {asked} times");
}

#[tokio::test(start_paused = true)]
async fn slots_are_full_while_callers_prepare() {
    let script = Script::new([], ok());
    let (account, _) = account(AccountLimits { calls_a_minute: 100_000, ..limits() }, &script);
    let endpoint = endpoint(&account);
    let started = Instant::now();
    let callers: Vec<_> = (0..640)
        .map(|_| {
            let (account, endpoint) = (account.clone(), Arc::clone(&endpoint));
            tokio::spawn(async move {
                let permit = account.permit().await.expect("nothing speaks against it");
                // The intent is stored.
                tokio::time::sleep(Duration::from_millis(5)).await;
                assert!(endpoint.send(permit, effect(), whole).await.result.is_ok());
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no caller panics");
    }
    // 640 calls of 50 ms, 32 at a time, take a second.
    let taken = started.elapsed();
    assert!(taken < Duration::from_millis(1_110), "{taken:?}: at least 90 % of what the account allows");
    assert_eq!(script.most_under_way.load(Ordering::SeqCst), 32);
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_is_said_at_once_and_known_without_asking() {
    let script = Script::new([], ok());
    let limits = AccountLimits { calls_a_day: 3, ..limits() };
    let (account, meter) = account(limits, &script);
    for _ in 0..3 {
        drop(account.permit().await.expect("three are left"));
    }
    assert_eq!(account.not_before(), None, "nobody was told yet");
    let not_now = account.permit().await.err().expect("none is left");
    assert_eq!(not_now.why, WhyNot::DayQuota);
    let first_renews = not_now.until - account.clock().now();
    assert!(first_renews > TimeDelta::hours(23) && first_renews <= TimeDelta::hours(24));
    assert_eq!(account.not_before(), Some(not_now));
    let asked = meter.asked.load(Ordering::SeqCst);
    assert_eq!(account.permit().await.err(), Some(not_now));
    assert_eq!(meter.asked.load(Ordering::SeqCst), asked, "the store is spared");
    tokio::time::advance(Duration::from_secs(24 * 3600)).await;
    assert!(account.permit().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn permits_that_are_not_sent_keep_places_only_within_patience() {
    let script = Script::new([], ok());
    let limits = AccountLimits { concurrency: 1, patience: Duration::from_secs(5), ..limits() };
    let (account, _) = account(limits, &script);
    let mut kept = Vec::new();
    for _ in 0..4 {
        kept.push(account.permit().await.expect("four places"));
    }
    let started = Instant::now();
    assert_eq!(account.permit().await.err().map(|not_now| not_now.why), Some(WhyNot::Busy));
    assert_eq!(started.elapsed().as_secs(), 5);
    kept.pop();
    assert!(account.permit().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_meter_that_fails_is_asked_again_within_patience() {
    let script = Script::new([], ok());
    let (account, meter) = account(AccountLimits { patience: Duration::from_secs(3), ..limits() }, &script);
    meter.fails.store(2, Ordering::SeqCst);
    assert!(account.permit().await.is_ok());
    meter.fails.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(account.permit().await.err().map(|not_now| not_now.why), Some(WhyNot::NotCounted));
}

#[tokio::test(start_paused = true)]
async fn retry_after_holds_the_whole_account_back() {
    let throttles = Does::answer(429, r#"{"message":"again in 11 seconds"}"#);
    let script = Script::new([throttles.clone().with_header("retry-after", "7"), ok(), throttles], ok());
    let (account, _) = account(limits(), &script);
    let endpoint = endpoint(&account);
    let permit = account.permit().await.expect("nothing speaks against it");
    let called = endpoint.send(permit, effect(), whole).await;
    let Err(CallError::NotNow(not_now)) = called.result else { panic!("{:?}", called.result) };
    assert_eq!(not_now.why, WhyNot::Throttled);
    assert_eq!(not_now.until - account.clock().now(), TimeDelta::seconds(7));
    assert_eq!(account.not_before(), Some(not_now));
    assert_eq!(script.seen().len(), 1, "an effect is sent once");

    let started = Instant::now();
    let permit = account.permit().await.expect("after the wait");
    assert_eq!(started.elapsed().as_secs(), 7);
    assert!(endpoint.send(permit, effect(), whole).await.result.is_ok());

    // A read waits by itself; the wait is the number in the message plus one.
    let started = Instant::now();
    assert!(endpoint.read("/Services", whole).await.result.is_ok());
    assert_eq!(started.elapsed().as_secs(), 12);
}

#[tokio::test(start_paused = true)]
async fn without_a_named_time_the_waits_grow() {
    let script = Script::new([], Does::answer(429, ""));
    let (account, _) = account(AccountLimits { patience: Duration::from_secs(60), ..limits() }, &script);
    let endpoint = endpoint(&account);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let permit = account.permit().await.expect("within patience");
        let called = endpoint.send(permit, effect(), whole).await;
        let Err(CallError::NotNow(not_now)) = called.result else { panic!("{:?}", called.result) };
        waits.push((not_now.until - account.clock().now()).num_milliseconds());
    }
    for (wait, longest) in waits.iter().zip([2_000, 4_000, 8_000, 16_000]) {
        assert!((longest / 2..=longest).contains(wait), "{waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_breaker_opens_tries_one_and_closes() {
    let fails = Does::Fails(Duration::from_millis(50), TransportFault::NotSent("no connection".to_owned()));
    let script = Script::new([], fails);
    let (account, _) = account(AccountLimits { patience: Duration::from_secs(10), ..limits() }, &script);
    let endpoint = endpoint(&account);
    for _ in 0..10 {
        let called = endpoint.read("/Services", whole).await;
        assert_eq!(called.result, Err(CallError::NotSent("no connection".to_owned())));
    }
    let prepared_before = script.seen().len();
    let not_now = account.permit().await.err().expect("it is open");
    assert_eq!(not_now.why, WhyNot::BreakerOpen);
    assert_eq!(account.not_before().map(|not_now| not_now.why), Some(WhyNot::BreakerOpen));
    assert_eq!(script.seen().len(), prepared_before);

    // Half open, one call at a time is tried; it fails, and the others are told.
    tokio::time::advance(Duration::from_secs(30)).await;
    script.rest(Does::answer(502, "<html>Bad Gateway</html>"));
    let results = read_five(&account, &endpoint).await;
    assert_eq!(script.seen().len(), prepared_before + 1);
    assert_eq!(results.get("not now"), Some(&5), "{results:?}");

    // The next one works: all get through.
    tokio::time::advance(Duration::from_secs(30)).await;
    script.rest(ok());
    let results = read_five(&account, &endpoint).await;
    assert_eq!(results.get("ok"), Some(&5), "{results:?}");
    assert_eq!(account.not_before(), None);
}

async fn read_five(account: &Account, endpoint: &Arc<Endpoint>) -> BTreeMap<&'static str, usize> {
    let callers: Vec<_> = (0..5)
        .map(|_| {
            let (account, endpoint) = (account.clone(), Arc::clone(endpoint));
            tokio::spawn(async move {
                assert_eq!(account.limits().concurrency, 32);
                match endpoint.read("/Services", whole).await.result {
                    Ok(_) => "ok",
                    Err(CallError::NotNow(_)) => "not now",
                    Err(_) => "failed",
                }
            })
        })
        .collect();
    let mut results = BTreeMap::new();
    for caller in callers {
        *results.entry(caller.await.expect("no caller panics")).or_default() += 1;
    }
    results
}

#[tokio::test(start_paused = true)]
async fn calls_prepared_before_the_breaker_opened_are_not_sent() {
    let script = Script::new([], Does::answer(500, "down"));
    let (account, _) = account(limits(), &script);
    let endpoint = endpoint(&account);
    let prepared = account.permit().await.expect("nothing speaks against it");
    for _ in 0..10 {
        let permit = account.permit().await.expect("it is closed yet");
        let called = endpoint.send(permit, effect(), whole).await;
        assert_eq!(called.result, Err(CallError::Ambiguous("answered 500: down".to_owned())));
    }
    let called = endpoint.send(prepared, effect(), whole).await;
    let Err(CallError::NotNow(not_now)) = called.result else { panic!("{:?}", called.result) };
    assert_eq!(not_now.why, WhyNot::BreakerOpen);
    assert_eq!(script.seen().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn refusals_and_throttling_leave_the_breaker_closed() {
    let script = Script::new([], Does::answer(422, "no"));
    let (account, _) = account(limits(), &script);
    let endpoint = endpoint(&account);
    let started = Instant::now();
    for index in 0..40 {
        if index == 20 {
            script.rest(Does::answer(429, "").with_header("retry-after", "0"));
        }
        let permit = account.permit().await.expect("it stays closed");
        assert!(endpoint.send(permit, effect(), whole).await.result.is_err());
    }
    assert_eq!(script.seen().len(), 40);
    assert!(started.elapsed() < Duration::from_secs(5), "nobody waited for the breaker: {:?}", started.elapsed());
}

/// Asked so often; says no from the second time on.
struct Once(AtomicUsize);

impl SendGuard for Once {
    fn may_send(&self) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst) == 0
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_sends_nothing() {
    let script = Script::new([], ok());
    let (account, _) = account(limits(), &script);
    let endpoint = endpoint(&account);
    let guard = Arc::new(Once(AtomicUsize::new(0)));
    for (sent, asked) in [(1, 1), (1, 2)] {
        let permit = account.permit().await.expect("nothing speaks against it").guarded_by(Arc::<Once>::clone(&guard));
        assert_eq!(guard.0.load(Ordering::SeqCst), asked - 1, "it is asked directly before the call");
        let called = endpoint.send(permit, effect(), whole).await;
        assert_eq!(called.result.is_ok(), asked == 1);
        if asked == 2 {
            assert_eq!(called.result, Err(CallError::LeaseLost));
            assert_eq!(called.exchange.response, "nothing was sent: the lease has run out");
        }
        assert_eq!((script.seen().len(), guard.0.load(Ordering::SeqCst)), (sent, asked));
    }
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_again_and_effects_are_not() {
    let transient = [
        Does::answer(408, "late"),
        Does::answer(500, ""),
        Does::answer(503, "busy").with_header("retry-after", "20"),
        Does::answer(429, "again in 3"),
        Does::Fails(Duration::from_millis(50), TransportFault::Cut("reset".to_owned())),
        Does::Silence,
        Does::answer(200, "not what was asked for"),
    ];
    for (index, does) in transient.into_iter().enumerate() {
        let asked_for = |answer: &Answer| if answer.body == b"{}" { Ok(()) } else { Err("not JSON".to_owned()) };
        let script = Script::new([does.clone()], ok());
        let (account, _) = account(limits(), &script);
        let endpoint = endpoint(&account);
        let started = Instant::now();
        assert_eq!(endpoint.read("/Services", asked_for).await.result, Ok(()), "case {index}");
        assert_eq!(script.seen().len(), 2, "case {index}");
        let waited = started.elapsed();
        let least = [0, 0, 20, 4, 0, 30, 0][index];
        assert!(waited.as_secs() >= least && waited.as_secs() < least + 2, "case {index}: {waited:?}");

        script.rest(does);
        let called = endpoint.read("/Services", asked_for).await;
        assert!(matches!(called.result, Err(CallError::Unavailable(_))), "case {index}: {:?}", called.result);
        assert_eq!(script.seen().len(), 5, "case {index}: three attempts");

        let permit = account.permit().await.expect("within patience");
        let called = endpoint.send(permit, effect(), asked_for).await;
        let expected = if index == 3 { "NotNow" } else { "Ambiguous" };
        assert!(format!("{:?}", called.result).contains(expected), "case {index}: {:?}", called.result);
        assert_eq!(script.seen().len(), 6, "case {index}");
    }
}

#[tokio::test(start_paused = true)]
async fn texts_for_the_log_hold_no_secret() {
    let script = Script::new([Does::answer(400, "<p>Basic topsecret\nis wrong</p>")], ok());
    let (account, _) = account(limits(), &script);
    let endpoint = endpoint(&account);
    let permit = account.permit().await.expect("nothing speaks against it");
    let called = endpoint.send(permit, effect(), whole).await;
    assert_eq!(called.result, Err(CallError::Rejected { status: 400, text: "Basic *** is wrong".to_owned() }));
    assert_eq!(called.exchange.request, "POST /v1/Services\n{\"number\":\"1\",\"key\":\"***\"}");
    assert_eq!(called.exchange.response, "400\n<p>Basic ***\\nis wrong</p>");
}

#[test]
fn an_account_is_measured_by_its_name() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let shown = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let script = Script::new([ok(), Does::answer(422, "no")], Does::answer(500, ""));
            let (account, _) = account(AccountLimits { attempts: 1, ..limits() }, &script);
            let endpoint = endpoint(&account);
            for expected in [true, false].into_iter().chain([false; 10]) {
                let permit = account.permit().await.expect("it is closed");
                assert_eq!(endpoint.send(permit, effect(), whole).await.result.is_ok(), expected);
            }
        });
    });
    let shown = shown.render();
    for line in [
        r#"lineshift_outside_calls_total{account="rev-1",result="done"} 1"#,
        r#"lineshift_outside_calls_total{account="rev-1",result="rejected"} 1"#,
        r#"lineshift_outside_calls_total{account="rev-1",result="ambiguous"} 10"#,
        r#"lineshift_outside_call_seconds_count{account="rev-1"} 12"#,
        r#"lineshift_account_breaker_open{account="rev-1"} 1"#,
        r#"lineshift_account_waiting{account="rev-1"} 0"#,
        r#"lineshift_account_places{account="rev-1"} 4"#,
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
}
