//! Services.

use std::collections::BTreeSet;

use super::super::ledger::{ProductStatus, Service, ServiceProduct, is_found};
use super::super::options::NumberFilter;
use super::{Refusal, Success, Work, changed, created, passes, resource};

/// `GET /Services`
pub(super) fn list(work: &Work<'_>) -> Result<Success, Refusal> {
    let (ids, customers) = (work.ids("service_id"), work.ids("customer_id"));
    let numbers = work.texts("number").map(BTreeSet::from_iter);
    let numbers2 = work.texts("number2").map(BTreeSet::from_iter);
    let filter = work.options.open_parts.number_filter;
    let wanted = |service: &&Service| {
        is_found(service.found_from, work.instant)
            && passes(ids.as_deref(), &service.service_id)
            && passes(customers.as_deref(), &service.customer_id)
            && matches_number(filter, numbers.as_ref(), service.number.as_deref())
            && matches_number(filter, numbers2.as_ref(), service.number2.as_deref())
    };
    let services = &work.ledger.services;
    Ok(match candidates(work, numbers.as_ref(), customers.as_deref()) {
        Some(few) => work.page(few.iter().filter_map(|id| services.get(id)).filter(wanted), Service::json),
        None => work.page(services.values().filter(wanted), Service::json),
    })
}

/// Ids among which all that is wanted stands; none: it may be any.
fn candidates(work: &Work<'_>, numbers: Option<&BTreeSet<String>>, customers: Option<&[i64]>) -> Option<BTreeSet<i64>> {
    match (numbers, customers) {
        (Some(numbers), _) if work.options.open_parts.number_filter == NumberFilter::Exact => {
            Some(numbers.iter().flat_map(|number| work.ledger.services_numbered(number)).copied().collect())
        }
        (_, Some(customers)) => Some(customers.iter().flat_map(|customer| work.ledger.services_of(*customer)).copied().collect()),
        _ => None,
    }
}

fn matches_number(filter: NumberFilter, wanted: Option<&BTreeSet<String>>, number: Option<&str>) -> bool {
    let Some(wanted) = wanted else { return true };
    number.is_some_and(|number| match filter {
        NumberFilter::Exact => wanted.contains(number),
        NumberFilter::Part => wanted.iter().any(|part| number.contains(part.as_str())),
    })
}

/// `GET /Services/{service_id}`; finds what searches do not find yet.
pub(super) fn get(work: &Work<'_>) -> Result<Success, Refusal> {
    resource(work.call.id().and_then(|id| work.ledger.services.get(&id)).map(Service::json))
}

/// `POST /Services`
pub(super) fn create(work: &mut Work<'_>) -> Result<Success, Refusal> {
    let customer_id = work.open_customer()?;
    let provider_id = work.required_id("provider_id")?;
    let ledger = &work.ledger;
    known("provider_id", Some(provider_id), |id| ledger.providers.get(&id).map(|provider| provider.active))?;
    known("service_type_id", work.id("service_type_id"), |id| ledger.service_types.get(&id).map(|one| one.active))?;
    known("package_id", work.id("package_id"), |id| ledger.packages.get(&id).map(|package| package.active))?;
    known("usage_plan_group_id", work.id("usage_plan_group_id"), |id| {
        ledger.usage_plan_groups.get(&id).map(|group| group.active)
    })?;
    let service = Service {
        service_id: 0,
        customer_id,
        provider_id,
        service_type_id: work.id("service_type_id"),
        package_id: work.id("package_id"),
        usage_plan_group_id: work.id("usage_plan_group_id"),
        number: work.text("number"),
        number2: work.text("number2"),
        description: work.text("description"),
        address_id: work.id("address_id"),
        activated_date: work.day("activated_date").or_else(|| Some(work.now.date_naive())),
        disconnected_date: None,
        created_date: work.now,
        updated_date: work.now,
        found_from: Some(work.found_from),
    };
    let package = service.package_id;
    let id = work.ledger.add_service(service);
    if let Some(package) = package {
        add_package_products(work, customer_id, id, package);
    }
    Ok(created("Services", id))
}

/// Refuses what is not in the catalogue or may not be ordered.
fn known(name: &str, id: Option<i64>, active: impl Fn(i64) -> Option<bool>) -> Result<(), Refusal> {
    let Some(id) = id else { return Ok(()) };
    match active(id) {
        Some(true) => Ok(()),
        Some(false) => Err(Refusal::new(400, format!("{name}: {id} is not active"))),
        None => Err(Refusal::new(400, format!("{name}: {id} does not exist"))),
    }
}

fn add_package_products(work: &mut Work<'_>, customer: i64, service: i64, package: i64) {
    let brought = work.ledger.package_products.values().filter(|product| product.package_id == package);
    let found_from = work.found_from.max(work.instant + work.options.open_parts.package_products_after);
    let products: Vec<ServiceProduct> = brought
        .map(|product| ServiceProduct {
            package_id: Some(package),
            rate: product.rate,
            quantity: product.quantity,
            status: ProductStatus::Active,
            activated_date: Some(work.now.date_naive()),
            created_date: work.now,
            updated_date: work.now,
            found_from: Some(found_from),
            ..ServiceProduct::new(customer, service, product.product_id)
        })
        .collect();
    for product in products {
        work.ledger.add_service_product(product);
    }
}

/// `DELETE /Services`
pub(super) fn disconnect(work: &mut Work<'_>) -> Result<Success, Refusal> {
    let id = work.required_id("service_id")?;
    let on = work.day("effective_date").unwrap_or_else(|| work.now.date_naive());
    match work.ledger.services.get(&id) {
        None => return Err(Refusal::new(404, format!("service_id: service {id} does not exist"))),
        Some(service) if service.disconnected_date.is_some() => {
            return Err(Refusal::new(400, format!("service_id: service {id} is disconnected already")));
        }
        Some(_) => {}
    }
    work.ledger.disconnect_service(id, on, work.now);
    Ok(changed(id))
}
