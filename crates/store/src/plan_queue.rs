//! The plan queue: customer-plan changes that wait for their date (B8.2, B8.3).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, DeviceChangeId, DeviceId, RevCustomerId, ServiceProviderId, SiteId, TenantId,
};
use lineshift_domain::judge::Reason;
use lineshift_domain::order::PlanValues;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{IntegrationKind, PlanQueueState, PortalType};

use crate::Result;
use crate::paging::Listed;

/// One entry, as people look at it. Its id is that of the device change it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanQueueEntry {
    /// Id.
    pub id: DeviceChangeId,
    /// The change it came from.
    pub bulk_change_id: BulkChangeId,
    /// The line.
    pub device_id: DeviceId,
    /// The line's ICCID.
    pub iccid: String,
    /// Its subscriber number.
    pub number: Option<String>,
    /// The customer it was ordered for.
    pub rev_customer_id: Option<RevCustomerId>,
    /// The site it was ordered for.
    pub site_id: Option<SiteId>,
    /// What changes.
    pub values: PlanValues,
    /// When.
    pub effective_date: DateTime<Utc>,
    /// Whose log it is.
    pub portal: PortalType,
    /// State.
    pub state: PlanQueueState,
    /// Why it failed.
    pub error_code: Option<Code>,
    /// Why it failed, for people.
    pub status_details: Option<String>,
    /// The process that made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who moved, canceled or applied it.
    pub modified_by: Option<String>,
    /// When.
    pub modified_at: Option<DateTime<Utc>>,
}

/// Which entries to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanQueueFilter {
    /// Open entries by date.
    Open,
    /// Open entries of one line by date.
    OpenOfDevice(DeviceId),
    /// Entries of one change in that state, by id.
    OfChange(BulkChangeId, PlanQueueState),
}

/// Which open entries are sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryFilter {
    /// Only of this portal.
    pub portal: Option<PortalType>,
    /// Those that take effect from then on; the smallest time: as early as there are any.
    pub from: DateTime<Utc>,
    /// And before then.
    pub until: DateTime<Utc>,
    /// Only those ordered for this customer.
    pub customer: Option<RevCustomerId>,
    /// Only those ordered for this site.
    pub site: Option<SiteId>,
    /// Only those to this plan.
    pub plan: Option<CustomerRatePlanId>,
}

impl EntryFilter {
    /// All open entries.
    pub const ALL: Self = Self {
        portal: None,
        from: DateTime::<Utc>::UNIX_EPOCH,
        until: DateTime::<Utc>::MAX_UTC,
        customer: None,
        site: None,
        plan: None,
    };

    /// Whether entries are sought by more than portal and time.
    #[must_use]
    pub const fn is_by_values(&self) -> bool {
        self.customer.is_some() || self.site.is_some() || self.plan.is_some()
    }
}

/// The place of an entry in a list: its date (0 in lists by id) and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanQueueKey {
    /// Microseconds.
    pub effective_date: i64,
    /// Id.
    pub id: i64,
}

/// A due entry with what it is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct DueEntry {
    /// Id.
    pub id: DeviceChangeId,
    /// The change it came from.
    pub bulk_change_id: BulkChangeId,
    /// The carrier account it was ordered for.
    pub service_provider_id: ServiceProviderId,
    /// The carrier's kind.
    pub integration_kind: IntegrationKind,
    /// What changes.
    pub values: PlanValues,
    /// Whether the line's customer is still the one it was ordered for.
    pub customer_unchanged: bool,
    /// Whether its plan is still active; true where it names none.
    pub plan_active: bool,
    /// Whether its pool is still active; true where it names none.
    pub pool_active: bool,
    /// The line.
    pub facts: LineFacts,
}

/// What a page of due entries came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DueResult {
    /// Entries that took effect, those that stood so already included.
    pub applied: u64,
    /// Entries refused.
    pub failed: u64,
}

/// The transaction of one page of due entries; at most one entry a line, the earliest. Dropped without `finish`, it
/// leaves nothing behind.
#[async_trait]
pub trait DueWork: Send {
    /// The entries, by date.
    fn entries(&self) -> &[DueEntry];
    /// Applies the entries that are not refused, with history, log, cross-provider history and links, and commits.
    async fn finish(self: Box<Self>, refused: &[(DeviceChangeId, Reason)]) -> Result<DueResult>;
}

/// The plan queue of a tenant.
#[async_trait]
pub trait PlanQueueStore {
    /// Lists entries.
    async fn list_queue_entries(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: PlanQueueFilter,
        after: Option<PlanQueueKey>,
        limit: usize,
    ) -> Result<Listed<PlanQueueEntry, PlanQueueKey>>;
    /// Lists open entries within reach that are sought, by date.
    async fn list_due_entries(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &EntryFilter,
        after: Option<PlanQueueKey>,
        limit: usize,
    ) -> Result<Listed<PlanQueueEntry, PlanQueueKey>>;
    /// One entry. Errors: `NotFound`.
    async fn get_queue_entry(&self, tenant: TenantId, id: DeviceChangeId) -> Result<PlanQueueEntry>;
    /// Moves an open entry to another date; false when it is not open any more.
    async fn move_queue_entry(
        &self,
        tenant: TenantId,
        id: DeviceChangeId,
        effective_date: DateTime<Utc>,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<bool>;
    /// Cancels an open entry; false when it is not open any more.
    async fn cancel_queue_entry(&self, tenant: TenantId, id: DeviceChangeId, by: &str, now: DateTime<Utc>) -> Result<bool>;
    /// Tenants with entries due at that moment. Reads across tenants.
    async fn list_tenants_with_due_entries(&self, now: DateTime<Utc>) -> Result<Vec<TenantId>>;
    /// Opens the transaction of the next due entries of a tenant, at most `limit`; none: nothing is due.
    async fn open_due(&self, tenant: TenantId, limit: usize, now: DateTime<Utc>) -> Result<Option<Box<dyn DueWork>>>;
    /// When the next entry of any tenant falls due.
    async fn next_due(&self) -> Result<Option<DateTime<Utc>>>;
}
