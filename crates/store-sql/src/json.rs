//! Rows as JSON arrays: how many of them reach a statement as one parameter.

use lineshift_store::{Result, StoreError};

/// A value as JSON. The character zero, which a text of PostgreSQL cannot hold and one of SQLite ends at, becomes U+FFFD.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    let written = serde_json::to_string(value)
        .map_err(|error| StoreError::Internal { context: "writing rows as JSON".to_owned(), source: Some(Box::new(error)) })?;
    Ok(if written.contains(ZERO) { without_zero(&written) } else { written })
}

/// How the character zero is written.
const ZERO: &str = r"\u0000";

fn without_zero(written: &str) -> String {
    let mut clean = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(place) = rest.find('\\') {
        let (before, from_escape) = rest.split_at(place);
        clean.push_str(before);
        // An escaped backslash is taken whole, so that what follows it is not taken for an escape.
        let taken = if from_escape.starts_with(ZERO) { ZERO.len() } else { 2 };
        clean.push_str(if taken == ZERO.len() { r"\ufffd" } else { &from_escape[..2] });
        rest = &from_escape[taken..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use crate::json::json;

    #[test]
    fn the_character_zero_is_replaced_and_what_only_looks_like_it_stays() {
        for (text, kept) in [("a\0b", "a\u{fffd}b"), (r"a\u0000b", r"a\u0000b"), ("\\\0", "\\\u{fffd}"), ("é\"\\n\n", "é\"\\n\n")]
        {
            let written = json(&[text]).expect("JSON");
            assert_eq!(serde_json::from_str::<Vec<String>>(&written).expect("JSON"), [kept], "{written}");
        }
    }
}
