//! The fields of a small JSON body (`/api/v1`): unknown, repeated and ill-formed ones are refused, all at once.
//!
//! One function reads both a new thing and a change of a present one (JSON merge, RFC 7396): what is absent keeps the
//! present value, `null` clears where there may be nothing.

mod lists;

use std::collections::HashSet;
use std::fmt;

use lineshift_domain::names::is_name;
use lineshift_domain::reading::codes;
use lineshift_domain::refusal::{Problems, place_of};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::problem::ApiProblem;
use crate::query::shown;

/// The longest text of a field, in characters.
pub(crate) const LONGEST_TEXT: usize = 200;

/// The largest id that people may give: the largest whole number that every JSON reader keeps exactly (2^53 - 1).
pub const LARGEST_ID: i64 = 9_007_199_254_740_991;

/// The fields of a body. Each is taken once; [`Fields::finish`] refuses what is left.
pub(crate) struct Fields {
    left: Vec<(String, Value)>,
    known: Vec<&'static str>,
    problems: Problems,
}

/// An object with its fields as written, repeated ones included.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Entries;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        json.deserialize_any(Object)
    }
}

impl Fields {
    /// Reads a body. Errors: 400 if it is not a JSON object.
    pub(crate) fn read(body: &[u8]) -> Result<Self, ApiProblem> {
        let text = std::str::from_utf8(body)
            .map_err(|_| ApiProblem::unreadable("", codes::NOT_UTF8, "the body is not UTF-8; send it as UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let Entries(left) = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                // What it is instead would be repeated whole, and may be a password.
                return ApiProblem::unreadable("", codes::NOT_AN_OBJECT, "the body is JSON, but no object; send one JSON object");
            }
            ApiProblem::unreadable("", codes::MALFORMED_JSON, format!("the body cannot be read: {error}; send one JSON object"))
        })?;
        Ok(Self { left, known: Vec::new(), problems: Problems::default() })
    }

    /// Notes a problem.
    pub(crate) fn report(&mut self, name: &str, code: &str, message: impl Into<String>) {
        self.problems.add(name, code, message);
    }

    /// Ends reading: what was read, unless there were problems or fields that nobody took.
    pub(crate) fn finish<T>(mut self, read: Option<T>) -> Result<T, ApiProblem> {
        self.refuse_left();
        Ok(self.problems.finish(read)?)
    }

    /// Reports the fields that nobody took.
    fn refuse_left(&mut self) {
        let message = format!("no field of that name is known here; known are: {}", self.known.join(", "));
        for (name, _) in std::mem::take(&mut self.left) {
            self.report(place_of(&name), codes::UNKNOWN_FIELD, message.as_str());
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        let mut found = self.left.extract_if(.., |(given, _)| given == name).map(|(_, value)| value);
        let (first, second) = (found.next(), found.next());
        drop(found);
        if second.is_some() {
            self.report(name, codes::REPEATED_FIELD, "stands there twice; give it once");
        }
        first
    }

    /// A value that must be there: the given one, else the present one.
    fn required<T>(
        &mut self,
        name: &'static str,
        present: Option<T>,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        match (self.take(name), present) {
            (None, Some(present)) => Some(present),
            (None, None) => {
                self.report(name, codes::MISSING_FIELD, format!("missing; give {expected}"));
                None
            }
            (Some(value), _) => self.read_value(name, &value, expected, read),
        }
    }

    /// A value that may be missing: the given one, none for `null`, else the present one. The outer option is none
    /// after a problem.
    fn optional<T>(
        &mut self,
        name: &'static str,
        present: Option<T>,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.take(name) {
            None => Some(present),
            Some(Value::Null) => Some(None),
            Some(value) => self.read_value(name, &value, expected, read).map(Some),
        }
    }

    fn read_value<T>(
        &mut self,
        name: &'static str,
        value: &Value,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let read = read(value);
        if read.is_none() {
            self.report(name, codes::WRONG_FORM, format!("found {}, expected {expected}", kind(value)));
        }
        read
    }

    /// A text that is not blank.
    pub(crate) fn text(&mut self, name: &'static str, present: Option<&str>) -> Option<String> {
        let expected = format!("a text of 1 to {LONGEST_TEXT} characters, without control characters");
        self.required(name, present.map(str::to_owned), &expected, |value| {
            let text = value.as_str()?.trim();
            let fits = !text.is_empty() && text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control);
            fits.then(|| text.to_owned())
        })
    }

    /// The same of what tells people and keys apart: two that look alike are alike.
    pub(crate) fn name(&mut self, name: &'static str, present: Option<&str>) -> Option<String> {
        let expected = format!("a text of 1 to {LONGEST_TEXT} characters, none of which is a control character or invisible");
        self.required(name, present.map(str::to_owned), &expected, |value| {
            let text = value.as_str()?.trim();
            is_name(text, LONGEST_TEXT).then(|| text.to_owned())
        })
    }

    /// `true` or `false`; `default` where a new thing does not say.
    pub(crate) fn flag(&mut self, name: &'static str, present: Option<bool>, default: bool) -> Option<bool> {
        self.required(name, Some(present.unwrap_or(default)), "true or false", Value::as_bool)
    }

    /// An id.
    pub(crate) fn id(&mut self, name: &'static str, present: Option<i64>) -> Option<i64> {
        self.required(name, present, &format!("a whole number from 1 to {LARGEST_ID}"), id)
    }

    /// An id that may be missing.
    pub(crate) fn optional_id(&mut self, name: &'static str, present: Option<i64>) -> Option<Option<i64>> {
        self.optional(name, present, &format!("a whole number from 1 to {LARGEST_ID}, or null"), id)
    }

    /// A decimal of at least 0 that may be missing, as a text or a number.
    pub(crate) fn optional_decimal(&mut self, name: &'static str, present: Option<Decimal>) -> Option<Option<Decimal>> {
        self.optional(name, present, "a decimal of at least 0 such as \"12.50\", or null", |value| {
            let decimal = match value {
                Value::String(text) => text.parse().ok(),
                Value::Number(number) => number.to_string().parse().ok(),
                _ => None,
            };
            decimal.filter(|decimal: &Decimal| !decimal.is_sign_negative())
        })
    }

    /// A term of an enumeration.
    pub(crate) fn term<T: std::fmt::Display + Copy>(
        &mut self,
        name: &'static str,
        present: Option<T>,
        allowed: &[T],
    ) -> Option<T> {
        let names: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        self.required(name, present, &format!("one of {}", names.join(", ")), |value| {
            let text = value.as_str()?;
            names.iter().position(|name| name == text).map(|position| allowed[position])
        })
    }

    /// A text that `read` understands.
    pub(crate) fn parsed<T>(&mut self, name: &'static str, expected: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.required(name, None, expected, |value| read(value.as_str()?))
    }

    /// Whether something was reported of a field.
    pub(crate) fn is_reported(&self, name: &str) -> bool {
        self.problems.is_reported(name)
    }

    /// Every field that nobody took yet, each a text that is not repeated in any answer; every one that is none is reported.
    pub(crate) fn all_secrets(&mut self) -> Vec<(String, SecretString)> {
        let (mut read, mut seen) = (Vec::new(), HashSet::new());
        for (name, value) in std::mem::take(&mut self.left) {
            match value {
                _ if !seen.insert(name.clone()) => {
                    self.report(place_of(&name), codes::REPEATED_FIELD, "stands there twice; give it once");
                }
                Value::String(text) => read.push((name, SecretString::from(text))),
                _ => self.report(place_of(&name), codes::WRONG_TYPE, "expected a text"),
            }
        }
        read
    }

    /// A text that is not repeated in any answer: it is or may hold a secret.
    pub(crate) fn secret(&mut self, name: &'static str) -> Option<String> {
        match self.take(name) {
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.report(name, codes::WRONG_TYPE, "expected a text");
                None
            }
            None => {
                self.report(name, codes::MISSING_FIELD, "missing; give a text");
                None
            }
        }
    }

    /// The same where it may be missing. The outer option is none after a problem.
    pub(crate) fn optional_secret(&mut self, name: &'static str) -> Option<Option<String>> {
        match self.take(name) {
            None | Some(Value::Null) => Some(None),
            Some(Value::String(text)) => Some(Some(text)),
            Some(_) => {
                self.report(name, codes::WRONG_TYPE, "expected a text, or null");
                None
            }
        }
    }

    /// A whole number from 1 to `most` that may be missing. The outer option is none after a problem.
    pub(crate) fn optional_limit(&mut self, name: &'static str, most: u32) -> Option<Option<u32>> {
        self.optional(name, None, &format!("a whole number from 1 to {most}, or null"), |value| {
            u32::try_from(value.as_u64()?).ok().filter(|limit| (1..=most).contains(limit))
        })
    }

    /// An object that may be missing; its problems stand under its name. The outer option is none after a problem.
    pub(crate) fn optional_object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        let object = match self.take(name) {
            None | Some(Value::Null) => return Some(None),
            Some(Value::Object(object)) => object,
            Some(_) => {
                self.report(name, codes::WRONG_TYPE, "expected an object, or null");
                return None;
            }
        };
        let mut inner = Self { left: object.into_iter().collect(), known: Vec::new(), problems: Problems::default() };
        let found = read(&mut inner);
        inner.refuse_left();
        let is_good = inner.problems.count() == 0;
        self.problems.add_within(name, inner.problems);
        if is_good { found.map(Some) } else { None }
    }

    /// A list of texts that may be missing, each understood by `read`; every one that is not is reported.
    pub(crate) fn optional_list<T>(&mut self, name: &'static str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let list = match self.take(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.report(name, codes::WRONG_TYPE, format!("found {}, expected a list of texts", kind(&other)));
                return Vec::new();
            }
        };
        let mut read_ones = Vec::new();
        for (nth, value) in list.iter().enumerate() {
            match value.as_str().and_then(&read) {
                Some(value) => read_ones.push(value),
                None => {
                    let message = format!("found {}, expected {expected}", kind(value));
                    self.report(&format!("{name}[{nth}]"), codes::WRONG_FORM, message);
                }
            }
        }
        read_ones
    }
}

fn id(value: &Value) -> Option<i64> {
    value.as_i64().filter(|id| (1..=LARGEST_ID).contains(id))
}

/// A value as a message shows it.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => shown(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineshift_domain::terms::IntegrationKind;

    fn of(body: &str) -> Fields {
        Fields::read(body.as_bytes()).unwrap_or_else(|problem| panic!("{:?}", problem.view()))
    }

    #[test]
    fn a_new_thing_needs_its_fields_a_present_one_keeps_them() {
        let mut new = of(r#"{"name":" Acme ","is_active":false,"price":12.5,"bound":"0.10","pool":null}"#);
        assert_eq!(new.text("name", None).as_deref(), Some("Acme"));
        assert_eq!(new.flag("is_active", None, true), Some(false));
        assert_eq!(new.optional_decimal("price", None), Some(Some("12.5".parse().expect("a decimal"))));
        assert_eq!(new.optional_decimal("bound", None), Some(Some("0.10".parse().expect("a decimal"))));
        assert_eq!(new.optional_id("pool", Some(7)), Some(None), "null clears");
        assert_eq!(new.flag("write_enabled", None, true), Some(true), "absent takes the default");
        new.finish(Some(())).expect("no problems");

        let mut change = of("{}");
        assert_eq!(change.text("name", Some("Acme")).as_deref(), Some("Acme"));
        assert_eq!(change.flag("is_active", Some(false), true), Some(false));
        assert_eq!(change.optional_id("pool", Some(7)), Some(Some(7)));
        change.finish(Some(())).expect("no problems");
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let mut fields =
            of(r#"{"name":"","is_active":"yes","price":"-1","kind":"Rev.io","id":0,"id":1,"codes":["a",1],"nmae":"x"}"#);
        fields.text("name", None);
        fields.flag("is_active", None, true);
        fields.optional_decimal("price", None);
        fields.term("kind", None, &[IntegrationKind::JASPER, IntegrationKind::POND]);
        fields.id("id", None);
        fields.text("title", None);
        fields.optional_list("codes", "a code", |text| (text == "b").then_some(()));
        let problem = fields.finish(None::<()>).expect_err("problems");
        let lines: Vec<String> =
            problem.view().errors.into_iter().map(|error| format!("{} {}: {}", error.field, error.code, error.message)).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        name wrong_form: found "", expected a text of 1 to 200 characters, without control characters
        is_active wrong_form: found "yes", expected true or false
        price wrong_form: found "-1", expected a decimal of at least 0 such as "12.50", or null
        kind wrong_form: found "Rev.io", expected one of Jasper, POND
        id repeated_field: stands there twice; give it once
        id wrong_form: found 0, expected a whole number from 1 to 9007199254740991
        title missing_field: missing; give a text of 1 to 200 characters, without control characters
        codes[0] wrong_form: found "a", expected a code
        codes[1] wrong_form: found 1, expected a code
        nmae unknown_field: no field of that name is known here; known are: name, is_active, price, kind, id, title, codes
        "#);
    }

    #[test]
    fn ids_are_whole_numbers_that_every_reader_keeps() {
        let mut good = of(r#"{"id":9007199254740991,"other":1}"#);
        assert_eq!((good.id("id", None), good.optional_id("other", None)), (Some(LARGEST_ID), Some(Some(1))));
        good.finish(Some(())).expect("no problems");
        for wrong in ["9007199254740992", "9223372036854775807", "18446744073709551616", "0", "-1", "1.5", "\"1\""] {
            let mut fields = of(&format!("{{\"id\":{wrong},\"other\":{wrong}}}"));
            assert_eq!((fields.id("id", None), fields.optional_id("other", None)), (None, None), "{wrong}");
            let errors = fields.finish(None::<()>).expect_err("problems").view().errors;
            let messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
            assert!(messages[0].ends_with("expected a whole number from 1 to 9007199254740991"), "{messages:?}");
            assert!(messages[1].ends_with("expected a whole number from 1 to 9007199254740991, or null"), "{messages:?}");
        }
    }

    #[test]
    fn what_is_no_object_is_unreadable() {
        for body in [&b"[]"[..], b"1", b"", b"{", b"{} {}", b"\xff", b"null"] {
            let problem = Fields::read(body).err().expect("not an object");
            assert_eq!(problem.view().status, 400, "{body:?}");
        }
        let problem = Fields::read(b"\"hunter2\"").err().expect("not an object").view();
        assert_eq!(problem.detail, "the body is JSON, but no object; send one JSON object", "what it is may be a password");
        let deep = "[".repeat(100_000);
        assert!(Fields::read(format!("{{\"a\":{deep}").as_bytes()).is_err());
    }
}
