//! A request against the description.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::Value;

use super::super::text;
use super::{Description, InPath, Kind, Operation, Parameter, TextRule};
use crate::wire::SimulatedRequest;

/// A request that fits.
pub struct Checked {
    /// Which call it is.
    pub operation: &'static Operation,
    in_path: InPath,
    /// Its query.
    pub query: Query,
    /// Its body; null: none.
    pub body: Value,
}

impl Checked {
    /// A parameter in the path; the description says that it is there.
    #[must_use]
    pub fn in_path(&self, name: &str) -> &str {
        self.in_path.iter().find(|(parameter, _)| parameter == name).map_or("", |(_, text)| text)
    }

    /// The id in the path, if there is a number in it.
    #[must_use]
    pub fn id(&self) -> Option<i64> {
        self.in_path.iter().find_map(|(_, text)| text.parse().ok())
    }
}

/// A request that does not fit: where, and why not.
#[derive(Debug)]
pub struct Misfit {
    /// 400, 404 or 405.
    pub status: u16,
    /// Every place with what is wrong there.
    pub message: String,
    /// The call that was meant, if that much is clear.
    pub operation: Option<&'static str>,
}

impl Misfit {
    pub(super) const fn new(status: u16, message: String) -> Self {
        Self { status, message, operation: None }
    }
}

/// The query of a request that fits, without the prefix `search.`.
#[derive(Debug, Default)]
pub struct Query(BTreeMap<String, Vec<String>>);

impl Query {
    /// All values of a filter; none: it is not there.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The values of a filter by id.
    #[must_use]
    pub fn ids(&self, name: &str) -> Option<Vec<i64>> {
        // The description lets nothing but numbers through.
        self.texts(name).map(|texts| texts.iter().filter_map(|text| text.parse().ok()).collect())
    }

    /// A filter by yes or no.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.texts(name).map(|texts| texts == ["true"])
    }

    /// The only value of a parameter that does not repeat.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name)?.first().map(String::as_str)
    }

    /// The same as a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<usize> {
        self.text(name)?.parse().ok()
    }
}

/// Checks method, path, query, content type and body.
pub(crate) fn checked(description: &'static Description, request: &SimulatedRequest) -> Result<Checked, Misfit> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let (operation, in_path) = description.find(&request.method, path)?;
    let rule = description.text_rule;
    let mut problems = Vec::new();
    let query = operation.query(query, rule, &mut problems);
    for (name, text) in &in_path {
        if let Some(parameter) = operation.parameters.iter().find(|parameter| parameter.in_path && parameter.name == *name) {
            parameter.check("path", text, rule, &mut problems);
        }
    }
    let body = operation.body(request, rule, &mut problems);
    if problems.is_empty() {
        return Ok(Checked { operation, in_path, query: Query(query), body });
    }
    Err(Misfit { status: 400, message: problems.join("; "), operation: Some(&operation.name) })
}

impl Operation {
    fn query(&self, query: &str, rule: TextRule, problems: &mut Vec<String>) -> BTreeMap<String, Vec<String>> {
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
            parameter.check("query", &value, rule, problems);
            let values = found.entry(parameter.name.clone()).or_default();
            if !values.is_empty() && !parameter.repeats {
                problems.push(format!("query {}: stands twice", parameter.name));
            }
            values.push(value);
        }
        let needed = self.parameters.iter().filter(|parameter| parameter.required && !parameter.in_path);
        for parameter in needed.filter(|parameter| !found.contains_key(&parameter.name)) {
            problems.push(format!("query {}: is missing", parameter.name));
        }
        found
    }

    fn query_parameter(&self, name: &str) -> Option<&Parameter> {
        let (bare, search) = name.strip_prefix("search.").map_or((name, false), |bare| (bare, true));
        let fits = |parameter: &&Parameter| parameter.name == bare && !parameter.in_path && (parameter.search || !search);
        self.parameters.iter().find(fits)
    }

    fn body(&self, request: &SimulatedRequest, rule: TextRule, problems: &mut Vec<String>) -> Value {
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
                against_rule(&value, rule, problems);
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
    fn check(&self, place: &str, text: &str, rule: TextRule, problems: &mut Vec<String>) {
        let value = match self.kind {
            // A number is written as digits and nothing else; what is not stays text, which the schema refuses.
            Kind::Integer if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<i64>().map(Value::from).ok(),
            Kind::Boolean => text.parse::<bool>().map(Value::from).ok(),
            Kind::Integer | Kind::Text => None,
        };
        misfits(&format!("{place} {}", self.name), &self.schema, &value.unwrap_or_else(|| text.into()), problems);
        if let Some(problem) = rule(&self.name, text) {
            problems.push(format!("{place} {}: {problem}", self.name));
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
fn against_rule(body: &Value, rule: TextRule, problems: &mut Vec<String>) {
    for (name, value) in body.as_object().into_iter().flatten() {
        if let Some(problem) = value.as_str().and_then(|text| rule(name, text)) {
            problems.push(format!("body /{name}: {problem}"));
        }
    }
}
