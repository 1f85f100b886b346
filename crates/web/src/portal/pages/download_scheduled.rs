//! What a bulk change scheduled as a file: what waits, took effect, was canceled, or was refused when it fell due, with the reason.

use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::terms::PlanQueueState;
use lineshift_engine::{Caller, EngineError};
use lineshift_store::paging::{Listed, MAX_PAGE_ITEMS};
use lineshift_store::plan_queue::{PlanQueueFilter, PlanQueueKey};

use super::bulk_change::seen;
use super::download::Kind;
use super::plan_queue::{changes, customer, names_of};
use crate::Web;
use crate::api::bulk_changes::of_tenant_meant;
use crate::csv_cells::safe_cell;
use crate::portal::address::given;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::Viewer;
use crate::query::Parameters;
use crate::table_file::{Rows, Table};
use crate::views::PlanQueueEntryView;

/// `GET /{portal}/bulk-changes/{id}/scheduled`: `format` csv or xlsx; `state` as in the plan queue, open unless given; `tenant` is the one
/// whose page it was.
pub(in crate::portal) async fn download(
    viewer: Viewer,
    Path((portal, id)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, PageRefused> {
    let mut parameters = Parameters::of_pairs(given(&uri));
    of_tenant_meant(&mut parameters, &viewer.caller)?;
    let change = seen(&viewer, &portal, &id).await?;
    let state = parameters.term("state", PlanQueueState::ALL).unwrap_or(PlanQueueState::Open);
    // A row schedules one change at most.
    let most = if state == PlanQueueState::Failed { change.scheduled_failed } else { change.counts.total };
    let kind = Kind::read(&mut parameters, most);
    parameters.finish()?;
    let (zone, web, caller) = (viewer.zone(), viewer.web, viewer.caller);
    let (workbooks, tenant) = (web.workbooks.clone(), caller.tenant);
    let (name, sheet) = (format!("bulk-change-{}-scheduled-{state}", change.id), format!("Scheduled {}", change.id));
    let entries = Entries { web, caller, zone, change: change.id, state };
    Ok(kind.send(entries, (&workbooks, tenant), &name, sheet).await?)
}

/// Entries of a change that the caller sees, those within reach.
struct Entries {
    web: Web,
    caller: Caller,
    zone: Tz,
    change: BulkChangeId,
    state: PlanQueueState,
}

/// An entry with what people call things.
struct Named {
    entry: PlanQueueEntryView,
    customer: String,
    changes: Vec<String>,
}

impl Rows for Entries {
    type Row = Named;
    type After = PlanQueueKey;

    async fn page(&self, after: Option<PlanQueueKey>) -> Result<Listed<Named, PlanQueueKey>, EngineError> {
        let (store, tenant, reach) = (self.web.engine.store(), self.caller.tenant, &self.caller.rights.reach);
        let filter = PlanQueueFilter::OfChange(self.change, self.state);
        let listed = store.list_queue_entries(tenant, reach, filter, after, MAX_PAGE_ITEMS).await?;
        let entries: Vec<_> = listed.items.into_iter().map(|entry| PlanQueueEntryView::of(entry, self.zone)).collect();
        let names = names_of(&self.web, tenant, &entries).await?;
        let named = |entry: PlanQueueEntryView| Named {
            customer: customer(&entry, &names).cloned().unwrap_or_default(),
            changes: changes(&entry, &names),
            entry,
        };
        Ok(Listed { items: entries.into_iter().map(named).collect(), next: listed.next })
    }
}

impl Table<17> for Entries {
    const COLUMNS: [&'static str; 17] = [
        "bulk_change_id",
        "iccid",
        "number",
        "device_id",
        "effective_date",
        "customer",
        "rev_customer_id",
        "site_id",
        "changes_to",
        "customer_rate_plan_id",
        "customer_rate_pool_id",
        "customer_data_allocation_mb",
        "state",
        "error_code",
        "status_details",
        "modified_by",
        "modified_at",
    ];

    fn cells(Named { entry, customer, changes }: &Named) -> [String; 17] {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let text = |text: &str| safe_cell(text).into_owned();
        let id = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
        [
            entry.bulk_change_id.to_string(),
            text(&entry.iccid),
            text(entry.number.as_deref().unwrap_or_default()),
            entry.device_id.to_string(),
            time(entry.effective_date.utc),
            text(customer),
            id(entry.rev_customer_id),
            id(entry.site_id),
            text(&changes.join(", ")),
            id(entry.customer_rate_plan_id),
            id(entry.customer_rate_pool_id),
            entry.customer_data_allocation_mb.map(|mb| mb.to_string()).unwrap_or_default(),
            entry.state.clone(),
            entry.error_code.clone().unwrap_or_default(),
            text(entry.status_details.as_deref().unwrap_or_default()),
            text(entry.modified_by.as_deref().unwrap_or_default()),
            entry.modified_at.map(time).unwrap_or_default(),
        ]
    }
}
