//! Service products of a page: new, changed, gone.

use std::collections::HashMap;

use lineshift_domain::ids::{RevCustomerId, RevServiceProductId, TenantId};
use lineshift_domain::sync::{FindingKind, FindingSubject};
use lineshift_domain::terms::ServiceProductStatus;
use lineshift_store::Result;
use lineshift_store::billing::RevServiceProductRow;
use lineshift_store::sync::GoneProduct;
use rust_decimal::Decimal;

use super::record::{Differences, Found, Page, last_of_each};
use crate::billing::services::disconnect_products;
use crate::json::json as to_json;
use crate::sql::sync as text;
use crate::value::Parameter;

/// What is stored of a service product.
struct Stored {
    service: i64,
    product: i64,
    package: Option<i64>,
    rate: Option<Decimal>,
    quantity: Option<Decimal>,
    status: ServiceProductStatus,
    description: Option<String>,
    seen: bool,
    /// Written by this system since the run began.
    is_ours: bool,
}

/// Writes products that were read, and those that are gone.
pub(super) fn write(page: &mut Page<'_>, given: &[RevServiceProductRow], gone: &[GoneProduct]) -> Result<()> {
    read_products(page, given)?;
    gone_products(page, gone)
}

const fn is_charged(status: ServiceProductStatus) -> bool {
    matches!(status, ServiceProductStatus::Pending | ServiceProductStatus::Active)
}

fn read_products(page: &mut Page<'_>, given: &[RevServiceProductRow]) -> Result<()> {
    let given = last_of_each(given, |product| (product.rev_customer_id, product.rev_service_product_id));
    if given.is_empty() {
        return Ok(());
    }
    let services: Vec<(i64, i64)> = given.iter().map(|product| (product.rev_customer_id.0, product.rev_service_id.0)).collect();
    let keys: Vec<(i64, i64)> =
        given.iter().map(|product| (product.rev_customer_id.0, product.rev_service_product_id.0)).collect();
    let parents = parents(page, &services)?;
    let stored = stored_products(page, &keys)?;
    let (mut written, mut seen) = (Vec::new(), Vec::new());
    for (place, product) in given.into_iter().enumerate() {
        let Some(parent_is_ours) = parents.get(&place) else {
            page.find(
                FindingKind::LeftOut,
                about(product, Some(format!("service {} is not known here", product.rev_service_id))),
            );
            continue;
        };
        match stored.get(&place) {
            Some(stored) => {
                let is_ours = stored.is_ours || *parent_is_ours;
                // Only a read of the products of that very service may say that one is gone.
                if !is_ours && is_charged(stored.status) && !is_charged(product.status) {
                    continue;
                }
                if compare(page, product, stored, is_ours) {
                    written.push(product.clone());
                }
            }
            None => {
                page.count(Some(FindingKind::New));
                page.find(FindingKind::New, about(product, None));
                written.push(product.clone());
            }
        }
        seen.push(keys[place]);
    }
    page.sql.procedures().create_products(page.sql, TenantId(page.tenant()), &written, None)?;
    page.sql.execute(text::MARK_PRODUCTS, &[&page.tenant(), &to_json(&seen)?, &page.run()]).map(|_| ())
}

/// Which services are stored, by place, and whether each is this system's own at the moment.
fn parents(page: &Page<'_>, services: &[(i64, i64)]) -> Result<HashMap<usize, bool>> {
    let parameters: [&dyn Parameter; 3] = [&page.tenant(), &to_json(services)?, &page.began()];
    let found = page.sql.query(text::FIND_SERVICES_OF_PRODUCTS, &parameters, |row| {
        Ok((row.place(0)?, row.get::<bool>(1)? || row.get::<bool>(2)?))
    })?;
    Ok(found.into_iter().collect())
}

fn stored_products(page: &Page<'_>, keys: &[(i64, i64)]) -> Result<HashMap<usize, Stored>> {
    let run = page.run();
    let stored = page.sql.query(text::FIND_PRODUCTS, &[&page.tenant(), &to_json(keys)?, &page.began()], |row| {
        let stored = Stored {
            service: row.get(1)?,
            product: row.get(2)?,
            package: row.get(3)?,
            rate: row.maybe_decimal(4)?,
            quantity: row.maybe_decimal(5)?,
            status: row.term(6)?,
            description: row.get(7)?,
            seen: row.get::<Option<i64>>(8)? == Some(run),
            is_ours: row.get(9)?,
        };
        Ok((row.place(0)?, stored))
    })?;
    Ok(stored.into_iter().collect())
}

/// Whether the product is to be written. One that the run has seen is not.
fn compare(page: &mut Page<'_>, product: &RevServiceProductRow, stored: &Stored, is_ours: bool) -> bool {
    if stored.seen {
        return false;
    }
    let mut differences = Differences::default();
    if !is_ours {
        differences.exactly("service", Some(&stored.service), Some(&product.rev_service_id.0));
        differences.exactly("product", Some(&stored.product), Some(&product.rev_product_id));
        differences.known("package", stored.package.as_ref(), product.package_id.as_ref());
        differences.known("rate", stored.rate.as_ref(), product.rate.as_ref());
        differences.known("quantity", stored.quantity.as_ref(), product.quantity.as_ref());
        differences.exactly("status", Some(&stored.status), Some(&product.status));
        differences.known("description", stored.description.as_ref(), product.description.as_ref());
    }
    let shown = differences.shown();
    let differs = shown.is_some();
    page.count(differs.then_some(FindingKind::Changed));
    if let Some((here, there)) = shown {
        page.find(FindingKind::Changed, Found { there: Some(there), ..about(product, Some(here)) });
    }
    differs
}

fn about(product: &RevServiceProductRow, here: Option<String>) -> Found {
    let rate = product.rate.map_or_else(|| "no rate".to_owned(), |rate| format!("rate {}", rate.normalize()));
    Found {
        subject: FindingSubject::ServiceProduct,
        subject_id: product.rev_service_product_id.0,
        customer: Some(product.rev_customer_id.0),
        service: Some(product.rev_service_id.0),
        device: None,
        line: None,
        here,
        there: Some(format!("product {}, {rate}, {}", product.rev_product_id, product.status)),
    }
}

fn gone_products(page: &mut Page<'_>, gone: &[GoneProduct]) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let keys: Vec<(i64, i64)> = gone.iter().map(|one| (one.rev_customer_id.0, one.rev_service_product_id.0)).collect();
    let parameters: [&dyn Parameter; 3] = [&page.tenant(), &to_json(&keys)?, &page.began()];
    let places = page.sql.query(text::FIND_STILL_CHARGED, &parameters, |row| row.place(0))?;
    let mut disconnected: Vec<(RevCustomerId, RevServiceProductId)> = Vec::with_capacity(places.len());
    for place in places {
        let GoneProduct { rev_customer_id, rev_service_id, rev_service_product_id, there } = &gone[place];
        disconnected.push((*rev_customer_id, *rev_service_product_id));
        page.counts.gone += 1;
        let found = Found {
            subject: FindingSubject::ServiceProduct,
            subject_id: rev_service_product_id.0,
            customer: Some(rev_customer_id.0),
            service: Some(rev_service_id.0),
            device: None,
            line: None,
            here: Some("charged".to_owned()),
            there: Some(there.clone()),
        };
        page.find(FindingKind::Gone, found);
    }
    disconnect_products(page.sql, TenantId(page.tenant()), &disconnected, page.now)
}
