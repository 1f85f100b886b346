//! Beginning a synchronisation, and looking at runs.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId, SyncRunId};
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::sync::SyncPart;
use lineshift_engine::{Caller, SyncOrder};
use utoipa::IntoParams;

use crate::Web;
use crate::api::{carried_through, tag};
use crate::body::{SMALL_BODY, read_body, require_json};
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, Parameters, PathId};
use crate::views::{Page, SyncRequest, SyncRunView};

/// Synchronises an integration
///
/// Reads customers, services and service products from a billing system, page by page and within the account's rate; then reports
/// what is billed and not assigned, and the other way round. Of a carrier's account reads the rate plans and lines of a service
/// provider, and when asked what its lines used, which takes only what bulk changes leave of the account. Needs the scope
/// `admin:edit`.
#[utoipa::path(post, path = "/api/v1/integrations/{id}/sync", tag = tag::INTEGRATIONS,
    params(("id" = i64, Path, description = "The integration authentication")),
    request_body(content = Option<SyncRequest>),
    responses(
        (status = 202, description = "The run that began; `Location` is where it is shown", body = SyncRunView),
        (status = 409, description = "Another run of the integration goes on", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn synchronise_integration(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let order = read_order(request).await?;
    let account = IntegrationAuthenticationId(id);
    let run = carried_through(async move { web.engine.begin_sync(&caller, account, order).await }).await?;
    let location = HeaderValue::try_from(format!("/api/v1/sync-runs/{}", run.id)).expect("a path of digits and letters");
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(SyncRunView::from(run))).into_response())
}

async fn read_order(request: Request) -> Result<SyncOrder, ApiProblem> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, SMALL_BODY).await?;
    if body.is_empty() {
        return Ok(SyncOrder::ALL);
    }
    require_json(&parts.headers)?;
    let mut fields = Fields::read(&body)?;
    let parts = "customers, services, carrier_plans, devices or usage";
    let what = fields.optional_list("what", parts, |text| text.parse::<SyncPart>().ok()).into_iter().collect();
    let full = fields.flag("full", None, false);
    let provider = fields.optional_id("service_provider_id", None);
    let iccids = fields.optional_list("iccids", "the ICCIDs of lines", |text| Some(text.to_owned()));
    let read = full.zip(provider);
    fields.finish(read.map(|(full, provider)| {
        let service_provider = provider.map(ServiceProviderId);
        SyncOrder { what, full, service_provider, iccids }
    }))
}

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct RunParams {
    /// How many items at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// `next` of the page before.
    before: Option<String>,
}

/// Lists synchronisation runs
///
/// Newest first. Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/sync-runs", tag = tag::INTEGRATIONS, params(RunParams),
    responses((status = 200, description = "A page", body = Page<SyncRunView>)))]
pub(crate) async fn list_sync_runs(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<SyncRunView>>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    let (limit, before) = (parameters.limit(), parameters.cursor::<SyncRunId>("before"));
    parameters.finish()?;
    let listed = web.engine.store().list_sync_runs(caller.tenant, before, limit).await?;
    Ok(Json(Page::of(listed, SyncRunView::from)))
}

/// Shows a synchronisation run
///
/// Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/sync-runs/{id}", tag = tag::INTEGRATIONS, params(("id" = i64, Path, description = "The run")),
    responses((status = 200, description = "The run", body = SyncRunView)))]
pub(crate) async fn get_sync_run(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<SyncRunView>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    let run = web.engine.store().get_sync_run(caller.tenant, SyncRunId(id)).await?;
    Ok(Json(run.into()))
}
