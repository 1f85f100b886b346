//! A carrier's rate plans: new, changed, and those that its list has no longer.

use std::collections::{HashMap, HashSet};

use lineshift_domain::sync::{FindingKind, FindingSubject};
use lineshift_store::Result;
use lineshift_store::sql::sync as text;
use lineshift_store::sync::SyncedPlan;
use serde_json::{Value, json};

use super::record::{Found, Page, last_of_each};
use super::unseen::provider_of;
use crate::json::json as to_json;
use crate::sql::carrier_sync as tuned;

/// What is stored of a plan.
struct Stored {
    id: i64,
    code: String,
    name: String,
    is_active: bool,
}

/// Writes the carrier's whole list, if it was read; or tells that it was refused.
pub(super) fn write(page: &mut Page<'_>, given: Option<&[SyncedPlan]>, refused: Option<&str>) -> Result<()> {
    if let Some(refused) = refused {
        page.find(FindingKind::LeftOut, about(0, Some("the list of rate plans".to_owned()), refused.to_owned()));
    }
    let Some(given) = given else { return Ok(()) };
    let provider = provider_of(page.claim)?;
    // Whoever brings plans in holds their counter until he commits: what another made is then there to be seen.
    page.sql.raise_ids(page.claim.tenant_id, "carrier_rate_plan", 1)?;
    let stored = page.sql.query(text::LIST_PLANS, &[&page.tenant(), &provider], |row| {
        Ok(Stored { id: row.get(0)?, code: row.get(1)?, name: row.get(2)?, is_active: row.get(3)? })
    })?;
    let given = last_of_each(given, |plan| plan.code.clone());
    let mut written = compare(page, &stored, &given);
    written.extend(new_plans(page, &stored, &given)?);
    if !written.is_empty() {
        page.sql.execute(tuned::STORE_PLANS, &[&page.tenant(), &to_json(&written)?, &provider])?;
    }
    Ok(())
}

/// What is to be written of the plans that are here.
fn compare(page: &mut Page<'_>, stored: &[Stored], given: &[&SyncedPlan]) -> Vec<Value> {
    let listed: HashMap<&str, &str> = given.iter().map(|plan| (plan.code.as_str(), plan.name.as_str())).collect();
    let mut written = Vec::new();
    for here in stored {
        let shown = show(&here.code, &here.name, here.is_active);
        match listed.get(here.code.as_str()) {
            Some(name) if here.is_active && here.name == *name => page.count(None),
            Some(name) => {
                page.count(Some(FindingKind::Changed));
                page.find(FindingKind::Changed, about(here.id, Some(shown), show(&here.code, name, true)));
                written.push(json!([here.id, here.code, name, 1]));
            }
            None if here.is_active => {
                page.counts.gone += 1;
                page.find(FindingKind::Gone, about(here.id, Some(shown), "not in its list".to_owned()));
                written.push(json!([here.id, here.code, here.name, 0]));
            }
            None => {}
        }
    }
    written
}

fn new_plans(page: &mut Page<'_>, stored: &[Stored], given: &[&SyncedPlan]) -> Result<Vec<Value>> {
    let known: HashSet<&str> = stored.iter().map(|plan| plan.code.as_str()).collect();
    let new: Vec<&&SyncedPlan> = given.iter().filter(|plan| !known.contains(plan.code.as_str())).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let count = i64::try_from(new.len()).expect("a carrier has few plans");
    let first = page.sql.reserve_ids(page.claim.tenant_id, "carrier_rate_plan", count)?;
    let mut written = Vec::with_capacity(new.len());
    for (id, plan) in (first..).zip(new) {
        page.count(Some(FindingKind::New));
        page.find(FindingKind::New, about(id, None, show(&plan.code, &plan.name, true)));
        written.push(json!([id, plan.code, plan.name, 1]));
    }
    Ok(written)
}

fn show(code: &str, name: &str, is_active: bool) -> String {
    format!("{code}, {name}{}", if is_active { "" } else { " (inactive)" })
}

const fn about(id: i64, here: Option<String>, there: String) -> Found {
    let subject = FindingSubject::CarrierPlan;
    Found { subject, subject_id: id, customer: None, service: None, device: None, line: None, here, there: Some(there) }
}
