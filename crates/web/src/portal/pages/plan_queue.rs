//! What is scheduled: plan changes that wait for their date, to be moved or canceled.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, RevCustomerId, SiteId, TenantId};
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::{PlanQueueState, PortalType};
use lineshift_store::StoreError;
use lineshift_store::catalogue::{Names, Unnamed};
use lineshift_store::plan_queue::EntryFilter;

use super::plan_queue_month as month;
use super::plan_queue_move::NotDone;
use super::sought_entries::{Search, Sought};
use crate::Web;
use crate::api::plan_queue::list_queue_entries;
use crate::portal::address::{given, with_parameter};
use crate::portal::choosing::may_choose;
use crate::portal::line_name::line_name;
use crate::portal::page::{When, answer};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::views::{Page, PlanQueueEntryView};

/// Entries of a page.
const ENTRIES: usize = 100;

#[derive(Template)]
#[template(path = "plan_queue.html")]
struct PlanQueuePage {
    frame: Frame,
    address: String,
    search: Search,
    /// What is sought, as it stands in the address: a form that changes an entry leads back to it.
    back: String,
    /// The month of the day that is shown, else this month.
    month: String,
    entries: Vec<EntryRow>,
    next: Option<String>,
    /// Whether any of them can be moved or canceled by the viewer.
    may_edit: bool,
    /// The bulk change of which alone entries are shown.
    of_change: Option<OfChange>,
    states: Vec<StateChoice>,
    /// Days before are not offered.
    today: String,
    /// Why what was asked for was not done.
    not_done: Option<String>,
}

/// A bulk change whose entries are shown.
struct OfChange {
    id: i64,
    /// Whether those are shown that were refused when they fell due.
    is_refused: bool,
    /// Whether the viewer may choose lines, and the form that chooses those that are shown.
    may_choose: bool,
    choose: String,
    /// Where they are downloaded, but for the format.
    download: String,
}

/// A state of entries that is sought.
struct StateChoice {
    value: &'static str,
    name: &'static str,
    is_chosen: bool,
}

/// How people call the states.
const STATES: [(PlanQueueState, &str); 4] = [
    (PlanQueueState::Open, "waits for its date"),
    (PlanQueueState::Failed, "refused when it fell due"),
    (PlanQueueState::Applied, "took effect"),
    (PlanQueueState::Canceled, "canceled"),
];

/// An entry in the list.
struct EntryRow {
    id: i64,
    at: When,
    /// The day in the tenant's zone, as a field for dates takes it, or what was typed there.
    day: String,
    /// The time of day, which it keeps.
    time: String,
    device: i64,
    /// How the portal knows the line.
    line: String,
    customer: String,
    /// What changes, as words.
    changes: Vec<String>,
    bulk_change: i64,
    is_open: bool,
    state: String,
    /// Why it was refused.
    code: Option<String>,
    details: Option<String>,
}

/// `GET /{portal}/plan-queue`: open ones by date, those that are sought; with `device_id`, or with `bulk_change_id` and `state`, what the API
/// lists; with `month` how many fall due on each of its days.
pub(in crate::portal) async fn list(viewer: Viewer, Path(portal): Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    Ok(show(&viewer, portal_of(&portal)?, given(&uri), None).await?)
}

/// The same, with what was not done.
pub(super) async fn show(
    viewer: &Viewer,
    portal: PortalType,
    given: Vec<(String, String)>,
    not_done: Option<NotDone>,
) -> Result<Response, ApiProblem> {
    viewer.caller.require(portal.into(), Action::View)?;
    let is_given = |names: &[&str]| given.iter().any(|(name, _)| names.contains(&name.as_str()));
    if is_given(&["month"]) {
        return month::show(viewer, portal, &given).await;
    }
    let address = format!("/{}/plan-queue", segment(portal));
    let mut parameters = Parameters::of_pairs(given.clone());
    let asked = |name: &str| given.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str());
    let state = asked("state").and_then(|state| state.parse().ok()).unwrap_or(PlanQueueState::Open);
    let of_change = asked("bulk_change_id").and_then(|id| id.parse().ok()).map(|id| OfChange {
        id,
        is_refused: state == PlanQueueState::Failed,
        may_choose: may_choose(viewer, portal),
        choose: format!("/{}/selection/refused", segment(portal)),
        download: format!("/{}/bulk-changes/{id}/scheduled?state={state}&tenant={}", segment(portal), viewer.caller.tenant),
    });
    let (listed, search) = if is_given(&["device_id", "bulk_change_id"]) {
        let mut listed = list_queue_entries(State(viewer.web.clone()), viewer.caller.clone(), parameters).await?.0;
        listed.items.retain(|entry| entry.portal == portal.as_str());
        (listed, Search::new(viewer, &Sought::default()).await?)
    } else {
        let (sought, after) = (Sought::read(&mut parameters), parameters.cursor("after"));
        parameters.finish()?;
        let (caller, zone) = (&viewer.caller, viewer.zone());
        let filter = EntryFilter { portal: Some(portal), ..sought.filter(zone) };
        let store = viewer.web.engine.store();
        let listed = store.list_due_entries(caller.tenant, &caller.rights.reach, &filter, after, ENTRIES).await?;
        (Page::of(listed, |entry| PlanQueueEntryView::of(entry, zone)), Search::new(viewer, &sought).await?)
    };
    let names = names_of(&viewer.web, viewer.caller.tenant, &listed.items).await?;
    let are_open = listed.items.iter().any(|entry| entry.state == PlanQueueState::Open.as_str());
    let now = viewer.web.engine.clock().now().with_timezone(&viewer.zone()).date_naive();
    let page = PlanQueuePage {
        frame: viewer.frame("Scheduled", Some(portal), Place::PlanQueue)?,
        entries: listed.items.into_iter().map(|entry| row(viewer, portal, entry, &names, not_done.as_ref())).collect(),
        next: listed.next.map(|next| with_parameter(&address, &given, "after", &next)),
        may_edit: are_open && viewer.may(portal, Action::Edit),
        states: STATES.map(|(each, name)| StateChoice { value: each.as_str(), name, is_chosen: each == state }).into(),
        of_change,
        back: form_urlencoded::Serializer::new(String::new()).extend_pairs(&given).finish(),
        month: search.day_or(now).format("%Y-%m").to_string(),
        today: now.to_string(),
        not_done: not_done.map(|not_done| not_done.why),
        search,
        address,
    };
    Ok(answer(&page))
}

/// What people call the things that entries name.
pub(super) async fn names_of(web: &Web, tenant: TenantId, entries: &[PlanQueueEntryView]) -> Result<Names, StoreError> {
    let unnamed = Unnamed {
        rev_customers: entries.iter().filter_map(|entry| entry.rev_customer_id).map(RevCustomerId).collect(),
        sites: entries.iter().filter_map(|entry| entry.site_id).map(SiteId).collect(),
        customer_rate_plans: entries.iter().filter_map(|entry| entry.customer_rate_plan_id).map(CustomerRatePlanId).collect(),
        customer_rate_pools: entries.iter().filter_map(|entry| entry.customer_rate_pool_id).map(CustomerRatePoolId).collect(),
        ..Unnamed::default()
    };
    web.engine.store().find_names(tenant, &unnamed).await
}

fn row(viewer: &Viewer, portal: PortalType, entry: PlanQueueEntryView, names: &Names, not_done: Option<&NotDone>) -> EntryRow {
    let typed = not_done.filter(|not_done| not_done.id.0 == entry.id).and_then(|not_done| not_done.typed.clone());
    EntryRow {
        id: entry.id,
        at: viewer.when(entry.effective_date.utc),
        day: typed.unwrap_or_else(|| entry.effective_date.local.format("%Y-%m-%d").to_string()),
        time: entry.effective_date.local.format("%H:%M").to_string(),
        device: entry.device_id,
        customer: customer(&entry, names).cloned().unwrap_or_default(),
        changes: changes(&entry, names),
        line: line(portal, &entry),
        bulk_change: entry.bulk_change_id,
        is_open: entry.state == PlanQueueState::Open.as_str(),
        state: entry.state,
        code: entry.error_code,
        details: entry.status_details,
    }
}

/// How a portal calls the line of an entry.
pub(super) fn line(portal: PortalType, entry: &PlanQueueEntryView) -> String {
    line_name(portal.first_identifier(), Some(&entry.iccid), entry.number.as_deref())
}

/// For whom an entry was ordered: the customer, or the site that is one itself.
pub(super) fn customer<'a>(entry: &PlanQueueEntryView, names: &'a Names) -> Option<&'a String> {
    let customer = entry.rev_customer_id.and_then(|id| names.rev_customers.get(&RevCustomerId(id)));
    customer.or_else(|| entry.site_id.and_then(|id| names.sites.get(&SiteId(id))))
}

/// What an entry changes: what it keeps is left out, 0 clears.
pub(super) fn changes(entry: &PlanQueueEntryView, names: &Names) -> Vec<String> {
    let named = |what: &str, id: i64, name: Option<&String>| match (id, name) {
        (0, _) => format!("no {what}"),
        (_, Some(name)) => format!("{what} {name}"),
        (id, None) => format!("{what} {id}"),
    };
    let plan = entry.customer_rate_plan_id.map(|id| named("plan", id, names.customer_rate_plans.get(&CustomerRatePlanId(id))));
    let pool = entry.customer_rate_pool_id.map(|id| named("pool", id, names.customer_rate_pools.get(&CustomerRatePoolId(id))));
    let allocation = entry.customer_data_allocation_mb.map(|mb| match mb.is_zero() {
        true => "no allocation".to_owned(),
        false => format!("{mb} MB"),
    });
    [plan, pool, allocation].into_iter().flatten().collect()
}
