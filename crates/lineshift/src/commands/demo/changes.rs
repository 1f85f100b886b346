//! The bulk changes that are shown, each ordered over the API and watched until it is finished.

use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{SecondsFormat, TimeDelta};
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store_sqlite::SqliteStore;
use lineshift_web::views::BulkChangeDetailView;

use super::load::{Loaded, change_meanwhile};
use crate::client::{Client, watch_on};
use crate::fleet::{Fleet, catalogue, orders};
use crate::notes::note;
use crate::progress;

/// How far ahead the scheduled change lies, with a second more for so many lines: it must be stored before it is due.
const AHEAD_SECONDS: i64 = 2;
const LINES_A_SECOND: u64 = 100_000;

/// How often the store is asked whether a change was completed or an entry applied.
const TICK: Duration = Duration::from_millis(50);

/// How long that may take; the billing system is in this process and fails for seconds only.
const PATIENCE: Duration = Duration::from_secs(300);

/// The path of the change that opens billing services.
pub(super) const BILLED: &str = "Rev";

/// A change that was shown.
pub(super) struct Shown {
    /// Which: AMOP, Rev, now, `by_number`, scheduled, or the carrier that is called.
    pub(super) path: &'static str,
    /// The change as it ended.
    pub(super) change: BulkChangeDetailView,
}

/// What is needed to show changes.
pub(super) struct Demonstration<'a> {
    pub(super) client: &'a Client,
    pub(super) store: &'a SqliteStore,
    pub(super) fleet: &'a Fleet,
    pub(super) loaded: &'a Loaded,
}

impl Demonstration<'_> {
    /// Orders all of them, one after the other, and answers how they ended.
    pub(super) async fn run(&self) -> Result<Vec<Shown>> {
        let fleet = self.fleet;
        let provider = |place: usize| self.loaded.providers[place].0;
        // It is not started, so that it holds lines that the first change wants.
        let holding = self.order(&orders::holding(fleet, provider(catalogue::METERS))).await?;

        let amop = self.shown("AMOP", &orders::amop_assignment(fleet, provider(catalogue::METERS))).await?;
        let rev = self.shown(BILLED, &orders::rev_assignment(fleet, provider(catalogue::TRACKERS))).await?;
        let now = self.shown_after_a_wait("now", &orders::plan_change_held_back(fleet, provider(catalogue::SENSORS))).await?;
        let by_number = self.shown("by_number", &orders::plan_change_by_number(fleet, provider(catalogue::PHONES))).await?;
        let scheduled = self.shown_when_due("scheduled", provider(catalogue::ROUTERS)).await?;

        let mut shown = vec![amop, rev, now, by_number, scheduled];
        for (path, place, out_of_use) in
            [("Jasper", catalogue::ROUTERS, "DEACTIVATED"), ("POND", catalogue::SENSORS, "Out-of-Service")]
        {
            let id = provider(place);
            shown.push(self.shown(path, &orders::carrier_plan_change(fleet, place, id)).await?);
            shown.push(self.shown(path, &orders::status_update(fleet, place, id, out_of_use)).await?);
            shown.push(self.shown(path, &orders::assignment_with_carrier_plan(fleet, place, id)).await?);
        }
        self.client.cancel(holding).await.context("canceling the change that held lines")?;
        Ok(shown)
    }

    async fn order(&self, request: &orders::Request) -> Result<i64> {
        let body = serde_json::to_vec(&request.body).context("writing an order")?;
        let name = request.body["Name"].as_str().unwrap_or_default();
        let key = format!("demo {name}").replace(' ', "-");
        let submitted = self.client.submit(request.portal.as_str(), request.endpoint, body, &key).await;
        Ok(submitted.with_context(|| format!("ordering {name:?}"))?.bulk_change_id)
    }

    async fn shown(&self, path: &'static str, request: &orders::Request) -> Result<Shown> {
        let id = self.order(request).await?;
        self.watched(path, id).await
    }

    /// Between order and start somebody else changes some of the lines.
    async fn shown_after_a_wait(&self, path: &'static str, request: &orders::Request) -> Result<Shown> {
        let id = self.order(request).await?;
        change_meanwhile(self.store, self.loaded.tenant, self.fleet).await.context("changing lines meanwhile")?;
        self.client.start(id).await.context("starting a change")?;
        self.watched(path, id).await
    }

    async fn shown_when_due(&self, path: &'static str, provider: i64) -> Result<Shown> {
        let more = i64::try_from(self.fleet.devices() / LINES_A_SECOND).unwrap_or_default();
        let due = SystemClock.now() + TimeDelta::seconds(AHEAD_SECONDS + more);
        let due = due.to_rfc3339_opts(SecondsFormat::Millis, true);
        let id = self.order(&orders::plan_change_scheduled(self.fleet, provider, &due)).await?;
        self.watched(path, id).await?;
        let bar = progress::spinning("waiting for the scheduled change to fall due");
        let change = self.until(id, |change| change.scheduled.open == 0).await;
        bar.finish_and_clear();
        Ok(Shown { path, change: change.context("waiting for the scheduled change")? })
    }

    async fn watched(&self, path: &'static str, id: i64) -> Result<Shown> {
        let bar = progress::lines(&format!("bulk change {id} ({path})"));
        let finished = watch_on(self.client, id, &bar).await;
        bar.finish_and_clear();
        finished?;
        // Completion writes history and links after the last line is final.
        let change = self.until(id, |change| change.change.processed_at.is_some()).await?;
        let counts = &change.change.counts;
        note(&format!(
            "bulk change {id} ({path}): {}, {} lines done, {} refused, {} failed",
            change.change.status,
            counts.processed,
            counts.rejected,
            counts.error - counts.rejected
        ));
        Ok(Shown { path, change })
    }

    async fn until(&self, id: i64, reached: impl Fn(&BulkChangeDetailView) -> bool) -> Result<BulkChangeDetailView> {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let change = self.client.bulk_change(id).await?;
                if reached(&change) {
                    return Ok(change);
                }
                tokio::time::sleep(TICK).await;
            }
        });
        waited.await.with_context(|| format!("bulk change {id} did not get on for {} s", PATIENCE.as_secs()))?
    }
}
