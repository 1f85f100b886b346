//! What the calls of a page share, whoever is called: permits, what a failed call means for its line, refused credentials.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_connectors::CallError;
use lineshift_connectors::http::{Account, AccountKey, NotNow, Permit, SendGuard, WhyNot};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::Reason;
use lineshift_domain::read_back::{ReadBack, ReadBackPolicy};
use lineshift_store::work::{OrderFacts, PageClaim, Waiting};
use lineshift_store::{Result as StoreResult, StoreError};

use super::{Holding, Journal, LineEnd};
use crate::Engine;
use crate::boundary::Boundary;

/// How long a row waits after no connection could be made.
pub(crate) const UNREACHED: TimeDelta = TimeDelta::seconds(5);

/// How a line goes on after a part of a step.
#[derive(Debug, Clone)]
pub(crate) enum Flow {
    /// With the next part.
    On,
    /// Not at all: it was clearly refused.
    Fail(Reason),
    /// Later.
    Wait(Wait),
    /// Not at all: nobody will know what a call did (B7.3).
    GivenUp(Reason),
}

/// For what a line waits, and until when.
#[derive(Debug, Clone)]
pub(crate) struct Wait {
    pub(crate) code: Code,
    pub(crate) text: String,
    pub(crate) until: DateTime<Utc>,
    /// Whether the account itself may wait for it, so that the line need not be put off.
    pub(crate) is_short: bool,
}

/// Whom a page calls, as texts and codes name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System {
    /// `Rev.io`.
    pub(crate) name: &'static str,
    /// It refused the request.
    pub(crate) refused: Code,
    /// It gave no usable answer.
    pub(crate) unavailable: Code,
    /// What is not known while a call is unsettled: `whether it is billed`.
    pub(crate) unknown: &'static str,
}

/// One page's calls of one account.
pub(crate) struct Calling<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) claim: &'a PageClaim,
    pub(crate) order: &'a OrderFacts,
    pub(crate) key: AccountKey,
    /// Which version of the account is called.
    pub(crate) version: i64,
    pub(crate) account: &'a Account,
    pub(crate) system: System,
    pub(crate) holding: Holding,
    pub(crate) journal: Journal,
    /// What the other side said when it refused the credentials during this page.
    pub(crate) refused: OnceLock<String>,
}

impl Calling<'_> {
    /// A place among the account's calls, or for what to wait.
    pub(crate) async fn permit(&self) -> Result<Permit, Flow> {
        if let Some(text) = self.refused.get() {
            return Err(Flow::Fail(self.credentials_refused(text)));
        }
        let granted = self.account.permit();
        let permit = match self.holding.shutdown.clone() {
            None => granted.await,
            Some(mut shutdown) => tokio::select! {
                biased;
                () = shutdown.due() => return Err(self.wait(Code::AccountNotReady, "this process is stopping".to_owned(), self.now())),
                permit = granted => permit,
            },
        };
        let permit = permit.map_err(|not_now| self.wait_for_account(not_now))?;
        Ok(permit.guarded_by(Arc::clone(&self.holding.lease) as Arc<dyn SendGuard>))
    }

    pub(crate) fn wait_for_account(&self, not_now: NotNow) -> Flow {
        let code = if not_now.why == WhyNot::DayQuota { Code::QuotaExhausted } else { Code::AccountNotReady };
        self.wait(code, not_now.to_string(), not_now.until)
    }

    pub(crate) fn wait(&self, code: Code, text: String, until: DateTime<Utc>) -> Flow {
        Flow::Wait(Wait { code, text, until, is_short: false })
    }

    /// The other side asked to wait: the account knows, and waits before its next call if its patience allows.
    pub(crate) fn wait_a_little(&self, not_now: NotNow) -> Flow {
        let patience = self.account.limits().patience;
        let is_short = (not_now.until - self.now()).to_std().is_ok_and(|pause| pause <= patience);
        match self.wait_for_account(not_now) {
            Flow::Wait(wait) => Flow::Wait(Wait { is_short, ..wait }),
            flow => flow,
        }
    }

    /// What a wait means for the end of a line.
    pub(crate) fn waits(&self, row: DeviceChangeId, wait: Wait) -> LineEnd {
        // A moment that has passed by now would be looked at without end.
        let next_check_at = wait.until.max(self.now() + TimeDelta::milliseconds(200));
        LineEnd::Waits(Waiting { id: row, code: wait.code, text: wait.text, next_check_at })
    }

    /// What a reading call that failed means for a line of which nothing is unknown.
    pub(crate) async fn after_failed_read(&self, error: CallError) -> StoreResult<Flow> {
        Ok(match error {
            CallError::NotNow(not_now) => self.wait_for_account(not_now),
            CallError::NotSent(text) => self.wait(Code::AccountNotReady, text, self.now() + UNREACHED),
            CallError::LeaseLost => return Err(self.lease_lost()),
            CallError::Unauthorized { text, .. } => {
                self.note_refused(&text).await?;
                Flow::Fail(self.credentials_refused(&text))
            }
            error @ (CallError::Rejected { .. } | CallError::NotFound { .. }) => {
                Flow::Fail(Reason::new(self.system.refused, error.to_string()))
            }
            error @ (CallError::Unavailable(_) | CallError::Ambiguous(_)) => {
                Flow::Fail(Reason::new(self.system.unavailable, error.to_string()))
            }
        })
    }

    /// What a reading call that failed means for a line of which something is unknown: it waits on, a day at most (B7.3).
    pub(crate) async fn after_failed_read_back(&self, unknown_since: DateTime<Utc>, error: CallError) -> StoreResult<Flow> {
        if matches!(error, CallError::LeaseLost) {
            return Err(self.lease_lost());
        }
        if let CallError::Unauthorized { text, .. } = &error {
            self.note_refused(text).await?;
        }
        let System { name, unknown, .. } = self.system;
        let text = format!("{unknown} is not known, and cannot be read now: {error}");
        Ok(match self.policy().after_no_answer(unknown_since, self.now()) {
            ReadBack::AgainAt(until) => self.wait(Code::OutcomeUnknown, text, until),
            ReadBack::GivenUp | ReadBack::Settled => Flow::GivenUp(Reason::new(
                Code::OutcomeUnknown,
                format!("{text}; look it up in {name}, then retry this line or settle it"),
            )),
        })
    }

    /// The account refused its credentials: no other line needs to try (B5.3).
    pub(crate) async fn note_refused(&self, text: &str) -> StoreResult<()> {
        if self.refused.set(text.to_owned()).is_ok() {
            let (tenant, id) = (self.key.tenant_id, self.key.integration_authentication_id);
            self.engine.store.record_refused_credentials(tenant, id, self.version, text, self.now()).await?;
        }
        Ok(())
    }

    pub(crate) fn credentials_refused(&self, text: &str) -> Reason {
        let name = self.system.name;
        let text = format!("{name} refused the credentials of this integration: {text}; store working ones, then retry");
        Reason::new(Code::CredentialsRefused, text)
    }

    pub(crate) fn policy(&self) -> ReadBackPolicy {
        self.engine.read_back_policy()
    }

    /// Since when a call is unknown that was intended and of which no outcome was stored: since the lease of the worker that was lost
    /// ran out plus the longest time that a call may take (B7.3).
    pub(crate) fn unknown_since(&self, intended: DateTime<Utc>) -> DateTime<Utc> {
        // What was intended since was of this claim, or of one that was given back: its calls ended with it.
        let lost = self.claim.lost_lease_until.filter(|until| intended <= *until);
        let timeout = TimeDelta::from_std(self.engine.limits.call_timeout()).unwrap_or(TimeDelta::seconds(30));
        lost.map_or(self.now(), |until| until + timeout)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.engine.clock.now()
    }

    pub(crate) async fn pass(&self, boundary: Boundary, row: Option<DeviceChangeId>) {
        self.engine.boundaries.pass(boundary, row).await;
    }

    pub(crate) fn lease_lost(&self) -> StoreError {
        StoreError::LeaseLost { what: format!("page {} of bulk change {}", self.claim.page, self.claim.bulk_change_id) }
    }
}

impl Engine {
    /// How unknown outcomes are settled where the other side answers at once.
    pub(crate) fn read_back_policy(&self) -> ReadBackPolicy {
        ReadBackPolicy { settle_after: self.limits.settle_after(), give_up_after: self.limits.read_back() }
    }
}

/// Whether a reason is about the account rather than the line: then the later steps are not done either (B5.3).
pub(crate) const fn concerns_account(code: Code) -> bool {
    matches!(code, Code::CredentialsRefused | Code::CredentialsMissing | Code::WritesDisabled)
}
