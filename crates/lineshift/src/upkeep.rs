//! What a process on PostgreSQL sees to beside its work: that the months to come have their partitions.

use std::time::Duration;

use chrono::Datelike as _;
use lineshift_engine::Clock;
use lineshift_store_postgres::PostgresStore;
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
    pub(crate) fn begin(store: &OpenStore, clock: impl Clock) -> Self {
        let OpenStore::Postgres(store, _) = store else { return Self(None) };
        let store = store.clone();
        Self(Some(tokio::spawn(async move {
            let mut looks = tokio::time::interval(EVERY);
            loop {
                looks.tick().await;
                look(&store, &clock).await;
            }
        })))
    }
}

/// Makes the partitions of this month and those ahead where they are missing.
async fn look(store: &PostgresStore, clock: &impl Clock) {
    let now = clock.now();
    let month = u32::try_from(now.year()).unwrap_or_default() * 100 + now.month();
    match store.ensure_partitions(month, MONTHS_AHEAD + 1).await {
        Ok(0) => {}
        Ok(made) => tracing::info!(made, "partitions were made for the months to come"),
        // Rows of a month without a partition go to the default one: nothing is lost, and they are moved when it is made.
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "no partitions could be made; tried again in a day");
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use chrono::{DateTime, Utc};
    use lineshift_store_postgres::Options;
    use lineshift_store_postgres::testing::TestDatabase;

    use super::*;

    /// Stands at that second.
    struct At(AtomicI64);

    impl Clock for At {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp(self.0.load(Ordering::Relaxed), 0).expect("a moment")
        }
    }

    #[tokio::test]
    async fn a_month_that_ends_brings_one_more_at_the_other_end_and_takes_in_what_came_before_it() {
        let database = TestDatabase::new().await;
        let store = database.store(Options::default()).await;
        let (row, months) = (
            "INSERT INTO tenant (id, name, time_zone, created_at) VALUES (1, 'one', 'UTC', 0);
             INSERT INTO audit_entry (tenant_id, month, request_id, at, actor, who, action)
                 VALUES (1, 203108, '1', 0, 'key', 'ann', 'looked')",
            "SELECT string_agg(right(relname, 6), ' ' ORDER BY relname) FROM pg_class
             WHERE relkind = 'r' AND relname ~ '^audit_entry_20[3-9]'",
        );
        database.execute(row).await.expect("a clock that was ahead");
        let end_of_january = DateTime::parse_from_rfc3339("2031-01-31T23:59:30Z").expect("a moment").timestamp();
        let clock = At(AtomicI64::new(end_of_january));
        look(&store, &clock).await;
        assert_eq!(database.look(months).await, [["203101 203102 203103 203104 203105 203106 203107"]]);
        assert_eq!(database.look("SELECT count(*) FROM audit_entry_default").await, [["1"]]);

        clock.0.store(end_of_january + 60, Ordering::Relaxed);
        look(&store, &clock).await;
        assert_eq!(database.look(months).await, [["203101 203102 203103 203104 203105 203106 203107 203108"]]);
        let places = "SELECT (SELECT count(*) FROM audit_entry_203108), (SELECT count(*) FROM audit_entry_default)";
        assert_eq!(database.look(places).await, [["1", "0"]]);
        let begun = Upkeep::begin(&OpenStore::Postgres(store, String::new()), clock);
        assert!(begun.0.as_ref().is_some_and(|task| !task.is_finished()));
    }
}
