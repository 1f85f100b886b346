//! Figures for people: how many lines are whose, what ran lately, what falls due. Each is one grouped statement over an index.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{CustomerRatePlanId, PrincipalId, RevCustomerId, SiteId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::PortalType;

use crate::Result;
use crate::bulk_changes::BulkChangeView;
use crate::plan_queue::EntryFilter;

/// The lines of a tenant within a reach by what they have in common; archived ones are among them, as in lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineFigures {
    /// All of them.
    pub total: i64,
    /// Of each customer that has any, in no order.
    pub by_customer: Vec<(LineCustomer, i64)>,
    /// On each customer rate plan that has any, in no order.
    pub by_plan: Vec<(CustomerRatePlanId, i64)>,
    /// In each of the carriers' statuses, in no order.
    pub by_status: Vec<(String, i64)>,
}

/// Whose a line is: a customer of the billing system, or a site that is a customer itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineCustomer {
    /// A Rev customer.
    Rev(RevCustomerId),
    /// A site without one (AMOP path).
    Amop(SiteId),
}

/// What became of the bulk changes that were ordered in one quarter of an hour: in every time zone, days begin with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeFigures {
    /// Of this portal.
    pub portal: PortalType,
    /// When the quarter began.
    pub from: DateTime<Utc>,
    /// Bulk changes.
    pub changes: i64,
    /// Lines done as asked.
    pub processed: i64,
    /// Lines that ended in ERROR.
    pub error: i64,
    /// Lines canceled.
    pub canceled: i64,
    /// Of the lines done as asked, those whose scheduled change was refused when it fell due.
    pub scheduled_failed: i64,
}

/// How many open plan queue entries fall due in one quarter of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryFigures {
    /// Of this portal.
    pub portal: PortalType,
    /// When the quarter begins.
    pub from: DateTime<Utc>,
    /// Entries.
    pub entries: i64,
}

/// Figures of a tenant.
#[async_trait]
pub trait FigureStore {
    /// Lines within reach. It goes through the indexes of all of them: ask now and then, not for every page.
    async fn count_lines(&self, tenant: TenantId, reach: &Reach) -> Result<LineFigures>;
    /// Bulk changes ordered since then, by quarters of an hour, in no order; only those that `ordered_by` ordered, where it is given.
    async fn count_bulk_changes(
        &self,
        tenant: TenantId,
        ordered_by: Option<PrincipalId>,
        since: DateTime<Utc>,
    ) -> Result<Vec<ChangeFigures>>;
    /// Open entries within reach that fall due within the filter's time, of whichever portal, by quarters of an hour, in no order.
    async fn count_due_entries(&self, tenant: TenantId, reach: &Reach, filter: &EntryFilter) -> Result<Vec<EntryFigures>>;
    /// Bulk changes of these portals that are not completed, newest first, those that wait for a start included, those whose lines arrive not.
    async fn list_unfinished(
        &self,
        tenant: TenantId,
        portals: &[PortalType],
        ordered_by: Option<PrincipalId>,
        limit: usize,
    ) -> Result<Vec<BulkChangeView>>;
    /// Bulk changes of these portals of which lines ended in ERROR, completed since then, or of which scheduled changes were refused since
    /// then; what failed latest comes first.
    async fn list_failed(
        &self,
        tenant: TenantId,
        portals: &[PortalType],
        ordered_by: Option<PrincipalId>,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<BulkChangeView>>;
}
