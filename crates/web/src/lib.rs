//! The HTTP API: the former system's endpoints (section 4), `/api/v1`, OpenAPI with Swagger UI, health and measures.
//!
//! A handler parses, authorises, calls the engine or reads the store, and maps the answer; rules live elsewhere. Every
//! error is an [`problem::ApiProblem`], made in one place. [`router`] is built from one constant table of routes, and a
//! test keeps the OpenAPI document equal to it.

pub mod accounts;
mod api;
mod api_key;
mod audit;
mod auth;
mod body;
mod caller_check;
mod client_address;
pub mod credentials;
mod csv_cells;
mod cursor;
mod fields;
mod invitation;
mod key_uses;
mod layers;
mod measures;
mod openapi;
pub mod passwords;
mod portal;
mod problem;
mod query;
mod rates;
pub mod reading;
mod routes;
mod serve;
mod shares;
mod sign_in;
mod standing;
mod table_file;
mod turns;
pub mod views;

use std::sync::Arc;

use accounts::{NoKey, SealCredentials};
use api::bulk_changes::events::Streams;
use api::callbacks::CallbackTurns;
pub use api::people::users::read_email;
pub use api::submit::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
pub use api_key::{ApiKeySecret, ParsedApiKey, new_api_key_secret, parse_api_key};
pub use audit::OPEN;
pub use axum::Router;
use body::LargeBodies;
pub use caller_check::CallerCheck;
pub use fields::LARGEST_ID;
pub use invitation::{INVITATION_DAYS, Invitation, hash_of_invitation};
use ipnet::IpNet;
use key_uses::KeyUses;
use lineshift_connectors::http::Destinations;
use lineshift_engine::Engine;
pub use measures::install_metrics;
use metrics_exporter_prometheus::PrometheusHandle;
pub use openapi::{openapi, openapi_json};
pub use portal::PAGES;
use portal::{Figures, SelectionCounts, Workbooks, readings};
pub use problem::ApiProblem;
pub use rates::{Rate, Rates};
pub use routes::{ROUTES, RouteRow};
pub use serve::{ConnectionLimits, ServeOptions, Tls, TlsError, serve, serve_with};
pub use sign_in::SessionSettings;
use sign_in::SignIn;
pub use sign_in::openid::{CALLBACK_PATH, OpenId, OpenIdSettings, WrongOpenIdSetting};
use turns::Turns;

/// What every handler works with. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    engine: Engine,
    figures: Figures,
    metrics: Option<PrometheusHandle>,
    key_uses: Arc<KeyUses>,
    large_bodies: LargeBodies,
    streams: Streams,
    callback_turns: Arc<CallbackTurns>,
    seal: Arc<dyn SealCredentials>,
    destinations: Destinations,
    sign_in: SignIn,
    workbooks: Workbooks,
    readings: Turns,
    selection_counts: SelectionCounts,
}

impl Web {
    fn new(engine: Engine, metrics: Option<PrometheusHandle>, seal: Arc<dyn SealCredentials>, wire: &WireSettings) -> Self {
        let (key_uses, large_bodies, streams) = (Arc::default(), LargeBodies::default(), Streams::default());
        let (callback_turns, workbooks, readings) = (Arc::default(), Workbooks::default(), readings());
        let destinations = wire.destinations.clone();
        let sign_in = SignIn { settings: wire.sessions, openid: wire.openid.clone(), ..SignIn::default() };
        let figures = Figures::default();
        Self {
            engine,
            figures,
            metrics,
            key_uses,
            large_bodies,
            streams,
            callback_turns,
            seal,
            destinations,
            sign_in,
            workbooks,
            readings,
            selection_counts: SelectionCounts::default(),
        }
    }
}

/// The whole HTTP API over that engine, without a way to store credentials. Without `metrics`, `/metrics` answers 404.
pub fn router(engine: Engine, metrics: Option<PrometheusHandle>) -> Router {
    router_that_seals(engine, metrics, Arc::new(NoKey))
}

/// The same, with a way to store credentials.
pub fn router_that_seals(engine: Engine, metrics: Option<PrometheusHandle>, seal: Arc<dyn SealCredentials>) -> Router {
    router_on_wire(engine, metrics, seal, &WireSettings::default())
}

/// What requests go by. By default no proxy is trusted, nothing is limited, accounts are where everybody could call them, and sessions last
/// as they usually do.
#[derive(Debug, Clone, Default)]
pub struct WireSettings {
    /// The networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How many requests may come.
    pub rates: Rates,
    /// Where the accounts may be whose addresses users name.
    pub destinations: Destinations,
    /// How long people stay signed in.
    pub sessions: SessionSettings,
    /// The OpenID provider at which they may sign in; none: by password alone.
    pub openid: Option<Arc<OpenId>>,
}

/// The same, as the settings say.
pub fn router_on_wire(
    engine: Engine,
    metrics: Option<PrometheusHandle>,
    seal: Arc<dyn SealCredentials>,
    wire: &WireSettings,
) -> Router {
    measures::describe();
    routes::build(Web::new(engine, metrics, seal, wire), wire)
}

/// What a process without the API shows: `/metrics`, `/healthz` and `/readyz`.
pub fn measures_router(engine: Engine, metrics: Option<PrometheusHandle>) -> Router {
    measures::describe();
    routes::build_measures(Web::new(engine, metrics, Arc::new(NoKey), &WireSettings::default()))
}
