//! Connections are few, and others wait for each that is held.

use std::sync::Arc;

use lineshift_domain::limits::Limits;
use lineshift_engine::{Clock, Engine, WorkerOptions};
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use lineshift_testkit::store::TestStore;

/// Were all connections those of open pages, and did each wait for one more, none would go on.
#[tokio::test]
async fn a_page_needs_no_connection_beside_its_own() {
    let database = Arc::new(TestDatabase::new().await);
    let stored = TestStore::process(&database, "one", 1).await.expect("it connects");
    let clock = Arc::new(TestClock::going_from(BEGINNING));
    let operator = Operator::in_store(Arc::clone(&clock), 4, Limits::default(), stored).await;
    let id = operator.submit(operator.order((1..=4).map(iccid), operator.amop_assignment())).await.id;
    // A process that has only just begun has read nothing yet.
    let engine = Engine::new(Arc::clone(&operator.store), clock as Arc<dyn Clock>, Limits::default());
    engine.run_pages_until_idle(&WorkerOptions { owner: "one".to_owned() }).await.expect("the pages run");
    assert_eq!(operator.change(id).await.counts.processed, 4);
}
