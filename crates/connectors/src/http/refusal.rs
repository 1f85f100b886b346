//! What the other side says when it refuses: an object, an array of one, text or HTML, as one line; and how long it asks us to
//! wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::mask::Masker;
use super::transport::Answer;

/// The longest text that is made of a refusal, in characters.
const MOST_CHARACTERS: usize = 1_000;

/// How much of a body is looked at for its words. An error page of megabytes, made of tags that never close, is to cost nothing.
const MOST_BYTES: usize = 16 << 10;

/// The longest wait that is taken at its word, in seconds; what is longer is cut to it.
const LONGEST_WAIT_SECONDS: u64 = 24 * 3600;

/// Fields in which refusals are worded, the likeliest first.
const WORDED_IN: [&str; 9] =
    ["message", "error", "error_message", "errorMessage", "error_description", "detail", "title", "errors", "description"];

/// The refusal as one line, without secrets; none if the body is empty or not UTF-8.
pub(super) fn read_refusal(body: &[u8], masker: &Masker) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.is_empty() {
        return None;
    }
    // Hidden before tags are taken out: a password may hold what looks like one.
    let text = masker.hide(&text[..text.floor_char_boundary(MOST_BYTES)]);
    let said = match serde_json::from_str::<Value>(&text) {
        Ok(value) => worded(&value).unwrap_or_else(|| text.clone()),
        Err(_) => text.clone(),
    };
    let line = one_line(&without_tags(&said));
    let line = if line.is_empty() { one_line(&text) } else { line };
    Some(line.chars().take(MOST_CHARACTERS).collect())
}

/// What an error says as one line, without secrets and cut: hidden first, for a cut may fall within one.
pub(super) fn shown_line(said: &str, masker: &Masker) -> String {
    let said = masker.hide(&said[..said.floor_char_boundary(MOST_BYTES)]);
    one_line(&said).chars().take(MOST_CHARACTERS).collect()
}

/// The words of a refusal in JSON.
fn worded(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(values) => {
            let words: Vec<String> = values.iter().filter_map(worded).collect();
            (!words.is_empty()).then(|| words.join("; "))
        }
        Value::Object(fields) => {
            let field = |name: &str| fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            WORDED_IN.iter().find_map(|name| field(name).and_then(worded))
        }
        _ => None,
    }
}

/// Text without HTML tags and what stands in scripts and styles. A `<` that begins no tag is kept.
fn without_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        kept.push_str(before);
        let begins_tag = tag[1..].starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?'));
        let Some(end) = tag.find('>').filter(|_| begins_tag) else {
            kept.push('<');
            rest = &tag[1..];
            continue;
        };
        let silent = ["script", "style"].into_iter().find(|name| {
            let word = tag.get(1..=name.len());
            word.is_some_and(|word| word.eq_ignore_ascii_case(name))
        });
        let closing = silent.and_then(|name| tag.to_ascii_lowercase().find(&format!("</{name}")));
        rest = match closing {
            Some(at) => &tag[at..],
            None => &tag[end + 1..],
        };
        kept.push(' ');
    }
    kept.push_str(rest);
    kept.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How long the other side asks to wait: `Retry-After` in seconds or as a date, else, in a 429, the first number in what it
/// says (`said`), as seconds plus one.
pub(super) fn asked_wait(answer: &Answer, said: &str, now: DateTime<Utc>) -> Option<Duration> {
    let header = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    let by_header = header.and_then(|(_, value)| retry_after(value.trim(), now));
    let by_message = || {
        let number = first_number(said).filter(|_| answer.status == 429);
        number.map(|seconds| seconds.saturating_add(1))
    };
    by_header.or_else(by_message).map(|seconds| Duration::from_secs(seconds.min(LONGEST_WAIT_SECONDS)))
}

/// Seconds, rounded up.
fn retry_after(value: &str, now: DateTime<Utc>) -> Option<u64> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().unwrap_or(LONGEST_WAIT_SECONDS));
    }
    let moment = DateTime::parse_from_rfc2822(value).ok()?.with_timezone(&Utc);
    let milliseconds = u64::try_from((moment - now).num_milliseconds()).unwrap_or(0);
    Some(milliseconds.div_ceil(1000))
}

fn first_number(text: &str) -> Option<u64> {
    let start = text.find(|character: char| character.is_ascii_digit())?;
    let digits: String = text[start..].chars().take_while(char::is_ascii_digit).collect();
    Some(digits.parse().unwrap_or(LONGEST_WAIT_SECONDS))
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn said(body: &[u8]) -> Option<String> {
        read_refusal(body, &Masker::new([]))
    }

    #[test]
    fn refusals_of_every_shape_become_one_line() {
        let cases = [
            (r#"{"ok":false,"message":"customer_id 5 is closed"}"#, "customer_id 5 is closed"),
            (r#"[{"ok":false,"Message":"customer_id 5\nis closed"}]"#, "customer_id 5 is closed"),
            (r#"{"errors":[{"message":"a"},{"message":"b"}]}"#, "a; b"),
            (r#"{"error":{"code":7,"message":"a"}}"#, "a"),
            (r#""only text""#, "only text"),
            (r#"{"code":7}"#, r#"{"code":7}"#),
            ("[]", "[]"),
            ("  plain\r\n text ", "plain text"),
            (
                "<html><head><style>p{}</style><SCRIPT>x<y</SCRIPT></head><body><h1>Bad&nbsp;Gateway</h1><p>a &amp; b</p></body>",
                "Bad Gateway a & b",
            ),
            ("1 < 2 and <b>3", "1 < 2 and 3"),
            ("<br/>", "<br/>"),
            ("<", "<"),
            ("<style", "<style"),
            ("{\"message\":\"\"}", "{\"message\":\"\"}"),
        ];
        for (body, line) in cases {
            assert_eq!(said(body.as_bytes()).as_deref(), Some(line), "{body}");
        }
        assert_eq!(said(b""), None);
        assert_eq!(said(b"\xff"), None);
        assert_eq!(said("ü".repeat(5_000).as_bytes()).map(|line| line.chars().count()), Some(1_000));
    }

    #[test]
    fn waits_are_read_and_bounded() {
        let now = "2026-11-21T10:00:00.5Z".parse().expect("a moment");
        let wait = |status, header: Option<&str>, body: &str| {
            let headers = header.map(|value| ("Retry-After".to_owned(), value.to_owned())).into_iter().collect();
            let words = said(body.as_bytes()).unwrap_or_default();
            asked_wait(&Answer { status, headers, body: Vec::new() }, &words, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait(429, Some("7"), "wait 99"), Some(7));
        assert_eq!(wait(503, Some("7"), ""), Some(7));
        assert_eq!(wait(429, Some("Sat, 21 Nov 2026 10:00:10 GMT"), ""), Some(10));
        assert_eq!(wait(429, Some("Sat, 21 Nov 2026 09:00:10 GMT"), ""), Some(0));
        assert_eq!(wait(429, Some("99999999999999999999999"), ""), Some(24 * 3600));
        assert_eq!(wait(429, None, r#"{"message":"Rate limit is exceeded. Try again in 42 seconds."}"#), Some(43));
        assert_eq!(wait(429, Some("soon"), "42"), Some(43));
        assert_eq!(wait(429, None, "later"), None);
        assert_eq!(wait(429, None, ""), None);
        assert_eq!(wait(503, None, "wait 42"), None, "only a 429 speaks of seconds");
    }

    #[test]
    fn a_secret_that_looks_like_a_tag_is_hidden_first() {
        let secret = SecretString::from("ab<cd>  &amp;ef");
        let masker = Masker::new([&secret]);
        for body in ["<p>ab<cd>  &amp;ef</p>", r#"{"message":"ab<cd>  &amp;ef"}"#] {
            assert_eq!(read_refusal(body.as_bytes(), &masker).as_deref(), Some("***"), "{body}");
        }
    }

    #[test]
    fn a_page_of_tags_that_never_close_costs_little() {
        for tag in ["<style>", "<a", "<script></styl", "[", "{\"message\":"] {
            let body = tag.repeat((8 << 20) / tag.len());
            let words = said(body.as_bytes()).expect("it is text");
            assert!(words.chars().count() <= MOST_CHARACTERS, "{tag}");
        }
    }
}
