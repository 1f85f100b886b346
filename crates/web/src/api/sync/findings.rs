//! `GET /api/v1/sync-runs/{id}/findings`: what a run found, by the page as JSON or whole as CSV.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chrono::SecondsFormat;
use lineshift_domain::ids::SyncRunId;
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::sync::FindingKind;
use lineshift_engine::{Caller, EngineError};
use lineshift_store::StoreError;
use lineshift_store::paging::{Listed, MAX_PAGE_ITEMS};
use lineshift_store::sync::{FindingKey, SyncFinding};
use utoipa::IntoParams;

use crate::Web;
use crate::api::tag;
use crate::csv_cells::safe_cell;
use crate::problem::ApiProblem;
use crate::query::{PageParams, Parameters, PathId};
use crate::table_file::{Rows, Table, send_csv};
use crate::views::{Page, SyncFindingView};

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct FindingParams {
    /// Only findings of this kind.
    #[param(example = "billed_not_assigned")]
    kind: Option<String>,
    /// `json`, or `csv` for all of them at once.
    #[param(default = "json")]
    format: Option<String>,
}

/// Lists what a synchronisation run found
///
/// By kind, subject and id; as CSV with `format=csv`, then whole. Texts that a spreadsheet would take for a formula get an
/// apostrophe in front; a CSV that breaks off was not complete. Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/sync-runs/{id}/findings", tag = tag::INTEGRATIONS,
    params(("id" = i64, Path, description = "The run"), FindingParams, PageParams),
    responses((status = 200, description = "A page, or a header and one line a finding",
        content((Page<SyncFindingView> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn list_sync_findings(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    mut parameters: Parameters,
) -> Result<Response, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    let kind = parameters.term("kind", FindingKind::ALL);
    let csv = parameters.parsed("format", "json or csv", |text| ["json", "csv"].contains(&text).then(|| text == "csv"));
    let (limit, after) = (parameters.limit(), parameters.cursor::<FindingKey>("after"));
    parameters.finish()?;
    let list = List { web, caller, id: SyncRunId(id), kind };
    if csv != Some(true) {
        return Ok(Json(Page::of(list.some(after, limit).await?, SyncFindingView::from)).into_response());
    }
    send_csv(list, after, &format!("sync-run-{id}")).await
}

struct List {
    web: Web,
    caller: Caller,
    id: SyncRunId,
    kind: Option<FindingKind>,
}

type Findings = Listed<SyncFinding, FindingKey>;

impl List {
    async fn some(&self, after: Option<FindingKey>, limit: usize) -> Result<Findings, StoreError> {
        self.web.engine.store().list_sync_findings(self.caller.tenant, self.id, self.kind, after, limit).await
    }
}

impl Rows for List {
    type Row = SyncFinding;
    type After = FindingKey;

    async fn page(&self, after: Option<FindingKey>) -> Result<Findings, EngineError> {
        Ok(self.some(after, MAX_PAGE_ITEMS).await?)
    }
}

impl Table<10> for List {
    const COLUMNS: [&'static str; 10] =
        ["kind", "subject", "subject_id", "rev_customer_id", "rev_service_id", "device_id", "line", "here", "there", "at"];

    fn cells(row: &SyncFinding) -> [String; 10] {
        let text = |text: &Option<String>| safe_cell(text.as_deref().unwrap_or_default()).into_owned();
        let id = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
        [
            row.kind.to_string(),
            row.subject.to_string(),
            row.subject_id.to_string(),
            id(row.rev_customer_id.map(|id| id.0)),
            id(row.rev_service_id.map(|id| id.0)),
            id(row.device_id.map(|id| id.0)),
            text(&row.line),
            text(&row.here),
            text(&row.there),
            row.at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        ]
    }
}
