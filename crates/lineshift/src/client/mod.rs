//! The client side: calling a running server over its HTTP API.

mod answers;
mod events;
mod watch;

use std::time::Duration;

use anyhow::{Context as _, Result};
use lineshift_web::IDEMPOTENCY_KEY;
use lineshift_web::views::{
    BulkChangeDetailView, BulkChangeView, IntegrationAuthenticationView, Page, RetriedView, RetryRequest, SettleRequest,
    SettledView, SubmittedView, SyncRequest, SyncRunView, UnsettledStepView,
};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::Context;
use crate::exit::WrongCall;

pub(crate) use watch::{is_finished, watch, watch_on};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a server may say nothing: an order of a million lines is judged meanwhile.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(600);

/// The server and the key of a client command.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// The server to call; also LINESHIFT_URL.
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub(crate) url: Option<String>,
    /// The API key; better LINESHIFT_API_KEY, which other users of the machine do not see.
    #[arg(long, value_name = "KEY", help_heading = "Server")]
    pub(crate) key: Option<String>,
}

/// Calls one server with one key.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Client {
    /// The client that a command's arguments and the configuration ask for.
    pub(crate) fn of(args: &ServerArgs, context: &Context) -> Result<Self> {
        let key = args.key.as_deref().or_else(|| context.environment.api_key()).ok_or_else(|| {
            WrongCall("an API key is needed: LINESHIFT_API_KEY or --key; `lineshift admin key create` makes one".to_owned())
        })?;
        Self::new(&context.settings().url, key)
    }

    /// A client of the server at that address.
    pub(crate) fn new(base: &str, key: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            .user_agent(concat!("lineshift/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("preparing to call the server")?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), key: key.to_owned() })
    }

    /// Orders a bulk change: `POST /{portal}/{endpoint}`.
    pub(crate) async fn submit(
        &self,
        portal: &str,
        endpoint: &str,
        body: Vec<u8>,
        idempotency_key: &str,
    ) -> Result<SubmittedView> {
        let request = self.request(Method::POST, &format!("/{portal}/{endpoint}"));
        let request = request.header("content-type", "application/json").header(IDEMPOTENCY_KEY.as_str(), idempotency_key);
        self.answer(request.body(body)).await
    }

    /// One page of bulk changes, newest first.
    pub(crate) async fn list_bulk_changes(&self, limit: usize, before: Option<&str>) -> Result<Page<BulkChangeView>> {
        let before = before.map(|before| format!("&before={before}")).unwrap_or_default();
        self.get(&format!("/api/v1/bulk-changes?limit={limit}{before}")).await
    }

    /// One bulk change.
    pub(crate) async fn bulk_change(&self, id: i64) -> Result<BulkChangeDetailView> {
        self.get(&format!("/api/v1/bulk-changes/{id}")).await
    }

    /// Starts a held one.
    pub(crate) async fn start(&self, id: i64) -> Result<BulkChangeView> {
        self.answer(self.request(Method::POST, &format!("/api/v1/bulk-changes/{id}/start"))).await
    }

    /// Cancels what is open.
    pub(crate) async fn cancel(&self, id: i64) -> Result<BulkChangeView> {
        self.answer(self.request(Method::POST, &format!("/api/v1/bulk-changes/{id}/cancel"))).await
    }

    /// Opens failed lines again: all, or those with one of the codes.
    pub(crate) async fn retry(&self, id: i64, codes: Vec<String>) -> Result<RetriedView> {
        self.post(&format!("/api/v1/bulk-changes/{id}/retry"), &RetryRequest { codes }).await
    }

    /// One page of the steps that a person must settle; `limit` counts rows.
    pub(crate) async fn unsettled_steps(&self, limit: usize, after: Option<&str>) -> Result<Page<UnsettledStepView>> {
        let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
        self.get(&format!("/api/v1/unsettled-steps?limit={limit}{after}")).await
    }

    /// Settles what is unsettled of a row.
    pub(crate) async fn settle(&self, row: i64, request: &SettleRequest) -> Result<SettledView> {
        self.post(&format!("/api/v1/device-changes/{row}/settle"), request).await
    }

    /// The lines of a bulk change as CSV, to be read as it arrives.
    pub(crate) async fn export(&self, id: i64, status: Option<&str>) -> Result<Response> {
        let status = status.map(|status| format!("?status={status}")).unwrap_or_default();
        self.send(self.request(Method::GET, &format!("/api/v1/bulk-changes/{id}/export{status}"))).await
    }

    /// Synchronises an integration.
    pub(crate) async fn sync(&self, integration: i64, what: &SyncRequest) -> Result<SyncRunView> {
        self.post(&format!("/api/v1/integrations/{integration}/sync"), what).await
    }

    /// A synchronisation as it stands.
    pub(crate) async fn sync_run(&self, id: i64) -> Result<SyncRunView> {
        self.get(&format!("/api/v1/sync-runs/{id}")).await
    }

    /// The tenant's integrations: a handful.
    pub(crate) async fn integrations(&self) -> Result<Page<IntegrationAuthenticationView>> {
        self.get("/api/v1/integration-authentications?limit=1000").await
    }

    /// Reads something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.answer(self.request(Method::GET, path)).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &(impl Serialize + Sync)) -> Result<T> {
        self.answer(self.request(Method::POST, path).json(body)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key)
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let response = self.send(request).await?;
        let body = response.bytes().await.with_context(|| format!("reading the answer of {}", self.base))?;
        serde_json::from_slice(&body).with_context(|| format!("{} answered what this version does not know", self.base))
    }

    /// Sends a request; an answer that is no success becomes an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| answers::unreachable(&self.base, error))?;
        if response.status().is_success() { Ok(response) } else { Err(answers::failure(response).await) }
    }
}
