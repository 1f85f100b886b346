//! Bulk changes: looking at them and steering them.

pub(crate) mod control;
pub(crate) mod devices;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod log;

use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_domain::scopes::Action;
use lineshift_engine::Caller;
use lineshift_store::bulk_changes::BulkChangeView;

use crate::Web;
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// Takes `tenant`, and refuses where another is meant than the caller's: whoever has two windows may have gone to another tenant in one of
/// them, where that number is another bulk change. Errors: 409.
pub(crate) fn of_tenant_meant(parameters: &mut Parameters, caller: &Caller) -> Result<(), ApiProblem> {
    match parameters.id("tenant", TenantId) {
        Some(meant) if meant != caller.tenant => Err(ApiProblem::conflict(
            "other_tenant",
            "this was asked for another tenant than the one that you are in by now; go back to that tenant, or load the page again",
        )),
        _ => Ok(()),
    }
}

/// The change, if it is there for this caller and may be looked at. Errors: 404, 403.
async fn visible(web: &Web, caller: &Caller, id: i64) -> Result<BulkChangeView, ApiProblem> {
    let change = web.engine.get_bulk_change(caller, BulkChangeId(id)).await?;
    caller.require(change.portal.into(), Action::View)?;
    Ok(change)
}
