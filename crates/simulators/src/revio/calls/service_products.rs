//! Service products.

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::ledger::{ProductStatus, ServiceProduct, is_found};
use super::super::text::decimal;
use super::{Refusal, Success, Work, changed, created, passes, resource};

/// `GET /ServiceProduct`
pub(super) fn list(work: &Work<'_>) -> Result<Success, Refusal> {
    let (ids, services) = (work.ids("service_product_id"), work.ids("service_id"));
    let (customers, products) = (work.ids("customer_id"), work.ids("product_id"));
    let wanted = |product: &&ServiceProduct| {
        is_found(product.found_from, work.instant)
            && passes(ids.as_deref(), &product.service_product_id)
            && passes(services.as_deref(), &product.service_id)
            && passes(customers.as_deref(), &product.customer_id)
            && passes(products.as_deref(), &product.product_id)
    };
    let all = &work.ledger.service_products;
    Ok(match &services {
        Some(services) => {
            let few = services.iter().flat_map(|service| work.ledger.products_of(*service));
            work.page(few.filter_map(|id| all.get(id)).filter(wanted), ServiceProduct::json)
        }
        None => work.page(all.values().filter(wanted), ServiceProduct::json),
    })
}

/// `GET /ServiceProduct/{service_product_id}`; finds what searches do not find yet.
pub(super) fn get(work: &Work<'_>) -> Result<Success, Refusal> {
    resource(work.call.id().and_then(|id| work.ledger.service_products.get(&id)).map(ServiceProduct::json))
}

/// `POST /ServiceProduct`
pub(super) fn create(work: &mut Work<'_>) -> Result<Success, Refusal> {
    let customer_id = work.open_customer()?;
    let service_id = work.required_id("service_id")?;
    let product_id = work.required_id("product_id")?;
    match work.ledger.services.get(&service_id).filter(|service| service.customer_id == customer_id) {
        None => return Err(Refusal::new(400, format!("service_id: the customer has no service {service_id}"))),
        Some(service) if service.disconnected_date.is_some() => {
            return Err(Refusal::new(400, format!("service_id: service {service_id} is disconnected")));
        }
        Some(_) => {}
    }
    let Some(product) = work.ledger.products.get(&product_id) else {
        return Err(Refusal::new(400, format!("product_id: product {product_id} does not exist")));
    };
    if !product.active {
        return Err(Refusal::new(400, format!("product_id: product {product_id} is not active")));
    }
    let id = work.ledger.add_service_product(ServiceProduct {
        description: work.text("description").or_else(|| Some(product.description.clone())),
        rate: decimal(&work.call.body["rate"]).or(product.rate),
        quantity: decimal(&work.call.body["quantity"]).or(Some(Decimal::ONE)),
        status: if product.creates_order { ProductStatus::Pending } else { ProductStatus::Active },
        activated_date: work.day("activated_date").or_else(|| Some(work.now.date_naive())),
        effective_date: work.day("effective_date"),
        created_date: work.now,
        updated_date: work.now,
        found_from: Some(work.found_from),
        ..ServiceProduct::new(customer_id, service_id, product_id)
    });
    Ok(created("ServiceProduct", id))
}

/// `DELETE /ServiceProduct`
pub(super) fn disconnect(work: &mut Work<'_>) -> Result<Success, Refusal> {
    let id = work.required_id("service_product_id")?;
    let (on, now) = (work.day("effective_date").unwrap_or_else(|| work.now.date_naive()), work.now);
    let Some(product) = work.ledger.service_products.get_mut(&id) else {
        return Err(Refusal::new(404, format!("service_product_id: service product {id} does not exist")));
    };
    if product.status == ProductStatus::Disconnected {
        return Err(Refusal::new(400, format!("service_product_id: service product {id} is disconnected already")));
    }
    product.effective_date = Some(on);
    product.disconnect(on, now);
    Ok(changed(id))
}

/// `PATCH /ServiceProduct/{service_product_id}`
pub(super) fn change(work: &mut Work<'_>) -> Result<Success, Refusal> {
    let operations = work.call.body.as_array().map(Vec::as_slice).unwrap_or_default();
    let touches = |paths: &[&str]| operations.iter().any(|one| one["path"].as_str().is_some_and(|path| paths.contains(&path)));
    if touches(&["/status"]) && touches(&["/rate", "/quantity"]) {
        return Err(Refusal::new(400, "body: rate and quantity cannot change in the same call as status"));
    }
    let id = work.call.id().unwrap_or_default();
    let Some(product) = work.ledger.service_products.get_mut(&id) else {
        return Err(Refusal::new(404, format!("service_product_id: service product {id} does not exist")));
    };
    for operation in operations {
        change_field(product, operation["path"].as_str().unwrap_or_default(), &operation["value"]);
    }
    product.updated_date = work.now;
    Ok(changed(id))
}

/// Other paths are refused by the description.
fn change_field(product: &mut ServiceProduct, path: &str, value: &Value) {
    match path {
        "/rate" => product.rate = decimal(value),
        "/quantity" => product.quantity = decimal(value),
        "/description" => product.description = value.as_str().map(str::to_owned),
        _ => {
            if let Some(status) = value.as_str().and_then(ProductStatus::from_name) {
                product.status = status;
            }
        }
    }
}
