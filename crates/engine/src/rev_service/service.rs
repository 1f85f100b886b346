//! The service of a line: found or created.

use chrono::{DateTime, Utc};
use lineshift_connectors::Exchange;
use lineshift_connectors::billing::{NewService, ServiceRecord};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::RevServiceId;
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::RevCharge;
use lineshift_domain::read_back::ReadBack;
use lineshift_domain::terms::StepState;
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::{Disconnected, RevServiceRow, StepBatch};

use super::create::Created;
use super::look_up::{Look, LookedUp};
use super::{LineRun, RevServicePage, SERVICE};
use crate::boundary::Boundary;
use crate::outside::{Flow, Goal};

impl RevServicePage<'_> {
    /// Brings the service of a line to where it stands, or says why it does not.
    pub(super) async fn service(&self, line: &mut LineRun, found: Option<Look>, obstacle: Option<Flow>) -> StoreResult<Flow> {
        let ends_here = line.is_of_this_attempt(SERVICE);
        match line.state(SERVICE) {
            StepState::Done if ends_here || matches!(line.goal, Goal::Finish(_)) => return Ok(Flow::On),
            StepState::Failed if ends_here => return Ok(Flow::Fail(stored_reason(line, SERVICE))),
            StepState::Ambiguous | StepState::Intended => match self.settle_service(line, found).await? {
                Flow::On if line.state(SERVICE) == StepState::Pending => {
                    // The line has another number by now, under which nobody looked.
                    if matches!(line.goal, Goal::Do) && line.sent_number().is_some_and(|sent| sent != line.number) {
                        let found = self.look_up_one(line).await?.found;
                        if let Some(flow) = self.adopt_or_refuse(line, Some(found)).await? {
                            return Ok(flow);
                        }
                    }
                }
                flow => return Ok(flow),
            },
            StepState::Done | StepState::Stuck => match self.verify_service(line).await? {
                Flow::On if line.state(SERVICE) == StepState::Reverted => {}
                flow => return Ok(flow),
            },
            StepState::Pending | StepState::Failed | StepState::Reverted | StepState::Waiting => {
                if matches!(line.goal, Goal::Do)
                    && let Some(flow) = self.adopt_or_refuse(line, found.map(|look| look.found)).await?
                {
                    return Ok(flow);
                }
            }
        }
        if matches!(line.goal, Goal::Finish(_)) {
            return Ok(Flow::On);
        }
        if let Some(flow) = Self::stopped_by(line, obstacle) {
            return Ok(flow);
        }
        self.create_service(line).await
    }

    /// Before the first create of an attempt: what the look-up says, if that ends it.
    async fn adopt_or_refuse(&self, line: &mut LineRun, found: Option<LookedUp>) -> StoreResult<Option<Flow>> {
        Ok(match found {
            // Nothing was looked up because something stands in the way of creating.
            None | Some(LookedUp::Nothing) => None,
            Some(LookedUp::Same(service)) => {
                // An intent of this change stands for it: it is the late effect of our own call (B7.2).
                let is_ours = line.state(SERVICE) == StepState::Pending && line.sent_number() == Some(line.number.as_str());
                Some(self.found_service(line, &service, !is_ours).await?)
            }
            Some(LookedUp::Differs(id, iccid)) => Some(self.refuse_service(line, id, &iccid).await?),
            Some(LookedUp::Failed(error)) => Some(self.calling.after_failed_read(error).await?),
        })
    }

    /// Settles an unknown create by what was read back (B7.3); leaves the part pending when it may be created again.
    async fn settle_service(&self, line: &mut LineRun, look: Option<Look>) -> StoreResult<Flow> {
        let now = self.calling.now();
        let since = line.part(SERVICE).unknown_since.unwrap_or(now);
        self.calling.pass(Boundary::ReadBack, Some(line.row)).await;
        let Look { asked_at, found } = match look {
            Some(look) => look,
            None => self.look_up_one(line).await?,
        };
        match found {
            LookedUp::Same(service) => self.found_service(line, &service, false).await,
            LookedUp::Failed(error) => self.calling.after_failed_read_back(since, error).await,
            // A service with another ICCID is not what was sent: that one may still show up.
            LookedUp::Nothing | LookedUp::Differs(..) => match self.after_nothing(since, asked_at) {
                ReadBack::AgainAt(until) => Ok(self.calling.wait(Code::OutcomeUnknown, unknown_text(line, SERVICE), until)),
                ReadBack::Settled | ReadBack::GivenUp => {
                    let batch = line.write(SERVICE, now, |record| {
                        record.state = StepState::Pending;
                        record.unknown_since = None;
                        record.outcome = Some("read back: it had no effect".to_owned());
                    });
                    self.calling.journal.write(batch).await?;
                    Ok(Flow::On)
                }
            },
        }
    }

    /// After a look that found nothing, by when it was asked for: the line may have waited for its turn since. Without the read-back
    /// an unknown create would be sent again at once.
    pub(super) fn after_nothing(&self, since: DateTime<Utc>, asked_at: DateTime<Utc>) -> ReadBack {
        if cfg!(feature = "negative-no-read-back") {
            ReadBack::Settled
        } else {
            self.calling.policy().after_nothing(since, asked_at)
        }
    }

    /// A service of an earlier attempt: whether it still stands there. What was disconnected since is missing again.
    async fn verify_service(&self, line: &mut LineRun) -> StoreResult<Flow> {
        let Some(id) = line.part(SERVICE).external_number().map(RevServiceId) else {
            return self.find_settled_service(line).await;
        };
        let called = self.billing.find_service(id).await;
        let found = match called.result {
            Ok(found) => found,
            Err(error) => return self.after_failed_list(line, error).await,
        };
        let stands = found.as_ref().is_some_and(|service| service.disconnected_date.is_none());
        let mut batch = line.write(SERVICE, self.calling.now(), |record| {
            record.state = if stands { StepState::Done } else { StepState::Reverted };
            (record.code, record.outcome) = (None, None);
            if !stands {
                record.attempt -= 1;
            }
        });
        batch.logs.push(line.log_call(LogText::FindRevServiceApi, &called.exchange, None));
        if stands {
            self.calling.journal.write(batch).await?;
            return Ok(Flow::On);
        }
        // What was charged on it went with it.
        for part in SERVICE + 1..line.parts().len() {
            batch.append(line.write(part, self.calling.now(), |record| {
                record.state = StepState::Pending;
                (record.external_id, record.request_key, record.code, record.outcome) = (None, None, None, None);
            }));
        }
        // What is stored of it must not count as billed any more (rules 7 and 8).
        let on = found.and_then(|service| service.disconnected_date).unwrap_or_else(|| self.calling.now().date_naive());
        batch.disconnected.push(Disconnected { rev_customer_id: self.customer, rev_service_id: id, on, by: None });
        self.calling.journal.write(batch).await?;
        // It was looked up by its id alone: another may stand for the line by now.
        match self.look_up_one(line).await?.found {
            LookedUp::Nothing => Ok(Flow::On),
            LookedUp::Same(service) => self.found_service(line, &service, true).await,
            LookedUp::Differs(id, iccid) => self.refuse_service(line, id, &iccid).await,
            LookedUp::Failed(error) => self.calling.after_failed_read(error).await,
        }
    }

    /// A person said that the service stands, but not under which id: it is looked for by what was sent. Without it nothing may be
    /// charged, and nothing created either.
    async fn find_settled_service(&self, line: &mut LineRun) -> StoreResult<Flow> {
        match self.look_up_one(line).await?.found {
            LookedUp::Same(service) => self.found_service(line, &service, false).await,
            LookedUp::Failed(error) => self.after_failed_list(line, error).await,
            LookedUp::Nothing | LookedUp::Differs(..) => Ok(Flow::GivenUp(Reason::new(
                Code::OutcomeUnknown,
                format!(
                    "the service was said to stand, but Rev.io shows none of this customer with number {} and ICCID {}; settle it with \
                     its id, or as gone",
                    line.number_to_find(),
                    line.iccid
                ),
            ))),
        }
    }

    /// A service that stands for the line: ours, or adopted and then never disconnected by an undo (B7.2).
    async fn found_service(&self, line: &mut LineRun, service: &ServiceRecord, adopted: bool) -> StoreResult<Flow> {
        if adopted && let Some(reason) = self.other_package(service) {
            return self.fail_service(line, reason).await;
        }
        let outcome = if adopted { "adopted" } else { "created" };
        let mut batch = self.service_done(line, service.id, adopted, outcome);
        batch.services.push(RevServiceRow {
            number: service.number.clone().or_else(|| Some(line.number.clone())),
            rev_service_type_id: service.service_type_id.or(Some(self.asked.service_type_id)),
            rev_provider_id: service.provider_id.or(Some(self.asked.provider_id)),
            activated_date: service.activated_date.or(Some(line.activated_date)),
            has_package: service.package_id.is_some(),
            ..self.service_row(line, service.id)
        });
        self.calling.journal.write(batch).await?;
        self.calling.pass(Boundary::Recorded, Some(line.row)).await;
        Ok(Flow::On)
    }

    async fn refuse_service(&self, line: &mut LineRun, id: RevServiceId, iccid: &str) -> StoreResult<Flow> {
        let text = format!(
            "Rev service {id} of this customer has the number {} with ICCID {iccid}, not {}; put that service right first",
            line.number, line.iccid
        );
        self.fail_service(line, Reason::new(Code::ServiceLineExists, text)).await
    }

    /// Why a service that somebody else opened is not what a package order asks for, if so: what is charged on it is another thing
    /// (B7.2).
    fn other_package(&self, service: &ServiceRecord) -> Option<Reason> {
        let RevCharge::Package(asked) = self.asked.charge else { return None };
        if service.package_id == Some(asked) {
            return None;
        }
        let present = service.package_id.map_or_else(|| "no package".to_owned(), |id| format!("package {id}"));
        let text = format!("Rev service {} stands for this line already, with {present} instead of package {asked}", service.id);
        Some(Reason::new(Code::ProductDiffers, text))
    }

    async fn fail_service(&self, line: &mut LineRun, reason: Reason) -> StoreResult<Flow> {
        let stored = reason.clone();
        let batch = line.write(SERVICE, self.calling.now(), |record| {
            record.state = StepState::Failed;
            record.code = Some(stored.code);
            record.outcome = Some(stored.text);
        });
        self.calling.journal.write(batch).await?;
        Ok(Flow::Fail(reason))
    }

    async fn create_service(&self, line: &mut LineRun) -> StoreResult<Flow> {
        let asked = self.asked;
        let assignment = self.calling.order.change.order.assignment();
        let effective = assignment.and_then(|order| order.effective_at).filter(|_| asked.prorate);
        let new = NewService {
            customer_id: self.customer,
            provider_id: asked.provider_id,
            service_type_id: asked.service_type_id,
            package_id: match asked.charge {
                RevCharge::Package(id) => Some(id),
                RevCharge::Products(_) => None,
            },
            usage_plan_group_id: asked.usage_plan_group_id,
            number: line.number.clone(),
            number2: line.iccid.clone(),
            description: asked.description.clone(),
            activated_date: line.activated_date,
            effective_date: effective.map(|at| at.with_timezone(&self.calling.order.time_zone).date_naive()),
        };
        let billing = self.billing;
        let call = async |permit| {
            let called = billing.create_service(permit, &new).await;
            lineshift_connectors::Called { result: called.result.map(|id| id.0), exchange: called.exchange }
        };
        match self.create(line, SERVICE, LogText::CreateRevServiceApi, call).await? {
            Created::Now(id, exchange) => {
                self.record_created(line, RevServiceId(id), &exchange).await?;
                Ok(Flow::On)
            }
            Created::Not(flow) => Ok(flow),
            // At once, for most of them are there already.
            Created::Unknown => match self.settle_service(line, None).await? {
                Flow::On if line.state(SERVICE) == StepState::Pending => {
                    if cfg!(feature = "negative-no-read-back") {
                        return Box::pin(self.create_service(line)).await;
                    }
                    Ok(self.calling.wait(Code::OutcomeUnknown, unknown_text(line, SERVICE), self.calling.now()))
                }
                flow => Ok(flow),
            },
        }
    }

    async fn record_created(&self, line: &mut LineRun, id: RevServiceId, exchange: &Exchange) -> StoreResult<()> {
        // The call first: entries stand in the order in which they were made.
        let called = line.log_call(LogText::CreateRevServiceApi, exchange, None);
        let mut batch = self.service_done(line, id, false, "created");
        batch.logs.insert(0, called);
        batch.services.push(self.service_row(line, id));
        self.calling.journal.write(batch).await?;
        self.calling.pass(Boundary::Recorded, Some(line.row)).await;
        Ok(())
    }

    fn service_done(&self, line: &mut LineRun, id: RevServiceId, adopted: bool, outcome: &str) -> StepBatch {
        let mut batch = line.write(SERVICE, self.calling.now(), |record| {
            record.state = StepState::Done;
            record.external_id = Some(id.to_string());
            record.adopted = adopted;
            (record.code, record.unknown_since) = (None, None);
            record.outcome = Some(outcome.to_owned());
        });
        let request = format!("usp_RevService_Create_Service\ncustomer {}, number {}, service {id}", self.customer, line.number);
        batch.logs.push(line.log(LogText::CreateRevServiceAmop, request, format!("{outcome}, stored"), None));
        batch
    }

    fn service_row(&self, line: &LineRun, id: RevServiceId) -> RevServiceRow {
        RevServiceRow {
            rev_customer_id: self.customer,
            rev_service_id: id,
            number: Some(line.number.clone()),
            iccid: Some(line.iccid.clone()),
            rev_service_type_id: Some(self.asked.service_type_id),
            rev_provider_id: Some(self.asked.provider_id),
            activated_date: Some(line.activated_date),
            disconnected_date: None,
            has_package: matches!(self.asked.charge, RevCharge::Package(_)),
            device_id: Some(line.device_id),
            by: Some(line.row),
        }
    }
}

/// The reason that was stored with a part.
pub(super) fn stored_reason(line: &LineRun, part: usize) -> Reason {
    let record = line.part(part);
    Reason::new(record.code.unwrap_or(Code::BillingRefused), record.outcome.clone().unwrap_or_default())
}

/// What a row says while nobody knows.
pub(super) fn unknown_text(line: &LineRun, part: usize) -> String {
    let what = if part == SERVICE { "the service" } else { "a service product" };
    let why = line.part(part).outcome.clone().unwrap_or_default();
    format!("whether {what} was created is not known ({why}); it is read back until it is certain")
}
