//! Lines: lists, one line with its history, and the narrow facts by which orders are judged.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::facts::{Holds, LineFacts};
use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, DeviceId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId,
    TenantId,
};
use lineshift_domain::lines::Digits;
use lineshift_domain::order::{Setting, StoredOrder};
use lineshift_domain::reach::Reach;
use lineshift_domain::steps::holds_of;
use lineshift_domain::terms::LineIdentifier;
use rust_decimal::Decimal;

use crate::Result;
use crate::paging::Listed;
pub use crate::story::{HistoryEntry, HistoryKey, LineEvent, LineEventFilter, LineEventKey, LineEventKind};

/// One line with its assignment, as people look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceView {
    /// Id.
    pub id: DeviceId,
    /// Carrier account.
    pub service_provider_id: ServiceProviderId,
    /// SIM card.
    pub iccid: String,
    /// MSISDN.
    pub subscriber_number: Option<String>,
    /// Hardware.
    pub imei: Option<String>,
    /// The carrier's status.
    pub status: String,
    /// Archived or deleted.
    pub is_archived: bool,
    /// When the carrier activated it.
    pub activated_at: Option<DateTime<Utc>>,
    /// The carrier's plan.
    pub carrier_rate_plan: Option<String>,
    /// Rev customer.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Site.
    pub site_id: Option<SiteId>,
    /// Account number.
    pub account_number: Option<String>,
    /// The account number's authentication.
    pub integration_authentication_id: Option<IntegrationAuthenticationId>,
    /// Customer rate plan.
    pub customer_rate_plan_id: Option<CustomerRatePlanId>,
    /// Customer rate pool.
    pub customer_rate_pool_id: Option<CustomerRatePoolId>,
    /// Allocation in MB.
    pub customer_data_allocation_mb: Option<Decimal>,
    /// Since when the assignment counts.
    pub effective_date: Option<DateTime<Utc>>,
    /// Whether the assignment is in force.
    pub is_active: bool,
    /// Raised by every write of customer, site, plan, pool or allocation.
    pub version: i64,
    /// Who wrote it last.
    pub modified_by: String,
    /// When.
    pub modified_at: DateTime<Utc>,
}

/// Which lines to list. At most one of the fields is set; each is served by an index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DeviceFilter {
    /// All lines, by id.
    #[default]
    All,
    /// The line with that ICCID.
    Iccid(String),
    /// Lines with that subscriber number.
    Number(String),
    /// Those assigned to that customer.
    Customer(RevCustomerId),
    /// Lines of that carrier account.
    ServiceProvider(ServiceProviderId),
    /// Lines booked at that site.
    Site(SiteId),
    /// Lines on that customer rate plan.
    CustomerRatePlan(CustomerRatePlanId),
}

/// By what lines are sought: all that is given holds at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineFilter {
    /// The line with that ICCID.
    pub iccid: Option<String>,
    /// Lines whose ICCIDs begin with these digits.
    pub iccid_prefix: Option<String>,
    /// Lines with that subscriber number.
    pub number: Option<String>,
    /// Those assigned to that customer.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Lines booked at that site.
    pub site_id: Option<SiteId>,
    /// Lines of that carrier account.
    pub service_provider_id: Option<ServiceProviderId>,
    /// Lines in that status at the carrier.
    pub status: Option<String>,
    /// Lines on that customer rate plan.
    pub customer_rate_plan_id: Option<CustomerRatePlanId>,
    /// Lines in that customer rate pool.
    pub customer_rate_pool_id: Option<CustomerRatePoolId>,
    /// Lines on that plan of the carrier.
    pub carrier_rate_plan: Option<String>,
}

impl LineFilter {
    /// How many things are given.
    #[must_use]
    pub fn count(&self) -> usize {
        let given = [
            self.iccid.is_some(),
            self.iccid_prefix.is_some(),
            self.number.is_some(),
            self.rev_customer_id.is_some(),
            self.site_id.is_some(),
            self.service_provider_id.is_some(),
            self.status.is_some(),
            self.customer_rate_plan_id.is_some(),
            self.customer_rate_pool_id.is_some(),
            self.carrier_rate_plan.is_some(),
        ];
        given.into_iter().filter(|given| *given).count()
    }

    /// Whether the beginning of ICCIDs serves, so that lines come in the order of these to whoever sees everything: a customer, a site, a plan
    /// or a pool of one's own has fewer lines than a carrier gives ICCIDs that begin alike.
    #[must_use]
    pub fn is_by_iccid(&self) -> bool {
        let has_fewer = self.rev_customer_id.is_some()
            || self.site_id.is_some()
            || self.customer_rate_plan_id.is_some()
            || self.customer_rate_pool_id.is_some();
        self.iccid_prefix.is_some() && self.iccid.is_none() && self.number.is_none() && !has_fewer
    }
}

/// In which order lines are listed: each is that of every index by which lines are sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineOrder {
    /// Those first that came first.
    #[default]
    OldestFirst,
    /// Those first that came last.
    NewestFirst,
}

/// The most lines that one page looks at where no index serves all that is sought: an index serves one part, and the rest is looked at line
/// by line.
pub const LOOKED_AT: usize = 20_000;

/// What lines have of few kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineValue {
    /// The status at the carrier.
    Status,
    /// The plan of the carrier.
    CarrierRatePlan,
}

/// A page of lines that were sought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SoughtLines {
    /// The lines.
    pub items: Vec<DeviceView>,
    /// After which line to go on; none: there are no more.
    pub next: Option<DeviceId>,
    /// Whether the page ended because [`LOOKED_AT`] lines were looked at.
    pub is_cut: bool,
}

/// How many lines a filter finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CountedLines {
    /// How many were counted.
    pub lines: i64,
    /// Whether these are all.
    pub is_all: bool,
}

/// What facts are read for. What an order's rules do not look at is not looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactsQuery {
    /// Rule 6: the effects that exclude each other.
    pub holds: Holds,
    /// Rules 7 and 8: the customer of the order; none on the AMOP path and for plan changes.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Rules 7 and 8: whether they bind the order; otherwise a line may be said to be billed to nobody.
    pub services: bool,
    /// B8.5: whether the bound of the line's own plan counts; otherwise it may be said to have none.
    pub plan_bound: bool,
}

impl FactsQuery {
    /// What an order is judged by.
    #[must_use]
    pub fn of(order: &StoredOrder) -> Self {
        let keeps_plan = order.plan().is_some_and(|plan| plan.values.plan == Setting::Keep);
        Self {
            holds: holds_of(order),
            rev_customer_id: order.assignment().and_then(|assignment| assignment.rev_customer_id),
            services: order.assignment().is_some(),
            plan_bound: keeps_plan,
        }
    }

    /// The line and its assignment alone.
    pub const LINE: Self = Self { holds: Holds::NONE, rev_customer_id: None, services: false, plan_bound: false };

    /// Everything that can be known.
    #[must_use]
    pub const fn all(holds: Holds, rev_customer_id: Option<RevCustomerId>) -> Self {
        Self { holds, rev_customer_id, services: true, plan_bound: true }
    }

    /// The holds mask of the statements: its fourth bit asks for the bound of the line's plan.
    #[must_use]
    pub const fn mask(&self) -> i64 {
        self.holds.0 | if self.plan_bound { 8 } else { 0 }
    }

    /// The customer of the statements: 0 without one, -1 when services are not looked up.
    #[must_use]
    pub fn customer(&self) -> i64 {
        if self.services { self.rev_customer_id.map_or(0, |id| id.0) } else { -1 }
    }
}

/// What was found for one of the identifiers looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundLine {
    /// Which of the identifiers, by its place in the list given.
    pub index: u32,
    /// The facts.
    pub facts: LineFacts,
}

/// What a line used in its carrier's cycle to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceUsage {
    /// Data.
    pub data_bytes: i64,
    /// Messages; none: the carrier does not say.
    pub sms_count: Option<i64>,
    /// Voice; likewise.
    pub voice_seconds: Option<i64>,
    /// When it was read.
    pub at: DateTime<Utc>,
}

/// The open plan queue entries of lines, all of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenEntries {
    /// How many.
    pub count: i64,
    /// Those of them of the date asked for, or later.
    pub later: i64,
    /// The id of the last one; 0: there is none. Entries get ascending ids, so that another one shows.
    pub last_id: i64,
    /// Their dates in seconds since 1970, added up, so that one that was moved shows.
    pub dates: i64,
}

impl OpenEntries {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            later: self.later + other.later,
            last_id: self.last_id.max(other.last_id),
            dates: self.dates.saturating_add(other.dates),
        }
    }
}

/// What is charged for lines in Rev.io, all of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charges {
    /// Money a month that is known to be charged for them in Rev.io: rate times quantity of every PENDING or ACTIVE product of a service
    /// that is not disconnected.
    pub known: Decimal,
    /// What is charged beside that, and of which no rate is known: products without one, and packages without products.
    pub unknown: i64,
}

impl Charges {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { known: self.known.saturating_add(other.known), unknown: self.unknown + other.unknown }
    }
}

/// A billing service of a line that is not disconnected, with what is charged on it.
#[derive(Debug, Clone, PartialEq)]
pub struct LineService {
    /// Whose bill it is on.
    pub rev_customer_id: RevCustomerId,
    /// Rev.io's id.
    pub rev_service_id: i64,
    /// Rev.io's service type.
    pub rev_service_type_id: Option<i64>,
    /// From when on it is billed.
    pub activated_date: Option<DateTime<Utc>>,
    /// Whether a package is charged.
    pub has_package: bool,
    /// Products that are PENDING or ACTIVE.
    pub products: Vec<LineProduct>,
}

/// A product on a billing service.
#[derive(Debug, Clone, PartialEq)]
pub struct LineProduct {
    /// Rev.io's product.
    pub rev_product_id: i64,
    /// Rev.io's package that brought it.
    pub package_id: Option<i64>,
    /// Money a month, where it is known.
    pub rate: Option<Decimal>,
    /// How many, where it is known.
    pub quantity: Option<Decimal>,
    /// PENDING or ACTIVE.
    pub status: String,
    /// As it stands on the bill.
    pub description: Option<String>,
}

/// Lines of a tenant.
#[async_trait]
pub trait DeviceStore {
    /// Lists lines by id. Archived ones are included.
    async fn list_devices(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &DeviceFilter,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Listed<DeviceView, DeviceId>>;
    /// Lines within reach that a filter finds, in that order, by an index on one part of it.
    async fn find_lines(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &LineFilter,
        order: LineOrder,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<SoughtLines>;
    /// How many lines within reach a filter finds, up to `most`; where no index serves all that is sought, among as many as are looked at
    /// for a page.
    async fn count_sought(&self, tenant: TenantId, reach: &Reach, filter: &LineFilter, most: usize) -> Result<CountedLines>;
    /// What the tenant's lines have there, each once, in order; at most `most`, each found by one step into an index.
    async fn list_line_values(&self, tenant: TenantId, of: LineValue, most: usize) -> Result<Vec<String>>;
    /// One line. Errors: `NotFound`.
    async fn get_device(&self, tenant: TenantId, id: DeviceId) -> Result<DeviceView>;
    /// What a line used in the cycle to date, as a synchronisation read it last; none: it was not read. Errors: `NotFound`.
    async fn find_device_usage(&self, tenant: TenantId, id: DeviceId) -> Result<Option<DeviceUsage>>;
    /// The services of a line that are not disconnected, by customer; whose they are the caller must look at.
    async fn list_line_services(&self, tenant: TenantId, id: DeviceId) -> Result<Vec<LineService>>;
    /// A line's history, newest first, as far as the line was within reach: what was before it came there is not listed, and of the
    /// change by which it came the old values and who ordered it are left out, and services of others beyond reach. Whether the line
    /// is within reach now is the caller's to know.
    async fn list_device_history(
        &self,
        tenant: TenantId,
        reach: &Reach,
        device: DeviceId,
        before: Option<HistoryKey>,
        limit: usize,
    ) -> Result<Listed<HistoryEntry, HistoryKey>>;
    /// What was asked for a line and is not in its history, newest first, as far as the line was within reach, as in the history: three
    /// index searches, put into one order. Whether the line is within reach now is the caller's to know.
    async fn list_line_events(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &LineEventFilter,
        device: DeviceId,
        before: Option<LineEventKey>,
        limit: usize,
    ) -> Result<Listed<LineEvent, LineEventKey>>;
    /// Looks up lines by their identifiers, set by set. A number may find several lines: then each is returned.
    async fn look_up_lines(
        &self,
        tenant: TenantId,
        identifier: LineIdentifier,
        lines: &[Digits],
        query: FactsQuery,
    ) -> Result<Vec<FoundLine>>;
    /// The open plan queue entries of those lines, set by set: those from `later_than` on are counted apart, all where it is none. An
    /// entry is within reach when its line is, and that for which it was ordered; others are not counted. `lines` are at most some
    /// thousands.
    async fn count_open_entries(
        &self,
        tenant: TenantId,
        reach: &Reach,
        lines: &[DeviceId],
        later_than: Option<DateTime<Utc>>,
    ) -> Result<OpenEntries>;
    /// What is charged for those lines, set by set, as far as it is within reach: their lines are, and the service is their own customer's
    /// or that of one within reach. `lines` are at most some thousands.
    async fn sum_up_charges(&self, tenant: TenantId, reach: &Reach, lines: &[DeviceId]) -> Result<Charges>;
}
