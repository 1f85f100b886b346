//! The lines whose scheduled changes were refused when they fell due, chosen so that they can be ordered for anew: nothing tries them again.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::ids::{BulkChangeId, DeviceId};
use lineshift_domain::terms::PlanQueueState;
use lineshift_store::paging::MAX_PAGE_ITEMS;
use lineshift_store::plan_queue::PlanQueueFilter;

use super::bulk_change::of_portal;
use super::selection::{choosing, is_full, left_out, refused};
use crate::audit::AuditNote;
use crate::portal::choosing::{key, selecting};
use crate::portal::form::Form;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Viewer, segment};
use crate::problem::ApiProblem;

/// `POST /{portal}/selection/refused`: all of the bulk change `bulk_change_id` that the viewer sees, a page of entries at a time.
pub(in crate::portal) async fn choose(viewer: Viewer, Path(portal): Path<String>, form: Form) -> Result<Response, PageRefused> {
    let portal = choosing(&viewer, &portal)?;
    let mut fields = form.clone().without(&["back"]).parameters();
    let change = fields.id("bulk_change_id", BulkChangeId);
    fields.finish()?;
    let change = change.ok_or_else(|| ApiProblem::missing("bulk_change_id", "say of which bulk change"))?;
    let change = of_portal(&viewer, portal, change).await?.id;
    let (store, caller) = (viewer.web.engine.store(), &viewer.caller);
    let (tenant, reach, key) = (caller.tenant, &caller.rights.reach, key(&viewer, portal));
    let (filter, mut after, mut added) = (PlanQueueFilter::OfChange(change, PlanQueueState::Failed), None, 0);
    loop {
        let page = store.list_queue_entries(tenant, reach, filter, after, MAX_PAGE_ITEMS).await?;
        let lines: Vec<DeviceId> = page.items.iter().map(|entry| entry.device_id).collect();
        added += store.select_lines(tenant, &key, reach, &lines, selecting(&viewer)).await?;
        let chosen = store.find_selected(tenant, &key, &lines).await?;
        // What left the viewer's reach just now is not theirs to choose.
        if let Some((true, _)) = refused(&viewer, portal, &lines, &chosen).await? {
            let words = is_full(&viewer, "not all of these lines were chosen");
            return left_out(&viewer, portal, &form, added, words).await;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let selection = format!("/{}/selection", segment(portal));
    Ok((AuditNote { devices: added }, Redirect::to(&selection)).into_response())
}
