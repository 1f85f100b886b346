//! Carrier accounts.

use lineshift_domain::terms::IntegrationKind;

super::endpoints! {
    ServiceProvider, ServiceProviderId, ServiceProviderView, NewServiceProvider, ServiceProviderPatch, "service providers", "a service provider";
    list_service_providers, create_service_provider: "/api/v1/service-providers";
    get_service_provider, update_service_provider: "/api/v1/service-providers/{id}";
    read read, check check
}

/// The kinds that a carrier account may be of.
const CARRIERS: [IntegrationKind; 4] =
    [IntegrationKind::JASPER, IntegrationKind::THING_SPACE, IntegrationKind::TELEGENCE, IntegrationKind::POND];

fn read(fields: &mut Fields, present: Option<&ServiceProvider>) -> Option<ServiceProvider> {
    let name = fields.text("name", present.map(|it| it.name.as_str()));
    let integration_kind = fields.term("integration_kind", present.map(|it| it.integration_kind), &CARRIERS);
    let write_enabled = fields.flag("write_enabled", present.map(|it| it.write_enabled), false);
    let is_active = fields.flag("is_active", present.map(|it| it.is_active), true);
    Some(ServiceProvider {
        id: present.map_or(ServiceProviderId(0), |it| it.id),
        name: name?,
        integration_kind: integration_kind?,
        write_enabled: write_enabled?,
        is_active: is_active?,
    })
}

async fn check(_: &Web, _: &Caller, _: &ServiceProvider) -> Result<(), ApiProblem> {
    Ok(())
}
