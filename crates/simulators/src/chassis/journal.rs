//! What was called, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answers::counted;
use super::faults::Fault;
use crate::wire::Reaction;

/// How many wrong requests are kept with what was wrong.
const MOST_TEXTS: usize = 20;

/// What was called, in numbers, as every simulator counts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Calls by method and path; what is not described counts as `unknown`.
    pub calls: BTreeMap<String, u64>,
    /// Calls by status, or by what came instead of an answer: `cut`, `reset`, `silence`.
    pub statuses: BTreeMap<String, u64>,
    /// Faults by kind.
    pub faults: BTreeMap<String, u64>,
    /// Calls that did not fit the description.
    pub wrong_requests: u64,
    /// What was wrong with the first of them.
    pub wrong_texts: Vec<String>,
    /// The most calls that were under way at once.
    pub most_at_once: usize,
    /// The most calls that were let through within a minute.
    pub most_a_minute: usize,
    /// Calls that were refused because there were too many, by faults or by limits.
    pub throttled: u64,
    /// Calls that will work later although their callers have given up.
    pub outstanding: usize,
}

/// Counts of one simulator.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) calls: BTreeMap<&'static str, u64>,
    pub(crate) statuses: BTreeMap<String, u64>,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    pub(crate) wrong_requests: u64,
    pub(crate) wrong_texts: Vec<String>,
    pub(crate) at_once: usize,
    pub(crate) most_at_once: usize,
    pub(crate) most_a_minute: usize,
    pub(crate) throttled: u64,
    pub(crate) outstanding: usize,
}

impl Journal {
    /// All counts as they stand.
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic {
            calls: self.calls.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            statuses: self.statuses.clone(),
            faults: self.faults.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            wrong_requests: self.wrong_requests,
            wrong_texts: self.wrong_texts.clone(),
            most_at_once: self.most_at_once,
            most_a_minute: self.most_a_minute,
            throttled: self.throttled,
            outstanding: self.outstanding,
        }
    }

    /// A call came in.
    pub(crate) fn call(&mut self, operation: Option<&'static str>) {
        *self.calls.entry(operation.unwrap_or("unknown")).or_default() += 1;
        self.at_once += 1;
        self.most_at_once = self.most_at_once.max(self.at_once);
    }

    /// A call meets a fault.
    pub(crate) fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault.name()).or_default() += 1;
    }

    /// A call does not fit the description.
    pub(crate) fn wrong(&mut self, method: &str, text: &str) {
        self.wrong_requests += 1;
        if self.wrong_texts.len() < MOST_TEXTS {
            self.wrong_texts.push(format!("{method}: {text}"));
        }
    }

    /// A call ended.
    pub(crate) fn reaction(&mut self, reaction: &Reaction) {
        *self.statuses.entry(counted(reaction)).or_default() += 1;
    }
}
