//! `GET /api/v1/bulk-changes/{id}/devices`.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::reading::codes;
use lineshift_domain::terms::DeviceChangeStatus;
use lineshift_engine::Caller;
use lineshift_store::bulk_changes::DeviceChangeFilter;
use utoipa::IntoParams;

use super::visible;
use crate::Web;
use crate::problem::ApiProblem;
use crate::query::{Parameters, PathId};
use crate::views::{DeviceChangeView, Page, StepView};

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct DevicesParams {
    /// Only rows with this status.
    #[param(example = "ERROR")]
    status: Option<String>,
    /// Only rows in ERROR with this code.
    #[param(example = "device_not_active")]
    code: Option<String>,
    /// `steps`: each row with the parts of its steps that call outside.
    #[param(example = "steps")]
    include: Option<String>,
    /// How many items at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists the rows of a bulk change
///
/// In device order; rows in ERROR by code, then in device order. Of a line that is beyond your reach by now, a row shows by what it was
/// ordered and what became of it.
#[utoipa::path(get, path = "/api/v1/bulk-changes/{id}/devices", tag = crate::api::tag::BULK_CHANGES,
    params(("id" = i64, Path, description = "The bulk change"), DevicesParams),
    responses((status = 200, description = "A page", body = Page<DeviceChangeView>)))]
pub(crate) async fn list_device_changes(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    mut parameters: Parameters,
) -> Result<Json<Page<DeviceChangeView>>, ApiProblem> {
    let change = visible(&web, &caller, id).await?;
    let filter = read_filter(&mut parameters);
    let limit = parameters.limit();
    let after = read_cursor(&mut parameters, filter);
    let include = parameters.parsed("include", "steps", |text| (text == "steps").then_some(()));
    parameters.finish()?;
    let mut listed = web.engine.list_device_changes(&caller, &change, filter, after, limit).await?;
    if !is_by_code(filter) {
        listed.next = listed.next.map(|(_, id)| (None, id));
    }
    let mut page = Page::of(listed, DeviceChangeView::from);
    if include.is_some() {
        add_steps(&web, &caller, &mut page.items).await?;
    }
    Ok(Json(page))
}

/// Gives each row its steps.
async fn add_steps(web: &Web, caller: &Caller, rows: &mut [DeviceChangeView]) -> Result<(), ApiProblem> {
    // Without a line there are none, and of a line that is beyond reach by now none are shown.
    let with_line = rows.iter().filter(|row| row.device_id.is_some());
    let ids: Vec<DeviceChangeId> = with_line.map(|row| DeviceChangeId(row.id)).collect();
    let mut steps: HashMap<i64, Vec<StepView>> = HashMap::new();
    for step in web.engine.store().list_steps_of(caller.tenant, &ids).await? {
        steps.entry(step.device_change_id.0).or_default().push(step.into());
    }
    for row in rows {
        let mut steps = steps.remove(&row.id).unwrap_or_default();
        steps.sort_by(|a, b| (&a.step, a.part).cmp(&(&b.step, b.part)));
        row.steps = Some(steps);
    }
    Ok(())
}

fn read_filter(parameters: &mut Parameters) -> DeviceChangeFilter {
    let status = parameters.term("status", DeviceChangeStatus::ALL);
    let code = parameters.term("code", Code::ALL);
    if code.is_some() && status.is_some_and(|status| status != DeviceChangeStatus::Error) {
        parameters.report("code", codes::CONFLICTING_FIELDS, "only rows in ERROR have a code; leave status out, or give ERROR");
    }
    DeviceChangeFilter { status, code }
}

/// Whether rows are listed by code first.
fn is_by_code(filter: DeviceChangeFilter) -> bool {
    filter.code.is_some() || filter.status == Some(DeviceChangeStatus::Error)
}

/// A cursor goes with the filter of its page: lists of errors are by code, others are not.
fn read_cursor(parameters: &mut Parameters, filter: DeviceChangeFilter) -> Option<(Option<Code>, DeviceChangeId)> {
    let after = parameters.cursor::<(Option<Code>, DeviceChangeId)>("after")?;
    if after.0.is_some() != is_by_code(filter) {
        let message = "this is the cursor of a list with another filter; keep status and code while paging";
        parameters.report("after", codes::CONFLICTING_FIELDS, message);
    }
    Some(after)
}
