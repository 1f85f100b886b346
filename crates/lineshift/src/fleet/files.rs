//! A generated fleet as CSV files that `lineshift import` takes, with two orders for it.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context as _, Result};
use csv::Writer;
use serde_json::Value;

use super::catalogue::{BILLING, CUSTOMERS, FLEET_POOL, MEDIUM_PLAN, METERS, PLANS, POOLS, PROVIDERS, ROUTERS, SENSORS, SITES};
use super::{Fleet, Line, Special, orders};

/// When the entries of the plan queue fall due.
const QUEUED_FOR: &str = "2027-06-01";

/// One line in so many routers has a queue entry.
const QUEUED_EVERY: usize = 5;

/// The ids that carrier accounts have in a store that has no others.
const METERS_ID: i64 = 1;
const SENSORS_ID: i64 = 4;

/// A file that was written, and how many rows it has.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Written {
    /// Its name.
    pub(crate) file: &'static str,
    /// Rows, the header not counted; 1 for an order.
    pub(crate) rows: u64,
}

/// Writes all files of a fleet into a directory, which is made if it is missing. Files there are replaced.
pub(crate) fn write(fleet: &Fleet, dir: &Path) -> Result<Vec<Written>> {
    std::fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    Ok(vec![
        Sheet::create(dir, "authentications.csv", "name,integration,is_active")?.rows([[BILLING, "Rev.io", "true"]])?,
        providers(dir)?,
        customers(dir)?,
        sites(dir)?,
        plans(dir)?,
        pools(dir)?,
        devices(fleet, dir)?,
        assignments(fleet, dir)?,
        rev_services(fleet, dir)?,
        plan_queue(fleet, dir)?,
        order(dir, "assign.json", &orders::amop_assignment(fleet, METERS_ID).body)?,
        order(dir, "plan-change.json", &plan_change(fleet))?,
    ])
}

struct Sheet {
    name: &'static str,
    writer: Writer<BufWriter<File>>,
}

impl Sheet {
    fn create(dir: &Path, name: &'static str, header: &str) -> Result<Self> {
        let path = dir.join(name);
        let file = File::create(&path).with_context(|| format!("writing {}", path.display()))?;
        let mut writer = Writer::from_writer(BufWriter::new(file));
        writer.write_record(header.split(',')).with_context(|| format!("writing {name}"))?;
        Ok(Self { name, writer })
    }

    fn rows<R, C>(mut self, rows: impl IntoIterator<Item = R>) -> Result<Written>
    where
        R: IntoIterator<Item = C>,
        C: AsRef<[u8]>,
    {
        let mut count = 0;
        for row in rows {
            self.writer.write_record(row).with_context(|| format!("writing {}", self.name))?;
            count += 1;
        }
        self.writer.flush().with_context(|| format!("writing {}", self.name))?;
        Ok(Written { file: self.name, rows: count })
    }
}

fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn providers(dir: &Path) -> Result<Written> {
    let rows = PROVIDERS.iter().map(|provider| [provider.name, provider.kind.as_str(), "true", "true"]);
    Sheet::create(dir, "providers.csv", "name,integration,write_enabled,is_active")?.rows(rows)
}

fn customers(dir: &Path) -> Result<Written> {
    let rows = CUSTOMERS.iter().map(|(id, name, active)| [id.to_string(), (*name).into(), BILLING.into(), active.to_string()]);
    Sheet::create(dir, "customers.csv", "id,name,authentication,is_active")?.rows(rows)
}

fn sites(dir: &Path) -> Result<Written> {
    let rows =
        SITES.iter().map(|(id, name, customer, active)| [id.to_string(), (*name).into(), cell(*customer), active.to_string()]);
    Sheet::create(dir, "sites.csv", "id,name,customer_id,is_active")?.rows(rows)
}

fn plans(dir: &Path) -> Result<Written> {
    let header = "id,name,monthly_price,allocation_default_mb,allocation_bound_mb,rev_product_id,is_active";
    let rows = PLANS.iter().map(|plan| {
        [
            plan.id.to_string(),
            plan.name.into(),
            plan.monthly_price.into(),
            cell(plan.default_mb),
            cell(plan.bound_mb),
            cell(plan.rev_product_id),
            plan.is_active.to_string(),
        ]
    });
    Sheet::create(dir, "plans.csv", header)?.rows(rows)
}

fn pools(dir: &Path) -> Result<Written> {
    let rows = POOLS.iter().map(|(id, name, active)| [id.to_string(), (*name).into(), active.to_string()]);
    Sheet::create(dir, "pools.csv", "id,name,is_active")?.rows(rows)
}

fn devices(fleet: &Fleet, dir: &Path) -> Result<Written> {
    let header = "iccid,provider,status,number,imei,is_archived,activated_at,carrier_rate_plan,communication_plan";
    let rows = fleet.lines().map(|line| {
        [
            line.iccid,
            PROVIDERS[line.provider].name.into(),
            line.status.into(),
            line.number.unwrap_or_default(),
            line.imei,
            (line.special == Special::Archived).to_string(),
            line.activated_at.format("%FT%TZ").to_string(),
            line.carrier_rate_plan.into(),
            cell(PROVIDERS[line.provider].communication_plan),
        ]
    });
    Sheet::create(dir, "devices.csv", header)?.rows(rows)
}

fn assignments(fleet: &Fleet, dir: &Path) -> Result<Written> {
    let header = "iccid,site_id,customer_id,plan_id,pool_id,allocation_mb,effective_date";
    let rows = fleet.lines().filter_map(|line| line.assignment()).map(|assignment| {
        [
            assignment.iccid,
            assignment.site_id.to_string(),
            cell(assignment.rev_customer_id),
            cell(assignment.customer_rate_plan_id),
            cell(assignment.customer_rate_pool_id),
            cell(assignment.customer_data_allocation_mb),
            cell(assignment.effective_date.map(|date| date.format("%FT%TZ"))),
        ]
    });
    Sheet::create(dir, "assignments.csv", header)?.rows(rows)
}

fn rev_services(fleet: &Fleet, dir: &Path) -> Result<Written> {
    let header = "customer_id,service_id,iccid,number,service_type_id,provider_id,activated_date,disconnected_date,has_package,\
                  service_product_id,product_id,rate,quantity,status,description";
    let date = |date: Option<chrono::DateTime<chrono::Utc>>| cell(date.map(|date| date.format("%FT%TZ")));
    let rows = fleet.lines().filter_map(|line| line.rev_service()).map(|service| {
        let product = service.products.into_iter().next().expect("generated services have a product");
        [
            service.rev_customer_id.to_string(),
            service.rev_service_id.to_string(),
            cell(service.iccid),
            cell(service.number),
            cell(service.rev_service_type_id),
            cell(service.rev_provider_id),
            date(service.activated_date),
            date(service.disconnected_date),
            service.has_package.to_string(),
            product.rev_service_product_id.to_string(),
            product.rev_product_id.to_string(),
            cell(product.rate),
            cell(product.quantity),
            product.status,
            cell(product.description),
        ]
    });
    Sheet::create(dir, "rev-services.csv", header)?.rows(rows)
}

fn plan_queue(fleet: &Fleet, dir: &Path) -> Result<Written> {
    let ordinary = |line: &Line| line.special == Special::Ordinary;
    let rows = fleet
        .lines_of(ROUTERS)
        .filter(ordinary)
        .step_by(QUEUED_EVERY)
        .map(|line| [line.iccid, QUEUED_FOR.to_owned(), "M2M".to_owned(), MEDIUM_PLAN.to_string(), FLEET_POOL.to_string()]);
    Sheet::create(dir, "plan-queue.csv", "iccid,effective_date,portal,plan_id,pool_id")?.rows(rows)
}

/// As it is ordered here it begins at once.
fn plan_change(fleet: &Fleet) -> Value {
    let mut body = orders::plan_change_held_back(fleet, SENSORS_ID).body;
    body.as_object_mut().expect("a body is an object").remove("ProcessChanges");
    body
}

fn order(dir: &Path, file: &'static str, body: &Value) -> Result<Written> {
    let mut text = serde_json::to_string_pretty(body).with_context(|| format!("writing {file}"))?;
    text.push('\n');
    std::fs::write(dir.join(file), text).with_context(|| format!("writing {file}"))?;
    Ok(Written { file, rows: 1 })
}

/// The ids above are those of the places in the catalogue.
const _: () = assert!(METERS_ID == METERS as i64 + 1 && SENSORS_ID == SENSORS as i64 + 1);
