//! What is behind a page: calls of the API, and where it has none for what a page shows, what the store is asked for, by the measuring
//! process itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use lineshift_domain::ids::{DeviceId, TenantId, UserId};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::PortalType;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::Store;
use lineshift_store::devices::{LineEventFilter, LineFilter, LineOrder};
use lineshift_store::plan_queue::EntryFilter;
use lineshift_store::selections::{SELECTED_AT_ONCE, SelectedLine, SelectedPart, SelectionKey};
use reqwest::StatusCode;

use super::browser::Browser;

/// Lines of a page of the grid, and lines that are counted for it.
pub(super) const GRID_LINES: usize = 50;
const COUNTED: usize = 10_000;

/// Changes that home shows as running, or as failed.
const HOME_CHANGES: usize = 20;

/// A call of the API, or what the store is asked for where there is none.
pub(super) enum Call {
    /// A path.
    Get(String),
    /// A path of which it is fine to answer that there is nothing.
    GetIfAny(String),
    /// A path, and the body that is sent.
    Post(String, Bytes),
    /// Lines that a filter finds.
    Lines(LineFilter),
    /// How many.
    CountLines(LineFilter),
    /// The billing services of a line.
    Services(DeviceId),
    /// What was asked for a line and is not in its history.
    Asked(DeviceId),
    /// How many entries of the plan queue fall due when.
    CountDue(EntryFilter),
    /// Changes that run.
    Unfinished,
    /// Changes of which lines failed since then.
    Failed(DateTime<Utc>),
    /// What became of changes since then.
    Days(DateTime<Utc>),
    /// How many lines are whose.
    Figures,
    /// The lines that somebody has chosen.
    Chosen(UserId),
    /// How many open entries of the plan queue lines have.
    OpenEntries(Vec<DeviceId>),
}

/// The store, and whose part of it is asked for.
pub(super) struct Behind {
    pub(super) store: Arc<dyn Store>,
    pub(super) tenant: TenantId,
}

impl Call {
    /// Whether it is one of the API.
    pub(super) const fn is_of_api(&self) -> bool {
        matches!(self, Self::Get(_) | Self::GetIfAny(_) | Self::Post(..))
    }

    /// Makes it; how long it took.
    pub(super) async fn make(&self, browser: &Browser, behind: &Behind) -> Result<Duration> {
        let (path, answer) = match self {
            Self::Get(path) | Self::GetIfAny(path) => (path, browser.get(path).await?),
            Self::Post(path, body) => (path, browser.post(path, body.clone()).await?),
            _ => return behind.ask(self).await,
        };
        let is_fine =
            answer.status == StatusCode::OK || matches!(self, Self::GetIfAny(_)) && answer.status == StatusCode::NOT_FOUND;
        ensure!(is_fine, "{path} answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        Ok(answer.took)
    }
}

impl Behind {
    async fn ask(&self, call: &Call) -> Result<Duration> {
        let (store, tenant, reach) = (&self.store, self.tenant, Reach::Everything);
        let started = Instant::now();
        match call {
            Call::Lines(filter) => {
                drop(store.find_lines(tenant, &reach, filter, LineOrder::OldestFirst, None, GRID_LINES).await?);
            }
            Call::CountLines(filter) => drop(store.count_sought(tenant, &reach, filter, COUNTED).await?),
            Call::Services(line) => drop(store.list_line_services(tenant, *line).await?),
            Call::Asked(line) => {
                let filter = LineEventFilter { portals: PortalType::ALL.to_vec(), ordered_by: None };
                drop(store.list_line_events(tenant, &reach, &filter, *line, None, GRID_LINES).await?);
            }
            Call::CountDue(filter) => drop(store.count_due_entries(tenant, &reach, filter).await?),
            Call::Unfinished => drop(store.list_unfinished(tenant, PortalType::ALL, None, HOME_CHANGES).await?),
            Call::Failed(since) => drop(store.list_failed(tenant, PortalType::ALL, None, *since, HOME_CHANGES).await?),
            Call::Days(since) => drop(store.count_bulk_changes(tenant, None, *since).await?),
            Call::Figures => drop(store.count_lines(tenant, &reach).await?),
            Call::Chosen(user) => drop(self.chosen(*user).await?),
            Call::OpenEntries(lines) => {
                let parts = lines.chunks(SELECTED_AT_ONCE);
                drop(try_join_all(parts.map(|lines| store.count_open_entries(tenant, &reach, lines, None))).await?);
            }
            Call::Get(_) | Call::GetIfAny(_) | Call::Post(..) => {}
        }
        Ok(started.elapsed())
    }

    /// What somebody has chosen in the portal that is measured.
    pub(super) async fn chosen(&self, user: UserId) -> Result<Vec<SelectedLine>> {
        let key = SelectionKey::at(user, PortalType::M2M, SystemClock.now());
        let (mut chosen, mut after) = (Vec::new(), None);
        loop {
            let part = SelectedPart::after(after, SELECTED_AT_ONCE);
            let listed = self.store.list_selected(self.tenant, &key, &Reach::Everything, None, part).await?;
            let is_last = listed.len() < SELECTED_AT_ONCE;
            after = listed.last().map(|line| line.device_id);
            chosen.extend(listed);
            if is_last {
                return Ok(chosen);
            }
        }
    }
}
