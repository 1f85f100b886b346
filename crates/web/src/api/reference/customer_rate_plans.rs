//! Customer rate plans: what customers pay.

use lineshift_domain::reading::codes;

super::endpoints! {
    CustomerRatePlan, CustomerRatePlanId, CustomerRatePlanView, NewCustomerRatePlan, CustomerRatePlanPatch, "customer rate plans", "a customer rate plan";
    list_customer_rate_plans, create_customer_rate_plan: "/api/v1/customer-rate-plans";
    get_customer_rate_plan, update_customer_rate_plan: "/api/v1/customer-rate-plans/{id}";
    read read, check check
}

fn read(_: &Web, fields: &mut Fields, present: Option<&CustomerRatePlan>) -> Option<CustomerRatePlan> {
    let name = fields.text("name", present.map(|it| it.name.as_str()));
    let monthly_price = fields.optional_decimal("monthly_price", present.and_then(|it| it.monthly_price));
    let default = fields.optional_decimal("allocation_default_mb", present.and_then(|it| it.allocation_default_mb));
    let bound = fields.optional_decimal("allocation_bound_mb", present.and_then(|it| it.allocation_bound_mb));
    let rev_product_id = fields.optional_id("rev_product_id", present.and_then(|it| it.rev_product_id));
    let is_active = fields.flag("is_active", present.map(|it| it.is_active), true);
    if let (Some(Some(default)), Some(Some(bound))) = (default, bound)
        && default > bound
    {
        let message = format!("found {default} MB, expected at most allocation_bound_mb, which is {bound} MB");
        fields.report("allocation_default_mb", codes::OUT_OF_RANGE, message);
        return None;
    }
    Some(CustomerRatePlan {
        id: present.map_or(CustomerRatePlanId(0), |it| it.id),
        name: name?,
        monthly_price: monthly_price?,
        allocation_default_mb: default?,
        allocation_bound_mb: bound?,
        rev_product_id: rev_product_id?,
        is_active: is_active?,
    })
}

async fn check(_: &Web, _: &Caller, _: &CustomerRatePlan) -> Result<(), ApiProblem> {
    Ok(())
}
