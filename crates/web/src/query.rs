//! Query parameters, paths and pages: what is not known or not of its form is refused, all problems at once.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use lineshift_domain::reading::codes;
use lineshift_domain::refusal::{Problems, place_of};
use lineshift_store::paging::MAX_PAGE_ITEMS;
use utoipa::IntoParams;

use crate::cursor::Cursor;
use crate::problem::ApiProblem;

/// Items of a page when `limit` is not given.
pub(crate) const DEFAULT_LIMIT: usize = 100;

/// The parameters of a list, for the OpenAPI document; they are read by [`Parameters`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct PageParams {
    /// How many items at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// The query parameters of a request. Each is taken once; [`Parameters::finish`] refuses what is left.
#[derive(Debug)]
pub(crate) struct Parameters {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
    problems: Problems,
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        Self::read(&parts.uri)
    }
}

impl Parameters {
    /// Takes the query of an address apart. Errors: 400.
    pub(crate) fn read(uri: &Uri) -> Result<Self, ApiProblem> {
        let Query(left) = Query::try_from_uri(uri)
            .map_err(|_| ApiProblem::unreadable("", codes::WRONG_FORM, "the query of the address cannot be read"))?;
        Ok(Self::of_pairs(left))
    }

    /// What a form holds, read in the same way.
    pub(crate) fn of_pairs(left: Vec<(String, String)>) -> Self {
        Self { left, known: Vec::new(), problems: Problems::default() }
    }

    /// Notes a problem.
    pub(crate) fn report(&mut self, name: &str, code: &str, message: impl Into<String>) {
        self.problems.add(name, code, message);
    }

    /// Takes a parameter. An empty one is refused: a filter without a value must not list everything.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let mut found = self.left.extract_if(.., |(given, _)| given == name).map(|(_, value)| value);
        let (first, second) = (found.next(), found.next());
        drop(found);
        if second.is_some() {
            self.report(name, codes::REPEATED_FIELD, "given more than once; give it once");
        }
        if first.as_deref() == Some("") {
            self.report(name, codes::WRONG_FORM, "empty; give a value, or leave it out");
            return None;
        }
        first
    }

    /// Takes a parameter that is read from text; `expected` says of which form.
    pub(crate) fn parsed<T>(&mut self, name: &'static str, expected: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.report(name, codes::WRONG_FORM, format!("found {}, expected {expected}", shown(&text)));
        }
        value
    }

    /// Takes an id.
    pub(crate) fn id<T>(&mut self, name: &'static str, make: impl FnOnce(i64) -> T) -> Option<T> {
        self.parsed(name, "a whole number above 0", |text| text.parse().ok().filter(|id| *id > 0).map(make))
    }

    /// Takes a term of an enumeration.
    pub(crate) fn term<T: std::str::FromStr + std::fmt::Display + Copy + 'static>(
        &mut self,
        name: &'static str,
        all: &[T],
    ) -> Option<T> {
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        self.parsed(name, &format!("one of {}", names.join(", ")), |text| text.parse().ok())
    }

    /// Takes `limit`.
    pub(crate) fn limit(&mut self) -> usize {
        let expected = format!("a number from 1 to {MAX_PAGE_ITEMS}");
        let read = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_PAGE_ITEMS).contains(limit));
        self.parsed("limit", &expected, read).unwrap_or(DEFAULT_LIMIT)
    }

    /// Takes a cursor.
    pub(crate) fn cursor<K: Cursor>(&mut self, name: &'static str) -> Option<K> {
        self.parsed(name, "the \"next\" of the page before, unchanged", K::decode)
    }

    /// Ends reading: refuses parameters that nobody took, and everything that was reported.
    pub(crate) fn finish(mut self) -> Result<(), ApiProblem> {
        let known = if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
        let message = format!("no parameter of that name is known here; known are: {known}");
        for (name, _) in std::mem::take(&mut self.left) {
            self.report(place_of(&name), codes::UNKNOWN_FIELD, message.as_str());
        }
        Ok(self.problems.finish(Some(()))?)
    }
}

/// For endpoints that take no query parameters.
pub(crate) struct NoParameters;

impl<S: Sync> FromRequestParts<S> for NoParameters {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        Parameters::read(&parts.uri)?.finish().map(|()| Self)
    }
}

/// The id in a path. What is no id is answered like one that does not exist.
pub(crate) struct PathId(pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|path| path.parse().ok()).filter(|id| *id > 0);
        id.map(Self).ok_or_else(ApiProblem::not_found)
    }
}

/// A text as a message shows it: quoted, escaped, and cut where it is long.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineshift_domain::ids::DeviceId;
    use lineshift_domain::terms::PlanQueueState;

    fn of(query: &'static str) -> Parameters {
        Parameters::read(&format!("/x?{query}").parse().expect("an address")).expect("a query")
    }

    fn problems(parameters: Parameters) -> Vec<String> {
        let problem = parameters.finish().expect_err("problems");
        problem.view().errors.into_iter().map(|error| format!("{} {}: {}", error.field, error.code, error.message)).collect()
    }

    #[test]
    fn what_is_given_is_taken() {
        let mut given = of("limit=7&device_id=12&state=open&note=a%20b");
        assert_eq!(given.limit(), 7);
        assert_eq!(given.id("device_id", DeviceId), Some(DeviceId(12)));
        assert_eq!(given.term("state", PlanQueueState::ALL), Some(PlanQueueState::Open));
        assert_eq!(given.text("note").as_deref(), Some("a b"));
        assert_eq!(given.text("other"), None);
        given.finish().expect("nothing is left");
        assert_eq!(of("").limit(), DEFAULT_LIMIT);
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let mut given = of("limit=1001&device_id=-1&state=gone&twice=1&twice=2&after=!!&more=1");
        given.limit();
        given.id("device_id", DeviceId);
        given.term("state", PlanQueueState::ALL);
        given.text("twice");
        given.cursor::<DeviceId>("after");
        insta::assert_snapshot!(problems(given).join("\n"), @r#"
        limit wrong_form: found "1001", expected a number from 1 to 1000
        device_id wrong_form: found "-1", expected a whole number above 0
        state wrong_form: found "gone", expected one of open, applied, canceled, failed
        twice repeated_field: given more than once; give it once
        after wrong_form: found "!!", expected the "next" of the page before, unchanged
        more unknown_field: no parameter of that name is known here; known are: limit, device_id, state, twice, after
        "#);
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        for query in ["limit=", "limit=0", "limit=-5", "limit=abc", "limit=1e3", "limit=99999999999999999999"] {
            let mut given = of(query);
            assert_eq!(given.limit(), DEFAULT_LIMIT);
            assert_eq!(problems(given).len(), 1, "{query}");
        }
    }
}
