//! Lists in a body, each element understood by itself, and moments.

use chrono::{DateTime, Utc};
use lineshift_domain::reading::codes;
use serde_json::Value;

use super::{Fields, id, kind};

/// How many elements a list may have.
const MOST: usize = 1_000;

impl Fields {
    /// A list: the given one, else the present one. Every element that `read` does not understand is reported with its place; none after
    /// a problem.
    fn list<T>(
        &mut self,
        name: &'static str,
        present: Option<Vec<T>>,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        let list = match (self.take(name), present) {
            (None, Some(present)) => return Some(present),
            (None, None) => {
                self.report(name, codes::MISSING_FIELD, format!("missing; give a list, each element {expected}"));
                return None;
            }
            (Some(Value::Array(list)), _) if list.len() <= MOST => list,
            (Some(other), _) => {
                let message = format!("found {}, expected a list of at most {MOST} elements", kind(&other));
                self.report(name, codes::WRONG_TYPE, message);
                return None;
            }
        };
        let mut read_ones = Vec::with_capacity(list.len());
        for (nth, value) in list.iter().enumerate() {
            match read(value) {
                Some(read) => read_ones.push(read),
                None => {
                    let message = format!("found {}, expected {expected}", kind(value));
                    self.report(&format!("{name}[{nth}]"), codes::WRONG_FORM, message);
                }
            }
        }
        (read_ones.len() == list.len()).then_some(read_ones)
    }

    /// A moment in RFC 3339 that `fits` and may be missing. The outer option is none after a problem.
    pub(crate) fn optional_moment(
        &mut self,
        name: &'static str,
        expected: &str,
        fits: impl Fn(DateTime<Utc>) -> bool,
    ) -> Option<Option<DateTime<Utc>>> {
        self.optional(name, None, expected, |value| {
            let moment = DateTime::parse_from_rfc3339(value.as_str()?).ok()?.to_utc();
            fits(moment).then_some(moment)
        })
    }

    /// A list of ids.
    pub(crate) fn ids(&mut self, name: &'static str, present: Option<Vec<i64>>) -> Option<Vec<i64>> {
        self.list(name, present, "an id", id)
    }

    /// A list of words, each without blanks, and one that `fits`.
    pub(crate) fn words(
        &mut self,
        name: &'static str,
        present: Option<Vec<String>>,
        expected: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Option<Vec<String>> {
        self.list(name, present, expected, |value| {
            let word = value.as_str()?;
            (!word.contains(|c: char| c.is_whitespace() || c == ',') && !word.is_empty() && fits(word)).then(|| word.to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Fields {
        Fields::read(body.as_bytes()).unwrap_or_else(|problem| panic!("{:?}", problem.view()))
    }

    #[test]
    fn a_list_is_given_or_stays() {
        let mut fields = of(r#"{"roles":[3,1],"reach":["*"]}"#);
        assert_eq!(fields.ids("roles", None), Some(vec![3, 1]));
        assert_eq!(fields.words("reach", None, "a word", |_| true), Some(vec!["*".to_owned()]));
        assert_eq!(fields.ids("others", Some(vec![7])), Some(vec![7]));
        fields.finish(Some(())).expect("nothing is left");
    }

    #[test]
    fn a_word_has_no_blanks_of_any_kind() {
        for word in ["a\\tb", "\\t*", "*\\n", "a\\u00a0b", "a,b", " "] {
            let mut fields = of(&format!("{{\"scopes\":[\"{word}\"]}}"));
            assert_eq!(fields.words("scopes", None, "a word", |_| true), None, "{word}");
        }
    }

    #[test]
    fn each_element_that_does_not_fit_is_reported() {
        let mut fields = of(r#"{"roles":[3,0,"x"],"reach":["a b","","good"],"scopes":null}"#);
        assert_eq!(fields.ids("roles", None), None);
        assert_eq!(fields.words("reach", None, "a word", |word| word == "good"), None);
        assert_eq!(fields.ids("scopes", Some(vec![1])), None);
        assert_eq!(fields.ids("missing", None), None);
        let problem = fields.finish::<()>(None).expect_err("problems").view();
        let found: Vec<String> = problem.errors.iter().map(|error| format!("{} {}", error.field, error.code)).collect();
        let expected = [
            "roles[1] wrong_form",
            "roles[2] wrong_form",
            "reach[0] wrong_form",
            "reach[1] wrong_form",
            "scopes wrong_type",
            "missing missing_field",
        ];
        assert_eq!(found, expected);
    }
}
