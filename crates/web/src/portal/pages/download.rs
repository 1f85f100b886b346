//! The lines of a bulk change as a file: all of them, those that the page shows, or those that were ticked there.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::reading::codes;
use lineshift_domain::terms::DeviceChangeStatus;
use lineshift_store::bulk_changes::DeviceChangeFilter;
use lineshift_store::paging::MAX_PAGE_ITEMS;

use super::bulk_change::seen;
use crate::api::bulk_changes::export::{COLUMNS, Export, Rows, cells};
use crate::api::bulk_changes::of_tenant_meant;
use crate::portal::address::given;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::Viewer;
use crate::portal::workbook::{self, MOST_ROWS, PagesIn, XLSX};
use crate::problem::ApiProblem;
use crate::query::{Parameters, shown};

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

/// `GET /{portal}/bulk-changes/{id}/download`: `format` csv or xlsx; `status` and `code` choose as on the page, or `row`, given
/// for each line that was ticked; `ticked` says that a form with ticks was sent, which may have none; `tenant` is the one whose page it was.
pub(in crate::portal) async fn download(
    viewer: Viewer,
    Path((portal, id)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, PageRefused> {
    let (ticks, others): (Vec<_>, Vec<_>) = given(&uri).into_iter().partition(|(name, _)| name == ROW);
    let mut parameters = Parameters::of_pairs(others);
    of_tenant_meant(&mut parameters, &viewer.caller)?;
    let change = seen(&viewer, &portal, &id).await?;
    let rows = ticked(&mut parameters, &ticks);
    let kind = parameters.parsed("format", "csv or xlsx", Kind::of).unwrap_or(Kind::Csv);
    let status = parameters.term("status", DeviceChangeStatus::ALL);
    let code = parameters.term("code", Code::ALL);
    if kind == Kind::Xlsx && change.counts.total > MOST_ROWS {
        parameters.report("format", codes::CONFLICTING_FIELDS, format!("a workbook holds {MOST_ROWS} lines; take csv"));
    }
    parameters.finish()?;
    let filter = DeviceChangeFilter { status, code };
    let export = Export { web: viewer.web, caller: viewer.caller, change, filter, rows };
    Ok(match kind {
        Kind::Csv => export.into_csv().await?,
        Kind::Xlsx => into_xlsx(export).await?,
    })
}

/// The parameter that names a ticked line.
const ROW: &str = "row";

/// The lines that were ticked; none: it is not ticks that choose.
fn ticked(parameters: &mut Parameters, ticks: &[(String, String)]) -> Option<Vec<DeviceChangeId>> {
    let asked = parameters.parsed("ticked", "yes", |text| (text == "yes").then_some(())).is_some();
    if ticks.is_empty() {
        if asked {
            parameters.report(ROW, codes::MISSING_FIELD, "no line is ticked; tick the lines that are to be downloaded");
        }
        return asked.then(Vec::new);
    }
    if ticks.len() > MAX_PAGE_ITEMS {
        let message = format!("{} lines are ticked; at most {MAX_PAGE_ITEMS} are downloaded at once", ticks.len());
        parameters.report(ROW, codes::WRONG_FORM, message);
        return None;
    }
    let mut rows = Vec::with_capacity(ticks.len());
    for (_, text) in ticks {
        match text.parse::<i64>().ok().filter(|row| *row > 0) {
            Some(row) => rows.push(DeviceChangeId(row)),
            None => parameters.report(ROW, codes::WRONG_FORM, format!("found {}, expected the number of a line", shown(text))),
        }
    }
    Some(rows)
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
