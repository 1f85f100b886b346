//! A real process that is killed at each of its statements, or frozen past its lease, while another works (B5.1, B5.4).

use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use lineshift_domain::ids::PrincipalId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, Effect, Order, PlanValues, Setting};
use lineshift_engine::{Clock, Engine, WorkerOptions};
use lineshift_store::StoreError;
use lineshift_store::work::RunnableChange;
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_sqlite::Options;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::crash::{
    Child, Ended, Running, arm, block_on, check_invariants, child, freeze, reopen_nth, say, say_statements, settle, strike,
};
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use lineshift_testkit::store::TestStore;

const LINES: u64 = 4;

/// Pages of two lines.
fn limits() -> Limits {
    Limits { page_lines: 2, ..Limits::default() }
}

fn assignment_with_plan(operator: &Operator) -> Order {
    let values = PlanValues { plan: Setting::Set(operator.plan), ..PlanValues::default() };
    let order =
        AssignmentOrder { site_id: Some(operator.amop_site), customer_rate_plan: Some(values), ..AssignmentOrder::default() };
    operator.order((1..=LINES).map(iccid), Effect::CustomerAssignment(order))
}

/// A database in which a change of two pages waits.
async fn ordered() -> Arc<TestDatabase> {
    let stored = TestStore::in_database(TestDatabase::new().await, Options::default()).await;
    let operator = Operator::in_store(Arc::new(TestClock::at(BEGINNING)), LINES, limits(), stored).await;
    operator.submit(assignment_with_plan(&operator)).await;
    let TestStore::Postgres(_, database) = operator.stored else { unreachable!("it was made in a database") };
    database
}

/// The operator in this process.
async fn operator_in(database: TestDatabase) -> Operator {
    let stored = TestStore::in_database(database, Options::default()).await;
    let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
    reopen_nth(0, Arc::new(TestClock::at(BEGINNING)), stored, directory, limits()).await
}

/// The engine of a child, at the beginning of all.
async fn engine_of(child: &Child) -> Engine {
    let options = lineshift_store_postgres::Options { before_write: Some(strike), ..Default::default() };
    let url = child.store.to_str().expect("a URL is text");
    let store = lineshift_store_postgres::connect(url, options).await.expect("the store opens");
    Engine::new(Arc::new(store), Arc::new(TestClock::at(BEGINNING)) as Arc<dyn Clock>, limits())
}

/// Works beside the other until nothing is left that it may take.
async fn work(operator: &Operator) {
    operator.engine.run_pages_until_idle(&WorkerOptions { owner: "beside".to_owned() }).await.expect("pages run");
}

/// What must stand in the end, whatever became of the other.
async fn everything_was_done_once(operator: &Operator) {
    operator.clock.advance(TimeDelta::minutes(1));
    settle(operator).await;
    check_invariants(&operator.stored).await;
    let lines =
        operator.count("SELECT count(*) FROM device_tenant WHERE version = 3 AND customer_rate_plan_id IS NOT NULL").await;
    assert_eq!(lines, i64::try_from(LINES).expect("few"));
    assert_eq!(operator.count("SELECT count(*) FROM device_action_history").await, 2 * i64::try_from(LINES).expect("few"));
}

#[test]
fn a_process_killed_at_each_statement_while_another_works() {
    const TEST: &str = "processes::a_process_killed_at_each_statement_while_another_works";
    if let Some(child) = child() {
        arm(child.kill_at);
        return block_on(async {
            let engine = engine_of(&child).await;
            engine.run_pages_until_idle(&WorkerOptions { owner: "killed".to_owned() }).await.expect("pages run");
            say_statements();
        });
    }
    block_on(async {
        let template = ordered().await;
        let mut kill_at = 1;
        loop {
            let operator = operator_in(template.copy().await).await;
            let database = operator.stored.database().expect("it is PostgreSQL");
            let running = Running::spawn(TEST, kill_at, "", Path::new(&database.app_url_of("killed")));
            // The other goes on at every second of its statements; at the rest it comes after.
            if kill_at % 2 == 0 {
                work(&operator).await;
            }
            let ended = running.wait();
            // The database may not have heard yet that nobody is there any more; what is locked until then is passed over.
            database.cut_off("application_name = 'killed'").await;
            everything_was_done_once(&operator).await;
            match ended {
                Ended::Killed => kill_at += 1,
                // Alone it sends so many, and had none left to die at.
                Ended::Done { .. } if kill_at % 2 == 1 => break,
                // The other was faster.
                Ended::Done { .. } => kill_at += 1,
            }
        }
        assert!(kill_at > 20, "it was killed at {kill_at} statements only");
    });
}

#[test]
fn a_process_frozen_past_its_lease_changes_nothing_when_it_goes_on() {
    const TEST: &str = "processes::a_process_frozen_past_its_lease_changes_nothing_when_it_goes_on";
    if let Some(child) = child() {
        return block_on(async {
            let engine = engine_of(&child).await;
            let (store, now) = (Arc::clone(engine.store()), engine.clock().now());
            let tenant = store.list_tenants().await.expect("asked")[0].id;
            let waiting = store.list_bulk_changes(tenant, PrincipalId(0), None, 1).await.expect("asked").items.remove(0);
            let change = RunnableChange { tenant_id: tenant, bulk_change_id: waiting.id };
            let claim = store.claim_page(change, "frozen", now + limits().lease(), now).await.expect("asked").expect("a page");
            freeze();
            match engine.run_page(&claim).await {
                Err(StoreError::LeaseLost { .. }) => say("lost"),
                other => say(&format!("went on: {other:?}")),
            }
            say_statements();
        });
    }
    block_on(async {
        let operator = operator_in(ordered().await.copy().await).await;
        let database = operator.stored.database().expect("it is PostgreSQL");
        let mut running = Running::spawn(TEST, 0, "", Path::new(&database.app_url()));
        running.wait_until_frozen();
        work(&operator).await;
        let open = operator.count("SELECT count(*) FROM device_change WHERE status = 'NEW'").await;
        assert_eq!(open, 2, "the page in other hands is left alone while its lease runs");
        everything_was_done_once(&operator).await;
        running.thaw();
        let Ended::Done { said, .. } = running.wait() else { panic!("nobody killed it") };
        assert!(said.contains(&"lost".to_owned()), "{said:?}");
        everything_was_done_once(&operator).await;
    });
}
