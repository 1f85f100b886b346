//! Counts over all lines of a tenant, kept for a while: however many look, they are counted now and then by one at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_store::figures::LineFigures;

use super::viewer::Viewer;
use crate::problem::ApiProblem;

/// How long a count is shown at least.
const KEPT: Duration = Duration::from_secs(60);

/// How many times as long as it took to count it is shown: so counting never takes more than a fiftieth of the time.
const TIMES_ITS_DURATION: u32 = 50;

/// How many counts are kept, each of one tenant and one reach.
const MOST: usize = 1_000;

/// The counts of this process. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Figures(Arc<Mutex<HashMap<(TenantId, String), Arc<Kept>>>>);

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
    /// The lines within the viewer's reach.
    pub(super) async fn lines(&self, viewer: &Viewer) -> Result<Counted, ApiProblem> {
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
        let lines = Arc::new(engine.store().count_lines(caller.tenant, &caller.rights.reach).await?);
        let until = Instant::now() + KEPT.max(began.elapsed() * TIMES_ITS_DURATION);
        let counted = Counted { lines, at, until };
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
