//! Watching a bulk change until it is finished, with a bar.

use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use lineshift_web::views::{BulkChangeDetailView, ProgressView};
use reqwest::Method;

use super::Client;
use super::events::Events;
use crate::exit::Refused;
use crate::progress;

/// How often in a row the server may be out of reach, and for how long each time, before it is given up.
const MOST_BREAKS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// Whether it is completed: every line of it is final, with its history written, so that it can be retried.
pub(crate) fn is_finished(change: &BulkChangeDetailView) -> bool {
    change.change.counts.open == 0 && change.change.processed_at.is_some()
}

/// Draws how far a bulk change is until it is finished or waits for a start; answers it then.
pub(crate) async fn watch(client: &Client, id: i64) -> Result<BulkChangeDetailView> {
    let bar = progress::lines(&format!("bulk change {id}"));
    let watched = watch_on(client, id, &bar).await;
    bar.finish_and_clear();
    watched
}

/// As [`watch`], on a bar that is there.
pub(crate) async fn watch_on(client: &Client, id: i64, bar: &ProgressBar) -> Result<BulkChangeDetailView> {
    let mut breaks = 0;
    loop {
        let looked = look(client, id, bar).await;
        if let Ok(Some(change)) = looked {
            return Ok(change);
        }
        // The server was restarted, or a proxy has cut the stream: the change itself goes on.
        breaks = if looked.is_ok() { 0 } else { breaks + 1 };
        if breaks > MOST_BREAKS || looked.as_ref().is_err_and(|error| error.is::<Refused>()) {
            looked?;
        }
        if breaks > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Follows a bulk change while the stream lasts; answers it if there is nothing more to follow.
async fn look(client: &Client, id: i64, bar: &ProgressBar) -> Result<Option<BulkChangeDetailView>> {
    let over = |change: &BulkChangeDetailView| is_finished(change) || change.change.held;
    let change = client.bulk_change(id).await?;
    if over(&change) {
        return Ok(Some(change));
    }
    follow(client, id, bar).await?;
    Ok(Some(client.bulk_change(id).await?).filter(over))
}

/// Follows the events until `done` or until the stream ends.
async fn follow(client: &Client, id: i64, bar: &ProgressBar) -> Result<()> {
    let path = format!("/api/v1/bulk-changes/{id}/events");
    let request = client.request(Method::GET, &path).header("accept", "text/event-stream");
    let mut events = Events::of(client.send(request).await?);
    while let Some(event) = events.next().await? {
        if !["progress", "done"].contains(&event.name.as_str()) {
            continue;
        }
        let far: ProgressView = serde_json::from_str(&event.data).context("reading a report of the server")?;
        draw(bar, &far);
        if event.name == "done" {
            break;
        }
    }
    Ok(())
}

fn draw(bar: &ProgressBar, far: &ProgressView) {
    let total = u64::try_from(far.counts.total).unwrap_or_default();
    let open = u64::try_from(far.counts.open).unwrap_or_default();
    bar.set_length(total);
    bar.set_position(total.saturating_sub(open));
    let rate = far.devices_per_second.map(|rate| format!("{rate:.0} a second")).unwrap_or_default();
    let left = far.seconds_left.map(|left| format!(", {left} s left")).unwrap_or_default();
    bar.set_prefix(format!("{rate}{left}"));
}
