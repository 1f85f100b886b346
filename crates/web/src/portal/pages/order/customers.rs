//! Customers by name or number: among those that one may assign lines to.
//!
//! A customer is one of Rev.io's, or a site without one. Whoever may book only at some sites of a customer is offered those sites.

use std::collections::HashSet;

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use lineshift_domain::ids::{RevCustomerId, SiteId};
use lineshift_store::catalogue::Site;
use lineshift_store::paging::MAX_PAGE_ITEMS;

use super::typed::CUSTOMER;
use super::{Act, require};
use crate::portal::address::{given, with_parameter};
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of};
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// The most customers that a search finds: whoever gets so many says more of the name.
pub(super) const MOST_FOUND: usize = 25;

/// The most pages of a list that a search goes through, by id, so that it ends also where a tenant has more customers than any has.
const MOST_PAGES: usize = 50;

/// To whom lines can be assigned, as people write it and as an order names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Customer {
    pub(super) name: String,
    pub(super) rev_customer: Option<RevCustomerId>,
    pub(super) site: Option<SiteId>,
}

impl Customer {
    /// `Acme Corp (customer 4711)`, `Corner Shop (site 7)`: what the field holds once one is chosen.
    pub(super) fn written(&self) -> String {
        match (self.rev_customer, self.site) {
            (Some(customer), None) => format!("{} (customer {customer})", self.name),
            (Some(customer), Some(site)) => format!("{} (customer {customer}, site {site})", self.name),
            (None, Some(site)) => format!("{} (site {site})", self.name),
            (None, None) => self.name.clone(),
        }
    }

    /// What was written so; none: it is a text to search for.
    pub(super) fn read(written: &str) -> Option<Self> {
        let (name, inside) = written.trim().strip_suffix(')')?.rsplit_once(" (")?;
        let number = |text: &str| text.parse().ok().filter(|id: &i64| *id > 0);
        let site = |text: &str| text.strip_prefix("site ").and_then(number).map(SiteId);
        let (rev_customer, site) = match inside.strip_prefix("customer ") {
            Some(rest) => match rest.split_once(", ") {
                Some((customer, at)) => (Some(RevCustomerId(number(customer)?)), Some(site(at)?)),
                None => (Some(RevCustomerId(number(rest)?)), None),
            },
            None => (None, Some(site(inside)?)),
        };
        Some(Self { name: name.to_owned(), rev_customer, site })
    }
}

/// What a search found.
pub(super) struct Found {
    pub(super) customers: Vec<Customer>,
    /// Whether there may be more.
    pub(super) more: bool,
}

/// Active customers whose name has that text in it, whatever its case, or whose number it is. Of no text, the first ones.
pub(super) async fn search(viewer: &Viewer, text: &str) -> Result<Found, ApiProblem> {
    let wanted = text.trim().to_lowercase();
    let store = viewer.web.engine.store();
    let (tenant, reach) = (viewer.caller.tenant, &viewer.caller.rights.reach);
    let is_wanted = |name: &str, number: i64| name.to_lowercase().contains(&wanted) || number.to_string() == wanted;
    let mut found = Found { customers: Vec::new(), more: false };
    let mut offered: HashSet<RevCustomerId> = HashSet::new();
    let mut after = None;
    for _ in 0..MOST_PAGES {
        let listed = store.list_rev_customers(tenant, reach, after, MAX_PAGE_ITEMS).await?;
        for customer in listed.items.into_iter().filter(|it| it.is_active && reach.reaches_customer(it.id)) {
            offered.insert(customer.id);
            if is_wanted(&customer.name, customer.id.0) {
                found.push(Customer { name: customer.name, rev_customer: Some(customer.id), site: None });
            }
        }
        after = listed.next;
        if after.is_none() || found.more {
            break;
        }
    }
    let mut after = None;
    for _ in 0..MOST_PAGES {
        if found.more {
            break;
        }
        let listed = store.list_sites(tenant, reach, after, MAX_PAGE_ITEMS).await?;
        let own = |site: &Site| site.rev_customer_id.is_none_or(|customer| !offered.contains(&customer));
        let reached = |site: &Site| reach.reaches_site(site.id, site.rev_customer_id);
        for site in listed.items.into_iter().filter(|site| site.is_active && own(site) && reached(site)) {
            if is_wanted(&site.name, site.id.0) {
                found.push(Customer { name: site.name, rev_customer: site.rev_customer_id, site: Some(site.id) });
            }
        }
        after = listed.next;
        if after.is_none() {
            break;
        }
    }
    Ok(found)
}

impl Found {
    fn push(&mut self, customer: Customer) {
        if self.customers.len() == MOST_FOUND {
            self.more = true;
        } else {
            self.customers.push(customer);
        }
    }
}

/// The active sites of a customer, by id: the first of them is the one that an order without a site means (B4.2).
pub(super) async fn sites_of(viewer: &Viewer, customer: RevCustomerId) -> Result<Vec<Site>, ApiProblem> {
    let store = viewer.web.engine.store();
    let (tenant, reach) = (viewer.caller.tenant, &viewer.caller.rights.reach);
    let (mut sites, mut after) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let listed = store.list_sites(tenant, reach, after, MAX_PAGE_ITEMS).await?;
        let of_customer = |site: &Site| site.rev_customer_id == Some(customer) && site.is_active;
        sites.extend(
            listed.items.into_iter().filter(of_customer).filter(|site| reach.reaches_site(site.id, site.rev_customer_id)),
        );
        after = listed.next;
        if after.is_none() {
            break;
        }
    }
    Ok(sites)
}

#[derive(Template)]
#[template(path = "order_customers.html")]
struct CustomersPage {
    frame: Frame,
    address: String,
    sought: String,
    /// The way to the form, and what its field takes.
    customers: Vec<(String, String)>,
    more: bool,
}

/// `GET /{portal}/order/customers?name=`: the list that the form's field suggests from, and a page for whoever opens it.
pub(in crate::portal) async fn find(viewer: Viewer, Path(portal): Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    require(&viewer, portal)?;
    let mut parameters = Parameters::of_pairs(given(&uri));
    let sought = parameters.text("name").unwrap_or_default();
    parameters.finish()?;
    let found = search(&viewer, &sought).await?;
    let form = format!("{}/{}", super::address(portal), Act::Assign.segment());
    let shown = |customer: &Customer| {
        let written = customer.written();
        (with_parameter(&form, &[], CUSTOMER, &written), written)
    };
    let page = CustomersPage {
        frame: viewer.frame("Customers", Some(portal), Place::Lines)?,
        address: super::address(portal),
        customers: found.customers.iter().map(shown).collect(),
        more: found.more,
        sought,
    };
    Ok(answer(&page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_field_is_read_back() {
        let customer = |name: &str, rev_customer: Option<i64>, site: Option<i64>| Customer {
            name: name.to_owned(),
            rev_customer: rev_customer.map(RevCustomerId),
            site: site.map(SiteId),
        };
        for each in [
            customer("Acme Corp", Some(4711), None),
            customer("Corner (old) Shop", None, Some(7)),
            customer("Acme, Boston (site 9)", Some(4711), Some(8)),
        ] {
            assert_eq!(Customer::read(&each.written()), Some(each));
        }
        for text in ["", "Acme", "4711", "Acme (Boston)", "Acme (customer x)", "Acme (site 0)", "Acme (customer 1, 2)"] {
            assert_eq!(Customer::read(text), None, "{text:?}");
        }
    }
}
