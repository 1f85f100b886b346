//! Callbacks: who carries the credentials is heard, and nobody else.

use std::time::Duration;

use lineshift_connectors::carrier::{Callback, CallbackRefused, CallbackRequest, LineAct};
use lineshift_domain::carrier::Answers;
use secrecy::SecretString;

use super::changes::first_act;
use super::{End, Fixture, connected, to_plan, to_status, walk};

/// A callback with the credentials is read; a forged, an unreadable and an empty one are refused without telling them. A carrier
/// that does not call back refuses them all.
pub async fn a_callback_is_read_only_with_its_credentials<F: Fixture>() {
    let fixture = F::new();
    let expected = SecretString::from(fixture.callback_credentials());
    let other = SecretString::from(r#"{"user":"somebody","password":"else"}"#);
    let read = |body: &[u8], expected: &SecretString| -> Result<Callback, CallbackRefused> {
        fixture.kind().read_callback(&CallbackRequest { authorization: None, body, expected })
    };
    for body in [&b""[..], b"{", b"{}", b"[]", b"<xml/>", b"\xff\xfe", br#"{"requestId":"r-1","results":[]}"#] {
        assert!(read(body, &expected).is_err(), "{:?}", String::from_utf8_lossy(body));
    }
    if !matches!(fixture.kind().abilities().answers, Answers::Later { calls_back: true, .. }) {
        return;
    }
    let carrier = connected(&fixture);
    let line = fixture.lines().swap_remove(0);
    // A walk that takes the callbacks itself; then one more change, whose callback is looked at here.
    let walked = walk(&fixture, &*carrier, &line, &to_plan(fixture.other_plan())).await;
    assert_eq!(walked.end, End::Stands);
    let (stubborn, status) = fixture.refused_status();
    let asked = to_status(status);
    let act = first_act(&fixture, &asked);
    let permit = carrier.account().permit().await.expect("patience is long");
    let sent = carrier.send(permit, &asked, &[LineAct { line: &stubborn, act: &act }]).await;
    assert!(sent.results.iter().all(Result::is_ok), "{:?}", sent.results);
    // Longer than any request takes.
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    let bodies = fixture.take_callbacks();
    let body = bodies.last().expect("it calls back when it is done");
    let callback = read(body, &expected).expect("the carrier's own callback is taken");
    assert!(!callback.request_id.is_empty());
    let told = callback.lines.iter().find(|told| told.iccid == stubborn.iccid).expect("it tells of the line");
    assert!(told.failed.as_ref().is_some_and(|reason| !reason.is_empty()), "{told:?}");
    let refused = read(body, &other).expect_err("it carries other credentials").to_string();
    assert!(!refused.contains("else") && !refused.contains("somebody"), "{refused}");
}
