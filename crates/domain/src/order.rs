//! Orders: what a caller asks for, read (`Order`), and what is stored of it once judged (`StoredOrder`).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::carrier::CarrierChange;
use crate::ids::{CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId};
use crate::lines::LineList;
use crate::terms::{ChangeRequestType, LineIdentifier, OnPartialFailure, OnRevServiceFailure, PortalType};

/// One order as it was read: of the right form, nothing looked up yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The form of the body it was read from.
    pub form: BodyForm,
    /// The portal it came through.
    pub portal: PortalType,
    /// The carrier account whose lines it names.
    pub service_provider_id: ServiceProviderId,
    /// By what the lines are named.
    pub identifier: LineIdentifier,
    /// The lines, as written, in the order of the request.
    pub lines: LineList,
    /// Whether work starts at once (B10.1 starts it later).
    pub process_changes: bool,
    /// What people call this change.
    pub name: Option<String>,
    /// Why it was ordered.
    pub reason: Option<String>,
    /// What it asks for.
    pub effect: Effect,
}

impl Order {
    /// Where a field of the order's effect stands in the body, for problems found with it later.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        let inside = match (self.form, &self.effect) {
            (BodyForm::AssociateCustomer, _) => return name.to_owned(),
            (BodyForm::BulkChange, Effect::CustomerAssignment(_)) => "AssociateCustomerRequest",
            (BodyForm::BulkChange, Effect::CustomerRatePlanChange(_)) => "CustomerRatePlanUpdate",
            (BodyForm::BulkChange, Effect::CarrierRatePlanChange(_)) => "CarrierRatePlanUpdate",
            (BodyForm::BulkChange, Effect::StatusUpdate(_)) => "StatusUpdate",
            (BodyForm::BulkChange, Effect::NewServiceActivation(_)) => "NewServiceActivation",
        };
        format!("{inside}.{name}")
    }

    /// The type's number and name.
    #[must_use]
    pub const fn change_type(&self) -> ChangeRequestType {
        match self.effect {
            Effect::CustomerAssignment(_) => ChangeRequestType::CustomerAssignment,
            Effect::CustomerRatePlanChange(_) => ChangeRequestType::CustomerRatePlanChange,
            Effect::CarrierRatePlanChange(_) => ChangeRequestType::CarrierRatePlanChange,
            Effect::StatusUpdate(_) => ChangeRequestType::StatusUpdate,
            Effect::NewServiceActivation(_) => ChangeRequestType::NewServiceActivation,
        }
    }
}

/// The forms of body that an order comes in: they differ in where its fields stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// `POST /{portal}/AssociateCustomer` (B4.2).
    AssociateCustomer,
    /// `POST /{portal}/BulkChange` (B4.3).
    BulkChange,
}

/// What an order asks for, by type.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// B4.2.
    CustomerAssignment(AssignmentOrder),
    /// B4.3 `CustomerRatePlanUpdate`.
    CustomerRatePlanChange(CustomerRatePlanOrder),
    /// B4.3 `CarrierRatePlanUpdate`.
    CarrierRatePlanChange(CarrierRatePlanOrder),
    /// B4.3 `StatusUpdate`.
    StatusUpdate(StatusOrder),
    /// B9.3.
    NewServiceActivation(Box<ActivationOrder>),
}

/// A customer assignment (B4.2).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AssignmentOrder {
    /// None selects the AMOP path (B6.1).
    pub rev_customer_id: Option<RevCustomerId>,
    /// AMOP path: required. Rev path: one of the customer's, or its first active one.
    pub site_id: Option<SiteId>,
    /// If given, it must be the customer's.
    pub integration_authentication_id: Option<IntegrationAuthenticationId>,
    /// `CreateRevService` and its fields.
    pub rev_service: Option<RevServiceOrder>,
    /// `AddCarrierRatePlan` and its fields.
    pub carrier_rate_plan: Option<CarrierRatePlanOrder>,
    /// `AddCustomerRatePlan` and its fields.
    pub customer_rate_plan: Option<PlanValues>,
    /// When it takes effect (B6.4 to B6.6).
    pub effective_date: Option<EffectiveDate>,
    /// Whether the line's open plan queue entries are canceled (B8.2).
    pub replace_scheduled: bool,
    /// B6.2.
    pub on_rev_service_failure: OnRevServiceFailure,
    /// B6.3.
    pub on_partial_failure: OnPartialFailure,
}

/// The billing service to find or create (B4.2, B7.2).
#[derive(Debug, Clone, PartialEq)]
pub struct RevServiceOrder {
    /// Rev.io's service type.
    pub service_type_id: i64,
    /// Rev.io's provider.
    pub provider_id: i64,
    /// A package or products, never both.
    pub charge: RevCharge,
    /// Rev.io's usage plan group.
    pub usage_plan_group_id: Option<i64>,
    /// Whether Rev.io prorates; only then is the effective date sent (B6.5).
    pub prorate: bool,
    /// Shown on the bill.
    pub description: Option<String>,
}

/// What is charged on a Rev service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevCharge {
    /// A package, which brings its own products.
    Package(i64),
    /// At least one product, each product id once.
    Products(Vec<RevProductOrder>),
}

/// One product on a Rev service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RevProductOrder {
    /// Rev.io's product.
    pub product_id: i64,
    /// Money a month.
    pub rate: Decimal,
    /// How many.
    pub quantity: Decimal,
}

/// A customer rate plan change on its own (B4.3).
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerRatePlanOrder {
    /// What changes.
    pub values: PlanValues,
    /// Blank means now (B8.1).
    pub effective_date: Option<EffectiveDate>,
    /// Whether the line's open plan queue entries are canceled (B8.2).
    pub replace_scheduled: bool,
}

/// Plan, pool and allocation as ordered: `Keep` where the field was null, `Clear` where it was 0 (B8.4, B8.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanValues {
    /// Customer rate plan.
    pub plan: Setting<CustomerRatePlanId>,
    /// Customer rate pool.
    pub pool: Setting<CustomerRatePoolId>,
    /// Data allocation in MB.
    pub allocation_mb: Setting<Decimal>,
}

impl PlanValues {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.plan == Setting::Keep && self.pool == Setting::Keep && self.allocation_mb == Setting::Keep
    }
}

/// What an order says about one value of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting<T> {
    /// As it is.
    #[default]
    Keep,
    /// None from now on.
    Clear,
    /// This from now on.
    Set(T),
}

impl<T: Copy + PartialEq> Setting<T> {
    /// What the line has after this was applied.
    #[must_use]
    pub fn applied_to(self, present: Option<T>) -> Option<T> {
        match self {
            Self::Keep => present,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The value to set, if there is one.
    #[must_use]
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

/// A carrier rate plan change, on its own or inside an assignment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CarrierRatePlanOrder {
    /// The carrier's name of the plan.
    pub carrier_rate_plan: Option<String>,
    /// The carrier's communication plan.
    pub comm_plan: Option<String>,
    /// Passed on where the carrier has a date of its own.
    pub effective_date: Option<EffectiveDate>,
}

/// A status update (B9.2).
#[derive(Debug, Clone, PartialEq)]
pub struct StatusOrder {
    /// The carrier's name of the status.
    pub target_status: String,
    /// The carrier's reason code.
    pub reason_code: Option<String>,
}

/// A new service activation (B9.3).
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationOrder {
    /// The billing account at the carrier.
    pub billing_account: String,
    /// The new lines; `Order::lines` holds their ICCIDs in the same order.
    pub lines: Vec<ActivationLine>,
    /// The carrier's plan code.
    pub rate_plan_code: String,
    /// The carrier's offering codes.
    pub offering_codes: Vec<String>,
    /// Subscriber.
    pub first_name: String,
    /// Subscriber.
    pub last_name: String,
    /// Plan to set once active.
    pub customer_rate_plan: Option<CustomerRatePlanOrder>,
    /// Static IP to ask for once active.
    pub static_ip: Option<String>,
    /// Assignment to do once active.
    pub assignment: Option<AssignmentOrder>,
}

/// One line to activate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivationLine {
    /// The SIM card.
    pub iccid: String,
    /// The hardware.
    pub imei: String,
    /// Where it is used.
    pub service_zip_code: String,
}

/// A date as it was given (B6.6): a day means its start in the tenant's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectiveDate {
    /// A day without time or offset.
    Day(chrono::NaiveDate),
    /// A local time without offset, in the tenant's zone.
    Local(chrono::NaiveDateTime),
    /// A moment.
    Instant(DateTime<Utc>),
}

/// The order once, as stored with its bulk change: what was asked and what was derived at submission (B4.8).
///
/// Serialised into `device_bulk_change.order_json`; fields are only ever added, with a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
#[expect(clippy::large_enum_variant, reason = "there is one of them for a bulk change, never a list")]
pub enum StoredOrder {
    /// A customer assignment.
    CustomerAssignment(StoredAssignment),
    /// A customer rate plan change.
    CustomerRatePlanChange(StoredPlan),
    /// A carrier rate plan change.
    CarrierRatePlanChange(StoredCarrierRatePlan),
    /// A status update.
    StatusUpdate(StoredStatus),
}

/// Carrier plans with what was derived for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCarrierRatePlan {
    /// The plan's code, by which the carrier takes it.
    pub carrier_rate_plan: Option<String>,
    /// The communication plan's name.
    pub comm_plan: Option<String>,
    /// The date, where it lay ahead at submission: passed on to the carrier (B6.5). None: now.
    pub effective_at: Option<DateTime<Utc>>,
    /// The service provider's account, which is called.
    pub integration_authentication_id: IntegrationAuthenticationId,
}

/// A status with what was derived for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredStatus {
    /// As the carrier writes it.
    pub target_status: String,
    /// The carrier's reason code.
    pub reason_code: Option<String>,
    /// The service provider's account, which is called.
    pub integration_authentication_id: IntegrationAuthenticationId,
}

/// An assignment with what was derived for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredAssignment {
    /// None on the AMOP path.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Given, or the customer's first active site by id.
    pub site_id: SiteId,
    /// The Rev customer's id as text; none on the AMOP path.
    pub account_number: Option<String>,
    /// The customer's; none on the AMOP path.
    pub integration_authentication_id: Option<IntegrationAuthenticationId>,
    /// The date as given, resolved in the tenant's zone; none: dated by each line's activation (B6.4).
    pub effective_at: Option<DateTime<Utc>>,
    /// The plan part.
    pub customer_rate_plan: Option<StoredPlan>,
    /// The billing service to find or create.
    #[serde(default)]
    pub rev_service: Option<StoredRevService>,
    /// The carrier plans to move the line to.
    #[serde(default)]
    pub carrier_rate_plan: Option<StoredCarrierRatePlan>,
    /// B6.2.
    #[serde(default)]
    pub on_rev_service_failure: OnRevServiceFailure,
    /// B6.3.
    pub on_partial_failure: OnPartialFailure,
}

/// The billing service of an assignment with what was derived for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredRevService {
    /// Rev.io's service type.
    pub service_type_id: i64,
    /// Rev.io's provider.
    pub provider_id: i64,
    /// A package or products, never both.
    pub charge: RevCharge,
    /// Rev.io's usage plan group.
    pub usage_plan_group_id: Option<i64>,
    /// Whether Rev.io prorates; only then is the effective date sent (B6.5).
    pub prorate: bool,
    /// Shown on the bill.
    pub description: Option<String>,
}

/// Plan, pool and allocation with what was derived for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredPlan {
    /// The allocation is the plan's default where a new plan was ordered without one (B8.5).
    pub values: PlanValues,
    /// The date as given, resolved in the tenant's zone.
    pub effective_at: Option<DateTime<Utc>>,
    /// Whether the date lay ahead at submission, so that the plan queue applies it (B8.1, B8.2).
    pub queued: bool,
    /// B8.2.
    pub replace_scheduled: bool,
}

impl StoredOrder {
    /// The type's number and name.
    #[must_use]
    pub const fn change_type(&self) -> ChangeRequestType {
        match self {
            Self::CustomerAssignment(_) => ChangeRequestType::CustomerAssignment,
            Self::CustomerRatePlanChange(_) => ChangeRequestType::CustomerRatePlanChange,
            Self::CarrierRatePlanChange(_) => ChangeRequestType::CarrierRatePlanChange,
            Self::StatusUpdate(_) => ChangeRequestType::StatusUpdate,
        }
    }

    /// The plan part, whichever order it stands in.
    #[must_use]
    pub const fn plan(&self) -> Option<&StoredPlan> {
        match self {
            Self::CustomerAssignment(assignment) => assignment.customer_rate_plan.as_ref(),
            Self::CustomerRatePlanChange(plan) => Some(plan),
            Self::CarrierRatePlanChange(_) | Self::StatusUpdate(_) => None,
        }
    }

    /// The billing service to find or create.
    #[must_use]
    pub fn rev_service(&self) -> Option<&StoredRevService> {
        self.assignment()?.rev_service.as_ref()
    }

    /// The billing account that is called for it; none: no billing system is.
    #[must_use]
    pub fn billing_account(&self) -> Option<IntegrationAuthenticationId> {
        self.assignment().filter(|assignment| assignment.rev_service.is_some())?.integration_authentication_id
    }

    /// The carrier's account that is called for it; none: no carrier is.
    #[must_use]
    pub fn carrier_account(&self) -> Option<IntegrationAuthenticationId> {
        match self {
            Self::CustomerAssignment(assignment) => {
                assignment.carrier_rate_plan.as_ref().map(|plan| plan.integration_authentication_id)
            }
            Self::CustomerRatePlanChange(_) => None,
            Self::CarrierRatePlanChange(plan) => Some(plan.integration_authentication_id),
            Self::StatusUpdate(status) => Some(status.integration_authentication_id),
        }
    }

    /// Whether its pages call anybody outside.
    #[must_use]
    pub fn calls_outside(&self) -> bool {
        self.billing_account().is_some() || self.carrier_account().is_some()
    }

    /// The carrier rate plan that each line is moved to, by its code; none: the order names none. It has to be active when a page that
    /// moves lines is run, as it had to be when it was ordered (B5.3), also where the move is dated ahead: it is passed on at once.
    #[must_use]
    pub fn carrier_rate_plan(&self) -> Option<&str> {
        let plan = match self {
            Self::CustomerAssignment(assignment) => assignment.carrier_rate_plan.as_ref()?,
            Self::CarrierRatePlanChange(plan) => plan,
            Self::CustomerRatePlanChange(_) | Self::StatusUpdate(_) => return None,
        };
        plan.carrier_rate_plan.as_deref()
    }

    /// What is asked of the carrier for each line.
    #[must_use]
    pub fn carrier_change(&self) -> Option<CarrierChange> {
        let rate_plan = |plan: &StoredCarrierRatePlan| CarrierChange::RatePlan {
            rate_plan: plan.carrier_rate_plan.clone(),
            comm_plan: plan.comm_plan.clone(),
            effective_at: plan.effective_at,
        };
        match self {
            Self::CustomerAssignment(assignment) => assignment.carrier_rate_plan.as_ref().map(rate_plan),
            Self::CustomerRatePlanChange(_) => None,
            Self::CarrierRatePlanChange(plan) => Some(rate_plan(plan)),
            Self::StatusUpdate(status) => {
                Some(CarrierChange::Status { status: status.target_status.clone(), reason_code: status.reason_code.clone() })
            }
        }
    }

    /// The assignment part.
    #[must_use]
    pub const fn assignment(&self) -> Option<&StoredAssignment> {
        match self {
            Self::CustomerAssignment(assignment) => Some(assignment),
            Self::CustomerRatePlanChange(_) | Self::CarrierRatePlanChange(_) | Self::StatusUpdate(_) => None,
        }
    }
}
