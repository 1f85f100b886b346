//! The description of an interface, one of `openapi/*.json`, as code can use it. It is compiled in, and nothing that it does not
//! describe gets through.

mod answer;
mod load;
mod request;

use std::collections::BTreeMap;

use jsonschema::Validator;

pub use self::answer::answer_misfits;
use self::load::load;
pub(crate) use self::request::checked;
pub use self::request::{Checked, Misfit, Query};

/// Says of a text in a field or parameter of that name what is wrong with it beyond its form, such as a day that does not exist.
pub type TextRule = fn(name: &str, text: &str) -> Option<&'static str>;

/// The description.
pub struct Description {
    /// What all paths begin with.
    base_path: &'static str,
    operations: Vec<Operation>,
    /// The form of an error's body.
    error: Validator,
    /// Whether the body of a success may hold an error.
    errors_inside: bool,
    text_rule: TextRule,
}

/// One call.
pub struct Operation {
    /// Method and path, such as `GET /Services/{service_id}`.
    pub name: String,
    method: String,
    parts: Vec<Part>,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    /// The answers, by status.
    answers: BTreeMap<u16, DescribedAnswer>,
}

/// A part of a path.
enum Part {
    Fixed(String),
    /// The name of a parameter.
    Parameter(String),
}

/// A success.
struct DescribedAnswer {
    /// None: there is no body.
    body: Option<Validator>,
    /// Whether it says where what was created can be read.
    has_location: bool,
}

/// A parameter in the path or the query.
struct Parameter {
    name: String,
    in_path: bool,
    required: bool,
    /// Whether it may stand several times.
    repeats: bool,
    /// Whether it may have the prefix `search.`.
    search: bool,
    kind: Kind,
    schema: Validator,
}

/// What a parameter's text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Boolean,
    Text,
}

/// A request's body.
struct Body {
    content_type: String,
    schema: Validator,
}

impl Description {
    /// Reads a description that is compiled in, and whose simulator is tested: OpenAPI 3.1, JSON.
    ///
    /// # Panics
    ///
    /// When it is not as this crate reads them.
    #[must_use]
    pub fn compiled_in(text: &str, base_path: &'static str, text_rule: TextRule) -> Self {
        load(text, base_path, text_rule).expect("the description is compiled in, and a test reads it")
    }

    /// The call with that method and path, and the parameters in the path by name.
    fn find(&self, method: &str, path: &str) -> Result<(&Operation, InPath), Misfit> {
        let unknown = || Misfit::new(404, format!("path: {} is not known", super::text::shown(path)));
        let within = path.strip_prefix(self.base_path).and_then(|rest| rest.strip_prefix('/')).ok_or_else(unknown)?;
        let parts: Vec<&str> = within.split('/').collect();
        let mut found = self.operations.iter().filter(|operation| operation.has_path(&parts)).peekable();
        if found.peek().is_none() {
            return Err(unknown());
        }
        let operation = found
            .find(|operation| operation.method == method)
            .ok_or_else(|| Misfit::new(405, format!("method: {} is not known here", super::text::shown(method))))?;
        let named = operation.parts.iter().zip(&parts).filter_map(|(part, text)| match part {
            Part::Fixed(_) => None,
            Part::Parameter(name) => Some((name.clone(), (*text).to_owned())),
        });
        Ok((operation, named.collect()))
    }
}

/// Parameters in a path, from left to right.
type InPath = Vec<(String, String)>;

impl Operation {
    fn has_path(&self, parts: &[&str]) -> bool {
        let fits = |(part, text): (&Part, &&str)| match part {
            Part::Fixed(fixed) => fixed == text,
            Part::Parameter(_) => true,
        };
        self.parts.len() == parts.len() && self.parts.iter().zip(parts).all(fits)
    }
}
