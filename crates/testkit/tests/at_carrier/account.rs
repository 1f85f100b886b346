//! Lines whose account cannot be called: credentials refused, writes disabled, a quota used up, a change canceled (B5.3, B7.4, B10.1).

use std::time::Duration;

use lineshift_domain::codes::ErrorKind;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Effect;
use lineshift_simulators::jasper::Fault;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, to_plan, to_status};
use tokio::time::sleep;

use crate::situation::{ADD, ASSIGN, SET_PACKAGE, Situation, calls};

const LINES: u64 = 6;

/// Calls take a second, one after the other.
async fn slowly(limits: Limits) -> Situation {
    let world = CarrierWorld::with(
        LINES,
        limits,
        |options| options.latency = Duration::from_secs(1),
        |options| options.latency = Duration::from_secs(1),
    )
    .await;
    world.set_pond_account(|account| account.concurrency = Some(1)).await;
    Situation::of(world)
}

/// How many rows ended so.
async fn count(situation: &Situation, id: lineshift_domain::ids::BulkChangeId, code: &str) -> usize {
    situation.world.operator.outcomes(id).await.iter().filter(|outcome| **outcome == code).count()
}

#[tokio::test(start_paused = true)]
async fn credentials_refused_half_way_end_every_open_row_and_a_retry_with_working_ones_finishes() {
    for at_pond in [false, true] {
        let mut situation = slowly(Limits::default()).await;
        let id = if at_pond {
            situation.pond(LINES, to_plan(OTHER_PACKAGE_TYPE)).await
        } else {
            situation.jasper(LINES, to_plan(OTHER_PLAN)).await
        };
        let worker = situation.start("worker");
        sleep(Duration::from_millis(if at_pond { 8_500 } else { 3_500 })).await;
        situation.world.jasper.refuse_credentials(true);
        situation.world.pond.refuse_credentials(true);
        sleep(Duration::from_secs(60)).await;
        worker.abort();
        let refused = count(&situation, id, "credentials_refused").await;
        let done = count(&situation, id, "PROCESSED").await;
        assert!(refused > 0 && done > 0 && refused + done == 6, "{}", situation.world.operator.shown_rows(id).await);
        let rows = situation.world.operator.rows(id).await;
        let row = rows.iter().find(|row| row.error_code.is_some()).expect("one was refused");
        assert_eq!(row.error_kind, Some(ErrorKind::Integration));
        assert!(row.status_details.as_deref().unwrap_or_default().contains("store working ones, then retry"), "{row:?}");
        // Nobody calls while the credentials are known not to work.
        let before = (situation.at_jasper().calls, situation.at_pond().calls);
        assert_eq!(situation.retry(id).await.len(), 6);
        assert_eq!((situation.at_jasper().calls, situation.at_pond().calls), before);
        situation.world.jasper.refuse_credentials(false);
        situation.world.pond.refuse_credentials(false);
        situation.world.set_jasper_account(|_| {}).await;
        situation.world.set_pond_account(|_| {}).await;
        assert_eq!(situation.retry(id).await, ["PROCESSED"; 6]);
        let made = (calls(&situation.at_jasper(), ASSIGN), calls(&situation.at_pond(), ADD));
        let refused = u64::from(!at_pond);
        assert!(if at_pond { made == (0, 6) || made == (0, 7) } else { made.0 <= 6 + refused && made.1 == 0 }, "{made:?}");
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn writes_that_are_disabled_half_way_end_what_would_call() {
    for of_provider in [false, true] {
        let mut situation = slowly(Limits { page_lines: 1, ..Limits::default() }).await;
        situation.world.jasper.adjust(|options| options.latency = Duration::from_secs(20));
        let id = situation.jasper(LINES, to_plan(OTHER_PLAN)).await;
        let worker = situation.start("worker");
        sleep(Duration::from_secs(30)).await;
        set_writes(&situation.world, of_provider, false).await;
        sleep(Duration::from_secs(200)).await;
        worker.abort();
        let (refused, done) = (count(&situation, id, "writes_disabled").await, count(&situation, id, "PROCESSED").await);
        assert!(refused > 0 && done > 0 && refused + done == 6, "{}", situation.world.operator.shown_rows(id).await);
        set_writes(&situation.world, of_provider, true).await;
        assert_eq!(situation.retry(id).await, ["PROCESSED"; 6]);
        assert_eq!(calls(&situation.at_jasper(), ASSIGN), 6);
        situation.right().await;
    }
}

async fn set_writes(world: &CarrierWorld, of_provider: bool, enabled: bool) {
    if !of_provider {
        return world.set_jasper_account(|account| account.write_enabled = enabled).await;
    }
    let (operator, tenant) = (&world.operator, world.operator.tenant());
    let present = operator.store.get_service_provider(tenant, operator.jasper).await.expect("the provider");
    let changed = lineshift_store::catalogue::ServiceProvider { write_enabled: enabled, ..present };
    operator
        .store
        .update_service_provider(tenant, &changed, lineshift_engine::Clock::now(&*operator.clock))
        .await
        .expect("changed");
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_used_up_lets_lines_wait_until_it_renews() {
    let mut situation = Situation::of(CarrierWorld::with_lines(LINES).await);
    situation.world.set_jasper_account(|account| account.calls_a_day = Some(4)).await;
    situation.world.set_pond_account(|account| account.calls_a_day = Some(16)).await;
    let plans = situation.jasper(LINES, to_plan(OTHER_PLAN)).await;
    let packages = situation.pond(LINES, to_plan(OTHER_PACKAGE_TYPE)).await;
    situation.work_for(60).await;
    for id in [plans, packages] {
        assert!(count(&situation, id, "quota_exhausted").await > 0, "{}", situation.world.operator.shown_rows(id).await);
        assert_eq!(count(&situation, id, "quota_exhausted").await + count(&situation, id, "PROCESSED").await, 6);
    }
    let used = (situation.at_jasper().calls, situation.at_pond().calls);
    for _ in 0..3 {
        situation.work_for(3_600).await;
    }
    assert_eq!((situation.at_jasper().calls, situation.at_pond().calls), used, "another process gets no more of the day");
    let (engine, store) = (situation.world.another_engine(), situation.world.operator.stored.clone());
    let worker = lineshift_testkit::billing_workers::start_engine(
        engine,
        store,
        "for days".to_owned(),
        lineshift_testkit::billing_workers::Manner::InTurn,
        None,
    );
    sleep(Duration::from_secs(8 * 86_400)).await;
    worker.abort();
    for id in [plans, packages] {
        assert_eq!(situation.world.operator.outcomes(id).await, ["PROCESSED"; 6]);
    }
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn canceling_half_way_ends_what_was_not_sent_and_carries_the_rest_to_its_end() {
    let mut situation = slowly(Limits::default()).await;
    let id = situation.pond(LINES, to_plan(OTHER_PACKAGE_TYPE)).await;
    situation.work_for(9).await;
    let operator = &situation.world.operator;
    operator.engine.cancel(&operator.caller, id).await.expect("it is open");
    situation.finish(id).await;
    let (done, canceled) = (count(&situation, id, "PROCESSED").await, count(&situation, id, "CANCELED").await);
    assert!(done > 0 && canceled > 0 && done + canceled == 6, "{}", situation.world.operator.shown_rows(id).await);
    assert_eq!(calls(&situation.at_pond(), ADD), done as u64);
    assert_eq!(calls(&situation.at_pond(), SET_PACKAGE), 2 * done as u64);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn canceling_while_an_outcome_is_unknown_reads_it_back_first() {
    let mut situation = Situation::of(CarrierWorld::with_lines(2).await);
    situation.world.pond.adjust(|options| options.settle_lag = Duration::from_secs(200));
    situation.world.pond.meet_next_on(ADD, Fault::WorksThenReset);
    situation
        .world
        .set_pond_account(|account| {
            account.concurrency = Some(1);
            account.calls_a_day = Some(6);
        })
        .await;
    let id = situation.pond(2, to_plan(OTHER_PACKAGE_TYPE)).await;
    situation.work_for(10).await;
    let operator = &situation.world.operator;
    operator.engine.cancel(&operator.caller, id).await.expect("it is open");
    situation.world.set_pond_account(|_| {}).await;
    situation.finish(id).await;
    let outcomes = situation.world.operator.outcomes(id).await;
    assert_eq!(outcomes, ["PROCESSED", "CANCELED"]);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_line_or_a_plan_that_is_gone_at_the_carrier_says_so() {
    let mut situation = Situation::of(CarrierWorld::with_lines(2).await);
    situation.world.jasper.remove_device(&lineshift_testkit::operator::iccid(1));
    situation.world.pond.remove_sim(&situation.sim(1));
    for (id, text) in [
        (situation.jasper(2, to_plan(OTHER_PLAN)).await, "20000001"),
        (situation.pond(2, to_plan(OTHER_PACKAGE_TYPE)).await, "has no line with the ICCID"),
    ] {
        let outcomes = situation.finish(id).await;
        assert!(matches!(outcomes[0], "carrier_line_unknown" | "carrier_refused"), "{outcomes:?}");
        assert_eq!(outcomes[1], "PROCESSED");
        assert!(situation.text(id).await.contains(text), "{}", situation.text(id).await);
    }
    let status = situation.jasper(2, to_status("DEACTIVATED")).await;
    assert_eq!(situation.finish(status).await[1], "PROCESSED");
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_removed_at_the_carrier_meanwhile_is_refused_and_leaves_the_line_as_it_was() {
    let mut situation = Situation::of(CarrierWorld::with_lines(2).await);
    situation.world.jasper.remove_rate_plan(OTHER_PLAN);
    situation.world.pond.remove_package_type(OTHER_PACKAGE_TYPE);
    let plans: Effect = to_plan(OTHER_PLAN);
    for (id, text) in [
        (situation.jasper(2, plans).await, "10000013"),
        (situation.pond(2, to_plan(OTHER_PACKAGE_TYPE)).await, "PACKAGE_TYPE_NOT_FOUND"),
    ] {
        assert_eq!(situation.finish(id).await, ["carrier_refused"; 2]);
        assert!(situation.text(id).await.contains(text), "{}", situation.text(id).await);
    }
    situation.right().await;
    situation.world.jasper.with_rate_plan(OTHER_PLAN);
    situation.world.pond.with_package_type("main", OTHER_PACKAGE_TYPE, "Tracker");
    for id in situation.ordered.changes.iter().map(|(id, _)| *id) {
        assert_eq!(situation.retry(id).await, ["PROCESSED"; 2]);
    }
    situation.right().await;
}
