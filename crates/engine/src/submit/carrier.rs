//! Resolving what an order asks of a carrier: what the carrier cannot do is refused here, by name (B4.4, B6.5).

use chrono::{DateTime, Utc};
use lineshift_domain::carrier::Abilities;
use lineshift_domain::codes::Code;
use lineshift_domain::dates::{check_date, is_later, resolve};
use lineshift_domain::ids::IntegrationAuthenticationId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{
    CarrierRatePlanOrder, Effect, EffectiveDate, Order, StatusOrder, StoredCarrierRatePlan, StoredStatus,
};
use lineshift_domain::refusal::Problem;
use lineshift_store::billing::IntegrationAccount;

use super::resolve::Resolving;

/// The carrier does not do that at all.
const CARRIER_CANNOT: &str = "carrier_cannot";

/// The carrier whose lines an order names, as far as it can be called.
#[derive(Debug, Clone, Copy)]
pub(super) struct CarrierOf<'a> {
    /// What it can do; none: it cannot be called by this version.
    pub(super) abilities: Option<&'static Abilities>,
    /// Its account; none: the service provider has none.
    pub(super) account: Option<&'a IntegrationAccount>,
}

/// Whether an order asks something of the carrier.
pub(super) const fn asks_carrier(order: &Order) -> bool {
    match &order.effect {
        Effect::CustomerAssignment(assignment) => assignment.carrier_rate_plan.is_some(),
        Effect::CarrierRatePlanChange(_) | Effect::StatusUpdate(_) => true,
        Effect::CustomerRatePlanChange(_) | Effect::NewServiceActivation(_) => false,
    }
}

/// The carrier rate plan that an order names.
pub(super) fn carrier_rate_plan_of(order: &Order) -> Option<String> {
    match &order.effect {
        Effect::CustomerAssignment(assignment) => assignment.carrier_rate_plan.as_ref()?.carrier_rate_plan.clone(),
        Effect::CarrierRatePlanChange(plan) => plan.carrier_rate_plan.clone(),
        _ => None,
    }
}

impl Resolving<'_> {
    pub(super) fn carrier_rate_plan(&mut self, asked: &CarrierRatePlanOrder) -> Option<StoredCarrierRatePlan> {
        let (abilities, account) = self.callable("CarrierRatePlan")?;
        let Some(ability) = abilities.rate_plan else {
            return self.cannot("CarrierRatePlan", format!("{} does not change rate plans", abilities.name));
        };
        if asked.comm_plan.is_some() && !ability.takes_comm_plan {
            self.cannot::<()>("CommPlan", format!("{} has no communication plans; leave CommPlan out", abilities.name));
        }
        let code = asked.carrier_rate_plan.as_deref().map(|named| match &self.found.carrier_rate_plan {
            Some(plan) if plan.is_active => Some(plan.code.clone()),
            _ => {
                self.unknown(self.asked.field("CarrierRatePlan"), "carrier rate plan of this service provider named", named);
                None
            }
        });
        let effective_at = self.carrier_date(asked.effective_date, abilities);
        Some(StoredCarrierRatePlan {
            carrier_rate_plan: match code {
                Some(code) => Some(code?),
                None => None,
            },
            comm_plan: asked.comm_plan.clone(),
            effective_at,
            integration_authentication_id: account,
        })
    }

    pub(super) fn status(&mut self, asked: &StatusOrder) -> Option<StoredStatus> {
        let (abilities, account) = self.callable("TargetStatus")?;
        let Some(ability) = abilities.status else {
            return self.cannot("TargetStatus", format!("{} does not move statuses", abilities.name));
        };
        if asked.reason_code.is_some() && !ability.takes_reason_code {
            self.cannot::<()>("ReasonCode", format!("{} takes no reason code; leave ReasonCode out", abilities.name));
        }
        let Some(status) = ability.find(&asked.target_status).filter(|status| !status.reached_from.is_empty()) else {
            let message =
                format!("{} moves no line to {:?}; expected one of {}", abilities.name, asked.target_status, ability.orderable());
            self.problems.push(Problem::new(self.asked.field("TargetStatus"), "unknown_status", message));
            return None;
        };
        Some(StoredStatus {
            target_status: status.name.to_owned(),
            reason_code: asked.reason_code.clone(),
            integration_authentication_id: account,
        })
    }

    /// What the carrier can do, and its account: which must be ready to be written to.
    fn callable(&mut self, field: &str) -> Option<(&'static Abilities, IntegrationAuthenticationId)> {
        // A service provider that is not there is a problem of its own.
        let provider = self.found.service_provider.as_ref()?;
        let Some(abilities) = self.carrier.abilities else {
            let message = format!("{} lines cannot be changed at their carrier by this version", provider.integration_kind);
            self.problems.push(Problem::new(self.asked.field(field), "not_available", message));
            return None;
        };
        let (name, field) = (provider.name.clone(), self.asked.field(field));
        if !provider.write_enabled {
            let message = format!("writing to the service provider {name:?} is disabled; enable it, then order again");
            self.problems.push(Problem::new(field, Code::WritesDisabled.as_str(), message));
            return None;
        }
        let Some(account) = self.carrier.account else {
            let message = format!("the service provider {name:?} has no integration to call its carrier with; give it one");
            self.problems.push(Problem::new(field, Code::CredentialsMissing.as_str(), message));
            return None;
        };
        self.ready(account, field, "without it").then_some((abilities, account.id))
    }

    /// A date ahead is passed on, where the carrier takes one; any other means now.
    fn carrier_date(&mut self, date: Option<EffectiveDate>, abilities: &Abilities) -> Option<DateTime<Utc>> {
        let at = resolve(date?, self.zone);
        if !is_later(Some(at), self.now) {
            return None;
        }
        let Some(most) = abilities.most_days_ahead else {
            let text = format!("{} takes no date; order it on that day, or without a date", abilities.name);
            return self.cannot("EffectiveDate", text);
        };
        let limits = Limits { days_ahead: self.limits.days_ahead.min(most), ..*self.limits };
        if self.limits.days_ahead > most {
            let beyond_ours = check_date("", at, self.now, self.limits).is_some();
            let problem = check_date(&self.asked.field("EffectiveDate"), at, self.now, &limits);
            // A date that lies beyond our own limit was said to already.
            self.problems.extend(problem.filter(|_| !beyond_ours));
        }
        Some(at)
    }

    fn cannot<T>(&mut self, field: &str, message: String) -> Option<T> {
        self.problems.push(Problem::new(self.asked.field(field), CARRIER_CANNOT, message));
        None
    }
}
