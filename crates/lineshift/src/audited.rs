//! What is done at the server's command line, in the audit log: an entry before, an outcome after, as over HTTP.

use anyhow::{Context as _, Result};
use lineshift_domain::ids::TenantId;
use lineshift_domain::terms::{AuditActor, AuditResult};
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::audit::{AuditKey, AuditOutcome, AuditStore, NewAuditEntry};
use lineshift_store::{Store, StoreError};

use crate::cli::Context;
use crate::exit::{Refused, WrongCall};

/// What is asked for.
pub(crate) struct Asked<'a> {
    /// For whom.
    pub(crate) tenant: TenantId,
    /// The words of the command, without values.
    pub(crate) action: &'a str,
    /// On what, as `keys/3`.
    pub(crate) target: Option<String>,
}

/// What was done, for the outcome.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) devices: Option<i64>,
    /// What it made, as `keys/3`.
    pub(crate) made: Option<String>,
    /// In words, where the others do not say it.
    pub(crate) note: Option<String>,
}

/// Writes an entry, does it, writes the outcome. Without an entry nothing is done.
pub(crate) async fn audited<T>(
    store: &dyn AuditStore,
    context: &Context,
    asked: Asked<'_>,
    work: impl Future<Output = Result<(T, Told)>>,
) -> Result<T> {
    let tenant = asked.tenant;
    let key = begin(store, context, asked).await?;
    match work.await {
        Ok((done, told)) => {
            finish(store, tenant, &key, AuditResult::Done, told).await?;
            Ok(done)
        }
        Err(error) => {
            // What failed is told first; that it could not be written down shows as unfinished.
            let written = finish(store, tenant, &key, result_of(&error), Told::default()).await;
            if let Err(unwritten) = written {
                tracing::warn!(error = format!("{unwritten:#}"), "an outcome could not be written down");
            }
            Err(error)
        }
    }
}

/// The same for what concerns every tenant: it stands in the log of each.
pub(crate) async fn audited_everywhere<T>(
    store: &dyn Store,
    context: &Context,
    action: &str,
    work: impl Future<Output = Result<(T, Told)>>,
) -> Result<T> {
    let tenants = store.list_tenants().await.context("listing tenants")?;
    let tenants: Vec<TenantId> = tenants.into_iter().map(|tenant| tenant.id).collect();
    audited_in(store, context, action, &tenants, work).await
}

/// The same for what concerns some tenants: it stands in the log of each of them.
pub(crate) async fn audited_in<T>(
    store: &dyn Store,
    context: &Context,
    action: &str,
    tenants: &[TenantId],
    work: impl Future<Output = Result<(T, Told)>>,
) -> Result<T> {
    let mut begun = Vec::new();
    for tenant in tenants.iter().copied() {
        let asked = Asked { tenant, action, target: None };
        begun.push((tenant, begin(store, context, asked).await?));
    }
    let (done, result, told) = match work.await {
        Ok((done, told)) => (Ok(done), AuditResult::Done, told),
        Err(error) => {
            let result = result_of(&error);
            (Err(error), result, Told::default())
        }
    };
    for (tenant, key) in begun {
        if let Err(error) = finish(store, tenant, &key, result, told.clone()).await {
            tracing::warn!(error = format!("{error:#}"), %tenant, "an outcome could not be written down");
        }
    }
    done
}

/// Writes the entry.
async fn begin(store: &dyn AuditStore, context: &Context, asked: Asked<'_>) -> Result<AuditKey> {
    let request_id = format!("{:016x}", getrandom::u64().context("drawing an id")?);
    let key = AuditKey { at: SystemClock.now(), request_id };
    let entry = NewAuditEntry {
        key: key.clone(),
        actor: AuditActor::System,
        principal: None,
        who: context.environment.user().to_owned(),
        address: None,
        agent: Some(concat!("lineshift ", env!("CARGO_PKG_VERSION")).to_owned()),
        action: asked.action.to_owned(),
        target: asked.target,
    };
    store.record_audit_entry(asked.tenant, &entry).await.context("writing to the audit log; nothing was done")?;
    Ok(key)
}

/// Writes the outcome.
async fn finish(store: &dyn AuditStore, tenant: TenantId, key: &AuditKey, result: AuditResult, told: Told) -> Result<()> {
    let outcome = AuditOutcome {
        finished_at: SystemClock.now(),
        result,
        status: None,
        devices: told.devices,
        made: told.made,
        problem_codes: Vec::new(),
        body_hash: None,
        note: told.note,
    };
    store.record_audit_outcome(tenant, key, &outcome).await.context("writing the outcome to the audit log; it was done")
}

fn result_of(error: &anyhow::Error) -> AuditResult {
    let of_store = error.downcast_ref::<StoreError>();
    let refused = error.is::<Refused>()
        || error.is::<WrongCall>()
        || of_store.is_some_and(|error| matches!(error, StoreError::NotFound { .. } | StoreError::Conflict { .. }));
    if refused { AuditResult::Refused } else { AuditResult::Failed }
}
