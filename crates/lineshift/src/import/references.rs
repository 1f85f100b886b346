//! What rows refer to by name or id, read once before the first row.

use lineshift_domain::reach::Reach;
use std::collections::HashMap;

use anyhow::Result;
use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId,
};
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::paging::MAX_PAGE_ITEMS;

use super::{Cells, Target};

/// Things that rows may name.
#[derive(Debug, Default)]
pub(crate) struct References {
    providers: HashMap<String, ServiceProviderId>,
    authentications: HashMap<String, (IntegrationAuthenticationId, IntegrationKind)>,
    customers: HashMap<i64, ()>,
    /// With the Rev customer of each.
    sites: HashMap<i64, Option<RevCustomerId>>,
    plans: HashMap<i64, ()>,
    pools: HashMap<i64, ()>,
}

/// Reads every page of a list.
macro_rules! read_all {
    ($target:expr, $list:ident, $each:expr) => {{
        let mut after = None;
        loop {
            let page = $target.store.$list($target.tenant.id, &Reach::Everything, after, MAX_PAGE_ITEMS).await?;
            page.items.into_iter().for_each($each);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }};
}

impl References {
    /// Adds the carrier accounts.
    pub(crate) async fn with_providers(mut self, target: &Target<'_>) -> Result<Self> {
        read_all!(target, list_service_providers, |thing| {
            self.providers.insert(thing.name, thing.id);
        });
        Ok(self)
    }

    /// Adds the authentications.
    pub(crate) async fn with_authentications(mut self, target: &Target<'_>) -> Result<Self> {
        read_all!(target, list_integration_authentications, |thing| {
            self.authentications.insert(thing.name, (thing.id, thing.integration_kind));
        });
        Ok(self)
    }

    /// Adds the Rev customers.
    pub(crate) async fn with_customers(mut self, target: &Target<'_>) -> Result<Self> {
        read_all!(target, list_rev_customers, |thing| {
            self.customers.insert(thing.id.0, ());
        });
        Ok(self)
    }

    /// Adds the sites.
    pub(crate) async fn with_sites(mut self, target: &Target<'_>) -> Result<Self> {
        read_all!(target, list_sites, |thing| {
            self.sites.insert(thing.id.0, thing.rev_customer_id);
        });
        Ok(self)
    }

    /// Adds the plans and pools.
    pub(crate) async fn with_plans_and_pools(mut self, target: &Target<'_>) -> Result<Self> {
        read_all!(target, list_customer_rate_plans, |thing| {
            self.plans.insert(thing.id.0, ());
        });
        read_all!(target, list_customer_rate_pools, |thing| {
            self.pools.insert(thing.id.0, ());
        });
        Ok(self)
    }

    /// The carrier account that a row must name.
    pub(crate) fn provider(&self, cells: &mut Cells<'_, '_>, name: &str) -> Option<ServiceProviderId> {
        by_name(&self.providers, cells, name, "service provider", "providers")
    }

    /// The authentication that a row must name.
    pub(crate) fn authentication(&self, cells: &mut Cells<'_, '_>, name: &str) -> Option<IntegrationAuthenticationId> {
        by_name(&self.authentications, cells, name, "integration authentication", "authentications").map(|(id, _)| id)
    }

    /// The authentication of that kind that a row names.
    pub(crate) fn authentication_of(
        &self,
        cells: &mut Cells<'_, '_>,
        name: &str,
        kind: IntegrationKind,
    ) -> Option<IntegrationAuthenticationId> {
        let (id, opens) = by_name(&self.authentications, cells, name, "integration authentication", "authentications")?;
        if opens != kind {
            cells.report(name, format!("an integration authentication of {kind}; this one opens {opens}"));
            return None;
        }
        Some(id)
    }

    /// The Rev customer that a row names.
    pub(crate) fn customer(&self, cells: &mut Cells<'_, '_>, name: &str) -> Option<RevCustomerId> {
        let id = cells.id(name)?;
        known(&self.customers, cells, name, id, "Rev customer", "customers").map(RevCustomerId)
    }

    /// The site that a row must name; it must belong to the row's Rev customer, or to none where the row has none.
    pub(crate) fn site(&self, cells: &mut Cells<'_, '_>, name: &str, customer: Option<RevCustomerId>) -> Option<SiteId> {
        let id = cells.required_id(name)?;
        known(&self.sites, cells, name, id, "site", "sites")?;
        match (self.sites.get(&id).copied().flatten(), customer) {
            (Some(owner), given) if given != Some(owner) => {
                cells.report(name, format!("a site of the row's customer; this one belongs to Rev customer {owner}"));
                None
            }
            (None, Some(given)) => {
                cells.report(name, format!("a site of Rev customer {given}; this one is a customer without Rev.io"));
                None
            }
            _ => Some(SiteId(id)),
        }
    }

    /// The plan that a row names; 0 passes.
    pub(crate) fn plan(&self, cells: &mut Cells<'_, '_>, name: &str, id: Option<i64>) -> Option<CustomerRatePlanId> {
        let id = id?;
        if id == 0 {
            return Some(CustomerRatePlanId(0));
        }
        known(&self.plans, cells, name, id, "customer rate plan", "plans").map(CustomerRatePlanId)
    }

    /// The pool that a row names; 0 passes.
    pub(crate) fn pool(&self, cells: &mut Cells<'_, '_>, name: &str, id: Option<i64>) -> Option<CustomerRatePoolId> {
        let id = id?;
        if id == 0 {
            return Some(CustomerRatePoolId(0));
        }
        known(&self.pools, cells, name, id, "customer rate pool", "pools").map(CustomerRatePoolId)
    }
}

fn by_name<T: Copy>(things: &HashMap<String, T>, cells: &mut Cells<'_, '_>, column: &str, what: &str, kind: &str) -> Option<T> {
    let expected = format!("the name of a {what}");
    let name = cells.required(column, &expected)?;
    let found = things.get(name).copied();
    if found.is_none() {
        let known: Vec<&str> = things.keys().map(String::as_str).collect();
        let meant = lineshift_domain::reading::nearest(name, known.into_iter());
        let hint = meant.map_or_else(|| format!("import {kind} first"), |meant| format!("was {meant:?} meant?"));
        cells.report(column, format!("{expected} that is there; {hint}"));
    }
    found
}

fn known<T>(things: &HashMap<i64, T>, cells: &mut Cells<'_, '_>, column: &str, id: i64, what: &str, kind: &str) -> Option<i64> {
    if things.contains_key(&id) {
        return Some(id);
    }
    cells.report(column, format!("the id of a {what} that is there; import {kind} first"));
    None
}
