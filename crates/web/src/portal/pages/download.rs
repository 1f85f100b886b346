//! The lines of a bulk change as a file: all of them, those that the page shows, or those that were ticked there.

use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{DeviceChangeId, TenantId};
use lineshift_domain::reading::codes;
use lineshift_domain::terms::DeviceChangeStatus;
use lineshift_store::bulk_changes::DeviceChangeFilter;
use lineshift_store::paging::MAX_PAGE_ITEMS;

use super::bulk_change::seen;
use crate::api::bulk_changes::export::Export;
use crate::api::bulk_changes::of_tenant_meant;
use crate::portal::address::given;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::Viewer;
use crate::portal::workbook::{self, MOST_ROWS, Workbooks};
use crate::problem::ApiProblem;
use crate::query::{Parameters, shown};
use crate::table_file::{Table, send_csv};

/// As what a table is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Csv,
    Xlsx,
}

impl Kind {
    /// What is asked for of a table that has at most so many rows.
    pub(super) fn read(parameters: &mut Parameters, rows: i64) -> Self {
        let kind = parameters.parsed("format", "csv or xlsx", |text| match text {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            _ => None,
        });
        if kind == Some(Self::Xlsx) && rows > MOST_ROWS {
            parameters.report("format", codes::CONFLICTING_FIELDS, format!("a workbook holds {MOST_ROWS} lines; take csv"));
        }
        kind.unwrap_or(Self::Csv)
    }

    /// The table as a file of that name, in a workbook on a sheet of that one.
    pub(super) async fn send<const N: usize>(
        self,
        table: impl Table<N>,
        turn: (&Workbooks, TenantId),
        name: &str,
        sheet: String,
    ) -> Result<Response, ApiProblem> {
        match self {
            Self::Csv => send_csv(table, None, name).await,
            Self::Xlsx => workbook::send(table, turn, name, sheet).await,
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
    let kind = Kind::read(&mut parameters, change.counts.total);
    let status = parameters.term("status", DeviceChangeStatus::ALL);
    let code = parameters.term("code", Code::ALL);
    parameters.finish()?;
    let filter = DeviceChangeFilter { status, code };
    let export = Export { web: viewer.web, caller: viewer.caller, change, filter, rows };
    let (workbooks, tenant, name) = (export.web.workbooks.clone(), export.caller.tenant, export.name());
    let sheet = format!("Bulk change {}", export.change.id);
    Ok(kind.send(export, (&workbooks, tenant), &name, sheet).await?)
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
