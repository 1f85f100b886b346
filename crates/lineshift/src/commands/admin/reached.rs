//! `--reach`: whose lines somebody, or a key, sees.

use anyhow::Result;
use lineshift_domain::ids::TenantId;
use lineshift_domain::reach::Reach;
use lineshift_store::{Store, StoreError};

use crate::exit::WrongCall;

/// Reads the words.
pub(super) fn read_reach(text: &str) -> Result<Reach> {
    let reach: Reach = text.parse().map_err(|error| {
        WrongCall(format!(
            "--reach: {error}; expected words such as customer:5, site:7 or service_provider:2, or * for everything"
        ))
    })?;
    if reach == Reach::nothing() {
        return Err(WrongCall("--reach: whoever reaches nothing can do nothing; * is everything".to_owned()).into());
    }
    Ok(reach)
}

/// Refuses words that name what is not there, all of them at once.
pub(super) async fn require_there(store: &dyn Store, tenant: TenantId, reach: &Reach) -> Result<()> {
    let Reach::Named(named) = reach else { return Ok(()) };
    let mut missing = Vec::new();
    let mut note = |word: String, found: Result<(), StoreError>| match found {
        Err(StoreError::NotFound { .. }) => {
            missing.push(word);
            Ok(())
        }
        other => other,
    };
    for id in &named.customers {
        note(format!("customer:{id}"), store.get_rev_customer(tenant, *id).await.map(|_| ()))?;
    }
    for id in &named.sites {
        note(format!("site:{id}"), store.get_site(tenant, *id).await.map(|_| ()))?;
    }
    for id in &named.service_providers {
        note(format!("service_provider:{id}"), store.get_service_provider(tenant, *id).await.map(|_| ()))?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(WrongCall(format!("--reach: the tenant has no {}", missing.join(", no "))).into())
}
