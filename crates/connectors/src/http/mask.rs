//! Texts for the log, without the account's secrets (B7.5).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

/// The longest text for the log, in characters.
pub const MOST_TEXT_CHARACTERS: usize = 4_000;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// An encoded secret that is shorter than this is left: two hexadecimal digits stand in every text.
const LEAST_ENCODED: usize = 4;

/// The same for what the middle of a longer base64 text shows of a secret.
const LEAST_FRAGMENT: usize = 8;

/// Replaces every occurrence of some secrets: plain, base64 (also in the midst of a longer base64 text), base64url,
/// URL-encoded, hexadecimal, and escaped as in JSON and HTML.
pub struct Masker {
    /// By first byte, the longest first.
    patterns: Vec<Vec<String>>,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masker(***)")
    }
}

impl Masker {
    /// A masker of these secrets; empty ones are left out.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let all: BTreeSet<String> = secrets.into_iter().flat_map(|secret| written(secret.expose_secret())).collect();
        let mut patterns = vec![Vec::new(); 256];
        for pattern in all {
            let first = pattern.as_bytes()[0];
            patterns[usize::from(first)].push(pattern);
        }
        for same_first in &mut patterns {
            same_first.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
        }
        Self { patterns }
    }

    /// The text without secrets, with control characters made visible, cut to [`MOST_TEXT_CHARACTERS`].
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut masked = String::new();
        let (mut at, mut characters) = (0, 0);
        while let Some(character) = text[at..].chars().next() {
            let before = masked.len();
            if let Some(end) = self.secret_at(text, at) {
                masked.push_str(MASK);
                at = end;
            } else {
                push_visible(character, &mut masked);
                at += character.len_utf8();
            }
            characters += masked[before..].chars().count();
            if characters > MOST_TEXT_CHARACTERS {
                return masked.chars().take(MOST_TEXT_CHARACTERS - 1).chain(['…']).collect();
            }
        }
        masked
    }

    /// The text without secrets and otherwise as it is: before something is taken out of it that may stand within one.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut hidden = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(character) = text[at..].chars().next() {
            if let Some(end) = self.secret_at(text, at) {
                hidden.push_str(MASK);
                at = end;
            } else {
                hidden.push(character);
                at += character.len_utf8();
            }
        }
        hidden
    }

    /// Where the secret that begins at `at` ends, and all that overlap it.
    fn secret_at(&self, text: &str, at: usize) -> Option<usize> {
        let longest = |at: usize| {
            let bytes = &text.as_bytes()[at..];
            let same_first = &self.patterns[usize::from(bytes[0])];
            same_first.iter().find(|pattern| bytes.starts_with(pattern.as_bytes())).map(|pattern| at + pattern.len())
        };
        let mut end = longest(at)?;
        let mut inside = at + 1;
        while inside < end {
            end = longest(inside).map_or(end, |further| further.max(end));
            inside += 1;
        }
        Some(end)
    }
}

/// Every way in which a secret may be written.
fn written(secret: &str) -> Vec<String> {
    if secret.is_empty() {
        return Vec::new();
    }
    let bytes = secret.as_bytes();
    let engines = [STANDARD.encode(bytes), STANDARD_NO_PAD.encode(bytes), URL_SAFE.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)];
    let mut all: Vec<String> = engines.into_iter().collect();
    let (lower, upper) = (hex(bytes, false), hex(bytes, true));
    all.extend([lower, upper]);
    for unreserved in ["-_.~", "-_.~!*'()", "-_.*", "-_.~!$&'()*+,;=:@/?"] {
        for upper in [true, false] {
            let encoded = url_encoded(secret, unreserved, upper);
            all.push(encoded.replace("%20", "+"));
            all.push(encoded);
        }
    }
    let quoted = serde_json::to_string(secret).expect("a text is JSON");
    let json = quoted[1..quoted.len() - 1].to_owned();
    all.push(json.replace('/', "\\/"));
    all.push(json.chars().map(ascii_json).collect());
    all.push(json);
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    all.push(html.replace('\'', "&#39;"));
    all.push(html);
    all.retain(|encoded| encoded.len() >= LEAST_ENCODED);
    all.extend(base64_fragments(bytes));
    all.push(secret.to_owned());
    all
}

/// What the middle of a longer base64 text shows of a secret, for each of the three ways in which it may fall.
fn base64_fragments(secret: &[u8]) -> Vec<String> {
    let mut fragments = Vec::new();
    for before in 0..3 {
        let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(secret.iter().copied()).collect();
        // Characters that also hold bits of a neighbour are left out at both ends.
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        if to.saturating_sub(from) >= LEAST_FRAGMENT {
            fragments.push(STANDARD_NO_PAD.encode(&bytes)[from..to].to_owned());
            fragments.push(URL_SAFE_NO_PAD.encode(&bytes)[from..to].to_owned());
        }
    }
    fragments
}

fn hex(bytes: &[u8], upper: bool) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let written = if upper { write!(hex, "{byte:02X}") } else { write!(hex, "{byte:02x}") };
        written.expect("a text takes what is written to it");
        hex
    })
}

fn url_encoded(secret: &str, unreserved: &str, upper: bool) -> String {
    let mut encoded = String::new();
    for byte in secret.bytes() {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || unreserved.contains(character) {
            encoded.push(character);
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte], upper));
        }
    }
    encoded
}

/// A character of a JSON text as JSON in ASCII has it.
fn ascii_json(character: char) -> String {
    if character.is_ascii() {
        return character.to_string();
    }
    let mut units = [0; 2];
    character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// Control characters, and those that turn the direction of what follows, would change how a log looks.
fn push_visible(character: char, text: &mut String) {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if character.is_control() || turns {
        text.extend(character.escape_default());
    } else {
        text.push(character);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masker(secrets: &[&str]) -> Masker {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        Masker::new(&secrets)
    }

    #[test]
    fn secrets_vanish_in_every_writing() {
        let masker = masker(&["p\"ss/wö rd", "apiuser"]);
        let basic = STANDARD.encode("apiuser@acme:p\"ss/wö rd");
        let cases = [
            ("password p\"ss/wö rd!".to_owned(), "password ***!"),
            (r#"{"password":"p\"ss/wö rd"}"#.to_owned(), r#"{"password":"***"}"#),
            (r#"{"password":"p\"ss\/wö rd"}"#.to_owned(), r#"{"password":"***"}"#),
            (r#"{"password":"p\"ss/w\u00f6 rd"}"#.to_owned(), r#"{"password":"***"}"#),
            ("p&quot;ss/wö rd".to_owned(), "***"),
            ("?p=p%22ss%2Fw%C3%B6%20rd&q".to_owned(), "?p=***&q"),
            ("?p=p%22ss%2fw%c3%b6+rd".to_owned(), "?p=***"),
            (hex("p\"ss/wö rd".as_bytes(), false), "***"),
            (hex("p\"ss/wö rd".as_bytes(), true), "***"),
            ("apiuser@acme".to_owned(), "***@acme"),
        ];
        for (text, masked) in cases {
            assert_eq!(masker.mask(&text), masked, "{text}");
        }
        let shown = masker.mask(&format!("Basic {basic}"));
        let user = STANDARD_NO_PAD.encode("apiuser");
        assert!(!shown.contains(&user[..8]) && shown.contains("***"), "{shown}");
    }

    #[test]
    fn overlapping_secrets_leave_nothing_of_each_other() {
        let masker = masker(&["abcdef", "defghi", "x"]);
        assert_eq!(masker.mask("1abcdefghi2x3"), "1***2***3");
        assert_eq!(masker.mask("üabcdefghiü"), "ü***ü");
    }

    #[test]
    fn a_text_is_cut_between_characters_and_a_secret_at_the_cut_is_masked() {
        let masker = masker(&["topsecret"]);
        let text = format!("{}topsecret{}", "ü".repeat(MOST_TEXT_CHARACTERS - 5), "ü".repeat(9_000));
        let masked = masker.mask(&text);
        assert_eq!(masked.chars().count(), MOST_TEXT_CHARACTERS);
        assert!(masked.ends_with("ü***ü…") && !masked.contains("top"), "{}", &masked[masked.len() - 20..]);
        let whole = "a".repeat(MOST_TEXT_CHARACTERS);
        assert_eq!(masker.mask(&whole), whole);
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(masker(&[]).mask("a\r\n\tb\u{1b}[31m\u{202e}c\0"), r"a\r\n\tb\u{1b}[31m\u{202e}c\u{0}");
    }

    proptest! {
        #[test]
        fn no_writing_of_a_secret_is_left(
            secrets in proptest::collection::vec("[a-zA-Z0-9_@:/ \"&<ü-]{4,24}", 1..4),
            before in "[a-z ]{0,40}",
            between in "[ -~]{0,3}",
            which in 0_usize..4,
            how in 0_usize..12,
        ) {
            let secret = &secrets[which % secrets.len()];
            let writings = [
                secret.clone(),
                STANDARD.encode(secret),
                URL_SAFE.encode(secret),
                URL_SAFE_NO_PAD.encode(secret),
                STANDARD.encode(format!("{secret}@client:password")),
                url_encoded(secret, "-_.~", true),
                url_encoded(secret, "-_.~", false),
                url_encoded(secret, "-_.*", true).replace("%20", "+"),
                hex(secret.as_bytes(), false),
                hex(secret.as_bytes(), true),
                serde_json::to_string(secret).expect("a text is JSON"),
                secret.repeat(2),
            ];
            let text = format!("{before}{between}{}{between}{before}", writings[how]);
            let known: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let masked = masker(&known).mask(&text);
            for secret in &secrets {
                for writing in [
                    secret.clone(),
                    STANDARD_NO_PAD.encode(secret)[..secret.len() * 8 / 6].to_owned(),
                    URL_SAFE_NO_PAD.encode(secret)[..secret.len() * 8 / 6].to_owned(),
                    url_encoded(secret, "-_.~", true),
                    url_encoded(secret, "-_.~", false),
                    hex(secret.as_bytes(), false),
                    hex(secret.as_bytes(), true),
                ] {
                    // A short piece of base64 stands in many a text by chance.
                    if writing.len() >= LEAST_FRAGMENT {
                        prop_assert!(!masked.contains(&writing), "{writing:?} in {masked:?}");
                    }
                }
            }
        }
    }
}
