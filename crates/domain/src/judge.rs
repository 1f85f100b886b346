//! Judging one line for an order (B4.6, B5.3): the first rule that fails decides. Pure, so that neither order nor
//! chunking of the lines can matter.

use std::collections::BTreeSet;

use crate::carrier::{Abilities, CarrierChange};
use crate::codes::{Code, ErrorKind};
use crate::facts::{LineAssignment, LineFacts};
use crate::ids::{BulkChangeId, ServiceProviderId};
use crate::order::{Setting, StoredAssignment, StoredOrder, StoredPlan};
use crate::terms::IntegrationKind;

/// What is to happen with one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its steps are to be done.
    Accepted,
    /// It stands as asked already: PROCESSED, logged, without history.
    AlreadySo,
    /// It ends in ERROR.
    Refused(Reason),
}

/// Why a line was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// For programs.
    pub code: Code,
    /// For people: what was found, what was expected, what to do.
    pub text: String,
}

impl Reason {
    /// A reason with its text.
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// The kind of the code.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.code.kind()
    }
}

/// The statuses that count as active, by integration kind (rule 5). Compared without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActiveStatuses(BTreeSet<(IntegrationKind, String)>);

impl ActiveStatuses {
    /// Whether lines with that status may be changed.
    #[must_use]
    pub fn contains(&self, kind: IntegrationKind, status: &str) -> bool {
        self.0.iter().any(|(of, active)| *of == kind && active.eq_ignore_ascii_case(status))
    }

    /// These and more.
    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = (IntegrationKind, String)>) -> Self {
        self.0.extend(more);
        self
    }

    /// The active statuses of one kind, for messages.
    #[must_use]
    pub fn of(&self, kind: IntegrationKind) -> String {
        let names: Vec<&str> = self.0.iter().filter(|(of, _)| *of == kind).map(|(_, status)| status.as_str()).collect();
        names.join(", ")
    }
}

impl FromIterator<(IntegrationKind, String)> for ActiveStatuses {
    fn from_iter<I: IntoIterator<Item = (IntegrationKind, String)>>(statuses: I) -> Self {
        Self(statuses.into_iter().collect())
    }
}

/// What the steps of an order need to know about a line (rule 9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequiredData {
    /// The subscriber number: a Rev service is opened for it, carriers call Mobility lines by it.
    pub subscriber_number: bool,
    /// The IMEI.
    pub imei: bool,
}

impl RequiredData {
    /// Nothing but the ICCID.
    pub const NOTHING: Self = Self { subscriber_number: false, imei: false };

    /// What both need.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { subscriber_number: self.subscriber_number || other.subscriber_number, imei: self.imei || other.imei }
    }
}

/// What the lines of one order are judged by.
#[derive(Debug, Clone)]
pub struct Judge<'a> {
    order: &'a StoredOrder,
    service_provider_id: ServiceProviderId,
    integration_kind: IntegrationKind,
    active_statuses: &'a ActiveStatuses,
    creates_rev_service: bool,
    needs: RequiredData,
    carrier: Option<AtCarrier<'a>>,
}

/// What an order asks of the carrier, and what that carrier can do.
#[derive(Debug, Clone)]
struct AtCarrier<'a> {
    abilities: &'a Abilities,
    asked: CarrierChange,
}

impl<'a> Judge<'a> {
    /// Judges by an order with what was derived for it, for the lines of one service provider of that kind (rules 3, 5).
    #[must_use]
    pub const fn new(
        order: &'a StoredOrder,
        service_provider_id: ServiceProviderId,
        integration_kind: IntegrationKind,
        active_statuses: &'a ActiveStatuses,
    ) -> Self {
        let needs = RequiredData::NOTHING;
        Self { order, service_provider_id, integration_kind, active_statuses, creates_rev_service: false, needs, carrier: None }
    }

    /// The order asks something of a carrier that can do this: rule 5 is its own for status updates, and it needs its data (rule 9).
    #[must_use]
    pub fn at_carrier(mut self, abilities: &'a Abilities) -> Self {
        let Some(asked) = self.order.carrier_change() else { return self };
        let needs = match &asked {
            CarrierChange::RatePlan { .. } => abilities.rate_plan.map(|ability| ability.needs),
            CarrierChange::Status { .. } => abilities.status.map(|ability| ability.needs),
        };
        self.needs = needs.map_or(self.needs, |needs| self.needs.and(needs));
        self.carrier = Some(AtCarrier { abilities, asked });
        self
    }

    /// The order has `CreateRevService`, so that rule 7 binds.
    #[must_use]
    pub const fn creating_rev_service(mut self) -> Self {
        self.creates_rev_service = true;
        self
    }

    /// The order's steps need that about each line (rule 9).
    #[must_use]
    pub const fn needing(mut self, needs: RequiredData) -> Self {
        self.needs = needs;
        self
    }

    /// Judges a line that was found: rules 3 to 9, then whether it stands as asked.
    #[must_use]
    pub fn judge(&self, line: &LineFacts) -> Verdict {
        if let Err(reason) = self.rules_3_to_5(line).and_then(|()| rule_6(line)).and_then(|()| self.rules_7_to_9(line)) {
            return Verdict::Refused(reason);
        }
        if self.stands_as_asked(line) { Verdict::AlreadySo } else { Verdict::Accepted }
    }

    /// Judges a line again when its page is run: the same rules, then whether it is still what was judged (B5.3).
    #[must_use]
    pub fn judge_again(&self, line: &LineFacts, judged_version: i64) -> Verdict {
        let verdict = self.judge(line);
        if matches!(verdict, Verdict::Refused(_)) || line.version == judged_version {
            return verdict;
        }
        Verdict::Refused(Reason::new(
            Code::ModifiedMeanwhile,
            "customer, site or plan of this line were changed after this order was judged; look at the line and order again",
        ))
    }

    /// Judges a plan queue entry that fell due: rules 2 to 5 and that the customer is still the one it was made for (B8.3).
    #[must_use]
    pub fn judge_due(&self, line: &LineFacts, customer_unchanged: bool) -> Verdict {
        if let Err(reason) = self.rules_3_to_5(line) {
            return Verdict::Refused(reason);
        }
        if !customer_unchanged {
            return Verdict::Refused(Reason::new(
                Code::ModifiedMeanwhile,
                "the line was handed to another customer after this change was scheduled; schedule it again if it is still wanted",
            ));
        }
        if let Err(reason) = self.allocation_within_bound(line) {
            return Verdict::Refused(reason);
        }
        if self.stands_as_asked(line) { Verdict::AlreadySo } else { Verdict::Accepted }
    }

    fn rules_3_to_5(&self, line: &LineFacts) -> Result<(), Reason> {
        if line.service_provider_id != self.service_provider_id {
            return Err(Reason::new(
                Code::WrongServiceProvider,
                format!(
                    "the line belongs to service provider {}, the order is for {}",
                    line.service_provider_id, self.service_provider_id
                ),
            ));
        }
        if line.is_archived {
            return Err(Reason::new(Code::DeviceArchived, "the line is archived or deleted in the inventory"));
        }
        if let Some(AtCarrier { abilities, asked: CarrierChange::Status { status, .. } }) = &self.carrier {
            return status_reachable(abilities, status, &line.status);
        }
        if !self.active_statuses.contains(self.integration_kind, &line.status) {
            return Err(Reason::new(
                Code::DeviceNotActive,
                format!(
                    "the line's status is {:?}; active for {} are {}",
                    line.status,
                    self.integration_kind,
                    self.active_statuses.of(self.integration_kind)
                ),
            ));
        }
        Ok(())
    }

    /// Rules 7 to 9 and the bound of B8.5. Rule 7 and 9 bind only orders that create a Rev service or call a carrier.
    fn rules_7_to_9(&self, line: &LineFacts) -> Result<(), Reason> {
        if self.creates_rev_service && line.billed_to_customer {
            return Err(Reason::new(
                Code::ServiceLineExists,
                "the customer is billed for this line in Rev.io already; order again without CreateRevService",
            ));
        }
        if self.order.assignment().is_some() && line.billed_to_other {
            return Err(Reason::new(
                Code::ActiveServiceLine,
                "another customer is billed for this line in Rev.io; disconnect that service first",
            ));
        }
        self.required_data(line)?;
        self.allocation_within_bound(line)
    }

    fn required_data(&self, line: &LineFacts) -> Result<(), Reason> {
        let missing = match () {
            () if self.needs.subscriber_number && !line.has_subscriber_number => "subscriber number",
            () if self.needs.imei && !line.has_imei => "IMEI",
            () => return Ok(()),
        };
        let text = format!("the line has no {missing} in the inventory, which this order needs; complete the line first");
        Err(Reason::new(Code::MissingDeviceData, text))
    }

    /// B8.5: without a plan in the order the allocation is checked against the plan of the line.
    fn allocation_within_bound(&self, line: &LineFacts) -> Result<(), Reason> {
        let Some(values) = self.order.plan().map(|plan| plan.values) else { return Ok(()) };
        let (Setting::Keep, Setting::Set(allocation), Some(bound)) =
            (values.plan, values.allocation_mb, line.assignment.plan_allocation_bound_mb)
        else {
            return Ok(());
        };
        if allocation > bound {
            return Err(Reason::new(
                Code::AllocationOverBound,
                format!("{allocation} MB were ordered; the plan of this line allows at most {bound} MB"),
            ));
        }
        Ok(())
    }

    /// A Rev service to create never stands already: rule 7 refused the line if it does.
    fn stands_as_asked(&self, line: &LineFacts) -> bool {
        let here = &line.assignment;
        !self.creates_rev_service
            && self.order.assignment().is_none_or(|asked| assignment_stands(asked, here))
            && self.order.plan().is_none_or(|asked| asked.applies_now_without_replacing() && plan_stands(asked, here))
            && self.carrier.as_ref().is_none_or(|carrier| carrier.asked.stands(&line.at_carrier()))
    }
}

/// Rule 5 for status updates: the carrier lets the line be moved there from where it stands. Where it stands already it need not.
fn status_reachable(abilities: &Abilities, target: &str, present: &str) -> Result<(), Reason> {
    let found = abilities.status.and_then(|ability| ability.find(target));
    if present.eq_ignore_ascii_case(target) || found.is_some_and(|status| status.is_reached_from(present)) {
        return Ok(());
    }
    let from = found.map(|status| status.reached_from.join(", ")).unwrap_or_default();
    let text = format!("the line's status is {present:?}; {} moves lines to {target} from {from} only", abilities.name);
    Err(Reason::new(Code::StatusNotReachable, text))
}

impl StoredPlan {
    /// Whether "already so" can be said of it: a queued change or one that cancels entries always does something.
    fn applies_now_without_replacing(&self) -> bool {
        !self.queued && !self.replace_scheduled
    }
}

fn rule_6(line: &LineFacts) -> Result<(), Reason> {
    let Some(hold) = line.held_by else { return Ok(()) };
    Err(if hold.outcome_unknown {
        Reason::new(
            Code::OutcomeUnknown,
            format!("bulk change {} ended without knowing what it did to this line; settle it first", hold.bulk_change_id),
        )
    } else {
        in_progress(hold.bulk_change_id)
    })
}

fn in_progress(by: BulkChangeId) -> Reason {
    Reason::new(Code::ChangeInProgress, format!("bulk change {by} is still working on this line; order again when it is done"))
}

fn assignment_stands(asked: &StoredAssignment, line: &LineAssignment) -> bool {
    line.is_active
        && line.rev_customer_id == asked.rev_customer_id
        && line.site_id == Some(asked.site_id)
        && line.integration_authentication_id == asked.integration_authentication_id
}

fn plan_stands(asked: &StoredPlan, line: &LineAssignment) -> bool {
    asked.values.plan.applied_to(line.plan) == line.plan
        && asked.values.pool.applied_to(line.pool) == line.pool
        && asked.values.allocation_mb.applied_to(line.allocation_mb) == line.allocation_mb
}
