//! Carrier accounts.

use lineshift_domain::ids::IntegrationAuthenticationId;
use lineshift_domain::refusal::Problem;

use crate::credentials::known_kinds;

super::endpoints! {
    ServiceProvider, ServiceProviderId, ServiceProviderView, NewServiceProvider, ServiceProviderPatch, "service providers", "a service provider";
    list_service_providers, create_service_provider: "/api/v1/service-providers";
    get_service_provider, update_service_provider: "/api/v1/service-providers/{id}";
    read read, check check
}

fn read(web: &Web, fields: &mut Fields, present: Option<&ServiceProvider>) -> Option<ServiceProvider> {
    let name = fields.text("name", present.map(|it| it.name.as_str()));
    let mut kinds = known_kinds(web.engine.carriers());
    kinds.retain(|kind| kind.is_carrier());
    let integration_kind = fields.term("integration_kind", present.map(|it| it.integration_kind), &kinds);
    let authentication = present.and_then(|it| it.integration_authentication_id).map(|id| id.0);
    let authentication = fields.optional_id("integration_authentication_id", authentication);
    let write_enabled = fields.flag("write_enabled", present.map(|it| it.write_enabled), false);
    let is_active = fields.flag("is_active", present.map(|it| it.is_active), true);
    Some(ServiceProvider {
        id: present.map_or(ServiceProviderId(0), |it| it.id),
        name: name?,
        integration_kind: integration_kind?,
        integration_authentication_id: authentication?.map(IntegrationAuthenticationId),
        write_enabled: write_enabled?,
        is_active: is_active?,
    })
}

/// The account must be one of the carrier's own kind.
async fn check(web: &Web, caller: &Caller, provider: &ServiceProvider) -> Result<(), ApiProblem> {
    let Some(id) = provider.integration_authentication_id else { return Ok(()) };
    let field = "integration_authentication_id";
    let found = super::referred(field, web.engine.store().get_integration_authentication(caller.tenant, id).await)?;
    if found.integration_kind != provider.integration_kind {
        let message = format!("found one of {}, expected one of {}", found.integration_kind, provider.integration_kind);
        return Err(ApiProblem::refused(vec![Problem::new(field, "wrong_integration_kind", message)]));
    }
    Ok(())
}
