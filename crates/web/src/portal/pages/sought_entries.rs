//! Which scheduled changes are sought: a day, a customer, a plan, chosen by their names.

use chrono::NaiveDate;
use chrono_tz::Tz;
use lineshift_domain::dates::start_of_day;
use lineshift_domain::ids::{CustomerRatePlanId, RevCustomerId, SiteId};
use lineshift_store::catalogue::Site;
use lineshift_store::figures::LineCustomer;
use lineshift_store::paging::MAX_PAGE_ITEMS;
use lineshift_store::plan_queue::EntryFilter;

use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// How many names a field offers; where there are more, the id is typed.
const CHOICES: usize = 300;

/// The most pages of sites that are looked at for those that are customers themselves.
const SITE_PAGES: usize = 5;

/// What is sought; none of it: everything.
#[derive(Clone, Copy, Default)]
pub(super) struct Sought {
    pub(super) day: Option<NaiveDate>,
    pub(super) customer: Option<LineCustomer>,
    pub(super) plan: Option<CustomerRatePlanId>,
}

impl Sought {
    pub(super) fn read(parameters: &mut Parameters) -> Self {
        Self {
            day: parameters.parsed("day", "a day such as 2026-12-01", |text| text.parse().ok()),
            customer: parameters.parsed("customer", "rev: or site: and an id, such as rev:1001", read_customer),
            plan: parameters.id("plan", CustomerRatePlanId),
        }
    }

    /// The entries that are sought, of any portal.
    pub(super) fn filter(&self, zone: Tz) -> EntryFilter {
        let (customer, site) = match self.customer {
            Some(LineCustomer::Rev(id)) => (Some(id), None),
            Some(LineCustomer::Amop(id)) => (None, Some(id)),
            None => (None, None),
        };
        let all = EntryFilter { customer, site, plan: self.plan, ..EntryFilter::ALL };
        match self.day.and_then(|day| Some((day, day.succ_opt()?))) {
            Some((day, next)) => EntryFilter { from: start_of_day(day, zone), until: start_of_day(next, zone), ..all },
            None => all,
        }
    }

    /// Customer and plan as they stand in addresses.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let customer = self.customer.map(|customer| ("customer".to_owned(), written(customer)));
        customer.into_iter().chain(self.plan.map(|plan| ("plan".to_owned(), plan.to_string()))).collect()
    }
}

fn read_customer(text: &str) -> Option<LineCustomer> {
    let (kind, id) = text.split_once(':')?;
    let id = id.parse().ok().filter(|id| *id > 0)?;
    match kind {
        "rev" => Some(LineCustomer::Rev(RevCustomerId(id))),
        "site" => Some(LineCustomer::Amop(SiteId(id))),
        _ => None,
    }
}

fn written(customer: LineCustomer) -> String {
    match customer {
        LineCustomer::Rev(id) => format!("rev:{id}"),
        LineCustomer::Amop(id) => format!("site:{id}"),
    }
}

/// The fields of a search. Without choices a field is typed into.
pub(super) struct Search {
    pub(super) day: String,
    pub(super) customer: String,
    pub(super) customers: Vec<Choice>,
    pub(super) plan: String,
    pub(super) plans: Vec<Choice>,
}

/// A choice of a field.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) name: String,
}

impl Search {
    /// The fields with what is sought in them, and with what the viewer reaches as choices.
    pub(super) async fn new(viewer: &Viewer, sought: &Sought) -> Result<Self, ApiProblem> {
        let (store, tenant, reach) = (viewer.web.engine.store(), viewer.caller.tenant, &viewer.caller.rights.reach);
        let customers = store.list_rev_customers(tenant, reach, None, CHOICES).await?;
        let sites = own_customers(viewer).await?;
        let plans = store.list_customer_rate_plans(tenant, reach, None, CHOICES).await?;
        let of_customers = customers.items.into_iter().map(|customer| (LineCustomer::Rev(customer.id), customer.name));
        let are_all = customers.next.is_none() && sites.is_some();
        let of_sites = sites.unwrap_or_default().into_iter().map(|site| (LineCustomer::Amop(site.id), site.name));
        let choices = of_customers.chain(of_sites).map(|(customer, name)| Choice { value: written(customer), name });
        let by_plan = plans.items.into_iter().map(|plan| Choice { value: plan.id.to_string(), name: plan.name });
        Ok(Self {
            day: sought.day.map(|day| day.to_string()).unwrap_or_default(),
            customer: sought.customer.map(written).unwrap_or_default(),
            customers: sorted(choices.collect(), are_all),
            plan: sought.plan.map(|plan| plan.to_string()).unwrap_or_default(),
            plans: sorted(by_plan.collect(), plans.next.is_none()),
        })
    }

    /// Whether anything is sought.
    pub(super) fn is_filtered(&self) -> bool {
        [&self.day, &self.customer, &self.plan].into_iter().any(|sought| !sought.is_empty())
    }

    /// The day that is sought, else another.
    pub(super) fn day_or(&self, other: NaiveDate) -> NaiveDate {
        self.day.parse().unwrap_or(other)
    }
}

/// The sites within reach that are customers themselves; none: there are more of them than a field offers, or too many sites to tell. Sites of
/// Rev customers are never offered, however many there are.
async fn own_customers(viewer: &Viewer) -> Result<Option<Vec<Site>>, ApiProblem> {
    let (store, tenant, reach) = (viewer.web.engine.store(), viewer.caller.tenant, &viewer.caller.rights.reach);
    let (mut found, mut after) = (Vec::new(), None);
    for _ in 0..SITE_PAGES {
        let page = store.list_sites(tenant, reach, after, MAX_PAGE_ITEMS).await?;
        found.extend(page.items.into_iter().filter(|site| site.rev_customer_id.is_none()));
        if found.len() > CHOICES {
            return Ok(None);
        }
        after = page.next;
        if after.is_none() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Choices by name; none where they are not all there.
fn sorted(mut choices: Vec<Choice>, are_all: bool) -> Vec<Choice> {
    if !are_all {
        return Vec::new();
    }
    choices.sort_by(|a, b| a.name.to_lowercase().cmp(&b.name.to_lowercase()).then_with(|| a.value.cmp(&b.value)));
    choices
}
