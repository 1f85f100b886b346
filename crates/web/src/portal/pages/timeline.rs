//! What happened to a line, as words: what was what before and after, by name, who ordered it, and which change did it.

use chrono::DateTime;
use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, RevCustomerId, SiteId};
use lineshift_store::catalogue::{Names, Unnamed};
use serde_json::Value;

use crate::portal::page::When;
use crate::portal::viewer::Viewer;
use crate::views::HistoryEntryView;

/// Something that happened to the line.
pub(super) struct Event {
    pub(super) at: When,
    pub(super) what: String,
    pub(super) by: String,
    /// More about it, in a sentence.
    pub(super) note: Option<String>,
    /// What was before and after, field by field; either may be nothing.
    pub(super) changes: Vec<(String, String, String)>,
    /// The bulk change that did it, where the viewer sees it.
    pub(super) change: Option<String>,
    /// The line within the bulk change by which it was asked for, where the viewer sees it.
    pub(super) row: Option<String>,
}

/// Adds what stands by its id in a history.
pub(super) fn add_unnamed(entry: &HistoryEntryView, unnamed: &mut Unnamed) {
    for value in [&entry.old_value, &entry.new_value] {
        let id = |name: &str| value.get(name).and_then(Value::as_i64);
        unnamed.rev_customers.extend(id("rev_customer_id").map(RevCustomerId));
        unnamed.sites.extend(id("site_id").map(SiteId));
        unnamed.customer_rate_plans.extend(id("customer_rate_plan_id").map(CustomerRatePlanId));
        unnamed.customer_rate_pools.extend(id("customer_rate_pool_id").map(CustomerRatePoolId));
    }
}

/// Something that was done as words.
pub(super) fn event(viewer: &Viewer, entry: HistoryEntryView, names: &Names) -> Event {
    let sees_all = viewer.caller.rights.reach.is_everything();
    // Whoever is limited sees their own changes.
    let change = entry.bulk_change_id.filter(|id| *id > 0 && (sees_all || entry.changed_by == viewer.caller.name));
    let words = |name: &str, value: &Value| words(viewer, name, value, names);
    Event {
        at: viewer.when(entry.at),
        changes: differences(&entry.old_value, &entry.new_value, words),
        what: what(&entry),
        by: match entry.changed_by {
            by if by.is_empty() => "somebody else".to_owned(),
            by => by,
        },
        change: change.map(|id| format!("/bulk-changes/{id}")),
        note: None,
        row: None,
    }
}

/// What was done, in words.
fn what(entry: &HistoryEntryView) -> String {
    let gone = entry.new_value.is_null();
    match entry.action.as_str() {
        "assignment" => "Assigned".to_owned(),
        "customer_rate_plan" => "Customer rate plan changed".to_owned(),
        "carrier_rate_plan" => "Carrier rate plan changed".to_owned(),
        "status" => "Status changed".to_owned(),
        "service_line" if gone => "Billing service disconnected".to_owned(),
        "service_line" => "Billing service connected".to_owned(),
        other => other.replace('_', " "),
    }
}

/// The fields that differ, in the order of the values after, by what they are called.
fn differences(old: &Value, new: &Value, words: impl Fn(&str, &Value) -> String) -> Vec<(String, String, String)> {
    let nothing = serde_json::Map::new();
    let (old, new) = (old.as_object().unwrap_or(&nothing), new.as_object().unwrap_or(&nothing));
    let only_old = old.keys().filter(|name| !new.contains_key(*name));
    let mut found = Vec::new();
    for name in new.keys().chain(only_old) {
        let (before, after) = (old.get(name).filter(|value| !value.is_null()), new.get(name).filter(|value| !value.is_null()));
        if before != after {
            let text = |value: Option<&Value>| value.map(|value| words(name, value)).unwrap_or_default();
            found.push((label(name), text(before), text(after)));
        }
    }
    found
}

/// What a field is called.
fn label(name: &str) -> String {
    match name {
        "rev_customer_id" => "customer".to_owned(),
        "customer_data_allocation_mb" => "allocation".to_owned(),
        "is_active" => "in force".to_owned(),
        "is_deleted" => "deleted".to_owned(),
        "rev_service_id" => "service".to_owned(),
        other => other.strip_suffix("_id").unwrap_or(other).replace('_', " "),
    }
}

/// A value as people write it: what stands by its id by its name.
fn words(viewer: &Viewer, name: &str, value: &Value, names: &Names) -> String {
    let id = value.as_i64();
    let named = match name {
        "rev_customer_id" => id.and_then(|id| names.rev_customers.get(&RevCustomerId(id)).cloned()),
        "site_id" => id.and_then(|id| names.sites.get(&SiteId(id)).cloned()),
        "customer_rate_plan_id" => id.and_then(|id| names.customer_rate_plans.get(&CustomerRatePlanId(id)).cloned()),
        "customer_rate_pool_id" => id.and_then(|id| names.customer_rate_pools.get(&CustomerRatePoolId(id)).cloned()),
        "effective_date" => id.and_then(DateTime::from_timestamp_micros).map(|at| viewer.when(at).text),
        "is_active" | "is_deleted" => id.map(|flag| if flag == 0 { "no" } else { "yes" }.to_owned()),
        "customer_data_allocation_mb" => Some(format!("{} MB", plain(value))),
        _ => None,
    };
    named.unwrap_or_else(|| plain(value))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_told_by_what_it_is_called() {
        let words = |name: &str, value: &Value| format!("{name}={}", plain(value));
        let old = json!({"rev_customer_id": 5, "site_id": 7, "account_number": null});
        let new = json!({"rev_customer_id": 6, "site_id": 7, "account_number": "6"});
        let text = |text: &str| text.to_owned();
        let expected = [
            (text("account number"), text(""), text("account_number=6")),
            (text("customer"), text("rev_customer_id=5"), text("rev_customer_id=6")),
        ];
        let mut found = differences(&old, &new, words);
        found.sort();
        assert_eq!(found, expected);
        assert_eq!(
            differences(&Value::Null, &json!({"status": "ACTIVATED"}), words),
            [(text("status"), text(""), text("status=ACTIVATED"))]
        );
        assert_eq!(differences(&json!({"status": "A"}), &Value::Null, words), [(text("status"), text("status=A"), text(""))]);
    }
}
