//! Calls of which nobody hears what they did, or hears something that nobody can read: each by itself (B5.5, B7.3, B9.1, B9.2).

use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{CarrierRatePlanOrder, Effect, EffectiveDate};
use lineshift_engine::{Boundary, Clock as _};
use lineshift_simulators::jasper::Fault;
use lineshift_testkit::billing_workers::{Doom, Fate, Manner, start_engine};
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, to_plan, to_status};
use lineshift_testkit::store::on_postgres;
use tokio::time::sleep;

use crate::situation::{ADD, ASSIGN, SET_PACKAGE, SET_SERVICES, Situation, calls};

/// It worked, and its caller hears nothing or nothing that can be read.
const WORKED: [Fault; 9] = [
    Fault::WorksThenSilence,
    Fault::WorksThenReset,
    Fault::WorksThenCut,
    Fault::Works500,
    Fault::Works504,
    Fault::WorksThenXml,
    Fault::WorksThenHtml,
    Fault::WorksThenEmpty,
    Fault::WorksThenUnreadable,
];

/// It did not work.
const FAILED: [Fault; 7] = [
    Fault::Silence,
    Fault::Reset,
    Fault::Fails500,
    Fault::Fails503,
    Fault::Throttled,
    Fault::ThrottledInWords,
    Fault::FailsInside,
];

async fn situation() -> Situation {
    situation_within(Limits::default()).await
}

async fn situation_within(limits: Limits) -> Situation {
    let late = Duration::from_secs(31)..=Duration::from_secs(90);
    let (jasper_late, pond_late) = (late.clone(), late);
    let world =
        CarrierWorld::with(3, limits, |options| options.late_after = jasper_late, |options| options.late_after = pond_late).await;
    Situation::of(world)
}

/// What works late has done so a minute after its call timed out.
async fn soon_settled() -> Situation {
    situation_within(Limits { settle_after_seconds: 120, ..Limits::default() }).await
}

/// One call at Jasper meets that fault; all lines stand in the end. Answers how often it was called.
async fn at_jasper(fault: Fault, effect: Effect) -> u64 {
    let mut situation = soon_settled().await;
    situation.world.jasper.meet_next_on(ASSIGN, fault);
    let id = situation.jasper(3, effect).await;
    assert_eq!(situation.finish(id).await, ["PROCESSED"; 3], "{fault:?}");
    situation.right().await;
    calls(&situation.at_jasper(), ASSIGN)
}

/// The same at POND.
async fn at_pond(call: &str, nth: usize, fault: Fault, effect: Effect) -> u64 {
    let mut situation = soon_settled().await;
    situation.world.set_pond_account(|account| account.concurrency = Some(1)).await;
    // The calls of that name before it go well: a search that lags by nothing.
    for _ in 1..nth {
        situation.world.pond.adjust(|options| options.fault_lag = Duration::ZERO).meet_next_on(call, Fault::SearchLags);
    }
    situation.world.pond.meet_next_on(call, fault);
    let id = situation.pond(3, effect).await;
    assert_eq!(situation.finish(id).await, ["PROCESSED"; 3], "{fault:?}");
    situation.right().await;
    calls(&situation.at_pond(), call)
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_jasper_that_took_effect_unheard_is_read_and_not_sent_again() {
    for fault in WORKED {
        // Whatever success Jasper gives is one: what stands in it says nothing more.
        assert_eq!(at_jasper(fault, to_plan(OTHER_PLAN)).await, 3, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_jasper_that_took_no_effect_is_sent_again() {
    for fault in FAILED {
        assert_eq!(at_jasper(fault, to_plan(OTHER_PLAN)).await, 4, "{fault:?}");
    }
    assert_eq!(at_jasper(Fault::WorksLate, to_plan(OTHER_PLAN)).await, 4, "sending it again is harmless");
}

#[tokio::test(start_paused = true)]
async fn a_status_of_jasper_is_what_is_read_back_whatever_became_of_the_call() {
    for fault in WORKED {
        assert_eq!(at_jasper(fault, to_status("DEACTIVATED")).await, 3, "{fault:?}");
    }
    for fault in FAILED {
        assert_eq!(at_jasper(fault, to_status("DEACTIVATED")).await, 4, "{fault:?}");
    }
    at_jasper(Fault::WorksLate, to_status("DEACTIVATED")).await;
}

#[tokio::test(start_paused = true)]
async fn a_jasper_that_throttles_by_a_success_is_waited_for() {
    for status in [200, 400, 429] {
        let mut situation = situation().await;
        situation.world.jasper.adjust(|options| options.throttled_status = status);
        for _ in 0..4 {
            situation.world.jasper.meet_next_on(ASSIGN, Fault::ThrottledInWords);
        }
        let id = situation.jasper(3, to_plan(OTHER_PLAN)).await;
        assert_eq!(situation.finish(id).await, ["PROCESSED"; 3], "{status}");
        assert_eq!(calls(&situation.at_jasper(), ASSIGN), 7, "{status}: waiting uses up no attempt");
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_package_that_was_added_unheard_is_found_and_not_added_again() {
    for fault in WORKED.into_iter().chain([Fault::WorksLate]) {
        assert_eq!(at_pond(ADD, 1, fault, to_plan(OTHER_PACKAGE_TYPE)).await, 3, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_package_that_was_not_added_is_added_once_that_is_certain() {
    for fault in FAILED {
        assert_eq!(at_pond(ADD, 1, fault, to_plan(OTHER_PACKAGE_TYPE)).await, 4, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn activating_and_terminating_unheard_is_seen_from_what_is_read() {
    // The first sets the new package active, the second ends the old one.
    for nth in [1, 2] {
        for fault in WORKED {
            // An answer without a body is what both calls have.
            assert_eq!(at_pond(SET_PACKAGE, nth, fault, to_plan(OTHER_PACKAGE_TYPE)).await, 6, "{nth} {fault:?}");
        }
        for fault in FAILED {
            assert_eq!(at_pond(SET_PACKAGE, nth, fault, to_plan(OTHER_PACKAGE_TYPE)).await, 7, "{nth} {fault:?}");
        }
        at_pond(SET_PACKAGE, nth, Fault::WorksLate, to_plan(OTHER_PACKAGE_TYPE)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_of_pond_is_what_is_read_back_whatever_became_of_the_call() {
    for fault in WORKED.into_iter().chain(FAILED).chain([Fault::WorksLate]) {
        at_pond(SET_SERVICES, 1, fault, to_status("Out-of-Service")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_package_that_lists_do_not_show_for_minutes_is_added_once() {
    let mut situation = situation().await;
    situation.world.pond.adjust(|options| options.settle_lag = Duration::from_secs(400));
    for _ in 0..3 {
        situation.world.pond.meet_next_on(ADD, Fault::WorksThenReset);
    }
    let id = situation.pond(3, to_plan(OTHER_PACKAGE_TYPE)).await;
    situation.work_for(60).await;
    assert!(situation.world.operator.outcomes(id).await.contains(&"outcome_unknown"), "it waits, and says for what");
    assert_eq!(situation.finish(id).await, ["PROCESSED"; 3]);
    assert_eq!(calls(&situation.at_pond(), ADD), 3);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_back_for_a_day_ends_unknown_holds_its_line_and_is_settled_by_a_retry() {
    // The store is asked every virtual second, which is slow where that costs a round trip: there a day is two hours long.
    let read_back_hours = if on_postgres() { 2 } else { 24 };
    let mut situation = situation_within(Limits { read_back_hours, ..Limits::default() }).await;
    situation.world.pond.meet_next_on(ADD, Fault::WorksThenSilence);
    let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
    let worker = situation.start("hears nothing");
    sleep(Duration::from_secs(10)).await;
    situation.world.pond.break_down(true);
    sleep(Duration::from_secs(30)).await;
    worker.abort();
    assert_eq!(situation.finish(id).await, ["outcome_unknown"]);
    assert!(situation.text(id).await.contains("settle"), "{}", situation.text(id).await);
    let other = situation.pond(1, to_status("Out-of-Service")).await;
    assert_eq!(situation.finish(other).await, ["outcome_unknown"], "the line is held");
    situation.world.pond.break_down(false);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(situation.retry(id).await, ["PROCESSED"]);
    assert_eq!(calls(&situation.at_pond(), ADD), 1);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_lost_between_intent_and_sending_sends_nothing() {
    for at_pond in [false, true] {
        let mut situation = situation().await;
        let id = if at_pond {
            situation.pond(3, to_plan(OTHER_PACKAGE_TYPE)).await
        } else {
            situation.jasper(3, to_plan(OTHER_PLAN)).await
        };
        let doom = Doom { at: Boundary::Intended, nth: 1, fate: Fate::Freezes(Duration::from_secs(900)) };
        let (engine, store) = (situation.world.another_engine(), situation.world.operator.stored.clone());
        let frozen = start_engine(engine, store, "frozen".to_owned(), Manner::InTurn, Some(doom));
        sleep(Duration::from_secs(1)).await;
        let sent = |situation: &Situation| (calls(&situation.at_jasper(), ASSIGN), calls(&situation.at_pond(), ADD));
        let before = sent(&situation);
        assert_eq!(situation.finish(id).await, ["PROCESSED"; 3]);
        sleep(Duration::from_secs(900)).await;
        frozen.abort();
        assert_eq!(before, (0, 0));
        assert_eq!(sent(&situation), if at_pond { (0, 3) } else { (3, 0) });
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dated_call_that_was_refused_when_it_was_sent_again_is_for_a_person_and_a_retry_sends_it() {
    let mut situation = situation().await;
    situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksThenSilence);
    let at = situation.world.operator.clock.now() + TimeDelta::days(10);
    let plan = CarrierRatePlanOrder {
        carrier_rate_plan: Some(OTHER_PLAN.to_owned()),
        effective_date: Some(EffectiveDate::Instant(at)),
        ..CarrierRatePlanOrder::default()
    };
    let id = situation.jasper(1, Effect::CarrierRatePlanChange(plan)).await;
    let worker = situation.start("hears nothing");
    sleep(Duration::from_secs(10)).await;
    situation.world.refuse_next("/devices/", "");
    sleep(Duration::from_secs(40)).await;
    worker.abort();
    assert_eq!(situation.finish(id).await, ["outcome_unknown"], "{}", situation.text(id).await);
    let held = "SELECT count(*) FROM device_change WHERE holds <> 0";
    assert_eq!(situation.world.operator.count(held).await, 1, "no other order comes in between");
    assert_eq!(situation.retry(id).await, ["PROCESSED"]);
    assert_eq!(calls(&situation.at_jasper(), ASSIGN), 2, "beside the one that was refused");
}
