//! The API behind a listener with options, and connections to it byte by byte.

use std::io::Result;
use std::net::SocketAddr;

use lineshift_testkit::operator::Operator;
use lineshift_web::{ServeOptions, router, serve_with};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<()>>,
}

impl Served {
    pub(crate) async fn with(options: ServeOptions) -> Self {
        let operator = Operator::with_lines(0).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let server = tokio::spawn(serve_with(listener, router(operator.engine, None), options, shutdown));
        Self { address, stop, server }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.server.await.expect("no panic").expect("the listener works");
    }
}

/// All that comes until the server closes; nothing if it resets the connection.
pub(crate) async fn until_closed(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    drop(stream.read_to_end(&mut read).await);
    String::from_utf8_lossy(&read).into_owned()
}

/// Asks whether the server lives, on a connection that stays.
pub(crate) async fn ask(stream: &mut TcpStream) {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("the server reads");
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\nok") {
        assert_ne!(stream.read_buf(&mut read).await.expect("an answer"), 0, "{}", String::from_utf8_lossy(&read));
    }
    assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n"));
}
