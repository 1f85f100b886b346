//! What is charged on a line's service: products found or created, or those that a package brings.

use chrono::{DateTime, Utc};
use lineshift_connectors::billing::{NewServiceProduct, ServiceProductRecord};
use lineshift_connectors::{CallError, Called};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{RevServiceId, RevServiceProductId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::RevProductOrder;
use lineshift_domain::read_back::ReadBack;
use lineshift_domain::terms::{ServiceProductStatus, StepState};
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::{RevServiceProductRow, StepBatch};

use super::create::Created;
use super::service::{stored_reason, unknown_text};
use super::{LineRun, RevServicePage, SERVICE};
use crate::boundary::Boundary;
use crate::outside::{Flow, Goal};

impl RevServicePage<'_> {
    /// Brings the products of a line to where they stand, one after the other; the first that does not ends it.
    pub(super) async fn products(&self, line: &mut LineRun, products: &[RevProductOrder]) -> StoreResult<Flow> {
        let unfinished = |line: &LineRun| (1..=products.len()).any(|part| line.state(part) != StepState::Done);
        if !unfinished(line) || (matches!(line.goal, Goal::Finish(_)) && !line.is_unknown()) {
            return Ok(Flow::On);
        }
        let (mut present, asked_at) = (None, self.calling.now());
        if !line.needs_no_look_for_products() {
            match self.list_products(line).await? {
                Ok(records) => present = Some(records),
                Err(error) => return self.after_failed_list(line, error).await,
            }
        }
        for (index, product) in products.iter().enumerate() {
            match self.product(line, index + 1, product, present.as_deref(), asked_at).await? {
                Flow::On => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::On)
    }

    async fn product(
        &self,
        line: &mut LineRun,
        part: usize,
        product: &RevProductOrder,
        present: Option<&[ServiceProductRecord]>,
        asked_at: DateTime<Utc>,
    ) -> StoreResult<Flow> {
        let charged = present.and_then(|records| find_charged(records, product.product_id));
        let state = line.state(part);
        match state {
            StepState::Done => return Ok(Flow::On),
            StepState::Failed if line.is_of_this_attempt(part) => return Ok(Flow::Fail(stored_reason(line, part))),
            _ => {}
        }
        let is_unknown = matches!(state, StepState::Ambiguous | StepState::Intended);
        if let Some(record) = charged {
            let known = line.part(part);
            let is_ours = is_unknown
                || (state == StepState::Pending && known.request_key.is_some())
                || (known.external_number() == Some(record.id.0) && !known.adopted);
            return self.found_product(line, part, product, record, !is_ours).await;
        }
        if is_unknown {
            match self.settle_missing_product(line, part, asked_at).await? {
                Flow::On => {}
                flow => return Ok(flow),
            }
        }
        if matches!(line.goal, Goal::Finish(_)) {
            return Ok(Flow::On);
        }
        self.create_product(line, part, product).await
    }

    /// An unknown product that was not found: it waits, or may be created again.
    async fn settle_missing_product(&self, line: &mut LineRun, part: usize, asked_at: DateTime<Utc>) -> StoreResult<Flow> {
        let now = self.calling.now();
        self.calling.pass(Boundary::ReadBack, Some(line.row)).await;
        match self.after_nothing(line.part(part).unknown_since.unwrap_or(now), asked_at) {
            ReadBack::AgainAt(until) => Ok(self.calling.wait(Code::OutcomeUnknown, unknown_text(line, part), until)),
            ReadBack::Settled | ReadBack::GivenUp => {
                let batch = line.write(part, now, |record| {
                    record.state = StepState::Pending;
                    record.unknown_since = None;
                    record.outcome = Some("read back: it had no effect".to_owned());
                });
                self.calling.journal.write(batch).await?;
                Ok(Flow::On)
            }
        }
    }

    async fn found_product(
        &self,
        line: &mut LineRun,
        part: usize,
        asked: &RevProductOrder,
        record: &ServiceProductRecord,
        adopted: bool,
    ) -> StoreResult<Flow> {
        let differs = |present: Option<rust_decimal::Decimal>, asked| present.is_some_and(|present| present != asked);
        if differs(record.rate, asked.rate) || differs(record.quantity, asked.quantity) {
            let text = format!(
                "product {} is charged on Rev service {} already, with rate {} and quantity {} instead of {} and {}",
                asked.product_id,
                record.service_id,
                shown(record.rate),
                shown(record.quantity),
                asked.rate,
                asked.quantity
            );
            return self.fail_product(line, part, Reason::new(Code::ProductDiffers, text)).await;
        }
        let outcome = if adopted { "adopted" } else { "created" };
        let mut batch = self.product_done(line, part, record.id, adopted, outcome);
        batch.products.push(stored(record));
        self.calling.journal.write(batch).await?;
        self.calling.pass(Boundary::Recorded, Some(line.row)).await;
        Ok(Flow::On)
    }

    async fn fail_product(&self, line: &mut LineRun, part: usize, reason: Reason) -> StoreResult<Flow> {
        let kept = reason.clone();
        let batch = line.write(part, self.calling.now(), |record| {
            record.state = StepState::Failed;
            record.code = Some(kept.code);
            record.outcome = Some(kept.text);
        });
        self.calling.journal.write(batch).await?;
        Ok(Flow::Fail(reason))
    }

    async fn create_product(&self, line: &mut LineRun, part: usize, asked: &RevProductOrder) -> StoreResult<Flow> {
        let service = service_of(line);
        let order = self.calling.order.change.order.assignment();
        let effective = order.and_then(|order| order.effective_at).filter(|_| self.asked.prorate);
        let new = NewServiceProduct {
            customer_id: self.customer,
            service_id: service,
            product_id: asked.product_id,
            generate_proration: self.asked.prorate,
            rate: asked.rate,
            quantity: asked.quantity,
            activated_date: line.activated_date,
            effective_date: effective.map(|at| at.with_timezone(&self.calling.order.time_zone).date_naive()),
            // The order's description is the service's.
            description: None,
        };
        let billing = self.billing;
        let call = async |permit| {
            let called = billing.create_service_product(permit, &new).await;
            Called { result: called.result.map(|id| id.0), exchange: called.exchange }
        };
        match self.create(line, part, LogText::CreateRevServiceProductApi, call).await? {
            Created::Now(id, exchange) => {
                let id = RevServiceProductId(id);
                let called = line.log_call(LogText::CreateRevServiceProductApi, &exchange, None);
                let mut batch = self.product_done(line, part, id, false, "created");
                batch.logs.insert(0, called);
                batch.products.push(RevServiceProductRow {
                    rev_customer_id: self.customer,
                    rev_service_id: service,
                    rev_service_product_id: id,
                    rev_product_id: asked.product_id,
                    package_id: None,
                    rate: Some(asked.rate),
                    quantity: Some(asked.quantity),
                    status: ServiceProductStatus::Active,
                    description: None,
                });
                self.calling.journal.write(batch).await?;
                self.calling.pass(Boundary::Recorded, Some(line.row)).await;
                Ok(Flow::On)
            }
            Created::Not(flow) => Ok(flow),
            Created::Unknown => self.read_back_product(line, part, asked).await,
        }
    }

    /// At once, for most of them are there already.
    async fn read_back_product(&self, line: &mut LineRun, part: usize, asked: &RevProductOrder) -> StoreResult<Flow> {
        let asked_at = self.calling.now();
        let records = match self.list_products(line).await? {
            Ok(records) => records,
            Err(error) => return self.after_failed_list(line, error).await,
        };
        if let Some(record) = find_charged(&records, asked.product_id) {
            return self.found_product(line, part, asked, record, false).await;
        }
        match self.settle_missing_product(line, part, asked_at).await? {
            Flow::On if cfg!(feature = "negative-no-read-back") => Box::pin(self.create_product(line, part, asked)).await,
            Flow::On => Ok(self.calling.wait(Code::OutcomeUnknown, unknown_text(line, part), self.calling.now())),
            flow => Ok(flow),
        }
    }

    /// A package brings its own products: they are read back, and none would mean that nothing is billed.
    pub(super) async fn package(&self, line: &mut LineRun, package: i64) -> StoreResult<Flow> {
        if matches!(line.goal, Goal::Finish(_)) {
            return Ok(Flow::On);
        }
        let asked_at = self.calling.now();
        let records = match self.list_products(line).await? {
            Ok(records) => records,
            Err(error) => return self.after_failed_list(line, error).await,
        };
        let charged: Vec<RevServiceProductRow> = records.iter().filter(|record| record.status.is_charged()).map(stored).collect();
        if charged.is_empty() {
            let created = line.part(SERVICE).at;
            return Ok(match self.calling.policy().after_nothing(created, asked_at) {
                ReadBack::AgainAt(until) => {
                    let text = format!("the products of package {package} do not show on the service yet");
                    self.calling.wait(Code::OutcomeUnknown, text, until)
                }
                ReadBack::Settled | ReadBack::GivenUp => {
                    let text = format!("package {package} brought no products to Rev service {}", service_of(line));
                    Flow::Fail(Reason::new(Code::PackageWithoutProducts, text))
                }
            });
        }
        let request = format!("usp_RevService_Create_ServiceProduct\nservice {}, package {package}", service_of(line));
        let response = format!("{} products stored", charged.len());
        let log = line.log(LogText::CreateRevServiceProductAmop, request, response, None);
        self.calling.journal.write(StepBatch { products: charged, logs: vec![log], ..StepBatch::default() }).await?;
        Ok(Flow::On)
    }

    /// The products of a line's service, logged.
    pub(super) async fn list_products(&self, line: &mut LineRun) -> StoreResult<Result<Vec<ServiceProductRecord>, CallError>> {
        let service = service_of(line);
        let called = self.billing.list_products_of(service).await;
        let error = called.result.as_ref().err().map(ToString::to_string);
        let log = line.log_call(LogText::FindRevServiceProductApi, &called.exchange, error);
        self.calling.journal.write(StepBatch { logs: vec![log], ..StepBatch::default() }).await?;
        Ok(called.result)
    }

    /// The service or its products could not be read: a line of which something is unknown waits on.
    pub(super) async fn after_failed_list(&self, line: &LineRun, error: CallError) -> StoreResult<Flow> {
        let since = line.parts().iter().filter_map(|part| part.unknown_since).min();
        match since.filter(|_| line.is_unknown()) {
            Some(since) => self.calling.after_failed_read_back(since, error).await,
            None => self.calling.after_failed_read(error).await,
        }
    }

    fn product_done(&self, line: &mut LineRun, part: usize, id: RevServiceProductId, adopted: bool, outcome: &str) -> StepBatch {
        let mut batch = line.write(part, self.calling.now(), |record| {
            record.state = StepState::Done;
            record.external_id = Some(id.to_string());
            record.adopted = adopted;
            (record.code, record.unknown_since) = (None, None);
            record.outcome = Some(outcome.to_owned());
        });
        let request = format!("usp_RevService_Create_ServiceProduct\nservice {}, service product {id}", service_of(line));
        batch.logs.push(line.log(LogText::CreateRevServiceProductAmop, request, format!("{outcome}, stored"), None));
        batch
    }
}

/// The same product is the one with that product id that is PENDING or ACTIVE (B7.2).
fn find_charged(records: &[ServiceProductRecord], product_id: i64) -> Option<&ServiceProductRecord> {
    records.iter().filter(|record| record.product_id == product_id && record.status.is_charged()).min_by_key(|record| record.id)
}

pub(super) fn service_of(line: &LineRun) -> RevServiceId {
    RevServiceId(line.part(SERVICE).external_number().unwrap_or_default())
}

fn stored(record: &ServiceProductRecord) -> RevServiceProductRow {
    RevServiceProductRow {
        rev_customer_id: record.customer_id,
        rev_service_id: record.service_id,
        rev_service_product_id: record.id,
        rev_product_id: record.product_id,
        package_id: record.package_id,
        rate: record.rate,
        quantity: record.quantity,
        status: record.status,
        description: record.description.clone(),
    }
}

fn shown(value: Option<rust_decimal::Decimal>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}
