//! Filling the store with a fleet, a tenant and a key.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId, TenantId};
use lineshift_domain::rights::Rights;
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::access::AccessStore as _;
use lineshift_store::catalogue::{CatalogueStore as _, IntegrationAuthentication};
use lineshift_store::import::{IMPORT_ROWS, ImportAssignment, ImportStore as _, Imported};
use lineshift_store_sqlite::SqliteStore;

use crate::commands::admin::create_key;
use crate::fleet::{Fleet, Line, catalogue, records};
use crate::progress;

/// Who stands as the one who brought the fleet in.
const BY: &str = "lineshift demo";

/// What was made.
pub(super) struct Loaded {
    /// The tenant.
    pub(super) tenant: TenantId,
    /// The billing account.
    pub(super) billing: IntegrationAuthenticationId,
    /// An API key that may do everything.
    pub(super) key: String,
    /// The ids of the carrier accounts, in the order of the catalogue.
    pub(super) providers: Vec<ServiceProviderId>,
}

/// Makes a tenant with a key and fills it with the fleet.
pub(super) async fn load(store: &SqliteStore, fleet: &Fleet) -> Result<Loaded> {
    let now = SystemClock.now();
    let tenant = store.create_tenant("Demo", chrono_tz::Tz::UTC, now).await.context("making a tenant")?;
    let (_, key) = create_key(store, tenant, "demo", Rights::all(), None).await?;
    let (billing, providers) = load_catalogue(store, tenant, now).await.context("bringing in customers and plans")?;
    let bar = progress::counting("lines", fleet.devices());
    let mut chunk = Vec::with_capacity(IMPORT_ROWS);
    for line in fleet.lines() {
        chunk.push(line);
        if chunk.len() == IMPORT_ROWS {
            load_lines(store, tenant, &providers, &chunk, now).await?;
            bar.inc(chunk.len() as u64);
            chunk.clear();
        }
    }
    load_lines(store, tenant, &providers, &chunk, now).await?;
    bar.finish_and_clear();
    Ok(Loaded { tenant, billing, key, providers })
}

async fn load_catalogue(
    store: &SqliteStore,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> Result<(IntegrationAuthenticationId, Vec<ServiceProviderId>)> {
    let billing = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: catalogue::BILLING.to_owned(),
        integration_kind: IntegrationKind::REV_IO,
        is_active: true,
    };
    let billing = store.create_integration_authentication(tenant, &billing, now).await?;
    let mut providers = Vec::new();
    for provider in records::providers() {
        providers.push(store.create_service_provider(tenant, &provider, now).await?);
    }
    all(&store.import_customers(tenant, &records::customers(billing), now).await?)?;
    all(&store.import_sites(tenant, &records::sites(), now).await?)?;
    all(&store.import_plans(tenant, &records::plans(), now).await?)?;
    all(&store.import_pools(tenant, &records::pools(), now).await?)?;
    Ok((billing, providers))
}

async fn load_lines(
    store: &SqliteStore,
    tenant: TenantId,
    providers: &[ServiceProviderId],
    lines: &[Line],
    now: DateTime<Utc>,
) -> Result<()> {
    let devices: Vec<_> = lines.iter().map(|line| line.device(providers)).collect();
    all(&store.import_devices(tenant, &devices, BY, now).await.context("bringing in lines")?)?;
    let assignments: Vec<_> = lines.iter().filter_map(Line::assignment).collect();
    all(&store.import_assignments(tenant, &assignments, BY, now).await.context("bringing in assignments")?)?;
    let services: Vec<_> = lines.iter().filter_map(Line::rev_service).collect();
    all(&store.import_rev_services(tenant, &services, now).await.context("bringing in Rev services")?)
}

/// What somebody else does to some lines while an order for them waits.
pub(super) async fn change_meanwhile(store: &SqliteStore, tenant: TenantId, fleet: &Fleet) -> Result<()> {
    let moved: Vec<ImportAssignment> = fleet.lines_of(catalogue::SENSORS).filter_map(|line| line.moved()).collect();
    for chunk in moved.chunks(IMPORT_ROWS) {
        all(&store.import_assignments(tenant, chunk, "somebody else", SystemClock.now()).await?)?;
    }
    Ok(())
}

/// A generated fleet is taken in as a whole; anything else is a fault of the generator or the store.
fn all(imported: &Imported) -> Result<()> {
    ensure!(imported.refused.is_empty(), "the store refused rows of a generated fleet: {:?}", imported.refused);
    Ok(())
}
