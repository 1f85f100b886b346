//! Texts that come in and go out.

use std::fmt::Write as _;

/// The most characters of somebody else's text that are quoted.
const MOST_QUOTED: usize = 200;

/// A text from outside as it is quoted: cut, and without what would break a line.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(MOST_QUOTED).map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A part of a query without its percent signs; none: it was not UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
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

/// A text as it stands in HTML and XML.
pub(crate) fn escaped(text: &str) -> String {
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
    use super::*;

    #[test]
    fn queries_are_decoded() {
        assert_eq!(decoded("a%20b+c%2B").as_deref(), Some("a b c+"));
        assert_eq!(decoded("%e2%82%ac").as_deref(), Some("€"));
        assert!(decoded("%2").is_none() && decoded("%zz").is_none() && decoded("%ff").is_none());
    }

    #[test]
    fn html_is_escaped() {
        assert_eq!(escaped("<b>&"), "&#60;b&#62;&#38;");
    }
}
