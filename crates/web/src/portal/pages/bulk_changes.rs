//! The bulk changes of a portal.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use lineshift_domain::ids::{ServiceProviderId, TenantId};
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::{BulkChangeStatus, PortalType};
use lineshift_store::bulk_changes::BulkChangeFilter;
use lineshift_store::catalogue::Unnamed;

use crate::cursor::Cursor as _;
use crate::portal::address::{given, with_parameter};
use crate::portal::page::{When, answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::views::BulkChangeView;

/// Bulk changes of a page.
const CHANGES: usize = 50;

#[derive(Template)]
#[template(path = "bulk_changes.html")]
struct BulkChangesPage {
    frame: Frame,
    address: String,
    statuses: Vec<StatusChoice>,
    by: String,
    /// Whether only the viewer's own are shown, and whether there are others that they might see.
    own: bool,
    sees_others: bool,
    is_filtered: bool,
    changes: Vec<ChangeRow>,
    next: Option<String>,
}

/// A status that is sought.
struct StatusChoice {
    name: &'static str,
    is_chosen: bool,
}

/// A bulk change in a list.
pub(in crate::portal) struct ChangeRow {
    id: i64,
    pub(in crate::portal) address: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) portal: String,
    pub(in crate::portal) provider: String,
    pub(in crate::portal) by: String,
    pub(in crate::portal) at: When,
    pub(in crate::portal) status: String,
    pub(in crate::portal) held: bool,
    pub(in crate::portal) total: String,
    pub(in crate::portal) done: String,
    pub(in crate::portal) failed: String,
    /// Of a hundred: done, failed; what is left is open.
    pub(in crate::portal) shares: Shares,
    /// Where its progress comes from, if the list shows it live.
    pub(in crate::portal) events: Option<String>,
}

/// How much of a change is done and how much failed, of a thousand rows.
pub(in crate::portal) struct Shares {
    pub(in crate::portal) done: i64,
    pub(in crate::portal) failed: i64,
}

impl Shares {
    pub(in crate::portal) fn of(change: &BulkChangeView) -> Self {
        let total = change.counts.total.max(1);
        Self { done: change.counts.done() * 1000 / total, failed: change.counts.failed() * 1000 / total }
    }
}

/// `GET /{portal}/bulk-changes`: newest first, those with `status`, ordered by `by`, or one's `own`.
pub(in crate::portal) async fn list(viewer: Viewer, Path(portal): Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::View)?;
    let given = given(&uri);
    let mut parameters = Parameters::of_pairs(given.clone());
    let status = parameters.term("status", BulkChangeStatus::ALL);
    let created_by = parameters.text("by");
    let own = parameters.parsed("own", "yes", |text| (text == "yes").then_some(())).is_some();
    let before = parameters.cursor("before");
    parameters.finish()?;
    let sees_others = viewer.caller.rights.reach.is_everything();
    let ordered_by = (own || !sees_others).then_some(viewer.caller.principal);
    let filter = BulkChangeFilter { portal, status, created_by: created_by.clone(), ordered_by };
    let (store, caller) = (viewer.web.engine.store(), &viewer.caller);
    let listed = store.list_bulk_changes_by(caller.tenant, caller.principal, &filter, before, CHANGES).await?;
    let views = listed.items.iter().map(BulkChangeView::from).collect();
    let address = format!("/{}/bulk-changes", segment(portal));
    let page = BulkChangesPage {
        frame: viewer.frame("Bulk changes", Some(portal), Place::BulkChanges)?,
        statuses: BulkChangeStatus::ALL
            .iter()
            .map(|each| StatusChoice { name: each.as_str(), is_chosen: Some(*each) == status })
            .collect(),
        by: created_by.unwrap_or_default(),
        own,
        sees_others,
        is_filtered: given.iter().any(|(name, _)| name != "before"),
        changes: rows(&viewer, views).await?,
        next: listed.next.map(|next| with_parameter(&address, &given, "before", &next.encode())),
        address,
    };
    Ok(answer(&page))
}

/// Changes as a list shows them.
pub(in crate::portal) async fn rows(viewer: &Viewer, changes: Vec<BulkChangeView>) -> Result<Vec<ChangeRow>, ApiProblem> {
    let service_providers = changes.iter().map(|change| ServiceProviderId(change.service_provider_id)).collect();
    let unnamed = Unnamed { service_providers, ..Unnamed::default() };
    let names = viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed).await?.service_providers;
    Ok(changes.into_iter().map(|change| row(viewer, change, &names)).collect())
}

fn row(viewer: &Viewer, change: BulkChangeView, providers: &BTreeMap<ServiceProviderId, String>) -> ChangeRow {
    let provider = providers.get(&ServiceProviderId(change.service_provider_id)).cloned().unwrap_or_default();
    ChangeRow {
        id: change.id,
        address: address(&change),
        title: title(&change),
        provider,
        at: viewer.when(change.created_at),
        held: change.held,
        total: thousands(change.counts.total),
        done: thousands(change.counts.done()),
        failed: thousands(change.counts.failed()),
        shares: Shares::of(&change),
        events: None,
        portal: change.portal,
        by: change.created_by,
        status: change.status,
    }
}

/// Shows the progress of the first of them live: only few, as browsers open few connections.
pub(in crate::portal) fn follow_first(changes: &mut [ChangeRow], tenant: TenantId, most: usize) {
    for change in changes.iter_mut().filter(|change| !change.held).take(most) {
        change.events = Some(events_of(tenant, change.id));
    }
}

/// Where the progress of a change comes from. Two tenants may have a change of that number, and whoever has two windows may be in the other
/// tenant by now: so the address says which is meant.
pub(in crate::portal) fn events_of(tenant: TenantId, id: i64) -> String {
    format!("/api/v1/bulk-changes/{id}/events?tenant={tenant}")
}

/// What a change is called: its name, else what it does.
pub(in crate::portal) fn title(change: &BulkChangeView) -> String {
    change.name.clone().unwrap_or_else(|| act(&change.change_type_name).to_owned())
}

/// What a kind of change does, in words.
pub(in crate::portal) fn act(kind: &str) -> &str {
    match kind {
        "CustomerAssignment" => "Assign customer",
        "CustomerRatePlanChange" => "Change customer rate plan",
        "CarrierRatePlanChange" => "Change carrier rate plan",
        "StatusUpdate" => "Update status",
        other => other,
    }
}

/// Where a change is shown.
pub(in crate::portal) fn address(change: &BulkChangeView) -> String {
    let portal = PortalType::from_name(&change.portal).map_or("m2m", segment);
    format!("/{portal}/bulk-changes/{}", change.id)
}
