//! A request against the description.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use jsonschema::Validator;
use serde_json::Value;

use super::super::text;
use super::{Description, Kind, Operation, Parameter};
use crate::wire::SimulatedRequest;

/// The page size when the request names none.
const DEFAULT_PAGE_SIZE: usize = 10;

/// A request that fits.
pub(in crate::revio) struct Checked {
    /// Which call it is.
    pub(in crate::revio) operation: &'static Operation,
    /// The id in its path.
    pub(in crate::revio) id: Option<i64>,
    /// Its query.
    pub(in crate::revio) query: Query,
    /// Its body; null: none.
    pub(in crate::revio) body: Value,
}

/// A request that does not fit: where, and why not.
#[derive(Debug)]
pub(in crate::revio) struct Misfit {
    /// 400, 404 or 405.
    pub(in crate::revio) status: u16,
    /// Every place with what is wrong there.
    pub(in crate::revio) message: String,
    /// The call that was meant, if that much is clear.
    pub(in crate::revio) operation: Option<&'static str>,
}

impl Misfit {
    pub(super) const fn new(status: u16, message: String) -> Self {
        Self { status, message, operation: None }
    }
}

/// The query of a request that fits, without the prefix `search.`.
#[derive(Debug, Default)]
pub(in crate::revio) struct Query(BTreeMap<String, Vec<String>>);

impl Query {
    /// All values of a filter; none: it is not there.
    pub(in crate::revio) fn texts(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The values of a filter by id.
    pub(in crate::revio) fn ids(&self, name: &str) -> Option<Vec<i64>> {
        // The description lets nothing but numbers through.
        self.texts(name).map(|texts| texts.iter().filter_map(|text| text.parse().ok()).collect())
    }

    /// A filter by yes or no.
    pub(in crate::revio) fn flag(&self, name: &str) -> Option<bool> {
        self.texts(name).map(|texts| texts == ["true"])
    }

    /// A filter by day.
    pub(in crate::revio) fn day(&self, name: &str) -> Option<NaiveDate> {
        self.texts(name)?.first().and_then(|text| text::day(text))
    }

    /// The page, from 1, and how many records it holds at most.
    pub(in crate::revio) fn page(&self) -> (usize, usize) {
        let number = |name: &str| self.texts(name).and_then(|texts| texts.first()?.parse().ok());
        (number("page").unwrap_or(1), number("page_size").unwrap_or(DEFAULT_PAGE_SIZE))
    }
}

/// Checks method, path, query, content type and body.
pub(in crate::revio) fn checked(request: &SimulatedRequest) -> Result<Checked, Misfit> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let (operation, id) = Description::get().find(&request.method, path)?;
    let mut problems = Vec::new();
    let query = operation.query(query, &mut problems);
    if let (Some(text), Some(parameter)) = (id, operation.parameters.iter().find(|parameter| parameter.in_path)) {
        parameter.check("path", text, &mut problems);
    }
    let body = operation.body(request, &mut problems);
    if problems.is_empty() {
        let id = id.and_then(|text| text.parse().ok());
        return Ok(Checked { operation, id, query: Query(query), body });
    }
    Err(Misfit { status: 400, message: problems.join("; "), operation: Some(&operation.name) })
}

impl Operation {
    fn query(&self, query: &str, problems: &mut Vec<String>) -> BTreeMap<String, Vec<String>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (text::decoded(name), text::decoded(value)) else {
                problems.push(format!("query {}: is not percent-encoded UTF-8", text::shown(name)));
                continue;
            };
            let Some(parameter) = self.query_parameter(&name) else {
                problems.push(format!("query {}: is not known", text::shown(&name)));
                continue;
            };
            parameter.check("query", &value, problems);
            let values = found.entry(parameter.name.clone()).or_default();
            if !values.is_empty() && !parameter.repeats {
                problems.push(format!("query {}: stands twice", parameter.name));
            }
            values.push(value);
        }
        found
    }

    fn query_parameter(&self, name: &str) -> Option<&Parameter> {
        let (bare, search) = name.strip_prefix("search.").map_or((name, false), |bare| (bare, true));
        let fits = |parameter: &&Parameter| parameter.name == bare && !parameter.in_path && (parameter.search || !search);
        self.parameters.iter().find(fits)
    }

    fn body(&self, request: &SimulatedRequest, problems: &mut Vec<String>) -> Value {
        let Some(body) = &self.body else {
            if !request.body.is_empty() {
                problems.push("body: none is expected".to_owned());
            }
            return Value::Null;
        };
        let content_type = request.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        let bare = content_type.map(|value| value.split(';').next().unwrap_or("").trim().to_ascii_lowercase());
        if bare.as_deref() != Some(body.content_type.as_str()) {
            let got = text::shown(content_type.unwrap_or("nothing"));
            problems.push(format!("header content-type: {} is expected, not {got}", body.content_type));
        }
        if request.body.is_empty() {
            problems.push("body: is missing".to_owned());
            return Value::Null;
        }
        match serde_json::from_slice(&request.body) {
            Ok(value) => {
                misfits("body", &body.schema, &value, problems);
                no_such_days(&value, problems);
                value
            }
            Err(error) => {
                problems.push(format!("body: is no JSON: {error}"));
                Value::Null
            }
        }
    }
}

impl Parameter {
    fn check(&self, place: &str, text: &str, problems: &mut Vec<String>) {
        let value = match self.kind {
            // A number is written as digits and nothing else; what is not stays text, which the schema refuses.
            Kind::Integer if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<i64>().map(Value::from).ok(),
            Kind::Boolean => text.parse::<bool>().map(Value::from).ok(),
            Kind::Integer | Kind::Text => None,
        };
        misfits(&format!("{place} {}", self.name), &self.schema, &value.unwrap_or_else(|| text.into()), problems);
        let is_day = self.kind == Kind::Text && text::looks_like_day(text);
        if is_day && text::day(text).is_none() {
            problems.push(format!("{place} {}: there is no such day", self.name));
        }
    }
}

/// What of a value does not fit a schema, each with its place.
pub(super) fn misfits(place: &str, schema: &Validator, value: &Value, problems: &mut Vec<String>) {
    problems.extend(schema.iter_errors(value).map(|error| {
        let (within, said) = (error.instance_path().to_string(), error.to_string());
        let gap = if within.is_empty() { "" } else { " " };
        format!("{place}{gap}{within}: {}", text::shown(&said))
    }));
}

/// A pattern lets the 30th of February through.
fn no_such_days(body: &Value, problems: &mut Vec<String>) {
    for (name, value) in body.as_object().into_iter().flatten().filter(|(name, _)| name.ends_with("_date")) {
        if value.as_str().is_some_and(|text| text::looks_like_day(text) && text::day(text).is_none()) {
            problems.push(format!("body /{name}: there is no such day"));
        }
    }
}
