//! How runs begin: ordered by somebody, or by the schedule.

use std::time::Duration;

use lineshift_connectors::http::AccountKey;
use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{DeviceId, IntegrationAuthenticationId, ServiceProviderId, TenantId};
use lineshift_domain::lines::{Digits, read_line};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::sync::{SyncPart, SyncParts};
use lineshift_domain::terms::{IntegrationKind, LineIdentifier};
use lineshift_store::StoreError;
use lineshift_store::billing::IntegrationAccount;
use lineshift_store::devices::FactsQuery;
use lineshift_store::sync::{NewSyncRun, SyncRun};

use crate::{Caller, Engine, EngineError, Result};

/// What to synchronise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncOrder {
    /// What is read; none: what is customary for the account, of a billing account everything, of a carrier's all but usage.
    pub what: SyncParts,
    /// Every customer and line, not only those changed since the last run.
    pub full: bool,
    /// Whose plans and lines are read, where several service providers call the carrier's account.
    pub service_provider: Option<ServiceProviderId>,
    /// The lines of which usage is read; none: all that have an active assignment. At most [`SyncOrder::MOST_LINES`].
    pub iccids: Vec<String>,
}

impl SyncOrder {
    /// What is customary, as far as it changed.
    pub const ALL: Self = Self::of(SyncParts::NONE);

    /// That, as far as it changed.
    #[must_use]
    pub const fn of(what: SyncParts) -> Self {
        Self { what, full: false, service_provider: None, iccids: Vec::new() }
    }

    /// So many lines are named at most.
    pub const MOST_LINES: usize = 5_000;
}

/// How often accounts are looked through for one that is due: often enough for what is counted in hours.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Who ordered a run that the scheduler began.
const SCHEDULE: &str = "schedule";

/// So many wrong lines are named in a message.
const NAMED_LINES: usize = 10;

impl Engine {
    /// Begins to synchronise an account; the scheduler runs it. Needs `edit` of reference data. Refused: 422 when the account is no
    /// active one with credentials that is synchronised, does not have what is asked for, or is called by several service providers
    /// and none is named, and when lines are named that are not the service provider's; 409 while another run of the account goes on.
    pub async fn begin_sync(&self, caller: &Caller, account: IntegrationAuthenticationId, order: SyncOrder) -> Result<SyncRun> {
        caller.require(Module::Admin, Action::Edit)?;
        let stored = self.store.get_account(caller.tenant, account).await?;
        let run = if self.abilities(stored.integration_kind).is_some() {
            self.run_of_carrier(caller, &stored, &order).await?
        } else {
            run_of_billing(caller, &stored, &order)?
        };
        let begun = self.store.begin_sync_run(caller.tenant, &run, self.clock.now()).await;
        let begun = begun.map_err(|error| match error {
            StoreError::Conflict { message } => Refusal::one(RefusalClass::Conflict, "", "sync_running", message).into(),
            other => EngineError::from(other),
        })?;
        self.events.wake_scheduler();
        Ok(begun)
    }

    async fn run_of_carrier(&self, caller: &Caller, stored: &IntegrationAccount, order: &SyncOrder) -> Result<NewSyncRun> {
        check_account(stored)?;
        let what = parts_of(order, SyncParts::CARRIER, SyncParts::CARRIER.and(SyncPart::Usage), &stored.name)?;
        if !order.iccids.is_empty() && !what.has(SyncPart::Usage) {
            return Err(refused("iccids", "not_with_what", "lines are named for usage only; name usage in `what`").into());
        }
        let provider = self.provider_of(caller.tenant, stored, order.service_provider).await?;
        if what.has(SyncPart::Usage) {
            let key = AccountKey { tenant_id: caller.tenant, integration_authentication_id: stored.id };
            let opened = self.open_carrier(key).await?.map_err(|reason| refused("", reason.code.as_str(), reason.text))?;
            if !opened.connector.tells_usage() {
                let message = format!("{} does not tell what lines used", stored.integration_kind);
                return Err(refused("what", "usage_not_told", message).into());
            }
        }
        let usage_lines = self.lines_of(caller.tenant, provider, &order.iccids).await?;
        Ok(NewSyncRun {
            integration_authentication_id: stored.id,
            service_provider_id: Some(provider),
            what,
            full: order.full,
            usage_lines,
            ordered_by: caller.name.clone(),
        })
    }

    /// The service provider whose lines the carrier's account holds: the one named, or the only one that calls it.
    async fn provider_of(
        &self,
        tenant: TenantId,
        stored: &IntegrationAccount,
        named: Option<ServiceProviderId>,
    ) -> Result<ServiceProviderId> {
        let there = self.store.list_service_providers_of(tenant, stored.id).await?;
        match (named, &there[..]) {
            (Some(named), there) if there.contains(&named) => Ok(named),
            (Some(named), _) => {
                let message = format!("service provider {named} does not call {:?}, or is inactive", stored.name);
                Err(refused("service_provider_id", "not_of_this_integration", message).into())
            }
            (None, [only]) => Ok(*only),
            (None, []) => {
                let message = format!("no active service provider calls {:?}; let one name it as its integration", stored.name);
                Err(refused("", "no_service_provider", message).into())
            }
            (None, several) => {
                let named: Vec<String> = several.iter().map(ToString::to_string).collect();
                let message = format!("several service providers call {:?}: name one of {}", stored.name, named.join(", "));
                Err(refused("service_provider_id", "several_service_providers", message).into())
            }
        }
    }

    /// The lines named, each once; all of them must be the service provider's.
    async fn lines_of(&self, tenant: TenantId, provider: ServiceProviderId, named: &[String]) -> Result<Vec<DeviceId>> {
        if named.is_empty() {
            return Ok(Vec::new());
        }
        if named.len() > SyncOrder::MOST_LINES {
            let message = format!("{} lines are named, at most {} are taken", named.len(), SyncOrder::MOST_LINES);
            return Err(refused("iccids", "too_many_lines", message).into());
        }
        let read: Vec<Option<Digits>> = named.iter().map(|iccid| read_line(LineIdentifier::Iccid, iccid).ok()).collect();
        let mut asked: Vec<Digits> = read.iter().flatten().copied().collect();
        asked.sort_unstable();
        asked.dedup();
        let query = FactsQuery { holds: Holds::NONE, rev_customer_id: None, services: false, plan_bound: false };
        let found = self.store.look_up_lines(tenant, LineIdentifier::Iccid, &asked, query).await?;
        let known: std::collections::HashMap<Digits, DeviceId> = found
            .iter()
            .filter(|line| line.facts.service_provider_id == provider)
            .map(|line| (asked[line.index as usize], line.facts.device_id))
            .collect();
        let unknown: Vec<&str> = named
            .iter()
            .zip(&read)
            .filter(|(_, read)| read.is_none_or(|digits| !known.contains_key(&digits)))
            .map(|(written, _)| written.as_str())
            .collect();
        if unknown.is_empty() {
            return Ok(known.into_values().collect());
        }
        let first = unknown.iter().take(NAMED_LINES).copied().collect::<Vec<_>>().join(", ");
        let message = format!("{} of the lines named are no lines of service provider {provider}: {first}", unknown.len());
        Err(refused("iccids", Code::DeviceNotFound.as_str(), message).into())
    }

    /// Begins a run of every account whose last one began long enough ago: billing accounts, and the accounts that service providers
    /// name of carriers that can be called. Answers how many it began.
    pub async fn begin_scheduled_syncs(&self) -> Result<usize> {
        let Some(every) = self.sync_every else { return Ok(0) };
        let now = self.clock.now();
        if !self.sync_look.is_due(now, LOOK_EVERY) {
            return Ok(0);
        }
        let carriers: Vec<IntegrationKind> = self.carriers().iter().map(|carrier| carrier.abilities().kind).collect();
        let mut begun = 0;
        for tenant in self.store.list_tenants().await? {
            for account in self.store.list_accounts_to_sync(tenant.id, now - every, &carriers).await? {
                let run = NewSyncRun {
                    integration_authentication_id: account.id,
                    service_provider_id: account.service_provider_id,
                    what: if account.service_provider_id.is_some() { SyncParts::CARRIER } else { SyncParts::BILLING },
                    full: false,
                    usage_lines: Vec::new(),
                    ordered_by: SCHEDULE.to_owned(),
                };
                match self.store.begin_sync_run(tenant.id, &run, now).await {
                    Ok(_) => begun += 1,
                    // Somebody began one meanwhile; of two service providers with one account the second waits for the first.
                    Err(StoreError::Conflict { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(begun)
    }
}

fn refused(field: &str, code: &str, message: impl Into<String>) -> Refusal {
    Refusal::one(RefusalClass::Rule, field, code, message)
}

fn run_of_billing(caller: &Caller, stored: &IntegrationAccount, order: &SyncOrder) -> Result<NewSyncRun> {
    if stored.integration_kind != IntegrationKind::REV_IO {
        let message = "only accounts of Rev.io and of carriers that can be called are synchronised";
        return Err(refused("", "not_synchronised", message).into());
    }
    check_account(stored)?;
    if order.service_provider.is_some() {
        let message = "a billing account is read for no service provider; leave it out";
        return Err(refused("service_provider_id", "not_of_this_integration", message).into());
    }
    if !order.iccids.is_empty() {
        return Err(refused("iccids", "not_of_this_integration", "a billing account tells no usage; leave the lines out").into());
    }
    Ok(NewSyncRun {
        integration_authentication_id: stored.id,
        service_provider_id: None,
        what: parts_of(order, SyncParts::BILLING, SyncParts::BILLING, &stored.name)?,
        full: order.full,
        usage_lines: Vec::new(),
        ordered_by: caller.name.clone(),
    })
}

fn check_account(account: &IntegrationAccount) -> Result<()> {
    if !account.is_active {
        return Err(refused("", "integration_inactive", "this integration is inactive; make it active first").into());
    }
    if account.secret_encrypted.is_none() || account.base_address.is_none() {
        let message = "address or credentials of this integration are missing; store them first";
        return Err(refused("", Code::CredentialsMissing.as_str(), message).into());
    }
    Ok(())
}

/// What is asked for, all of which the account must have.
fn parts_of(order: &SyncOrder, customary: SyncParts, had: SyncParts, name: &str) -> Result<SyncParts> {
    if order.what.is_none() {
        return Ok(customary);
    }
    let named = |parts: SyncParts| parts.iter().map(SyncPart::as_str).collect::<Vec<_>>().join(", ");
    let foreign = order.what.without(had);
    if foreign.is_none() {
        return Ok(order.what);
    }
    let message = format!("{name:?} has no {}; name some of {}", named(foreign), named(had));
    Err(refused("what", "not_of_this_integration", message).into())
}
