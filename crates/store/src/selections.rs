//! Selections: the lines that a user has chosen in a portal, kept from page to page and from one sign-in to the next.
//!
//! A user has one selection in each portal of a tenant. Whose lines a user may see counts twice: when lines are added, and again whenever
//! they are read, so that a line that left is neither counted nor shown.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::ids::{DeviceId, ServiceProviderId, TenantId, UserId};
use lineshift_domain::lines::Digits;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{LineIdentifier, PortalType};

use crate::Result;
use crate::devices::LineFilter;

/// How long a selection is kept that nobody adds to or takes from.
pub const KEPT: TimeDelta = TimeDelta::days(7);

/// The most lines that are chosen, taken out or looked at in one transaction.
pub const SELECTED_AT_ONCE: usize = 5_000;

/// Whose selection, of which portal, and from when on it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SelectionKey {
    /// The user: the selection is theirs, whichever session they use.
    pub user: UserId,
    /// The portal.
    pub portal: PortalType,
    /// A selection that was last touched before is forgotten: whether it is dropped already or not, it is read as an empty one, and whoever
    /// adds to it begins anew.
    pub since: DateTime<Utc>,
}

impl SelectionKey {
    /// The selection as it counts at a moment: what was left alone for [`KEPT`] does not.
    #[must_use]
    pub fn at(user: UserId, portal: PortalType, now: DateTime<Utc>) -> Self {
        Self { user, portal, since: now - KEPT }
    }
}

/// Under which conditions lines are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selecting {
    /// The present moment.
    pub now: DateTime<Utc>,
    /// The most lines of a selection: as many as one order takes. What would be beyond is left out.
    pub most: u64,
}

/// A selection as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// How many lines within reach it holds.
    pub lines: i64,
    /// When lines were last added or taken out.
    pub touched_at: DateTime<Utc>,
}

/// Which of the lines that a filter finds are added next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectionWindow {
    /// After which line to go on.
    pub after: Option<DeviceId>,
    /// How many lines, at most [`SELECTED_AT_ONCE`].
    pub limit: usize,
}

/// Which of the chosen lines are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectedPart {
    /// Those after that line by id; none: from the first on.
    pub after: Option<DeviceId>,
    /// Up to that line and with it; none: to the last.
    pub through: Option<DeviceId>,
    /// How many lines, at most [`SELECTED_AT_ONCE`].
    pub limit: usize,
}

impl SelectedPart {
    /// So many after a line.
    #[must_use]
    pub const fn after(after: Option<DeviceId>, limit: usize) -> Self {
        Self { after, through: None, limit }
    }
}

/// What came of adding the lines that a filter finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SelectedMatching {
    /// How many were added: those that were not chosen already.
    pub selected: i64,
    /// After which line to go on; none: all lines were looked at, or some were left out.
    pub last: Option<DeviceId>,
    /// Whether lines that match were left out, as the selection is full.
    pub left_out: bool,
}

/// What became of an identifier that somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Its line was added.
    Added,
    /// Its line had been chosen before, or stands twice in what was written.
    AlreadyChosen,
    /// No line within reach has it.
    NotFound,
    /// Several lines within reach have this number: which one is meant is not known.
    Ambiguous,
    /// The selection holds as many lines as it may.
    Full,
}

/// A chosen line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedLine {
    /// The line.
    pub device_id: DeviceId,
    /// SIM card.
    pub iccid: String,
    /// MSISDN.
    pub subscriber_number: Option<String>,
    /// Carrier account.
    pub service_provider_id: ServiceProviderId,
}

/// The selections of a tenant's users.
#[async_trait]
pub trait SelectionStore {
    /// The selection; none: nothing is chosen. How many lines of it somebody sees who sees only some is counted line by line; else it is
    /// one row.
    async fn find_selection(&self, tenant: TenantId, key: &SelectionKey, reach: &Reach) -> Result<Option<Selection>>;
    /// Adds lines within reach, at most [`SELECTED_AT_ONCE`]; answers how many were added that were not chosen before.
    async fn select_lines(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        reach: &Reach,
        lines: &[DeviceId],
        selecting: Selecting,
    ) -> Result<i64>;
    /// Takes lines out, at most [`SELECTED_AT_ONCE`]; answers how many were there.
    async fn unselect_lines(&self, tenant: TenantId, key: &SelectionKey, lines: &[DeviceId], now: DateTime<Utc>) -> Result<i64>;
    /// Adds the next lines that a filter finds within reach. Called until there is no `last`.
    async fn select_matching(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        reach: &Reach,
        filter: &LineFilter,
        window: SelectionWindow,
        selecting: Selecting,
    ) -> Result<SelectedMatching>;
    /// Adds the lines with these identifiers, at most [`SELECTED_AT_ONCE`]; answers what became of each, in their order.
    async fn select_written(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        reach: &Reach,
        identifier: LineIdentifier,
        written: &[Digits],
        selecting: Selecting,
    ) -> Result<Vec<Written>>;
    /// How many lines within reach are chosen of each service provider.
    async fn count_selected(&self, tenant: TenantId, key: &SelectionKey, reach: &Reach) -> Result<Vec<(ServiceProviderId, i64)>>;
    /// The chosen lines within reach by id; all of them, or those of one service provider.
    async fn list_selected(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        reach: &Reach,
        service_provider: Option<ServiceProviderId>,
        part: SelectedPart,
    ) -> Result<Vec<SelectedLine>>;
    /// The last of so many chosen lines after that one, within reach or not, and however old the selection is: what is read side by side
    /// is divided there. None: there are fewer. Of no lines it is that one.
    async fn find_selected_end(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        after: Option<DeviceId>,
        lines: usize,
    ) -> Result<Option<DeviceId>>;
    /// Which of these lines are chosen.
    async fn find_selected(&self, tenant: TenantId, key: &SelectionKey, lines: &[DeviceId]) -> Result<Vec<DeviceId>>;
    /// Takes all lines out, however old the selection is, or those of one service provider. A large selection takes several short transactions.
    async fn clear_selection(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        service_provider: Option<ServiceProviderId>,
    ) -> Result<()>;
    /// Forgets selections of the tenant that nobody touched since, a hundred at most; answers how many. One that is touched meanwhile stays.
    async fn drop_untouched_selections(&self, tenant: TenantId, before: DateTime<Utc>) -> Result<usize>;
}
