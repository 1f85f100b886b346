//! Jasper's errors: `{"errorMessage":"...","errorCode":"10000001"}`. The code says more than the HTTP status, which is not public
//! for all of them (**?** for 40000029), and may be absent.

use crate::carrier::{field_text, fields};
use crate::http::{Answer, Meaning, WordedError};

/// Credentials or address not allowed.
const NOT_ALLOWED: &str = "10000001";
/// The user's role lacks the API.
const ROLE_LACKS_API: &str = "10000030";
/// No such ICCID.
const ICCID_NOT_FOUND: &str = "20000001";
/// Too many calls.
const THROTTLED: &str = "40000029";

/// Finds Jasper's error in an answer. One whose code is absent or unknown is left to the HTTP status; within a 2xx it has
/// failed, for an error is no success.
pub(super) fn read_error(answer: &Answer) -> Option<WordedError> {
    let fields = fields(answer)?;
    let (code, said) = (field_text(&fields, "errorCode"), field_text(&fields, "errorMessage"));
    let is_success = (200..=299).contains(&answer.status);
    let is_error = [("errorCode", &code), ("errorMessage", &said)]
        .into_iter()
        .any(|(name, text)| text.is_some() || fields.get(name).is_some_and(|raw| !matches!(raw.get(), "null" | "\"\"")));
    if !is_error {
        return None;
    }
    let meaning = code.as_deref().and_then(meaning).or(is_success.then_some(Meaning::Failed))?;
    Some(WordedError::new(meaning, code.as_deref(), said.as_deref().unwrap_or_default()))
}

/// What a code means: 1xxxxxxx and 2xxxxxxx are permanent for the device, 3xxxxxxx pass (**I**).
fn meaning(code: &str) -> Option<Meaning> {
    if code.len() != 8 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match code {
        NOT_ALLOWED | ROLE_LACKS_API => Some(Meaning::AccountRefused),
        ICCID_NOT_FOUND => Some(Meaning::NotFound),
        THROTTLED => Some(Meaning::Throttled),
        _ => match code.as_bytes()[0] {
            b'1' | b'2' => Some(Meaning::Refused),
            b'3' => Some(Meaning::Failed),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(status: u16, body: &str) -> Option<(Meaning, String)> {
        let answer = Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        read_error(&answer).map(|error| (error.meaning, error.text))
    }

    #[test]
    fn every_code_of_the_page_has_its_meaning_whatever_the_status() {
        for (codes, expected) in [
            (&["10000001", "10000030"][..], Meaning::AccountRefused),
            (&["10000003", "10000005", "10000011", "10000012", "10000013", "10000014", "10000015"], Meaning::Refused),
            (&["10000021", "10000023", "10000028", "10000029", "20000002", "29999999"], Meaning::Refused),
            (&["20000001"], Meaning::NotFound),
            (&["30000001", "39999999"], Meaning::Failed),
            (&["40000029"], Meaning::Throttled),
        ] {
            for code in codes {
                for status in [200, 202, 400, 401, 404, 429, 500, 503] {
                    for written in [format!("\"{code}\""), (*code).to_owned()] {
                        let body = format!(r#"{{"errorMessage":"no way","errorCode":{written}}}"#);
                        assert_eq!(error(status, &body), Some((expected, format!("{code}: no way"))), "{code} {status}");
                    }
                }
            }
        }
    }

    #[test]
    fn without_a_known_code_the_status_decides_and_a_success_is_none() {
        for body in [
            r#"{"errorMessage":"no"}"#,
            r#"{"errorMessage":"no","errorCode":null}"#,
            r#"{"errorMessage":"no","errorCode":"40000028"}"#,
            r#"{"errorMessage":"no","errorCode":"1000001"}"#,
            r#"{"errorMessage":"no","errorCode":"100000010"}"#,
            r#"{"errorMessage":"no","errorCode":"1000000x"}"#,
            r#"{"errorMessage":{"text":"no"},"iccid":"89012603142146561234"}"#,
            r#"{"errorCode":[1],"iccid":"89012603142146561234"}"#,
        ] {
            assert_eq!(error(400, body), None, "{body}");
            assert_eq!(error(503, body), None, "{body}");
            assert_eq!(error(200, body).map(|(meaning, _)| meaning), Some(Meaning::Failed), "{body}");
        }
    }

    #[test]
    fn what_is_no_error_of_jasper_is_none() {
        for body in [
            "",
            "{",
            "[]",
            "<html>10000001</html>",
            "<?xml version=\"1.0\"?><errorCode>10000001</errorCode>",
            r#""errorCode""#,
            r#"[{"errorCode":"10000001"}]"#,
            r#"{"iccid":"89012603142146561234"}"#,
            r#"{"iccid":"89012603142146561234","errorCode":null,"errorMessage":""}"#,
        ] {
            assert_eq!(error(200, body), None, "{body}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(error(200, &deep), None);
        assert_eq!(error(200, r#"{"errorCode":"1","errorCode":"30000001"}"#), Some((Meaning::Failed, "30000001".to_owned())));
    }

    proptest! {
        #[test]
        fn a_success_with_an_error_in_it_never_passes(code in "[0-9]{0,10}|[a-z]{1,4}", said in ".{1,60}", more in 0_u32..3) {
            let mut body = serde_json::json!({ "errorMessage": format!("x{said}"), "errorCode": code });
            if more == 1 {
                body["iccid"] = "89012603142146561234".into();
            }
            prop_assert!(error(200, &body.to_string()).is_some());
        }
    }
}
