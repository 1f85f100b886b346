//! The forms in which a secret could stand in a text or a file.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A secret and all its forms.
pub(super) struct Secret {
    pub(super) name: String,
    forms: BTreeSet<String>,
}

impl Secret {
    pub(super) fn new(name: impl Into<String>, text: &str) -> Self {
        assert!(text.len() >= 8, "a shorter one would be found by chance");
        let mut forms = BTreeSet::from([text.to_owned(), format!("{text:?}").trim_matches('"').to_owned()]);
        forms.extend(json(text));
        forms.extend(percent(text));
        forms.extend(bytes(text.as_bytes()));
        for encoded in base64(text.as_bytes()) {
            forms.extend([encoded.replace('/', "\\/"), encoded.replace('+', "%2B").replace('/', "%2F"), encoded]);
        }
        Self { name: name.into(), forms }
    }

    /// The form that stands in a text.
    pub(super) fn find(&self, text: &str) -> Option<&str> {
        self.forms.iter().map(String::as_str).find(|form| text.contains(*form))
    }
}

fn json(text: &str) -> Vec<String> {
    let escaped = serde_json::to_string(text).expect("a text");
    let escaped = escaped[1..escaped.len() - 1].to_owned();
    let each = |of: char| text.encode_utf16().map(|unit| unicode(unit, of)).collect::<String>();
    let rare = text.encode_utf16().map(|unit| match char::from_u32(unit.into()) {
        Some(c) if c.is_ascii_alphanumeric() => c.to_string(),
        _ => unicode(unit, 'x'),
    });
    vec![escaped.replace('/', "\\/"), escaped, each('x'), each('X'), rare.collect()]
}

fn unicode(unit: u16, hex: char) -> String {
    if hex == 'X' { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") }
}

fn percent(text: &str) -> Vec<String> {
    let encode = |keeps: &dyn Fn(u8) -> bool, upper: bool| {
        let each = |byte: u8| match (keeps(byte), upper) {
            (true, _) => char::from(byte).to_string(),
            (false, true) => format!("%{byte:02X}"),
            (false, false) => format!("%{byte:02x}"),
        };
        text.bytes().map(each).collect::<String>()
    };
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let path = |byte: u8| unreserved(byte) || b"!$&'()*+,;=:@/".contains(&byte);
    let mut forms = Vec::new();
    for upper in [true, false] {
        for keeps in [&unreserved as &dyn Fn(u8) -> bool, &path, &|byte| byte.is_ascii_alphanumeric(), &|_| false] {
            let encoded = encode(keeps, upper);
            forms.extend([encoded.replace("%20", "+"), encoded]);
        }
    }
    forms
}

/// Hexadecimal, and lists of bytes as programs print them.
fn bytes(secret: &[u8]) -> Vec<String> {
    let join = |each: &dyn Fn(&u8) -> String, between: &str| secret.iter().map(each).collect::<Vec<_>>().join(between);
    let lower = |byte: &u8| format!("{byte:02x}");
    let upper = |byte: &u8| format!("{byte:02X}");
    let decimal = |byte: &u8| byte.to_string();
    let mut forms = vec![join(&decimal, ", "), join(&decimal, ",")];
    for between in ["", " ", ":"] {
        forms.extend([join(&lower, between), join(&upper, between)]);
    }
    forms.push(join(&|byte| format!("\\x{byte:02x}"), ""));
    forms
}

/// At each of the three places in a group at which it may begin; only the characters that nothing before or behind it changes, so that
/// padding makes no difference.
fn base64(secret: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let all = [&vec![0; before], secret].concat();
        let (first, last) = ((before * 8).div_ceil(6), all.len() * 8 / 6);
        forms.extend([&STANDARD_NO_PAD, &URL_SAFE_NO_PAD].map(|engine| engine.encode(&all)[first..last].to_owned()));
    }
    forms
}

#[test]
fn each_form_is_found_wherever_it_begins() {
    let text = "p/ss\"w+rd é?>";
    let secret = Secret::new("a password", text);
    let hex: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
    let mut found = vec![
        format!("x{text}x"),
        serde_json::json!({ "a": text }).to_string(),
        format!("{:?}", Some(text)),
        format!("{:?}", text.as_bytes()),
        hex.to_lowercase(),
        hex,
        "a=p%2Fss%22w%2Brd+%C3%A9%3F%3E&b".to_owned(),
        "p%2fss%22w%2brd%20%c3%a9%3f%3e".to_owned(),
        "p\\u002fss\\u0022w\\u002brd\\u0020\\u00e9\\u003f\\u003e".to_owned(),
    ];
    for before in ["", "u", "us", "use", "user:"] {
        for behind in ["", "x", "xy"] {
            let around = format!("{before}{text}{behind}");
            use base64::engine::general_purpose::{STANDARD, URL_SAFE};
            found.extend([STANDARD.encode(&around), URL_SAFE.encode(&around), URL_SAFE_NO_PAD.encode(&around)]);
        }
    }
    for shown in found {
        assert!(secret.find(&shown).is_some(), "{shown}");
    }
    assert_eq!(secret.find("p/ss\"w+rd e?>"), None);
}
