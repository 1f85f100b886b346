//! Bulk changes: storing them, looking at them, starting, canceling and retrying them.

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::codes::{Code, ErrorKind};
use lineshift_domain::counts::{Counts, derive_status};
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId, PrincipalId, ServiceProviderId, TenantId};
use lineshift_domain::judge::Reason;
use lineshift_domain::order::StoredOrder;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{
    BulkChangeStatus, ChangeRequestType, DeviceChangeStatus, LineIdentifier, PlanQueueState, PortalType,
};

use crate::Result;
use crate::paging::Listed;
use crate::work::CalledAccounts;

/// Who orders something: the name that is stored, and the key whose rights are checked again later (B5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orderer {
    /// Stands in `created_by` and in the history.
    pub name: String,
    /// The key it came with.
    pub principal: PrincipalId,
}

/// A bulk change to store.
#[derive(Debug, Clone)]
pub struct NewBulkChange {
    /// The order with what was derived for it.
    pub order: StoredOrder,
    /// The portal it came through.
    pub portal: PortalType,
    /// The carrier account.
    pub service_provider_id: ServiceProviderId,
    /// By what lines are named.
    pub identifier: LineIdentifier,
    /// What people call it.
    pub name: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Who.
    pub orderer: Orderer,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Whether work starts at once.
    pub process_changes: bool,
    /// By which effects accepted rows hold their lines.
    pub holds: Holds,
    /// How many rows there will be.
    pub rows: usize,
    /// Lines that the request named more than once, counted without their first mention.
    pub duplicates: usize,
    /// Lines a page, and rows a transaction.
    pub page_lines: usize,
    /// The accounts that its pages call.
    pub accounts: CalledAccounts,
}

/// One row to store, in device order.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDeviceChange {
    /// Its place in the request, from 0.
    pub request_position: u32,
    /// The line as the request named it, cleaned where it is well-formed.
    pub line: String,
    /// The line and the version of its assignment, where it was found.
    pub device: Option<(DeviceId, i64)>,
    /// Why it was refused, if it was.
    pub refused: Option<Reason>,
}

/// The idempotency key under which a request came (B4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyClaim {
    /// The caller.
    pub caller: PrincipalId,
    /// The key.
    pub key: String,
    /// SHA-256 over route and body.
    pub body_hash: [u8; 32],
}

/// What a claim on an idempotency key came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotency {
    /// It is ours until the lease runs out: go on.
    Claimed,
    /// The same request was answered before: answer so again.
    Answered(String),
    /// The same request is still running.
    Running,
    /// The key was used with another request.
    OtherRequest,
}

/// What was stored by a finished submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBulkChange {
    /// Its id.
    pub id: BulkChangeId,
    /// Rows accepted.
    pub accepted: i64,
    /// Rows refused.
    pub rejected: i64,
}

/// The body that answers a submission (B4.7), kept for repeated requests (B4.5).
#[must_use]
pub fn answer(stored: &StoredBulkChange, duplicates: usize) -> String {
    format!(
        r#"{{"Success":true,"BulkChangeId":{},"Accepted":{},"Rejected":{},"Duplicates":{duplicates}}}"#,
        stored.id, stored.accepted, stored.rejected
    )
}

/// A bulk change, as people look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkChangeView {
    /// Id.
    pub id: BulkChangeId,
    /// Type.
    pub change_type: ChangeRequestType,
    /// Portal.
    pub portal: PortalType,
    /// Carrier account.
    pub service_provider_id: ServiceProviderId,
    /// By what lines were named.
    pub identifier: LineIdentifier,
    /// The order.
    pub order: StoredOrder,
    /// Name.
    pub name: Option<String>,
    /// Reason.
    pub reason: Option<String>,
    /// Who ordered it.
    pub created_by: String,
    /// The key it was ordered with.
    pub created_by_id: PrincipalId,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Whether rows still arrive.
    pub receiving: bool,
    /// Since when work may run; none: held back for a start.
    pub started_at: Option<DateTime<Utc>>,
    /// When the first page was claimed.
    pub begun_at: Option<DateTime<Utc>>,
    /// Since when it is canceled.
    pub canceled_at: Option<DateTime<Utc>>,
    /// When it was completed.
    pub processed_at: Option<DateTime<Utc>>,
    /// Its attempt, from 1; a retry raises it.
    pub attempt: i64,
    /// Row counts.
    pub counts: Counts,
    /// Rows refused at submission.
    pub rejected: i64,
    /// Repeated mentions of lines.
    pub duplicates: i64,
    /// Queue entries of this change that were refused when they fell due.
    pub scheduled_failed: i64,
}

impl BulkChangeView {
    /// The derived status (B2.1).
    #[must_use]
    pub const fn status(&self) -> BulkChangeStatus {
        derive_status(self.receiving, self.begun_at.is_some(), &self.counts)
    }

    /// Whether it waits for a start (B10.1).
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.started_at.is_none() && self.canceled_at.is_none()
    }
}

/// Which bulk changes of a portal to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkChangeFilter {
    /// Of this portal.
    pub portal: PortalType,
    /// Only those that stand so (B2.1).
    pub status: Option<BulkChangeStatus>,
    /// Only those that somebody of that name ordered.
    pub created_by: Option<String>,
    /// Only those that this principal ordered.
    pub ordered_by: Option<PrincipalId>,
}

/// One row of a bulk change, as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceChangeView {
    /// Id.
    pub id: DeviceChangeId,
    /// Place in the request, from 0.
    pub request_position: i64,
    /// The line, where it was found.
    pub device_id: Option<DeviceId>,
    /// The ICCID, as named or as the inventory has it.
    pub iccid: Option<String>,
    /// The number, as named or as the inventory has it.
    pub number: Option<String>,
    /// Status.
    pub status: DeviceChangeStatus,
    /// Kind of error.
    pub error_kind: Option<ErrorKind>,
    /// Code of error.
    pub error_code: Option<Code>,
    /// Text for people.
    pub status_details: Option<String>,
    /// When it became final.
    pub processed_at: Option<DateTime<Utc>>,
    /// Attempt.
    pub attempt: i64,
    /// When a row in PENDING is looked at next (B5.6).
    pub next_check_at: Option<DateTime<Utc>>,
}

/// How many rows of a bulk change wait for the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingCount {
    /// For what.
    pub code: Code,
    /// How many.
    pub rows: i64,
    /// When the first of them is looked at next.
    pub next_check_at: Option<DateTime<Utc>>,
}

/// Which rows of a bulk change to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceChangeFilter {
    /// Only these.
    pub status: Option<DeviceChangeStatus>,
    /// Only rows in ERROR with this code; implies ERROR.
    pub code: Option<Code>,
}

/// One log entry (B11.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The row; none: the change as a whole.
    pub device_change_id: Option<DeviceChangeId>,
    /// Attempt.
    pub attempt: i64,
    /// Which of the attempt's entries.
    pub entry: i64,
    /// Whose log it is.
    pub portal: PortalType,
    /// One of the closed list.
    pub description: String,
    /// The process.
    pub process_by: String,
    /// When.
    pub processed_at: DateTime<Utc>,
    /// The action's text, a newline, the request.
    pub request_text: Option<String>,
    /// What came back.
    pub response_text: Option<String>,
    /// What went wrong.
    pub error_text: Option<String>,
    /// Whether something went wrong.
    pub has_errors: bool,
    /// ERROR or PROCESSED.
    pub response_status: String,
}

/// The place of an entry in a bulk change's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogKey {
    /// The row, 0 for the change as a whole.
    pub device_change_id: i64,
    /// Attempt.
    pub attempt: i64,
    /// Entry.
    pub entry: i64,
}

/// What a retry opens again, and as what (B10.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reopening {
    /// Only rows with one of these codes; empty: all.
    pub codes: Vec<Code>,
    /// By which effects opened rows hold their lines.
    pub holds: Holds,
    /// The attempt that opened rows get.
    pub attempt: i64,
    /// Whether these are its first rows: then the change must have ended. Two who retry at once would otherwise open one page twice
    /// in one attempt, and what its first rows owe would be written twice.
    pub begins: bool,
    /// Who retries.
    pub by: Orderer,
    /// Until when the retry may go on; the change is not completed before, unless it says that it has finished.
    pub until: DateTime<Utc>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Bulk changes of a tenant.
#[async_trait]
pub trait BulkChangeStore {
    /// Claims an idempotency key until `running_until`. Keys first used before `kept_since` count as unused.
    async fn claim_idempotency_key(
        &self,
        tenant: TenantId,
        claim: &IdempotencyClaim,
        running_until: DateTime<Utc>,
        kept_since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Idempotency>;
    /// Forgets a claimed key after a refusal (B4.5: refusals are not kept).
    async fn release_idempotency_key(&self, tenant: TenantId, claim: &IdempotencyClaim) -> Result<()>;

    /// Stores a whole bulk change in one transaction: change, rows, pages, log of refused rows, message, and the
    /// [`answer`] that a repeated request gets (B4.7).
    async fn store_bulk_change(
        &self,
        tenant: TenantId,
        change: &NewBulkChange,
        rows: Vec<NewDeviceChange>,
        idempotency: Option<&IdempotencyClaim>,
    ) -> Result<StoredBulkChange>;
    /// Begins a bulk change that is too large for one transaction: RECEIVING until the lease runs out (B4.7).
    async fn begin_receiving(
        &self,
        tenant: TenantId,
        change: &NewBulkChange,
        until: DateTime<Utc>,
        idempotency: Option<&IdempotencyClaim>,
    ) -> Result<BulkChangeId>;
    /// Renews the submitter's lease. Errors: `LeaseLost` when the change was dropped.
    async fn renew_receiving(&self, tenant: TenantId, id: BulkChangeId, until: DateTime<Utc>) -> Result<()>;
    /// Stores the next page of rows and renews the lease. Errors: `LeaseLost` when the change was dropped.
    async fn append_received(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        change: &NewBulkChange,
        page: usize,
        rows: Vec<NewDeviceChange>,
        until: DateTime<Utc>,
    ) -> Result<()>;
    /// Makes it NEW with its message, in one short transaction. Errors: `LeaseLost`.
    async fn finish_receiving(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        change: &NewBulkChange,
        idempotency: Option<&IdempotencyClaim>,
        now: DateTime<Utc>,
    ) -> Result<StoredBulkChange>;
    /// Drops a change that its submitter gave up, at once.
    async fn drop_receiving(&self, tenant: TenantId, id: BulkChangeId) -> Result<()>;
    /// Drops at most `limit` changes whose submitter's lease has run out; answers how many.
    async fn drop_abandoned(&self, tenant: TenantId, now: DateTime<Utc>, limit: usize) -> Result<usize>;

    /// Lists bulk changes, newest first; RECEIVING ones only those of `caller`.
    async fn list_bulk_changes(
        &self,
        tenant: TenantId,
        caller: PrincipalId,
        before: Option<BulkChangeId>,
        limit: usize,
    ) -> Result<Listed<BulkChangeView, BulkChangeId>>;
    /// What one principal ordered, newest first, RECEIVING ones included.
    async fn list_bulk_changes_of(
        &self,
        tenant: TenantId,
        orderer: PrincipalId,
        before: Option<BulkChangeId>,
        limit: usize,
    ) -> Result<Listed<BulkChangeView, BulkChangeId>>;
    /// Lists bulk changes of a portal, newest first; RECEIVING ones only those of `caller`.
    async fn list_bulk_changes_by(
        &self,
        tenant: TenantId,
        caller: PrincipalId,
        filter: &BulkChangeFilter,
        before: Option<BulkChangeId>,
        limit: usize,
    ) -> Result<Listed<BulkChangeView, BulkChangeId>>;
    /// One bulk change; a RECEIVING one only for its submitter. Errors: `NotFound`.
    async fn get_bulk_change(&self, tenant: TenantId, caller: PrincipalId, id: BulkChangeId) -> Result<BulkChangeView>;
    /// Rows in device order; with a code or status ERROR: by code, then in device order.
    async fn list_device_changes(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        filter: DeviceChangeFilter,
        after: Option<(Option<Code>, DeviceChangeId)>,
        limit: usize,
    ) -> Result<Listed<DeviceChangeView, (Option<Code>, DeviceChangeId)>>;
    /// Those rows of a change, in device order; what is none of it is left out. `rows` are at most some thousands.
    async fn find_device_changes(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        rows: &[DeviceChangeId],
    ) -> Result<Vec<DeviceChangeView>>;
    /// Which of these rows are about lines beyond reach, as the lines stand now. Rows that found no line are about none.
    async fn find_rows_beyond(&self, tenant: TenantId, reach: &Reach, rows: &[DeviceChangeId])
    -> Result<HashSet<DeviceChangeId>>;
    /// Rows in ERROR by code.
    async fn count_errors(&self, tenant: TenantId, id: BulkChangeId) -> Result<Vec<(Code, i64)>>;
    /// Rows in PENDING by code.
    async fn count_waiting(&self, tenant: TenantId, id: BulkChangeId) -> Result<Vec<WaitingCount>>;
    /// Queue entries of a change by state.
    async fn count_scheduled(&self, tenant: TenantId, id: BulkChangeId) -> Result<Vec<(PlanQueueState, i64)>>;
    /// Counts the rows themselves, for checks: what [`BulkChangeView::counts`] must equal.
    async fn recount(&self, tenant: TenantId, id: BulkChangeId) -> Result<Counts>;
    /// The log, by row, attempt and entry.
    async fn list_log(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        device_change: Option<DeviceChangeId>,
        after: Option<LogKey>,
        limit: usize,
    ) -> Result<Listed<LogEntry, LogKey>>;

    /// Starts a held change; false when it was not held (B10.1).
    async fn start_bulk_change(&self, tenant: TenantId, id: BulkChangeId, by: &Orderer, now: DateTime<Utc>) -> Result<bool>;
    /// Marks a change as canceled, so that its pages cancel what is open, and its completion the queue entries within reach that are
    /// left; false when nothing is left to cancel (B10.1).
    async fn cancel_bulk_change(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        by: &Orderer,
        reach: &Reach,
        now: DateTime<Utc>,
    ) -> Result<bool>;
    /// Opens the ERROR rows of one page of a finished change again under the retrier's rights, and makes the page ready;
    /// answers how many rows (B10.2). Errors: `Conflict` when another retry, or the completion, was faster.
    async fn reopen_page(&self, tenant: TenantId, id: BulkChangeId, page: i64, reopening: &Reopening) -> Result<u64>;
    /// Says that all pages were reopened, so that the change may be completed.
    async fn finish_reopening(&self, tenant: TenantId, id: BulkChangeId) -> Result<()>;
    /// How many pages a change has.
    async fn count_pages(&self, tenant: TenantId, id: BulkChangeId) -> Result<i64>;
}
