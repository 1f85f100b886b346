//! What Nimbus answers. What cannot be read as it is described is no answer.

use std::collections::BTreeMap;

use lineshift_connectors::Batch;
use lineshift_connectors::carrier::{IccId, ListedLine, ListedPlan};
use lineshift_connectors::http::{Answer, Meaning, WordedError};
use lineshift_domain::carrier::CarrierLine;
use serde_json::Value;

/// An accepted request.
pub(super) struct Accepted {
    pub(super) request_id: String,
    /// The lines that it leaves out, with the reason.
    pub(super) refused: BTreeMap<String, String>,
}

fn json(answer: &Answer) -> Result<Value, String> {
    serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
}

/// A field that must be a text.
fn text(value: &Value, name: &str) -> Result<String, String> {
    value[name].as_str().map(str::to_owned).ok_or_else(|| format!("{name}: expected a text"))
}

fn list<'v>(value: &'v Value, name: &str) -> Result<&'v Vec<Value>, String> {
    value[name].as_array().ok_or_else(|| format!("{name}: expected a list"))
}

/// `{"error":{"code","message"}}`, also within a 2xx: by its code, and where it has none that is known by the HTTP status.
pub(super) fn read_error(answer: &Answer) -> Option<WordedError> {
    let body = json(answer).ok()?;
    let error = body.get("error")?;
    let code = error["code"].as_str();
    let meaning = match code {
        Some("unauthorized") => Meaning::AccountRefused,
        Some("not_found") => Meaning::NotFound,
        Some("slow_down") => Meaning::Throttled,
        Some("invalid") => Meaning::Refused,
        _ if answer.status < 300 => Meaning::Failed,
        _ => return None,
    };
    Some(WordedError::new(meaning, code, error["message"].as_str().unwrap_or_default()))
}

pub(super) fn read_accepted(answer: &Answer) -> Result<Accepted, String> {
    if answer.status != 202 {
        return Err("accepted is 202".to_owned());
    }
    let body = json(answer)?;
    let refused = list(&body, "refused")?.iter().map(|line| Ok((text(line, "iccid")?, text(line, "reason")?)));
    Ok(Accepted { request_id: text(&body, "requestId")?, refused: refused.collect::<Result<_, String>>()? })
}

/// The line that was asked for, and no other.
pub(super) fn read_line(answer: &Answer, asked: &IccId) -> Result<ListedLine, String> {
    let line = listed(&json(answer)?)?;
    if line.iccid == asked.as_str() { Ok(line) } else { Err(format!("asked for {asked}, it answers {}", line.iccid)) }
}

pub(super) fn read_lines(answer: &Answer) -> Result<Batch<ListedLine>, String> {
    let body = json(answer)?;
    let records: Vec<ListedLine> = list(&body, "lines")?.iter().map(listed).collect::<Result<_, _>>()?;
    let has_more = body["more"].as_bool().ok_or("more: expected yes or no")?;
    if records.is_empty() && has_more {
        return Err("an empty page is not the last".to_owned());
    }
    Ok(Batch { records, has_more })
}

pub(super) fn read_plans(answer: &Answer) -> Result<Vec<ListedPlan>, String> {
    let plan = |plan: &Value| Ok(ListedPlan { code: text(plan, "code")?, name: text(plan, "name")? });
    list(&json(answer)?, "plans")?.iter().map(plan).collect()
}

fn listed(line: &Value) -> Result<ListedLine, String> {
    let iccid: IccId = text(line, "iccid")?.parse().map_err(|error| format!("iccid: {error}"))?;
    Ok(ListedLine {
        iccid: iccid.to_string(),
        line: CarrierLine {
            status: Some(text(line, "status")?),
            rate_plan: Some(text(line, "plan")?),
            subscriber_number: line["msisdn"].as_str().map(str::to_owned),
            ..CarrierLine::default()
        },
    })
}
