//! `GET /api/v1/bulk-changes/{id}/events`: progress as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use lineshift_domain::ids::{BulkChangeId, PrincipalId, TenantId};
use lineshift_domain::scopes::{Action, Module};
use lineshift_engine::{Caller, Changed, EngineError};
use lineshift_store::StoreError;
use lineshift_store::bulk_changes::BulkChangeView;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use utoipa::IntoParams;

use super::{of_tenant_meant, visible};
use crate::Web;
use crate::auth::{Authenticated, By};
use crate::problem::ApiProblem;
use crate::query::{Parameters, PathId};
use crate::serve::Closing;
use crate::shares::{Place, Shares};
use crate::views::{CountsView, ProgressView};

/// The least time between two looks: at most four events a second.
const LEAST_PAUSE: Duration = Duration::from_millis(250);

/// The most time between two looks: other processes may work on the same store and tell nobody here.
const MOST_PAUSE: Duration = Duration::from_secs(1);

/// Over how long the rate is taken.
const RATE_WINDOW: Duration = Duration::from_secs(10);

/// How often a connection without news shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How many streams may be open at once: each looks into the store every second.
const MOST_STREAMS: usize = 1_024;

/// How many of them are one tenant's at most.
const MOST_OF_A_TENANT: usize = 256;

/// How many of a tenant's are of one key or person at most.
const MOST_OF_ONE: usize = 32;

/// The streams that may still be opened.
#[derive(Clone)]
pub(crate) struct Streams {
    of_tenants: Shares<TenantId>,
    of_each: Shares<(TenantId, PrincipalId)>,
}

/// A place among the streams.
type StreamPlace = (Place<(TenantId, PrincipalId)>, Place<TenantId>);

impl Default for Streams {
    fn default() -> Self {
        Self { of_tenants: Shares::new(MOST_STREAMS, MOST_OF_A_TENANT), of_each: Shares::each(MOST_OF_ONE) }
    }
}

impl Streams {
    /// A place for one more stream, until it is dropped. Errors: 429.
    fn open(&self, tenant: TenantId, principal: PrincipalId) -> Result<StreamPlace, ApiProblem> {
        let own = self.of_each.try_take(&(tenant, principal));
        let place = own.and_then(|own| Some((own, self.of_tenants.try_take(&tenant)?)));
        place.ok_or_else(|| {
            let message = format!(
                "too many streams are open already: {MOST_OF_ONE} of yours, {MOST_OF_A_TENANT} of your tenant, or {MOST_STREAMS} of all; \
                 ask for the bulk change itself, or try again later"
            );
            ApiProblem::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(10)
        })
    }
}

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct EventsParams {
    /// The tenant that is meant; where the caller is of another, nothing is answered of it (409).
    tenant: Option<i64>,
}

/// Follows a bulk change
///
/// Server-sent events: `progress` at once and then whenever status or counts have changed or it is started, at most four a second; `done`
/// with the same data when the change is completed, which ends the stream. It also ends when the server stops (connect
/// again) and when the key is not valid any more or the session is over. At most 32 streams of a key or person are open at once, 256 of a
/// tenant, and 1,024 of a server.
#[utoipa::path(get, path = "/api/v1/bulk-changes/{id}/events", tag = crate::api::tag::BULK_CHANGES, 
    params(("id" = i64, Path, description = "The bulk change"), EventsParams),
    responses(
        (status = 409, description = "Another tenant is meant than the caller's", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 200, description = "Events; the data of each is a Progress", body = ProgressView, content_type = "text/event-stream"),
        (status = 429, description = "Too many streams are open", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn follow_bulk_change(
    State(web): State<Web>,
    Authenticated { caller, by }: Authenticated,
    PathId(id): PathId,
    mut parameters: Parameters,
    closing: Option<Extension<Closing>>,
) -> Result<Response, ApiProblem> {
    of_tenant_meant(&mut parameters, &caller)?;
    parameters.finish()?;
    // Subscribed before the first look, so that no change falls between the two.
    let changes = web.engine.events().subscribe();
    let change = visible(&web, &caller, id).await?;
    let place = web.streams.open(caller.tenant, caller.principal)?;
    let closing = closing.map_or_else(Closing::never, |Extension(closing)| closing);
    let watch = Watch {
        web,
        caller,
        by,
        id: change.id,
        module: change.portal.into(),
        changes,
        closing,
        meter: Meter::default(),
        last: None,
        ready: VecDeque::new(),
        looked_at: Instant::now(),
        ended: false,
        _place: place,
    };
    let events = stream::unfold((watch, Some(change)), |(mut watch, first)| async move {
        if let Some(change) = first {
            watch.note(&change);
        }
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), (watch, None)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// One watcher of one bulk change.
struct Watch {
    web: Web,
    caller: Caller,
    by: By,
    id: BulkChangeId,
    /// Where the key must be allowed to look.
    module: Module,
    changes: broadcast::Receiver<Changed>,
    closing: Closing,
    meter: Meter,
    /// What was told last.
    last: Option<(String, bool, CountsView)>,
    /// What is to be told next.
    ready: VecDeque<Event>,
    looked_at: Instant,
    ended: bool,
    _place: StreamPlace,
}

impl Watch {
    /// The next event; none: the stream is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.ended || !self.wait().await {
                return None;
            }
            self.look().await;
        }
    }

    /// Waits until it is time to look again; false: the server stops.
    async fn wait(&mut self) -> bool {
        let latest = self.looked_at + MOST_PAUSE;
        let changed = async {
            wait_for_change(&mut self.changes, &self.caller, self.id).await;
            tokio::time::sleep_until(self.looked_at + LEAST_PAUSE).await;
        };
        tokio::select! {
            () = self.closing.begun() => false,
            () = changed => true,
            () = tokio::time::sleep_until(latest) => true,
        }
    }

    async fn look(&mut self) {
        self.looked_at = Instant::now();
        match self.may_look().await {
            Ok(true) => {}
            Ok(false) => {
                self.ended = true;
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "the rights of a stream could not be looked up; the next look may");
                return;
            }
        }
        match self.web.engine.get_bulk_change(&self.caller, self.id).await {
            Ok(change) => self.note(&change),
            // Dropped while its lines still arrived: there is nothing left to follow.
            Err(EngineError::Store(StoreError::NotFound { .. })) => self.ended = true,
            Err(error) => tracing::warn!(%error, "progress could not be read; the next look may"),
        }
    }

    /// Whether the caller may still look: rights may have been taken away, or the session ended, since the stream began.
    async fn may_look(&mut self) -> Result<bool, StoreError> {
        if let By::Person(person) = &self.by
            && !person.is_still_signed_in(&self.web).await?
        {
            return Ok(false);
        }
        let now = self.web.engine.clock().now();
        let Some(rights) = self.web.engine.store().find_rights(self.caller.tenant, self.caller.principal, now).await? else {
            return Ok(false);
        };
        self.caller.rights = rights;
        Ok(self.caller.rights.allow(self.module, Action::View))
    }

    /// Takes note of where the change stands: an event if it is new, and the last one if it is completed. Final rows are not
    /// enough: until their history is written, the change cannot be retried.
    fn note(&mut self, change: &BulkChangeView) {
        let counts = CountsView::of(change);
        let (status, held) = (change.status().to_string(), change.is_held() && !change.receiving);
        let done = counts.open == 0 && change.processed_at.is_some();
        let rate = self.meter.rate(counts.total - counts.open, self.looked_at);
        let progress = ProgressView {
            status: status.clone(),
            held,
            counts,
            devices_per_second: rate,
            seconds_left: if done { Some(0) } else { rate.and_then(|rate| seconds_left(counts.open, rate)) },
        };
        let now = Some((status, held, counts));
        if self.last != now {
            self.last = now;
            self.ready.extend(event("progress", &progress));
        }
        if done {
            self.ready.extend(event("done", &progress));
            self.ended = true;
        }
    }
}

async fn wait_for_change(changes: &mut broadcast::Receiver<Changed>, caller: &Caller, id: BulkChangeId) {
    loop {
        match changes.recv().await {
            Ok(changed) if changed.tenant == caller.tenant && changed.bulk_change_id == id => return,
            Ok(_) => {}
            // Some were missed, perhaps ours.
            Err(RecvError::Lagged(_)) => return,
            // Nobody tells any more: the other wait looks by itself.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn event(name: &str, progress: &ProgressView) -> Option<Event> {
    Event::default().event(name).json_data(progress).ok()
}

/// Measures how fast rows become final, over the last seconds.
#[derive(Default)]
struct Meter(VecDeque<(Instant, i64)>);

impl Meter {
    /// Rows a second, once there are two looks.
    fn rate(&mut self, finished: i64, now: Instant) -> Option<f64> {
        while self.0.len() > 1 && self.0.front().is_some_and(|(at, _)| now - *at > RATE_WINDOW) {
            self.0.pop_front();
        }
        self.0.push_back((now, finished));
        let (since, before) = *self.0.front()?;
        let seconds = (now - since).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^52")]
        let rows = (finished - before) as f64;
        // A retry opens rows again: then fewer are final than before.
        (seconds > 0.0 && rows >= 0.0).then(|| (rows / seconds * 10.0).round() / 10.0)
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate for people"
)]
fn seconds_left(open: i64, rate: f64) -> Option<u64> {
    (rate > 0.0).then(|| (open as f64 / rate).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_counted_and_refused_beyond_the_most() {
        let streams = Streams::default();
        let open = |tenant, principal| streams.open(TenantId(tenant), PrincipalId(principal));
        let refused = |tenant, principal| open(tenant, principal).err().map(|problem| problem.view().status);
        let mut places: Vec<_> = (0..MOST_OF_ONE).map(|_| open(1, 1).expect("a place")).collect();
        assert_eq!(refused(1, 1), Some(429), "no more of one key or person");
        places.extend((0..MOST_OF_A_TENANT - MOST_OF_ONE).map(|nth| open(1, 2 + nth as i64).expect("a place of another")));
        assert_eq!(refused(1, 9_999), Some(429), "no more of one tenant");
        places.extend((0..MOST_STREAMS - MOST_OF_A_TENANT).map(|nth| open(2 + nth as i64, 1).expect("another tenant's place")));
        assert_eq!(refused(9_999, 1), Some(429), "no more at all");
        places.remove(0);
        drop(open(1, 1).expect("the place of the one that ended"));
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut meter = Meter::default();
        assert_eq!(meter.rate(0, at(0)), None, "one look says nothing");
        assert_eq!(meter.rate(1_000, at(2)), Some(500.0));
        assert_eq!(meter.rate(1_000, at(12)), Some(0.0), "the first ten seconds are forgotten");
        assert_eq!(meter.rate(500, at(13)), None, "a retry opened rows again");
    }

    #[test]
    fn seconds_left_follow_from_the_rate() {
        assert_eq!(seconds_left(1_000, 300.0), Some(4));
        assert_eq!(seconds_left(0, 300.0), Some(0));
        assert_eq!(seconds_left(1_000, 0.0), None);
    }
}
