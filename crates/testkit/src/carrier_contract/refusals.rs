//! What is refused, and how it is told.

use lineshift_connectors::CallError;
use secrecy::SecretString;

use super::{End, Fixture, assert_kept, connected, to_plan, to_status, walk};

/// A status that the carrier refuses: the row says so, and the line stays.
pub async fn a_refused_status_leaves_the_line_as_it_is<F: Fixture>() {
    let fixture = F::new();
    let (line, status) = fixture.refused_status();
    let before = fixture.stands(&line);
    let walked = walk(&fixture, &*connected(&fixture), &line, &to_status(status)).await;
    assert!(matches!(walked.end, End::Refused(_)), "{:?}: {:?}", walked.end, walked.acts);
    assert_eq!(fixture.stands(&line), before);
    assert_kept(&fixture, &walked.texts);
}

/// A line that the carrier does not have: reading says none, and a change of it is refused.
pub async fn an_unknown_line_is_told<F: Fixture>() {
    let fixture = F::new();
    let carrier = connected(&fixture);
    assert_eq!(carrier.read_line(&fixture.unknown_line()).await.result, Ok(None));
    for asked in [to_plan(fixture.other_plan()), to_status(fixture.other_status())] {
        let walked = walk(&fixture, &*carrier, &fixture.unknown_line(), &asked).await;
        assert!(matches!(walked.end, End::NoSuchLine | End::Refused(_)), "{:?}", walked.end);
        assert_kept(&fixture, &walked.texts);
    }
}

/// A plan that the carrier does not have: refused, and the line keeps what it has.
pub async fn an_unknown_plan_is_refused<F: Fixture>() {
    let fixture = F::new();
    let line = fixture.lines().swap_remove(0);
    let before = fixture.stands(&line);
    let walked = walk(&fixture, &*connected(&fixture), &line, &to_plan(fixture.unknown_plan())).await;
    assert!(matches!(walked.end, End::Refused(_)), "{:?}: {:?}", walked.end, walked.acts);
    assert_eq!((walked.count(": failed"), walked.acts.len()), (1, 1), "{:?}", walked.acts);
    assert_eq!(fixture.stands(&line), before);
    assert_kept(&fixture, &walked.texts);
}

/// Refused credentials are told as such by a test of the connection and by a change, and no text holds a secret.
pub async fn refused_credentials_are_told_and_no_secret_is_in_any_text<F: Fixture>() {
    let fixture = F::new();
    let carrier = connected(&fixture);
    let line = fixture.lines().swap_remove(0);
    fixture.refuse_credentials();
    let tested = carrier.test_connection().await;
    assert!(matches!(tested.result, Err(CallError::Unauthorized { .. })), "{:?}", tested.result);
    assert_kept(&fixture, &[tested.exchange.request, tested.exchange.response]);
    for asked in [to_plan(fixture.other_plan()), to_status(fixture.other_status())] {
        let before = fixture.stands(&line);
        let walked = walk(&fixture, &*carrier, &line, &asked).await;
        assert_eq!(walked.end, End::CredentialsRefused, "{:?}", walked.acts);
        assert_eq!(fixture.stands(&line), before);
        assert_kept(&fixture, &walked.texts);
    }
}

/// Throttling is known by what is said, not only by the status: the call is put off, and works when its time has come.
pub async fn throttling_without_a_status_puts_off_and_is_no_refusal<F: Fixture>() {
    let fixture = F::new();
    let line = fixture.lines().swap_remove(0);
    fixture.throttle_next_change();
    let walked = walk(&fixture, &*connected(&fixture), &line, &to_status(fixture.other_status())).await;
    assert_eq!(walked.end, End::Stands, "{:?}", walked.acts);
    assert_eq!((walked.count(": pending"), walked.count(": ambiguous")), (1, 0), "{:?}", walked.acts);
    assert!(fixture.traffic().throttled >= 1);
    assert_kept(&fixture, &walked.texts);
}

/// What is no JSON, or another one, is refused before it is sealed, and what it holds is not repeated.
pub async fn what_holds_no_credentials_is_refused_without_telling_it<F: Fixture>() {
    let fixture = F::new();
    let kind = fixture.kind();
    assert_eq!(kind.check_credentials(&SecretString::from(fixture.credentials())), Ok(()));
    for wrong in ["", "s3cret", "{}", "[]", r#"{"s3cret":"s3cret"}"#, r#"{"token":"","api_key":"","user":"","s3cret":1}"#] {
        let refused = kind.check_credentials(&SecretString::from(wrong)).expect_err(wrong);
        assert!(!refused.is_empty() && !refused.contains("s3cret"), "{refused}");
    }
}
