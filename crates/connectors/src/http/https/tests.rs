//! Real connections on this machine, each ended in another way.

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
    let fault = HttpsTransport::new().expect("TLS").send(request(&address)).await.expect_err("no TLS");
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
    let fault = HttpsTransport::new().expect("TLS").send(request(&address)).await.expect_err("no TLS there");
    assert!(matches!(fault, TransportFault::NotSent(_)), "{fault:?}");
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
