//! Serving until asked to stop.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long answers that were begun may go on after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(30);

/// Tells streams that would never end by themselves that the server stops.
#[derive(Debug, Clone)]
pub(crate) struct Closing(Option<watch::Receiver<bool>>);

impl Closing {
    /// For routers that are served by something else.
    pub(crate) const fn never() -> Self {
        Self(None)
    }

    /// Waits until the server stops.
    pub(crate) async fn begun(&mut self) {
        match &mut self.0 {
            // A dropped sender means that the server is gone.
            Some(receiver) => drop(receiver.wait_for(|closing| *closing).await),
            None => std::future::pending().await,
        }
    }
}

/// Serves until `shutdown` is over; then takes no new requests, ends event streams, and gives answers that were begun 30
/// seconds. Errors: those of the listener.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let (sender, receiver) = watch::channel(false);
    let mut stopping = Closing(Some(receiver.clone()));
    let router = router.layer(Extension(Closing(Some(receiver))));
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        sender.send_replace(true);
    });
    let grace = async {
        stopping.begun().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server => served,
        () = grace => {
            tracing::warn!(seconds = GRACE.as_secs(), "some answers were cut off");
            Ok(())
        }
    }
}
