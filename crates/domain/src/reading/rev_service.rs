//! `CreateRevService` and its fields (B4.2).

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::codes;
use super::fields::{Fields, Known};
use super::forms::LONGEST_TEXT;
use super::problems::Problems;
use crate::order::{RevCharge, RevProductOrder, RevServiceOrder};

/// The names of the fields that need `CreateRevService`.
pub(super) const REV_SERVICE: &[&str] = &[
    "ServiceTypeId",
    "ProviderId",
    "RevPackageId",
    "RevProducts",
    "UsagePlanGroupId",
    "Prorate",
    "Description",
    "OnRevServiceFailure",
];

const PRODUCT: Known = &[&["ProductId", "Rate", "Quantity"]];

/// Takes the option and its fields; none where it is not set. `OnRevServiceFailure` is left to the caller.
pub(super) fn read_rev_service(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<RevServiceOrder> {
    let wanted = fields.flag("CreateRevService", false, problems);
    if wanted == Some(false) {
        for name in REV_SERVICE.iter().filter(|name| fields.asks(name)) {
            fields.report(
                name,
                codes::FIELD_WITHOUT_OPTION,
                "given without CreateRevService: set that or leave this out",
                problems,
            );
        }
    }
    if wanted == Some(true) {
        for name in ["ServiceTypeId", "ProviderId"].into_iter().filter(|name| !fields.is_given(name)) {
            let message = format!("CreateRevService needs {name}; give Rev.io's id");
            fields.report(name, codes::OPTION_WITHOUT_FIELD, message, problems);
        }
    }
    let service = RevServiceOrder {
        service_type_id: fields.id("ServiceTypeId", problems).unwrap_or_default(),
        provider_id: fields.id("ProviderId", problems).unwrap_or_default(),
        charge: read_charge(fields, wanted == Some(true), problems),
        usage_plan_group_id: fields.id("UsagePlanGroupId", problems),
        prorate: fields.flag("Prorate", false, problems).unwrap_or_default(),
        description: fields.text("Description", LONGEST_TEXT, problems),
    };
    (wanted == Some(true)).then_some(service)
}

/// Exactly one of a package and products.
fn read_charge(fields: &mut Fields<'_>, wanted: bool, problems: &mut Problems) -> RevCharge {
    let (package, products) = (fields.asks("RevPackageId"), fields.asks("RevProducts"));
    if package && products {
        let message = "RevPackageId is given too; a package brings its own products: give one of them";
        fields.report("RevProducts", codes::CONFLICTING_FIELDS, message, problems);
    }
    if wanted && !package && !products {
        let message = "CreateRevService needs RevPackageId or at least one entry of RevProducts; give one of them";
        fields.report("RevProducts", codes::OPTION_WITHOUT_FIELD, message, problems);
    }
    let package_id = fields.id("RevPackageId", problems);
    let products = read_products(fields, problems);
    package_id.map_or(RevCharge::Products(products), RevCharge::Package)
}

fn read_products(fields: &mut Fields<'_>, problems: &mut Problems) -> Vec<RevProductOrder> {
    let mut seen = BTreeSet::new();
    let mut products = Vec::new();
    fields.each_object("RevProducts", PRODUCT, problems, |mut fields, problems| {
        let product_id = fields.required_id("ProductId", problems);
        if product_id > 0 && !seen.insert(product_id) {
            let message = format!("product {product_id} stands in RevProducts already; give it once, with a Quantity");
            fields.report("ProductId", codes::CONFLICTING_FIELDS, message, problems);
        }
        let rate_given = fields.require("Rate", "the rate a month, more than 0", problems);
        let rate = rate_given.then(|| fields.positive_amount("Rate", problems)).flatten().unwrap_or_default();
        let quantity = fields.positive_amount("Quantity", problems).unwrap_or(Decimal::ONE);
        products.push(RevProductOrder { product_id, rate, quantity });
    });
    products
}
