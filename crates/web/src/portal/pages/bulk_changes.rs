//! The bulk changes of a portal.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use lineshift_domain::ids::ServiceProviderId;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::PortalType;
use lineshift_store::catalogue::Unnamed;

use crate::api::bulk_changes::list::list_bulk_changes;
use crate::portal::page::{When, answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::views::BulkChangeView;

#[derive(Template)]
#[template(path = "bulk_changes.html")]
struct BulkChangesPage {
    frame: Frame,
    changes: Vec<ChangeRow>,
    next: Option<String>,
}

/// A bulk change in a list.
pub(in crate::portal) struct ChangeRow {
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
}

/// How much of a change is done and how much failed, of a thousand rows.
pub(in crate::portal) struct Shares {
    pub(in crate::portal) done: i64,
    pub(in crate::portal) failed: i64,
}

impl Shares {
    pub(in crate::portal) fn of(change: &BulkChangeView) -> Self {
        let total = change.counts.total.max(1);
        Self { done: change.counts.processed * 1000 / total, failed: change.counts.error * 1000 / total }
    }
}

/// `GET /{portal}/bulk-changes`
pub(in crate::portal) async fn list(
    viewer: Viewer,
    Path(portal): Path<String>,
    parameters: Parameters,
) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::View)?;
    let mut listed = list_bulk_changes(State(viewer.web.clone()), viewer.caller.clone(), parameters).await?.0;
    listed.items.retain(|change| change.portal == portal.as_str());
    let changes = rows(&viewer, listed.items).await?;
    let frame = viewer.frame("Bulk changes", Some(portal), Place::BulkChanges)?;
    Ok(answer(&BulkChangesPage { frame, changes, next: listed.next }))
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
        address: address(&change),
        title: title(&change),
        provider,
        at: viewer.when(change.created_at),
        held: change.held,
        total: thousands(change.counts.total),
        done: thousands(change.counts.processed),
        failed: thousands(change.counts.error),
        shares: Shares::of(&change),
        portal: change.portal,
        by: change.created_by,
        status: change.status,
    }
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
