//! Callbacks of carriers: what they have to carry, and what strangers send instead.

use lineshift_connectors::carrier::{CallbackRefused, CallbackRequest, CarrierKind as _, Carriers};
use lineshift_testkit::nimbus::Nimbus;
use lineshift_web::reading::read_callback_credentials;
use secrecy::{ExposeSecret as _, SecretString};

const USER: &str = "carrier-user";
const PASSWORD: &str = "s3cret-of-callbacks";

/// The body as it came; as credentials that callbacks have to carry; and with the right credentials in the place of its words
/// `USER` and `PASSWORD`.
pub(crate) fn run(body: &[u8]) {
    let expected = SecretString::from(format!(r#"{{"user":"{USER}","password":"{PASSWORD}"}}"#));
    for carrier in Carriers::default().with(&Nimbus).iter() {
        for authorization in [None, Some("Basic AAAA"), std::str::from_utf8(body).ok()] {
            let callback = carrier.read_callback(&CallbackRequest { authorization, body, expected: &expected });
            assert!(callback.is_err() || says(body, PASSWORD), "it was taken without the credentials");
        }
    }
    let text = String::from_utf8_lossy(body);
    let told = text.replace("USER", USER).replace("PASSWORD", PASSWORD);
    let callback = CallbackRequest { authorization: None, body: told.as_bytes(), expected: &expected };
    match Nimbus.read_callback(&callback) {
        Ok(callback) => {
            let reasons = callback.lines.iter().filter_map(|line| line.failed.as_deref());
            assert!(reasons.clone().all(|reason| !reason.contains(PASSWORD)), "the password is in a reason");
            assert!(reasons.into_iter().all(|reason| reason.chars().count() <= lineshift_connectors::http::MOST_TEXT_CHARACTERS));
        }
        Err(CallbackRefused::WrongCredentials) => {}
        Err(CallbackRefused::Unreadable(why)) => assert!(why.len() < 200 && !why.contains(PASSWORD), "{why}"),
    }
    match read_callback_credentials(told.as_bytes()) {
        // What is sealed is what was given, and a carrier that compares with anything else refuses.
        Ok(sealed) => {
            let given: serde_json::Value =
                serde_json::from_str(told.trim_start_matches('\u{feff}')).expect("it was read as JSON");
            let kept: serde_json::Value = serde_json::from_str(sealed.expose_secret()).expect("what is sealed is JSON");
            assert_eq!(given, kept);
        }
        Err(problem) => {
            crate::records::check(&problem);
            // The name of a field is its place, and no secret: it is repeated, in the detail as well.
            let is_named = problem.errors.iter().any(|error| error.field.contains(PASSWORD));
            let repeated = problem.errors.iter().any(|error| error.message.contains(PASSWORD))
                || (!is_named && problem.detail.contains(PASSWORD));
            assert!(!repeated, "a secret is repeated");
        }
    }
}

fn says(body: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(body).contains(text)
}
