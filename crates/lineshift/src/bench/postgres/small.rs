//! Small changes while the whole fleet is changed: its plans, or its customer with a Rev service for each line.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId, SiteId};
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Caller, Clock as _, Engine, SystemClock};
use lineshift_store::billing::AccountSettings;
use lineshift_store::catalogue::{IntegrationAuthentication, RevCustomer, Site};

use super::prepare::engine_at;
use crate::bench::billing::{self, CUSTOMER};
use crate::bench::fleet::Size;
use crate::bench::simulators::{ConnectSimulators, Simulator};
use crate::bench::small_changes::{measure_beside, plan_change};

/// Answers the seconds of each small change.
pub(super) async fn measure(url: &str, body: String, size: Size, billing: bool) -> Result<Vec<f64>> {
    let (engine, caller) = engine_at(url).await?;
    let limits = *engine.limits();
    if !billing {
        return measure_beside(engine, caller, size, move |nth| plan_change(&body, nth, &limits)).await;
    }
    drop(body);
    let directory = tempfile::tempdir().context("making a directory for the simulator's password")?;
    let simulator = Simulator::revio(directory.path(), Duration::from_millis(1)).await?;
    make_account(&engine, &caller, &simulator.address).await?;
    let engine = engine.connected(Arc::new(ConnectSimulators));
    let large = move |_| billing::order(ServiceProviderId(1), 0..size.fleet, &limits);
    measure_beside(engine, caller, size, large).await
}

/// An account at the simulator that allows more than it can answer, and its customer with a site.
async fn make_account(engine: &Engine, caller: &Caller, address: &str) -> Result<()> {
    let (store, tenant, now) = (engine.store(), caller.tenant, SystemClock.now());
    let account = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: "Rev.io".to_owned(),
        integration_kind: IntegrationKind::REV_IO,
        is_active: true,
    };
    let account = store.create_integration_authentication(tenant, &account, now).await?;
    let settings = AccountSettings {
        base_address: address.to_owned(),
        // The credentials are the simulator's, which this process knows; the store only has to have some.
        secret_encrypted: Some(vec![0]),
        is_local: true,
        write_enabled: true,
        concurrency: Some(32),
        calls_a_minute: Some(1_000_000),
        calls_a_day: Some(100_000_000),
    };
    store.set_account(tenant, account, &settings, now).await?;
    let customer =
        RevCustomer { id: CUSTOMER, name: "Customer 1".to_owned(), integration_authentication_id: account, is_active: true };
    store.create_rev_customer(tenant, &customer, now).await?;
    let site = Site { id: SiteId(0), name: "Depot".to_owned(), rev_customer_id: Some(CUSTOMER), is_active: true };
    store.create_site(tenant, &site, now).await?;
    Ok(())
}
