//! What those see who are limited to customers, sites or service providers.

use std::collections::HashSet;

use lineshift_domain::ids::{DeviceChangeId, DeviceId, RevCustomerId, ServiceProviderId, SiteId, TenantId};
use lineshift_domain::reach::{Named, Reach};
use lineshift_store::Result;
use lineshift_store::devices::{DeviceFilter, DeviceView, LineFilter, LineOrder};

use crate::devices::read_device;
use crate::devices::sought::Sought;
use crate::engine::Sql;
use crate::json::json;
use crate::sql::reach as tuned;
use crate::value::Parameter;

/// What is named, as the statements take it: JSON arrays of ids.
pub(crate) struct Lists {
    pub(crate) customers: String,
    pub(crate) sites: String,
    pub(crate) providers: String,
    names_assignments: bool,
}

impl Lists {
    pub(crate) fn of(named: &Named) -> Self {
        Self {
            customers: array(named.customers.iter().map(|id| id.0)),
            sites: array(named.sites.iter().map(|id| id.0)),
            providers: array(named.service_providers.iter().map(|id| id.0)),
            names_assignments: named.names_assignments(),
        }
    }

    /// Service providers limit what customers and sites reach, or reach by themselves: the former, the latter, of which one is empty.
    pub(crate) fn limiting_and_reaching(&self) -> [&str; 2] {
        if self.names_assignments { [&self.providers, "[]"] } else { ["[]", &self.providers] }
    }

    /// Customers, sites and providers where each is "any" if it does not limit.
    fn or_any(&self) -> [&str; 3] {
        let [assigned, provided] = [self.names_assignments, self.providers != "[]"];
        match (assigned, provided) {
            (true, true) => [&self.customers, &self.sites, &self.providers],
            (true, false) => [&self.customers, &self.sites, "any"],
            (false, true) => ["any", "any", &self.providers],
            (false, false) => ["[]", "[]", "[]"],
        }
    }
}

/// Customers, sites and providers that a reach names, where each is "any" if it does not limit.
pub(crate) fn limits(reach: &Reach) -> [String; 3] {
    match reach {
        Reach::Everything => ["any"; 3].map(str::to_owned),
        Reach::Named(named) => Lists::of(named).or_any().map(str::to_owned),
    }
}

/// Which of these rows are about lines beyond reach, as the lines stand; one that is no more is.
pub(crate) fn rows_beyond(
    sql: &Sql<'_>,
    tenant: TenantId,
    reach: &Reach,
    rows: &[DeviceChangeId],
) -> Result<HashSet<DeviceChangeId>> {
    let ids = json(&rows.iter().map(|row| row.0).collect::<Vec<_>>())?;
    let found = sql.query(tuned::LIST_LINES_OF_ROWS, &[&tenant.0, &ids], |row| {
        let provider = row.get::<Option<i64>>(2)?.map(ServiceProviderId);
        let (customer, site) = (row.get::<Option<i64>>(3)?.map(RevCustomerId), row.get::<Option<i64>>(4)?.map(SiteId));
        let is_reached = provider.is_some_and(|provider| reach.reaches_line(provider, customer, site));
        Ok((!is_reached).then_some(DeviceChangeId(row.get(0)?)))
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn array(ids: impl Iterator<Item = i64>) -> String {
    let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// Lines within reach by id; `surplus` is one more than a page holds. ICCIDs and numbers are not sought here: they name a few lines, of
/// which the caller keeps those within reach.
pub(crate) fn list_devices(
    sql: &Sql<'_>,
    tenant: TenantId,
    named: &Named,
    filter: &DeviceFilter,
    after: Option<DeviceId>,
    surplus: i64,
) -> Result<Vec<DeviceView>> {
    let lists = Lists::of(named);
    let [limiting, reaching] = lists.limiting_and_reaching();
    let [customer, site, provider, plan] = match filter {
        DeviceFilter::Customer(id) => [id.0, 0, 0, 0],
        DeviceFilter::Site(id) => [0, id.0, 0, 0],
        DeviceFilter::ServiceProvider(id) => [0, 0, id.0, 0],
        DeviceFilter::CustomerRatePlan(id) => [0, 0, 0, id.0],
        DeviceFilter::All | DeviceFilter::Iccid(_) | DeviceFilter::Number(_) => [0; 4],
    };
    let after = after.map_or(i64::MIN, |id| id.0);
    let parameters: [&dyn Parameter; 11] =
        [&tenant.0, &after, &surplus, &lists.customers, &lists.sites, &limiting, &reaching, &customer, &site, &provider, &plan];
    sql.query(tuned::LIST_DEVICES, &parameters, read_device)
}

/// What the statements on lines that are sought within reach take: whose, beyond which line, how many, and what is sought.
fn with_sought<T>(
    tenant: TenantId,
    named: &Named,
    filter: &LineFilter,
    beyond: i64,
    most: i64,
    run: impl FnOnce(&[&dyn Parameter]) -> Result<T>,
) -> Result<T> {
    let lists = Lists::of(named);
    let none = "[]".to_owned();
    let (limiting, reaching) = if lists.names_assignments { (&lists.providers, &none) } else { (&none, &lists.providers) };
    let sought = Sought::of(filter);
    run(&[
        &tenant.0,
        &beyond,
        &most,
        &lists.customers,
        &lists.sites,
        limiting,
        reaching,
        &sought.customer,
        &sought.site,
        &sought.provider,
        &sought.plan,
        &sought.pool,
        &sought.status,
        &sought.carrier_plan,
        &sought.iccids[0],
        &sought.iccids[1],
    ])
}

/// Lines within reach that are sought by several things at once. Of each named thing an index answers; how far it is walked is bounded by how
/// many lines these people may see, so that not even the end of a page tells of others.
pub(crate) fn seek_lines(
    sql: &Sql<'_>,
    tenant: TenantId,
    named: &Named,
    filter: &LineFilter,
    order: LineOrder,
    beyond: i64,
    surplus: i64,
) -> Result<Vec<DeviceView>> {
    let statement = match order {
        LineOrder::OldestFirst => tuned::SEEK_LINES,
        LineOrder::NewestFirst => tuned::SEEK_LINES_NEWEST,
    };
    with_sought(tenant, named, filter, beyond, surplus, |parameters| sql.query(statement, parameters, read_device))
}

/// How many there are of them, up to `most`.
pub(crate) fn count_lines(sql: &Sql<'_>, tenant: TenantId, named: &Named, filter: &LineFilter, most: i64) -> Result<i64> {
    let counted = with_sought(tenant, named, filter, i64::MIN, most, |parameters| {
        sql.find(tuned::COUNT_SOUGHT_LINES, parameters, |row| row.get::<i64>(0))
    })?;
    Ok(counted.unwrap_or_default())
}
