//! Synchronisation with billing accounts: customers, services and service products are read page by page, what nobody listed is
//! asked for, and what is billed is held against what is assigned.
//!
//! A run is stored and claimed under a lease; each page is one transaction with the run's place, so that a run that was killed goes
//! on at its page, and of two processes one is at work. Reading takes permits like everybody; when the account cannot be called for
//! longer than a call waits, the run waits in the store and nobody sleeps.

mod lists;
mod running;
mod unseen;

use std::time::Duration;

use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::StoreError;
use lineshift_store::sync::{NewSyncRun, SyncRun};

pub(crate) use self::running::Syncs;
use crate::{Caller, Engine, Result};

/// What to synchronise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncOrder {
    /// Customers.
    pub customers: bool,
    /// Services and service products, with the reconciliation report.
    pub services: bool,
    /// Every customer, not only those changed since the last run.
    pub full: bool,
}

impl SyncOrder {
    /// Everything, customers as far as they changed.
    pub const ALL: Self = Self { customers: true, services: true, full: false };
}

/// Runs of one process at a time.
const RUNS_AT_ONCE: usize = 4;

/// How often accounts are looked through for one that is due: often enough for what is counted in hours.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Who ordered a run that the scheduler began.
const SCHEDULE: &str = "schedule";

impl Engine {
    /// Begins to synchronise an account; the scheduler runs it. Needs `edit` of reference data. Refused: 422 when the account is no
    /// active billing account with credentials, or nothing is to be synchronised; 409 while another run of the account goes on.
    pub async fn begin_sync(&self, caller: &Caller, account: IntegrationAuthenticationId, order: SyncOrder) -> Result<SyncRun> {
        caller.require(Module::Admin, Action::Edit)?;
        self.check_account(caller.tenant, account).await?;
        if !order.customers && !order.services {
            let message = "nothing is to be synchronised; name customers, services or both";
            return Err(Refusal::one(RefusalClass::Rule, "what", "nothing_to_sync", message).into());
        }
        let run = new_run(account, order, &caller.name);
        let begun = self.store.begin_sync_run(caller.tenant, &run, self.clock.now()).await;
        let begun = begun.map_err(|error| match error {
            StoreError::Conflict { message } => Refusal::one(RefusalClass::Conflict, "", "sync_running", message).into(),
            other => crate::EngineError::from(other),
        })?;
        self.events.wake_scheduler();
        Ok(begun)
    }

    async fn check_account(&self, tenant: TenantId, id: IntegrationAuthenticationId) -> Result<()> {
        let account = self.store.get_account(tenant, id).await?;
        let refused = |code: &str, message: &str| Refusal::one(RefusalClass::Rule, "", code, message);
        if account.integration_kind != IntegrationKind::REV_IO {
            return Err(refused("not_a_billing_account", "only billing accounts are synchronised; name one of Rev.io").into());
        }
        if !account.is_active {
            return Err(refused("integration_inactive", "this integration is inactive; make it active first").into());
        }
        if account.secret_encrypted.is_none() || account.base_address.is_none() {
            let message = "address or credentials of this integration are missing; store them first";
            return Err(refused(Code::CredentialsMissing.as_str(), message).into());
        }
        Ok(())
    }

    /// Begins a run of every billing account whose last one began long enough ago. Answers how many it began.
    pub async fn begin_scheduled_syncs(&self) -> Result<usize> {
        let Some(every) = self.sync_every else { return Ok(0) };
        let now = self.clock.now();
        if !self.sync_look.is_due(now, LOOK_EVERY) {
            return Ok(0);
        }
        let mut begun = 0;
        for tenant in self.store.list_tenants().await? {
            for account in self.store.list_accounts_to_sync(tenant.id, now - every).await? {
                match self.store.begin_sync_run(tenant.id, &new_run(account, SyncOrder::ALL, SCHEDULE), now).await {
                    Ok(_) => begun += 1,
                    // Somebody began one meanwhile.
                    Err(StoreError::Conflict { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(begun)
    }
}

fn new_run(account: IntegrationAuthenticationId, order: SyncOrder, ordered_by: &str) -> NewSyncRun {
    let SyncOrder { customers, services, full } = order;
    NewSyncRun { integration_authentication_id: account, customers, services, full, ordered_by: ordered_by.to_owned() }
}

/// When something was last looked for that need not be looked for with every look of the scheduler.
#[derive(Clone, Default)]
pub(crate) struct LastLook(std::sync::Arc<std::sync::Mutex<Option<DateTime<Utc>>>>);

impl LastLook {
    /// Whether the last look is so long ago; then this is one.
    pub(crate) fn is_due(&self, now: DateTime<Utc>, every: Duration) -> bool {
        let mut last = self.0.lock().expect("never held over a panic");
        // A clock that was set back is no reason to wait for it.
        let is_due = last.is_none_or(|last| (now - last).abs().to_std().is_ok_and(|gone| gone >= every));
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}
