//! Single values in a carrier's answers. What is longer or otherwise than it can be is refused, not cut or guessed.

use chrono::{DateTime, Utc};
use serde::de::{Deserializer, Error};

use super::IccId;
pub(super) use crate::values::parsed;

/// The longest text of a field, in characters: names of plans and the like.
const MOST_CHARACTERS: usize = 255;

fn short(text: &str) -> Result<String, String> {
    if text.chars().count() > MOST_CHARACTERS {
        return Err(format!("a text of more than {MOST_CHARACTERS} characters"));
    }
    Ok(text.to_owned())
}

/// A text, or a number as it is written; none if null or blank. What is too long is not repeated in the error.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    crate::values::text(deserializer)?.map(|text| short(&text).map_err(D::Error::custom)).transpose()
}

/// A text that must say something.
pub(super) fn required_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    text(deserializer)?.ok_or_else(|| D::Error::custom("expected a text, found none"))
}

/// An ICCID.
pub(super) fn iccid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IccId, D::Error> {
    optional_iccid(deserializer)?.ok_or_else(|| D::Error::custom("expected an ICCID, found none"))
}

/// An ICCID, or none.
pub(super) fn optional_iccid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IccId>, D::Error> {
    text(deserializer)?.map(|text| text.parse().map_err(|error| D::Error::custom(format!("{text:?}: {error}")))).transpose()
}

/// A whole number from 0; none if null or blank.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    parsed(deserializer, |text| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse::<u64>().map_err(|error| error.to_string()) } else { Err("expected a whole number".to_owned()) }
    })
}

/// A whole number from 0 that must be there.
pub(super) fn required_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    count(deserializer)?.ok_or_else(|| D::Error::custom("expected a number, found none"))
}

/// A moment with its zone: ISO 8601 as `2026-11-21T10:00:00.000+0000`, with a blank for the `T` or a colon in the offset; none if
/// null or blank. One without a zone could be any of them, and is refused.
pub(super) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    parsed(deserializer, read_moment)
}

/// Reads a moment.
fn read_moment(text: &str) -> Result<DateTime<Utc>, String> {
    let text = text.replacen(' ', "T", 1);
    let moment = DateTime::parse_from_rfc3339(&text).or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    moment.map(|moment| moment.with_timezone(&Utc)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, SecondsFormat, TimeZone};
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Values {
        #[serde(default, deserialize_with = "text")]
        text: Option<String>,
        #[serde(default, deserialize_with = "count")]
        count: Option<u64>,
        #[serde(default, deserialize_with = "moment")]
        moment: Option<DateTime<Utc>>,
        #[serde(default, deserialize_with = "optional_iccid")]
        iccid: Option<IccId>,
    }

    fn read(json: &str) -> Result<Values, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn texts_are_short() {
        let longest = "ü".repeat(MOST_CHARACTERS);
        assert_eq!(read(&format!(r#"{{"text":"{longest}"}}"#)).expect("as long as it may be").text, Some(longest.clone()));
        let error = read(&format!(r#"{{"text":"{longest}ü"}}"#)).expect_err("too long");
        assert!(error.contains("more than 255 characters") && !error.contains('ü'), "{error}");
        assert_eq!(read(r#"{"text":" "}"#).expect("none").text, None);
    }

    #[test]
    fn counts_are_whole_numbers() {
        for (written, count) in [("0", Some(0)), ("\"12\"", Some(12)), ("18446744073709551615", Some(u64::MAX)), ("null", None)] {
            assert_eq!(read(&format!(r#"{{"count":{written}}}"#)).expect(written).count, count);
        }
        for wrong in ["-1", "1.0", "1e3", "18446744073709551616", "\"+1\"", "true", "[]", "\"many\""] {
            assert!(read(&format!(r#"{{"count":{wrong}}}"#)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_have_a_zone() {
        for written in [
            "2026-11-21T10:00:00Z",
            "2026-11-21T10:00:00.000+0000",
            "2026-11-21 10:00:00.000+0000",
            "2026-11-21T05:00:00-0500",
            "2026-11-21T12:00:00+02:00",
        ] {
            let moment = read(&format!(r#"{{"moment":"{written}"}}"#)).expect(written).moment;
            assert_eq!(moment, Some("2026-11-21T10:00:00Z".parse().expect("a moment")), "{written}");
        }
        for wrong in [
            "2026-11-21",
            "2026-11-21T10:00:00",
            "2026-13-21T10:00:00Z",
            "2026-11-21T25:00:00Z",
            "21.11.2026",
            "now",
            "99999999999999-01-01T00:00:00Z",
        ] {
            assert!(read(&format!(r#"{{"moment":"{wrong}"}}"#)).is_err(), "{wrong}");
        }
        assert!(read(r#"{"moment":1795255200}"#).is_err(), "a number is no moment");
    }

    proptest! {
        #[test]
        fn every_moment_is_read_as_it_was_written(
            seconds in 0_i64..32_503_680_000,
            milliseconds in 0_u32..1_000,
            minutes_east in -14 * 60..14 * 60,
            shape in 0_usize..3,
        ) {
            let zone = FixedOffset::east_opt(minutes_east * 60).expect("within a day");
            let moment = zone.timestamp_opt(seconds, milliseconds * 1_000_000).single().expect("a moment");
            let written = match shape {
                0 => moment.to_rfc3339_opts(SecondsFormat::Millis, true),
                1 => moment.format("%Y-%m-%d %H:%M:%S%.3f%z").to_string(),
                _ => moment.format("%Y-%m-%dT%H:%M:%S%.3f%z").to_string(),
            };
            prop_assert_eq!(read_moment(&written), Ok(moment.with_timezone(&Utc)), "{}", written);
        }

        #[test]
        fn no_text_breaks_the_reading(text in ".{0,40}") {
            let written = serde_json::to_string(&text).expect("a text is JSON");
            for field in ["text", "count", "moment", "iccid"] {
                if let Ok(values) = read(&format!(r#"{{"{field}":{written}}}"#)) {
                    let digits = text.trim();
                    let number = values.count.map(|count| count.to_string());
                    let is_it = |number: &str| digits.trim_start_matches('0') == number.trim_start_matches('0');
                    prop_assert!(number.is_none_or(|number| is_it(&number)));
                    prop_assert!(values.iccid.is_none_or(|iccid| iccid.as_str() == digits));
                }
            }
        }
    }
}
