//! Watching a bulk change until it is finished, with a bar.

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use lineshift_web::views::{BulkChangeDetailView, ProgressView};
use reqwest::Method;

use super::Client;
use super::events::Events;
use crate::progress;

/// How often the stream may break off before it is given up.
const MOST_BREAKS: u32 = 5;

/// Whether every line of it is final.
pub(crate) fn is_finished(change: &BulkChangeDetailView) -> bool {
    change.change.counts.open == 0 && change.change.status != "RECEIVING"
}

/// Draws how far a bulk change is until it is finished; answers it then.
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
        let ended = follow(client, id, bar).await;
        let change = client.bulk_change(id).await?;
        if is_finished(&change) {
            return Ok(change);
        }
        // The server was restarted, or a proxy has cut the stream: the change itself goes on.
        breaks += 1;
        if breaks > MOST_BREAKS {
            ended.context("the server ended its reports; the bulk change goes on: lineshift status ID --watch")?;
        }
    }
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
