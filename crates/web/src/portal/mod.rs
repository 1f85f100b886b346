//! The portal: pages for the operator's staff, rendered here, one file a page or small group of pages.
//!
//! A page asks what the API's endpoints answer and shows it; it judges nothing. What a viewer may not do is not offered, and is refused
//! by the same checks as in the API if it is asked for all the same. Every page works without JavaScript; `portal.js` adds what is live.

mod address;
mod assets;
mod choosing;
mod counts;
mod fields;
mod figures;
mod form;
mod line_filter;
mod line_name;
mod multipart;
#[cfg(test)]
mod no_turn;
mod page;
mod pages;
mod reading;
mod refused;
mod seen;
mod send_again;
mod table;
mod viewer;
mod workbook;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

use crate::problem::ApiProblem;
use crate::routes::RouteRow;
use crate::{Web, layers};
pub(crate) use counts::SelectionCounts;
pub(crate) use figures::Figures;
use pages::admin::{
    api_keys, audit, carrier_rate_plans, integrations, overview, reference, roles, settings, sync_runs, user, users,
};
use pages::{
    account, bulk_change, bulk_changes, change_line, change_log, download, download_scheduled, home, invitation, line, lines,
    one_time_password, order, paste, plan_queue, plan_queue_move, refused_lines, selection, sign_in, tenants, upload,
};
pub(crate) use reading::readings;
use refused::PageRefused;
pub(crate) use refused::encoded;
pub(crate) use workbook::Workbooks;

macro_rules! pages {
    ($($method:ident $path:literal $handler:path;)*) => {
        /// Every page, and every form that pages send.
        pub const PAGES: &[RouteRow] = &[$(RouteRow { method: stringify!($method), path: $path },)*];

        fn table() -> Router<Web> {
            Router::new()$(.route($path, $method($handler)))*
        }
    };
}

pages! {
    get "/sign-in" sign_in::ask;
    post "/sign-in" sign_in::enter;
    get "/sign-in/one-time-password" one_time_password::ask;
    post "/sign-in/one-time-password" one_time_password::enter;
    post "/sign-out" sign_in::leave;
    post "/tenant" sign_in::switch_tenant;
    get "/tenants" tenants::show;
    post "/invitations" tenants::join;
    post "/invitations/{id}/decline" tenants::decline;
    get "/invitation" invitation::ask;
    post "/invitation" invitation::take_up;
    get "/account" account::show;
    post "/account/password" account::set_password;
    post "/account/one-time-password" account::begin_authenticator;
    post "/account/one-time-password/confirm" account::confirm_authenticator;
    post "/account/one-time-password/end" account::end_authenticator;
    post "/account/sessions/{id}/end" account::end_session;

    get "/" home::home;

    get "/{portal}/lines" lines::list;
    get "/{portal}/lines/{id}" line::show;

    get "/{portal}/selection" selection::show;
    post "/{portal}/selection/add" selection::add;
    post "/{portal}/selection/remove" selection::remove;
    post "/{portal}/selection/matching" selection::matching;
    post "/{portal}/selection/clear" selection::clear;
    post "/{portal}/selection/refused" refused_lines::choose;
    get "/{portal}/selection/paste" paste::ask;
    post "/{portal}/selection/paste" paste::take;
    get "/{portal}/selection/upload" upload::ask;
    post "/{portal}/selection/upload" upload::take;
    post "/{portal}/selection/columns" upload::choose;

    get "/bulk-changes/{id}" bulk_change::find;
    get "/{portal}/bulk-changes" bulk_changes::list;
    get "/{portal}/bulk-changes/{id}" bulk_change::show;
    get "/{portal}/bulk-changes/{id}/lines/{row}" change_line::show;
    post "/{portal}/bulk-changes/{id}/lines/{row}/settle" change_line::settle;
    get "/{portal}/bulk-changes/{id}/log" change_log::show;
    get "/{portal}/bulk-changes/{id}/download" download::download;
    get "/{portal}/bulk-changes/{id}/scheduled" download_scheduled::download;
    post "/{portal}/bulk-changes/{id}/start" bulk_change::start;
    post "/{portal}/bulk-changes/{id}/cancel" bulk_change::cancel;
    post "/{portal}/bulk-changes/{id}/retry" bulk_change::retry;

    get "/{portal}/order" order::choose;
    get "/{portal}/order/customers" order::find;
    get "/{portal}/order/{act}" order::ask;
    post "/{portal}/order/{act}" order::look;
    post "/{portal}/order/{act}/confirm" order::confirm;

    get "/{portal}/plan-queue" plan_queue::list;
    post "/{portal}/plan-queue/{id}/move" plan_queue_move::move_entry;
    post "/{portal}/plan-queue/{id}/cancel" plan_queue_move::cancel_entry;

    get "/admin" overview::show;
    get "/admin/users" users::list;
    post "/admin/users" users::create;
    get "/admin/users/new" users::ask_new;
    get "/admin/users/{id}" user::show;
    post "/admin/users/{id}" user::change;
    post "/admin/users/{id}/invitation" user::invite;
    post "/admin/users/{id}/sessions/end" user::end_sessions;
    post "/admin/users/{id}/identity/clear" user::clear_identity;
    post "/admin/users/{id}/remove" user::remove;
    get "/admin/roles" roles::list;
    post "/admin/roles" roles::create;
    get "/admin/roles/new" roles::ask_new;
    get "/admin/roles/{id}" roles::show;
    post "/admin/roles/{id}" roles::change;
    post "/admin/roles/{id}/delete" roles::delete;
    get "/admin/api-keys" api_keys::list;
    post "/admin/api-keys" api_keys::create;
    get "/admin/api-keys/new" api_keys::ask_new;
    get "/admin/api-keys/{id}" api_keys::show;
    post "/admin/api-keys/{id}/revoke" api_keys::revoke;

    get "/admin/integrations" reference::list;
    post "/admin/integrations" reference::create;
    get "/admin/integrations/new" reference::ask_new;
    get "/admin/integrations/{id}" integrations::show;
    post "/admin/integrations/{id}" integrations::change;
    post "/admin/integrations/{id}/account" integrations::set_account;
    post "/admin/integrations/{id}/test" integrations::test;
    post "/admin/integrations/{id}/sync" integrations::synchronise;
    get "/admin/sync-runs" sync_runs::list;
    get "/admin/sync-runs/{id}" sync_runs::show;

    get "/admin/service-providers" reference::list;
    post "/admin/service-providers" reference::create;
    get "/admin/service-providers/new" reference::ask_new;
    get "/admin/service-providers/{id}" reference::show;
    post "/admin/service-providers/{id}" reference::change;
    get "/admin/customers" reference::list;
    post "/admin/customers" reference::create;
    get "/admin/customers/new" reference::ask_new;
    get "/admin/customers/{id}" reference::show;
    post "/admin/customers/{id}" reference::change;
    get "/admin/sites" reference::list;
    post "/admin/sites" reference::create;
    get "/admin/sites/new" reference::ask_new;
    get "/admin/sites/{id}" reference::show;
    post "/admin/sites/{id}" reference::change;
    get "/admin/customer-rate-plans" reference::list;
    post "/admin/customer-rate-plans" reference::create;
    get "/admin/customer-rate-plans/new" reference::ask_new;
    get "/admin/customer-rate-plans/{id}" reference::show;
    post "/admin/customer-rate-plans/{id}" reference::change;
    get "/admin/customer-rate-pools" reference::list;
    post "/admin/customer-rate-pools" reference::create;
    get "/admin/customer-rate-pools/new" reference::ask_new;
    get "/admin/customer-rate-pools/{id}" reference::show;
    post "/admin/customer-rate-pools/{id}" reference::change;
    get "/admin/carrier-rate-plans" carrier_rate_plans::list;

    get "/admin/audit" audit::list;
    get "/admin/settings" settings::show;

    get "/assets/{name}" assets::show;
}

/// The pages with what stands around them alone. What a form changes is written down as what the API changes is.
pub(crate) fn routes(web: &Web) -> Router {
    table()
        .route_layer(from_fn_with_state(web.clone(), crate::audit::write_down))
        .route_layer(from_fn_with_state(web.clone(), form::read))
        .route_layer(from_fn(limit_time))
        .layer(map_response(set_policy))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::const_new(workbook::XLSX))))
        .with_state(web.clone())
}

/// What may take as long as its lines need: as in the API, looking at an order and placing it; and choosing lines, which is done in short
/// steps, however many these are.
const LONG: &[&str] = &[
    "/{portal}/order/{act}",
    "/{portal}/order/{act}/confirm",
    "/{portal}/selection/matching",
    "/{portal}/selection/clear",
    "/{portal}/selection/refused",
    "/{portal}/selection/paste",
    "/{portal}/selection/upload",
    "/{portal}/selection/columns",
];

async fn limit_time(path: MatchedPath, request: Request, next: Next) -> Response {
    if LONG.contains(&path.as_str()) { next.run(request).await } else { layers::limit_time(request, next).await }
}

/// What is not there: for browsers a page that says so, for everybody else what the API answers.
pub(crate) async fn nowhere(headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    if accepted.contains("text/html") {
        return set_policy(PageRefused::from(ApiProblem::not_found()).into_response()).await;
    }
    ApiProblem::not_found().into_response()
}

/// Pages bring their own scripts and styles, talk to this server alone, and are shown in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

async fn set_policy(mut response: Response) -> Response {
    response.extensions_mut().insert(layers::ContentPolicy(POLICY));
    // With `no-referrer` browsers hide the origin of forms, too, and no form could be told from another site's.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}
