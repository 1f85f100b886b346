//! What may come between: kills, faults, limits, other processes, other tenants, refused credentials.

use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::sync::SyncState;
use lineshift_engine::{EngineError, SyncOrder, shutdown};
use lineshift_simulators::revio::Faults;
use lineshift_store::StoreError;
use lineshift_store::sync::{SyncCounts, SyncRun};
use lineshift_testkit::billing::{BillingWorld, PASSWORD};

use crate::world::{SERVICES, begin, bill, billed, column, look, sync, work};

/// A world with more services than a list shows on two pages, some of them gone since they were read.
async fn large(adjust: impl FnOnce(&mut lineshift_simulators::revio::RevioOptions)) -> BillingWorld {
    let world = BillingWorld::with(1_200, Limits::default(), adjust).await;
    let all: Vec<(i64, i64)> = (1..=1_200).map(|line| billed(&world, line)).collect();
    let faults = std::cell::Cell::new(Duration::ZERO);
    world.simulator.adjust(|options| faults.set(std::mem::take(&mut options.latency)));
    assert_eq!(sync(&world, SyncOrder::ALL).await.counts.new, 2_401);
    world.simulator.adjust(|options| options.latency = faults.get());
    for (service, product) in &all[..7] {
        world.simulator.remove_service(*service).remove_service_product(*product);
    }
    for (_, product) in &all[100..105] {
        world.simulator.remove_service_product(*product);
    }
    world
}

/// What a run over such a world comes to: customers, services and products that are there; what is gone; nobody has a line.
const EXPECTED: SyncCounts = SyncCounts {
    read: 2 + 1_193 + 1_188,
    new: 0,
    changed: 0,
    unchanged: 2 + 1_193 + 1_188,
    left_out: 0,
    gone: 7 + 5,
    billed_not_assigned: 1_188,
    assigned_not_billed: 0,
    used: 0,
};

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_at_every_page_comes_to_the_same() {
    let world = large(|options| options.latency = Duration::from_secs(1)).await;
    let id = begin(&world, SyncOrder::ALL).await;
    let (mut kills, mut stood) = (0, look(&world, id).await);
    let mut after = Duration::from_millis(1_500);
    while stood.state == SyncState::Running {
        // Killed in the middle of the call after the first that was answered: behind every page once. What takes several calls at a
        // time between two writes is given longer.
        let engine = world.another_engine();
        let killed = tokio::spawn(async move { engine.run_due_syncs().await });
        tokio::time::sleep(after).await;
        killed.abort();
        drop(killed.await);
        kills += 1;
        let stands = look(&world, id).await;
        let place = |run: &SyncRun| (run.phase, run.page, run.after);
        after = if place(&stood) == place(&stands) { after + Duration::from_secs(1) } else { Duration::from_millis(1_500) };
        stood = stands;
        assert_eq!(world.another_engine().run_due_syncs().await.expect("nothing is due"), 0, "its lease runs on");
        tokio::time::sleep(Duration::from_secs(31)).await;
    }
    let run = look(&world, id).await;
    assert_eq!((run.state, run.counts), (SyncState::Done, EXPECTED));
    assert!(kills >= 7, "a page of customers, three of services, three of products: {kills}");
}

#[tokio::test(start_paused = true)]
async fn faults_change_nothing_of_what_a_run_comes_to() {
    for seed in 1..=8 {
        let world = large(|options| options.seed = seed).await;
        world.simulator.adjust(|options| options.faults = Faults::all(0.2));
        let id = begin(&world, SyncOrder::ALL).await;
        let run = work(&world, &world.operator.engine, id).await;
        println!("seed {seed}: {:?} {:?}, {:?}", run.state, run.counts, world.simulator.ledger().summary().faults);
        assert_eq!((run.state, run.counts), (SyncState::Done, EXPECTED), "seed {seed}: {:?}", run.note);
        assert_eq!(world.simulator.ledger().summary().wrong_requests, 0, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_in_the_store_while_its_account_allows_no_call() {
    let world = large(|_| {}).await;
    world.set_account(PASSWORD, |settings| settings.calls_a_minute = Some(2)).await;
    let id = begin(&world, SyncOrder::ALL).await;
    world.operator.engine.run_due_syncs().await.expect("it waits");
    let waiting = look(&world, id).await;
    assert_eq!((waiting.state, waiting.failures), (SyncState::Running, 0));
    assert!(waiting.note.as_deref().is_some_and(|note| note.contains("of this minute are used up")), "{:?}", waiting.note);
    assert!(waiting.due_at > lineshift_engine::Clock::now(&*world.operator.clock) + TimeDelta::seconds(15));
    let run = work(&world, &world.operator.engine, id).await;
    assert_eq!((run.state, run.counts), (SyncState::Done, EXPECTED));
}

#[tokio::test(start_paused = true)]
async fn two_processes_read_each_page_once() {
    let world = large(|options| options.latency = Duration::from_millis(300)).await;
    let before = world.simulator.ledger().summary().calls;
    let id = begin(&world, SyncOrder::ALL).await;
    let (stop, stopped) = shutdown();
    let schedulers: Vec<_> = (0..2)
        .map(|_| {
            let (engine, stopped) = (world.another_engine(), stopped.clone());
            tokio::spawn(async move { engine.run_scheduler(stopped).await })
        })
        .collect();
    while look(&world, id).await.state == SyncState::Running {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stop.stop();
    for scheduler in schedulers {
        scheduler.await.expect("no scheduler panics");
    }
    assert_eq!(look(&world, id).await.counts, EXPECTED);
    let after = world.simulator.ledger().summary().calls;
    let made = |name: &str| after.get(name).unwrap_or(&0) - before.get(name).unwrap_or(&0);
    // Lists of customers, services and products; each service that is gone; the products of five services.
    assert_eq!((made("GET /Customers"), made("GET /Services"), made("GET /ServiceProduct")), (1, 3, 3 + 5));
    assert_eq!(made("GET /Services/{service_id}"), 7);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_gives_its_run_back() {
    let world = large(|options| options.latency = Duration::from_secs(20)).await;
    let id = begin(&world, SyncOrder::ALL).await;
    let (stop, stopped) = shutdown();
    let engine = world.another_engine();
    let scheduler = tokio::spawn(async move { engine.run_scheduler(stopped).await });
    tokio::time::sleep(Duration::from_secs(50)).await;
    stop.stop();
    scheduler.await.expect("it stops");
    let run = look(&world, id).await;
    assert_eq!((run.state, run.page), (SyncState::Running, 2), "two pages were read, the third was given up");
    assert!(run.due_at <= lineshift_engine::Clock::now(&*world.operator.clock), "anybody may take it up at once");
    assert_eq!(work(&world, &world.another_engine(), id).await.counts, EXPECTED);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_another_tenant_is_seen_or_touched() {
    let world = BillingWorld::with_lines(5).await;
    let other = world.operator.beside("Another operator", 5).await;
    bill(&world, 1..=5);
    let run = sync(&world, SERVICES).await;
    assert_eq!(run.counts.new, 10);
    let theirs = format!("SELECT count(*) FROM rev_service WHERE tenant_id = {}", other.tenant());
    assert_eq!(column(&world, &theirs).await, ["0"]);
    let store = &world.operator.store;
    assert!(matches!(store.get_sync_run(other.tenant(), run.id).await, Err(StoreError::NotFound { .. })));
    let findings = store.list_sync_findings(other.tenant(), run.id, None, None, 10).await;
    assert!(matches!(findings, Err(StoreError::NotFound { .. })));
    assert_eq!(store.list_sync_runs(other.tenant(), None, 10).await.expect("a list").items, vec![]);
    let begun = other.engine.begin_sync(&other.caller, world.operator.authentication, SERVICES).await;
    assert!(matches!(begun, Err(EngineError::Store(StoreError::NotFound { .. }))), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_end_a_run_and_are_noted() {
    let world = BillingWorld::with_lines(1).await;
    world.simulator.refuse_credentials(true);
    let id = begin(&world, SERVICES).await;
    let run = work(&world, &world.operator.engine, id).await;
    assert_eq!(run.state, SyncState::Failed);
    assert!(run.note.as_deref().is_some_and(|note| note.contains("credentials were refused with 401")), "{:?}", run.note);
    let account = world.operator.store.get_account(world.operator.tenant(), world.operator.authentication).await.expect("there");
    assert!(account.refused_at.is_some());
    world.simulator.refuse_credentials(false);
    assert_eq!(sync(&world, SERVICES).await.state, SyncState::Done, "another run may begin");
}

#[tokio::test(start_paused = true)]
async fn a_billing_system_that_stays_away_is_given_up() {
    let world = BillingWorld::with_lines(1).await;
    world.simulator.break_down(true);
    let id = begin(&world, SERVICES).await;
    let run = work(&world, &world.operator.engine, id).await;
    assert_eq!((run.state, run.counts), (SyncState::Failed, SyncCounts::default()));
    assert!(run.note.as_deref().is_some_and(|note| note.starts_with("it failed 10 times in a row")), "{:?}", run.note);
}

#[tokio::test(start_paused = true)]
async fn runs_begin_by_themselves_and_never_two_at_once() {
    let world = BillingWorld::with_lines(1).await;
    let engine = world.another_engine().syncing_every(TimeDelta::hours(6));
    assert_eq!(engine.begin_scheduled_syncs().await.expect("begun"), 1);
    assert_eq!(world.another_engine().begin_scheduled_syncs().await.expect("off by default"), 0);
    let operator = &world.operator;
    let second = operator.engine.begin_sync(&operator.caller, operator.authentication, SERVICES).await;
    assert!(matches!(&second, Err(EngineError::Refused(refusal)) if refusal.problems[0].code == "sync_running"), "{second:?}");
    engine.run_due_syncs().await.expect("it runs");
    tokio::time::sleep(Duration::from_secs(5 * 3_600)).await;
    assert_eq!(engine.begin_scheduled_syncs().await.expect("not due"), 0);
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert_eq!(engine.begin_scheduled_syncs().await.expect("due"), 1);
    let runs = operator.store.list_sync_runs(operator.tenant(), None, 10).await.expect("a list").items;
    assert_eq!(runs.iter().map(|run| run.ordered_by.as_str()).collect::<Vec<_>>(), ["schedule", "schedule"]);
}
