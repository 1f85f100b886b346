//! Resolving an order: what it refers to, what is derived from that, and every reason to refuse it as a whole (B4.4).

use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::dates::{check_date, is_later, resolve};
use lineshift_domain::ids::{RevCustomerId, SiteId, TenantId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{
    AssignmentOrder, Effect, EffectiveDate, Order, PlanValues, Setting, StoredAssignment, StoredOrder, StoredPlan,
    StoredRevService,
};
use lineshift_domain::reach::Reach;
use lineshift_domain::refusal::{Problem, Refusal};
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::billing::IntegrationAccount;
use lineshift_store::catalogue::{CustomerRatePlan, Referenced, References};

use super::carrier::{CarrierOf, asks_carrier, carrier_rate_plan_of};
use crate::estimate::page_lines;
use crate::{Caller, Engine, Result};

/// An order with all that is derived from it.
pub(super) struct Resolved {
    /// What is stored.
    pub(super) order: StoredOrder,
    /// The provider's kind.
    pub(super) integration_kind: IntegrationKind,
    /// Lines a page holds (B5.2).
    pub(super) page_lines: usize,
}

impl Engine {
    /// Resolves an order; refuses it with every problem at once.
    pub(super) async fn resolve(&self, caller: &Caller, order: &Order) -> Result<Resolved> {
        Refusal::from_problems(not_available(order))?;
        let tenant = caller.tenant;
        let zone = self.store.get_tenant(tenant).await?.time_zone;
        let mut found = self.store.find_referenced(tenant, &references(order)).await?;
        keep_reached(&mut found, &caller.rights.reach);
        let account = self.billing_account(tenant, order, &found).await?;
        let carrier_account = self.carrier_account(tenant, order, &found).await?;
        let kind = found.service_provider.as_ref().map(|provider| provider.integration_kind);
        let carrier = CarrierOf { abilities: kind.and_then(|kind| self.abilities(kind)), account: carrier_account.as_ref() };
        let (now, limits) = (self.clock.now(), &self.limits);
        let mut resolving = Resolving { found: &found, asked: order, carrier, zone, now, limits, problems: Vec::new() };
        let resolved = resolving.order(order);
        if let Some(account) = &account {
            resolving.ready(account, order.field("CreateRevService"), "without CreateRevService");
        }
        let problems = resolving.problems;
        Refusal::from_problems(problems)?;
        let order = resolved.expect("an order without problems is resolved");
        let integration_kind = found.service_provider.expect("a missing provider is a problem").integration_kind;
        let billing = account.map(|account| self.account_limits(&account));
        let carrier = carrier_account.map(|account| self.account_limits(&account));
        let page_lines = page_lines(&order, billing, carrier.zip(self.abilities(integration_kind)), self.limits.page_lines);
        Ok(Resolved { order, integration_kind, page_lines })
    }

    /// The account that the order's services are opened at.
    async fn billing_account(&self, tenant: TenantId, order: &Order, found: &Referenced) -> Result<Option<IntegrationAccount>> {
        let asks = matches!(&order.effect, Effect::CustomerAssignment(assignment) if assignment.rev_service.is_some());
        let Some(customer) = found.rev_customer.as_ref().filter(|_| asks) else { return Ok(None) };
        Ok(Some(self.store.get_account(tenant, customer.integration_authentication_id).await?))
    }

    /// The account at which the carrier is called.
    async fn carrier_account(&self, tenant: TenantId, order: &Order, found: &Referenced) -> Result<Option<IntegrationAccount>> {
        let provider = found.service_provider.as_ref().filter(|_| asks_carrier(order));
        let Some(id) = provider.and_then(|provider| provider.integration_authentication_id) else { return Ok(None) };
        Ok(Some(self.store.get_account(tenant, id).await?))
    }
}

/// Forgets what was found beyond reach: it is answered like what is not there (B4.4).
fn keep_reached(found: &mut Referenced, reach: &Reach) {
    let customer = found.rev_customer.as_ref().map(|customer| customer.id);
    found.service_provider.take_if(|provider| !reach.reaches_provider(provider.id));
    found.site.take_if(|site| !reach.reaches_site(site.id, customer));
    // Whoever may book at one site of a customer may name that customer with it.
    let site_reached = found.site.is_some();
    found.rev_customer.take_if(|customer| !site_reached && !reach.reaches_customer(customer.id));
}

/// What needs an outside system that this version cannot reach yet.
fn not_available(order: &Order) -> Vec<Problem> {
    if let Effect::NewServiceActivation(_) = &order.effect {
        let text = format!("the change type {} is not available in this version; order without it", order.change_type());
        return vec![Problem::new("ChangeType".to_owned(), "not_available", text)];
    }
    Vec::new()
}

fn references(order: &Order) -> References {
    let (assignment, values) = match &order.effect {
        Effect::CustomerAssignment(assignment) => (Some(assignment), assignment.customer_rate_plan),
        Effect::CustomerRatePlanChange(plan) => (None, Some(plan.values)),
        _ => (None, None),
    };
    References {
        service_provider_id: Some(order.service_provider_id),
        rev_customer_id: assignment.and_then(|assignment| assignment.rev_customer_id),
        site_id: assignment.and_then(|assignment| assignment.site_id),
        plan: values.and_then(|values| values.plan.value()),
        pool: values.and_then(|values| values.pool.value()),
        carrier_rate_plan: carrier_rate_plan_of(order),
    }
}

/// One order while it is resolved.
pub(super) struct Resolving<'a> {
    pub(super) found: &'a Referenced,
    pub(super) asked: &'a Order,
    pub(super) carrier: CarrierOf<'a>,
    pub(super) zone: chrono_tz::Tz,
    pub(super) now: DateTime<Utc>,
    pub(super) limits: &'a Limits,
    pub(super) problems: Vec<Problem>,
}

impl Resolving<'_> {
    fn order(&mut self, order: &Order) -> Option<StoredOrder> {
        if self.found.service_provider.as_ref().is_none_or(|provider| !provider.is_active) {
            self.unknown("ServiceProviderId".to_owned(), "service provider", order.service_provider_id);
        }
        let limit = self.limits.devices_per_change;
        if order.lines.len() > limit {
            let message = format!("{} devices were given, at most {limit} may be; split the order", order.lines.len());
            self.problems.push(Problem::new("Devices", "too_many_devices", message));
        }
        match &order.effect {
            Effect::CustomerAssignment(assignment) => self.assignment(assignment).map(StoredOrder::CustomerAssignment),
            Effect::CustomerRatePlanChange(plan) => {
                let effective_at = self.date(plan.effective_date);
                let names = ["CustomerRatePlanId", "CustomerPoolId"];
                self.plan(&plan.values, effective_at, plan.replace_scheduled, names).map(StoredOrder::CustomerRatePlanChange)
            }
            Effect::CarrierRatePlanChange(plan) => {
                self.date(plan.effective_date);
                self.carrier_rate_plan(plan).map(StoredOrder::CarrierRatePlanChange)
            }
            Effect::StatusUpdate(status) => self.status(status).map(StoredOrder::StatusUpdate),
            Effect::NewServiceActivation(_) => None,
        }
    }

    /// The integration must be ready to be written to (B4.4). True when it is.
    pub(super) fn ready(&mut self, account: &IntegrationAccount, field: String, else_order: &str) -> bool {
        let name = &account.name;
        if !account.is_active || !account.write_enabled {
            let message = format!("writing to the integration {name:?} is disabled; enable it, or order {else_order}");
            self.problems.push(Problem::new(field, Code::WritesDisabled.as_str(), message));
        } else if account.secret_encrypted.is_none() || account.base_address.is_none() {
            let message = format!("the integration {name:?} has no credentials; store them, or order {else_order}");
            self.problems.push(Problem::new(field, Code::CredentialsMissing.as_str(), message));
        } else {
            return true;
        }
        false
    }

    /// All things that one may not use are answered alike, whether they exist or not (B4.4).
    pub(super) fn unknown(&mut self, field: String, what: &str, id: impl std::fmt::Display) {
        self.problems.push(Problem::new(
            field,
            "unknown_reference",
            format!("there is no active {what} {id} that you may use; check the id"),
        ));
    }

    fn date(&mut self, date: Option<EffectiveDate>) -> Option<DateTime<Utc>> {
        let at = resolve(date?, self.zone);
        self.problems.extend(check_date(&self.asked.field("EffectiveDate"), at, self.now, self.limits));
        Some(at)
    }

    fn assignment(&mut self, asked: &AssignmentOrder) -> Option<StoredAssignment> {
        let effective_at = self.date(asked.effective_date);
        let names = ["CustomerRatePlan", "CustomerRatePool"];
        let plan = asked.customer_rate_plan.map(|values| self.plan(&values, effective_at, asked.replace_scheduled, names));
        let carrier_rate_plan = asked.carrier_rate_plan.as_ref().map(|plan| self.carrier_rate_plan(plan));
        let (site_id, authentication) = match asked.rev_customer_id {
            Some(customer) => self.rev_path(asked, customer)?,
            None => (self.amop_path(asked.site_id?)?, None),
        };
        Some(StoredAssignment {
            rev_customer_id: asked.rev_customer_id,
            site_id,
            account_number: asked.rev_customer_id.map(|id| id.to_string()),
            integration_authentication_id: authentication,
            effective_at,
            customer_rate_plan: match plan {
                Some(plan) => Some(plan?),
                None => None,
            },
            rev_service: asked.rev_service.as_ref().map(|service| StoredRevService {
                service_type_id: service.service_type_id,
                provider_id: service.provider_id,
                charge: service.charge.clone(),
                usage_plan_group_id: service.usage_plan_group_id,
                prorate: service.prorate,
                description: service.description.clone(),
            }),
            carrier_rate_plan: match carrier_rate_plan {
                Some(plan) => Some(plan?),
                None => None,
            },
            on_rev_service_failure: asked.on_rev_service_failure,
            on_partial_failure: asked.on_partial_failure,
        })
    }

    fn rev_path(
        &mut self,
        asked: &AssignmentOrder,
        customer: RevCustomerId,
    ) -> Option<(SiteId, Option<lineshift_domain::ids::IntegrationAuthenticationId>)> {
        let Some(found) = self.found.rev_customer.as_ref().filter(|found| found.is_active) else {
            self.unknown(self.asked.field("RevCustomerId"), "customer", customer);
            return None;
        };
        let authentication = found.integration_authentication_id;
        if asked.integration_authentication_id.is_some_and(|given| given != authentication) {
            self.problems.push(Problem::new(
                self.asked.field("IntegrationAuthenticationId"),
                "not_the_customers",
                format!("customer {customer} belongs to another integration authentication; leave the field out"),
            ));
        }
        match (&self.found.site, asked.site_id) {
            (Some(site), _) if site.is_active && site.rev_customer_id == Some(customer) => Some((site.id, Some(authentication))),
            (_, Some(given)) => {
                self.unknown(self.asked.field("SiteId"), &format!("site of customer {customer} with the id"), given);
                None
            }
            (_, None) => {
                self.problems.push(Problem::new(
                    self.asked.field("RevCustomerId"),
                    "customer_without_site",
                    format!("customer {customer} has no active site; create one, then order again"),
                ));
                None
            }
        }
    }

    fn amop_path(&mut self, site_id: SiteId) -> Option<SiteId> {
        match self.found.site.as_ref().filter(|site| site.is_active) {
            None => {
                self.unknown(self.asked.field("SiteId"), "site", site_id);
                None
            }
            Some(site) if site.rev_customer_id.is_some() => {
                self.problems.push(Problem::new(
                    self.asked.field("SiteId"),
                    "site_of_rev_customer",
                    format!("site {site_id} belongs to a Rev customer; give its RevCustomerId, or the site of an AMOP customer"),
                ));
                None
            }
            Some(site) => Some(site.id),
        }
    }

    fn plan(
        &mut self,
        asked: &PlanValues,
        effective_at: Option<DateTime<Utc>>,
        replace_scheduled: bool,
        [plan_field, pool_field]: [&str; 2],
    ) -> Option<StoredPlan> {
        let mut values = *asked;
        if let Some(id) = asked.pool.value()
            && self.found.pool.as_ref().is_none_or(|pool| !pool.is_active)
        {
            self.unknown(self.asked.field(pool_field), "customer rate pool", id);
        }
        if let Some(id) = asked.plan.value() {
            let Some(plan) = self.found.plan.as_ref().filter(|plan| plan.is_active) else {
                self.unknown(self.asked.field(plan_field), "customer rate plan", id);
                return None;
            };
            values.allocation_mb = allocation_under(plan, asked.allocation_mb);
            self.within_bound(plan, asked);
        }
        let queued = is_later(effective_at, self.now);
        Some(StoredPlan { values, effective_at, queued, replace_scheduled })
    }

    fn within_bound(&mut self, plan: &CustomerRatePlan, asked: &PlanValues) {
        let (Some(allocation), Some(bound)) = (asked.allocation_mb.value(), plan.allocation_bound_mb) else { return };
        if allocation > bound {
            self.problems.push(Problem::new(
                self.asked.field("CustomerDataAllocationMB"),
                Code::AllocationOverBound.as_str(),
                format!("{allocation} MB were asked for; plan {} allows at most {bound} MB", plan.id),
            ));
        }
    }
}

/// B8.5: an allocation that was not ordered is the new plan's default; a plan without one has none.
fn allocation_under(plan: &CustomerRatePlan, asked: Setting<rust_decimal::Decimal>) -> Setting<rust_decimal::Decimal> {
    match asked {
        // None and 0 are the same to a line: no allocation.
        Setting::Keep => plan.allocation_default_mb.filter(|default| !default.is_zero()).map_or(Setting::Clear, Setting::Set),
        given => given,
    }
}
