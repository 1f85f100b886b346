//! Work on pages: claiming one under a lease, and the one transaction that judges and writes it (B5.1 to B5.3).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId, IntegrationAuthenticationId, TenantId};
use lineshift_domain::judge::Reason;
use lineshift_domain::lines::Digits;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::{PlanValues, StoredAssignment, StoredOrder};
use lineshift_domain::reach::Reach;
use lineshift_domain::rights::Rights;
use lineshift_domain::terms::IntegrationKind;

use crate::Result;
use crate::billing::StepRecord;
use crate::bulk_changes::BulkChangeView;
use crate::devices::FactsQuery;

/// A page that a worker holds under a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageClaim {
    /// Tenant.
    pub tenant_id: TenantId,
    /// Bulk change.
    pub bulk_change_id: BulkChangeId,
    /// Number of the page within it, from 0.
    pub page: i64,
    /// First device change.
    pub from_id: DeviceChangeId,
    /// Last device change.
    pub to_id: DeviceChangeId,
    /// The claim's epoch; a later claim has a higher one.
    pub epoch: i64,
    /// How often running it failed in the store.
    pub failures: i64,
    /// What is to be done with it.
    pub task: PageTask,
    /// When the lease of one who held the page and did not give it back ran out: whatever that one sent was sent before
    /// (B7.3).
    pub lost_lease_until: Option<DateTime<Utc>>,
}

impl PageClaim {
    /// How many lines it has, ended ones among them.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        (self.to_id.0 - self.from_id.0 + 1).unsigned_abs()
    }

    /// The same claim once the page was run.
    #[must_use]
    pub fn to_complete(&self) -> Self {
        Self { task: PageTask::Complete, failures: 0, ..self.clone() }
    }
}

/// What a page is claimed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageTask {
    /// Judge its rows and do their steps.
    Run,
    /// All its rows are final: write cross-provider history and service links (B11.3).
    Complete,
}

/// What is claimable of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunnableChange {
    /// Tenant.
    pub tenant_id: TenantId,
    /// Bulk change.
    pub bulk_change_id: BulkChangeId,
}

/// The accounts that the pages of a change call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CalledAccounts {
    /// That of the billing system; none: it is not called.
    pub billing: Option<IntegrationAuthenticationId>,
    /// That of the carrier; none: it is not called.
    pub carrier: Option<IntegrationAuthenticationId>,
}

impl CalledAccounts {
    /// Nobody outside.
    pub const NONE: Self = Self { billing: None, carrier: None };

    /// Those that an order's pages call.
    #[must_use]
    pub fn of(order: &StoredOrder) -> Self {
        Self { billing: order.billing_account(), carrier: order.carrier_account() }
    }

    /// Whether nobody outside is called.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.billing.is_none() && self.carrier.is_none()
    }

    /// Each account that is called, billing first.
    pub fn iter(&self) -> impl Iterator<Item = IntegrationAuthenticationId> + use<> {
        self.billing.into_iter().chain(self.carrier)
    }

    /// The account that a page calls first, whose room among the pages of its worker it takes: a page that waits for a slow billing system
    /// keeps no page of a carrier's waiting.
    #[must_use]
    pub fn called_first(&self) -> Option<IntegrationAuthenticationId> {
        self.billing.or(self.carrier)
    }
}

/// A change with something to do, and whom its pages call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runnable {
    /// The change.
    pub change: RunnableChange,
    /// The accounts that its pages call.
    pub accounts: CalledAccounts,
    /// Whether it was canceled: then most of its rows need no call any more.
    pub is_canceled: bool,
    /// Whether rows of it are open; without, it is only to be completed.
    pub has_open_rows: bool,
}

/// The order as it stands when a page is run: what was stored, and what may have changed since (B5.3).
#[derive(Debug, Clone, PartialEq)]
pub struct OrderFacts {
    /// The bulk change.
    pub change: BulkChangeView,
    /// The carrier's kind.
    pub integration_kind: IntegrationKind,
    /// What the orderer may do now; none: nothing any more, the key is revoked or expired, or the person gone.
    pub orderer_rights: Option<Rights>,
    /// Whether it runs with the rights of whoever ordered it, rather than of somebody else who started or retried it.
    pub runs_as_orderer: bool,
    /// Whether the order's customer, site, plans and pool are still active; true where the order names none.
    pub targets: TargetsActive,
    /// The billing account that its pages call, as it stands now; none: it calls none.
    pub billing: Option<AccountFacts>,
    /// The carrier's account that its pages call, as it stands now; none: it calls none.
    pub carrier: Option<AccountFacts>,
    /// The tenant's time zone.
    pub time_zone: chrono_tz::Tz,
}

/// Whether an account may be called for an order (B5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// The account.
    pub id: IntegrationAuthenticationId,
    /// Whether it may be used and written to; of a carrier's account, whether the service provider may be, too.
    pub write_enabled: bool,
    /// Whether it has credentials.
    pub has_credentials: bool,
    /// What the other side said when it refused them, if it did.
    pub refused: Option<String>,
}

/// Which targets of an order are still active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetsActive {
    /// Rev customer.
    pub customer: bool,
    /// Site.
    pub site: bool,
    /// Customer rate plan.
    pub plan: bool,
    /// Customer rate pool.
    pub pool: bool,
    /// Carrier rate plan, in the catalogue of the change's service provider.
    pub carrier_rate_plan: bool,
}

/// One open row of the page with its line.
#[derive(Debug, Clone, PartialEq)]
pub struct PageLine {
    /// The row.
    pub id: DeviceChangeId,
    /// The version that was judged; none: refused at submission and now judged anew (B10.2).
    pub judged_version: Option<i64>,
    /// Whether the line still has the number by which it was ordered; true when ordered by ICCID.
    pub number_unchanged: bool,
    /// How many lines have that number now; 1 when ordered by ICCID.
    pub lines_with_number: i64,
    /// The line; none: it was not found at submission.
    pub facts: Option<LineFacts>,
    /// The line as the request named it.
    pub named: Option<String>,
}

/// A row that a page settles without doing its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Ends in ERROR.
    Refused(DeviceChangeId, Reason),
    /// Ends in ERROR, and something of it is unknown or stuck: the row goes on holding its line (rule 6).
    Unsettled(DeviceChangeId, Reason),
    /// Stands as asked: PROCESSED.
    AlreadySo(DeviceChangeId),
    /// Ends CANCELED.
    Canceled(DeviceChangeId),
}

/// An open row of a page that calls outside, with what the calls need.
#[derive(Debug, Clone, PartialEq)]
pub struct OutsideLine {
    /// The row.
    pub id: DeviceChangeId,
    /// Its attempt.
    pub attempt: i64,
    /// The line.
    pub device_id: DeviceId,
    /// ICCID.
    pub iccid: String,
    /// Subscriber number.
    pub subscriber_number: Option<String>,
    /// Hardware.
    pub imei: Option<String>,
    /// The carrier's own id of the line.
    pub carrier_device_id: Option<String>,
    /// When the carrier activated it.
    pub activated_at: Option<DateTime<Utc>>,
    /// Status, as it is stored here: what stood before, unless the change itself has written it.
    pub status: String,
    /// The carrier's rate plan by its code, likewise.
    pub carrier_rate_plan: Option<String>,
    /// The carrier's communication plan, likewise.
    pub communication_plan: Option<String>,
    /// What is known of its steps, by step and part.
    pub steps: Vec<StepRecord>,
}

/// A row that is to wait: PENDING.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The row.
    pub id: DeviceChangeId,
    /// For what.
    pub code: Code,
    /// For people.
    pub text: String,
    /// When it is looked at again.
    pub next_check_at: DateTime<Utc>,
}

/// What a step writes into the log for each accepted row (B11.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLog {
    /// One of the closed list.
    pub text: LogText,
    /// The action's text, a newline, and the request; the line's identifier is appended.
    pub request: String,
    /// What came back.
    pub response: String,
}

/// The values of the step `assignment` (section 6, step 3).
#[derive(Debug, Clone, PartialEq)]
pub struct AssignmentWrite {
    /// Customer, site, account number, authentication, date.
    pub assignment: StoredAssignment,
    /// The tenant's zone, for lines dated by their activation (B6.4).
    pub time_zone: chrono_tz::Tz,
    /// The log entry.
    pub log: StepLog,
}

/// The values of the step `customer_rate_plan` (section 8).
#[derive(Debug, Clone, PartialEq)]
pub struct PlanWrite {
    /// Plan, pool, allocation.
    pub values: PlanValues,
    /// The date, for the plan queue.
    pub effective_at: Option<DateTime<Utc>>,
    /// Whether the line's open queue entries are canceled: from that date on, or all of them when applied now (B8.2).
    pub replace_scheduled: bool,
    /// The log entry.
    pub log: StepLog,
}

/// What a finished page came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageResult {
    /// Rows done.
    pub processed: i64,
    /// Rows in ERROR.
    pub refused: i64,
    /// Rows canceled.
    pub canceled: i64,
    /// Rows of this page that wait (PENDING).
    pub waiting: i64,
    /// Rows of the whole change still open after this page.
    pub open_left: i64,
}

/// The transaction of one page. Dropped without [`PageWork::finish`], it leaves nothing behind.
///
/// The procedures act on the rows of the page that are open and not settled, in device order. Each writes its history
/// at once and its log entries with the end of the transaction; each answers how many lines it changed.
#[async_trait]
pub trait PageWork: Send {
    /// The order as it stands now.
    fn order(&self) -> &OrderFacts;
    /// The open rows with their lines.
    async fn list_open_lines(&mut self, query: FactsQuery) -> Result<Vec<PageLine>>;
    /// Looks up the lines of rows that were refused at submission; answers (row, facts), several for an ambiguous number.
    async fn look_up_named(
        &mut self,
        named: &[(DeviceChangeId, Digits)],
        query: FactsQuery,
    ) -> Result<Vec<(DeviceChangeId, LineFacts)>>;
    /// Takes note of the line and version that were judged anew for rows refused at submission.
    async fn record_judged(&mut self, judged: &[(DeviceChangeId, DeviceId, i64)]) -> Result<()>;
    /// Ends these rows without their steps. Those that end with something unknown or stuck go on holding their lines (rule 6).
    async fn settle(&mut self, settled: &[Settled]) -> Result<()>;
    /// Takes the page's rows whose next check is due out of PENDING, of a canceled change all that wait (B10.1); to be called before
    /// its rows are listed. Answers how many.
    async fn wake_due(&mut self) -> Result<u64>;
    /// What the calls need of the rows that are open, in hand and not settled.
    async fn list_outside_lines(&mut self) -> Result<Vec<OutsideLine>>;
    /// Makes these rows wait: PENDING, with a log entry when they did not wait for that before. The steps leave them alone.
    /// To be called after the rows were listed; errors when one of them is not in hand.
    async fn hold_open(&mut self, waiting: &[Waiting]) -> Result<()>;
    /// These rows do the set steps that follow, and then end in ERROR with that reason (B6.2, `continue`). What this change wrote
    /// about the line does not count against it when it is tried again.
    async fn fail_after_steps(&mut self, failing: &[(DeviceChangeId, Reason)]) -> Result<()>;
    /// Commits what was settled and that the other rows are PROCESSING; the page stays claimed, for calls to follow. Errors: `LeaseLost`.
    async fn pause(self: Box<Self>) -> Result<PageResult>;
    /// Rev path: customer, site, account number, authentication, active flags.
    async fn usp_assign_customer_update_site(&mut self, write: &AssignmentWrite) -> Result<u64>;
    /// AMOP path: the site.
    async fn usp_devicebulkchange_assign_non_rev_customer(&mut self, write: &AssignmentWrite) -> Result<u64>;
    /// Plan, pool, allocation, now.
    async fn usp_devicebulkchange_customerrateplanchange_updatedevices(&mut self, write: &PlanWrite) -> Result<u64>;
    /// The same, the line found by the number that the row names.
    async fn usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(&mut self, write: &PlanWrite) -> Result<u64>;
    /// Plan, pool, allocation, on their date: one queue entry a row (B8.2).
    async fn schedule_customer_rate_plan(&mut self, write: &PlanWrite) -> Result<u64>;
    /// Undoes the step `assignment` of this change for these rows, where its values still stand (B6.3).
    async fn revert_assignment(&mut self, rows: &[DeviceChangeId]) -> Result<u64>;
    /// Undoes the step `customer_rate_plan` of this change for these rows, where its values still stand (B6.3).
    async fn revert_customer_rate_plan(&mut self, rows: &[DeviceChangeId]) -> Result<u64>;
    /// Ends the remaining rows PROCESSED with that text, writes the log, keeps the counts, commits. The page stays claimed, to be
    /// completed; with rows that wait it is given back until the first of them is due.
    /// Errors: `LeaseLost` when another worker holds the page by now; then nothing was changed.
    async fn finish(self: Box<Self>, details: Option<&str>) -> Result<PageResult>;
}

/// Claiming and running pages.
#[async_trait]
pub trait WorkStore {
    /// Changes with something to run, complete or cancel, by tenant and id. Reads across tenants; nothing else does.
    async fn list_runnable(&self) -> Result<Vec<Runnable>>;
    /// Claims the change's first page to run that nobody holds, or whose lease has run out; or, when there is none, such a page
    /// to complete. The claim is committed when this returns.
    async fn claim_page(
        &self,
        change: RunnableChange,
        owner: &str,
        lease_until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<PageClaim>>;
    /// Renews a lease (heartbeat). Errors: `LeaseLost`.
    async fn renew_lease(&self, claim: &PageClaim, lease_until: DateTime<Utc>) -> Result<()>;
    /// Gives a page back after a failure, so that another try can begin at once.
    async fn give_back_page(&self, claim: &PageClaim, now: DateTime<Utc>) -> Result<()>;
    /// Opens the transaction of a claimed page. Errors: `LeaseLost`.
    async fn open_page(&self, claim: &PageClaim, now: DateTime<Utc>) -> Result<Box<dyn PageWork>>;
    /// Runs `usp_updatecrossproviderdevicehistory` and `usp_update_device_rev_service_links` over a claimed page whose rows are all
    /// final, and closes it. Errors: `LeaseLost`.
    async fn complete_page(&self, claim: &PageClaim, now: DateTime<Utc>) -> Result<()>;
    /// Completes the change once: when every page is completed, cancels the open queue entries of a canceled one, within the reach of
    /// whoever canceled it (B10.1), writes the final log entry and message, and answers the change as it ended (B11.3). None when there is
    /// something left to do or another worker was faster.
    async fn complete_bulk_change(&self, change: RunnableChange, now: DateTime<Utc>) -> Result<Option<BulkChangeView>>;
    /// Ends every open row of a page in ERROR after its attempts are used up (B5.7). The page stays claimed, to be completed, but
    /// for rows that wait.
    async fn fail_page(&self, claim: &PageClaim, code: Code, text: &str, now: DateTime<Utc>) -> Result<PageResult>;
    /// Cancels the open queue entries of a canceled change that are within reach, as they were ordered and as their lines stand;
    /// answers how many (B10.1).
    async fn cancel_queue_entries(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        by: &str,
        reach: &Reach,
        now: DateTime<Utc>,
    ) -> Result<u64>;
    /// Takes the oldest messages out of the outbox, at most `limit`.
    async fn take_messages(&self, limit: usize) -> Result<Vec<Message>>;
    /// What `/metrics` shows of pages waiting, outbox and queue.
    async fn measure(&self, now: DateTime<Utc>) -> Result<Backlog>;
}

/// A message of the outbox. Kinds are stored names: never rename.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Tenant.
    pub tenant_id: TenantId,
    /// Number within the outbox.
    pub id: i64,
    /// [`message_kind`].
    pub kind: String,
    /// About which change.
    pub bulk_change_id: BulkChangeId,
    /// Since when it waits.
    pub created_at: DateTime<Utc>,
}

/// Kinds of messages.
pub mod message_kind {
    /// A change was stored and may be run.
    pub const SUBMITTED: &str = "bulk_change.submitted";
    /// A change was completed.
    pub const COMPLETED: &str = "bulk_change.completed";
    /// A queue entry was refused when it fell due.
    pub const SCHEDULED_FAILED: &str = "plan_queue.failed";
}

/// How much waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Pages ready or held.
    pub pages_waiting: i64,
    /// Rows that wait for an outside answer or account (PENDING).
    pub rows_waiting: i64,
    /// Age of the oldest change with pages waiting, in seconds.
    pub oldest_page_seconds: i64,
    /// Age of the oldest message, in seconds.
    pub oldest_message_seconds: i64,
    /// Queue entries that are due.
    pub entries_due: i64,
    /// Steps that a person must settle.
    pub stuck_steps: i64,
}
