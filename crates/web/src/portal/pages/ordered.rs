//! What a bulk change was ordered to do, as words with names.

use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_store::catalogue::{Names, Unnamed};

use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;
use crate::views::{
    AssignmentView, BulkChangeView, MomentView, OrderView, OrderedCarrierRatePlanView, OrderedRevServiceView, PlanView,
};

/// Each part of an order, and what it says.
type Parts = Vec<(&'static str, String)>;

/// What was ordered; names are asked for at once.
pub(super) async fn ordered(viewer: &Viewer, change: &BulkChangeView, order: &OrderView) -> Result<Parts, ApiProblem> {
    let plans =
        [order.customer_rate_plan.as_ref(), order.assignment.as_ref().and_then(|given| given.customer_rate_plan.as_ref())];
    let plans = || plans.into_iter().flatten();
    let assignment = order.assignment.as_ref();
    let unnamed = Unnamed {
        rev_customers: assignment.and_then(|given| given.rev_customer_id).map(RevCustomerId).into_iter().collect(),
        sites: assignment.map(|given| SiteId(given.site_id)).into_iter().collect(),
        service_providers: [ServiceProviderId(change.service_provider_id)].into(),
        customer_rate_plans: plans().filter_map(|plan| plan.customer_rate_plan_id).map(CustomerRatePlanId).collect(),
        customer_rate_pools: plans().filter_map(|plan| plan.customer_rate_pool_id).map(CustomerRatePoolId).collect(),
    };
    let names = viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed).await?;
    let mut parts = Parts::new();
    parts.extend(names.service_providers.into_values().next().map(|name| ("Service provider", name)));
    let names = Names { service_providers: [].into(), ..names };
    if let Some(given) = assignment {
        assignment_parts(given, &names, &mut parts);
    }
    if let Some(plan) = &order.customer_rate_plan {
        plan_parts(plan, &names, &mut parts);
    }
    if let Some(plan) = &order.carrier_rate_plan {
        carrier_parts(plan, &mut parts);
    }
    if let Some(status) = &order.status {
        parts.push(("Status", status.target_status.clone()));
        parts.extend(status.reason_code.clone().map(|code| ("Reason code", code)));
    }
    Ok(parts)
}

fn assignment_parts(given: &AssignmentView, names: &Names, parts: &mut Parts) {
    let named = |id: i64, name: Option<&String>| name.cloned().unwrap_or_else(|| id.to_string());
    parts.extend(given.rev_customer_id.map(|id| ("Customer", named(id, names.rev_customers.get(&RevCustomerId(id))))));
    let site = named(given.site_id, names.sites.get(&SiteId(given.site_id)));
    parts.push((if given.rev_customer_id.is_some() { "Site" } else { "Customer" }, site));
    parts.extend(given.rev_service.as_ref().map(|service| ("Rev service", service_words(service))));
    if given.rev_service.is_some() {
        let after =
            if given.on_rev_service_failure == "continue" { "the rest is done all the same" } else { "nothing else is done" };
        parts.push(("When the Rev service fails", after.to_owned()));
    }
    if let Some(plan) = &given.carrier_rate_plan {
        carrier_parts(plan, parts);
    }
    if let Some(plan) = &given.customer_rate_plan {
        plan_parts(plan, names, parts);
    }
    let date = given.effective_date.as_ref().map_or_else(|| "now, dated by each line's activation".to_owned(), moment);
    parts.push(("Effective", date));
    let partly = if given.on_partial_failure == "compensate" {
        "what was done to the line is undone"
    } else {
        "what was done to the line stays"
    };
    parts.push(("When a later step fails", partly.to_owned()));
}

fn service_words(service: &OrderedRevServiceView) -> String {
    let charged = match (&service.package_id, &service.products) {
        (Some(package), _) => format!("package {package}"),
        (None, Some(products)) => {
            let each = products
                .iter()
                .map(|product| format!("product {} ({} x {})", product.product_id, product.quantity, product.rate));
            each.collect::<Vec<_>>().join(", ")
        }
        (None, None) => String::new(),
    };
    let prorated = if service.prorate { ", prorated" } else { "" };
    format!("type {}, provider {}, {charged}{prorated}", service.service_type_id, service.provider_id)
}

fn plan_parts(plan: &PlanView, names: &Names, parts: &mut Parts) {
    let named = |id: i64, name: Option<&String>| match (id, name) {
        (0, _) => "none".to_owned(),
        (_, Some(name)) => name.clone(),
        (id, None) => id.to_string(),
    };
    let plans = plan.customer_rate_plan_id.map(|id| named(id, names.customer_rate_plans.get(&CustomerRatePlanId(id))));
    let pool = plan.customer_rate_pool_id.map(|id| named(id, names.customer_rate_pools.get(&CustomerRatePoolId(id))));
    let allocation = plan.customer_data_allocation_mb.map(|mb| if mb.is_zero() { "none".to_owned() } else { format!("{mb} MB") });
    parts.extend(plans.map(|name| ("Customer rate plan", name)));
    parts.extend(pool.map(|name| ("Customer rate pool", name)));
    parts.extend(allocation.map(|mb| ("Allocation", mb)));
    let date = plan.effective_date.as_ref().map_or_else(|| "now".to_owned(), moment);
    parts.push(("Plan takes effect", date));
    if plan.replace_scheduled {
        parts.push(("Scheduled changes of these lines", "are canceled".to_owned()));
    }
}

fn carrier_parts(plan: &OrderedCarrierRatePlanView, parts: &mut Parts) {
    parts.extend(plan.carrier_rate_plan.clone().map(|code| ("Carrier rate plan", code)));
    parts.extend(plan.comm_plan.clone().map(|name| ("Communication plan", name)));
    parts.extend(plan.effective_date.as_ref().map(|at| ("Carrier does it", moment(at))));
}

fn moment(at: &MomentView) -> String {
    at.local.format("%Y-%m-%d %H:%M").to_string()
}
