//! Single values as other systems write them, read the same way for all: texts that may be numbers, and what is parsed of them.

use std::fmt::Display;

use serde::de::{Deserializer, Error};
use serde::{Deserialize, de};
use serde_json::value::RawValue;

/// A text, or a number as it is written, without blanks around it; none if null or blank. A number never becomes a binary
/// fraction on its way.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let written = raw.get();
    let text = match written.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(written).map_err(D::Error::custom)?,
        Some(b'-' | b'0'..=b'9') => written.to_owned(),
        _ => return Err(D::Error::custom("expected a text or a number")),
    };
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// What `parse` makes of a text or number; none if null or blank.
pub(crate) fn parsed<'de, D, T, E>(deserializer: D, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    E: Display,
{
    text(deserializer)?.map(|text| parse(&text).map_err(|error| de::Error::custom(format!("{text:?}: {error}")))).transpose()
}
