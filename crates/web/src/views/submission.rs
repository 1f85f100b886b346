//! Orders and what is answered to them, in the former system's PascalCase (B4.1 to B4.3, B4.7).
//!
//! The requests here describe the bodies for the OpenAPI document and for clients; they are read by the domain, which
//! matches names without regard to case and says every problem at once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A customer assignment (B4.2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
#[schema(example = json!({"ServiceProviderId": 1, "Devices": ["89012602101234567890"], "RevCustomerId": "", "SiteId": 7}))]
pub struct AssociateCustomerRequest {
    /// Carrier account whose lines are named. Required, here or beside `ChangeType`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_provider_id: Option<i64>,
    /// ICCIDs; M2M and Mobility.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<String>>,
    /// Subscriber numbers; LNP and Mobility.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Vec<String>>,
    /// Digits; empty or absent: the customer is a site (AMOP path).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev_customer_id: Option<String>,
    /// Required without `RevCustomerId`; else one of the customer's, by default its first active one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_id: Option<i64>,
    /// Whether a Rev service is found or created for each line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_rev_service: Option<bool>,
    /// With `CreateRevService`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_type_id: Option<i64>,
    /// With `CreateRevService`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<i64>,
    /// With `CreateRevService`: this or `RevProducts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev_package_id: Option<i64>,
    /// With `CreateRevService`: these or `RevPackageId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev_products: Option<Vec<RevProductRequest>>,
    /// With `CreateRevService`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_plan_group_id: Option<i64>,
    /// With `CreateRevService`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prorate: Option<bool>,
    /// With `CreateRevService`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether each line is moved to another plan at its carrier too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_carrier_rate_plan: Option<bool>,
    /// With `AddCarrierRatePlan`: the carrier's rate plan, by code or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_rate_plan: Option<String>,
    /// With `AddCarrierRatePlan`: the carrier's communication plan, where it has such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comm_plan: Option<String>,
    /// Whether plan, pool or allocation are set too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_customer_rate_plan: Option<bool>,
    /// With `AddCustomerRatePlan`: null keeps, 0 clears.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_rate_plan: Option<i64>,
    /// With `AddCustomerRatePlan`: null keeps, 0 clears.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_rate_pool: Option<i64>,
    /// With `AddCustomerRatePlan`: null keeps or takes the new plan's default, 0 clears.
    #[serde(rename = "CustomerDataAllocationMB", skip_serializing_if = "Option::is_none")]
    pub customer_data_allocation_mb: Option<f64>,
    /// ISO 8601; absent: now, dated by each line's activation. Later: the customer moves now, the plan is queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_date: Option<String>,
    /// Whether open plan queue entries of the lines are canceled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_scheduled: Option<bool>,
    /// Derived from the customer; if given it must be that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration_authentication_id: Option<i64>,
    /// False: it stays NEW until it is started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(default = true)]
    pub process_changes: Option<bool>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `skip` or `continue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(default = "skip")]
    pub on_rev_service_failure: Option<String>,
    /// `keep` or `compensate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(default = "keep")]
    pub on_partial_failure: Option<String>,
}

/// One product of a Rev service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RevProductRequest {
    /// Rev.io's product.
    pub product_id: i64,
    /// Money a month.
    pub rate: f64,
    /// How many.
    pub quantity: f64,
}

/// A bulk change of any type (B4.3). Exactly the part that goes with `ChangeType` is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
#[schema(example = json!({
    "ServiceProviderId": 1, "ChangeType": 4, "Devices": ["89012602101234567890"],
    "CustomerRatePlanUpdate": {"CustomerRatePlanId": 3, "EffectiveDate": "2026-12-01"}
}))]
pub struct BulkChangeRequest {
    /// Carrier account whose lines are named.
    pub service_provider_id: i64,
    /// 1 CustomerAssignment, 2 StatusUpdate, 4 CustomerRatePlanChange, 7 CarrierRatePlanChange; 3 is not available yet.
    pub change_type: i64,
    /// False: it stays NEW until it is started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_changes: Option<bool>,
    /// ICCIDs; M2M and Mobility.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<Vec<String>>,
    /// Subscriber numbers; LNP and Mobility.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Vec<String>>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// With `ChangeType` 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associate_customer_request: Option<AssociateCustomerRequest>,
    /// With `ChangeType` 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_rate_plan_update: Option<CustomerRatePlanUpdate>,
    /// With `ChangeType` 7: the carrier's rate plan changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_rate_plan_update: Option<CarrierRatePlanUpdate>,
    /// With `ChangeType` 2: the carrier's status changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_update: Option<StatusUpdate>,
}

/// Other plans at the carrier; at least one is given (B4.3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
#[schema(example = json!({"CarrierRatePlan": "Tracker", "EffectiveDate": "2026-12-01"}))]
pub struct CarrierRatePlanUpdate {
    /// The carrier's rate plan of the service provider, by code or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_rate_plan: Option<String>,
    /// The carrier's communication plan; refused where the carrier has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comm_plan: Option<String>,
    /// ISO 8601; absent or not after now: now. A later one is passed on to the carrier, and refused where it takes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_date: Option<String>,
}

/// Another status at the carrier (B9.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
#[schema(example = json!({"TargetStatus": "DEACTIVATED"}))]
pub struct StatusUpdate {
    /// The carrier's name of the status, whatever its case.
    pub target_status: String,
    /// The carrier's reason code; refused where it takes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
}

/// Another customer rate plan, pool or allocation: null keeps, 0 clears (B8.4, B8.5).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct CustomerRatePlanUpdate {
    /// Customer rate plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_rate_plan_id: Option<i64>,
    /// Data allocation in MB; null with a new plan takes that plan's default.
    #[serde(rename = "CustomerDataAllocationMB", skip_serializing_if = "Option::is_none")]
    pub customer_data_allocation_mb: Option<f64>,
    /// Customer rate pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_pool_id: Option<i64>,
    /// ISO 8601; absent or not after now: now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_date: Option<String>,
    /// Whether open plan queue entries of the lines are canceled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_scheduled: Option<bool>,
}

/// The answer to a stored order (B4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = Submitted, example = json!({"Success": true, "BulkChangeId": 12, "Accepted": 998, "Rejected": 2, "Duplicates": 0}))]
pub struct SubmittedView {
    /// Always true.
    pub success: bool,
    /// The bulk change; `Location` has its address.
    pub bulk_change_id: i64,
    /// Lines accepted.
    pub accepted: i64,
    /// Lines refused; each has its row in ERROR.
    pub rejected: i64,
    /// Repeated mentions of lines.
    pub duplicates: i64,
}

/// What an order would do, line by line; nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = Validation)]
pub struct ValidationView {
    /// Always true.
    pub success: bool,
    /// Lines that would be accepted, those that stand as asked included.
    pub accepted: i64,
    /// Lines that would be refused.
    pub rejected: i64,
    /// Repeated mentions of lines.
    pub duplicates: i64,
    /// Each line once, in the order of the request.
    pub devices: Vec<ValidatedLineView>,
}

/// What would happen with one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = ValidatedLine)]
pub struct ValidatedLineView {
    /// Its first place in the request, from 0.
    pub position: u32,
    /// The line as it was written.
    pub line: String,
    /// `accepted`, `already_so` or `rejected`.
    pub verdict: String,
    /// Kind of the refusal.
    pub error_kind: Option<String>,
    /// Code of the refusal.
    pub code: Option<String>,
    /// Why it would be refused.
    pub message: Option<String>,
}
