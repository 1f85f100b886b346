//! What one process announces, another hears: with the commit, and again after its connection was lost.

use std::time::Duration;

use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_store::Store as _;
use lineshift_store::signals::{Signal, Signals};
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_postgres::{Options, PostgresStore, connect};
use lineshift_store_sql::{Engine as _, Hint, Scope};
use tokio::time::timeout;

const TENANT: TenantId = TenantId(7);

async fn next(signals: &mut Box<dyn Signals>) -> Signal {
    timeout(Duration::from_secs(20), signals.next()).await.expect("a hint comes")
}

async fn announce(store: &PostgresStore, hint: Hint) {
    store.write(TENANT, move |sql| sql.hint(hint)).await.expect("announced");
}

#[tokio::test]
async fn hints_come_with_the_commit_to_every_process() {
    let database = TestDatabase::new().await;
    let (here, there) = (database.store(Options::default()).await, database.store(Options::default()).await);
    let mut signals = there.signals().expect("it listens");
    let mut own = here.signals().expect("it listens");
    assert_eq!((next(&mut signals).await, next(&mut own).await), (Signal::Heard, Signal::Heard));
    let undone = here.write(TENANT, |sql| {
        sql.hint(Hint::Queue(TENANT))?;
        Err::<(), _>(lineshift_store::StoreError::internal("undone"))
    });
    undone.await.expect_err("it is undone");
    announce(&here, Hint::Work(TENANT)).await;
    announce(&here, Hint::Changed(TENANT, BulkChangeId(12))).await;
    announce(&here, Hint::Queue(TENANT)).await;
    for heard in [&mut signals, &mut own] {
        assert_eq!(next(heard).await, Signal::Work, "what was undone is not announced");
        assert_eq!(next(heard).await, Signal::Changed(TENANT, BulkChangeId(12)));
        assert_eq!(next(heard).await, Signal::Queue);
    }
}

#[tokio::test]
async fn a_lost_connection_is_told_and_made_anew() {
    let database = TestDatabase::new().await;
    let store = database.store(Options::default()).await;
    let mut signals = store.signals().expect("it listens");
    assert_eq!(next(&mut signals).await, Signal::Heard);
    let options = Options { trust_role: true, ..Options::default() };
    let superuser = connect(&database.superuser_url(), options).await.expect("the superuser's store");
    let ended = superuser.read(Scope::Across, |sql| {
        let listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        sql.query(listening, &[], |_| Ok(()))
    });
    assert_eq!(ended.await.expect("ended").len(), 1);
    assert_eq!(next(&mut signals).await, Signal::Deaf);
    assert_eq!(next(&mut signals).await, Signal::Heard);
    announce(&store, Hint::Work(TENANT)).await;
    assert_eq!(next(&mut signals).await, Signal::Work);
}
