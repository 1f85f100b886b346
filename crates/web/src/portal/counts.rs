//! How many lines of a selection somebody sees who sees only some, and of which service providers. That is counted line by line, so that what
//! was counted of a large selection is kept for a moment, as long as nobody adds to it or takes from it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::ids::{ServiceProviderId, TenantId, UserId};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::PortalType;
use lineshift_store::StoreError;
use lineshift_store::selections::Selection;

use super::choosing::key;
use super::viewer::Viewer;

/// Selections of so many lines are counted anew each time: it takes a few milliseconds.
const ALWAYS: i64 = 1_000;

/// How long a count of more is kept. A line that changes hands meanwhile is counted as it stood; it is neither shown nor ordered for.
const KEPT: TimeDelta = TimeDelta::minutes(1);

/// Counts that are kept, in each process.
const MOST_KEPT: usize = 1_000;

/// The counts of this process. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct SelectionCounts(Arc<Mutex<ByOwner>>);

/// Counts by whose selection it is, and of which portal.
type ByOwner = HashMap<(TenantId, UserId, PortalType), Counted>;

/// Lines by service provider.
pub(super) type ByProvider = Arc<Vec<(ServiceProviderId, i64)>>;

/// What was counted, and of what.
struct Counted {
    reach: String,
    /// The whole selection as it stood.
    of: Selection,
    at: DateTime<Utc>,
    lines: ByProvider,
}

impl SelectionCounts {
    /// How many lines of a selection are within the viewer's reach.
    pub(super) async fn lines(&self, viewer: &Viewer, portal: PortalType) -> Result<i64, StoreError> {
        let Some(all) = whole(viewer, portal).await? else { return Ok(0) };
        if viewer.caller.rights.reach.is_everything() {
            return Ok(all.lines);
        }
        Ok(self.counted(viewer, portal, all).await?.iter().map(|(_, count)| count).sum())
    }

    /// The same by service provider.
    pub(super) async fn by_provider(&self, viewer: &Viewer, portal: PortalType) -> Result<ByProvider, StoreError> {
        match whole(viewer, portal).await? {
            Some(all) => self.counted(viewer, portal, all).await,
            None => Ok(ByProvider::default()),
        }
    }

    async fn counted(&self, viewer: &Viewer, portal: PortalType, all: Selection) -> Result<ByProvider, StoreError> {
        let (tenant, reach, now) = (viewer.caller.tenant, &viewer.caller.rights.reach, viewer.web.engine.clock().now());
        let (key, written) = (key(viewer, portal), reach.to_string());
        let whose = (tenant, key.user, portal);
        if let Some(counted) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&whose)
            && counted.of == all
            && counted.reach == written
            && now - counted.at < KEPT
        {
            return Ok(Arc::clone(&counted.lines));
        }
        let lines = Arc::new(viewer.web.engine.store().count_selected(tenant, &key, reach).await?);
        if all.lines > ALWAYS {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= MOST_KEPT {
                kept.retain(|_, counted| now - counted.at < KEPT);
            }
            if kept.len() < MOST_KEPT {
                kept.insert(whose, Counted { reach: written, of: all, at: now, lines: Arc::clone(&lines) });
            }
        }
        Ok(lines)
    }
}

/// The selection with what is beyond reach: one row.
async fn whole(viewer: &Viewer, portal: PortalType) -> Result<Option<Selection>, StoreError> {
    let store = viewer.web.engine.store();
    store.find_selection(viewer.caller.tenant, &key(viewer, portal), &Reach::Everything).await
}
