//! The same operator on a store that was there before.

use lineshift_domain::reach::Reach;
use std::path::Path;
use std::sync::Arc;

use lineshift_domain::limits::Limits;
use lineshift_engine::{Caller, Clock, Engine};
use lineshift_store_sqlite::Options;

use crate::clock::TestClock;
use crate::operator::Operator;
use crate::store::TestStore;

/// Store options for processes that live for a moment.
#[must_use]
pub fn open_options(before_write: Option<fn(u64)>) -> Options {
    Options { readers: 2, writer_cache_mib: 8, reader_cache_mib: 2, before_write, ..Options::default() }
}

/// An operator on the store in that file; `directory` goes with it.
pub async fn reopen(store: &Path, directory: tempfile::TempDir, at: &str, limits: Limits, options: Options) -> Operator {
    reopen_on(Arc::new(TestClock::at(at)), store, directory, limits, options).await
}

/// The same on a clock of the test's.
pub async fn reopen_on(
    clock: Arc<TestClock>,
    store: &Path,
    directory: tempfile::TempDir,
    limits: Limits,
    options: Options,
) -> Operator {
    let sqlite = lineshift_store_sqlite::open(store, options).await.expect("the store opens again");
    reopen_stored(clock, TestStore::Sqlite(sqlite), directory, limits).await
}

/// The operator on that store.
pub async fn reopen_stored(clock: Arc<TestClock>, stored: TestStore, directory: tempfile::TempDir, limits: Limits) -> Operator {
    reopen_nth(0, clock, stored, Arc::new(directory), limits).await
}

/// The operator that was the nth to be made in that store, from 0.
pub async fn reopen_nth(
    nth: usize,
    clock: Arc<TestClock>,
    stored: TestStore,
    directory: Arc<tempfile::TempDir>,
    limits: Limits,
) -> Operator {
    let store = stored.store();
    let engine = Engine::new(Arc::clone(&store), Arc::clone(&clock) as Arc<dyn Clock>, limits);
    let tenant = store.list_tenants().await.expect("tenants")[nth].id;
    let key = store.list_api_keys(tenant).await.expect("keys").remove(0);
    let providers = store.list_service_providers(tenant, &Reach::Everything, None, 10).await.expect("providers").items;
    let provider = |name: &str| providers.iter().find(|provider| provider.name == name).expect("it was created").id;
    let sites = store.list_sites(tenant, &Reach::Everything, None, 10).await.expect("sites").items;
    let site = |billed: bool| sites.iter().find(|site| site.rev_customer_id.is_some() == billed).expect("it was created").id;
    let plans = store.list_customer_rate_plans(tenant, &Reach::Everything, None, 10).await.expect("plans").items;
    let plan = |name: &str| plans.iter().find(|plan| plan.name == name).expect("it was created").id;
    let customer = store.list_rev_customers(tenant, &Reach::Everything, None, 1).await.expect("customers").items.remove(0);
    let pool = store.list_customer_rate_pools(tenant, &Reach::Everything, None, 1).await.expect("pools").items[0].id;
    Operator {
        engine,
        stored,
        clock,
        caller: Caller::of_key(&key),
        jasper: provider("Jasper"),
        telegence: provider("Telegence"),
        rev_customer: customer.id,
        rev_site: site(true),
        authentication: customer.integration_authentication_id,
        amop_site: site(false),
        plan: plan("Half"),
        other_plan: plan("Open"),
        pool,
        directory,
        store,
    }
}
