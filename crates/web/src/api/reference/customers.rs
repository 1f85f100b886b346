//! Customers that exist in Rev.io, under Rev.io's own ids.

use lineshift_domain::ids::IntegrationAuthenticationId;
use lineshift_domain::refusal::Problem;
use lineshift_domain::terms::IntegrationKind;

super::endpoints! {
    RevCustomer, RevCustomerId, CustomerView, NewCustomer, CustomerPatch, "customers", "a customer";
    list_rev_customers, create_rev_customer: "/api/v1/customers";
    get_rev_customer, update_rev_customer: "/api/v1/customers/{id}";
    read read, check check
}

fn read(_: &Web, fields: &mut Fields, present: Option<&RevCustomer>) -> Option<RevCustomer> {
    let id = match present {
        Some(present) => Some(present.id.0),
        None => fields.id("id", None),
    };
    let name = fields.text("name", present.map(|it| it.name.as_str()));
    let authentication = fields.id("integration_authentication_id", present.map(|it| it.integration_authentication_id.0));
    let is_active = fields.flag("is_active", present.map(|it| it.is_active), true);
    Some(RevCustomer {
        id: RevCustomerId(id?),
        name: name?,
        integration_authentication_id: IntegrationAuthenticationId(authentication?),
        is_active: is_active?,
    })
}

async fn check(web: &Web, caller: &Caller, customer: &RevCustomer) -> Result<(), ApiProblem> {
    let field = "integration_authentication_id";
    let id = customer.integration_authentication_id;
    let found = super::referred(field, web.engine.store().get_integration_authentication(caller.tenant, id).await)?;
    if found.integration_kind != IntegrationKind::REV_IO {
        let message = format!("found one of {}, expected one of {}", found.integration_kind, IntegrationKind::REV_IO);
        return Err(ApiProblem::refused(vec![Problem::new(field, "wrong_integration_kind", message)]));
    }
    Ok(())
}
