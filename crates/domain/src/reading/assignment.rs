//! Customer assignments: the body of `AssociateCustomer`, and `AssociateCustomerRequest` inside others (B4.2).

use super::changes::{read_carrier_plans, read_plan_values};
use super::codes;
use super::devices::{DEVICES, read_devices};
use super::envelope::{ENVELOPE, Envelope};
use super::fields::{Fields, Known};
use super::forms::is_digits;
use super::problems::{Problems, shown};
use super::rev_service::{REV_SERVICE, read_rev_service};
use crate::ids::{IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId};
use crate::limits::Limits;
use crate::order::{AssignmentOrder, BodyForm, CarrierRatePlanOrder, Effect, Order, PlanValues};
use crate::refusal::Refusal;
use crate::terms::PortalType;

/// The names of the fields that every assignment may have, those of the Rev service and the envelope left out.
const ASSIGNMENT: &[&str] = &[
    "RevCustomerId",
    "SiteId",
    "CreateRevService",
    "AddCarrierRatePlan",
    "CarrierRatePlan",
    "CommPlan",
    "AddCustomerRatePlan",
    "CustomerRatePlan",
    "CustomerRatePool",
    "CustomerDataAllocationMB",
    "EffectiveDate",
    "ReplaceScheduled",
    "IntegrationAuthenticationId",
    "OnPartialFailure",
];

/// The body of `AssociateCustomer`.
const BODY: Known = &[ENVELOPE, DEVICES, ASSIGNMENT, REV_SERVICE];

/// `AssociateCustomerRequest` of a bulk change.
pub(super) const IN_BULK_CHANGE: Known = &[ENVELOPE, &["ICCID", "Number", "JasperDeviceID"], ASSIGNMENT, REV_SERVICE];

/// `AssociateCustomerRequest` of an activation.
pub(super) const IN_ACTIVATION: Known = &[ASSIGNMENT, REV_SERVICE];

/// The most digits of a Rev customer's id: what always fits 64 bits.
const MOST_CUSTOMER_DIGITS: usize = 18;

/// See [`super::read_associate_customer`].
pub(super) fn read_body(body: &[u8], portal: PortalType, limits: &Limits) -> Result<Order, Refusal> {
    let problems = &mut Problems::default();
    let mut fields = Fields::of_body(body, BODY, limits, problems)?;
    let envelope = Envelope::read(&mut fields, problems);
    envelope.require_provider(&fields, problems);
    let lines = read_devices(&mut fields, portal, limits, problems);
    let assignment = read_assignment(&mut fields, problems);
    let order = lines.map(|(identifier, lines)| Order {
        form: BodyForm::AssociateCustomer,
        portal,
        service_provider_id: ServiceProviderId(envelope.service_provider_id.unwrap_or_default()),
        identifier,
        lines,
        process_changes: envelope.process_changes.unwrap_or(true),
        name: envelope.name,
        reason: envelope.reason,
        effect: Effect::CustomerAssignment(assignment),
    });
    std::mem::take(problems).finish(order)
}

/// Takes the fields of an assignment out of an object that knows them.
pub(super) fn read_assignment(fields: &mut Fields<'_>, problems: &mut Problems) -> AssignmentOrder {
    // An empty RevCustomerId selects the AMOP path (B6.1); one of a wrong type or form does not.
    let on_amop_path = !fields.asks("RevCustomerId");
    if on_amop_path {
        check_amop_path(fields, problems);
    }
    let rev_customer_id = read_rev_customer(fields, problems);
    let integration = fields.id("IntegrationAuthenticationId", problems);
    if on_amop_path && integration.is_some() {
        let message = "only Rev customers have one; leave it out, or give RevCustomerId";
        fields.report("IntegrationAuthenticationId", codes::CONFLICTING_FIELDS, message, problems);
    }
    let words = "\"skip\" or \"continue\"";
    let rev_service = read_rev_service(fields, problems);
    let on_rev_service_failure = fields.choice("OnRevServiceFailure", words, problems);
    let effective_date = fields.date("EffectiveDate", problems);
    let mut carrier_rate_plan = read_carrier_option(fields, problems);
    if let Some(plan) = &mut carrier_rate_plan {
        plan.effective_date = effective_date;
    }
    let (customer_rate_plan, replace_scheduled) = read_customer_plan_option(fields, problems);
    AssignmentOrder {
        rev_customer_id,
        site_id: fields.id("SiteId", problems).map(SiteId),
        integration_authentication_id: integration.map(IntegrationAuthenticationId),
        rev_service,
        carrier_rate_plan,
        customer_rate_plan,
        effective_date,
        replace_scheduled,
        on_rev_service_failure,
        on_partial_failure: fields.choice("OnPartialFailure", "\"keep\" or \"compensate\"", problems),
    }
}

fn check_amop_path(fields: &Fields<'_>, problems: &mut Problems) {
    if !fields.is_given("SiteId") {
        let message = "missing; without RevCustomerId the customer is a site: give SiteId, or RevCustomerId for a Rev customer";
        fields.report("SiteId", codes::MISSING_FIELD, message, problems);
    }
    if fields.asks("CreateRevService") {
        let message = "a billing service needs a customer in Rev.io; give RevCustomerId, or leave CreateRevService out";
        fields.report("CreateRevService", codes::CONFLICTING_FIELDS, message, problems);
    }
}

fn read_rev_customer(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<RevCustomerId> {
    let expected = "a text of up to 18 digits";
    let written = fields.written("RevCustomerId", expected, problems)?;
    let id = written.parse().ok().filter(|id| is_digits(&written) && written.len() <= MOST_CUSTOMER_DIGITS && *id > 0);
    if id.is_none() {
        let message =
            format!("found {}, expected {expected}, other than 0; empty for a customer without Rev.io", shown(&written));
        fields.report("RevCustomerId", codes::WRONG_FORM, message, problems);
    }
    id.map(RevCustomerId)
}

/// Reports an option without any of its fields, or fields without their option. `wanted` is none where the option could
/// not be read: then nothing can be said about its fields.
fn check_option(fields: &Fields<'_>, option: &str, wanted: Option<bool>, needed: &[&str], problems: &mut Problems) {
    match wanted {
        Some(true) if !needed.iter().any(|name| fields.asks(name)) => {
            let message = format!("{option} is set; give {}, or leave it out", needed.join(" or "));
            fields.report(option, codes::OPTION_WITHOUT_FIELD, message, problems);
        }
        Some(false) => {
            for name in needed.iter().filter(|name| fields.asks(name)) {
                let message = format!("given without {option}: set that or leave this out");
                fields.report(name, codes::FIELD_WITHOUT_OPTION, message, problems);
            }
        }
        Some(true) | None => {}
    }
}

fn read_carrier_option(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<CarrierRatePlanOrder> {
    let option = "AddCarrierRatePlan";
    let wanted = fields.flag(option, false, problems);
    check_option(fields, option, wanted, &["CarrierRatePlan", "CommPlan"], problems);
    let plan = read_carrier_plans(fields, None, problems);
    (wanted == Some(true)).then_some(plan)
}

/// The plan part, and whether it replaces what is scheduled.
fn read_customer_plan_option(fields: &mut Fields<'_>, problems: &mut Problems) -> (Option<PlanValues>, bool) {
    let option = "AddCustomerRatePlan";
    let wanted = fields.flag(option, false, problems);
    check_option(fields, option, wanted, &["CustomerRatePlan", "CustomerRatePool", "CustomerDataAllocationMB"], problems);
    let values = read_plan_values(fields, "CustomerRatePlan", "CustomerRatePool", problems);
    let replace = fields.flag("ReplaceScheduled", false, problems).unwrap_or_default();
    if replace && wanted == Some(false) {
        let message = format!("given without {option}: there is nothing to put in the place of what is scheduled");
        fields.report("ReplaceScheduled", codes::FIELD_WITHOUT_OPTION, message, problems);
    }
    ((wanted == Some(true)).then_some(values), replace)
}
