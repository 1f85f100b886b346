//! Customer rate pools: shared data.

super::endpoints! {
    CustomerRatePool, CustomerRatePoolId, CustomerRatePoolView, NewCustomerRatePool, CustomerRatePoolPatch, "customer rate pools", "a customer rate pool";
    list_customer_rate_pools, create_customer_rate_pool: "/api/v1/customer-rate-pools";
    get_customer_rate_pool, update_customer_rate_pool: "/api/v1/customer-rate-pools/{id}";
    read read, check check
}

fn read(_: &Web, fields: &mut Fields, present: Option<&CustomerRatePool>) -> Option<CustomerRatePool> {
    let name = fields.text("name", present.map(|it| it.name.as_str()));
    let is_active = fields.flag("is_active", present.map(|it| it.is_active), true);
    let id = present.map_or(CustomerRatePoolId(0), |it| it.id);
    Some(CustomerRatePool { id, name: name?, is_active: is_active? })
}

async fn check(_: &Web, _: &Caller, _: &CustomerRatePool) -> Result<(), ApiProblem> {
    Ok(())
}
