//! Serving until asked to stop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::sync::{OwnedRwLockReadGuard, RwLock, watch};

/// How long answers that were begun may go on after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(30);

/// How long what is written beside the answers may go on after the last of them.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// Tells whoever would never end by itself that the server stops: streams, and what is written beside the answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closing {
    stops: Option<watch::Receiver<bool>>,
    /// Held for reading by whoever is waited for.
    held: Arc<RwLock<()>>,
}

impl Closing {
    /// For routers that are served by something else.
    pub(crate) fn never() -> Self {
        Self::default()
    }

    /// Has the server wait, when it stops, until what is answered is dropped; none: it waits no more.
    pub(crate) fn hold(&self) -> Option<OwnedRwLockReadGuard<()>> {
        Arc::clone(&self.held).try_read_owned().ok()
    }

    /// Waits until nothing is held any more.
    async fn released(&self) {
        drop(self.held.write().await);
    }

    /// Waits until the server stops.
    pub(crate) async fn begun(&mut self) {
        match &mut self.stops {
            // A dropped sender means that the server is gone.
            Some(receiver) => drop(receiver.wait_for(|closing| *closing).await),
            None => std::future::pending().await,
        }
    }
}

/// Serves until `shutdown` is over; then takes no new requests, ends event streams, and gives answers that were begun 30
/// seconds, and what is written beside them five. Errors: those of the listener.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let (sender, receiver) = watch::channel(false);
    let closing = Closing { stops: Some(receiver), ..Closing::default() };
    let mut stopping = closing.clone();
    let router = router.layer(Extension(closing.clone()));
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        sender.send_replace(true);
    });
    let grace = async {
        stopping.begun().await;
        tokio::time::sleep(GRACE).await;
    };
    let served = tokio::select! {
        served = server => served,
        () = grace => {
            tracing::warn!(seconds = GRACE.as_secs(), "some answers were cut off");
            Ok(())
        }
    };
    if tokio::time::timeout(LAST_WRITES, closing.released()).await.is_err() {
        tracing::warn!(seconds = LAST_WRITES.as_secs(), "when keys were last used could not be written in time");
    }
    served
}
