//! Certificates that are replaced while the server runs.

use std::sync::Arc;

use lineshift_web::{ServeOptions, TlsError};

use crate::certificates::{Files, pair};
use crate::served::Served;

#[tokio::test]
async fn a_new_certificate_is_used_for_new_connections_and_the_old_ones_go_on() {
    let (before, after) = (pair(), pair());
    let files = Files::of(&before);
    let tls = Arc::new(files.load().expect("a certificate and its key"));
    let server = Served::with(ServeOptions { tls: Some(Arc::clone(&tls)), ..ServeOptions::default() }).await;
    let address = format!("https://{}/healthz", server.address);
    let kept = before.client();
    assert_eq!(kept.get(&address).send().await.expect("an answer").text().await.expect("a body"), "ok");

    assert_eq!(tls.reload(), Ok(false), "nothing has changed");
    files.write(&after.certificate, &after.key);
    // The server looks by itself, too, and may have been first.
    tls.reload().expect("a good pair");
    assert!(before.client().get(&address).send().await.is_err(), "new connections see the new certificate");
    assert_eq!(after.client().get(&address).send().await.expect("an answer").status(), 200);
    assert_eq!(kept.get(&address).send().await.expect("the old connection goes on").status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn a_new_pair_that_cannot_be_used_is_said_once_and_the_old_one_stays() {
    let (before, after) = (pair(), pair());
    let files = Files::of(&before);
    let tls = files.load().expect("a certificate and its key");
    let key_only = |error: Result<bool, TlsError>| matches!(error, Err(TlsError::Apart { .. }));
    files.write(&before.certificate, &after.key);
    assert!(key_only(tls.reload()), "the key came first");
    assert_eq!(tls.reload(), Ok(false), "that was said");
    files.write("garbled", &after.key);
    assert!(matches!(tls.reload(), Err(TlsError::Garbled { .. })));
    std::fs::remove_file(files.certificate()).expect("removed");
    assert!(matches!(tls.reload(), Err(TlsError::Unreadable { .. })));
    assert_eq!(tls.reload(), Ok(false), "that was said");

    let server = Served::with(ServeOptions { tls: Some(Arc::new(tls)), ..ServeOptions::default() }).await;
    let address = format!("https://{}/healthz", server.address);
    assert_eq!(before.client().get(&address).send().await.expect("the old one is used").status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn the_server_looks_at_the_files_by_itself() {
    let (before, after) = (pair(), pair());
    let files = Files::of(&before);
    let tls = files.load().expect("a certificate and its key");
    let server = Served::with(ServeOptions { tls: Some(Arc::new(tls)), ..ServeOptions::default() }).await;
    files.write(&after.certificate, &after.key);
    let address = format!("https://{}/healthz", server.address);
    let found = async { while after.client().get(&address).send().await.is_err() {} };
    tokio::time::timeout(std::time::Duration::from_secs(30), found).await.expect("the new certificate is used");
}
