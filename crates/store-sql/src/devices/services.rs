//! What is billed for a line.

use std::collections::BTreeMap;

use lineshift_domain::ids::{DeviceId, RevCustomerId, TenantId};
use lineshift_store::Result;
use lineshift_store::devices::{LineProduct, LineService};
use lineshift_store::sql::devices as text;

use crate::engine::Sql;
use crate::row::Row;

/// The services of a line by customer and id, each with its products.
pub(super) fn list(sql: &Sql<'_>, tenant: TenantId, device: DeviceId) -> Result<Vec<LineService>> {
    let mut services: BTreeMap<(i64, i64), LineService> = BTreeMap::new();
    for (service, product) in sql.query(text::LIST_SERVICES, &[&tenant.0, &device.0], read)? {
        let key = (service.rev_customer_id.0, service.rev_service_id);
        services.entry(key).or_insert(service).products.extend(product);
    }
    let mut services: Vec<LineService> = services.into_values().collect();
    for service in &mut services {
        service.products.sort_by_key(|product| product.rev_product_id);
    }
    Ok(services)
}

fn read(row: &Row<'_>) -> Result<(LineService, Option<LineProduct>)> {
    let service = LineService {
        rev_customer_id: RevCustomerId(row.get(0)?),
        rev_service_id: row.get(1)?,
        rev_service_type_id: row.get(2)?,
        activated_date: row.maybe_time(3)?,
        has_package: row.get(4)?,
        products: Vec::new(),
    };
    let Some(rev_product_id) = row.get::<Option<i64>>(5)? else { return Ok((service, None)) };
    let product = LineProduct {
        rev_product_id,
        package_id: row.get(6)?,
        rate: row.maybe_decimal(7)?,
        quantity: row.maybe_decimal(8)?,
        status: row.get(9)?,
        description: row.get(10)?,
    };
    Ok((service, Some(product)))
}
