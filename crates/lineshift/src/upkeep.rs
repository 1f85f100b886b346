//! What a process on PostgreSQL sees to beside its work: that the months to come have their partitions.

use std::time::Duration;

use chrono::Datelike as _;
use lineshift_engine::{Clock as _, SystemClock};
use tokio::task::JoinHandle;

use crate::stores::OpenStore;

/// Months ahead that have partitions: a process that cannot make some has half a year to be looked at.
const MONTHS_AHEAD: u32 = 6;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(24 * 3_600);

/// Sees to it until dropped; every process does, and what one has made the others leave alone.
pub(crate) struct Upkeep(Option<JoinHandle<()>>);

impl Upkeep {
    /// Begins, if the store needs it.
    pub(crate) fn begin(store: &OpenStore) -> Self {
        let OpenStore::Postgres(store, _) = store else { return Self(None) };
        let store = store.clone();
        Self(Some(tokio::spawn(async move {
            let mut looks = tokio::time::interval(EVERY);
            loop {
                looks.tick().await;
                let now = SystemClock.now();
                let month = u32::try_from(now.year()).unwrap_or_default() * 100 + now.month();
                match store.ensure_partitions(month, MONTHS_AHEAD + 1).await {
                    Ok(0) => {}
                    Ok(made) => tracing::info!(made, "partitions were made for the months to come"),
                    // Rows of a month without a partition go to the default one: nothing is lost, but they cannot be dropped by month.
                    Err(error) => tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "no partitions could be made; tried again in a day"
                    ),
                }
            }
        })))
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}
