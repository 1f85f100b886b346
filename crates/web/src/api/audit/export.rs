//! `GET /api/v1/audit/export`: the same entries as CSV (RFC 4180) or as JSON, one a line.

use axum::extract::State;
use axum::response::Response;
use lineshift_domain::ids::TenantId;
use lineshift_engine::{Caller, EngineError};
use lineshift_store::audit::{AuditEntry, AuditFilter, AuditKey};
use lineshift_store::paging::{Listed, MAX_PAGE_ITEMS};
use utoipa::IntoParams;

use super::{AuditParams, read_filter, require_all};
use crate::Web;
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::table_file::{Format, Rows, send};
use crate::views::{AuditEntryView, AuditFormat};

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct FormatParams {
    /// `csv` or `jsonl`.
    #[param(example = "csv", default = "csv")]
    format: Option<String>,
}

/// Exports who asked for what, newest first
///
/// All entries that meet the filters. As CSV, texts that a spreadsheet would take for a formula get an apostrophe in front. An export
/// that breaks off was not complete. Needs the scope `admin:view`, for all of the tenant.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = crate::api::tag::AUDIT, params(AuditParams, FormatParams),
    responses((status = 200, description = "A header and one line an entry, or one object a line", content(
        (String = "text/csv"), (AuditEntryView = "application/jsonl")))))]
pub(crate) async fn export_audit(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Response, ApiProblem> {
    require_all(&caller)?;
    let filter = read_filter(&mut parameters);
    let format = parameters.parsed("format", "csv or jsonl", AuditFormat::of_word).unwrap_or(AuditFormat::Csv);
    parameters.finish()?;
    let file = Format {
        content_type: format.content_type(),
        file: format!("audit.{}", format.word()),
        beginning: format.beginning().map_err(|_| ApiProblem::internal())?,
        written: |export: &Export, entries| export.format.written(entries),
    };
    send(Export { web, tenant: caller.tenant, filter, format }, None, file).await
}

struct Export {
    web: Web,
    tenant: TenantId,
    filter: AuditFilter,
    format: AuditFormat,
}

impl Rows for Export {
    type Row = AuditEntry;
    type After = AuditKey;

    async fn page(&self, before: Option<AuditKey>) -> Result<Listed<AuditEntry, AuditKey>, EngineError> {
        Ok(self.web.engine.store().list_audit(self.tenant, &self.filter, before, MAX_PAGE_ITEMS).await?)
    }
}
