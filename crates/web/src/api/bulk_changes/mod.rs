//! Bulk changes: looking at them and steering them.

pub(crate) mod control;
pub(crate) mod devices;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod log;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::scopes::Action;
use lineshift_engine::Caller;
use lineshift_store::bulk_changes::BulkChangeView;

use crate::Web;
use crate::problem::ApiProblem;

/// The change, if it is there for this caller and may be looked at. Errors: 404, 403.
async fn visible(web: &Web, caller: &Caller, id: i64) -> Result<BulkChangeView, ApiProblem> {
    let change = web.engine.get_bulk_change(caller, BulkChangeId(id)).await?;
    caller.require(change.portal.into(), Action::View)?;
    Ok(change)
}
