//! Forms whose fields are those of the API's bodies: how each is shown, what of a form becomes a body, and where a problem stands.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{NaiveDate, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use lineshift_domain::scopes::{Action, Module};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::form::Form;
use crate::problem::ApiProblem;

/// The most bytes of an answer that a page is made of.
const ANSWER_BYTES: usize = 1 << 20;

/// A field of a form.
pub(super) struct Field {
    /// What the API calls it; with a point where it stands within another one.
    pub(super) name: String,
    /// What people call it.
    pub(super) label: String,
    /// What is said beside it; may be empty.
    pub(super) help: String,
    pub(super) kind: Kind,
}

/// What a field holds.
pub(super) enum Kind {
    /// A text that is there.
    Text,
    /// An e-mail address.
    Email,
    /// A whole number, perhaps one of a few that are suggested.
    Number { is_required: bool, suggestions: Vec<Choice> },
    /// A decimal that may be missing.
    Decimal,
    /// A box to tick, and whether it is ticked for a new thing.
    Flag(bool),
    /// One of a few texts.
    Term(Vec<Choice>),
    /// Any of a few texts.
    Terms(Vec<Choice>),
    /// One of a few things, by their ids.
    Id { is_required: bool, options: Vec<Choice> },
    /// Any of a few things, by their ids.
    Ids(Vec<Choice>),
    /// Permissions: of each module, each action.
    Scopes,
    /// Whose lines are seen, in words; and those that stand there for a new thing.
    Reach(&'static str),
    /// A day in that zone that may be missing: its beginning.
    Day(Tz),
    /// A word that is never shown again.
    Secret { is_required: bool, autocomplete: &'static str },
}

/// Something to choose.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
}

impl Choice {
    pub(super) fn new(value: &(impl ToString + ?Sized), label: impl Into<String>) -> Self {
        Self { value: value.to_string(), label: label.into() }
    }
}

impl Field {
    pub(super) fn new(name: impl Into<String>, label: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), label: label.into(), help: String::new(), kind }
    }

    /// The same with something said beside it.
    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// What a form says of it, as the API takes it; none: nothing. Of what is there already, what was emptied is sent as nothing.
    fn json(&self, form: &Form, is_new: bool) -> Option<Value> {
        let text = form.text(&self.name);
        let number = |text: &str| text.trim().parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
        let emptied = |nothing: Value| (!is_new).then_some(nothing);
        match &self.kind {
            Kind::Text | Kind::Email => text.map(Value::from).or_else(|| emptied(Value::from(""))),
            Kind::Term(_) => text.map(Value::from),
            Kind::Number { is_required, .. } | Kind::Id { is_required, .. } => match text {
                Some(text) => Some(number(text)),
                None if *is_required => emptied(Value::from("")),
                None => Some(Value::Null),
            },
            Kind::Decimal => Some(text.map_or(Value::Null, |text| Value::from(text.trim()))),
            Kind::Flag(_) => Some(Value::from(text.is_some())),
            Kind::Ids(_) => Some(form.all(&self.name).map(number).collect()),
            Kind::Terms(_) | Kind::Scopes => Some(form.all(&self.name).map(Value::from).collect()),
            Kind::Reach(_) => match text {
                Some(text) => Some(words(text).map(Value::from).collect()),
                None => emptied(Value::from(vec![""])),
            },
            Kind::Day(zone) => text.map(|text| Value::from(beginning_of(text, *zone))),
            Kind::Secret { .. } => text.map(Value::from),
        }
    }
}

/// The words of a text, apart by blanks, lines or commas.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty())
}

/// The moment at which a day begins in a zone; what is no day stays as it is, to be refused where it is read.
pub(super) fn beginning_of(day: &str, zone: Tz) -> String {
    let begins = |day: NaiveDate| {
        // Where midnight is left out by a summer time, the day begins an hour later.
        let one = NaiveTime::from_hms_opt(1, 0, 0)?;
        let at = |time| zone.from_local_datetime(&day.and_time(time)).earliest();
        at(NaiveTime::MIN).or_else(|| at(one))
    };
    let moment = day.trim().parse().ok().and_then(begins);
    moment.map_or_else(|| day.to_owned(), |at| at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

/// What a form says, as a body of the API.
pub(super) fn body_of(fields: &[Field], form: &Form, is_new: bool) -> Value {
    let mut body = Map::new();
    for field in fields {
        let Some(value) = field.json(form, is_new) else { continue };
        match field.name.split_once('.') {
            Some((outer, inner)) => {
                if let Value::Object(object) = body.entry(outer).or_insert_with(|| Value::Object(Map::new())) {
                    object.insert(inner.to_owned(), value);
                }
            }
            None => drop(body.insert(field.name.clone(), value)),
        }
    }
    Value::Object(body)
}

/// The request of a form as one of the API with that body.
pub(super) fn request(parts: Parts, body: &Value) -> Request {
    let mut request = Request::from_parts(parts, Body::from(body.to_string()));
    for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::TRANSFER_ENCODING] {
        request.headers_mut().remove(name);
    }
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request
}

/// What the API answered, with its headers.
pub(super) async fn read_answer<T: DeserializeOwned>(answer: Response) -> Result<(HeaderMap, T), ApiProblem> {
    let (parts, body) = answer.into_parts();
    let unreadable = |error: &(dyn std::error::Error + 'static)| {
        tracing::error!(error, "an answer of the API cannot be read");
        ApiProblem::internal()
    };
    let bytes = to_bytes(body, ANSWER_BYTES).await.map_err(|error| unreadable(&error))?;
    Ok((parts.headers, serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?))
}

/// What a form's fields hold before somebody types.
#[derive(Clone, Copy)]
pub(super) enum Source<'s> {
    /// What a new thing begins with.
    New,
    /// What is stored, as the API shows it.
    Stored(&'s Value),
    /// What somebody typed that was refused.
    Typed(&'s Form),
}

impl Source<'_> {
    pub(super) fn texts(self, field: &Field) -> Vec<String> {
        match self {
            Self::New => match field.kind {
                Kind::Flag(true) => vec!["true".to_owned()],
                Kind::Reach(words) => vec![words.to_owned()],
                _ => Vec::new(),
            },
            Self::Stored(value) => texts_of(&value[field.name.as_str()]),
            Self::Typed(form) => form.all(&field.name).map(str::to_owned).collect(),
        }
    }
}

/// A value of the API's as texts: a list has some, nothing and what is not so have none.
fn texts_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(texts_of).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Null | Value::Bool(false) | Value::Object(_) => Vec::new(),
        other => vec![other.to_string()],
    }
}

/// A form as it is shown.
pub(super) struct FormShown {
    /// Where it is sent.
    pub(super) action: String,
    /// What its button says.
    pub(super) submit: String,
    pub(super) fields: Vec<FieldShown>,
    /// What is wrong with it as a whole, or with what is no field of it.
    pub(super) problems: Vec<String>,
    /// What it was filled from; empty: from nothing that is stored.
    pub(super) seen: String,
}

/// A field as it is shown.
pub(super) struct FieldShown {
    /// By which its label, its help and its problems are found: a page may have several forms with a field of that name.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) help: String,
    /// What is wrong with it.
    pub(super) problems: Vec<String>,
    /// `input`, `flag`, `select`, `boxes`, `matrix` or `area`.
    pub(super) widget: &'static str,
    /// The type of an input.
    pub(super) input: &'static str,
    pub(super) autocomplete: &'static str,
    pub(super) is_numeric: bool,
    pub(super) is_required: bool,
    pub(super) value: String,
    pub(super) options: Vec<OptionShown>,
    pub(super) rows: Vec<MatrixRow>,
}

/// Something to choose, and whether it is chosen.
pub(super) struct OptionShown {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

/// The permissions of a module.
pub(super) struct MatrixRow {
    pub(super) label: &'static str,
    pub(super) options: Vec<OptionShown>,
}

impl FormShown {
    /// A form with what its fields hold, and why it was refused, if it was.
    pub(super) fn new(
        action: impl Into<String>,
        submit: impl Into<String>,
        fields: &[Field],
        source: Source<'_>,
        refused: Option<&ApiProblem>,
    ) -> Self {
        let action = action.into();
        let mut errors = refused.map(|problem| problem.view().errors).unwrap_or_default();
        let mut shown = Vec::with_capacity(fields.len());
        for field in fields {
            let is_of = |place: &str| {
                let rest = place.strip_prefix(field.name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
            };
            let problems = errors.extract_if(.., |error| is_of(&error.field)).map(|error| for_people(&error.message)).collect();
            shown.push(FieldShown::new(&action, field, &source.texts(field), problems));
        }
        let mut problems: Vec<String> = errors
            .into_iter()
            .map(|error| match error.field.as_str() {
                "" => for_people(&error.message),
                place => format!("{place}: {}", for_people(&error.message)),
            })
            .collect();
        // Something is always said: where every problem stands beside its field, how many there are.
        if let Some(problem) = refused.filter(|_| problems.is_empty()) {
            let of_fields = shown.iter().map(|field| field.problems.len()).sum::<usize>();
            problems.push(match of_fields {
                0 => problem.detail(),
                1 => "One field is to be put right.".to_owned(),
                several => format!("{several} things are to be put right."),
            });
        }
        Self { action, submit: submit.into(), fields: shown, problems, seen: String::new() }
    }
}

/// A message of the API, where people have no `null` to give.
fn for_people(message: &str) -> String {
    message.replace(", or null", ", or nothing")
}

impl FieldShown {
    /// A field of the form that is sent to that address.
    fn new(form: &str, field: &Field, texts: &[String], problems: Vec<String>) -> Self {
        let options = |choices: &[Choice]| choices.iter().map(|choice| OptionShown::new(choice, texts)).collect();
        let mut shown = Self {
            id: format!("{form}-{}", field.name).trim_start_matches('/').replace(['/', '.'], "-"),
            name: field.name.clone(),
            label: field.label.clone(),
            help: field.help.clone(),
            problems,
            widget: "input",
            input: "text",
            autocomplete: "off",
            is_numeric: false,
            is_required: false,
            value: String::new(),
            options: Vec::new(),
            rows: Vec::new(),
        };
        match &field.kind {
            Kind::Text => shown.is_required = true,
            Kind::Email => (shown.is_required, shown.input) = (true, "email"),
            Kind::Number { is_required, suggestions } => {
                (shown.is_required, shown.is_numeric) = (*is_required, true);
                shown.options = options(suggestions);
            }
            Kind::Decimal => shown.is_numeric = true,
            Kind::Flag(_) => (shown.widget, shown.options) = ("flag", vec![OptionShown::new(&Choice::new("true", ""), texts)]),
            Kind::Term(choices) => (shown.widget, shown.is_required, shown.options) = ("select", true, options(choices)),
            Kind::Id { is_required, options: choices } => {
                (shown.widget, shown.is_required, shown.options) = ("select", *is_required, options(choices));
            }
            Kind::Ids(choices) | Kind::Terms(choices) => (shown.widget, shown.options) = ("boxes", options(choices)),
            Kind::Scopes => (shown.widget, shown.rows) = ("matrix", matrix(texts)),
            Kind::Reach(_) => (shown.widget, shown.is_required) = ("area", true),
            Kind::Day(_) => shown.input = "date",
            Kind::Secret { is_required, autocomplete } => {
                (shown.input, shown.is_required, shown.autocomplete) = ("password", *is_required, *autocomplete);
                return shown;
            }
        }
        shown.value = texts.join(" ");
        shown
    }
}

impl OptionShown {
    fn new(choice: &Choice, chosen: &[String]) -> Self {
        Self { value: choice.value.clone(), label: choice.label.clone(), is_chosen: chosen.contains(&choice.value) }
    }
}

/// What people call a module.
pub(super) const fn module_name(module: Module) -> &'static str {
    match module {
        Module::M2M => "M2M",
        Module::Mobility => "Mobility",
        Module::Lnp => "LNP",
        Module::Admin => "Admin",
    }
}

fn matrix(texts: &[String]) -> Vec<MatrixRow> {
    let all = texts.iter().any(|text| text == "*");
    let shown = |module: &Module, action: &Action| {
        let value = format!("{module}:{action}");
        let is_chosen = all || texts.contains(&value);
        OptionShown { value, label: action.to_string(), is_chosen }
    };
    let row = |module: &Module| MatrixRow {
        label: module_name(*module),
        options: Action::ALL.iter().map(|action| shown(module, action)).collect(),
    };
    Module::ALL.iter().map(row).collect()
}

/// Whether whoever sent a form can put right what is wrong with it, so that the form is shown again with it.
pub(super) fn is_answerable(problem: &ApiProblem) -> bool {
    [StatusCode::BAD_REQUEST, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY, StatusCode::TOO_MANY_REQUESTS]
        .contains(&problem.status())
}

/// What is done at once and cannot be taken back is asked for twice: the second time by ticking a box. Errors: 422.
pub(super) fn confirmed(form: &Form) -> Result<(), ApiProblem> {
    match form.text("sure") {
        Some(_) => Ok(()),
        None => Err(ApiProblem::missing("sure", "tick the box that says that you mean it, and send the form again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields() -> Vec<Field> {
        vec![
            Field::new("name", "Name", Kind::Text),
            Field::new("price", "Price", Kind::Decimal),
            Field::new("product", "Product", Kind::Number { is_required: false, suggestions: Vec::new() }),
            Field::new("roles", "Roles", Kind::Ids(vec![Choice::new("1", "one"), Choice::new("2", "two")])),
            Field::new("scopes", "Permissions", Kind::Scopes),
            Field::new("reach", "Reach", Kind::Reach("*")),
            Field::new("is_active", "Active", Kind::Flag(true)),
            Field::new("keys.user", "User", Kind::Text),
            Field::new("expires_at", "Expires", Kind::Day(chrono_tz::America::Chicago)),
        ]
    }

    fn form(pairs: &[(&str, &str)]) -> Form {
        Form::of_pairs(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_form_becomes_a_body() {
        let given = form(&[
            ("name", "Acme"),
            ("price", " 12.50 "),
            ("product", "x"),
            ("roles", "2"),
            ("roles", "1"),
            ("scopes", "m2m:view"),
            ("reach", "customer:5,\r\n site:7"),
            ("is_active", "true"),
            ("keys.user", "ann"),
            ("expires_at", "2027-01-01"),
        ]);
        let body = json!({
            "name": "Acme", "price": "12.50", "product": "x", "roles": [2, 1], "scopes": ["m2m:view"],
            "reach": ["customer:5", "site:7"], "is_active": true, "keys": {"user": "ann"}, "expires_at": "2027-01-01T06:00:00Z",
        });
        assert_eq!(body_of(&fields(), &given, true), body);
        let nothing = json!({"price": null, "product": null, "roles": [], "scopes": [], "is_active": false});
        assert_eq!(body_of(&fields(), &form(&[]), true), nothing);
        let emptied = body_of(&fields(), &form(&[]), false);
        assert_eq!((&emptied["name"], &emptied["reach"]), (&json!(""), &json!([""])), "what was emptied is not kept unsaid");
    }

    #[test]
    fn a_problem_stands_beside_its_field_and_what_was_typed_stays() {
        use lineshift_domain::refusal::Problem;
        let problem = ApiProblem::refused(vec![
            Problem::new("price", "wrong_form", "found \"x\", expected a decimal, or null"),
            Problem::new("roles[1]", "wrong_form", "there is none"),
            Problem::new("other", "wrong_form", "who knows"),
        ]);
        let given = form(&[("price", "x"), ("scopes", "lnp:edit"), ("roles", "2")]);
        let shown = FormShown::new("/x", "Save", &fields(), Source::Typed(&given), Some(&problem));
        assert_eq!(shown.problems, ["other: who knows"]);
        assert_eq!((shown.fields[1].value.as_str(), shown.fields[1].problems.len()), ("x", 1));
        assert!(shown.fields[1].problems[0].ends_with("or nothing"));
        assert_eq!(shown.fields[3].problems, ["there is none"]);
        assert_eq!(shown.fields[3].options.iter().map(|option| option.is_chosen).collect::<Vec<_>>(), [false, true]);
        let ticked: Vec<&str> =
            shown.fields[4].rows.iter().flat_map(|row| &row.options).filter(|it| it.is_chosen).map(|it| &*it.value).collect();
        assert_eq!(ticked, ["lnp:edit"]);
    }

    #[test]
    fn a_day_begins_in_its_zone_also_where_midnight_is_left_out() {
        assert_eq!(beginning_of("2026-07-01", chrono_tz::America::Chicago), "2026-07-01T05:00:00Z");
        assert_eq!(beginning_of("2018-11-04", chrono_tz::America::Sao_Paulo), "2018-11-04T03:00:00Z");
        assert_eq!(beginning_of("soon", chrono_tz::UTC), "soon");
    }
}
