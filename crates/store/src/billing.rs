//! Billing: accounts, the windows of their calls, the steps that call outside, and what is billed.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{
    BulkChangeId, DeviceChangeId, DeviceId, IntegrationAuthenticationId, PrincipalId, RevCustomerId, RevServiceId,
    RevServiceProductId, TenantId,
};
use lineshift_domain::log_text::LogTitle;
use lineshift_domain::places::{PlacesAsked, PlacesLeased};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{IntegrationKind, PortalType, ServiceProductStatus, Step, StepState};
use rust_decimal::Decimal;

use crate::Result;
use crate::paging::Listed;
use crate::work::PageClaim;

/// An account with all that is needed to call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationAccount {
    /// Id.
    pub id: IntegrationAuthenticationId,
    /// Name, unique per tenant.
    pub name: String,
    /// The system it opens.
    pub integration_kind: IntegrationKind,
    /// Whether it may be used.
    pub is_active: bool,
    /// Whether it may be written to.
    pub write_enabled: bool,
    /// Whether calls may go without TLS (B7.5).
    pub is_local: bool,
    /// Where it is called.
    pub base_address: Option<String>,
    /// The credentials, sealed; none were stored yet.
    pub secret_encrypted: Option<Vec<u8>>,
    /// Rises with every change of address, credentials and limits: what was built from an earlier one is stale.
    pub version: i64,
    /// Since when its credentials are refused.
    pub refused_at: Option<DateTime<Utc>>,
    /// What the other side said then.
    pub refused_text: Option<String>,
    /// Calls at a time; none: the configured default.
    pub concurrency: Option<u32>,
    /// Calls a minute; none: the configured default.
    pub calls_a_minute: Option<u32>,
    /// Calls a day; none: the configured default.
    pub calls_a_day: Option<u32>,
}

/// How an account is called from now on. Its refusal, if there was one, is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSettings {
    /// Where.
    pub base_address: String,
    /// The credentials, sealed; none keeps those that are stored.
    pub secret_encrypted: Option<Vec<u8>>,
    /// B7.5.
    pub is_local: bool,
    /// Whether it may be written to.
    pub write_enabled: bool,
    /// Calls at a time; none: the configured default.
    pub concurrency: Option<u32>,
    /// Calls a minute; none: the configured default.
    pub calls_a_minute: Option<u32>,
    /// Calls a day; none: the configured default.
    pub calls_a_day: Option<u32>,
}

/// How many calls an account allows in its sliding windows (B7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallWindows {
    /// In any 60 seconds.
    pub calls_a_minute: u32,
    /// In any 24 hours.
    pub calls_a_day: u32,
}

/// A window that has no call left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullWindow {
    /// That of the minute; it has room again at that moment.
    Minute(DateTime<Utc>),
    /// That of the day; it has room again at that moment.
    Day(DateTime<Utc>),
}

/// Calls taken out of an account's windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenCalls {
    /// How many of those wanted; they count as made.
    pub taken: u32,
    /// Why not all, and when there will be more.
    pub full: Option<FullWindow>,
}

/// How much of an account's windows is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallsMade {
    /// In the last 60 seconds.
    pub in_minute: i64,
    /// In the last 24 hours.
    pub in_day: i64,
}

/// One part of a step that calls outside, for one device change. Of `rev_service`, part 0 is the service and part n the n-th
/// product of the order; of `carrier_rate_plan` and `carrier_status`, a part is an act at the carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// The row.
    pub device_change_id: DeviceChangeId,
    /// The step.
    pub step: Step,
    /// The part.
    pub part: i64,
    /// Where it stands.
    pub state: StepState,
    /// The row's attempt in which it was written last.
    pub attempt: i64,
    /// Calls that change something, sent for it in that attempt.
    pub calls: i64,
    /// Which creating call the intent stands for: unique among all calls.
    pub request_key: Option<String>,
    /// The other side's id of what was created or found, or, of a part that waits, of the request that was accepted.
    pub external_id: Option<String>,
    /// Whether it was found rather than created, so that no undo may disconnect it (B7.2).
    pub adopted: bool,
    /// Why it failed, is unknown or stuck.
    pub code: Option<Code>,
    /// What it came to, for people.
    pub outcome: Option<String>,
    /// Since when nobody knows: the last moment at which a byte may have been sent (B7.3). It stays with an act at a carrier of which is
    /// known what it came to, when not each call for it was heard of: such a call may work late.
    pub unknown_since: Option<DateTime<Utc>>,
    /// When it was written last.
    pub at: DateTime<Utc>,
    /// Of an act at a carrier, the plans that the line had before the change.
    pub before: Option<PlansBefore>,
}

/// The carrier's plans of a line before a change, for its undo (B6.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlansBefore {
    /// Rate plan, by its code.
    pub rate_plan: Option<String>,
    /// Communication plan.
    pub comm_plan: Option<String>,
}

impl StepRecord {
    /// The other side's id where it is a number, as Rev.io's are.
    #[must_use]
    pub fn external_number(&self) -> Option<i64> {
        self.external_id.as_deref()?.parse().ok()
    }
}

/// A log entry of an outside call or of the store write after it (B11.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideLog {
    /// The row.
    pub device_change_id: DeviceChangeId,
    /// The row's attempt.
    pub attempt: i64,
    /// Its place among the row's entries of that attempt, from [`lineshift_domain::log_text::entry::OUTSIDE`]; what is written
    /// twice is one entry.
    pub entry: i64,
    /// One of the closed list, or what was done at a carrier.
    pub text: LogTitle,
    /// Masked: the action's text, a newline, the request.
    pub request: String,
    /// Masked.
    pub response: String,
    /// What went wrong, if something did.
    pub error: Option<String>,
}

/// A service as `usp_revservice_create_service` stores it: once, however often it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevServiceRow {
    /// Customer.
    pub rev_customer_id: RevCustomerId,
    /// Rev.io's id.
    pub rev_service_id: RevServiceId,
    /// The number billed.
    pub number: Option<String>,
    /// The line's ICCID.
    pub iccid: Option<String>,
    /// Rev.io's service type.
    pub rev_service_type_id: Option<i64>,
    /// Rev.io's provider.
    pub rev_provider_id: Option<i64>,
    /// Since when it is billed.
    pub activated_date: Option<NaiveDate>,
    /// Since when it is no longer billed.
    pub disconnected_date: Option<NaiveDate>,
    /// Whether a package is charged on it.
    pub has_package: bool,
    /// The line; none: found by ICCID, else number, among the tenant's lines.
    pub device_id: Option<DeviceId>,
    /// The row that created or adopted it, for the line's history (B11.2, service line).
    pub by: Option<DeviceChangeId>,
}

/// A service product as `usp_revservice_create_serviceproduct` stores it: once, however often it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevServiceProductRow {
    /// Customer.
    pub rev_customer_id: RevCustomerId,
    /// Rev.io's service id.
    pub rev_service_id: RevServiceId,
    /// Rev.io's id.
    pub rev_service_product_id: RevServiceProductId,
    /// Rev.io's product.
    pub rev_product_id: i64,
    /// The package that brought it.
    pub package_id: Option<i64>,
    /// Money a month.
    pub rate: Option<Decimal>,
    /// How many.
    pub quantity: Option<Decimal>,
    /// Status.
    pub status: ServiceProductStatus,
    /// Shown on the bill.
    pub description: Option<String>,
}

/// A service that was disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disconnected {
    /// Customer.
    pub rev_customer_id: RevCustomerId,
    /// Rev.io's id.
    pub rev_service_id: RevServiceId,
    /// From when on it is not billed.
    pub on: NaiveDate,
    /// The row whose undo it was, for the line's history.
    pub by: Option<DeviceChangeId>,
}

/// What a carrier confirmed of a line, to be stored and told in the line's history (B9.2, B11.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierLineWrite {
    /// The row whose change it was.
    pub by: DeviceChangeId,
    /// The row's line.
    pub device_id: DeviceId,
    /// What was done; what is not part of it is left as it is.
    pub action: CarrierWrite,
    /// Status; none leaves it as it is.
    pub status: Option<String>,
    /// Rate plan, by its code; none leaves it as it is. Empty: which one the line has is not known any more, so that no order finds it so
    /// already.
    pub rate_plan: Option<String>,
    /// Communication plan; none leaves it as it is.
    pub comm_plan: Option<String>,
}

/// What was done to a line at its carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CarrierWrite {
    /// Rate plan, communication plan or both were changed.
    RatePlan,
    /// The status was changed.
    Status,
    /// The plans were put back (B6.3).
    RatePlanUndone,
}

/// What a worker learned about steps, written together: many rows at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepBatch {
    /// Each replaces what was stored of its part.
    pub steps: Vec<StepRecord>,
    /// Services created or adopted.
    pub services: Vec<RevServiceRow>,
    /// Products created, adopted or brought by a package.
    pub products: Vec<RevServiceProductRow>,
    /// Services disconnected; their products are, too.
    pub disconnected: Vec<Disconnected>,
    /// Products disconnected alone.
    pub disconnected_products: Vec<(RevCustomerId, RevServiceProductId)>,
    /// What carriers confirmed of lines. Of one row and action that is given twice, what the last one says.
    pub carrier_lines: Vec<CarrierLineWrite>,
    /// Log entries.
    pub logs: Vec<OutsideLog>,
}

impl StepBatch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
            && self.services.is_empty()
            && self.products.is_empty()
            && self.disconnected.is_empty()
            && self.disconnected_products.is_empty()
            && self.carrier_lines.is_empty()
            && self.logs.is_empty()
    }

    /// Adds another batch behind this one.
    pub fn append(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.services.extend(other.services);
        self.products.extend(other.products);
        self.disconnected.extend(other.disconnected);
        self.disconnected_products.extend(other.disconnected_products);
        self.carrier_lines.extend(other.carrier_lines);
        self.logs.extend(other.logs);
    }
}

/// A step that a person must look at: stuck, or given up without knowing what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsettledStep {
    /// The change.
    pub bulk_change_id: BulkChangeId,
    /// The line, as it was named.
    pub line: String,
    /// What is known of it.
    pub record: StepRecord,
}

/// Whose unsettled steps to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsettledFilter {
    /// Of bulk changes in these portals.
    pub portals: Vec<PortalType>,
    /// Of bulk changes that this one ordered; none: whoever did.
    pub ordered_by: Option<PrincipalId>,
    /// Of lines within reach, as they stand now.
    pub reach: Reach,
}

impl UnsettledFilter {
    /// All of the tenant's.
    #[must_use]
    pub fn all() -> Self {
        Self { portals: PortalType::ALL.to_vec(), ordered_by: None, reach: Reach::Everything }
    }
}

/// How a person settles a step (B4.6 rule 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// It stands in the billing system, under that id where one is known, so that the line is billed; or at the carrier, which takes
    /// no id.
    Stands(Option<i64>),
    /// It does not stand there any more, or never did.
    Gone,
}

/// What whoever settles a row had looked at, so that they settle nothing else; what is none is not compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// The row's attempt.
    pub attempt: Option<i64>,
    /// When the latest of its steps was written.
    pub steps_at: Option<DateTime<Utc>>,
}

/// Accounts, their windows, and the steps that call outside.
#[async_trait]
pub trait BillingStore {
    /// An account with all that is needed to call it. Errors: `NotFound`.
    async fn get_account(&self, tenant: TenantId, id: IntegrationAuthenticationId) -> Result<IntegrationAccount>;
    /// Stores how an account is called, and wakes the rows that wait for it: what they waited for may be there now. Errors:
    /// `NotFound`.
    async fn set_account(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        settings: &AccountSettings,
        now: DateTime<Utc>,
    ) -> Result<()>;
    /// The same, if the account is still of the version that was seen. Errors: also `Conflict` when it is not.
    async fn set_account_as_seen(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        version: i64,
        settings: &AccountSettings,
        now: DateTime<Utc>,
    ) -> Result<()>;
    /// Takes note that the credentials of that version are refused (B5.3); a later version is left alone.
    async fn record_refused_credentials(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        version: i64,
        text: &str,
        now: DateTime<Utc>,
    ) -> Result<()>;
    /// Takes note that the credentials work (again).
    async fn record_working_credentials(&self, tenant: TenantId, id: IntegrationAuthenticationId) -> Result<()>;
    /// Takes calls out of the account's sliding windows (B7.4). Buckets are a second for the minute and a minute for the day, and count as
    /// long as any part of them lies within the window, so that the limits are never exceeded.
    async fn take_calls(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        wanted: u32,
        windows: CallWindows,
        now: DateTime<Utc>,
    ) -> Result<TakenCalls>;
    /// Leases places of an account to one process, or renews its lease: calls that it may have under way (B7.4, and
    /// [`lineshift_domain::places`]). In one transaction, under a lock of the account's row: those whose leases ran out are
    /// forgotten, and no more are given than all others leave. Errors: `NotFound`.
    async fn lease_places(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        holder: &str,
        asked: PlacesAsked,
        now: DateTime<Utc>,
    ) -> Result<PlacesLeased>;
    /// Gives a process's places back, and waits for none any more.
    async fn return_places(&self, tenant: TenantId, id: IntegrationAuthenticationId, holder: &str) -> Result<()>;
    /// How many calls the windows hold now.
    async fn count_calls(&self, tenant: TenantId, id: IntegrationAuthenticationId, now: DateTime<Utc>) -> Result<CallsMade>;

    /// Writes what a worker learned, under its claim: one transaction, whatever the number of rows. Errors: `LeaseLost` when
    /// another worker holds the page by now; then nothing was written.
    async fn record_steps(&self, claim: &PageClaim, batch: &StepBatch, now: DateTime<Utc>) -> Result<()>;
    /// Stores services created in or found at Rev.io; the same service twice is one row. Answers how many are new.
    async fn usp_revservice_create_service(&self, tenant: TenantId, rows: &[RevServiceRow], now: DateTime<Utc>) -> Result<u64>;
    /// Stores service products, likewise; one whose service is not stored is left out. Answers how many are new.
    async fn usp_revservice_create_serviceproduct(
        &self,
        tenant: TenantId,
        rows: &[RevServiceProductRow],
        now: DateTime<Utc>,
    ) -> Result<u64>;
    /// The parts of the steps of one row.
    async fn list_steps(&self, tenant: TenantId, row: DeviceChangeId) -> Result<Vec<StepRecord>>;
    /// The parts of the steps of many rows, in no order.
    async fn list_steps_of(&self, tenant: TenantId, rows: &[DeviceChangeId]) -> Result<Vec<StepRecord>>;
    /// The bulk change that a row belongs to. Errors: `NotFound`.
    async fn get_bulk_change_of(&self, tenant: TenantId, row: DeviceChangeId) -> Result<BulkChangeId>;
    /// Steps that a person must look at, the oldest rows first. `limit` counts rows: all steps of a row come together. Of a row
    /// that holds its line although each of its steps is known, those that are done.
    async fn list_unsettled_steps(
        &self,
        tenant: TenantId,
        filter: &UnsettledFilter,
        after: Option<DeviceChangeId>,
        limit: usize,
    ) -> Result<Listed<UnsettledStep, DeviceChangeId>>;
    /// Settles every unsettled part of a row that ended in ERROR, as a person says, with a log entry; the row lets go of its line. Errors:
    /// `NotFound`, `Conflict` when nothing of it is unsettled, it is open, or it is not any more what was looked at.
    async fn settle_steps(
        &self,
        tenant: TenantId,
        row: DeviceChangeId,
        settlement: &Settlement,
        looked: Looked,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<()>;
}
