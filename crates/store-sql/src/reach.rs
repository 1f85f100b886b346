//! Lists for those who are limited to customers, sites or service providers.

use lineshift_domain::ids::{DeviceId, TenantId};
use lineshift_domain::reach::Named;
use lineshift_store::Result;
use lineshift_store::devices::{DeviceFilter, DeviceView};

use crate::devices::read_device;
use crate::engine::Sql;
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

    /// Customers, sites and providers where each is "any" if it does not limit.
    pub(crate) fn or_any(&self) -> [&str; 3] {
        let [assigned, provided] = [self.names_assignments, self.providers != "[]"];
        match (assigned, provided) {
            (true, true) => [&self.customers, &self.sites, &self.providers],
            (true, false) => [&self.customers, &self.sites, "any"],
            (false, true) => ["any", "any", &self.providers],
            (false, false) => ["[]", "[]", "[]"],
        }
    }
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
    let none = "[]".to_owned();
    // Service providers limit what customers and sites reach, or reach by themselves.
    let (limiting, reaching) = if lists.names_assignments { (&lists.providers, &none) } else { (&none, &lists.providers) };
    let [customer, site, provider, plan] = match filter {
        DeviceFilter::Customer(id) => [id.0, 0, 0, 0],
        DeviceFilter::Site(id) => [0, id.0, 0, 0],
        DeviceFilter::ServiceProvider(id) => [0, 0, id.0, 0],
        DeviceFilter::CustomerRatePlan(id) => [0, 0, 0, id.0],
        DeviceFilter::All | DeviceFilter::Iccid(_) | DeviceFilter::Number(_) => [0; 4],
    };
    let after = after.map_or(i64::MIN, |id| id.0);
    let parameters: [&dyn Parameter; 11] =
        [&tenant.0, &after, &surplus, &lists.customers, &lists.sites, limiting, reaching, &customer, &site, &provider, &plan];
    sql.query(tuned::LIST_DEVICES, &parameters, read_device)
}
