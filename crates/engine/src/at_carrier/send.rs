//! One changing call for one or many lines: granted, intended, sent, recorded (B7.1, B7.3).

use lineshift_connectors::carrier::{Act, LineAct, Sent};
use lineshift_connectors::http::Permit;
use lineshift_connectors::{CallError, Exchange};
use lineshift_domain::carrier::Answers;
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{CarrierAction, LogTitle};
use lineshift_domain::terms::StepState;
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::StepBatch;

use super::decide::whole_second;
use super::{CarrierPage, CarrierRun, is_unknown_part};
use crate::boundary::Boundary;
use crate::outside::{Flow, Goal, UNREACHED};

impl CarrierPage<'_> {
    /// Sends acts of one word, one a line.
    pub(super) async fn send(&self, mut acts: Vec<(&mut CarrierRun, Act)>) -> StoreResult<()> {
        let permit = match self.calling.permit().await {
            Ok(permit) => permit,
            Err(flow) => {
                for (line, _) in &mut acts {
                    self.apply(line, flow.clone());
                }
                return Ok(());
            }
        };
        let first = acts.first().map(|(line, _)| line.row);
        self.calling.pass(Boundary::Granted, first).await;
        self.intend(&mut acts).await?;
        self.calling.pass(Boundary::Intended, first).await;
        let (results, exchange) = self.call(permit, &acts).await;
        self.calling.pass(Boundary::Answered, first).await;
        for ((line, act), result) in acts.iter_mut().zip(results) {
            line.was_sent();
            self.record(line, act, result, &exchange).await?;
        }
        Ok(())
    }

    async fn call(&self, permit: Permit, acts: &[(&mut CarrierRun, Act)]) -> (Vec<Result<Sent, CallError>>, Exchange) {
        let line_acts: Vec<LineAct<'_>> = acts.iter().map(|(line, act)| LineAct { line: &line.line, act }).collect();
        let asked = acts.first().map_or(self.asked, |(line, _)| line.asked(self.asked));
        let sent = self.carrier.send(permit, asked, &line_acts).await;
        let mut results = sent.results;
        // What a connector says nothing of, nobody knows.
        results.resize_with(acts.len(), || Err(CallError::Ambiguous("the answer does not name this line".to_owned())));
        (results, sent.exchange)
    }

    /// Stores the intents, and with them what was not stored yet of these lines (B7.1).
    async fn intend(&self, acts: &mut [(&mut CarrierRun, Act)]) -> StoreResult<()> {
        let now = self.calling.now();
        let mut batch = StepBatch::default();
        for (line, act) in acts.iter_mut() {
            let place = line.place_of(act.part);
            let calls = line.record(place).filter(|record| record.attempt == line.attempt).map_or(0, |record| record.calls);
            let key = format!("{}-{}-{place}-{}-{}", act.what.replace(' ', "_"), line.row, line.attempt, calls + 1);
            let undone_for = match &line.goal {
                Goal::Finish(reason) if line.is_undoing() => Some(reason.clone()),
                _ => None,
            };
            line.write(place, now, |record| {
                record.state = StepState::Intended;
                record.calls += 1;
                record.request_key = Some(key);
                record.external_id.clone_from(&act.about);
                // What an earlier call did that nobody knows of is not forgotten because it is sent again.
                record.adopted = false;
                record.code = undone_for.as_ref().map(|reason| reason.code);
                record.outcome = undone_for.map(|reason| reason.text);
            });
            batch.append(line.take_unwritten());
        }
        if cfg!(feature = "negative-no-intent") {
            batch.steps.clear();
        }
        self.calling.journal.write(batch).await
    }

    /// What became of the act of one line; stored with the next flush.
    async fn record(
        &self,
        line: &mut CarrierRun,
        act: &Act,
        result: Result<Sent, CallError>,
        exchange: &Exchange,
    ) -> StoreResult<()> {
        let (now, place) = (self.calling.now(), line.place_of(act.part));
        let action = if line.is_undoing() { CarrierAction::UndoRatePlan } else { self.action() };
        let error = result.as_ref().err().map(ToString::to_string);
        line.log_call(LogTitle::carrier_api(action, self.name()), exchange, error.clone());
        let said = error.unwrap_or_default();
        match result {
            Ok(Sent::Done { external_id }) => {
                let outcome = format!("{}: done", act.what);
                line.write(place, now, |record| {
                    record.state = StepState::Done;
                    record.external_id = external_id.or(record.external_id.take());
                    // Of calls before this one of which nobody heard it is kept when the last was sent: it may work late.
                    record.code = None;
                    record.outcome = Some(outcome);
                });
            }
            Ok(Sent::Accepted { request_id }) => self.accepted(line, act, request_id),
            Err(CallError::LeaseLost) => return Err(self.calling.lease_lost()),
            Err(CallError::Ambiguous(_) | CallError::Unavailable(_)) => line.write(place, now, |record| {
                record.state = StepState::Ambiguous;
                (record.code, record.unknown_since) = (None, Some(now));
                record.outcome = Some(said);
            }),
            Err(CallError::NotNow(not_now)) => {
                self.was_not_sent(line, place, said);
                self.apply(line, self.calling.wait_a_little(not_now));
            }
            Err(CallError::NotSent(text)) => {
                self.was_not_sent(line, place, said);
                self.apply(line, self.calling.wait(Code::AccountNotReady, text, now + UNREACHED));
            }
            Err(CallError::Unauthorized { text, .. }) => {
                self.calling.note_refused(&text).await?;
                self.was_not_sent(line, place, said);
                self.apply(line, Flow::Fail(self.calling.credentials_refused(&text)));
            }
            Err(CallError::Rejected { .. } | CallError::NotFound { .. }) => {
                let text = format!("{} {said}", self.name());
                line.write(place, now, |record| {
                    // Of a call that was sent again the first may have worked: it is read.
                    record.state = if record.unknown_since.is_some() { StepState::Ambiguous } else { StepState::Failed };
                    record.code = Some(Code::CarrierRefused);
                    record.outcome = Some(text);
                });
            }
        }
        Ok(())
    }

    /// Nothing was done: it uses up no attempt, and no intent stands (B7.3).
    fn was_not_sent(&self, line: &mut CarrierRun, place: u16, said: String) {
        line.write(place, self.calling.now(), |record| {
            record.state = if record.unknown_since.is_some() { StepState::Ambiguous } else { StepState::Pending };
            record.calls -= 1;
            record.request_key = None;
            record.outcome = Some(said);
        });
    }

    /// The carrier will say later what became of it (B5.6).
    fn accepted(&self, line: &mut CarrierRun, act: &Act, request_id: Option<String>) {
        let (now, place) = (self.calling.now(), line.place_of(act.part));
        let request = request_id.clone().unwrap_or_default();
        line.write(place, now, |record| {
            record.state = StepState::Waiting;
            record.external_id = request_id;
            record.unknown_since = Some(now);
            record.outcome = Some("accepted".to_owned());
        });
        let (look_every, deadline) = match self.abilities().answers {
            Answers::Later { look_every, deadline, .. } => (look_every, now + deadline),
            Answers::AtOnce => (self.calling.engine.limits().settle_after(), now + self.calling.engine.limits().read_back()),
        };
        let text = format!("{} accepted request {request}; waited for until {deadline}", self.name());
        self.apply(line, self.calling.wait(Code::AwaitingCarrier, text, whole_second(now + look_every)));
    }

    /// An act failed for good.
    pub(super) fn part_failed(&self, line: &mut CarrierRun, place: u16, reason: Reason) {
        line.write(place, self.calling.now(), |record| {
            // What was unknown is settled by now; what was taken, and does not show, may have had calls of which nobody heard.
            record.unknown_since = record.unknown_since.filter(|_| !is_unknown_part(record));
            record.state = StepState::Failed;
            record.code = Some(reason.code);
            record.outcome = Some(reason.text);
        });
    }
}
