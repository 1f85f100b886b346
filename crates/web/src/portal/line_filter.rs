//! By what lines are sought on pages: the fields, what they hold in an address, and the names that people type.
//!
//! In addresses things stand by their ids, so that an address is good for ever. What was typed as a name is looked up once, and leads to the
//! address with the id.

use std::collections::HashMap;
use std::fmt::Display;
use std::future::Future;

use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::lines::read_line;
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_store::catalogue::{FoundCustomer, Site, Unnamed};
use lineshift_store::devices::{LineFilter, LineOrder, LineValue};
use lineshift_store::paging::{Listed, MAX_PAGE_ITEMS};

use super::viewer::Viewer;
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// Things that are few enough to choose among.
const OPTIONS: usize = 100;

/// Pages of things through which a name is sought: with a thousand on each, more than a tenant has.
const PAGES: usize = 50;

/// Things that are offered where a name fits several.
const CANDIDATES: usize = 10;

/// What stands in addresses by its id, and is typed or chosen by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Customer,
    Site,
    Provider,
    Plan,
    Pool,
}

impl Named {
    pub(super) const ALL: [Self; 5] = [Self::Customer, Self::Site, Self::Provider, Self::Plan, Self::Pool];

    /// What people call it.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Customer => "Customer",
            Self::Site => "Site",
            Self::Provider => "Service provider",
            Self::Plan => "Customer rate plan",
            Self::Pool => "Customer rate pool",
        }
    }

    /// The parameter that holds its id.
    pub(super) const fn parameter(self) -> &'static str {
        match self {
            Self::Customer => "rev_customer_id",
            Self::Site => "site_id",
            Self::Provider => "service_provider_id",
            Self::Plan => "customer_rate_plan_id",
            Self::Pool => "customer_rate_pool_id",
        }
    }

    /// The parameter that holds its name, until that is looked up.
    pub(super) const fn typed(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Site => "site",
            Self::Provider => "service_provider",
            Self::Plan => "customer_rate_plan",
            Self::Pool => "customer_rate_pool",
        }
    }

    /// Its id, where a filter has one.
    fn of(self, filter: &LineFilter) -> Option<i64> {
        match self {
            Self::Customer => filter.rev_customer_id.map(|id| id.0),
            Self::Site => filter.site_id.map(|id| id.0),
            Self::Provider => filter.service_provider_id.map(|id| id.0),
            Self::Plan => filter.customer_rate_plan_id.map(|id| id.0),
            Self::Pool => filter.customer_rate_pool_id.map(|id| id.0),
        }
    }

    /// All of these within reach, to be gone through or offered, by id; at most `most`.
    async fn listed(self, viewer: &Viewer, most: usize) -> Result<Vec<(i64, String)>, ApiProblem> {
        let (store, tenant, reach) = (viewer.web.engine.store(), viewer.caller.tenant, &viewer.caller.rights.reach);
        match self {
            Self::Customer => {
                all(most, |after| store.list_rev_customers(tenant, reach, after, MAX_PAGE_ITEMS), |it| (it.id.0, it.name)).await
            }
            Self::Site => {
                all(most, |after| store.list_sites(tenant, reach, after, MAX_PAGE_ITEMS), |it| (it.id.0, it.name)).await
            }
            Self::Provider => {
                all(most, |after| store.list_service_providers(tenant, reach, after, MAX_PAGE_ITEMS), |it| (it.id.0, it.name))
                    .await
            }
            Self::Plan => {
                all(
                    most,
                    |after| store.list_customer_rate_plans(tenant, reach, after, most.min(MAX_PAGE_ITEMS)),
                    |it| (it.id.0, it.name),
                )
                .await
            }
            Self::Pool => {
                all(
                    most,
                    |after| store.list_customer_rate_pools(tenant, reach, after, most.min(MAX_PAGE_ITEMS)),
                    |it| (it.id.0, it.name),
                )
                .await
            }
        }
    }

    /// Those among which one chooses by looking at them; none: they are too many, and a name is typed.
    pub(super) async fn options(self, viewer: &Viewer) -> Result<Option<Vec<(i64, String)>>, ApiProblem> {
        let mut options = self.listed(viewer, OPTIONS + 1).await?;
        if options.len() > OPTIONS {
            return Ok(None);
        }
        options.sort_by_key(|(_, name)| name.to_lowercase());
        tell_apart(&mut options);
        Ok(Some(options))
    }

    /// What is called so: by its whole name, whatever its case; else by its id; else by a part of its name.
    pub(super) async fn find(self, viewer: &Viewer, text: &str) -> Result<FoundByName, ApiProblem> {
        let wanted = text.trim().to_lowercase();
        if self == Self::Customer {
            let found = active_customers(viewer, &wanted).await?;
            if !matches!(found, FoundByName::Nothing) {
                return Ok(found);
            }
        }
        let mut things = self.meant(viewer).await?;
        if self == Self::Customer {
            things.extend(customers_without_rev(viewer).await?);
        }
        Ok(FoundByName::of(&things, &wanted, false))
    }

    async fn meant(self, viewer: &Viewer) -> Result<Vec<Meant>, ApiProblem> {
        let things = self.listed(viewer, PAGES * MAX_PAGE_ITEMS).await?;
        Ok(things.into_iter().map(|(id, name)| Meant { by: self, id, name }).collect())
    }
}

/// Active customers that are called so, by an index. A site that is a customer itself is sought as a site, as are those of a customer of which
/// one reaches some sites only.
async fn active_customers(viewer: &Viewer, wanted: &str) -> Result<FoundByName, ApiProblem> {
    let (store, tenant, reach) = (viewer.web.engine.store(), viewer.caller.tenant, &viewer.caller.rights.reach);
    let found = store.find_customers(tenant, reach, wanted, CANDIDATES).await?;
    let meant = |customer: FoundCustomer| {
        let site = customer.site_id.map(|id| (Named::Site, id.0));
        let (by, id) = site.or_else(|| customer.rev_customer_id.map(|id| (Named::Customer, id.0)))?;
        Some(Meant { by, id, name: customer.name })
    };
    let customers: Vec<Meant> = found.customers.into_iter().filter_map(meant).collect();
    Ok(FoundByName::of(&customers, wanted, found.more || found.stopped))
}

/// Sites that are customers themselves, whether they are active or not.
async fn customers_without_rev(viewer: &Viewer) -> Result<Vec<Meant>, ApiProblem> {
    let (store, tenant, reach) = (viewer.web.engine.store(), viewer.caller.tenant, &viewer.caller.rights.reach);
    let sites = |after| store.list_sites(tenant, reach, after, MAX_PAGE_ITEMS);
    let named =
        |site: Site| (site.rev_customer_id.is_none()).then_some(Meant { by: Named::Site, id: site.id.0, name: site.name });
    Ok(all(PAGES * MAX_PAGE_ITEMS, sites, named).await?.into_iter().flatten().collect())
}

/// Something that a name may mean, and by what lines are sought then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meant {
    pub(super) by: Named,
    pub(super) id: i64,
    pub(super) name: String,
}

/// Puts its number behind each name that several have.
pub(super) fn tell_apart<I: Display>(named: &mut [(I, String)]) {
    let mut times: HashMap<String, usize> = HashMap::new();
    for (_, name) in &*named {
        *times.entry(name.to_lowercase()).or_default() += 1;
    }
    for (id, name) in named {
        if times.get(&name.to_lowercase()).is_some_and(|times| *times > 1) {
            *name = format!("{name} ({id})");
        }
    }
}

/// What a name led to.
pub(super) enum FoundByName {
    Nothing,
    One(Meant),
    Several { first: Vec<Meant>, are_more: bool },
}

impl FoundByName {
    /// The best of what fits; `are_more`: there may be others that fit.
    fn of(things: &[Meant], wanted: &str, are_more: bool) -> Self {
        let whole = |thing: &&Meant| thing.name.trim().to_lowercase() == wanted;
        let by_id = |thing: &&Meant| thing.id.to_string() == wanted;
        let by_part = |thing: &&Meant| thing.name.to_lowercase().contains(wanted);
        let mut found: Vec<&Meant> = things.iter().filter(whole).collect();
        let is_clear = !found.is_empty();
        if found.is_empty() {
            found = things.iter().filter(by_id).collect();
        }
        if found.is_empty() {
            found = things.iter().filter(by_part).collect();
        }
        match found.as_slice() {
            [] => Self::Nothing,
            [only] if is_clear || !are_more || only.id.to_string() == wanted => Self::One((*only).clone()),
            several => Self::Several {
                first: several.iter().take(CANDIDATES).map(|thing| (*thing).clone()).collect(),
                are_more: are_more || several.len() > CANDIDATES,
            },
        }
    }
}

/// Goes through a list page by page.
async fn all<T, K: Copy, F, N>(
    most: usize,
    mut page: impl FnMut(Option<K>) -> F,
    named: impl Fn(T) -> N,
) -> Result<Vec<N>, ApiProblem>
where
    F: Future<Output = lineshift_store::Result<Listed<T, K>>>,
{
    let (mut things, mut after) = (Vec::new(), None);
    loop {
        let listed = page(after).await?;
        things.extend(listed.items.into_iter().map(&named));
        after = listed.next;
        if after.is_none() || things.len() >= most {
            things.truncate(most);
            return Ok(things);
        }
    }
}

/// The fewest digits with which ICCIDs are sought that begin so: those of a country and a carrier.
const BEGINNING: usize = 6;

/// What was typed as an ICCID.
enum Iccid {
    Whole(String),
    Beginning(String),
}

impl Iccid {
    /// Fewer digits than a whole one has, or as many, and a `*` for those that are left out.
    fn beginning(text: &str) -> Option<Self> {
        let has_star = text.trim().ends_with('*');
        let digits: String = text.trim().trim_end_matches('*').chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let most = if has_star { 22 } else { 17 };
        let fits = (BEGINNING..=most).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
        fits.then_some(Self::Beginning(digits))
    }
}

/// What an address or a form seeks by.
pub(super) fn read(parameters: &mut Parameters) -> LineFilter {
    let line = |identifier| move |text: &str| read_line(identifier, text).ok().map(|digits| digits.to_string());
    let iccid = parameters.parsed("iccid", "18 to 22 digits, or the first 6 or more of them", |text| {
        line(LineIdentifier::Iccid)(text).map(Iccid::Whole).or_else(|| Iccid::beginning(text))
    });
    let (iccid, iccid_prefix) = match iccid {
        Some(Iccid::Whole(digits)) => (Some(digits), None),
        Some(Iccid::Beginning(digits)) => (None, Some(digits)),
        None => (None, None),
    };
    LineFilter {
        iccid,
        iccid_prefix,
        number: parameters.parsed("number", "10 to 15 digits", line(LineIdentifier::Number)),
        rev_customer_id: parameters.id(Named::Customer.parameter(), RevCustomerId),
        site_id: parameters.id(Named::Site.parameter(), SiteId),
        service_provider_id: parameters.id(Named::Provider.parameter(), ServiceProviderId),
        status: parameters.text("status"),
        customer_rate_plan_id: parameters.id(Named::Plan.parameter(), CustomerRatePlanId),
        customer_rate_pool_id: parameters.id(Named::Pool.parameter(), CustomerRatePoolId),
        carrier_rate_plan: parameters.text("carrier_rate_plan"),
    }
}

/// In which order.
pub(super) fn read_order(parameters: &mut Parameters) -> LineOrder {
    let read = |text: &str| match text {
        "oldest" => Some(LineOrder::OldestFirst),
        "newest" => Some(LineOrder::NewestFirst),
        _ => None,
    };
    parameters.parsed("order", "oldest or newest", read).unwrap_or_default()
}

/// A field of the search.
pub(super) struct Field {
    pub(super) label: &'static str,
    /// The parameter that it sends.
    pub(super) name: &'static str,
    pub(super) value: String,
    /// What to choose among: value, text, whether it is chosen; none: it is typed.
    pub(super) options: Option<Vec<(String, String, bool)>>,
    pub(super) is_digits: bool,
    /// What may be typed, where that is more than its label says.
    pub(super) hint: &'static str,
    /// What is suggested while one types.
    pub(super) suggested: Vec<String>,
}

impl Field {
    fn plain(label: &'static str, name: &'static str, value: String) -> Self {
        Self { label, name, value, options: None, is_digits: false, hint: "", suggested: Vec::new() }
    }
}

/// The most values that are suggested: a longer list helps nobody.
const SUGGESTED: usize = 100;

/// What stands in addresses as lines have it, whatever the case in which it was typed.
const VALUES: [(LineValue, &str, &str); 2] =
    [(LineValue::Status, "Status", "status"), (LineValue::CarrierRatePlan, "Carrier rate plan", "carrier_rate_plan")];

/// What lines have; nothing for whoever does not see all of them.
async fn values(viewer: &Viewer, of: LineValue) -> Result<Vec<String>, ApiProblem> {
    if !viewer.caller.rights.reach.is_everything() {
        return Ok(Vec::new());
    }
    Ok(viewer.web.engine.store().list_line_values(viewer.caller.tenant, of, SUGGESTED).await?)
}

/// What was given in another case than lines have it, as they have it.
pub(super) async fn respelled(viewer: &Viewer, given: &[(String, String)]) -> Result<Option<Vec<(String, String)>>, ApiProblem> {
    let (mut respelled, mut is_other) = (given.to_vec(), false);
    for (of, _, parameter) in VALUES {
        let Some((_, typed)) = respelled.iter_mut().find(|(name, _)| name == parameter) else { continue };
        let values = values(viewer, of).await?;
        let alike = |value: &&String| value.to_lowercase() == typed.trim().to_lowercase();
        if !values.contains(typed)
            && let Some(value) = values.iter().find(alike)
        {
            typed.clone_from(value);
            is_other = true;
        }
    }
    Ok(is_other.then_some(respelled))
}

/// The fields, as they were given: `given` are the parameters of the address.
pub(super) async fn fields(
    viewer: &Viewer,
    portal: PortalType,
    given: &[(String, String)],
    filter: &LineFilter,
) -> Result<Vec<Field>, ApiProblem> {
    let value = |name: &str| given.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let typed = |label, name, is_digits| Field { is_digits, ..Field::plain(label, name, value(name)) };
    let iccid = Field { hint: "whole, or 6 digits or more", ..typed("ICCID", "iccid", true) };
    let number = typed("Number", "number", true);
    let mut fields = if portal == PortalType::Lnp { vec![number, iccid] } else { vec![iccid, number] };
    let (names, providers, plans, pools) = tokio::join!(
        names_of(viewer, filter),
        Named::Provider.options(viewer),
        Named::Plan.options(viewer),
        Named::Pool.options(viewer),
    );
    let options = [None, None, providers?, plans?, pools?];
    for ((named, name), options) in Named::ALL.into_iter().zip(names?).zip(options) {
        let chosen = named.of(filter).map(|id| id.to_string()).unwrap_or_default();
        let typed = value(named.typed());
        let label = named.label();
        fields.push(match options {
            Some(options) if typed.is_empty() => Field {
                options: Some(
                    options
                        .into_iter()
                        .map(|(id, name)| (id.to_string(), name))
                        .map(|(id, name)| {
                            let is_chosen = id == chosen;
                            (id, name, is_chosen)
                        })
                        .collect(),
                ),
                ..Field::plain(label, named.parameter(), chosen.clone())
            },
            _ => {
                // A thing that has no name within reach is shown by what stands in the address.
                let shown = if typed.is_empty() { name.unwrap_or(chosen) } else { typed };
                Field::plain(label, named.typed(), shown)
            }
        });
    }
    for (of, label, parameter) in VALUES {
        fields.push(Field { suggested: values(viewer, of).await?, ..typed(label, parameter, false) });
    }
    Ok(fields)
}

/// The names of what is sought, in the order of [`Named::ALL`].
async fn names_of(viewer: &Viewer, filter: &LineFilter) -> Result<[Option<String>; 5], ApiProblem> {
    let unnamed = Unnamed {
        rev_customers: filter.rev_customer_id.into_iter().collect(),
        sites: filter.site_id.into_iter().collect(),
        service_providers: filter.service_provider_id.into_iter().collect(),
        customer_rate_plans: filter.customer_rate_plan_id.into_iter().collect(),
        customer_rate_pools: filter.customer_rate_pool_id.into_iter().collect(),
    };
    let reach = &viewer.caller.rights.reach;
    let mut names = viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed).await?;
    // What they may not see is not told by its name.
    names.rev_customers.retain(|id, _| reach.reaches_customer(*id));
    names.sites.retain(|id, _| reach.reaches_site(*id, filter.rev_customer_id));
    names.service_providers.retain(|id, _| reach.reaches_provider(*id));
    Ok([
        names.rev_customers.into_values().next(),
        names.sites.into_values().next(),
        names.service_providers.into_values().next(),
        names.customer_rate_plans.into_values().next(),
        names.customer_rate_pools.into_values().next(),
    ])
}
