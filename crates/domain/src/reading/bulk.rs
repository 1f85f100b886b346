//! The seeds' `BulkChangeRequest`: one body for every type (B4.3).

use super::activation::read_activation;
use super::assignment::{IN_BULK_CHANGE, read_assignment};
use super::changes::{read_carrier_rate_plan, read_customer_rate_plan, read_status};
use super::codes;
use super::devices::{DEVICES, NamedLines, names_lines, read_devices, read_one_device};
use super::envelope::{ENVELOPE, Envelope};
use super::fields::{Fields, Known};
use super::json::Node;
use super::problems::{Problems, shown};
use crate::ids::ServiceProviderId;
use crate::limits::Limits;
use crate::order::{
    ActivationOrder, AssignmentOrder, BodyForm, CarrierRatePlanOrder, CustomerRatePlanOrder, Effect, Order, StatusOrder,
};
use crate::refusal::Refusal;
use crate::terms::{ChangeRequestType, PortalType};

const BODY: Known = &[
    ENVELOPE,
    DEVICES,
    &[
        "ChangeType",
        "AssociateCustomerRequest",
        "CustomerRatePlanUpdate",
        "CarrierRatePlanUpdate",
        "StatusUpdate",
        "NewServiceActivation",
    ],
];

/// The field in which an order of that type stands.
const fn effect_field(change_type: ChangeRequestType) -> &'static str {
    match change_type {
        ChangeRequestType::CustomerAssignment => "AssociateCustomerRequest",
        ChangeRequestType::StatusUpdate => "StatusUpdate",
        ChangeRequestType::NewServiceActivation => "NewServiceActivation",
        ChangeRequestType::CustomerRatePlanChange => "CustomerRatePlanUpdate",
        ChangeRequestType::CarrierRatePlanChange => "CarrierRatePlanUpdate",
    }
}

/// What the fields of a body asked for. All are read, also those that do not go with the type, for their problems.
#[derive(Default)]
struct Effects {
    assignment: Option<AssignmentOrder>,
    customer_rate_plan: Option<CustomerRatePlanOrder>,
    carrier_rate_plan: Option<CarrierRatePlanOrder>,
    status: Option<StatusOrder>,
    activation: Option<ActivationOrder>,
}

impl Effects {
    fn of_type(self, change_type: ChangeRequestType) -> Option<Effect> {
        match change_type {
            ChangeRequestType::CustomerAssignment => self.assignment.map(Effect::CustomerAssignment),
            ChangeRequestType::StatusUpdate => self.status.map(Effect::StatusUpdate),
            ChangeRequestType::NewServiceActivation => self.activation.map(|order| Effect::NewServiceActivation(Box::new(order))),
            ChangeRequestType::CustomerRatePlanChange => self.customer_rate_plan.map(Effect::CustomerRatePlanChange),
            ChangeRequestType::CarrierRatePlanChange => self.carrier_rate_plan.map(Effect::CarrierRatePlanChange),
        }
    }
}

/// See [`super::read_bulk_change`].
pub(super) fn read_body(body: &[u8], portal: PortalType, limits: &Limits) -> Result<Order, Refusal> {
    let problems = &mut Problems::default();
    let mut fields = Fields::of_body(body, BODY, limits, problems)?;
    let mut envelope = Envelope::read(&mut fields, problems);
    let change_type = read_change_type(&mut fields, problems);
    check_effect_fields(&fields, change_type, problems);

    let listed = names_lines(&fields);
    let mut effects = Effects::default();
    let mut one_device = None;
    if let Some(mut inside) = fields.object("AssociateCustomerRequest", IN_BULK_CHANGE, problems) {
        envelope = envelope.joined(Envelope::read(&mut inside, problems), &inside, problems);
        one_device = read_one_device(&mut inside, listed, portal, problems);
        effects.assignment = Some(read_assignment(&mut inside, problems));
    }
    effects.customer_rate_plan = read_customer_rate_plan(&mut fields, problems);
    effects.carrier_rate_plan = read_carrier_rate_plan(&mut fields, problems);
    effects.status = read_status(&mut fields, problems);
    let activation = read_activation(&mut fields, portal, limits, problems);
    let activated = activation.map(|(order, lines)| {
        effects.activation = Some(order);
        lines
    });
    let own_lines = one_device.or(activated);
    let lines = read_lines(&mut fields, change_type, own_lines, portal, limits, problems);
    envelope.require_provider(&fields, problems);

    let effect = change_type.and_then(|change_type| effects.of_type(change_type));
    let order = effect.zip(lines).map(|(effect, (identifier, lines))| Order {
        form: BodyForm::BulkChange,
        portal,
        service_provider_id: ServiceProviderId(envelope.service_provider_id.unwrap_or_default()),
        identifier,
        lines,
        process_changes: envelope.process_changes.unwrap_or(true),
        name: envelope.name,
        reason: envelope.reason,
        effect,
    });
    std::mem::take(problems).finish(order)
}

fn read_change_type(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<ChangeRequestType> {
    let name = "ChangeType";
    let known: Vec<String> = ChangeRequestType::ALL.iter().map(|known| format!("{} ({known})", known.number())).collect();
    let expected = format!("one of the numbers {}", known.join(", "));
    if !fields.require(name, &expected, problems) {
        return None;
    }
    match fields.take(name)? {
        Node::Number(written) => {
            let change_type = written.parse().ok().and_then(|number| ChangeRequestType::from_number(number).ok());
            if change_type.is_none() {
                let message = format!("found {}, expected {expected}", shown(written));
                fields.report(name, codes::UNKNOWN_CHANGE_TYPE, message, problems);
            }
            change_type
        }
        other => {
            fields.report_type(name, &other, &expected, problems);
            None
        }
    }
}

/// Exactly the field that goes with the type must be given.
fn check_effect_fields(fields: &Fields<'_>, change_type: Option<ChangeRequestType>, problems: &mut Problems) {
    let Some(change_type) = change_type else { return };
    let wanted = effect_field(change_type);
    if !fields.is_given(wanted) {
        let message = format!("missing; ChangeType {} ({change_type}) needs it", change_type.number());
        fields.report(wanted, codes::MISSING_FIELD, message, problems);
    }
    for other in ChangeRequestType::ALL.iter().filter(|other| **other != change_type) {
        let name = effect_field(*other);
        if fields.is_given(name) {
            let message = format!(
                "goes with ChangeType {}, but {} ({change_type}) was found; give {wanted} only, or order in two bulk changes",
                other.number(),
                change_type.number(),
            );
            fields.report(name, codes::CONFLICTING_FIELDS, message, problems);
        }
    }
}

/// The lines of the order: those listed, or those that stand inside the order itself.
fn read_lines(
    fields: &mut Fields<'_>,
    change_type: Option<ChangeRequestType>,
    own: Option<NamedLines>,
    portal: PortalType,
    limits: &Limits,
    problems: &mut Problems,
) -> Option<NamedLines> {
    if change_type == Some(ChangeRequestType::NewServiceActivation) {
        for name in DEVICES.iter().filter(|name| fields.asks(name)) {
            let message = "new lines are named in NewServiceActivation.Lines; leave this out";
            fields.report(name, codes::CONFLICTING_FIELDS, message, problems);
        }
        return own;
    }
    if own.is_some() && !names_lines(fields) {
        return own;
    }
    read_devices(fields, portal, limits, problems)
}
