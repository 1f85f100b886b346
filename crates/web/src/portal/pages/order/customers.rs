//! Customers by name or number: among those that one may assign lines to.
//!
//! A customer is one of Rev.io's, or a site without one. Whoever may book only at some sites of a customer is offered those sites.

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use lineshift_domain::ids::{RevCustomerId, SiteId};
use lineshift_store::catalogue::{NAMES_LOOKED_THROUGH, Site};
use lineshift_store::paging::MAX_PAGE_ITEMS;

use super::typed::CUSTOMER;
use super::{Act, require};
use crate::portal::address::{given, with_parameter};
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of};
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// The most customers that a search finds: whoever gets so many says more of the name.
pub(super) const MOST_FOUND: usize = 25;

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
    /// What is to be said of what was not found; empty: everything was.
    pub(super) hint: String,
}

/// Active customers that one may use, whose name has that text in it or whose number it is. Of no text, the first ones by name.
pub(super) async fn search(viewer: &Viewer, text: &str) -> Result<Found, ApiProblem> {
    let store = viewer.web.engine.store();
    let found = store.find_customers(viewer.caller.tenant, &viewer.caller.rights.reach, text, MOST_FOUND).await?;
    let customers = found.customers.into_iter().map(|found| Customer {
        name: found.name,
        rev_customer: found.rev_customer_id,
        site: found.site_id,
    });
    let hint = if found.more {
        "There are more: give more of the name.".to_owned()
    } else if found.stopped {
        let looked = thousands(i64::try_from(NAMES_LOOKED_THROUGH).unwrap_or(i64::MAX));
        format!(
            "There are more customers than the {looked} in whose names it was looked for: if yours is not here, give how its name begins."
        )
    } else {
        String::new()
    };
    Ok(Found { customers: customers.collect(), hint })
}

impl Found {
    /// The one that was found, where there can be no other.
    pub(super) fn only(&self) -> Option<&Customer> {
        self.customers.first().filter(|_| self.customers.len() == 1 && self.hint.is_empty())
    }
}

/// The first active sites of a customer, by id: the first of them is the one that an order without a site means (B4.2); and whether there are
/// more.
pub(super) async fn sites_of(viewer: &Viewer, customer: RevCustomerId) -> Result<(Vec<Site>, bool), ApiProblem> {
    let store = viewer.web.engine.store();
    let (tenant, reach) = (viewer.caller.tenant, &viewer.caller.rights.reach);
    let listed = store.list_sites_of_customer(tenant, reach, customer, None, MAX_PAGE_ITEMS).await?;
    Ok((listed.items, listed.next.is_some()))
}

#[derive(Template)]
#[template(path = "order_customers.html")]
struct CustomersPage {
    frame: Frame,
    address: String,
    sought: String,
    /// The way to the form, and what its field takes.
    customers: Vec<(String, String)>,
    hint: String,
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
        hint: found.hint,
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
