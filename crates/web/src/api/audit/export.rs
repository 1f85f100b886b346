//! `GET /api/v1/audit/export`: the same entries as CSV (RFC 4180) or as JSON, one a line, read and written page by page.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};
use lineshift_domain::ids::TenantId;
use lineshift_engine::Caller;
use lineshift_store::audit::{AuditEntry, AuditFilter, AuditKey};
use lineshift_store::paging::{Listed, MAX_PAGE_ITEMS};
use utoipa::IntoParams;

use super::{AuditParams, read_filter, require_all};
use crate::Web;
use crate::problem::ApiProblem;
use crate::query::Parameters;
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
    let export = Export { web, tenant: caller.tenant, filter, format };
    // The first page is read before the answer begins, so that a store out of reach is an error and no empty file.
    let first = export.page(None).await?;
    let headers = [
        (header::CONTENT_TYPE, format.content_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"audit.{}\"", format.word())),
    ];
    Ok((headers, Body::from_stream(export.into_stream(first))).into_response())
}

type Entries = Listed<AuditEntry, AuditKey>;

struct Export {
    web: Web,
    tenant: TenantId,
    filter: AuditFilter,
    format: AuditFormat,
}

impl Export {
    async fn page(&self, before: Option<AuditKey>) -> Result<Entries, lineshift_store::StoreError> {
        self.web.engine.store().list_audit(self.tenant, &self.filter, before, MAX_PAGE_ITEMS).await
    }

    fn into_stream(self, first: Entries) -> impl futures::Stream<Item = std::io::Result<Bytes>> {
        let Entries { items, next } = first;
        let beginning = self.format.beginning().and_then(|mut text| {
            text.extend(self.format.written(items)?);
            Ok(Bytes::from(text))
        });
        let rest = stream::try_unfold((self, next), |(export, before)| async move {
            let Some(before) = before else { return Ok(None) };
            let Entries { items, next } = export.page(Some(before)).await.map_err(|error| {
                tracing::error!(%error, "an export broke off");
                std::io::Error::other(error)
            })?;
            Ok(Some((Bytes::from(export.format.written(items)?), (export, next))))
        });
        stream::once(async { beginning }).chain(rest)
    }
}
