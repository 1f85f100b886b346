//! The lines of a bulk change as a file: all of them, or those that the page shows.

use axum::body::Body;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::codes::Code;
use lineshift_domain::reading::codes;
use lineshift_domain::terms::DeviceChangeStatus;
use lineshift_store::bulk_changes::DeviceChangeFilter;

use super::bulk_change::seen;
use crate::api::bulk_changes::export::{COLUMNS, Export, Rows, cells};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::Viewer;
use crate::portal::workbook::{self, MOST_ROWS, PagesIn, XLSX};
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// As what lines are downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    Xlsx,
}

impl Kind {
    fn of(text: &str) -> Option<Self> {
        match text {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        }
    }
}

/// `GET /{portal}/bulk-changes/{id}/download`: `format` csv or xlsx; `status` and `code` choose as on the page.
pub(in crate::portal) async fn download(
    viewer: Viewer,
    Path((portal, id)): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Response, PageRefused> {
    let change = seen(&viewer, &portal, &id).await?;
    let kind = parameters.parsed("format", "csv or xlsx", Kind::of).unwrap_or(Kind::Csv);
    let status = parameters.term("status", DeviceChangeStatus::ALL);
    let code = parameters.term("code", Code::ALL);
    if kind == Kind::Xlsx && change.counts.total > MOST_ROWS {
        parameters.report("format", codes::CONFLICTING_FIELDS, format!("a workbook holds {MOST_ROWS} lines; take csv"));
    }
    parameters.finish()?;
    let filter = DeviceChangeFilter { status, code };
    let export = Export { web: viewer.web, caller: viewer.caller, change, filter };
    Ok(match kind {
        Kind::Csv => export.into_csv().await?,
        Kind::Xlsx => into_xlsx(export).await?,
    })
}

async fn into_xlsx(export: Export) -> Result<Response, ApiProblem> {
    let place = export.web.workbooks.begin(export.caller.tenant)?;
    // Read before the answer begins, so that a store out of reach is an error and no broken file.
    let first = export.page(None).await?;
    let id = export.change.id;
    let headers = [
        (header::CONTENT_TYPE, XLSX.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"bulk-change-{id}.xlsx\"")),
    ];
    let (pages_in, pages) = workbook::pages();
    tokio::spawn(feed(export, first, pages_in));
    Ok((headers, Body::from_stream(workbook::stream(format!("Bulk change {id}"), COLUMNS, pages, place))).into_response())
}

/// Reads page after page, as long as somebody takes them.
async fn feed(export: Export, mut page: Rows, pages: PagesIn<{ COLUMNS.len() }>) {
    loop {
        if pages.send(Ok(page.items.iter().map(cells).collect())).await.is_err() {
            return;
        }
        let Some(after) = page.next else { return };
        page = match export.page(Some(after)).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(%error, "an export broke off");
                // Whoever is gone needs not know.
                let _ = pages.send(Err(std::io::Error::other("the export broke off"))).await;
                return;
            }
        };
    }
}
