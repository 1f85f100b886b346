//! What Jasper can do.

use lineshift_domain::carrier::{Abilities, Answers, CarrierStatus, RatePlanAbility, StatusAbility};
use lineshift_domain::judge::RequiredData;
use lineshift_domain::terms::IntegrationKind;

use super::{JasperStatus, MOST_DAYS_AHEAD, STATED_LIMITS};

/// One device a call, an answer at once, a date of its own; rate plans, communication plans and statuses.
pub(super) static ABILITIES: Abilities = Abilities {
    kind: IntegrationKind::JASPER,
    name: "Jasper",
    devices_a_call: 1,
    answers: Answers::AtOnce,
    most_days_ahead: Some(MOST_DAYS_AHEAD),
    rate_plan: Some(RatePlanAbility { takes_comm_plan: true, reversible: true, calls: (1, 0), needs: RequiredData::NOTHING }),
    status: Some(StatusAbility { statuses: &STATUSES, takes_reason_code: false, calls: (1, 1), needs: RequiredData::NOTHING }),
    limits: STATED_LIMITS,
};

const TEST_READY: &str = JasperStatus::TestReady.as_str();
const INVENTORY: &str = JasperStatus::Inventory.as_str();
const ACTIVATION_READY: &str = JasperStatus::ActivationReady.as_str();
const ACTIVATED: &str = JasperStatus::Activated.as_str();
const DEACTIVATED: &str = JasperStatus::Deactivated.as_str();

/// From where each is reached: nothing leads back to before the activation (10000029, **S**), or out of what is out of use for good
/// (**I**). PURGED is Jasper's own to set (**I**).
static STATUSES: [CarrierStatus; 7] = [
    status(JasperStatus::TestReady, true, &[INVENTORY, ACTIVATION_READY]),
    status(JasperStatus::Inventory, false, &[TEST_READY, ACTIVATION_READY]),
    status(JasperStatus::ActivationReady, true, &[TEST_READY, INVENTORY]),
    status(JasperStatus::Activated, true, &[TEST_READY, INVENTORY, ACTIVATION_READY, DEACTIVATED]),
    status(JasperStatus::Deactivated, false, &[TEST_READY, INVENTORY, ACTIVATION_READY, ACTIVATED]),
    status(JasperStatus::Retired, false, &[TEST_READY, INVENTORY, ACTIVATION_READY, ACTIVATED, DEACTIVATED]),
    status(JasperStatus::Purged, false, &[]),
];

const fn status(status: JasperStatus, is_active: bool, reached_from: &'static [&'static str]) -> CarrierStatus {
    CarrierStatus { name: status.as_str(), is_active, reached_from }
}
