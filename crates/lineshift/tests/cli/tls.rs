//! `serve` over TLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Certificate, Client};

use crate::program::Place;

struct Pair {
    certificate: String,
    key: String,
    der: Vec<u8>,
}

fn pair() -> Pair {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let pem = |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    let der = made.cert.der().to_vec();
    Pair { certificate: pem("CERTIFICATE", &der), key: pem("PRIVATE KEY", &made.signing_key.serialize_der()), der }
}

/// What the server answers to somebody who trusts only that certificate.
async fn asked(address: &str, pair: &Pair) -> String {
    let root = Certificate::from_der(&pair.der).expect("a certificate");
    let client = Client::builder().tls_certs_only([root]).build().expect("a client");
    let answer = client.get(format!("{address}/healthz")).send().await.expect("an answer");
    answer.text().await.expect("a body")
}

#[tokio::test]
async fn a_certificate_is_replaced_while_the_server_runs_and_a_broken_one_is_not_used() {
    let (before, after) = (pair(), pair());
    let mut place = Place::empty();
    let (certificate, key) = (place.write("server.pem", &before.certificate), place.write("server.key", &before.key));
    let server = place.serve(&["--no-worker", "--tls-cert", &certificate, "--tls-key", &key]);
    let address = place.url();
    assert!(address.starts_with("https://"), "{address}");
    assert_eq!(asked(&address, &before).await, "ok");

    place.write("server.key", &after.key);
    server.until("the new certificate is not used; the one before stays");
    assert_eq!(asked(&address, &before).await, "ok");
    place.write("server.pem", &after.certificate);
    server.until("the certificate was replaced");
    assert_eq!(asked(&address, &after).await, "ok");
    let ended = server.end_by("TERM");
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_before_anything_is_served() {
    let (one, other) = (pair(), pair());
    let place = Place::empty();
    let (certificate, key) = (place.write("server.pem", &one.certificate), place.write("server.key", &other.key));
    let refused = |arguments: &[&str]| {
        let ran = place.run(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        assert_eq!(ran.code, 2, "{}", ran.err);
        ran.err
    };
    let said = refused(&["--tls-cert", &certificate, "--tls-key", &key]);
    assert!(said.contains("server.key does not belong to the first certificate in"), "{said}");
    let said = refused(&["--tls-cert", &certificate]);
    assert!(said.contains("server.tls_key (from default): found nothing, expected a PEM file that goes with"), "{said}");
    let said = refused(&["--tls-cert", &certificate, "--tls-key", "missing.key"]);
    assert!(said.contains("missing.key: No such file"), "{said}");
}
