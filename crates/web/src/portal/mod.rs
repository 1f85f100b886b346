//! The portal: pages for the operator's staff, rendered here, one file a page or small group of pages.
//!
//! A page asks what the API's endpoints answer and shows it; it judges nothing. What a viewer may not do is not offered, and is refused
//! by the same checks as in the API if it is asked for all the same. Every page works without JavaScript; `portal.js` adds what is live.

mod address;
mod assets;
mod form;
mod page;
mod pages;
mod refused;
mod viewer;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;

use crate::routes::RouteRow;
use crate::{Web, layers};
use pages::{bulk_change, bulk_changes, home, line, lines, one_time_password, plan_queue, sign_in};
pub(crate) use refused::encoded;

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

    get "/" home::home;

    get "/{portal}/lines" lines::list;
    get "/{portal}/lines/{id}" line::show;

    get "/{portal}/bulk-changes" bulk_changes::list;
    get "/{portal}/bulk-changes/{id}" bulk_change::show;
    post "/{portal}/bulk-changes/{id}/start" bulk_change::start;
    post "/{portal}/bulk-changes/{id}/cancel" bulk_change::cancel;
    post "/{portal}/bulk-changes/{id}/retry" bulk_change::retry;

    get "/{portal}/plan-queue" plan_queue::list;
    post "/{portal}/plan-queue/{id}/move" plan_queue::move_entry;
    post "/{portal}/plan-queue/{id}/cancel" plan_queue::cancel_entry;

    get "/assets/{name}" assets::show;
}

/// The pages with what stands around them alone. What a form changes is written down as what the API changes is.
pub(crate) fn routes(web: &Web) -> Router {
    table()
        .route_layer(from_fn_with_state(web.clone(), crate::audit::write_down))
        .route_layer(from_fn_with_state(web.clone(), form::read))
        .route_layer(from_fn(layers::limit_time))
        .layer(map_response(set_policy))
        .layer(CompressionLayer::new())
        .with_state(web.clone())
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
