//! The description of the interface, `openapi/revio.json`, as code can use it. It is compiled in, and nothing that it does not
//! describe gets through.

mod answer;
mod load;
mod request;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;

pub use self::answer::answer_misfits;
use self::load::load;
pub(super) use self::request::{Checked, Misfit, checked};

/// The text of the description: OpenAPI 3.1, JSON.
pub const OPENAPI: &str = include_str!("../../../openapi/revio.json");

/// What all paths begin with.
pub const BASE_PATH: &str = "/v1";

/// The description.
pub(super) struct Description {
    operations: Vec<Operation>,
    /// The form of an error's body.
    error: Validator,
}

/// One call.
pub(super) struct Operation {
    /// Method and path, such as `GET /Services/{service_id}`.
    pub(super) name: String,
    method: String,
    /// The path's parts; none stands for the id.
    parts: Vec<Option<String>>,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    /// Forms of the answers, by status.
    answers: BTreeMap<u16, Validator>,
}

/// A parameter in the path or the query.
struct Parameter {
    name: String,
    in_path: bool,
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
    /// The description, read once in a process.
    pub(super) fn get() -> &'static Self {
        static DESCRIPTION: OnceLock<Description> = OnceLock::new();
        DESCRIPTION.get_or_init(|| load(OPENAPI).expect("the description is compiled in, and a test reads it"))
    }

    /// The call with that method and path, and the id in the path as text.
    pub(super) fn find<'p>(&self, method: &str, path: &'p str) -> Result<(&Operation, Option<&'p str>), Misfit> {
        let unknown = || Misfit::new(404, format!("path: {} is not known", super::text::shown(path)));
        let within = path.strip_prefix(BASE_PATH).and_then(|rest| rest.strip_prefix('/')).ok_or_else(unknown)?;
        let parts: Vec<&str> = within.split('/').collect();
        let mut found = self.operations.iter().filter(|operation| operation.has_path(&parts)).peekable();
        if found.peek().is_none() {
            return Err(unknown());
        }
        let operation = found
            .find(|operation| operation.method == method)
            .ok_or_else(|| Misfit::new(405, format!("method: {} is not known here", super::text::shown(method))))?;
        let id = operation.parts.iter().zip(&parts).find(|(part, _)| part.is_none()).map(|(_, text)| *text);
        Ok((operation, id))
    }
}

impl Operation {
    fn has_path(&self, parts: &[&str]) -> bool {
        let fits = |(part, text): (&Option<String>, &&str)| part.as_ref().is_none_or(|part| part == text);
        self.parts.len() == parts.len() && self.parts.iter().zip(parts).all(fits)
    }
}
