//! A simulator behind real HTTP, with connections that are really reset, cut off and held open.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep};

use super::{Simulator, System};
use crate::wire::{Reaction, SimulatedRequest};

/// Larger requests are refused with 413.
const MOST_REQUEST_BYTES: usize = 1 << 20;

/// What was sent of a body has left the machine by then, so that its reader meets the end after it.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// Serves a simulator until `shutdown`; then connections are closed at once, also those that wait for an answer.
///
/// # Errors
///
/// Only if the listener cannot take connections any more.
pub async fn serve<S: System>(
    simulator: Arc<Simulator<S>>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let answer = move |request, resets| {
        let simulator = Arc::clone(&simulator);
        async move { react(&simulator, request, &resets).await }
    };
    accept(listener, shutdown, answer).await
}

/// Serves `GET /ledger`, the ledger's summary as JSON, until `shutdown`. Anybody who can connect can read it.
///
/// # Errors
///
/// Only if the listener cannot take connections any more.
pub async fn serve_ledger<S: System>(
    simulator: Arc<Simulator<S>>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let answer = move |request: Request<Incoming>, _resets: Resets| {
        let reaction = if request.method() == hyper::Method::GET && request.uri().path() == "/ledger" {
            Reaction::Answer { status: 200, headers: vec![json_type()], body: S::summary(&simulator) }
        } else {
            refusal(404, "there is GET /ledger")
        };
        async move { Ok(whole(reaction)) }
    };
    accept(listener, shutdown, answer).await
}

type Answered = Result<Response<UnsyncBoxBody<Bytes, io::Error>>, io::Error>;

async fn accept<A, F>(listener: TcpListener, shutdown: impl Future<Output = ()> + Send, answer: A) -> io::Result<()>
where
    A: Fn(Request<Incoming>, Resets) -> F + Clone + Send + 'static,
    F: Future<Output = Answered> + Send + 'static,
{
    let mut shutdown = pin!(shutdown);
    // Dropped at the end, which closes every connection.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = listener.accept() => accepted?,
            Some(_) = connections.join_next() => continue,
        };
        // Answers are small: waiting to fill a packet only adds latency. A connection that is gone already says so when read.
        let _ = stream.set_nodelay(true);
        let resets = Resets::default();
        let socket = Socket { stream, resets: resets.clone() };
        let answer = answer.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| answer(request, resets.clone()));
            // A connection that breaks is what this server is for.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

async fn react<S: System>(simulator: &Arc<Simulator<S>>, request: Request<Incoming>, resets: &Resets) -> Answered {
    let Some(request) = received(request).await else {
        return Ok(whole(refusal(413, "the body is too large or broke off")));
    };
    match simulator.react(request).await {
        Reaction::Silence => pending().await,
        Reaction::Reset => {
            resets.set();
            Err(io::ErrorKind::ConnectionReset.into())
        }
        Reaction::Cut { status, headers, body } => {
            let resets = resets.clone();
            let body = CutBody { rest: Some(body.into()), resets, wait: Box::pin(sleep(BEFORE_CUT)) };
            Ok(response(status, &headers, body.boxed_unsync()))
        }
        answer @ Reaction::Answer { .. } => Ok(whole(answer)),
    }
}

/// An error of the server itself, before any system is asked.
fn refusal(status: u16, message: &str) -> Reaction {
    let body = json!({ "ok": false, "code": status, "message": message }).to_string().into_bytes();
    Reaction::Answer { status, headers: vec![json_type()], body }
}

fn json_type() -> (String, String) {
    ("content-type".to_owned(), "application/json".to_owned())
}

/// The whole request; none: its body is too large or broke off.
async fn received(request: Request<Incoming>) -> Option<SimulatedRequest> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MOST_REQUEST_BYTES).collect().await.ok()?.to_bytes().to_vec();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(SimulatedRequest {
        method: head.method.as_str().to_owned(),
        target: head.uri.path_and_query().map(|target| target.as_str().to_owned()).unwrap_or_default(),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect(),
        body,
    })
}

fn whole(reaction: Reaction) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
    let Reaction::Answer { status, headers, body } = reaction else {
        return response(500, &[], empty());
    };
    response(status, &headers, Full::new(Bytes::from(body)).map_err(never).boxed_unsync())
}

fn empty() -> UnsyncBoxBody<Bytes, io::Error> {
    Full::new(Bytes::new()).map_err(never).boxed_unsync()
}

fn never(never: Infallible) -> io::Error {
    match never {}
}

fn response(
    status: u16,
    headers: &[(String, String)],
    body: UnsyncBoxBody<Bytes, io::Error>,
) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
    let mut builder = Response::builder().status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(body).unwrap_or_else(|_| Response::new(empty()))
}

/// Says of one connection that it is to be reset rather than closed.
#[derive(Debug, Clone, Default)]
struct Resets(Arc<AtomicBool>);

impl Resets {
    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn are_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body that breaks off: its bytes, then a reset.
struct CutBody {
    rest: Option<Bytes>,
    resets: Resets,
    wait: Pin<Box<Sleep>>,
}

impl Body for CutBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(rest) = self.rest.take_if(|rest| !rest.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        self.wait.as_mut().poll(context).map(|()| {
            self.resets.set();
            Some(Err(io::ErrorKind::ConnectionReset.into()))
        })
    }
}

/// A connection that can be reset.
struct Socket {
    stream: TcpStream,
    resets: Resets,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.resets.are_set() {
            // Without lingering, closing resets. If that fails the connection is closed as any other, which breaks off as well.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.resets.are_set() {
            // An orderly end would come before the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
