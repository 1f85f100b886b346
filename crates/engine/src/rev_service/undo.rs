//! Undoing what this change created for a line: products first, then the service (B6.3). What was adopted is never touched.
//!
//! A disconnecting call may be sent again: what is gone already is found gone. An undo that fails is `stuck`, and a person
//! settles it.

use chrono::{NaiveDate, TimeDelta};
use lineshift_connectors::{CallError, Called, Exchange};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{RevServiceId, RevServiceProductId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::LogText;
use lineshift_domain::terms::StepState;
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::{Disconnected, StepBatch};

use super::line::is_created;
use super::products::service_of;
use super::{LineRun, RevServicePage, SERVICE};
use crate::boundary::Boundary;
use crate::outside::{Flow, LineEnd};

/// What is disconnected.
#[derive(Debug, Clone, Copy)]
enum Target {
    Service(RevServiceId),
    Product(RevServiceProductId),
}

/// What became of it.
enum Undone {
    Gone,
    Stuck(String),
    Later(Flow),
}

impl RevServicePage<'_> {
    /// Undoes what this change created for the line; the line then ends for the reason given.
    pub(super) async fn undo(&self, line: &mut LineRun, reason: Reason) -> StoreResult<LineEnd> {
        for (part, target) in match self.targets(line).await? {
            Ok(targets) => targets,
            Err(flow) => return self.undo_later(line, &reason, flow).await,
        } {
            match self.disconnect(line, part, target, &reason).await? {
                Undone::Gone => {}
                Undone::Later(flow) => return self.undo_later(line, &reason, flow).await,
                Undone::Stuck(text) => {
                    let text =
                        format!("{}; undoing it failed: {text}; disconnect it in Rev.io, then settle this line", reason.text);
                    return Ok(LineEnd::Ends { reason: Reason::new(reason.code, text), unsettled: true });
                }
            }
        }
        if line.parts().iter().any(|part| part.state == StepState::Stuck) {
            return Ok(LineEnd::Ends { reason, unsettled: true });
        }
        let text = format!("{}; what this change had created in Rev.io was disconnected again", reason.text);
        Ok(LineEnd::Ends { reason: Reason::new(reason.code, text), unsettled: false })
    }

    /// What is to be disconnected, in order. With a service of ours go all its products, those of a package included.
    async fn targets(&self, line: &mut LineRun) -> StoreResult<Result<Vec<(usize, Target)>, Flow>> {
        let is_ours = |line: &LineRun, part: usize| is_created(line.part(part));
        let part_of =
            |line: &LineRun, id: i64| (1..line.parts().len()).find(|part| line.part(*part).external_number() == Some(id));
        let mut targets = Vec::new();
        if is_ours(line, SERVICE) {
            let records = match self.list_products(line).await? {
                Ok(records) => records,
                Err(error) => return Ok(Err(self.calling.after_failed_read(error).await?)),
            };
            for record in records.iter().filter(|record| record.status.is_charged()) {
                targets.push((part_of(line, record.id.0).unwrap_or(SERVICE), Target::Product(record.id)));
            }
            targets.push((SERVICE, Target::Service(service_of(line))));
        } else {
            for part in (1..line.parts().len()).rev().filter(|part| is_ours(line, *part)) {
                let id = RevServiceProductId(line.part(part).external_number().unwrap_or_default());
                targets.push((part, Target::Product(id)));
            }
        }
        Ok(Ok(targets))
    }

    async fn disconnect(&self, line: &mut LineRun, part: usize, target: Target, reason: &Reason) -> StoreResult<Undone> {
        let permit = match self.calling.permit().await {
            Ok(permit) => permit,
            Err(Flow::Fail(refused)) => return self.stick(line, part, target, refused.text).await,
            Err(flow) => return Ok(Undone::Later(flow)),
        };
        let key = line.request_key(part, "disconnect");
        let intent = line.write(part, self.calling.now(), |record| {
            record.calls += 1;
            record.request_key = Some(key);
            record.code = Some(reason.code);
            record.outcome = Some(reason.text.clone());
        });
        self.calling.journal.write(intent).await?;
        self.calling.pass(Boundary::UndoIntended, Some(line.row)).await;
        let today = self.calling.now().with_timezone(&self.calling.order.time_zone).date_naive();
        let Called { result, exchange } = match target {
            Target::Service(id) => self.billing.disconnect_service(permit, id, today).await,
            Target::Product(id) => self.billing.disconnect_service_product(permit, id, today).await,
        };
        self.calling.pass(Boundary::UndoAnswered, Some(line.row)).await;
        let error = result.err();
        let mut log = StepBatch::default();
        log.logs.push(line.log_call(target.log_text(), &exchange, error.as_ref().map(ToString::to_string)));
        let Some(error) = error else { return self.gone(line, part, target, today, log).await };
        self.calling.journal.write(log).await?;
        match error {
            CallError::LeaseLost => Err(self.calling.lease_lost()),
            CallError::NotNow(not_now) => {
                self.was_not_sent(line, part).await?;
                Ok(Undone::Later(self.calling.wait_for_account(not_now)))
            }
            CallError::NotSent(text) => {
                self.was_not_sent(line, part).await?;
                Ok(Undone::Later(self.calling.wait(Code::AccountNotReady, text, self.calling.now() + TimeDelta::seconds(5))))
            }
            CallError::Unauthorized { text, .. } => {
                self.calling.note_refused(&text).await?;
                self.stick(line, part, target, text).await
            }
            error => self.look_after_disconnect(line, part, target, today, error).await,
        }
    }

    /// Waiting for an account uses up no attempt (B7.3).
    async fn was_not_sent(&self, line: &mut LineRun, part: usize) -> StoreResult<()> {
        let batch = line.write(part, self.calling.now(), |record| record.calls -= 1);
        self.calling.journal.write(batch).await
    }

    /// Refused or unknown: whether it is gone decides.
    async fn look_after_disconnect(
        &self,
        line: &mut LineRun,
        part: usize,
        target: Target,
        today: NaiveDate,
        error: CallError,
    ) -> StoreResult<Undone> {
        let stands = match self.stands_there(line, target).await? {
            Ok(stands) => stands,
            Err(flow @ Flow::Wait(_)) => return Ok(Undone::Later(flow)),
            Err(_) => true,
        };
        if !stands {
            return self.gone(line, part, target, today, StepBatch::default()).await;
        }
        let calls = line.part(part).calls;
        let was_refused = matches!(error, CallError::Rejected { .. } | CallError::NotFound { .. });
        if was_refused || calls >= i64::from(self.calling.engine.limits.attempts) {
            return self.stick(line, part, target, error.to_string()).await;
        }
        // It may still take effect; a second call then finds it gone.
        let pause = TimeDelta::seconds(1 << calls.clamp(1, 6));
        let text = format!("whether it was disconnected is not known: {error}");
        Ok(Undone::Later(self.calling.wait(Code::OutcomeUnknown, text, self.calling.now() + pause)))
    }

    /// Whether what was to be disconnected is charged still.
    async fn stands_there(&self, line: &mut LineRun, target: Target) -> StoreResult<Result<bool, Flow>> {
        let read = match target {
            Target::Service(id) => {
                let called = self.billing.find_service(id).await;
                let error = called.result.as_ref().err().map(ToString::to_string);
                let log = line.log_call(LogText::FindRevServiceApi, &called.exchange, error);
                self.calling.journal.write(StepBatch { logs: vec![log], ..StepBatch::default() }).await?;
                called.result.map(|found| found.is_some_and(|service| service.disconnected_date.is_none()))
            }
            Target::Product(id) => self
                .list_products(line)
                .await?
                .map(|records| records.iter().any(|record| record.id == id && record.status.is_charged())),
        };
        Ok(match read {
            Ok(stands) => Ok(stands),
            Err(error) => Err(self.calling.after_failed_read(error).await?),
        })
    }

    async fn gone(
        &self,
        line: &mut LineRun,
        part: usize,
        target: Target,
        on: NaiveDate,
        mut batch: StepBatch,
    ) -> StoreResult<Undone> {
        let is_part = match target {
            Target::Service(_) => true,
            // A product of a package belongs to no part of its own.
            Target::Product(_) => part != SERVICE,
        };
        if is_part {
            batch.append(line.write(part, self.calling.now(), |record| record.state = StepState::Reverted));
        }
        match target {
            Target::Service(id) => {
                // What was charged on it went with it: also what somebody disconnected who was lost before he could say so.
                for part in SERVICE + 1..line.parts().len() {
                    if matches!(line.state(part), StepState::Done | StepState::Stuck) {
                        batch.append(line.write(part, self.calling.now(), |record| record.state = StepState::Reverted));
                    }
                }
                batch.disconnected.push(Disconnected {
                    rev_customer_id: self.customer,
                    rev_service_id: id,
                    on,
                    by: Some(line.row),
                });
                let text = LogText::DisconnectRevServiceAmop;
                let exchange = Exchange { request: format!("service {id}"), response: "disconnected, stored".to_owned() };
                batch.logs.push(line.log_call(text, &exchange, None));
            }
            Target::Product(id) => {
                batch.disconnected_products.push((self.customer, id));
                let text = LogText::DisconnectRevServiceProductAmop;
                let exchange = Exchange { request: format!("service product {id}"), response: "disconnected, stored".to_owned() };
                batch.logs.push(line.log_call(text, &exchange, None));
            }
        }
        self.calling.journal.write(batch).await?;
        Ok(Undone::Gone)
    }

    async fn stick(&self, line: &mut LineRun, part: usize, target: Target, text: String) -> StoreResult<Undone> {
        let said = format!("{} cannot be disconnected: {text}", target.shown());
        let outcome = said.clone();
        let batch = line.write(part, self.calling.now(), |record| {
            record.state = StepState::Stuck;
            record.outcome = Some(outcome);
        });
        self.calling.journal.write(batch).await?;
        metrics::counter!("lineshift_steps_stuck_total").increment(1);
        tracing::error!(row = %line.row, change = %self.calling.claim.bulk_change_id, "an undo is stuck: {said}");
        Ok(Undone::Stuck(said))
    }

    /// The undo goes on when the line is looked at again; until then the line says so. What cannot be undone at all is stuck.
    async fn undo_later(&self, line: &mut LineRun, reason: &Reason, flow: Flow) -> StoreResult<LineEnd> {
        match flow {
            Flow::Wait(mut wait) => {
                wait.text = format!("{}; its undo waits: {}", reason.text, wait.text);
                Ok(self.calling.waits(line.row, wait))
            }
            Flow::Fail(other) | Flow::GivenUp(other) => {
                let batch = line.stick_created(self.calling.now(), &other.text);
                metrics::counter!("lineshift_steps_stuck_total").increment(batch.steps.len() as u64);
                tracing::error!(row = %line.row, change = %self.calling.claim.bulk_change_id, "an undo is stuck: {}", other.text);
                self.calling.journal.write(batch).await?;
                let text = format!("{}; it could not be undone: {}", reason.text, other.text);
                Ok(LineEnd::Ends { reason: Reason::new(reason.code, text), unsettled: true })
            }
            Flow::On => Ok(LineEnd::Ends { reason: reason.clone(), unsettled: false }),
        }
    }
}

impl Target {
    const fn log_text(self) -> LogText {
        match self {
            Self::Service(_) => LogText::DisconnectRevServiceApi,
            Self::Product(_) => LogText::DisconnectRevServiceProductApi,
        }
    }

    fn shown(self) -> String {
        match self {
            Self::Service(id) => format!("Rev service {id}"),
            Self::Product(id) => format!("Rev service product {id}"),
        }
    }
}
