//! One line: what it is, to whom it belongs, and all that happened to it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::scopes::Action;
use lineshift_store::catalogue::Unnamed;

use crate::api::devices::{get_device, get_device_usage, list_device_history};
use crate::portal::page::{When, answer};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::{NoParameters, Parameters, PathId};
use crate::views::HistoryEntryView;

/// Entries of a page of the timeline.
const ENTRIES: &str = "50";

#[derive(Template)]
#[template(path = "line.html")]
struct LinePage {
    frame: Frame,
    address: String,
    iccid: String,
    facts: Vec<(&'static str, String)>,
    assignment: Vec<(&'static str, String)>,
    usage: Vec<(&'static str, String)>,
    events: Vec<Event>,
    next: Option<String>,
}

/// Something that happened to the line.
struct Event {
    at: When,
    what: String,
    by: String,
    /// What was before and after, field by field.
    changes: Vec<(String, String, String)>,
    change: Option<String>,
}

/// `GET /{portal}/lines/{id}`
pub(in crate::portal) async fn show(
    viewer: Viewer,
    Path((portal, id)): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::View)?;
    let id: i64 = id.parse().map_err(|_| ApiProblem::not_found())?;
    let after = parameters.text("after");
    parameters.finish()?;
    let (web, caller) = (|| State(viewer.web.clone()), || viewer.caller.clone());
    let line = get_device(web(), caller(), PathId(id), NoParameters).await?.0;
    let usage = get_device_usage(web(), caller(), PathId(id), NoParameters).await.ok().map(|usage| usage.0);
    let mut asked = vec![("limit".to_owned(), ENTRIES.to_owned())];
    asked.extend(after.map(|after| ("after".to_owned(), after)));
    let history = list_device_history(web(), caller(), PathId(id), Parameters::of_pairs(asked)).await?.0;

    let given = &line.assignment;
    let unnamed = Unnamed {
        rev_customers: given.rev_customer_id.map(RevCustomerId).into_iter().collect(),
        sites: given.site_id.map(SiteId).into_iter().collect(),
        service_providers: [ServiceProviderId(line.service_provider_id)].into(),
        customer_rate_plans: given.customer_rate_plan_id.map(CustomerRatePlanId).into_iter().collect(),
        customer_rate_pools: given.customer_rate_pool_id.map(CustomerRatePoolId).into_iter().collect(),
    };
    let names = viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed).await?;
    let one = |name: Option<&String>| name.cloned().unwrap_or_else(|| "none".to_owned());
    let moment = |at: Option<chrono::DateTime<chrono::Utc>>| at.map_or_else(|| "unknown".to_owned(), |at| viewer.when(at).text);
    let page = LinePage {
        frame: viewer.frame(format!("Line {}", line.iccid), Some(portal), Place::Lines)?,
        address: format!("/{}/lines/{id}", segment(portal)),
        facts: vec![
            ("Number", line.subscriber_number.clone().unwrap_or_else(|| "none".to_owned())),
            ("IMEI", line.imei.clone().unwrap_or_else(|| "unknown".to_owned())),
            ("Service provider", one(names.service_providers.values().next())),
            ("Status", line.status.clone()),
            ("Carrier rate plan", line.carrier_rate_plan.clone().unwrap_or_else(|| "none".to_owned())),
            ("Activated", moment(line.activated_at)),
        ],
        assignment: vec![
            ("Customer", one(names.rev_customers.values().next())),
            ("Site", one(names.sites.values().next())),
            ("Account number", given.account_number.clone().unwrap_or_else(|| "none".to_owned())),
            ("Customer rate plan", one(names.customer_rate_plans.values().next())),
            ("Customer rate pool", one(names.customer_rate_pools.values().next())),
            ("Allocation", given.customer_data_allocation_mb.map_or_else(|| "none".to_owned(), |mb| format!("{mb} MB"))),
            ("Effective", moment(given.effective_date.map(|at| at.utc))),
            ("Changed by", given.modified_by.clone()),
        ],
        usage: usage
            .map(|usage| {
                let megabytes = format!("{:.1} MB", usage.data_bytes as f64 / 1_000_000.0);
                vec![("Data, cycle to date", megabytes), ("Read", viewer.when(usage.at).text)]
            })
            .unwrap_or_default(),
        events: history.items.into_iter().map(|entry| event(&viewer, segment(portal), entry)).collect(),
        next: history.next,
        iccid: line.iccid,
    };
    Ok(answer(&page))
}

fn event(viewer: &Viewer, portal: &str, entry: HistoryEntryView) -> Event {
    let (old, new) = (fields(&entry.old_value), fields(&entry.new_value));
    let mut changes = Vec::new();
    for (name, after) in &new {
        let before = old.iter().find(|(old, _)| old == name).map(|(_, value)| value.clone()).unwrap_or_default();
        if before != *after {
            changes.push((name.replace('_', " "), before, after.clone()));
        }
    }
    Event {
        at: viewer.when(entry.at),
        what: entry.action.replace('_', " "),
        by: entry.changed_by,
        changes,
        change: entry.bulk_change_id.filter(|id| *id > 0).map(|id| format!("/{portal}/bulk-changes/{id}")),
    }
}

/// The fields of a value, as words.
fn fields(value: &serde_json::Value) -> Vec<(String, String)> {
    let word = |value: &serde_json::Value| match value {
        serde_json::Value::Null => "none".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        serde_json::Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), word(value))).collect(),
        serde_json::Value::Null => Vec::new(),
        other => vec![("value".to_owned(), word(other))],
    }
}
