//! What can be ordered: lists that change rarely.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::ledger::{Listed, Package, PackageProduct, Product};
use super::{Refusal, Success, Work, passes, resource};

/// Reads from a list of the catalogue; none: the call is no such reading.
pub(super) fn read(name: &str, work: &Work<'_>) -> Option<Result<Success, Refusal>> {
    let ledger = &work.ledger;
    let resource_name = name.strip_prefix("GET /")?.split('/').next()?;
    Some(match resource_name {
        "Products" => records(work, "product_id", &ledger.products, |one| one.active, Product::json),
        "Packages" => records(work, "package_id", &ledger.packages, |one| one.active, Package::json),
        "PackageProducts" => package_products(work),
        "ServiceTypes" => listed(work, "service_type_id", &ledger.service_types),
        "Providers" => listed(work, "provider_id", &ledger.providers),
        "UsagePlanGroups" => listed(work, "usage_plan_group_id", &ledger.usage_plan_groups),
        "BillProfiles" => listed(work, "bill_profile_id", &ledger.bill_profiles),
        _ => return None,
    })
}

fn listed(work: &Work<'_>, id_name: &str, all: &BTreeMap<i64, Listed>) -> Result<Success, Refusal> {
    records(work, id_name, all, |one| one.active, |one| one.json(id_name))
}

/// One record when the path holds an id, else a page of them.
fn records<T>(
    work: &Work<'_>,
    id_name: &str,
    all: &BTreeMap<i64, T>,
    active: impl Fn(&T) -> bool,
    json: impl Fn(&T) -> Value,
) -> Result<Success, Refusal> {
    if let Some(id) = work.call.id() {
        return resource(all.get(&id).map(json));
    }
    let (ids, flag) = (work.ids(id_name), work.call.query.flag("active"));
    let wanted = |(id, one): &(&i64, &T)| passes(ids.as_deref(), id) && flag.is_none_or(|flag| active(one) == flag);
    Ok(work.page(all.iter().filter(wanted).map(|(_, one)| one), json))
}

fn package_products(work: &Work<'_>) -> Result<Success, Refusal> {
    let all = &work.ledger.package_products;
    if let Some(id) = work.call.id() {
        return resource(all.get(&id).map(PackageProduct::json));
    }
    let (ids, packages, products) = (work.ids("package_product_id"), work.ids("package_id"), work.ids("product_id"));
    let wanted = |product: &&PackageProduct| {
        passes(ids.as_deref(), &product.package_product_id)
            && passes(packages.as_deref(), &product.package_id)
            && passes(products.as_deref(), &product.product_id)
    };
    Ok(work.page(all.values().filter(wanted), PackageProduct::json))
}
