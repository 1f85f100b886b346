//! Steps that a person must settle (B4.6 rule 6, B7.3).

use axum::Json;
use axum::extract::{Request, State};
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::reading::codes;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::PortalType;
use lineshift_engine::Caller;
use lineshift_store::billing::{Looked, Settlement, UnsettledFilter};

use super::carried_through;
use super::reference::read_fields;
use crate::Web;
use crate::audit::AuditNote;
use crate::auth::require_any_view;
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PageParams, Parameters, PathId};
use crate::views::{Page, SettleRequest, SettledView, UnsettledStepView};

/// Lists steps that a person must settle
///
/// Steps that are stuck, and those that were given up without knowing what they did, the oldest rows first; the lines of those
/// rows are held until somebody says what stands. `limit` counts rows; all steps of a row come together. Rows of portals that
/// the key may not view are left out.
#[utoipa::path(get, path = "/api/v1/unsettled-steps", tag = super::tag::BULK_CHANGES, params(PageParams),
    responses((status = 200, description = "A page", body = Page<UnsettledStepView>)))]
pub(crate) async fn list_unsettled_steps(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<UnsettledStepView>>, ApiProblem> {
    require_any_view(&caller)?;
    let (limit, after) = (parameters.limit(), parameters.cursor("after"));
    parameters.finish()?;
    let listed = web.engine.store().list_unsettled_steps(caller.tenant, &visible(&caller), after, limit).await?;
    Ok(Json(Page::of(listed, UnsettledStepView::from)))
}

/// Those of the bulk changes that the caller may look at, and of the lines within reach.
fn visible(caller: &Caller) -> UnsettledFilter {
    let may_view = |portal: &PortalType| caller.rights.allow((*portal).into(), Action::View);
    let reach = caller.rights.reach.clone();
    UnsettledFilter {
        portals: PortalType::ALL.iter().copied().filter(may_view).collect(),
        ordered_by: (!reach.is_everything()).then_some(caller.principal),
        reach,
    }
}

/// Settles what nobody knows about a row
///
/// For a row that ended in ERROR: somebody looked it up in the billing system and says whether it stands there. The row then
/// lets go of its line, and a retry goes on from there. Needs `edit` in the portal of its bulk change. With `attempt` and `steps_at`
/// it says of what it was said: a retry meanwhile is another matter.
#[utoipa::path(post, path = "/api/v1/device-changes/{id}/settle", tag = super::tag::BULK_CHANGES,
    params(("id" = i64, Path, description = "The row")), request_body = SettleRequest,
    responses(
        (status = 200, description = "Its steps as they stand now", body = SettledView),
        (status = 409, description = "Nothing of it is unsettled, it is open, or it is not any more what was looked at", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn settle_device_change(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<(AuditNote, Json<SettledView>), ApiProblem> {
    let (tenant, row) = (caller.tenant, DeviceChangeId(id));
    // Whoever may not is told so before the body is read.
    web.engine.require_settling(&caller, row).await?;
    let mut fields = read_fields(request).await?;
    let (settlement, looked) = (read_settlement(&mut fields), read_looked(&mut fields));
    let (settlement, looked) = fields.finish(settlement.zip(looked))?;
    let engine = web.engine.clone();
    carried_through(async move { engine.settle(&caller, row, &settlement, looked).await }).await?;
    let steps = web.engine.store().list_steps(tenant, row).await?;
    let view = SettledView { device_change_id: id, steps: steps.into_iter().map(Into::into).collect() };
    Ok((AuditNote { devices: 1 }, Json(view)))
}

/// How a moment is written.
const A_MOMENT: &str = "a moment such as \"2026-11-21T14:05:00Z\" (RFC 3339), or null";

fn read_looked(fields: &mut Fields) -> Option<Looked> {
    let (attempt, steps_at) = (fields.optional_id("attempt", None), fields.optional_moment("steps_at", A_MOMENT, |_| true));
    Some(Looked { attempt: attempt?, steps_at: steps_at? })
}

pub(crate) fn read_settlement(fields: &mut Fields) -> Option<Settlement> {
    let stands = fields.parsed("as", "stands or gone", |text| match text {
        "stands" => Some(true),
        "gone" => Some(false),
        _ => None,
    });
    let rev_service_id = fields.optional_id("rev_service_id", None);
    if stands == Some(false) && matches!(rev_service_id, Some(Some(_))) {
        let message = "what is gone has no id; leave it out, or give \"as\": \"stands\"";
        fields.report("rev_service_id", codes::CONFLICTING_FIELDS, message);
    }
    let rev_service_id = rev_service_id?;
    stands.map(|stands| if stands { Settlement::Stands(rev_service_id) } else { Settlement::Gone })
}
