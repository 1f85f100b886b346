//! The states that legs start from, each a database file: the fleet as it is ordered, and orders that wait to be run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use lineshift_domain::ids::{CustomerRatePlanId, ServiceProviderId, SiteId, TenantId};
use lineshift_domain::limits::Limits;
use lineshift_domain::scopes::Scopes;
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Caller, Clock as _, Engine, SystemClock};
use lineshift_store::access::{AccessStore as _, NewApiKey};
use lineshift_store::catalogue::{CatalogueStore as _, CustomerRatePlan, ServiceProvider, Site};
use lineshift_store::import::{IMPORT_ROWS, ImportAssignment, ImportDevice, ImportStore as _, Imported};
use lineshift_store_sqlite::{Options, SqliteStore};
use rusqlite::Connection;
use rust_decimal::Decimal;

use super::engine_legs::{read_order, stored};
use super::fleet::{self, Fate, Kind, NEW_PLAN, NEW_SITE, OTHER_PLAN, PRESENT_PLANS, PRESENT_SITES, Size};
use super::script;

/// The files of one run, in one directory.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// Where they are.
    dir: PathBuf,
}

impl Files {
    /// Files in that directory.
    pub(super) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The fleet, with the lines that are refused at submission.
    pub(super) fn fleet(&self) -> PathBuf {
        self.dir.join("fleet.db")
    }

    /// Where all of them are.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// An order that was submitted; since then lines were archived, deactivated and changed.
    pub(super) fn submitted(&self, kind: Kind) -> PathBuf {
        self.dir.join(match kind {
            Kind::PlanChange => "plan-change.db",
            Kind::AmopAssignment => "amop-assignment.db",
        })
    }

    /// The plan change with its rows numbered as they were requested, not in device order.
    pub(super) fn in_request_order(&self) -> PathBuf {
        self.dir.join("plan-change-in-request-order.db")
    }

    /// The copy that a leg works on.
    pub(super) fn work(&self) -> PathBuf {
        self.dir.join("work.db")
    }

    /// The body of the order that is submitted as a leg.
    pub(super) fn order(&self) -> PathBuf {
        self.dir.join("order.json")
    }
}

/// Opens a store as the product does.
pub(super) async fn open_store(file: &Path) -> Result<SqliteStore> {
    lineshift_store_sqlite::open(file, Options::default()).await.with_context(|| format!("opening {}", file.display()))
}

/// An engine over that store, and the one caller that the fleet knows.
pub(super) async fn engine_on(store: &SqliteStore) -> Result<(Engine, Caller)> {
    let tenant = store.list_tenants().await?.first().context("the fleet has a tenant")?.id;
    let key = store.list_api_keys(tenant).await?.into_iter().next().context("the tenant has a key")?;
    let caller = Caller::of_key(&key);
    Ok((Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), Limits::default()), caller))
}

/// Makes the fleet: lines in device order, all assigned. Calls `step` with the lines that were added.
pub(super) async fn make_fleet(files: &Files, size: Size, step: impl Fn(u64)) -> Result<()> {
    let store = open_store(&files.fleet()).await?;
    let now = SystemClock.now();
    let tenant = store.create_tenant("Bench", chrono_tz::America::Chicago, now).await?;
    let key = NewApiKey::unlimited("bench", [0; 32], Scopes::all());
    store.create_api_key(tenant, &key, now).await?;
    let provider = make_catalogue(&store, tenant).await?;
    let chunk = IMPORT_ROWS as u64;
    for from in (0..size.stored()).step_by(IMPORT_ROWS) {
        let places = from..size.stored().min(from + chunk);
        let devices: Vec<_> = places.clone().map(|place| device(provider, place)).collect();
        complete(&store.import_devices(tenant, &devices, "bench", now).await?)?;
        let assignments: Vec<_> = places.clone().map(assignment).collect();
        complete(&store.import_assignments(tenant, &assignments, "bench", now).await?)?;
        step(places.end - places.start);
    }
    store.checkpoint().await?;
    drop(store);
    let connection = script::open(&files.fleet())?;
    refuse_some(&connection, size, true)?;
    script::checkpoint(&connection)
}

async fn make_catalogue(store: &SqliteStore, tenant: TenantId) -> Result<ServiceProviderId> {
    let now = SystemClock.now();
    let provider = ServiceProvider {
        id: ServiceProviderId(0),
        name: "Control Center".to_owned(),
        integration_kind: IntegrationKind::JASPER,
        integration_authentication_id: None,
        write_enabled: true,
        is_active: true,
    };
    let provider = store.create_service_provider(tenant, &provider, now).await?;
    let site = |id| Site { id: SiteId(id), name: format!("Site {id}"), rev_customer_id: None, is_active: true };
    complete(&store.import_sites(tenant, &(1..=NEW_SITE).map(site).collect::<Vec<_>>(), now).await?)?;
    let plan = |id| CustomerRatePlan {
        id: CustomerRatePlanId(id),
        name: format!("Plan {id}"),
        monthly_price: Some(Decimal::from(id)),
        allocation_default_mb: fleet::NEW_ALLOCATION.parse().ok(),
        allocation_bound_mb: Some(Decimal::from(1_000)),
        rev_product_id: None,
        is_active: true,
    };
    complete(&store.import_plans(tenant, &(1..=OTHER_PLAN.max(NEW_PLAN)).map(plan).collect::<Vec<_>>(), now).await?)?;
    Ok(provider)
}

fn complete(imported: &Imported) -> Result<()> {
    ensure!(imported.refused.is_empty(), "rows of the fleet were refused: {:?}", imported.refused.first());
    Ok(())
}

/// A line of the fleet.
pub(super) fn device(service_provider_id: ServiceProviderId, place: u64) -> ImportDevice {
    ImportDevice {
        service_provider_id,
        iccid: fleet::iccid(place),
        subscriber_number: Some(format!("1{:010}", 2_000_000_000 + place)),
        imei: Some(format!("35{place:013}")),
        status: "ACTIVATED".to_owned(),
        is_archived: false,
        activated_at: Some(fleet::activated_at(place)),
        carrier_rate_plan: Some("IOT 5MB SHARED".to_owned()),
        communication_plan: Some("LTE-M DATA".to_owned()),
        ip_address: None,
        carrier_device_id: None,
    }
}

fn assignment(place: u64) -> ImportAssignment {
    let one_of = |count: u64, salt: u64| i64::try_from(1 + fleet::mixed(place ^ salt) % count).unwrap_or(1);
    ImportAssignment {
        iccid: fleet::iccid(place),
        rev_customer_id: None,
        site_id: SiteId(one_of(PRESENT_SITES, 0x517E)),
        customer_rate_plan_id: Some(CustomerRatePlanId(one_of(PRESENT_PLANS, 0x91A7))),
        customer_rate_pool_id: None,
        customer_data_allocation_mb: Some(Decimal::from(250)),
        effective_date: Some(fleet::activated_at(place)),
    }
}

/// Submits an order over a copy of the fleet, then lets happen what happens to lines meanwhile.
pub(super) async fn make_submitted(files: &Files, size: Size, kind: Kind) -> Result<()> {
    let file = files.submitted(kind);
    std::fs::copy(files.fleet(), &file).with_context(|| format!("writing {}", file.display()))?;
    refuse_some(&script::open(&file)?, size, false)?;
    let store = open_store(&file).await?;
    let (engine, caller) = engine_on(&store).await?;
    let body = fleet::body(kind, 1, NEW_PLAN, &size.requested());
    let order = read_order(kind, body.as_bytes(), engine.limits())?;
    let submitted = stored(engine.submit(&caller, order, None).await?)?;
    ensure!(submitted.rejected == 0, "{} lines of the prepared order were refused", submitted.rejected);
    store.checkpoint().await?;
    drop((engine, store));
    let connection = script::open(&file)?;
    refuse_some(&connection, size, true)?;
    let meanwhile = fleet::json_array(&size.fated(Fate::ChangedMeanwhile));
    connection.execute(
        "UPDATE device_tenant SET customer_data_allocation_mb = '300', version = version + 1, modified_by = 'somebody else'
         WHERE device_id IN (SELECT id FROM device WHERE tenant_id = 1 AND iccid IN (SELECT value FROM json_each(?1)))",
        [meanwhile],
    )?;
    script::checkpoint(&connection)
}

/// Archives and deactivates the lines that are to be refused, or takes that back.
fn refuse_some(connection: &Connection, size: Size, refuse: bool) -> Result<()> {
    for (fate, refused, ordinary) in [
        (Fate::Archived, "is_archived = 1", "is_archived = 0"),
        (Fate::Deactivated, "status = 'DEACTIVATED'", "status = 'ACTIVATED'"),
    ] {
        let set = if refuse { refused } else { ordinary };
        let iccids = fleet::json_array(&size.fated(fate));
        connection.execute(
            &format!("UPDATE device SET {set} WHERE tenant_id = 1 AND iccid IN (SELECT value FROM json_each(?1))"),
            [iccids],
        )?;
    }
    Ok(())
}

/// Numbers the rows of the submitted plan change by their place in the request.
pub(super) fn make_in_request_order(files: &Files) -> Result<()> {
    let file = files.in_request_order();
    std::fs::copy(files.submitted(Kind::PlanChange), &file).with_context(|| format!("writing {}", file.display()))?;
    let connection = script::open(&file)?;
    connection.execute_batch(
        "BEGIN IMMEDIATE;
         CREATE TEMP TABLE rows AS SELECT * FROM device_change;
         UPDATE rows SET id = request_position + (SELECT min(id) FROM device_change);
         DELETE FROM device_change;
         INSERT INTO device_change SELECT * FROM rows ORDER BY id;
         COMMIT",
    )?;
    script::checkpoint(&connection)
}
