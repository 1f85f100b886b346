//! Orders as they were stored.

use chrono_tz::Tz;
use lineshift_domain::order::{
    RevCharge, RevProductOrder, Setting, StoredAssignment, StoredCarrierRatePlan, StoredOrder, StoredPlan, StoredRevService,
    StoredStatus,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MomentView;

/// What was ordered, with what was derived at submission (B4.8). Exactly one field is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView {
    /// A customer assignment.
    pub assignment: Option<AssignmentView>,
    /// A customer rate plan change.
    pub customer_rate_plan: Option<PlanView>,
    /// A carrier rate plan change.
    #[serde(default)]
    pub carrier_rate_plan: Option<OrderedCarrierRatePlanView>,
    /// A status update.
    #[serde(default)]
    pub status: Option<OrderedStatusView>,
}

/// The carrier's plans that lines are moved to; at least one is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderedCarrierRatePlan)]
pub struct OrderedCarrierRatePlanView {
    /// The rate plan's code.
    pub carrier_rate_plan: Option<String>,
    /// The communication plan's name.
    pub comm_plan: Option<String>,
    /// From when on the carrier does it. Null: now.
    pub effective_date: Option<MomentView>,
}

/// The carrier's status that lines are moved to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderedStatus)]
pub struct OrderedStatusView {
    /// As the carrier writes it.
    pub target_status: String,
    /// The carrier's reason code.
    pub reason_code: Option<String>,
}

/// A customer assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderedAssignment)]
pub struct AssignmentView {
    /// Null: the customer is a site (AMOP path).
    pub rev_customer_id: Option<i64>,
    /// Site.
    pub site_id: i64,
    /// The Rev customer's id as text.
    pub account_number: Option<String>,
    /// The customer's.
    pub integration_authentication_id: Option<i64>,
    /// Null: each line is dated by its activation.
    pub effective_date: Option<MomentView>,
    /// The plan part.
    pub customer_rate_plan: Option<PlanView>,
    /// The Rev service that is found or created.
    #[serde(default)]
    pub rev_service: Option<OrderedRevServiceView>,
    /// The carrier plans that the line is moved to.
    #[serde(default)]
    pub carrier_rate_plan: Option<OrderedCarrierRatePlanView>,
    /// What becomes of a line whose Rev service fails: `skip` or `continue`.
    #[serde(default)]
    pub on_rev_service_failure: String,
    /// `keep` or `compensate`.
    pub on_partial_failure: String,
}

/// A Rev service; exactly one of package and products is set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderedRevService)]
pub struct OrderedRevServiceView {
    /// Rev.io's service type.
    pub service_type_id: i64,
    /// Rev.io's provider.
    pub provider_id: i64,
    /// Rev.io's package, which brings its own products.
    pub package_id: Option<i64>,
    /// Rev.io's products.
    pub products: Option<Vec<OrderedProductView>>,
    /// Rev.io's usage plan group.
    pub usage_plan_group_id: Option<i64>,
    /// Whether Rev.io prorates; only then is the effective date sent.
    pub prorate: bool,
    /// Shown on the bill.
    pub description: Option<String>,
}

/// A product on a Rev service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderedProduct)]
pub struct OrderedProductView {
    /// Rev.io's product.
    pub product_id: i64,
    /// Money a month.
    pub rate: Decimal,
    /// How many.
    pub quantity: Decimal,
}

/// Plan, pool and allocation: null keeps the present value, 0 clears it (B8.4, B8.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OrderedPlan)]
pub struct PlanView {
    /// Customer rate plan.
    pub customer_rate_plan_id: Option<i64>,
    /// Customer rate pool.
    pub customer_rate_pool_id: Option<i64>,
    /// Data allocation in MB.
    pub customer_data_allocation_mb: Option<Decimal>,
    /// Null: now.
    pub effective_date: Option<MomentView>,
    /// Whether it goes through the plan queue.
    pub queued: bool,
    /// Whether open entries of the line are canceled.
    pub replace_scheduled: bool,
}

/// A setting as orders write it: null keeps, 0 clears.
pub(crate) fn written<T>(setting: Setting<T>, zero: T) -> Option<T> {
    match setting {
        Setting::Keep => None,
        Setting::Clear => Some(zero),
        Setting::Set(value) => Some(value),
    }
}

/// A setting of an id.
pub(crate) fn written_id<T>(setting: Setting<T>, id: impl FnOnce(T) -> i64) -> Option<i64> {
    match setting {
        Setting::Keep => None,
        Setting::Clear => Some(0),
        Setting::Set(value) => Some(id(value)),
    }
}

impl OrderView {
    pub(crate) fn of(order: &StoredOrder, zone: Tz) -> Self {
        let none = Self { assignment: None, customer_rate_plan: None, carrier_rate_plan: None, status: None };
        match order {
            StoredOrder::CustomerAssignment(assignment) => {
                Self { assignment: Some(AssignmentView::of(assignment, zone)), ..none }
            }
            StoredOrder::CustomerRatePlanChange(plan) => Self { customer_rate_plan: Some(PlanView::of(plan, zone)), ..none },
            StoredOrder::CarrierRatePlanChange(plan) => {
                Self { carrier_rate_plan: Some(OrderedCarrierRatePlanView::of(plan, zone)), ..none }
            }
            StoredOrder::StatusUpdate(status) => Self { status: Some(OrderedStatusView::of(status)), ..none },
        }
    }
}

impl OrderedCarrierRatePlanView {
    fn of(plan: &StoredCarrierRatePlan, zone: Tz) -> Self {
        Self {
            carrier_rate_plan: plan.carrier_rate_plan.clone(),
            comm_plan: plan.comm_plan.clone(),
            effective_date: plan.effective_at.map(|at| MomentView::new(at, zone)),
        }
    }
}

impl OrderedStatusView {
    fn of(status: &StoredStatus) -> Self {
        Self { target_status: status.target_status.clone(), reason_code: status.reason_code.clone() }
    }
}

impl AssignmentView {
    fn of(assignment: &StoredAssignment, zone: Tz) -> Self {
        Self {
            rev_customer_id: assignment.rev_customer_id.map(|id| id.0),
            site_id: assignment.site_id.0,
            account_number: assignment.account_number.clone(),
            integration_authentication_id: assignment.integration_authentication_id.map(|id| id.0),
            effective_date: assignment.effective_at.map(|at| MomentView::new(at, zone)),
            customer_rate_plan: assignment.customer_rate_plan.as_ref().map(|plan| PlanView::of(plan, zone)),
            rev_service: assignment.rev_service.as_ref().map(OrderedRevServiceView::of),
            carrier_rate_plan: assignment.carrier_rate_plan.as_ref().map(|plan| OrderedCarrierRatePlanView::of(plan, zone)),
            on_rev_service_failure: assignment.on_rev_service_failure.to_string(),
            on_partial_failure: assignment.on_partial_failure.to_string(),
        }
    }
}

impl OrderedRevServiceView {
    fn of(service: &StoredRevService) -> Self {
        let product = |product: &RevProductOrder| OrderedProductView {
            product_id: product.product_id,
            rate: product.rate,
            quantity: product.quantity,
        };
        let (package_id, products) = match &service.charge {
            RevCharge::Package(package) => (Some(*package), None),
            RevCharge::Products(products) => (None, Some(products.iter().map(product).collect())),
        };
        Self {
            service_type_id: service.service_type_id,
            provider_id: service.provider_id,
            package_id,
            products,
            usage_plan_group_id: service.usage_plan_group_id,
            prorate: service.prorate,
            description: service.description.clone(),
        }
    }
}

impl PlanView {
    fn of(plan: &StoredPlan, zone: Tz) -> Self {
        Self {
            customer_rate_plan_id: written_id(plan.values.plan, |id| id.0),
            customer_rate_pool_id: written_id(plan.values.pool, |id| id.0),
            customer_data_allocation_mb: written(plan.values.allocation_mb, Decimal::ZERO),
            effective_date: plan.effective_at.map(|at| MomentView::new(at, zone)),
            queued: plan.queued,
            replace_scheduled: plan.replace_scheduled,
        }
    }
}
