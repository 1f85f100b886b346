//! Single values as Rev.io writes them: ids as numbers or digits, money as decimal text, dates in three shapes.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use lineshift_domain::terms::ServiceProductStatus;
use rust_decimal::Decimal;
use serde::de::{Deserializer, Error};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::values::parsed;
pub(super) use crate::values::text;

/// An id: above 0.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    optional_id(deserializer)?.ok_or_else(|| D::Error::custom("expected an id, found none"))
}

/// An id, or none; 0 stands for none, too.
pub(super) fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let id = parsed(deserializer, |text| text.parse::<i64>())?;
    match id {
        Some(..0) => Err(D::Error::custom("expected an id above 0")),
        id => Ok(id.filter(|id| *id > 0)),
    }
}

/// Money or a quantity. It may be written with an exponent; what has more than 28 digits is rounded to them.
pub(super) fn optional_decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    parsed(deserializer, |text| {
        let exponent = text.contains(['e', 'E']);
        if exponent { Decimal::from_scientific(text) } else { text.parse() }
    })
}

/// A day: `2026-12-01Z`, `2026-12-01`, or the day of a moment as it is written.
pub(super) fn optional_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    parsed(deserializer, day)
}

/// A moment: RFC 3339, `2016-10-21T16:24:21.293` (taken as UTC), or a day's beginning.
pub(super) fn optional_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    parsed(deserializer, moment)
}

/// Where a service product stands.
pub(super) fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ServiceProductStatus, D::Error> {
    let status = parsed(deserializer, |text| text.to_ascii_uppercase().parse::<ServiceProductStatus>())?;
    status.ok_or_else(|| D::Error::custom("expected a status, found none"))
}

fn day(text: &str) -> Result<NaiveDate, chrono::ParseError> {
    let date = text.find(['T', 't', ' ']).map_or(text, |end| &text[..end]);
    if date.len() < text.len() {
        moment(text)?;
    }
    NaiveDate::parse_from_str(date.trim_end_matches(['Z', 'z']), "%Y-%m-%d")
}

fn moment(text: &str) -> Result<DateTime<Utc>, chrono::ParseError> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.with_timezone(&Utc));
    }
    if text.contains(['T', 't', ' ']) {
        return NaiveDateTime::parse_from_str(&text.replace(['t', ' '], "T"), "%Y-%m-%dT%H:%M:%S%.f")
            .map(|moment| moment.and_utc());
    }
    day(text).map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc())
}

/// A day as Rev.io takes it.
pub(super) fn day_text(day: NaiveDate) -> String {
    day.format("%Y-%m-%dZ").to_string()
}

/// Writes a day as Rev.io takes it.
pub(super) fn write_day<S: Serializer>(day: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&day_text(*day))
}

/// Writes a day, if there is one.
pub(super) fn write_optional_day<S: Serializer>(day: &Option<NaiveDate>, serializer: S) -> Result<S::Ok, S::Error> {
    day.map(day_text).serialize(serializer)
}

/// Writes money or a quantity as a number, digit by digit.
pub(super) fn write_decimal<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    RawValue::from_string(value.normalize().to_string()).map_err(S::Error::custom)?.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Values {
        #[serde(default, deserialize_with = "text")]
        text: Option<String>,
        #[serde(default, deserialize_with = "optional_id")]
        id: Option<i64>,
        #[serde(default, deserialize_with = "optional_decimal")]
        money: Option<Decimal>,
        #[serde(default, deserialize_with = "optional_day")]
        day: Option<NaiveDate>,
        #[serde(default, deserialize_with = "optional_moment")]
        moment: Option<DateTime<Utc>>,
    }

    fn read(json: &str) -> Result<Values, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn money_keeps_its_digits() {
        for (written, digits) in [
            ("0.1", "0.1"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("19.9500", "19.9500"),
            ("1234567890.0123456789", "1234567890.0123456789"),
            ("\"24.99\"", "24.99"),
            ("1e2", "100"),
            ("1.5E-7", "0.00000015"),
            ("-3.5", "-3.5"),
            ("9007199254740993", "9007199254740993"),
        ] {
            let money = read(&format!(r#"{{"money":{written}}}"#)).expect(written).money.expect(written);
            assert_eq!(money.to_string(), digits, "{written}");
        }
        let sum = ["0.1", "0.2"].map(|part| read(&format!(r#"{{"money":{part}}}"#)).expect(part).money.expect(part));
        assert_eq!((sum[0] + sum[1]).to_string(), "0.3");
        for wrong in ["1e400", "true", "{}", "[1]", "\"1,5\"", "99999999999999999999999999999999"] {
            assert!(read(&format!(r#"{{"money":{wrong}}}"#)).is_err(), "{wrong}");
        }
        assert_eq!(read(r#"{"money":null}"#).expect("none").money, None);
    }

    #[test]
    fn money_is_written_digit_by_digit() {
        #[derive(Serialize)]
        struct Money(#[serde(serialize_with = "write_decimal")] Decimal);
        for (value, written) in [("24.9900", "24.99"), ("0.1", "0.1"), ("100", "100"), ("0.0000000001", "0.0000000001")] {
            let money = Money(value.parse().expect(value));
            assert_eq!(serde_json::to_string(&money).expect("JSON"), written);
        }
    }

    #[test]
    fn ids_are_numbers_or_digits_above_0() {
        for (written, id) in
            [("903311", Some(903_311)), ("\"903311\"", Some(903_311)), ("null", None), ("0", None), ("\"\"", None)]
        {
            assert_eq!(read(&format!(r#"{{"id":{written}}}"#)).expect(written).id, id, "{written}");
        }
        for wrong in ["-1", "1.0", "1e3", "\"x\"", "true", "99999999999999999999"] {
            assert!(read(&format!(r#"{{"id":{wrong}}}"#)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates_come_in_three_shapes() {
        for (written, day, moment) in [
            ("2026-12-01Z", "2026-12-01", "2026-12-01T00:00:00Z"),
            ("2026-12-01", "2026-12-01", "2026-12-01T00:00:00Z"),
            ("2016-10-21T16:24:21.293", "2016-10-21", "2016-10-21T16:24:21.293Z"),
            ("2016-10-21 16:24:21", "2016-10-21", "2016-10-21T16:24:21Z"),
            ("2026-12-01T23:30:00-05:00", "2026-12-01", "2026-12-02T04:30:00Z"),
        ] {
            let values = read(&format!(r#"{{"day":"{written}","moment":"{written}"}}"#)).expect(written);
            assert_eq!(values.day.map(|day| day.to_string()).as_deref(), Some(day), "{written}");
            assert_eq!(values.moment, Some(moment.parse().expect("a moment")), "{written}");
        }
        for wrong in ["soon", "2026-13-01", "2026-12-01Tx", "01.12.2026", "2026-12-01T25:00:00"] {
            assert!(read(&format!(r#"{{"day":"{wrong}"}}"#)).is_err(), "{wrong}");
            assert!(read(&format!(r#"{{"moment":"{wrong}"}}"#)).is_err(), "{wrong}");
        }
        assert_eq!(read(r#"{"day":""}"#).expect("none").day, None);
        assert_eq!(day_text(NaiveDate::from_ymd_opt(2026, 12, 1).expect("a day")), "2026-12-01Z");
    }

    #[test]
    fn texts_may_be_numbers() {
        for (written, text) in [("\" a \"", Some("a")), ("15551230000", Some("15551230000")), ("\"  \"", None), ("null", None)] {
            assert_eq!(read(&format!(r#"{{"text":{written}}}"#)).expect(written).text.as_deref(), text);
        }
        assert!(read(r#"{"text":{}}"#).is_err());
    }
}
