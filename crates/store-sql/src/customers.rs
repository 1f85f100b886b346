//! Customers by name or number, among those to whom lines can be assigned.
//!
//! Whoever sees all customers is served by the indexes of names: those that begin so first, then those in whose name the text stands, of as
//! many names as are looked through. Whoever is limited to some has a few hundred, which are gone through.

use std::collections::{BTreeSet, HashSet};

use lineshift_domain::ids::{RevCustomerId, SiteId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_store::Result;
use lineshift_store::catalogue::{CatalogueStore as _, FoundCustomer, FoundCustomers, NAMES_LOOKED_THROUGH, Unnamed};
use lineshift_store::paging::MAX_PAGE_ITEMS;
use lineshift_store::sql::catalogue as text;

use crate::engine::{Engine, Sql, SqlStore};

/// The last letter that there is: what begins with a text comes before the text with it.
const LAST_LETTER: &str = "\u{10FFFF}";

/// The most letters of a text that is sought.
const MOST_LETTERS: usize = 200;

pub(crate) async fn find<E: Engine>(
    store: &SqlStore<E>,
    tenant: TenantId,
    reach: &Reach,
    text: &str,
    limit: usize,
) -> Result<FoundCustomers> {
    let wanted: String = text.trim().chars().filter(|letter| *letter != '\0').take(MOST_LETTERS).collect();
    let is_limited = match reach {
        Reach::Everything => false,
        Reach::Named(named) => named.names_assignments() || named.service_providers.is_empty(),
    };
    let mut found = Search { limit, customers: Vec::new(), more: false };
    let stopped = if is_limited {
        among_reached(store, tenant, reach, &wanted, &mut found).await?
    } else {
        by_number(store, tenant, &wanted, &mut found).await?;
        by_name(store, tenant, &wanted, &mut found).await?
    };
    Ok(FoundCustomers { customers: found.customers, more: found.more, stopped })
}

/// What was found so far.
struct Search {
    limit: usize,
    customers: Vec<FoundCustomer>,
    more: bool,
}

impl Search {
    fn push(&mut self, name: String, rev_customer_id: Option<RevCustomerId>, site_id: Option<SiteId>) {
        if self.customers.iter().any(|known| (known.rev_customer_id, known.site_id) == (rev_customer_id, site_id)) {
            return;
        }
        if self.customers.len() < self.limit {
            self.customers.push(FoundCustomer { name, rev_customer_id, site_id });
        } else {
            self.more = true;
        }
    }
}

/// Whose number it is.
async fn by_number<E: Engine>(store: &SqlStore<E>, tenant: TenantId, wanted: &str, found: &mut Search) -> Result<()> {
    let Ok(number) = wanted.parse::<i64>() else { return Ok(()) };
    let (customer, site) = store
        .engine
        .read(tenant, move |sql| {
            let customer =
                sql.find(text::GET_REV_CUSTOMER, &[&tenant.0, &number], |row| Ok((row.get(1)?, row.get::<bool>(3)?)))?;
            let site = sql.find(text::GET_SITE, &[&tenant.0, &number], |row| {
                Ok((row.get(1)?, row.get::<bool>(3)? && row.get::<Option<i64>>(2)?.is_none()))
            })?;
            Ok((customer, site))
        })
        .await?;
    if let Some((name, true)) = customer {
        found.push(name, Some(RevCustomerId(number)), None);
    }
    if let Some((name, true)) = site {
        found.push(name, None, Some(SiteId(number)));
    }
    Ok(())
}

/// By the indexes of names; whether there are more names than were looked through.
async fn by_name<E: Engine>(store: &SqlStore<E>, tenant: TenantId, wanted: &str, found: &mut Search) -> Result<bool> {
    let (sent, surplus) = (wanted.to_owned(), found.limit as i64 + 1);
    let (customers, sites) = store
        .engine
        .read(tenant, move |sql| {
            let named = |statement| {
                sql.query(statement, &[&tenant.0, &sent, &LAST_LETTER, &surplus], |row| Ok((row.get(0)?, row.get::<String>(1)?)))
            };
            Ok((named(text::FIND_CUSTOMERS_BY_BEGINNING)?, named(text::FIND_AMOP_SITES_BY_BEGINNING)?))
        })
        .await?;
    for (id, name) in customers {
        found.push(name, Some(RevCustomerId(id)), None);
    }
    for (id, name) in sites {
        found.push(name, None, Some(SiteId(id)));
    }
    if found.more || wanted.is_empty() {
        return Ok(false);
    }
    let pattern = escaped(wanted);
    let (customers, sites, stopped) = store.engine.read(tenant, move |sql| by_part(sql, tenant, &pattern, surplus)).await?;
    let unnamed = Unnamed { rev_customers: customers, sites, ..Unnamed::default() };
    let names = store.find_names(tenant, &unnamed).await?;
    for (id, name) in names.rev_customers {
        found.push(name, Some(id), None);
    }
    for (id, name) in names.sites {
        found.push(name, None, Some(id));
    }
    Ok(stopped && !found.more)
}

/// In whose names it stands, of as many as are looked through; and whether there are more.
fn by_part(
    sql: &Sql<'_>,
    tenant: TenantId,
    pattern: &str,
    surplus: i64,
) -> Result<(BTreeSet<RevCustomerId>, BTreeSet<SiteId>, bool)> {
    let most = NAMES_LOOKED_THROUGH as i64;
    let ids = |statement| sql.query(statement, &[&tenant.0, &pattern, &most, &surplus], |row| row.get::<i64>(0));
    let is_there_more = |statement| Ok(sql.find(statement, &[&tenant.0, &most], |row| row.get::<i64>(0))?.is_some());
    let customers = ids(text::FIND_CUSTOMERS_BY_PART)?.into_iter().map(RevCustomerId).collect();
    let sites = ids(text::FIND_AMOP_SITES_BY_PART)?.into_iter().map(SiteId).collect();
    let stopped = is_there_more(text::HAS_MORE_CUSTOMERS)? || is_there_more(text::HAS_MORE_AMOP_SITES)?;
    Ok((customers, sites, stopped))
}

/// A text in which nothing has a meaning for `LIKE`.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if ['!', '%', '_'].contains(&letter) {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern
}

/// Among the customers and sites that a limited reach names; whether there are more than were gone through.
async fn among_reached<E: Engine>(
    store: &SqlStore<E>,
    tenant: TenantId,
    reach: &Reach,
    wanted: &str,
    found: &mut Search,
) -> Result<bool> {
    let wanted = wanted.to_lowercase();
    let fits = |name: &str, number: i64| name.to_lowercase().contains(&wanted) || number.to_string() == wanted;
    let (mut offered, mut after): (HashSet<RevCustomerId>, _) = (HashSet::new(), None);
    loop {
        let listed = store.list_rev_customers(tenant, reach, after, MAX_PAGE_ITEMS).await?;
        for customer in listed.items.into_iter().filter(|it| it.is_active && reach.reaches_customer(it.id)) {
            offered.insert(customer.id);
            if fits(&customer.name, customer.id.0) {
                found.push(customer.name, Some(customer.id), None);
            }
        }
        after = listed.next;
        if after.is_none() {
            break;
        }
    }
    let mut after = None;
    for _ in 0..NAMES_LOOKED_THROUGH.div_ceil(MAX_PAGE_ITEMS) {
        if found.more {
            return Ok(false);
        }
        let listed = store.list_sites(tenant, reach, after, MAX_PAGE_ITEMS).await?;
        // Of a customer that is offered itself no site is.
        for site in listed.items.into_iter().filter(|site| {
            let is_own = site.rev_customer_id.is_none_or(|customer| !offered.contains(&customer));
            site.is_active && is_own && reach.reaches_site(site.id, site.rev_customer_id)
        }) {
            if fits(&site.name, site.id.0) {
                found.push(site.name, site.rev_customer_id, Some(site.id));
            }
        }
        after = listed.next;
        if after.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
