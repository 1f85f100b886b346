//! The OpenAPI 3.1 document, and Swagger UI over it.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response as AnyResponse};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::api::people::{api_keys, roles, sessions, users};
use crate::api::reference::{
    customer_rate_plans, customer_rate_pools, customers, integration_authentications, service_providers, sites,
};
use crate::api::{
    audit, bulk_changes, callbacks, devices, health, integrations, me, plan_queue, session, submit, sync, tag, unsettled,
    validate,
};
use crate::problem::{ApiProblem, PROBLEM_JSON};
use crate::rates::NEVER_LIMITED;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Lineshift",
        description = "Bulk changes over mobile lines: customers, rate plans, and what each line came to. Moments are RFC 3339 in UTC, ids whole numbers, decimals texts. Lists are paged by `limit` and a cursor. Unknown parameters and fields are refused, all problems at once, as `application/problem+json` (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        submit::associate_customer,
        submit::bulk_change,
        validate::validate_bulk_change,
        bulk_changes::list::list_bulk_changes,
        bulk_changes::get::get_bulk_change,
        bulk_changes::devices::list_device_changes,
        bulk_changes::log::list_log,
        bulk_changes::events::follow_bulk_change,
        bulk_changes::export::export_bulk_change,
        bulk_changes::control::start_bulk_change,
        bulk_changes::control::cancel_bulk_change,
        bulk_changes::control::retry_bulk_change,
        unsettled::list_unsettled_steps,
        unsettled::settle_device_change,
        devices::list_devices,
        devices::get_device,
        devices::get_device_usage,
        devices::list_device_history,
        plan_queue::list_queue_entries,
        plan_queue::get_queue_entry,
        plan_queue::move_queue_entry,
        plan_queue::cancel_queue_entry,
        service_providers::list_service_providers,
        service_providers::create_service_provider,
        service_providers::get_service_provider,
        service_providers::update_service_provider,
        sites::list_sites,
        sites::create_site,
        sites::get_site,
        sites::update_site,
        customers::list_rev_customers,
        customers::create_rev_customer,
        customers::get_rev_customer,
        customers::update_rev_customer,
        customer_rate_plans::list_customer_rate_plans,
        customer_rate_plans::create_customer_rate_plan,
        customer_rate_plans::get_customer_rate_plan,
        customer_rate_plans::update_customer_rate_plan,
        customer_rate_pools::list_customer_rate_pools,
        customer_rate_pools::create_customer_rate_pool,
        customer_rate_pools::get_customer_rate_pool,
        customer_rate_pools::update_customer_rate_pool,
        integration_authentications::list_integration_authentications,
        integration_authentications::create_integration_authentication,
        integration_authentications::get_integration_authentication,
        integration_authentications::update_integration_authentication,
        integrations::get_integration_account,
        integrations::set_integration_account,
        integrations::test_integration,
        callbacks::set_callback_credentials,
        callbacks::receive_callback,
        sync::runs::synchronise_integration,
        sync::runs::list_sync_runs,
        sync::runs::get_sync_run,
        sync::findings::list_sync_findings,
        roles::list_roles,
        roles::create_role,
        roles::get_role,
        roles::update_role,
        roles::delete_role,
        users::list_users,
        users::create_user,
        users::get_user,
        users::update_user,
        users::remove_user,
        users::invite_user,
        users::clear_user_identity,
        sessions::list_user_sessions,
        sessions::end_user_sessions,
        api_keys::list_api_keys,
        api_keys::create_api_key,
        api_keys::get_api_key,
        api_keys::revoke_api_key,
        audit::list::list_audit,
        audit::export::export_audit,
        session::sign_in::sign_in,
        session::openid::get_openid_provider,
        session::openid::start::start_openid_sign_in,
        session::openid::callback::finish_openid_sign_in,
        session::openid::one_time_password::complete_openid_sign_in,
        session::this::get_session,
        session::this::sign_out,
        session::this::switch_tenant,
        session::list::list_own_sessions,
        session::list::end_own_session,
        session::password::change_password,
        session::invitation::accept_invitation,
        session::joining::list_received_invitations,
        session::joining::join_tenant,
        session::joining::decline_invitation,
        session::one_time_password::begin_one_time_passwords,
        session::one_time_password::confirm_one_time_passwords,
        session::one_time_password::end_one_time_passwords,
        me::me,
        health::healthz,
        health::readyz,
        health::metrics,
        health::openapi,
    ),
    tags(
        (name = tag::ORDERS, description = "Placing orders over many lines, in PascalCase"),
        (name = tag::BULK_CHANGES, description = "Looking at bulk changes and steering them"),
        (name = tag::DEVICES, description = "Lines, what was decided about them, and their history"),
        (name = tag::PLAN_QUEUE, description = "Customer-plan changes that wait for their date"),
        (name = tag::REFERENCE, description = "What orders refer to"),
        (name = tag::INTEGRATIONS, description = "How accounts at outside systems are called"),
        (name = tag::PEOPLE, description = "Who may do what, and to whose lines: roles, users, API keys"),
        (name = tag::AUDIT, description = "Who asked for what, and what came of it"),
        (name = tag::SESSIONS, description = "For people: signing in, and their own account. A request that changes something with a session's cookie needs `X-CSRF-Token`"),
        (name = tag::SERVER, description = "For programs that watch the server, and for keys that ask who they are"),
    ),
    security(("bearer" = []), ("header" = []), ("session" = [])),
    modifiers(&Security, &Problems),
)]
struct Document;

/// The document.
#[must_use]
pub fn openapi() -> OpenApi {
    Document::openapi()
}

/// The document as it stands in `docs/openapi.json`.
#[must_use]
pub fn openapi_json() -> String {
    let mut text = openapi().to_pretty_json().expect("the document holds nothing but texts, numbers and lists");
    text.push('\n');
    text
}

/// Swagger UI under `/docs`, from files that are built in.
pub(crate) fn swagger_ui() -> Router {
    let files: Router = SwaggerUi::new("/docs").config(Config::from("/openapi.json")).into();
    // What is not among the files is told as everywhere else.
    files.layer(map_response(async |response: AnyResponse| {
        if response.status() == StatusCode::NOT_FOUND { ApiProblem::not_found().into_response() } else { response }
    }))
}

/// The two headers in which a key may come, and the cookie of a session.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("ls_<tenant>_<key id>_<secret>")
            .description(Some("An API key, made by `lineshift admin`"));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        let header = ApiKeyValue::with_description("X-Api-Key", "The same key in a header of its own");
        components.add_security_scheme("header", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let meaning =
            "A person's session, set by signing in; `lineshift` without TLS. What changes something needs `X-CSRF-Token`, too";
        let cookie = ApiKeyValue::with_description("__Host-lineshift", meaning);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The problems that operations may answer: status, name in the document, meaning.
const PROBLEMS: [(&str, &str, &str); 12] = [
    ("400", "Unreadable", "The request cannot be read"),
    ("401", "Unauthorized", "No key, or one that is unknown, revoked or expired; nobody is signed in"),
    ("403", "Forbidden", "The key may not do that"),
    ("404", "NotFound", "Nothing of that id is there for this tenant"),
    ("408", "RequestTimeout", "The body did not come in time"),
    ("413", "TooLarge", "The body is longer than allowed; the answer says the limit"),
    ("415", "UnsupportedMediaType", "The body is not declared as JSON in UTF-8, or is compressed"),
    ("422", "Refused", "Refused; every problem is in `errors`"),
    ("429", "TooManyRequests", "Too many requests from this key or address; `Retry-After` says when to come again"),
    ("500", "Internal", "The server failed; its log has the cause under `X-Request-Id`"),
    ("503", "Unavailable", "The store is busy or out of reach; try again"),
    ("507", "StoreFull", "The store's disk is full; nothing was stored"),
];

/// Gives every operation the problems that it may answer, by what it takes.
struct Problems;

impl Modify for Problems {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        for (_, name, meaning) in PROBLEMS {
            components.responses.insert(name.to_owned(), RefOr::T(problem(meaning)));
        }
        for (path, item) in &mut document.paths.paths {
            let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                add_problems(path, operation);
            }
        }
    }
}

fn add_problems(path: &str, operation: &mut Operation) {
    // Open operations say so with a list of nothing.
    let is_open =
        operation.security.as_ref().is_some_and(|needed| needed.iter().all(|one| *one == SecurityRequirement::default()));
    let takes_body = operation.request_body.is_some();
    let has_id = path.contains('{');
    for (status, name, _) in PROBLEMS {
        let may_answer = match status {
            "400" | "401" | "403" | "422" => !is_open,
            "404" => has_id,
            "408" | "413" | "415" | "507" => takes_body,
            "429" => !NEVER_LIMITED.contains(&path),
            _ => true,
        };
        if may_answer {
            let response = RefOr::Ref(Ref::from_response_name(name));
            operation.responses.responses.entry(status.to_owned()).or_insert(response);
        }
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, Content::new(Some(schema))).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_in_the_document_and_the_other_way_round() {
        let routed: BTreeSet<String> = crate::ROUTES.iter().map(|row| format!("{} {}", row.method, row.path)).collect();
        let document = serde_json::to_value(openapi()).expect("JSON");
        let mut documented = BTreeSet::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for method in item.as_object().expect("operations").keys() {
                documented.insert(format!("{method} {path}"));
            }
        }
        assert_eq!(routed, documented);
    }

    #[test]
    fn the_stored_document_is_this_one() {
        let stored = include_str!("../../../docs/openapi.json");
        assert!(
            stored == openapi_json(),
            "docs/openapi.json differs from the code; refresh it: cargo run -p lineshift -- openapi > docs/openapi.json"
        );
    }

    #[test]
    fn every_operation_is_named_once_and_explains_itself() {
        let document = serde_json::to_value(openapi()).expect("JSON");
        assert_eq!(document["openapi"], "3.1.0");
        let mut names = BTreeSet::new();
        for item in document["paths"].as_object().expect("paths").values() {
            for operation in item.as_object().expect("operations").values() {
                let name = operation["operationId"].as_str().expect("an id");
                assert!(names.insert(name.to_owned()), "{name} names two operations");
                assert!(operation["summary"].is_string(), "{name} has no summary");
                assert!(operation["responses"]["500"].is_object(), "{name} tells no problems");
                assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name} stands in one group");
            }
        }
        assert_eq!(names.len(), crate::ROUTES.len());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = openapi_json();
        let document = serde_json::to_value(openapi()).expect("JSON");
        let mut found = 0;
        for reference in text.split("\"#/components/").skip(1) {
            let (kind, name) = reference.split('"').next().and_then(|path| path.split_once('/')).expect("a path of two words");
            assert!(document["components"][kind][name].is_object(), "{kind}/{name} is referred to and not there");
            found += 1;
        }
        assert!(found > 100, "{found} references were found: this test looks for the wrong thing");
    }
}
