//! What the simulated Nimbus holds: lines, plans, and requests that it works off after a while.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// Whether a line can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can.
    Active,
    /// It cannot.
    Suspended,
}

impl Status {
    /// As it stands on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
        }
    }

    /// What a text means.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended].into_iter().find(|status| status.name() == text)
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// ICCID: its id.
    pub iccid: String,
    /// The code of its plan.
    pub plan: String,
    /// Its status.
    pub status: Status,
    /// Its number.
    pub msisdn: Option<String>,
    /// Why no change of it works; none: changes work.
    pub stubborn: Option<String>,
}

impl Line {
    pub(super) fn json(&self) -> Value {
        json!({ "iccid": self.iccid, "plan": self.plan, "status": self.status.name(), "msisdn": self.msisdn })
    }
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// By which lines are put on it.
    pub code: String,
    /// For people.
    pub name: String,
}

/// What a request sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The plan, by its code.
    Plan(String),
    /// The status.
    Status(Status),
}

/// A request that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// What it sets.
    pub change: Change,
    /// Of which lines.
    pub iccids: Vec<String>,
    /// From when on it has worked.
    pub due: DateTime<Utc>,
    /// Whether it has.
    pub is_done: bool,
}

/// All records.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By ICCID.
    pub lines: BTreeMap<String, Line>,
    /// By code.
    pub plans: BTreeMap<String, Plan>,
    /// As they came.
    pub requests: Vec<Request>,
    /// How many lines a request has really changed, so far.
    pub changed: u64,
    /// What is to be said of requests that are done.
    outcomes: Vec<Outcome>,
}

/// What became of a request.
#[derive(Debug)]
struct Outcome {
    request_id: String,
    /// ICCIDs, and why the change failed, if it did.
    lines: Vec<(String, Option<String>)>,
}

impl Ledger {
    /// Takes a request; it works after `takes`.
    pub(super) fn accept(&mut self, change: Change, iccids: Vec<String>, now: DateTime<Utc>, takes: TimeDelta) -> String {
        let id = format!("r-{}", self.requests.len() + 1);
        self.requests.push(Request { id: id.clone(), change, iccids, due: now + takes, is_done: false });
        id
    }

    /// Works off what is due.
    pub(super) fn settle(&mut self, now: DateTime<Utc>) {
        let Self { lines, requests, changed, outcomes, .. } = self;
        for request in requests.iter_mut().filter(|request| !request.is_done && request.due <= now) {
            request.is_done = true;
            let mut results = Vec::new();
            for iccid in &request.iccids {
                let failed = match lines.get_mut(iccid) {
                    None => Some("there is no such line any more".to_owned()),
                    Some(Line { stubborn: Some(reason), .. }) => Some(reason.clone()),
                    Some(line) => {
                        let before = line.clone();
                        match &request.change {
                            Change::Plan(plan) => line.plan.clone_from(plan),
                            Change::Status(status) => line.status = *status,
                        }
                        *changed += u64::from(*line != before);
                        None
                    }
                };
                results.push((iccid.clone(), failed));
            }
            outcomes.push(Outcome { request_id: request.id.clone(), lines: results });
        }
    }

    /// What was not said yet of requests that are done, each as the body of a callback.
    pub(super) fn take_callbacks(&mut self, user: &str, password: &str) -> Vec<Value> {
        let outcomes = std::mem::take(&mut self.outcomes);
        let body = |Outcome { request_id, lines }: Outcome| {
            let results: Vec<Value> =
                lines.into_iter().map(|(iccid, failed)| json!({ "iccid": iccid, "failed": failed })).collect();
            json!({ "user": user, "password": password, "requestId": request_id, "results": results })
        };
        outcomes.into_iter().map(body).collect()
    }
}
