//! One connection: its handshake, its requests, and when it is cut off.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use super::crowd::{Crowds, Member};
use super::newcomers::{Newcomer, Newcomers, TurnedAway};
use super::tls::Tls;
use super::{Closing, ConnectionLimits, ServeOptions};

/// The longest head of a request, in bytes: a longer one is answered 431.
const MOST_HEAD: usize = 32 << 10;

/// What is read ahead at most, in bytes: where the head does not end before that, it is too long.
const MOST_READ_AHEAD: usize = 64 << 10;

/// The other end of the connection that a request came on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its address: a client's, or that of a proxy before it.
    pub(crate) ip: IpAddr,
    /// Whether the connection speaks TLS.
    pub(crate) tls: bool,
}

/// What all connections share. Cheap to clone.
#[derive(Clone)]
pub(super) struct Server {
    router: Router,
    tls: Option<Arc<Tls>>,
    limits: ConnectionLimits,
    newcomers: Newcomers,
    crowds: Crowds,
    closing: Closing,
}

impl Server {
    pub(super) fn new(router: Router, options: &ServeOptions, closing: Closing) -> Self {
        let newcomers = Newcomers::new(options.connections.newcomers);
        let crowds = Crowds::new(options.connections.per_address, &options.trusted_proxies);
        Self { router, tls: options.tls.clone(), limits: options.connections, newcomers, crowds, closing }
    }

    /// Serves a connection to its end, or until it makes room for another of its address.
    pub(super) async fn connection(self, stream: TcpStream, from: SocketAddr) {
        let Some((member, mut told)) = self.crowds.enter(from.ip()) else {
            tracing::debug!(peer = %from.ip(), "a connection was closed: its address has too many that are busy");
            return;
        };
        tokio::select! {
            () = self.until_it_ends(stream, from, member) => {}
            () = told.told() => tracing::debug!(peer = %from.ip(), "an idle connection made room for others of its address"),
        }
    }

    async fn until_it_ends(mut self, stream: TcpStream, from: SocketAddr, member: Member) {
        // Progress is sent in small pieces; without it each would wait for the one before to be confirmed.
        drop(stream.set_nodelay(true));
        let (newcomer, mut turned_away) = self.newcomers.enter();
        let peer = Peer { ip: from.ip(), tls: self.tls.is_some() };
        match self.tls.clone() {
            None => self.talk(stream, peer, member, (newcomer, turned_away)).await,
            Some(tls) => {
                if let Some(stream) = self.shake_hands(&tls, stream, &mut turned_away).await {
                    self.talk(stream, peer, member, (newcomer, turned_away)).await;
                }
            }
        }
    }

    /// None: it failed, took too long, or made room for others.
    async fn shake_hands(&mut self, tls: &Tls, stream: TcpStream, turned_away: &mut TurnedAway) -> Option<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(tls.current());
        tokio::select! {
            shaken = tokio::time::timeout(self.limits.handshake, acceptor.accept(stream)) => match shaken {
                Ok(Ok(stream)) => return Some(stream),
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
            () = turned_away.told() => tracing::debug!("a TLS handshake made room for others"),
            () = self.closing.begun() => {}
        }
        None
    }

    /// Answers requests until the connection ends or the server stops.
    async fn talk<S>(mut self, stream: S, peer: Peer, member: Member, (newcomer, turned_away): (Newcomer, TurnedAway))
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = service_fn(|mut request: Request<Incoming>| {
            newcomer.is_known();
            request.extensions_mut().insert(peer);
            let busy = member.is_busy();
            let answering = self.router.clone().oneshot(request.map(Body::new));
            async move { answering.await.map(|answer| busy.until_sent(answer)) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.next_head)
            .max_header_size(MOST_HEAD)
            .max_buf_size(MOST_READ_AHEAD)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = cut_off(turned_away, self.limits) => {
                tracing::debug!(peer = %peer.ip, "a connection without a request was cut off");
                return;
            }
            () = self.closing.begun() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, peer = %peer.ip, "a connection broke off");
        }
    }
}

/// Waits until a connection that has not sent a request yet has to go; for ever once it has.
async fn cut_off(mut turned_away: TurnedAway, limits: ConnectionLimits) {
    tokio::select! {
        () = turned_away.told() => return,
        () = tokio::time::sleep(limits.first_head) => {}
    }
    if turned_away.is_known() {
        std::future::pending::<()>().await;
    }
}
