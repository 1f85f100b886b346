//! The credentials of billing and carrier accounts, without their secrets.

use crate::credentials::known_kinds;

super::endpoints! {
    IntegrationAuthentication, IntegrationAuthenticationId, IntegrationAuthenticationView, NewIntegrationAuthentication,
        IntegrationAuthenticationPatch, "integration authentications", "an integration authentication";
    list_integration_authentications, create_integration_authentication: "/api/v1/integration-authentications";
    get_integration_authentication, update_integration_authentication: "/api/v1/integration-authentications/{id}";
    read read, check check
}

fn read(web: &Web, fields: &mut Fields, present: Option<&IntegrationAuthentication>) -> Option<IntegrationAuthentication> {
    let name = fields.text("name", present.map(|it| it.name.as_str()));
    let kinds = known_kinds(web.engine.carriers());
    let integration_kind = fields.term("integration_kind", present.map(|it| it.integration_kind), &kinds);
    let is_active = fields.flag("is_active", present.map(|it| it.is_active), true);
    let id = present.map_or(IntegrationAuthenticationId(0), |it| it.id);
    Some(IntegrationAuthentication { id, name: name?, integration_kind: integration_kind?, is_active: is_active? })
}

async fn check(_: &Web, _: &Caller, _: &IntegrationAuthentication) -> Result<(), ApiProblem> {
    Ok(())
}
