//! Speaking TLS, and certificates that cannot be used.

use std::sync::Arc;

use lineshift_web::{ServeOptions, TlsError};
use reqwest::tls::Version;
use tokio::io::AsyncWriteExt as _;

use crate::certificates::{Files, Pair, pair};
use crate::served::{Served, until_closed};

async fn served(pair: &Pair) -> Served {
    let tls = Files::of(pair).load().expect("a certificate and its key");
    Served::with(ServeOptions { tls: Some(Arc::new(tls)), ..ServeOptions::default() }).await
}

#[tokio::test]
async fn the_api_is_served_over_tls_and_only_over_tls() {
    let pair = pair();
    let server = served(&pair).await;
    let answer = pair.client().get(format!("https://{}/healthz", server.address)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    assert_eq!(answer.version(), reqwest::Version::HTTP_11);
    assert_eq!(answer.text().await.expect("a body"), "ok");

    let plain = pair.client().get(format!("http://{}/healthz", server.address)).send().await;
    assert!(plain.is_err(), "{plain:?}");
    let mut stream = server.connect().await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("the server reads");
    assert!(!until_closed(&mut stream).await.contains("HTTP/1.1"), "nothing is answered readably");
    let stranger = crate::certificates::pair().client();
    assert!(stranger.get(format!("https://{}/healthz", server.address)).send().await.is_err(), "it trusts another certificate");
    server.stop().await;
}

#[tokio::test]
async fn tls_1_2_is_spoken_too() {
    let pair = pair();
    let server = served(&pair).await;
    let old =
        reqwest::Client::builder().tls_version_max(Version::TLS_1_2).tls_certs_only([pair.root()]).build().expect("a client");
    let answer = old.get(format!("https://{}/healthz", server.address)).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn without_tls_no_browser_is_told_to_use_it() {
    let server = Served::with(ServeOptions::default()).await;
    let client = reqwest::Client::builder().build().expect("a client");
    let answer = client.get(format!("http://{}/healthz", server.address)).send().await.expect("an answer");
    assert!(answer.headers().get("strict-transport-security").is_none());
}

#[tokio::test]
async fn a_server_that_stops_closes_idle_connections_over_tls() {
    let pair = pair();
    let server = served(&pair).await;
    let client = pair.client();
    let address = format!("https://{}/healthz", server.address);
    assert_eq!(client.get(&address).send().await.expect("an answer").text().await.expect("a body"), "ok");
    // The client keeps its connection; another one is amid its handshake.
    let _silent = server.connect().await;
    server.stop().await;
    assert!(client.get(&address).send().await.is_err(), "nothing new is taken");
}

#[test]
fn a_file_that_is_missing_or_garbled_is_named_with_what_is_expected() {
    let (right, other) = (pair(), pair());
    let files = Files::of(&right);
    let shown = |error: TlsError| {
        let text = error.to_string();
        let text = text.replace(&files.certificate().display().to_string(), "CERT");
        text.replace(&files.key().display().to_string(), "KEY")
    };
    let refused = |certificate: &str, key: &str| {
        files.write(certificate, key);
        shown(files.load().expect_err("it is refused"))
    };
    assert_eq!(refused("", &right.key), "CERT holds no certificate; certificate is expected, in PEM");
    assert_eq!(refused(&right.key, &right.key), "CERT holds no certificate; certificate is expected, in PEM");
    for garbled in ["garbled".to_owned(), right.certificate.clone(), right.key.replace("PRIVATE", "ENCRYPTED PRIVATE")] {
        let text = "KEY holds no private key without a passphrase; private key without a passphrase is expected, in PEM";
        assert_eq!(refused(&right.certificate, &garbled), text);
    }
    let cut = right.certificate.replace("MII", "MIIA");
    assert!(
        refused(&cut, &right.key).starts_with("CERT holds no certificate that can be used ("),
        "{}",
        refused(&cut, &right.key)
    );
    let text = refused(&right.certificate, &other.key);
    assert_eq!(
        text,
        "the key in KEY does not belong to the first certificate in CERT; give the key that the certificate was requested with, \
         and begin the file with the server's own certificate"
    );
    std::fs::remove_file(files.key()).expect("removed");
    let missing = shown(files.load().expect_err("it is refused"));
    assert!(missing.starts_with("KEY: No such file") && missing.contains("is expected there"), "{missing}");
}
