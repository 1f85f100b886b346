//! What happens at the same moment: processes that ask for an account's calls and places, of which what one is given no other is
//! given, too (B7.4); callbacks; and changes of what people may do.

mod callbacks;
mod people;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};
use lineshift_domain::places::PlacesAsked;
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::access::AccessStore as _;
use lineshift_store::billing::{BillingStore as _, CallWindows};
use lineshift_store::catalogue::{CatalogueStore as _, IntegrationAuthentication};
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_postgres::{Options, PostgresStore};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const CONCURRENCY: u32 = 5;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
}

/// A database with an account, and two processes' stores in it.
async fn account(database: &TestDatabase) -> ([PostgresStore; 2], TenantId, IntegrationAuthenticationId) {
    let stores = [database.store(Options::default()).await, database.store(Options::default()).await];
    let tenant = stores[0].create_tenant("Acme", chrono_tz::UTC, start()).await.expect("a tenant");
    let account = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: "Rev.io".to_owned(),
        integration_kind: IntegrationKind::REV_IO,
        is_active: true,
    };
    let id = stores[0].create_integration_authentication(tenant, &account, start()).await.expect("an account");
    (stores, tenant, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_are_never_given_twice() {
    let database = TestDatabase::new().await;
    let (stores, tenant, account) = account(&database).await;
    // What each holder surely has: what it was given last, less what it gives up with its next asking.
    let held = Arc::new(Mutex::new(BTreeMap::<u32, u32>::new()));
    // All ask in every round: none is done before another has begun.
    let together = Arc::new(Barrier::new(8));
    let mut holders = JoinSet::new();
    for holder in 0..8_u32 {
        let (store, held, together) = (stores[holder as usize % 2].clone(), Arc::clone(&held), Arc::clone(&together));
        holders.spawn(async move {
            let (mut places, mut share, mut had_some) = (0, 0, false);
            for round in 0..40 {
                together.wait().await;
                let now = start() + TimeDelta::milliseconds(500 * round);
                let kept = places.min(share);
                held.lock().expect("no test panics here").insert(holder, kept);
                let asked = PlacesAsked { wanted: 3, kept, concurrency: CONCURRENCY, until: now + TimeDelta::seconds(62) };
                let leased = store.lease_places(tenant, account, &holder.to_string(), asked, now).await.expect("leased");
                (places, share) = (leased.places, leased.share);
                had_some |= places > 0;
                let mut held = held.lock().expect("no test panics here");
                held.insert(holder, places);
                let in_all: u32 = held.values().sum();
                assert!(in_all <= CONCURRENCY, "{in_all} places: {held:?}");
            }
            had_some
        });
    }
    let mut served = 0;
    while let Some(had_some) = holders.join_next().await {
        served += u32::from(had_some.expect("no holder panics"));
    }
    assert!(served >= CONCURRENCY, "{served} of eight had a place");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_never_counted_out_twice() {
    let database = TestDatabase::new().await;
    let (stores, tenant, account) = account(&database).await;
    let windows = CallWindows { calls_a_minute: 100, calls_a_day: 1_000 };
    let mut takers = JoinSet::new();
    for taker in 0..8 {
        let store = stores[taker % 2].clone();
        takers.spawn(async move {
            let mut taken = 0;
            for _ in 0..10 {
                taken += store.take_calls(tenant, account, 3, windows, start()).await.expect("taken").taken;
            }
            taken
        });
    }
    let mut taken = 0;
    while let Some(calls) = takers.join_next().await {
        taken += calls.expect("no taker panics");
    }
    assert_eq!(taken, 100, "as many as the minute allows, and none is lost");
}
