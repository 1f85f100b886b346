//! One creating call: granted, intended, sent, recorded (B7.1, B7.3).

use std::future::Future;

use lineshift_connectors::http::Permit;
use lineshift_connectors::{CallError, Called, Exchange};
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::LogText;
use lineshift_domain::terms::StepState;
use lineshift_store::Result as StoreResult;

use super::{LineRun, RevServicePage};
use crate::boundary::Boundary;
use crate::outside::{Flow, UNREACHED};

/// What became of a creating call.
pub(super) enum Created {
    /// It is there, under that id; not stored yet.
    Now(i64, Exchange),
    /// Nobody knows; stored.
    Unknown,
    /// It was not created; stored.
    Not(Flow),
}

impl RevServicePage<'_> {
    /// Makes a creating call for one part of a line.
    pub(super) async fn create<F>(
        &self,
        line: &mut LineRun,
        part: usize,
        text: LogText,
        call: impl Fn(Permit) -> F,
    ) -> StoreResult<Created>
    where
        F: Future<Output = Called<i64>>,
    {
        loop {
            match self.create_once(line, part, text, &call).await? {
                // Asked to wait: the account waits, if it is not for long.
                Created::Not(Flow::Wait(wait)) if wait.is_short => {}
                created => return Ok(created),
            }
        }
    }

    async fn create_once<F>(
        &self,
        line: &mut LineRun,
        part: usize,
        text: LogText,
        call: impl Fn(Permit) -> F,
    ) -> StoreResult<Created>
    where
        F: Future<Output = Called<i64>>,
    {
        if line.is_of_this_attempt(part) && line.part(part).calls >= i64::from(self.calling.engine.limits.attempts) {
            return self.give_up(line, part).await.map(Created::Not);
        }
        let permit = match self.calling.permit().await {
            Ok(permit) => permit,
            Err(flow) => return Ok(Created::Not(flow)),
        };
        self.calling.pass(Boundary::Granted, Some(line.row)).await;
        self.intend(line, part).await?;
        self.calling.pass(Boundary::Intended, Some(line.row)).await;
        let Called { result, exchange } = call(permit).await;
        self.calling.pass(Boundary::Answered, Some(line.row)).await;
        let error = match result {
            Ok(id) => return Ok(Created::Now(id, exchange)),
            Err(error) => error,
        };
        let flow = match &error {
            CallError::LeaseLost => return Err(self.calling.lease_lost()),
            CallError::Ambiguous(_) | CallError::Unavailable(_) => None,
            CallError::NotNow(not_now) => Some(self.calling.wait_a_little(*not_now)),
            CallError::NotSent(text) => {
                Some(self.calling.wait(Code::AccountNotReady, text.clone(), self.calling.now() + UNREACHED))
            }
            CallError::Unauthorized { text, .. } => {
                self.calling.note_refused(text).await?;
                Some(Flow::Fail(self.calling.credentials_refused(text)))
            }
            CallError::Rejected { .. } | CallError::NotFound { .. } => {
                Some(Flow::Fail(Reason::new(Code::BillingRefused, format!("Rev.io {error}"))))
            }
        };
        self.record_not_created(line, part, text, &exchange, &error, flow.as_ref()).await?;
        self.calling.pass(Boundary::Recorded, Some(line.row)).await;
        Ok(flow.map_or(Created::Unknown, Created::Not))
    }

    /// Stores the intent of a creating call (B7.1).
    async fn intend(&self, line: &mut LineRun, part: usize) -> StoreResult<()> {
        let key = line.request_key(part, "create");
        let batch = line.write(part, self.calling.now(), |record| {
            record.state = StepState::Intended;
            record.calls += 1;
            record.request_key = Some(key);
            record.external_id = None;
            record.adopted = false;
            (record.code, record.outcome, record.unknown_since) = (None, None, None);
        });
        if cfg!(feature = "negative-no-intent") {
            return Ok(());
        }
        self.calling.journal.write(batch).await
    }

    async fn record_not_created(
        &self,
        line: &mut LineRun,
        part: usize,
        text: LogText,
        exchange: &Exchange,
        error: &CallError,
        flow: Option<&Flow>,
    ) -> StoreResult<()> {
        let now = self.calling.now();
        let mut batch = line.write(part, now, |record| match flow {
            None => {
                record.state = StepState::Ambiguous;
                record.unknown_since = Some(now);
                record.outcome = Some(error.to_string());
            }
            Some(Flow::Fail(reason)) => {
                record.state = StepState::Failed;
                record.code = Some(reason.code);
                record.outcome = Some(reason.text.clone());
            }
            // Nothing was done: it uses up no attempt, and no intent stands (B7.3).
            Some(_) => {
                record.state = StepState::Pending;
                record.calls -= 1;
                record.request_key = None;
                record.outcome = Some(error.to_string());
            }
        });
        batch.logs.push(line.log_call(text, exchange, Some(error.to_string())));
        self.calling.journal.write(batch).await
    }

    /// Every call allowed was made, and each was found to have had no effect (B5.7).
    async fn give_up(&self, line: &mut LineRun, part: usize) -> StoreResult<Flow> {
        let calls = line.part(part).calls;
        let last = line.part(part).outcome.clone().unwrap_or_default();
        let text = format!("Rev.io gave no usable answer {calls} times, and nothing was created; the last: {last}");
        let reason = Reason::new(Code::BillingUnavailable, text);
        let stored = reason.clone();
        let batch = line.write(part, self.calling.now(), |record| {
            record.state = StepState::Failed;
            record.code = Some(stored.code);
            record.outcome = Some(stored.text);
        });
        self.calling.journal.write(batch).await?;
        Ok(Flow::Fail(reason))
    }
}
