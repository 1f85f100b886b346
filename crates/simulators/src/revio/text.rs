//! Texts of the interface: days, moments, what is quoted back.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

/// The most characters of somebody else's text that are quoted.
const MOST_QUOTED: usize = 200;

/// A text from outside as it is quoted: cut, and without what would break a line.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(MOST_QUOTED).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A day such as `2026-12-01Z`.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.strip_suffix('Z')?, "%Y-%m-%d").ok()
}

/// Whether a text has the form of a day, be there such a day or not.
pub(super) fn looks_like_day(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 11 && text.bytes().enumerate().all(form)
}

/// A day in an answer: its start, without a zone.
pub(super) fn day_in_answer(day: Option<NaiveDate>) -> Value {
    day.map_or(Value::Null, |day| format!("{}T00:00:00", day.format("%Y-%m-%d")).into())
}

/// A moment in an answer, without a zone.
pub(super) fn moment_in_answer(moment: DateTime<Utc>) -> Value {
    moment.format("%Y-%m-%dT%H:%M:%S%.3f").to_string().into()
}

/// Money or a quantity in an answer: a number.
pub(super) fn number_in_answer(number: Option<Decimal>) -> Value {
    number.and_then(|number| serde_json::from_str(&number.normalize().to_string()).ok()).unwrap_or(Value::Null)
}

/// A number of a request as a decimal, by its text.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
}

/// A part of a query without its percent signs; none: it was not UTF-8.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        match first {
            b'%' => {
                let digits = std::str::from_utf8(others.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &others[2..];
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// A text as it stands in HTML.
pub(super) fn in_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '"' | '\'' => {
                // Writing into a string cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn days_have_a_literal_z() {
        assert_eq!(day("2026-12-01Z"), NaiveDate::from_ymd_opt(2026, 12, 1));
        assert_eq!(day("2026-12-01"), None);
        assert!(looks_like_day("2026-02-30Z") && day("2026-02-30Z").is_none());
        assert_eq!(day_in_answer(day("2026-12-01Z")), json!("2026-12-01T00:00:00"));
    }

    #[test]
    fn money_keeps_its_digits() {
        for text in ["0.1", "2.5", "12.3456789012", "1e-7", "0.30000000000000004"] {
            let value: Value = serde_json::from_str(text).expect("a number");
            let read = decimal(&value).expect("a decimal");
            assert_eq!(number_in_answer(Some(read)), value, "{text}");
        }
    }

    #[test]
    fn queries_are_decoded() {
        assert_eq!(decoded("a%20b+c%2B").as_deref(), Some("a b c+"));
        assert_eq!(decoded("%e2%82%ac").as_deref(), Some("€"));
        assert!(decoded("%2").is_none() && decoded("%zz").is_none() && decoded("%ff").is_none());
    }

    #[test]
    fn html_is_escaped() {
        assert_eq!(in_html("<b>&"), "&#60;b&#62;&#38;");
    }
}
