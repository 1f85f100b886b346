//! An answer against the description: the simulator is held to what it asks of others.

use serde_json::Value;

use super::Description;
use super::request::misfits;
use crate::wire::{Reaction, SimulatedRequest};

/// What of a whole answer to that request is not as the description says; nothing: it fits, or there is no whole answer.
#[must_use]
pub fn answer_misfits(description: &Description, request: &SimulatedRequest, reaction: &Reaction) -> Vec<String> {
    let Reaction::Answer { status, headers, body } = reaction else { return Vec::new() };
    let header = |name: &str| headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str());
    let mut problems = Vec::new();
    if *status >= 400 {
        error_misfits(description, header("content-type"), body, &mut problems);
        if let Some(wait) = header("retry-after").filter(|wait| wait.parse::<u32>().is_err()) {
            problems.push(format!("header retry-after: {wait} is no number of seconds"));
        }
        return problems;
    }
    let read = serde_json::from_slice::<Value>(body);
    if description.errors_inside && read.as_ref().is_ok_and(|value| description.error.is_valid(value)) {
        return problems;
    }
    let path = request.target.split('?').next().unwrap_or_default();
    let Ok((operation, _)) = description.find(&request.method, path) else {
        return vec![format!("status: {status} for a call that is not described")];
    };
    let Some(answer) = operation.answers.get(status) else {
        return vec![format!("status: {status} is not described for {}", operation.name)];
    };
    if answer.has_location && header("location").is_none() {
        problems.push("header location: is missing".to_owned());
    }
    let Some(schema) = &answer.body else {
        if !body.is_empty() {
            problems.push("body: none is described".to_owned());
        }
        return problems;
    };
    if header("content-type") != Some("application/json") {
        problems.push(format!("header content-type: {:?}", header("content-type")));
    }
    match read {
        Ok(value) => misfits("body", schema, &value, &mut problems),
        Err(error) => problems.push(format!("body: is no JSON: {error}")),
    }
    problems
}

fn error_misfits(description: &Description, content_type: Option<&str>, body: &[u8], problems: &mut Vec<String>) {
    match content_type {
        Some("application/json") => match serde_json::from_slice::<Value>(body) {
            Ok(value) => misfits("body", &description.error, &value, problems),
            Err(error) => problems.push(format!("body: is no JSON: {error}")),
        },
        Some("text/plain" | "text/html" | "application/xml") if std::str::from_utf8(body).is_ok_and(|text| !text.is_empty()) => {}
        None if body.is_empty() => {}
        other => problems.push(format!("header content-type: {other:?} with {} bytes", body.len())),
    }
}
