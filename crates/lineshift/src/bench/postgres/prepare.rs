//! The states that legs start from, each a database: the fleet as it is ordered, and orders that wait to be run.

use std::fmt::Write as _;
use std::pin::pin;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::SinkExt as _;
use lineshift_domain::limits::Limits;
use lineshift_engine::{Caller, Clock as _, Engine, SystemClock};
use lineshift_store::Store;
use lineshift_store_postgres::Options;
use tokio_postgres::Client;

use super::server::{Database, Server};
use crate::bench::engine_legs::{read_order, stored};
use crate::bench::fleet::{self, Fate, Kind, NEW_PLAN, NEW_SITE, OTHER_PLAN, PRESENT_PLANS, PRESENT_SITES, Size};

/// Rows that are put into one message of a `COPY`.
const ROWS_A_MESSAGE: usize = 5_000;

/// An engine with its own connections, as the product works, and the one caller that the fleet knows.
pub(super) async fn engine_at(url: &str) -> Result<(Engine, Caller)> {
    let store: Arc<dyn Store> =
        Arc::new(lineshift_store_postgres::connect(url, Options::default()).await.context("opening the store")?);
    let tenant = store.list_tenants().await?.first().context("the fleet has a tenant")?.id;
    let key = store.list_api_keys(tenant).await?.into_iter().next().context("the tenant has a key")?;
    let caller = Caller::of_key(&key);
    Ok((Engine::new(store, Arc::new(SystemClock), Limits::default()), caller))
}

/// Makes a database with the schema and nothing in it.
pub(super) async fn make_empty(server: &Server, database: Database) -> Result<()> {
    server.make(database).await?;
    let owner = lineshift_store_postgres::as_owner(&server.url(database, Some("lineshift_owner"))?)?;
    owner.migrate().await.context("making the schema")?;
    Ok(())
}

/// Makes the fleet: lines in device order, all assigned. Calls `step` with the lines that were added.
pub(super) async fn make_fleet(server: &Server, size: Size, step: impl Fn(u64)) -> Result<()> {
    make_empty(server, Database::Fleet).await?;
    let client = server.connect(Some(Database::Fleet)).await?;
    // Every row that is loaded is right by construction; what legs write is checked.
    client.batch_execute("SET session_replication_role = replica").await?;
    make_catalogue(&client).await?;
    for from in (0..size.stored()).step_by(100_000) {
        let places = from..size.stored().min(from + 100_000);
        let columns = "tenant_id, id, service_provider_id, iccid, subscriber_number, imei, status, is_archived, is_deleted,
            activated_at, carrier_rate_plan, communication_plan, created_at, modified_at";
        copy(&client, &format!("COPY device ({columns}) FROM STDIN"), places.clone().map(device_row)).await?;
        let columns =
            "tenant_id, device_id, site_id, customer_rate_plan_id, customer_data_allocation_mb, effective_date, is_active,
            is_deleted, version, modified_by, modified_at";
        let rows = places.clone().map(assignment_row);
        copy(&client, &format!("COPY device_tenant ({columns}) FROM STDIN"), rows).await?;
        step(places.end - places.start);
    }
    let counters =
        format!("INSERT INTO id_counter VALUES (1, 'device', {}), (1, 'site', 1000), (1, 'principal', 2)", size.stored() + 1);
    client.batch_execute(&counters).await?;
    refuse_some(&client, size, true).await?;
    client.batch_execute("VACUUM (FREEZE, ANALYZE)").await?;
    Ok(())
}

async fn make_catalogue(client: &Client) -> Result<()> {
    let now = SystemClock.now().timestamp_micros();
    let (sites, plans) = (NEW_SITE, OTHER_PLAN.max(NEW_PLAN));
    let scopes = lineshift_domain::scopes::Scopes::all();
    client
        .batch_execute(&format!(
            "INSERT INTO tenant (name, time_zone, created_at) VALUES ('Bench', 'America/Chicago', {now});
             INSERT INTO api_key (tenant_id, id, name, secret_hash, scopes, reach, created_at)
             VALUES (1, 1, 'bench', decode(repeat('00', 32), 'hex'), '{scopes}', '*', {now});
             INSERT INTO service_provider (tenant_id, id, name, integration_kind, write_enabled, is_active, created_at, modified_at)
             VALUES (1, 1, 'Control Center', 'Jasper', 1, 1, {now}, {now});
             INSERT INTO site (tenant_id, id, name, is_active, created_at, modified_at)
             SELECT 1, id, 'Site ' || id, 1, {now}, {now} FROM generate_series(1, {sites}) AS id;
             INSERT INTO customer_rate_plan (tenant_id, id, name, monthly_price, allocation_default_mb, allocation_bound_mb,
                is_active, created_at, modified_at)
             SELECT 1, id, 'Plan ' || id, id::text, '{allocation}', '1000', 1, {now}, {now} FROM generate_series(1, {plans}) AS id",
            allocation = fleet::NEW_ALLOCATION,
        ))
        .await
        .context("making the catalogue")
}

fn device_row(place: u64) -> String {
    let activated = fleet::activated_at(place).timestamp_micros();
    format!(
        "1\t{id}\t1\t{iccid}\t1{number:010}\t35{place:013}\tACTIVATED\t0\t0\t{activated}\tIOT 5MB SHARED\tLTE-M DATA\t{activated}\t{activated}\n",
        id = place + 1,
        iccid = fleet::iccid(place),
        number = 2_000_000_000 + place,
    )
}

fn assignment_row(place: u64) -> String {
    let activated = fleet::activated_at(place).timestamp_micros();
    let site = 1 + fleet::mixed(place ^ 0x517E) % PRESENT_SITES;
    let plan = 1 + fleet::mixed(place ^ 0x91A7) % PRESENT_PLANS;
    format!("1\t{id}\t{site}\t{plan}\t250\t{activated}\t1\t0\t1\tbench\t{activated}\n", id = place + 1)
}

/// Sends rows, each a line of text, to a `COPY`. Answers how many.
pub(super) async fn copy(client: &Client, statement: &str, rows: impl Iterator<Item = String>) -> Result<u64> {
    let mut sink = pin!(client.copy_in::<_, Bytes>(statement).await.with_context(|| format!("beginning {statement}"))?);
    let mut message = String::new();
    for (nth, row) in rows.enumerate() {
        message.push_str(&row);
        if nth % ROWS_A_MESSAGE == ROWS_A_MESSAGE - 1 {
            sink.send(Bytes::from(std::mem::take(&mut message))).await?;
        }
    }
    sink.send(Bytes::from(message)).await?;
    sink.finish().await.with_context(|| format!("ending {statement}"))
}

/// Submits an order over a copy of the fleet, then lets happen what happens to lines meanwhile.
pub(super) async fn make_submitted(server: &Server, size: Size, kind: Kind) -> Result<()> {
    let database = match kind {
        Kind::PlanChange => Database::PlanChange,
        Kind::AmopAssignment => Database::AmopAssignment,
    };
    server.copy(Database::Fleet, database).await?;
    let client = server.connect(Some(database)).await?;
    refuse_some(&client, size, false).await?;
    let (engine, caller) = engine_at(&server.url(database, Some("lineshift_app"))?).await?;
    let body = fleet::body(kind, 1, NEW_PLAN, &size.requested());
    let order = read_order(kind, body.as_bytes(), engine.limits())?;
    let submitted = stored(engine.submit(&caller, order, None).await?)?;
    ensure!(submitted.rejected == 0, "{} lines of the prepared order were refused", submitted.rejected);
    drop(engine);
    refuse_some(&client, size, true).await?;
    client
        .execute(
            "UPDATE device_tenant dt SET customer_data_allocation_mb = '300', version = dt.version + 1, modified_by = 'somebody else'
             FROM device d WHERE d.tenant_id = 1 AND d.iccid = ANY ($1) AND dt.tenant_id = 1 AND dt.device_id = d.id",
            &[&size.fated(Fate::ChangedMeanwhile)],
        )
        .await?;
    client.batch_execute("VACUUM (FREEZE, ANALYZE)").await?;
    Ok(())
}

/// Archives and deactivates the lines that are to be refused, or takes that back.
async fn refuse_some(client: &Client, size: Size, refuse: bool) -> Result<()> {
    for (fate, refused, ordinary) in [
        (Fate::Archived, "is_archived = 1", "is_archived = 0"),
        (Fate::Deactivated, "status = 'DEACTIVATED'", "status = 'ACTIVATED'"),
    ] {
        let set = if refuse { refused } else { ordinary };
        let mut update = String::new();
        write!(update, "UPDATE device SET {set} WHERE tenant_id = 1 AND iccid = ANY ($1)")?;
        client.execute(&update, &[&size.fated(fate)]).await?;
    }
    Ok(())
}
