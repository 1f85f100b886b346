//! Counts over all lines of a tenant, and over all that falls due soon, kept for a while: however many look, they are counted now and then
//! by one at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_store::figures::{EntryFigures, LineFigures};
use lineshift_store::plan_queue::EntryFilter;

use super::viewer::Viewer;
use crate::problem::ApiProblem;

/// How long a count is shown at least.
const KEPT: Duration = Duration::from_secs(60);

/// How many times as long as it took to count it is shown: so counting never takes more than a fiftieth of the time.
const TIMES_ITS_DURATION: u32 = 50;

/// How far ahead what falls due is counted: longer than it is shown, so that a kept count has tomorrow's last day, too.
const AHEAD: TimeDelta = TimeDelta::days(10);

/// How many counts are kept, each of one tenant and one reach.
const MOST: usize = 1_000;

/// The counts of this process. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Figures(Arc<Mutex<ByReach>>);

/// Counts by tenant and reach.
type ByReach = HashMap<(TenantId, String), Arc<Kept>>;

/// A count, and the turn of whoever counts anew.
#[derive(Default)]
struct Kept {
    counted: Mutex<Option<Counted>>,
    turn: tokio::sync::Mutex<()>,
}

/// What was counted.
#[derive(Clone)]
pub(super) struct Counted {
    pub(super) lines: Arc<LineFigures>,
    /// Open plan queue entries that fall due soon, what is overdue included.
    pub(super) due: Arc<Vec<EntryFigures>>,
    /// As of when.
    pub(super) at: DateTime<Utc>,
    until: Instant,
}

impl Kept {
    fn last(&self) -> Option<Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fresh(&self) -> Option<Counted> {
        self.last().filter(|counted| Instant::now() < counted.until)
    }
}

impl Figures {
    /// What is within the viewer's reach.
    pub(super) async fn of(&self, viewer: &Viewer) -> Result<Counted, ApiProblem> {
        let kept = self.kept(viewer);
        if let Some(fresh) = kept.fresh() {
            return Ok(fresh);
        }
        let _turn = match (kept.turn.try_lock(), kept.last()) {
            (Ok(turn), _) => turn,
            // Somebody counts just now: what was counted before is good enough meanwhile.
            (Err(_), Some(last)) => return Ok(last),
            (Err(_), None) => kept.turn.lock().await,
        };
        if let Some(fresh) = kept.fresh() {
            return Ok(fresh);
        }
        let (engine, caller, began) = (&viewer.web.engine, &viewer.caller, Instant::now());
        let at = engine.clock().now();
        let (tenant, reach) = (caller.tenant, &caller.rights.reach);
        let lines = Arc::new(engine.store().count_lines(tenant, reach).await?);
        let soon = EntryFilter { until: at + AHEAD, ..EntryFilter::ALL };
        let due = Arc::new(engine.store().count_due_entries(tenant, reach, &soon).await?);
        let until = Instant::now() + KEPT.max(began.elapsed() * TIMES_ITS_DURATION);
        let counted = Counted { lines, due, at, until };
        *kept.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted.clone());
        Ok(counted)
    }

    fn kept(&self, viewer: &Viewer) -> Arc<Kept> {
        let key = (viewer.caller.tenant, viewer.caller.rights.reach.to_string());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(&key) {
            all.retain(|_, kept| kept.fresh().is_some());
            if all.len() >= MOST {
                all.clear();
            }
        }
        Arc::clone(all.entry(key).or_default())
    }
}
