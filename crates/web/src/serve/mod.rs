//! Serving until asked to stop, over HTTP/1.1 with or without TLS.

mod connection;
mod crowd;
mod newcomers;
mod tls;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedRwLockReadGuard, RwLock, watch};
use tokio::task::JoinSet;

pub(crate) use connection::Peer;
use connection::Server;
pub use tls::{Tls, TlsError};

/// How long answers that were begun may go on after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(30);

/// How long what is written beside the answers may go on after the last of them.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// How long nothing is accepted after the machine refused a connection for want of something, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How often the files of certificate and key are looked at.
const RELOAD_EVERY: Duration = Duration::from_secs(2);

/// What a connection is given before it has sent a request, and between two of them.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long it may take until the head of the first request is there, after the handshake.
    pub first_head: Duration,
    /// How long it may take from an answer to the end of the next request's head. Longer than load balancers keep idle
    /// connections, usually 60 s: one that is closed just as a request is sent on it looks like a failure.
    pub next_head: Duration,
    /// Connections at a time that have not yet sent a request; one more, and the oldest of them is closed. Whoever is honest
    /// needs milliseconds for that, so that a flood of silent connections closes its own.
    pub newcomers: usize,
    /// Connections at a time of one IPv4 address, or of one IPv6 network of 64 bits; trusted proxies have as many as they open. One
    /// more, and the one that has been idle for longest is closed; where all are busy, the new one is.
    pub per_address: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            first_head: Duration::from_secs(30),
            next_head: Duration::from_secs(75),
            newcomers: 512,
            per_address: 256,
        }
    }
}

/// How connections are taken.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions {
    /// With it every connection speaks TLS; its files are looked at every two seconds.
    pub tls: Option<Arc<Tls>>,
    /// What slow connections are given.
    pub connections: ConnectionLimits,
    /// The networks of proxies: behind one address of theirs there are many clients.
    pub trusted_proxies: Vec<IpNet>,
}

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

/// Serves without TLS until `shutdown` is over; then takes no new requests, ends event streams, and gives answers that were
/// begun 30 seconds, and what is written beside them five. Errors: those of the listener.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    serve_with(listener, router, ServeOptions::default(), shutdown).await
}

/// The same, as the options say. Errors: those of the listener.
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (sender, receiver) = watch::channel(false);
    let closing = Closing { stops: Some(receiver), ..Closing::default() };
    let server = Server::new(router.layer(Extension(closing.clone())), &options, closing.clone());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut reloading = pin!(reload(options.tls));
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            () = &mut reloading => {}
            accepted = accept(&listener) => {
                let (stream, from) = accepted;
                connections.spawn(server.clone().connection(stream, from));
            }
            // Ended ones are let go of as they end; what a panic left in one was logged by the handler's layer.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    sender.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!(seconds = GRACE.as_secs(), "some answers were cut off");
    }
    if tokio::time::timeout(LAST_WRITES, closing.released()).await.is_err() {
        tracing::warn!(seconds = LAST_WRITES.as_secs(), "what is written beside the answers could not be written in time");
    }
    Ok(())
}

/// The next connection. What fails for one connection is that one's; what fails for want of something is waited for.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Takes up new certificates for as long as it is polled.
async fn reload(tls: Option<Arc<Tls>>) {
    match tls {
        Some(tls) => tls.reload_every(RELOAD_EVERY).await,
        None => std::future::pending().await,
    }
}
