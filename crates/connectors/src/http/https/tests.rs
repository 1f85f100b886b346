//! Real connections on this machine, each ended in another way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A server that takes every connection and reads the request's head, before `then`.
async fn server<F>(then: impl Fn(TcpStream, String) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            let mut buffer = [0; 4096];
            while !head.windows(4).any(|four| four == b"\r\n\r\n") {
                match stream.read(&mut buffer).await {
                    Ok(read @ 1..) => head.extend_from_slice(&buffer[..read]),
                    Ok(0) | Err(_) => break,
                }
                // What does not look like HTTP, as a TLS handshake, is not waited for.
                if head[0] < b'A' {
                    break;
                }
            }
            tokio::spawn(then(stream, String::from_utf8_lossy(&head).into_owned()));
        }
    });
    format!("http://{address}/v1/x?y=topsecret")
}

fn request(url: &str) -> Request {
    Request {
        method: "POST",
        url: url.to_owned(),
        headers: vec![("authorization", SecretString::from("Basic topsecret"))],
        body: Some("{}".to_owned()),
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(10),
    }
}

/// One for an account that is not local, on a network that is listed.
fn listed() -> HttpsTransport {
    let network = "127.0.0.0/8".parse().expect("a network");
    HttpsTransport::to(Destinations::public(&[network])).expect("TLS")
}

/// One for an account that is not local, where nothing is listed.
fn public() -> HttpsTransport {
    HttpsTransport::to(Destinations::default()).expect("TLS")
}

fn local() -> HttpsTransport {
    HttpsTransport::local().expect("TLS")
}

async fn says(mut stream: TcpStream, text: &[u8]) {
    // Who hung up meanwhile is tested for elsewhere.
    let _ = stream.write_all(text).await;
    let _ = stream.shutdown().await;
}

#[tokio::test]
async fn an_answer_comes_whole_and_redirects_are_not_followed() {
    let address = server(|stream, head| async move {
        assert!(head.starts_with("POST /v1/x?y=topsecret HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("authorization: Basic topsecret\r\n"), "{head}");
        says(stream, b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno").await;
    })
    .await;
    let answer = local().send(request(&address)).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice()), (302, b"no".as_slice()));
    assert!(answer.headers.contains(&("retry-after".to_owned(), "7".to_owned())), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_refused_port_sends_nothing() {
    let port = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let fault = local().send(request(&format!("http://{port}/?y=topsecret"))).await.expect_err("nobody listens");
    let TransportFault::NotSent(why) = &fault else { panic!("{fault:?}") };
    assert!(why.contains("refused") && !why.contains("topsecret"), "{why}");
}

#[tokio::test]
async fn an_address_that_cannot_be_called_sends_nothing() {
    for address in ["", "billing", "ftp://127.0.0.1/", "http://", "http://name.invalid/"] {
        let fault = local().send(request(address)).await.expect_err(address);
        assert!(matches!(fault, TransportFault::NotSent(_)), "{address}: {fault:?}");
    }
    let mut wrong = request("http://127.0.0.1:9/");
    wrong.headers = vec![("authorization", SecretString::from("topsecret\n"))];
    let why = "the value of the header authorization cannot be sent".to_owned();
    assert_eq!(local().send(wrong).await, Err(TransportFault::NotSent(why)));
}

#[tokio::test]
async fn without_tls_nothing_is_sent_unless_local() {
    let address = server(|stream, _| says(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")).await;
    let fault = listed().send(request(&address)).await.expect_err("no TLS");
    assert!(matches!(fault, TransportFault::NotSent(_)), "{fault:?}");
    assert!(local().send(request(&address)).await.is_ok());
}

#[tokio::test]
async fn a_failing_tls_handshake_sends_nothing() {
    let address = server(|stream, hello| async move {
        assert!(!hello.contains("topsecret"));
        says(stream, b"HTTP/1.1 400 Bad Request\r\n\r\nthis port speaks no TLS").await;
    })
    .await
    .replace("http://", "https://");
    let fault = listed().send(request(&address)).await.expect_err("no TLS there");
    let TransportFault::NotSent(why) = &fault else { panic!("{fault:?}") };
    assert!(!why.contains("is not called"), "it was called: {why}");
}

#[tokio::test]
async fn a_reset_after_the_request_may_have_worked() {
    let address = server(|stream, _| async move {
        stream.set_zero_linger().expect("it can be reset");
        drop(stream);
    })
    .await;
    let fault = local().send(request(&address)).await.expect_err("reset");
    assert!(matches!(fault, TransportFault::Cut(_)), "{fault:?}");
    let closes = server(|stream, _| async move { drop(stream) }).await;
    let fault = local().send(request(&closes)).await.expect_err("closed without an answer");
    assert!(matches!(fault, TransportFault::Cut(_)), "{fault:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    for begun in [
        b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"ok\":true".as_slice(),
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ok\"\r\n",
        b"HTTP/1.1 201 Cre",
        b"no HTTP at all\r\n\r\n",
    ] {
        let address = server(move |stream, _| says(stream, begun)).await;
        let fault = local().send(request(&address)).await.expect_err("cut off");
        assert!(matches!(fault, TransportFault::Cut(_)), "{fault:?}");
    }
}

#[tokio::test]
async fn silence_times_out_before_and_within_the_answer() {
    for begun in [b"".as_slice(), b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"] {
        let address = server(move |mut stream, _| async move {
            stream.write_all(begun).await.expect("the caller waits");
            std::future::pending::<()>().await;
        })
        .await;
        let impatient = Request { timeout: Duration::from_millis(200), ..request(&address) };
        assert_eq!(local().send(impatient).await, Err(TransportFault::TimedOut));
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_none() {
    for head in ["Content-Length: 100000000000", "Transfer-Encoding: identity"] {
        let address = server(move |mut stream, _| async move {
            let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
            let piece = vec![b' '; 1 << 20];
            let mut sent = stream.write_all(head.as_bytes()).await;
            // It ends when the caller hangs up.
            while sent.is_ok() {
                sent = stream.write_all(&piece).await;
            }
        })
        .await;
        let fault = local().send(request(&address)).await.expect_err("too large");
        let why = format!("the answer has more than {MOST_BODY_BYTES} bytes");
        assert_eq!(fault, TransportFault::Cut(why), "{head}");
    }
}

/// A server whose callers are counted.
async fn counted() -> (u16, Arc<AtomicU32>) {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let address = server(move |stream, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        says(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    })
    .await;
    let port = address.trim_start_matches("http://127.0.0.1:").split('/').next().and_then(|port| port.parse().ok());
    (port.expect("a port"), calls)
}

#[tokio::test]
async fn an_address_inside_is_not_called_whatever_stands_for_it() {
    let (port, calls) = counted().await;
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "127.1", "LOCALHOST"] {
        for scheme in ["https", "http"] {
            let fault = public().send(request(&format!("{scheme}://{host}:{port}/"))).await.expect_err(host);
            let TransportFault::NotSent(why) = &fault else { panic!("{host}: {fault:?}") };
            // A name is not even resolved where TLS is missing.
            let is_said = why.contains("a loopback address, and is not called") && why.contains("outbound.allowed_networks");
            assert!(is_said || scheme == "http", "{host}: {why}");
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0, "nobody was called");
    assert!(local().send(request(&format!("http://localhost:{port}/"))).await.is_ok(), "a local account may call this machine");
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_local_account_calls_this_machine_and_nobody_else() {
    for host in ["10.0.0.1", "169.254.169.254", "[fd00::1]", "1.1.1.1", "0.0.0.0", "[::]"] {
        let fault = local().send(request(&format!("http://{host}:9/"))).await.expect_err(host);
        let TransportFault::NotSent(why) = &fault else { panic!("{host}: {fault:?}") };
        assert!(why.contains("and is not called"), "{host}: {why}");
    }
}

#[tokio::test]
async fn a_redirect_inside_is_answered_and_not_followed() {
    let (port, calls) = counted().await;
    let location = format!("http://127.0.0.1:{port}/latest/meta-data");
    let address = server(move |stream, _| {
        let text = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        async move { says(stream, text.as_bytes()).await }
    })
    .await;
    let answer = local().send(request(&address)).await.expect("an answer");
    assert_eq!((answer.status, calls.load(Ordering::SeqCst)), (307, 0));
}
