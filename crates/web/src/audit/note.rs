//! What handlers say of what they did, beside their answer.

use std::convert::Infallible;

use axum::response::{IntoResponseParts, ResponseParts};

/// How many lines a request was about. A handler answers it beside its body; what it made is read from its `Location`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuditNote {
    pub(crate) devices: i64,
}

impl IntoResponseParts for AuditNote {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

/// What a form made whose answer leads elsewhere, as `customers/12`: of such answers the `Location` says only where a browser goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made(pub(crate) String);

impl IntoResponseParts for Made {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

/// The codes of the problems of an answer: each once, in their order, at most [`MOST_CODES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProblemCodes(pub(crate) Vec<String>);

/// A body may have a problem a line; those of different kinds are few.
const MOST_CODES: usize = 20;

impl ProblemCodes {
    /// Of all of these.
    pub(crate) fn of<'c>(codes: impl Iterator<Item = &'c str>) -> Self {
        let mut each: Vec<String> = Vec::new();
        for code in codes {
            if each.len() == MOST_CODES {
                break;
            }
            if !each.iter().any(|known| known == code) {
                each.push(code.to_owned());
            }
        }
        Self(each)
    }
}
