//! What the demonstration came to, every number read from the store or the API.

use lineshift_domain::reach::Reach;
use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_store::Store as _;
use lineshift_store::bulk_changes::BulkChangeStore as _;
use lineshift_store::devices::{DeviceFilter, DeviceStore as _};
use lineshift_store::paging::MAX_PAGE_ITEMS;
use lineshift_store_sqlite::SqliteStore;
use lineshift_web::views::{BulkChangeDetailView, Page, PlanQueueEntryView};
use serde::Serialize;

use super::billing::Ledger;
use super::carriers::Ledgers;
use super::changes::{BILLED, Shown};
use crate::client::Client;
use crate::output::table;

/// The whole.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// The store's engine.
    store: &'static str,
    /// Lines of the inventory.
    devices: u64,
    /// The changes shown.
    changes: Vec<Change>,
    /// Rev services of the change that opens them, out of the billing system's own ledger.
    rev_services: RevServices,
    /// What the carriers were asked, out of their own ledgers.
    carriers: Ledgers,
    /// Plan queue entries of the changes shown.
    plan_queue: PlanQueue,
    /// Log entries of the changes shown.
    log_entries: u64,
}

/// One change.
#[derive(Debug, Serialize)]
struct Change {
    id: i64,
    #[serde(rename = "type")]
    change_type: String,
    path: &'static str,
    status: String,
    accepted: i64,
    rejected: i64,
    processed: i64,
    failed: i64,
    errors: BTreeMap<String, i64>,
    seconds: f64,
    devices_per_second: f64,
}

#[derive(Debug, Serialize)]
struct RevServices {
    /// Lines whose service was ordered and that were not refused.
    requested: i64,
    /// Services that stand in the ledger.
    created: usize,
    /// Services and products that stand there twice.
    duplicates: usize,
}

#[derive(Debug, Serialize)]
struct PlanQueue {
    scheduled: i64,
    applied: i64,
    open: u64,
}

/// Reads all numbers.
pub(super) async fn summarize(
    store: &SqliteStore,
    tenant: TenantId,
    client: &Client,
    shown: Vec<Shown>,
    (ledger, carriers): (Ledger, Ledgers),
) -> Result<Summary> {
    let mut log_entries = 0;
    let mut plan_queue = PlanQueue { scheduled: 0, applied: 0, open: count_open_entries(client).await? };
    for Shown { change, .. } in &shown {
        let scheduled = &change.scheduled;
        plan_queue.scheduled += scheduled.open + scheduled.applied + scheduled.canceled + scheduled.failed;
        plan_queue.applied += scheduled.applied;
        log_entries += count_log(store, tenant, change.change.id).await?;
    }
    Ok(Summary {
        store: store.engine(),
        devices: count_devices(store, tenant).await?,
        changes: shown.iter().map(Change::of).collect(),
        rev_services: RevServices {
            requested: requested_services(&shown),
            created: ledger.services,
            duplicates: ledger.duplicates,
        },
        carriers,
        plan_queue,
        log_entries,
    })
}

fn requested_services(shown: &[Shown]) -> i64 {
    let billed = shown.iter().filter(|shown| shown.path == BILLED);
    billed.map(|shown| shown.change.change.counts.total - shown.change.change.counts.rejected).sum()
}

async fn count_devices(store: &SqliteStore, tenant: TenantId) -> Result<u64> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = store
            .list_devices(tenant, &Reach::Everything, &DeviceFilter::All, after, MAX_PAGE_ITEMS)
            .await
            .context("counting lines")?;
        count += page.items.len() as u64;
        after = page.next;
        if after.is_none() {
            return Ok(count);
        }
    }
}

async fn count_log(store: &SqliteStore, tenant: TenantId, id: i64) -> Result<u64> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = store.list_log(tenant, BulkChangeId(id), None, after, MAX_PAGE_ITEMS).await.context("counting the log")?;
        count += page.items.len() as u64;
        after = page.next;
        if after.is_none() {
            return Ok(count);
        }
    }
}

async fn count_open_entries(client: &Client) -> Result<u64> {
    let (mut count, mut after) = (0, String::new());
    loop {
        let page: Page<PlanQueueEntryView> = client.get(&format!("/api/v1/plan-queue?limit={MAX_PAGE_ITEMS}{after}")).await?;
        count += page.items.len() as u64;
        let Some(next) = page.next else { return Ok(count) };
        after = format!("&after={next}");
    }
}

impl Change {
    fn of(shown: &Shown) -> Self {
        let BulkChangeDetailView { change, errors, .. } = &shown.change;
        let failed = change.counts.error - change.counts.rejected;
        let accepted = change.counts.total - change.counts.rejected;
        let span = change.begun_at.zip(change.processed_at).map(|(begun, ended)| ended - begun);
        // A moment at least: the clock may not have ticked between the two.
        let seconds = span.and_then(|span| span.to_std().ok()).map_or(0.0, |span| span.as_secs_f64()).max(0.000_001);
        #[expect(clippy::cast_precision_loss, reason = "counts of lines are far below 2^52")]
        let devices_per_second = accepted as f64 / seconds;
        Self {
            id: change.id,
            change_type: change.change_type_name.clone(),
            path: shown.path,
            status: change.status.clone(),
            accepted,
            rejected: change.counts.rejected,
            processed: change.counts.processed,
            failed,
            errors: errors.iter().map(|error| (error.code.clone(), error.count)).collect(),
            seconds,
            devices_per_second: devices_per_second.round(),
        }
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.change_type.clone(),
            self.path.to_owned(),
            self.status.clone(),
            self.accepted.to_string(),
            self.rejected.to_string(),
            self.processed.to_string(),
            self.failed.to_string(),
            format!("{:.2}", self.seconds),
            format!("{:.0}", self.devices_per_second),
        ]
    }
}

impl Summary {
    /// For people.
    pub(super) fn text(&self) -> String {
        let headers = ["id", "type", "path", "status", "accepted", "rejected", "done", "failed", "seconds", "devices/s"];
        let changes = table(&headers, self.changes.iter().map(Change::row).collect());
        let mut by_code: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for change in &self.changes {
            for (code, count) in &change.errors {
                by_code.entry(code).or_default().push(format!("{count} in {}", change.path));
            }
        }
        let errors = by_code.into_iter().map(|(code, found)| vec![code.to_owned(), found.join(", ")]).collect();
        let RevServices { requested, created, duplicates } = &self.rev_services;
        let PlanQueue { scheduled, applied, open } = &self.plan_queue;
        format!(
            "\n{changes}\n{}\nRev.io: {requested} services requested, {created} in its ledger, {duplicates} twice\n{}\n\
             plan queue: {scheduled} scheduled, {applied} of them applied, {open} open; log: {} entries\n",
            table(&["refused or failed because", "lines"], errors),
            self.carriers.text(),
            self.log_entries
        )
    }
}
