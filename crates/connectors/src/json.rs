//! Bodies as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::http::Answer;

/// The body of an effect.
pub(crate) fn body_of(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("a struct of texts, numbers and dates is JSON")
}

/// The body of an answer.
pub(crate) fn read<W: DeserializeOwned>(answer: &Answer) -> Result<W, String> {
    serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
}
