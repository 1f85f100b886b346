//! POND's errors: `{status, code, message, developerMessage, referenceId}`, also within a 2xx (**S**).

use crate::carrier::{Fields, field_text, fields};
use crate::http::{Answer, Meaning, WordedError};

/// Finds POND's error in an answer; none: it holds none, and the HTTP status decides.
pub(super) fn read_error(answer: &Answer) -> Option<WordedError> {
    let fields = fields(answer)?;
    let own_status = field_text(&fields, "status").and_then(|text| text.parse::<u16>().ok()).filter(|status| *status >= 400);
    if !is_error(&fields, own_status) {
        return None;
    }
    let said: Vec<String> = ["message", "developerMessage"].into_iter().filter_map(|name| field_text(&fields, name)).collect();
    let reference = field_text(&fields, "referenceId").map(|id| format!("(reference {id})"));
    let said: Vec<String> = said.into_iter().chain(reference).collect();
    let meaning = meaning(status_of(answer.status, own_status)?);
    Some(WordedError::new(meaning, field_text(&fields, "code").as_deref(), &said.join(" ")))
}

/// Whether an object is an error: it has fields that only errors have, or a status that is an HTTP status of errors, which
/// that of a SIM or a package, a word, is not.
fn is_error(fields: &Fields<'_>, own_status: Option<u16>) -> bool {
    let has = |name: &str| fields.get(name).is_some_and(|raw| raw.get() != "null");
    own_status.is_some() || has("developerMessage") || has("referenceId") || (has("code") && has("message"))
}

/// The status that decides. Within a 2xx it is the error's own; without one nobody knows. Else it is the HTTP status, unless
/// that is the general 400, or the error's own speaks of a failure: what is clear is so by both.
fn status_of(http: u16, own: Option<u16>) -> Option<u16> {
    match (http, own) {
        (200..=299, own) => Some(own.unwrap_or(500)),
        (400, Some(own)) => Some(own),
        (401..=428 | 430..=499, Some(own)) if meaning(own) == Meaning::Failed => Some(own),
        (400.., _) => Some(http),
        _ => None,
    }
}

/// What a status means, as B7.3 has it.
const fn meaning(status: u16) -> Meaning {
    match status {
        401 | 403 => Meaning::AccountRefused,
        404 => Meaning::NotFound,
        429 => Meaning::Throttled,
        400..=407 | 410..=422 => Meaning::Refused,
        _ => Meaning::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> Option<(Meaning, String)> {
        let answer = Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        read_error(&answer).map(|error| (error.meaning, error.text))
    }

    fn body(status: &str) -> String {
        format!(r#"{{"status":{status},"code":"E7","message":"no","developerMessage":"no way","referenceId":"r-1"}}"#)
    }

    #[test]
    fn an_error_within_a_success_is_that_error() {
        for (status, expected) in [
            (400, Meaning::Refused),
            (401, Meaning::AccountRefused),
            (403, Meaning::AccountRefused),
            (404, Meaning::NotFound),
            (408, Meaning::Failed),
            (409, Meaning::Failed),
            (410, Meaning::Refused),
            (422, Meaning::Refused),
            (423, Meaning::Failed),
            (429, Meaning::Throttled),
            (500, Meaning::Failed),
            (503, Meaning::Failed),
        ] {
            for written in [status.to_string(), format!("\"{status}\"")] {
                let text = "E7: no no way (reference r-1)".to_owned();
                assert_eq!(error(200, &body(&written)), Some((expected, text.clone())), "{written}");
                assert_eq!(error(400, &body(&written)), Some((expected, text.clone())), "{written}");
                assert_eq!(error(502, &body(&written)), Some((Meaning::Failed, text)), "a failure is no clear refusal");
            }
        }
    }

    #[test]
    fn an_error_without_a_status_is_judged_by_that_of_the_answer() {
        for written in ["null", "\"FAILED\"", "200", "-1", "70000", "{}"] {
            for (status, expected) in [(200, Meaning::Failed), (400, Meaning::Refused), (404, Meaning::NotFound)] {
                assert_eq!(error(status, &body(written)).map(|(meaning, _)| meaning), Some(expected), "{written} {status}");
            }
        }
        assert_eq!(error(200, r#"{"status":400}"#), Some((Meaning::Refused, String::new())));
        assert_eq!(error(200, r#"{"code":"E7","message":"no"}"#).map(|(meaning, _)| meaning), Some(Meaning::Failed));
        for (http, own, expected) in [
            (429, "500", Meaning::Throttled),
            (429, "400", Meaning::Throttled),
            (401, "400", Meaning::AccountRefused),
            (404, "400", Meaning::NotFound),
            (404, "500", Meaning::Failed),
            (422, "409", Meaning::Failed),
        ] {
            assert_eq!(error(http, &body(own)).map(|(meaning, _)| meaning), Some(expected), "{http} {own}");
        }
        assert_eq!(error(302, &body("400")), None, "somebody on the way says so");
    }

    #[test]
    fn what_is_no_error_of_pond_is_none() {
        for body in [
            "",
            "{",
            "[]",
            "<html>400</html>",
            r#"{"iccid":"89012603142146561234","status":"ACTIVE"}"#,
            r#"{"packageId":"7","status":"ACTIVE","code":"GOLD"}"#,
            r#"{"total":0,"offset":0,"count":0,"elements":[],"message":null,"referenceId":null}"#,
            r#"[{"status":400,"code":"E7","message":"no"}]"#,
        ] {
            assert_eq!(error(200, body), None, "{body}");
        }
    }
}
