//! What is known about a line when it is judged: a narrow row, read in bulk.

use rust_decimal::Decimal;

use crate::carrier::CarrierLine;
use crate::ids::{
    BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, DeviceId, IntegrationAuthenticationId, RevCustomerId,
    ServiceProviderId, SiteId,
};

/// One line of the inventory with its assignment, as the judge needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct LineFacts {
    /// The line.
    pub device_id: DeviceId,
    /// Rule 3.
    pub service_provider_id: ServiceProviderId,
    /// Rule 5: the carrier's name of the status.
    pub status: Box<str>,
    /// Rule 4: archived or deleted.
    pub is_archived: bool,
    /// Rule 9.
    pub has_subscriber_number: bool,
    /// Rule 9.
    pub has_imei: bool,
    /// Version of the assignment; every write of customer, site, plan, pool or allocation raises it.
    pub version: i64,
    /// What the tenant decided about the line.
    pub assignment: LineAssignment,
    /// The carrier's rate plan, by its code; may be said to be none where the order does not ask for the carrier.
    pub carrier_rate_plan: Option<Box<str>>,
    /// The carrier's communication plan, likewise.
    pub communication_plan: Option<Box<str>>,
    /// Rule 6: an earlier change with the same effect that holds the line.
    pub held_by: Option<Hold>,
    /// Rule 7: an undisconnected Rev service of the ordered customer with a product or package.
    pub billed_to_customer: bool,
    /// Rule 8: an undisconnected, charged Rev service of another customer than the ordered one.
    pub billed_to_other: bool,
}

impl LineFacts {
    /// What is known of how the line stands at its carrier.
    #[must_use]
    pub fn at_carrier(&self) -> CarrierLine {
        CarrierLine {
            status: Some(self.status.to_string()),
            rate_plan: self.carrier_rate_plan.as_deref().map(str::to_owned),
            comm_plan: self.communication_plan.as_deref().map(str::to_owned),
            ..CarrierLine::default()
        }
    }
}

/// The present values of a device assignment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LineAssignment {
    /// Rev customer; none for AMOP customers and for unassigned lines.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Site; none for unassigned lines.
    pub site_id: Option<SiteId>,
    /// With which account number and authentication go together.
    pub integration_authentication_id: Option<IntegrationAuthenticationId>,
    /// Whether the assignment is in force.
    pub is_active: bool,
    /// Customer rate plan.
    pub plan: Option<CustomerRatePlanId>,
    /// Customer rate pool.
    pub pool: Option<CustomerRatePoolId>,
    /// Data allocation in MB.
    pub allocation_mb: Option<Decimal>,
    /// The most that the line's plan allows; none: no bound, or no plan.
    pub plan_allocation_bound_mb: Option<Decimal>,
}

/// Which change holds a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The change.
    pub bulk_change_id: BulkChangeId,
    /// Whether it ended without anybody knowing what it did outside.
    pub outcome_unknown: bool,
}

/// The effects that exclude each other on one line (rule 6), as bits of `device_change.holds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holds(pub i64);

impl Holds {
    /// Nothing held.
    pub const NONE: Self = Self(0);
    /// Customer and plan: types 1 and 4.
    pub const CUSTOMER_AND_PLAN: Self = Self(1);
    /// Carrier: types 2, 3, 7 and 1 with a carrier plan.
    pub const CARRIER: Self = Self(2);
    /// Set beside the others once nobody knows what the change did outside.
    pub const OUTCOME_UNKNOWN: Self = Self(4);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of another are among these.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
