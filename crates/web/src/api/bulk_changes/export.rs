//! `GET /api/v1/bulk-changes/{id}/export`: the rows as CSV (RFC 4180).

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::terms::DeviceChangeStatus;
use lineshift_engine::{Caller, EngineError, RowKey};
use lineshift_store::bulk_changes::{BulkChangeView, DeviceChangeFilter, DeviceChangeView};
use lineshift_store::paging::{Listed, MAX_PAGE_ITEMS};
use utoipa::IntoParams;

use super::visible;
use crate::Web;
use crate::csv_cells::safe_cell;
use crate::problem::ApiProblem;
use crate::query::{Parameters, PathId};
use crate::table_file::{Rows, Table, send_csv};

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct ExportParams {
    /// Only rows with this status.
    #[param(example = "ERROR")]
    status: Option<String>,
}

/// Exports the rows of a bulk change as CSV
///
/// Every row, or those with one status, in the order of `devices`. Texts that a spreadsheet would take for a formula get
/// an apostrophe in front. An export that breaks off was not complete.
#[utoipa::path(get, path = "/api/v1/bulk-changes/{id}/export", tag = crate::api::tag::BULK_CHANGES,
    params(("id" = i64, Path, description = "The bulk change"), ExportParams),
    responses((status = 200, description = "A header and one line a row", body = String, content_type = "text/csv")))]
pub(crate) async fn export_bulk_change(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    mut parameters: Parameters,
) -> Result<Response, ApiProblem> {
    let change = visible(&web, &caller, id).await?;
    let status = parameters.term("status", DeviceChangeStatus::ALL);
    parameters.finish()?;
    let export = Export { web, caller, change, filter: DeviceChangeFilter { status, code: None }, rows: None };
    let name = export.name();
    send_csv(export, None, &name).await
}

/// Rows of a change that the caller sees, to be written page by page.
pub(crate) struct Export {
    pub(crate) web: Web,
    pub(crate) caller: Caller,
    pub(crate) change: BulkChangeView,
    pub(crate) filter: DeviceChangeFilter,
    /// Those rows alone, at most a page of them; none: all that the filter finds.
    pub(crate) rows: Option<Vec<DeviceChangeId>>,
}

impl Export {
    /// What its file is called.
    pub(crate) fn name(&self) -> String {
        format!("bulk-change-{}", self.change.id)
    }
}

impl Rows for Export {
    type Row = DeviceChangeView;
    type After = RowKey;

    async fn page(&self, after: Option<RowKey>) -> Result<Listed<DeviceChangeView, RowKey>, EngineError> {
        if let Some(rows) = &self.rows {
            let items = self.web.engine.find_device_changes(&self.caller, &self.change, rows).await?;
            return Ok(Listed { items, next: None });
        }
        self.web.engine.list_device_changes(&self.caller, &self.change, self.filter, after, MAX_PAGE_ITEMS).await
    }
}

impl Table<11> for Export {
    const COLUMNS: [&'static str; 11] = [
        "request_position",
        "iccid",
        "number",
        "device_id",
        "status",
        "error_kind",
        "error_code",
        "status_details",
        "processed_at",
        "attempt",
        "next_check_at",
    ];

    fn cells(row: &DeviceChangeView) -> [String; 11] {
        let time = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)).unwrap_or_default();
        let text = |text: &Option<String>| safe_cell(text.as_deref().unwrap_or_default()).into_owned();
        [
            row.request_position.to_string(),
            text(&row.iccid),
            text(&row.number),
            row.device_id.map(|id| id.to_string()).unwrap_or_default(),
            row.status.to_string(),
            row.error_kind.map(|kind| kind.to_string()).unwrap_or_default(),
            row.error_code.map(|code| code.to_string()).unwrap_or_default(),
            text(&row.status_details),
            time(row.processed_at),
            row.attempt.to_string(),
            time(row.next_check_at),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table_file::in_csv;
    use lineshift_domain::codes::Code;
    use lineshift_domain::ids::DeviceId;

    #[test]
    fn rows_are_quoted_and_formulas_disarmed() {
        let row = DeviceChangeView {
            id: DeviceChangeId(5),
            request_position: 0,
            device_id: Some(DeviceId(7)),
            iccid: Some("=HYPERLINK(\"x\")".to_owned()),
            number: None,
            status: DeviceChangeStatus::Error,
            error_kind: Some(Code::InvalidIccid.kind()),
            error_code: Some(Code::InvalidIccid),
            status_details: Some("18 to 22 digits, found \"=\",\nsay it again".to_owned()),
            processed_at: DateTime::from_timestamp(1_800_000_000, 0),
            attempt: 1,
            next_check_at: None,
        };
        let text =
            String::from_utf8(in_csv([Export::COLUMNS.map(str::to_owned), Export::cells(&row)]).expect("text")).expect("UTF-8");
        assert_eq!(
            text,
            "request_position,iccid,number,device_id,status,error_kind,error_code,status_details,processed_at,attempt,next_check_at\r\n\
             0,\"'=HYPERLINK(\"\"x\"\")\",,7,ERROR,VALIDATION,invalid_iccid,\"18 to 22 digits, found \"\"=\"\",\nsay it again\",\
             2027-01-15T08:00:00Z,1,\r\n"
        );
    }
}
