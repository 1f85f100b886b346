//! Texts of the interface: days, moments, numbers.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

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
}
