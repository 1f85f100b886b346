//! What is ordered for a filled tenant, and who is asked about.

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{DeviceChangeId, DeviceId, PrincipalId, RevServiceId, RevServiceProductId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{LogText, entry};
use lineshift_domain::order::{PlanValues, Setting, StoredAssignment, StoredOrder, StoredPlan};
use lineshift_domain::terms::{
    LineIdentifier, OnPartialFailure, OnRevServiceFailure, PortalType, ServiceProductStatus, Step, StepState,
};
use lineshift_store::billing::{
    CarrierLineWrite, CarrierWrite, OutsideLog, RevServiceProductRow, RevServiceRow, StepBatch, StepRecord,
};
use lineshift_store::bulk_changes::{IdempotencyClaim, NewBulkChange, NewDeviceChange, Orderer};
use lineshift_store::devices::FactsQuery;
use lineshift_store::work::{AssignmentWrite, CalledAccounts, PlanWrite, StepLog};

use crate::filled::Reference;

/// Who orders: the first key of every tenant.
pub(crate) const KEY: PrincipalId = PrincipalId(1);

pub(crate) const QUERY: FactsQuery = FactsQuery::all(Holds::CUSTOMER_AND_PLAN, None);

/// So many seconds after the moment at which everything begins.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_083_200, 0).expect("a moment in 2026") + TimeDelta::seconds(seconds)
}

/// 20 digits.
pub(crate) fn iccid(nth: usize) -> String {
    format!("8901260000000{nth:07}")
}

/// 11 digits.
pub(crate) fn number(nth: usize) -> String {
    format!("1617{nth:07}")
}

pub(crate) fn orderer(mark: &str) -> Orderer {
    Orderer { name: format!("{mark} orderer"), principal: KEY }
}

pub(crate) fn claim_of_key(key: &str) -> IdempotencyClaim {
    IdempotencyClaim { caller: KEY, key: key.to_owned(), body_hash: [7; 32] }
}

pub(crate) fn refusal() -> Reason {
    Reason::new(Code::DeviceArchived, "the line is archived")
}

impl Reference {
    /// An order to the Rev customer, or to the AMOP customer.
    pub(crate) fn assignment(&self, rev: bool) -> StoredAssignment {
        StoredAssignment {
            rev_customer_id: rev.then_some(self.customer),
            site_id: if rev { self.site } else { self.amop_site },
            account_number: rev.then(|| self.customer.to_string()),
            integration_authentication_id: rev.then_some(self.account),
            effective_at: None,
            customer_rate_plan: None,
            rev_service: None,
            carrier_rate_plan: None,
            on_rev_service_failure: OnRevServiceFailure::default(),
            on_partial_failure: OnPartialFailure::Keep,
        }
    }

    pub(crate) fn assign(&self, rev: bool) -> StoredOrder {
        StoredOrder::CustomerAssignment(self.assignment(rev))
    }

    pub(crate) fn plan_values(&self) -> PlanValues {
        PlanValues { plan: Setting::Set(self.plan), pool: Setting::Set(self.pool), ..PlanValues::default() }
    }

    /// A plan change, now or on a date.
    pub(crate) fn plan_change(&self, effective_at: Option<DateTime<Utc>>) -> StoredOrder {
        let queued = effective_at.is_some();
        let values = self.plan_values();
        StoredOrder::CustomerRatePlanChange(StoredPlan { values, effective_at, queued, replace_scheduled: false })
    }

    /// A change of so many rows, one row a page.
    pub(crate) fn change(&self, order: StoredOrder, rows: usize) -> NewBulkChange {
        NewBulkChange {
            order,
            portal: PortalType::M2M,
            service_provider_id: self.provider,
            identifier: LineIdentifier::Iccid,
            name: Some(format!("{} change", self.mark)),
            reason: Some(format!("{} reason", self.mark)),
            orderer: orderer(self.mark),
            created_at: at(5),
            process_changes: true,
            holds: Holds::CUSTOMER_AND_PLAN,
            rows,
            duplicates: 0,
            page_lines: 1,
            accounts: CalledAccounts::NONE,
        }
    }

    /// A row for each of these of the tenant's lines.
    pub(crate) fn rows(&self, lines: &[usize]) -> Vec<NewDeviceChange> {
        let row = |(position, nth): (usize, &usize)| NewDeviceChange {
            request_position: u32::try_from(position).expect("a few rows"),
            line: iccid(*nth),
            device: Some((DeviceId(self.lines[*nth].0), 1)),
            refused: None,
        };
        lines.iter().enumerate().map(row).collect()
    }

    pub(crate) fn log(&self) -> StepLog {
        let (request, response) = (format!("{} request", self.mark), format!("{} response", self.mark));
        StepLog { text: LogText::AmopCustomerAssignment, request, response }
    }

    pub(crate) fn assignment_write(&self, rev: bool) -> AssignmentWrite {
        let assignment = self.assignment(rev);
        AssignmentWrite { assignment, time_zone: chrono_tz::America::New_York, log: self.log() }
    }

    pub(crate) fn plan_write(&self, effective_at: Option<DateTime<Utc>>) -> PlanWrite {
        PlanWrite { values: self.plan_values(), effective_at, replace_scheduled: true, log: self.log() }
    }

    /// A service of the customer on one of the lines.
    pub(crate) fn service(&self, id: i64, nth: usize) -> RevServiceRow {
        RevServiceRow {
            rev_customer_id: self.customer,
            rev_service_id: RevServiceId(id),
            number: Some(number(nth)),
            iccid: Some(iccid(nth)),
            rev_service_type_id: None,
            rev_provider_id: None,
            activated_date: None,
            disconnected_date: None,
            has_package: true,
            device_id: None,
            by: None,
        }
    }

    pub(crate) fn product(&self, service: i64, id: i64) -> RevServiceProductRow {
        RevServiceProductRow {
            rev_customer_id: self.customer,
            rev_service_id: RevServiceId(service),
            rev_service_product_id: RevServiceProductId(id),
            rev_product_id: 55,
            package_id: None,
            rate: None,
            quantity: None,
            status: ServiceProductStatus::Active,
            description: Some(format!("{} product", self.mark)),
        }
    }

    pub(crate) fn step(&self, row: DeviceChangeId, state: StepState) -> StepRecord {
        StepRecord {
            device_change_id: row,
            step: Step::RevService,
            part: 0,
            state,
            attempt: 1,
            calls: 1,
            request_key: Some(format!("{} key {row}", self.mark)),
            external_id: Some("9000".to_owned()),
            adopted: false,
            code: Some(Code::OutcomeUnknown),
            outcome: Some(format!("{} outcome", self.mark)),
            unknown_since: Some(at(20)),
            at: at(20),
            before: None,
        }
    }

    /// What a worker learned of a row.
    pub(crate) fn batch(&self, row: DeviceChangeId, service: i64, nth: usize) -> StepBatch {
        StepBatch {
            steps: vec![self.step(row, StepState::Ambiguous)],
            services: vec![RevServiceRow { by: Some(row), ..self.service(service, nth) }],
            products: vec![self.product(service, service * 10)],
            logs: vec![OutsideLog {
                device_change_id: row,
                attempt: 1,
                entry: entry::OUTSIDE,
                text: LogText::CreateRevServiceApi.into(),
                request: format!("{} request", self.mark),
                response: "201".to_owned(),
                error: None,
            }],
            carrier_lines: vec![self.confirmed(row, nth)],
            ..StepBatch::default()
        }
    }

    /// What a carrier confirmed of a row's line.
    pub(crate) fn confirmed(&self, by: DeviceChangeId, nth: usize) -> CarrierLineWrite {
        CarrierLineWrite {
            by,
            device_id: self.lines[nth],
            action: CarrierWrite::RatePlan,
            status: None,
            rate_plan: Some(format!("{} confirmed {nth}", self.mark)),
            comm_plan: None,
        }
    }
}
