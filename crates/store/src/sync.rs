//! Synchronisation with a billing system: runs, what they write page by page, and what they found.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use lineshift_domain::ids::{
    DeviceId, IntegrationAuthenticationId, RevCustomerId, RevServiceId, RevServiceProductId, ServiceProviderId, SyncRunId,
    TenantId,
};
use lineshift_domain::sync::{FindingKind, FindingSubject, SyncParts, SyncPhase, SyncState};
use lineshift_domain::terms::IntegrationKind;

use crate::Result;
use crate::billing::{RevServiceProductRow, RevServiceRow};
use crate::paging::Listed;

pub use self::carrier::{GoneLine, LinePart, RefusedLine, SyncLine, SyncedLine, SyncedPlan, UsedLine};

mod carrier;

/// A run to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSyncRun {
    /// The account that is read.
    pub integration_authentication_id: IntegrationAuthenticationId,
    /// Whose plans and lines are read, of a carrier's account; none of a billing account.
    pub service_provider_id: Option<ServiceProviderId>,
    /// What is read.
    pub what: SyncParts,
    /// Every customer and line, not only those changed since the last run that came to its end.
    pub full: bool,
    /// Of which lines usage is read; none: of all that have an active assignment.
    pub usage_lines: Vec<DeviceId>,
    /// Who ordered it.
    pub ordered_by: String,
}

/// What a run has met so far, each record once however often lists showed it. `read` is the sum of `new`, `changed`,
/// `unchanged` and `left_out`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// Records read.
    pub read: i64,
    /// Not known before.
    pub new: i64,
    /// Written because they differed.
    pub changed: i64,
    /// As they were, or left alone because this system wrote them since the run began.
    pub unchanged: i64,
    /// Not taken in.
    pub left_out: i64,
    /// Disconnected or deleted there.
    pub gone: i64,
    /// Of the report.
    pub billed_not_assigned: i64,
    /// Of the report.
    pub assigned_not_billed: i64,
    /// Lines whose usage was read; no part of `read`.
    pub used: i64,
}

/// A run as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// Id.
    pub id: SyncRunId,
    /// The account.
    pub integration_authentication_id: IntegrationAuthenticationId,
    /// Whose plans and lines are read, of a carrier's account.
    pub service_provider_id: Option<ServiceProviderId>,
    /// What is read.
    pub what: SyncParts,
    /// Whether every customer and line is.
    pub full: bool,
    /// Customers changed on or after this day; none: every one.
    pub since: Option<NaiveDate>,
    /// Lines changed since then, where the carrier can tell; none: every one.
    pub changed_since: Option<DateTime<Utc>>,
    /// Of how many lines usage was asked for by name; 0: of all that have an active assignment.
    pub usage_lines: i64,
    /// Whether it goes on.
    pub state: SyncState,
    /// What it does next.
    pub phase: SyncPhase,
    /// The page of the list that is read next, from 1.
    pub page: u32,
    /// The id here after which it goes on, where it walks through what is stored.
    pub after: i64,
    /// What it met.
    pub counts: SyncCounts,
    /// Who ordered it.
    pub ordered_by: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// While it runs: when it is looked at again, unless whoever holds it goes on before.
    pub due_at: DateTime<Utc>,
    /// Failures in a row.
    pub failures: u32,
    /// Why it waits or was given up; masked.
    pub note: Option<String>,
}

/// A run in hand. Whoever claims it later makes this claim void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncClaim {
    /// Tenant.
    pub tenant_id: TenantId,
    /// Rises with each claim.
    pub epoch: i64,
    /// The run as it stands.
    pub run: SyncRun,
}

/// A customer as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncedCustomer {
    /// Id.
    pub id: RevCustomerId,
    /// Name.
    pub name: String,
    /// Whether it is closed there.
    pub is_closed: bool,
    /// When it was changed there.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A service that a read of that very service did not find, or found disconnected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneService {
    /// Customer.
    pub rev_customer_id: RevCustomerId,
    /// Its id there.
    pub rev_service_id: RevServiceId,
    /// From when on it is not billed.
    pub on: NaiveDate,
    /// What the read said.
    pub there: String,
}

/// A service product that a read of its service's products did not find, or found no longer charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneProduct {
    /// Customer.
    pub rev_customer_id: RevCustomerId,
    /// Its service there.
    pub rev_service_id: RevServiceId,
    /// Its id there.
    pub rev_service_product_id: RevServiceProductId,
    /// What the read said.
    pub there: String,
}

/// What one page of a run brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncBatch {
    /// Customers listed.
    pub customers: Vec<SyncedCustomer>,
    /// Services listed or read. One that is connected here and disconnected there is not believed: it stays unseen, until a read
    /// of that very service says so and it comes as gone.
    pub services: Vec<RevServiceRow>,
    /// Service products listed or read; likewise those charged here and no longer there.
    pub products: Vec<RevServiceProductRow>,
    /// Services gone.
    pub gone_services: Vec<GoneService>,
    /// Service products gone.
    pub gone_products: Vec<GoneProduct>,
    /// Every rate plan that the carrier has; none: they were not read. What is not among them becomes inactive.
    pub carrier_plans: Option<Vec<SyncedPlan>>,
    /// What the carrier said when it refused its list of rate plans: told as a finding, and the run goes on.
    pub plans_refused: Option<String>,
    /// Lines listed or read.
    pub lines: Vec<SyncedLine>,
    /// From when on what was written here is newer than these lines, and stays: the moment before the call that read them.
    pub lines_read_at: Option<DateTime<Utc>>,
    /// Lines gone.
    pub gone_lines: Vec<GoneLine>,
    /// Lines of which nothing could be learned: told as findings.
    pub refused_lines: Vec<RefusedLine>,
    /// What lines used.
    pub usage: Vec<UsedLine>,
}

/// An account that is due, and whose plans and lines are read if it is a carrier's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountToSync {
    /// The account.
    pub id: IntegrationAuthenticationId,
    /// The service provider.
    pub service_provider_id: Option<ServiceProviderId>,
}

/// Where a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncPlace {
    /// What it does next; [`SyncPhase::Finished`] ends it.
    pub phase: SyncPhase,
    /// The page of the list, from 1.
    pub page: u32,
    /// The id here after which it goes on.
    pub after: i64,
}

impl SyncPlace {
    /// The beginning of a phase.
    #[must_use]
    pub const fn beginning(phase: SyncPhase) -> Self {
        Self { phase, page: 1, after: 0 }
    }
}

/// A service, or what is charged on one, that no list of the run showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unseen {
    /// Its id here: the run goes on after it.
    pub id: i64,
    /// Customer.
    pub rev_customer_id: RevCustomerId,
    /// The service there.
    pub rev_service_id: RevServiceId,
    /// The service product there, if it is one.
    pub rev_service_product_id: Option<RevServiceProductId>,
}

/// Part of what no list showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnseenPart {
    /// In the order of their ids.
    pub items: Vec<Unseen>,
    /// After which id the next part begins; none: this was the last.
    pub next: Option<i64>,
}

/// What was found about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncFinding {
    /// Kind.
    pub kind: FindingKind,
    /// What it is about.
    pub subject: FindingSubject,
    /// The subject's id: of a line here, of all else there.
    pub subject_id: i64,
    /// Customer.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Service.
    pub rev_service_id: Option<RevServiceId>,
    /// The line here.
    pub device_id: Option<DeviceId>,
    /// The line's ICCID, else its number.
    pub line: Option<String>,
    /// What stood here.
    pub here: Option<String>,
    /// What stands there.
    pub there: Option<String>,
    /// When it was found.
    pub at: DateTime<Utc>,
}

/// A finding's place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingKey {
    /// Kind.
    pub kind: FindingKind,
    /// What it is about.
    pub subject: FindingSubject,
    /// The subject's id.
    pub subject_id: i64,
}

impl SyncFinding {
    /// Its place in the list.
    #[must_use]
    pub const fn key(&self) -> FindingKey {
        FindingKey { kind: self.kind, subject: self.subject, subject_id: self.subject_id }
    }
}

/// Rows of ours that one statement walks through at most.
pub const SYNC_WINDOW: i64 = 5_000;

/// Runs and their findings.
#[async_trait]
pub trait SyncStore {
    /// Begins a run, due at once. Customers are asked for since the day before the last run began that read them and came to its
    /// end; lines since an hour before the last one of the service provider. Errors: `Conflict` while another run of the account goes
    /// on.
    async fn begin_sync_run(&self, tenant: TenantId, run: &NewSyncRun, now: DateTime<Utc>) -> Result<SyncRun>;
    /// One run. Errors: `NotFound`.
    async fn get_sync_run(&self, tenant: TenantId, id: SyncRunId) -> Result<SyncRun>;
    /// Runs, newest first.
    async fn list_sync_runs(
        &self,
        tenant: TenantId,
        before: Option<SyncRunId>,
        limit: usize,
    ) -> Result<Listed<SyncRun, SyncRunId>>;
    /// Findings of a run by kind, subject and id.
    async fn list_sync_findings(
        &self,
        tenant: TenantId,
        id: SyncRunId,
        kind: Option<FindingKind>,
        after: Option<FindingKey>,
        limit: usize,
    ) -> Result<Listed<SyncFinding, FindingKey>>;
    /// Active accounts with credentials that nobody refused, of which no run goes on: billing accounts of which none began after that
    /// moment, and, for each active service provider on one of the carriers named, the account that it names, if none began for that
    /// service provider.
    async fn list_accounts_to_sync(
        &self,
        tenant: TenantId,
        began_after: DateTime<Utc>,
        carriers: &[IntegrationKind],
    ) -> Result<Vec<AccountToSync>>;
    /// The active service providers that call an account, by id, at most a hundred.
    async fn list_service_providers_of(
        &self,
        tenant: TenantId,
        account: IntegrationAuthenticationId,
    ) -> Result<Vec<ServiceProviderId>>;
    /// Whether a page of a bulk change that calls the account is at work, or may be claimed now: what can wait does.
    async fn is_account_wanted(&self, tenant: TenantId, account: IntegrationAuthenticationId, now: DateTime<Utc>)
    -> Result<bool>;

    /// Runs that anybody may take up now, of all tenants, those that wait longest first.
    async fn list_due_sync_runs(&self, limit: usize, now: DateTime<Utc>) -> Result<Vec<(TenantId, SyncRunId)>>;
    /// Takes a run in hand until that moment; none when somebody else holds it, or it is not due.
    async fn claim_sync_run(
        &self,
        tenant: TenantId,
        id: SyncRunId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<SyncClaim>>;
    /// Holds it longer. Errors: `LeaseLost`.
    async fn renew_sync_lease(&self, claim: &SyncClaim, until: DateTime<Utc>) -> Result<()>;
    /// Gives it back until that moment. `failures` in a row are kept with it. Errors: `LeaseLost`.
    async fn put_off_sync_run(&self, claim: &SyncClaim, until: DateTime<Utc>, failures: u32, note: Option<&str>) -> Result<()>;
    /// Gives it up. Errors: `LeaseLost`.
    async fn fail_sync_run(&self, claim: &SyncClaim, note: &str, now: DateTime<Utc>) -> Result<()>;

    /// Writes a page with the place at which the run goes on, in one transaction; counts each record once. What this system wrote
    /// itself since the run began, or an open change holds, is left alone. Answers the claim as it stands then. Errors: `LeaseLost`;
    /// then nothing was written.
    async fn record_sync(&self, claim: &SyncClaim, batch: &SyncBatch, next: SyncPlace, now: DateTime<Utc>) -> Result<SyncClaim>;
    /// Connected services of the account, after the run's place, that no list of the run showed; those written here since the run
    /// began or held by an open change are left out.
    async fn list_unseen_services(&self, claim: &SyncClaim, limit: usize) -> Result<UnseenPart>;
    /// Service products likewise; `stored_before` is the moment from which on they are left out.
    async fn list_unseen_products(&self, claim: &SyncClaim, stored_before: DateTime<Utc>, limit: usize) -> Result<UnseenPart>;
    /// Lines of the run's service provider, after the run's place, that no list of the run showed; archived ones and those that an open
    /// carrier change holds are left out.
    async fn list_unseen_lines(&self, claim: &SyncClaim, limit: usize) -> Result<LinePart>;
    /// Lines whose usage the run reads, after its place: those named, or those with an active assignment; archived ones are left out.
    async fn list_usage_lines(&self, claim: &SyncClaim, limit: usize) -> Result<LinePart>;
    /// Writes the next part of the report: at most [`SYNC_WINDOW`] services or lines are gone through. Answers the claim as it stands
    /// then. Errors: `LeaseLost`.
    async fn record_sync_report(&self, claim: &SyncClaim, now: DateTime<Utc>) -> Result<SyncClaim>;
}
