//! A database that is far away: its answers are handed on so much later, however many are on their way at a time.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Answers the URL of the same database from afar. It is there as long as the runtime.
pub(super) async fn begin(at: &str, away: Duration) -> Result<String> {
    let mut url = reqwest::Url::parse(at).context("reading the URL of the database")?;
    let server = (url.host_str().context("it has a host")?.to_owned(), url.port().unwrap_or(5432));
    let listener = TcpListener::bind("127.0.0.1:0").await.context("looking for a port")?;
    let here = listener.local_addr().context("looking up the port")?;
    url.set_host(Some("127.0.0.1")).context("naming this machine")?;
    url.set_port(Some(here.port())).ok().context("naming the port")?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // Whoever cannot be connected finds the connection closed.
            let Ok(server) = TcpStream::connect(&server).await else { continue };
            // What waits to be sent together would be a delay of its own.
            drop((client.set_nodelay(true), server.set_nodelay(true)));
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::spawn(hand_on(from_client, to_server, Duration::ZERO));
            tokio::spawn(hand_on(from_server, to_client, away));
        }
    });
    Ok(url.to_string())
}

async fn hand_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, later: Duration) {
    let (send, mut due) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((at, bytes)) = due.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut bytes = vec![0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if send.send((Instant::now() + later, bytes[..read].to_vec())).is_err() {
            return;
        }
    }
}
