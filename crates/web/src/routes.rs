//! Every address of the API, in one constant table from which the router is built.
//!
//! `quick` ones are cut off after [`layers::TIME_LIMIT`](crate::layers::TIME_LIMIT); `long` ones read or write as much as
//! an order or a bulk change holds: a retry opens every failed line. `/docs` (Swagger UI, static files) stands beside the table.

use axum::Router;
use axum::routing::{delete, get, patch, post, put};

use crate::api::people::{api_keys, roles, sessions, users};
use crate::api::reference::{
    customer_rate_plans, customer_rate_pools, customers, integration_authentications, service_providers, sites,
};
use crate::api::{
    audit, bulk_changes, callbacks, devices, health, integrations, me, plan_queue, session, submit, sync, unsettled, validate,
};
use crate::problem::ApiProblem;
use crate::{Web, WireSettings, layers, openapi};

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteRow {
    /// `get`, `post`, `put`, `patch` or `delete`.
    pub method: &'static str,
    /// The address, with `{}` around what varies.
    pub path: &'static str,
}

macro_rules! quick_or_long {
    (quick, $handler:expr) => {
        $handler.layer(axum::middleware::from_fn(layers::limit_time))
    };
    (long, $handler:expr) => {
        $handler
    };
}

macro_rules! routes {
    ($($method:ident $path:literal $length:ident $handler:path;)*) => {
        /// Every route but those of `/docs`.
        pub const ROUTES: &[RouteRow] = &[$(RouteRow { method: stringify!($method), path: $path },)*];

        fn table() -> Router<Web> {
            Router::new()$(.route($path, quick_or_long!($length, $method($handler))))*
        }
    };
}

routes! {
    post "/{portal}/AssociateCustomer" long submit::associate_customer;
    post "/{portal}/BulkChange" long submit::bulk_change;
    post "/{portal}/ValidateBulkChange" long validate::validate_bulk_change;

    get "/api/v1/bulk-changes" quick bulk_changes::list::list_bulk_changes;
    get "/api/v1/bulk-changes/{id}" quick bulk_changes::get::get_bulk_change;
    get "/api/v1/bulk-changes/{id}/devices" quick bulk_changes::devices::list_device_changes;
    get "/api/v1/bulk-changes/{id}/log" quick bulk_changes::log::list_log;
    get "/api/v1/bulk-changes/{id}/events" long bulk_changes::events::follow_bulk_change;
    get "/api/v1/bulk-changes/{id}/export" long bulk_changes::export::export_bulk_change;
    post "/api/v1/bulk-changes/{id}/start" long bulk_changes::control::start_bulk_change;
    post "/api/v1/bulk-changes/{id}/cancel" long bulk_changes::control::cancel_bulk_change;
    post "/api/v1/bulk-changes/{id}/retry" long bulk_changes::control::retry_bulk_change;

    get "/api/v1/unsettled-steps" quick unsettled::list_unsettled_steps;
    post "/api/v1/device-changes/{id}/settle" quick unsettled::settle_device_change;

    get "/api/v1/devices" quick devices::list_devices;
    get "/api/v1/devices/{id}" quick devices::get_device;
    get "/api/v1/devices/{id}/usage" quick devices::get_device_usage;
    get "/api/v1/devices/{id}/history" quick devices::list_device_history;

    get "/api/v1/plan-queue" quick plan_queue::list_queue_entries;
    get "/api/v1/plan-queue/{id}" quick plan_queue::get_queue_entry;
    patch "/api/v1/plan-queue/{id}" quick plan_queue::move_queue_entry;
    post "/api/v1/plan-queue/{id}/cancel" quick plan_queue::cancel_queue_entry;

    get "/api/v1/service-providers" quick service_providers::list_service_providers;
    post "/api/v1/service-providers" quick service_providers::create_service_provider;
    get "/api/v1/service-providers/{id}" quick service_providers::get_service_provider;
    patch "/api/v1/service-providers/{id}" quick service_providers::update_service_provider;
    get "/api/v1/sites" quick sites::list_sites;
    post "/api/v1/sites" quick sites::create_site;
    get "/api/v1/sites/{id}" quick sites::get_site;
    patch "/api/v1/sites/{id}" quick sites::update_site;
    get "/api/v1/customers" quick customers::list_rev_customers;
    post "/api/v1/customers" quick customers::create_rev_customer;
    get "/api/v1/customers/{id}" quick customers::get_rev_customer;
    patch "/api/v1/customers/{id}" quick customers::update_rev_customer;
    get "/api/v1/customer-rate-plans" quick customer_rate_plans::list_customer_rate_plans;
    post "/api/v1/customer-rate-plans" quick customer_rate_plans::create_customer_rate_plan;
    get "/api/v1/customer-rate-plans/{id}" quick customer_rate_plans::get_customer_rate_plan;
    patch "/api/v1/customer-rate-plans/{id}" quick customer_rate_plans::update_customer_rate_plan;
    get "/api/v1/customer-rate-pools" quick customer_rate_pools::list_customer_rate_pools;
    post "/api/v1/customer-rate-pools" quick customer_rate_pools::create_customer_rate_pool;
    get "/api/v1/customer-rate-pools/{id}" quick customer_rate_pools::get_customer_rate_pool;
    patch "/api/v1/customer-rate-pools/{id}" quick customer_rate_pools::update_customer_rate_pool;
    get "/api/v1/integration-authentications" quick integration_authentications::list_integration_authentications;
    post "/api/v1/integration-authentications" quick integration_authentications::create_integration_authentication;
    get "/api/v1/integration-authentications/{id}" quick integration_authentications::get_integration_authentication;
    patch "/api/v1/integration-authentications/{id}" quick integration_authentications::update_integration_authentication;

    get "/api/v1/integrations/{id}/account" quick integrations::get_integration_account;
    put "/api/v1/integrations/{id}/account" quick integrations::set_integration_account;
    post "/api/v1/integrations/{id}/test" quick integrations::test_integration;
    post "/api/v1/integrations/{id}/sync" quick sync::runs::synchronise_integration;
    put "/api/v1/service-providers/{id}/callback-credentials" quick callbacks::set_callback_credentials;
    post "/callbacks/{tenant_id}/{service_provider_id}" quick callbacks::receive_callback;
    get "/api/v1/sync-runs" quick sync::runs::list_sync_runs;
    get "/api/v1/sync-runs/{id}" quick sync::runs::get_sync_run;
    get "/api/v1/sync-runs/{id}/findings" long sync::findings::list_sync_findings;

    get "/api/v1/roles" quick roles::list_roles;
    post "/api/v1/roles" quick roles::create_role;
    get "/api/v1/roles/{id}" quick roles::get_role;
    patch "/api/v1/roles/{id}" quick roles::update_role;
    delete "/api/v1/roles/{id}" quick roles::delete_role;
    get "/api/v1/users" quick users::list_users;
    post "/api/v1/users" quick users::create_user;
    get "/api/v1/users/{id}" quick users::get_user;
    patch "/api/v1/users/{id}" quick users::update_user;
    delete "/api/v1/users/{id}" quick users::remove_user;
    post "/api/v1/users/{id}/invitation" quick users::invite_user;
    delete "/api/v1/users/{id}/identity" quick users::clear_user_identity;
    get "/api/v1/users/{id}/sessions" quick sessions::list_user_sessions;
    delete "/api/v1/users/{id}/sessions" quick sessions::end_user_sessions;
    get "/api/v1/api-keys" quick api_keys::list_api_keys;
    post "/api/v1/api-keys" quick api_keys::create_api_key;
    get "/api/v1/api-keys/{id}" quick api_keys::get_api_key;
    post "/api/v1/api-keys/{id}/revoke" quick api_keys::revoke_api_key;

    get "/api/v1/audit" quick audit::list::list_audit;
    get "/api/v1/audit/export" long audit::export::export_audit;

    post "/api/v1/session" quick session::sign_in::sign_in;
    get "/api/v1/session/openid" quick session::openid::get_openid_provider;
    get "/api/v1/session/openid/start" quick session::openid::start::start_openid_sign_in;
    get "/api/v1/session/openid/callback" quick session::openid::callback::finish_openid_sign_in;
    post "/api/v1/session/openid/one-time-password" quick session::openid::one_time_password::complete_openid_sign_in;
    get "/api/v1/session" quick session::this::get_session;
    delete "/api/v1/session" quick session::this::sign_out;
    put "/api/v1/session/tenant" quick session::this::switch_tenant;
    get "/api/v1/sessions" quick session::list::list_own_sessions;
    delete "/api/v1/sessions/{id}" quick session::list::end_own_session;
    post "/api/v1/password" quick session::password::change_password;
    post "/api/v1/invitation" quick session::invitation::accept_invitation;
    get "/api/v1/invitations" quick session::joining::list_received_invitations;
    post "/api/v1/invitations" quick session::joining::join_tenant;
    delete "/api/v1/invitations/{id}" quick session::joining::decline_invitation;
    post "/api/v1/one-time-password" quick session::one_time_password::begin_one_time_passwords;
    put "/api/v1/one-time-password" quick session::one_time_password::confirm_one_time_passwords;
    delete "/api/v1/one-time-password" quick session::one_time_password::end_one_time_passwords;

    get "/api/v1/me" quick me::me;
    get "/healthz" quick health::healthz;
    get "/readyz" quick health::readyz;
    get "/metrics" quick health::metrics;
    get "/openapi.json" quick health::openapi;
}

/// The router with everything around it.
pub(crate) fn build(web: Web, wire: &WireSettings) -> Router {
    let table = table().route_layer(axum::middleware::from_fn_with_state(web.clone(), crate::audit::write_down));
    let pages = crate::portal::routes(&web);
    around(table.with_state(web).merge(openapi::swagger_ui()).merge(pages), wire)
}

/// The few routes that need no API, with everything around them.
pub(crate) fn build_measures(web: Web) -> Router {
    let table = Router::new()
        .route("/healthz", quick_or_long!(quick, get(health::healthz)))
        .route("/readyz", quick_or_long!(quick, get(health::readyz)))
        .route("/metrics", quick_or_long!(quick, get(health::metrics_for_all)));
    around(table.with_state(web), &WireSettings::default())
}

fn around(routes: Router, wire: &WireSettings) -> Router {
    let routes = routes.fallback(crate::portal::nowhere).method_not_allowed_fallback(async || {
        ApiProblem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, "this address knows other methods; Allow has them")
    });
    layers::around(routes, wire)
}
