//! What somebody must look at: accounts that cannot be called as they should, and steps of which nobody knows what they did.

use axum::extract::State;
use chrono::{DateTime, Utc};
use lineshift_connectors::http::AccountKey;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::scopes::{Action, Module};

use super::super::bulk_change::address_of;
use crate::api::unsettled::list_unsettled_steps;
use crate::credentials::is_callable;
use crate::portal::page::thousands;
use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// How many accounts are looked at; a tenant has a handful.
const ACCOUNTS: usize = 50;

/// How many unsettled steps are counted; of more it is said that there are more.
const COUNTED: usize = 100;

/// How many of them are named.
const NAMED: usize = 5;

/// What must be looked at.
#[derive(Default)]
pub(super) struct Trouble {
    /// Accounts by name, and what is wrong with each.
    pub(super) accounts: Vec<(String, String)>,
    /// How many steps are unsettled, in words.
    pub(super) unsettled: Option<String>,
    /// The oldest of them: the line, what is known, where it is shown.
    pub(super) steps: Vec<(String, String, String)>,
}

/// What the viewer may know of it.
pub(super) async fn trouble(viewer: &Viewer, now: DateTime<Utc>) -> Result<Trouble, ApiProblem> {
    let mut trouble = Trouble::default();
    if viewer.may(Module::Admin, Action::View) {
        trouble.accounts = accounts(viewer, now).await?;
    }
    if viewer.portals().next().is_some() {
        unsettled(viewer, &mut trouble).await?;
    }
    Ok(trouble)
}

async fn accounts(viewer: &Viewer, now: DateTime<Utc>) -> Result<Vec<(String, String)>, ApiProblem> {
    let (engine, tenant) = (&viewer.web.engine, viewer.caller.tenant);
    let listed = engine.store().list_integration_authentications(tenant, &viewer.caller.rights.reach, None, ACCOUNTS).await?;
    let mut found = Vec::new();
    for account in listed.items {
        if !account.is_active || !is_callable(engine.carriers(), account.integration_kind) {
            continue;
        }
        let stored = engine.store().get_account(tenant, account.id).await?;
        let key = AccountKey { tenant_id: tenant, integration_authentication_id: account.id };
        let mut wrong = Vec::new();
        if stored.secret_encrypted.is_none() || stored.base_address.is_none() {
            wrong.push("it has no address or no credentials".to_owned());
        }
        if let Some(at) = stored.refused_at {
            let said = stored.refused_text.as_deref().unwrap_or("nothing was said");
            wrong.push(format!("its credentials are refused since {}: {said}", viewer.when(at).text));
        }
        if !stored.write_enabled {
            wrong.push("nothing may be written to it".to_owned());
        }
        let made = engine.store().count_calls(tenant, account.id, now).await?;
        if made.in_day >= i64::from(engine.account_limits(&stored).calls_a_day) {
            wrong.push(format!("its {} calls of a day are used up", thousands(made.in_day)));
        }
        if let Some(not_now) = engine.account_not_before(key).filter(|not_now| not_now.until > now) {
            wrong.push(format!("it is not called before {}: {}", viewer.when(not_now.until).text, not_now.why.text()));
        }
        if !wrong.is_empty() {
            found.push((account.name, wrong.join("; ")));
        }
    }
    Ok(found)
}

async fn unsettled(viewer: &Viewer, trouble: &mut Trouble) -> Result<(), ApiProblem> {
    let asked = Parameters::of_pairs(vec![("limit".to_owned(), COUNTED.to_string())]);
    let listed = list_unsettled_steps(State(viewer.web.clone()), viewer.caller.clone(), asked).await?.0;
    if listed.items.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<i64> = listed.items.iter().map(|step| step.device_change_id).collect();
    rows.dedup();
    let more = if listed.next.is_some() { "more than " } else { "" };
    trouble.unsettled = Some(format!("{more}{}", rows.len()));
    for row in rows.into_iter().take(NAMED) {
        let Some(step) = listed.items.iter().find(|step| step.device_change_id == row) else { continue };
        let change = viewer.web.engine.get_bulk_change(&viewer.caller, BulkChangeId(step.bulk_change_id)).await?;
        let known = step.step.outcome.clone().unwrap_or_else(|| step.step.state.clone());
        trouble.steps.push((step.line.clone(), known, format!("{}/lines/{row}", address_of(&change))));
    }
    Ok(())
}
