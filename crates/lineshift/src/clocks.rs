//! Whether this machine's clock agrees with the database's, and so with those of all other processes.
//!
//! A process that is ahead takes pages that others still hold; one that is ahead by minutes may repeat a call of unknown outcome before
//! it has had its time to show up. So nobody works whose clock is off.

use std::future::Future;
use std::time::Duration;

use anyhow::{Result, bail};
use chrono::TimeDelta;
use lineshift_engine::Clock;
use lineshift_store_postgres::PostgresStore;
use lineshift_store_postgres::clocks::ClockOffset;

use crate::stores::OpenStore;

/// Above this it is said: places of an account are leased with that much to spare (B7.4).
const SAID_ABOVE: TimeDelta = TimeDelta::seconds(2);

/// Above this nobody works. Two processes that are off by this much in opposite directions are apart by no more than what is left of a
/// lease when its next heartbeat is due (30 s less 10 s).
const REFUSED_ABOVE: TimeDelta = TimeDelta::seconds(10);

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(60);

/// Compares the clocks once, before anything is begun. The embedded store is used on one machine alone.
///
/// # Errors
/// They are more than ten seconds apart, or the database does not answer.
pub(crate) async fn check(store: &OpenStore, clock: impl Clock + Clone) -> Result<()> {
    match store {
        OpenStore::Sqlite(_) => Ok(()),
        OpenStore::Postgres(store, _) => judge(store.clock_offset(clock).await?),
    }
}

/// Compares the clocks every minute until `stopping` is due.
///
/// # Errors
/// They are more than ten seconds apart: the process ends by it, and may not begin again before they agree.
pub(crate) async fn watch(store: PostgresStore, clock: impl Clock + Clone, stopping: impl Future<Output = ()>) -> Result<()> {
    let watching = async {
        let mut looks = tokio::time::interval(EVERY);
        loop {
            looks.tick().await;
            match store.clock_offset(clock.clone()).await {
                Ok(offset) => judge(offset)?,
                // Whoever cannot reach the database begins nothing, either.
                Err(error) => tracing::debug!(%error, "the clocks could not be compared"),
            }
        }
    };
    tokio::select! {
        judged = watching => judged,
        () = stopping => Ok(()),
    }
}

/// Says or refuses what is too far apart, by what is certain of it.
fn judge(offset: ClockOffset) -> Result<()> {
    let apart = offset.at_least();
    if apart <= SAID_ABOVE {
        return Ok(());
    }
    let side = if offset.ahead > TimeDelta::zero() { "ahead of" } else { "behind" };
    let what = format!("this machine's clock is {:.1} s {side} the database's", apart.as_seconds_f64());
    if apart > REFUSED_ABOVE {
        bail!(
            "{what}; above {} s nothing is done, for leases would be taken from others too early or too late: set both clocks by NTP, \
             then start it again",
            REFUSED_ABOVE.num_seconds()
        );
    }
    tracing::warn!("{what}: set both clocks by NTP; above {} s this process ends", REFUSED_ABOVE.num_seconds());
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use lineshift_engine::SystemClock;
    use lineshift_store_postgres::Options;
    use lineshift_store_postgres::testing::TestDatabase;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn apart(milliseconds: i64) -> ClockOffset {
        ClockOffset { ahead: TimeDelta::milliseconds(milliseconds), uncertain_by: TimeDelta::milliseconds(500) }
    }

    #[test]
    fn ten_seconds_are_the_limit_in_either_direction_and_only_what_is_certain_counts() {
        for milliseconds in [0, 2_400, -2_600, 9_000, 10_500, -10_500] {
            judge(apart(milliseconds)).expect("it goes on");
        }
        let ahead = judge(apart(11_000)).expect_err("too far").to_string();
        assert!(ahead.contains("10.5 s ahead of the database's") && ahead.contains("NTP"), "{ahead}");
        let behind = judge(apart(-600_500)).expect_err("too far").to_string();
        assert!(behind.contains("600.0 s behind the database's"), "{behind}");
    }

    /// The machine's clock, so many seconds ahead.
    #[derive(Clone)]
    struct Off(Arc<AtomicI64>);

    impl Clock for Off {
        fn now(&self) -> DateTime<Utc> {
            SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
        }
    }

    #[tokio::test]
    async fn a_process_does_not_begin_with_a_clock_that_is_off_and_ends_when_it_comes_to_be() {
        let database = TestDatabase::new().await;
        let store = database.store(Options::default()).await;
        let off = Off(Arc::new(AtomicI64::new(0)));
        let open = OpenStore::Postgres(store.clone(), String::new());
        for (seconds, is_well) in [(0, true), (8, true), (-8, true), (15, false), (-15, false)] {
            off.0.store(seconds, Ordering::Relaxed);
            assert_eq!(check(&open, off.clone()).await.is_ok(), is_well, "{seconds} s");
        }
        off.0.store(600, Ordering::Relaxed);
        let ended = watch(store.clone(), off.clone(), std::future::pending()).await.expect_err("it ends");
        assert!(ended.to_string().contains("ahead of the database's"), "{ended}");
        off.0.store(0, Ordering::Relaxed);
        watch(store, off, std::future::ready(())).await.expect("it was asked to stop");
    }
}
