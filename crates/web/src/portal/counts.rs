//! How many lines of a selection somebody sees who sees only some, and of which service providers. That is counted line by line, so that what
//! was counted of a large selection is kept for a moment, as long as nobody adds to it or takes from it, and one at a time counts it.

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
type ByOwner = HashMap<(TenantId, UserId, PortalType), Arc<Kept>>;

/// Lines by service provider.
pub(super) type ByProvider = Arc<Vec<(ServiceProviderId, i64)>>;

/// A count, and the turn of whoever counts anew.
#[derive(Default)]
struct Kept {
    counted: Mutex<Option<Counted>>,
    turn: tokio::sync::Mutex<()>,
}

/// What was counted, and of what.
struct Counted {
    reach: String,
    /// The whole selection as it stood.
    of: Selection,
    at: DateTime<Utc>,
    lines: ByProvider,
}

impl Kept {
    /// What was counted of just that, a moment ago.
    fn fresh(&self, all: &Selection, reach: &str, now: DateTime<Utc>) -> Option<ByProvider> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = counted.as_ref().filter(|counted| counted.of == *all && counted.reach == reach && now - counted.at < KEPT)?;
        Some(Arc::clone(&fresh.lines))
    }

    /// What is kept of the selection, or is counted now; whoever comes meanwhile waits for it, and counts only what has changed since.
    async fn count<W, C>(
        &self,
        all: Selection,
        reach: &str,
        now: impl Fn() -> DateTime<Utc>,
        whole: impl FnOnce() -> W,
        count: impl FnOnce() -> C,
    ) -> Result<ByProvider, StoreError>
    where
        W: Future<Output = Result<Option<Selection>, StoreError>>,
        C: Future<Output = Result<ByProvider, StoreError>>,
    {
        if let Some(lines) = self.fresh(&all, reach, now()) {
            return Ok(lines);
        }
        let _turn = self.turn.lock().await;
        // Its owner may have added to it, or taken from it, while one waited.
        let Some(all) = whole().await? else { return Ok(ByProvider::default()) };
        if let Some(lines) = self.fresh(&all, reach, now()) {
            return Ok(lines);
        }
        let (at, lines) = (now(), count().await?);
        let counted = Counted { reach: reach.to_owned(), of: all, at, lines: Arc::clone(&lines) };
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted);
        Ok(lines)
    }

    fn is_old(&self, now: DateTime<Utc>) -> bool {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.as_ref().is_none_or(|counted| now - counted.at >= KEPT)
    }
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
        let engine = &viewer.web.engine;
        let (tenant, reach, key) = (viewer.caller.tenant, &viewer.caller.rights.reach, key(viewer, portal));
        let count = || async { engine.store().count_selected(tenant, &key, reach).await.map(Arc::new) };
        if all.lines <= ALWAYS {
            return count().await;
        }
        let kept = self.kept((tenant, key.user, portal), engine.clock().now());
        kept.count(all, &reach.to_string(), || engine.clock().now(), || whole(viewer, portal), count).await
    }

    fn kept(&self, whose: (TenantId, UserId, PortalType), now: DateTime<Utc>) -> Arc<Kept> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_KEPT && !all.contains_key(&whose) {
            // One that somebody is at is left, so that nobody counts the same beside them.
            all.retain(|_, kept| Arc::strong_count(kept) > 1 || !kept.is_old(now));
            if all.len() >= MOST_KEPT {
                return Arc::default();
            }
        }
        Arc::clone(all.entry(whose).or_default())
    }
}

/// The selection with what is beyond reach: one row.
async fn whole(viewer: &Viewer, portal: PortalType) -> Result<Option<Selection>, StoreError> {
    let store = viewer.web.engine.store();
    store.find_selection(viewer.caller.tenant, &key(viewer, portal), &Reach::Everything).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// A large selection, and a second one of the same owner.
    fn selection(lines: i64) -> Selection {
        Selection { lines, touched_at: DateTime::UNIX_EPOCH }
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_pages_are_opened_at_once_a_selection_is_counted_once() {
        let (kept, counted) = (Arc::new(Kept::default()), Arc::new(AtomicUsize::new(0)));
        let page = |stood: i64, stands: i64, at: i64| {
            let (kept, counted) = (Arc::clone(&kept), Arc::clone(&counted));
            tokio::spawn(async move {
                let now = move || DateTime::from_timestamp(at, 0).expect("a time");
                let whole = || async move { Ok(Some(selection(stands))) };
                let count = || async {
                    counted.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_secs(3)).await;
                    Ok(Arc::new(vec![(ServiceProviderId(1), stands)]))
                };
                kept.count(selection(stood), "*", now, whole, count).await.expect("counted").iter().map(|(_, count)| count).sum()
            })
        };
        let pages: Vec<tokio::task::JoinHandle<i64>> = (0..5).map(|_| page(1_000_000, 1_000_000, 0)).collect();
        for page in pages {
            assert_eq!(page.await.expect("shown"), 1_000_000);
        }
        assert_eq!(counted.load(Ordering::Relaxed), 1, "the others waited for the first");
        assert_eq!(page(1_000_000, 1_000_000, 59).await.expect("shown"), 1_000_000);
        assert_eq!(counted.load(Ordering::Relaxed), 1, "the next page shows what was counted");
        // Lines are taken out while two pages wait: what they show is what is left, counted once.
        let (first, second) = (page(1_000_000, 999_000, 0), page(1_000_001, 999_000, 0));
        assert_eq!((first.await.expect("shown"), second.await.expect("shown")), (1_000_000, 999_000));
        assert_eq!(counted.load(Ordering::Relaxed), 2);
        assert_eq!(page(999_000, 999_000, 60).await.expect("shown"), 999_000);
        assert_eq!(counted.load(Ordering::Relaxed), 3, "after a minute it is counted anew");
    }
}
