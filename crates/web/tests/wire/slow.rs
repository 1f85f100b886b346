//! Connections that send nothing, too little, or too much.

use std::sync::Arc;
use std::time::Duration;

use lineshift_web::{ConnectionLimits, ServeOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::certificates::{Files, pair};
use crate::served::{Served, ask, until_closed};

const SOON: Duration = Duration::from_millis(50);

fn limited(connections: ConnectionLimits) -> ServeOptions {
    ServeOptions { connections, ..ServeOptions::default() }
}

fn patient() -> ConnectionLimits {
    let long = Duration::from_secs(600);
    ConnectionLimits { handshake: long, first_head: long, next_head: long, newcomers: 100, per_address: 100 }
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut_off() {
    let tls = Some(Arc::new(Files::of(&pair()).load().expect("a certificate and its key")));
    let connections = ConnectionLimits { handshake: SOON, ..patient() };
    let server = Served::with(ServeOptions { tls, ..limited(connections) }).await;
    for begun in [b"".as_slice(), &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]] {
        let mut stream = server.connect().await;
        stream.write_all(begun).await.expect("the server reads");
        assert_eq!(until_closed(&mut stream).await, "", "{begun:?}");
    }
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off() {
    let server = Served::with(limited(ConnectionLimits { first_head: SOON, ..patient() })).await;
    for begun in ["", "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = server.connect().await;
        stream.write_all(begun.as_bytes()).await.expect("the server reads");
        assert_eq!(until_closed(&mut stream).await, "", "{begun:?}");
    }
}

#[tokio::test]
async fn whoever_has_sent_a_request_may_be_silent_for_longer() {
    let server = Served::with(limited(ConnectionLimits { first_head: SOON, ..patient() })).await;
    let mut known = server.connect().await;
    ask(&mut known).await;
    // A later connection has been cut off, so that the time of the first is over, too.
    assert_eq!(until_closed(&mut server.connect().await).await, "");
    ask(&mut known).await;
}

#[tokio::test]
async fn a_connection_is_closed_when_its_next_request_does_not_come() {
    let server = Served::with(limited(ConnectionLimits { next_head: SOON, ..patient() })).await;
    for begun in ["", "GET /healthz HTTP/1.1\r\nX-Slow: "] {
        let mut stream = server.connect().await;
        ask(&mut stream).await;
        // It may have been closed already: fifty milliseconds are short.
        drop(stream.write_all(begun.as_bytes()).await);
        assert!(!until_closed(&mut stream).await.contains("200"), "{begun:?}");
    }
}

#[tokio::test]
async fn a_flood_of_silent_connections_closes_its_own() {
    let server = Served::with(limited(ConnectionLimits { newcomers: 3, ..patient() })).await;
    let mut known = server.connect().await;
    ask(&mut known).await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(server.connect().await);
    }
    let mut late = server.connect().await;
    ask(&mut late).await;
    for (nth, stream) in silent.iter_mut().take(7).enumerate() {
        assert_eq!(until_closed(stream).await, "", "the silent connection {nth} made room");
    }
    ask(&mut known).await;
}

#[tokio::test]
async fn an_address_that_opens_too_many_closes_its_own_that_are_idle() {
    let server = Served::with(limited(ConnectionLimits { per_address: 3, ..patient() })).await;
    let mut idle = Vec::new();
    for _ in 0..10 {
        let mut stream = server.connect().await;
        ask(&mut stream).await;
        idle.push(stream);
    }
    for (nth, stream) in idle.iter_mut().take(7).enumerate() {
        assert_eq!(until_closed(stream).await, "", "the idle connection {nth} made room");
    }
    for stream in idle.iter_mut().skip(7) {
        ask(stream).await;
    }
}

#[tokio::test]
async fn an_address_whose_connections_are_all_busy_gets_no_more() {
    let server = Served::with(limited(ConnectionLimits { per_address: 2, ..patient() })).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream
            .write_all(b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            .await
            .expect("the server reads");
        // It waits for the body from now on.
        let mut said = [0; 25];
        stream.read_exact(&mut said).await.expect("the server asks for the body");
        assert!(said.starts_with(b"HTTP/1.1 100 "));
        busy.push(stream);
    }
    assert_eq!(until_closed(&mut server.connect().await).await, "", "there is no room");
    let mut first = busy.remove(0);
    first.write_all(b"{}").await.expect("the server reads");
    let mut answered = [0; 12];
    first.read_exact(&mut answered).await.expect("an answer");
    assert!(answered.starts_with(b"HTTP/1.1 4"), "a connection that was there goes on");
    drop(first);
    loop {
        // The server hears of it in its own time.
        let mut stream = server.connect().await;
        if stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.is_ok()
            && until_closed(&mut stream).await.ends_with("ok")
        {
            break;
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_has_as_many_connections_as_it_opens() {
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let connections = ConnectionLimits { per_address: 1, ..patient() };
    let server = Served::with(ServeOptions { trusted_proxies, ..limited(connections) }).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(server.connect().await);
    }
    for stream in &mut open {
        ask(stream).await;
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = Served::with(limited(patient())).await;
    let asked = async |header: usize, names: usize| {
        let mut stream = server.connect().await;
        let headers: String = (0..names).map(|nth| format!("X-Long-{nth}: {}\r\n", "x".repeat(header))).collect();
        // One that is refused early is not read to its end.
        drop(
            stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n").as_bytes()).await,
        );
        until_closed(&mut stream).await
    };
    assert!(asked(30_000, 1).await.starts_with("HTTP/1.1 200 "), "as long as allowed");
    assert!(asked(40_000, 1).await.starts_with("HTTP/1.1 431 "));
    assert!(asked(1, 200).await.starts_with("HTTP/1.1 431 "), "too many");
    assert!(!asked(10_000_000, 1).await.contains("HTTP/1.1 200"));
    ask(&mut server.connect().await).await;
}
