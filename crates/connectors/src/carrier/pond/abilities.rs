//! What POND can do.

use lineshift_domain::carrier::{Abilities, Answers, CarrierStatus, RatePlanAbility, StatusAbility};
use lineshift_domain::judge::RequiredData;
use lineshift_domain::terms::IntegrationKind;

use super::STATED_LIMITS;

/// All three services may be used.
pub(super) const IN_SERVICE: &str = "In-Service";
/// None of them may.
pub(super) const OUT_OF_SERVICE: &str = "Out-of-Service";

/// One SIM a call, an answer at once, no date; plans are package types, and a package that was terminated does not come back.
pub(super) static ABILITIES: Abilities = Abilities {
    kind: IntegrationKind::POND,
    name: "POND",
    devices_a_call: 1,
    answers: Answers::AtOnce,
    most_days_ahead: None,
    rate_plan: Some(RatePlanAbility { takes_comm_plan: false, reversible: false, calls: (3, 2), needs: RequiredData::NOTHING }),
    status: Some(StatusAbility { statuses: &STATUSES, takes_reason_code: false, calls: (1, 2), needs: RequiredData::NOTHING }),
    limits: STATED_LIMITS,
};

static STATUSES: [CarrierStatus; 2] = [
    CarrierStatus { name: IN_SERVICE, is_active: true, reached_from: &[OUT_OF_SERVICE] },
    CarrierStatus { name: OUT_OF_SERVICE, is_active: false, reached_from: &[IN_SERVICE] },
];
