//! What was called, in numbers.

use std::collections::BTreeMap;

use super::answers::counted;
use super::faults::Fault;
use crate::wire::Reaction;

/// How many wrong requests are kept with what was wrong.
const MOST_TEXTS: usize = 20;

/// Counts of one simulator.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) calls: BTreeMap<&'static str, u64>,
    pub(super) statuses: BTreeMap<String, u64>,
    pub(super) faults: BTreeMap<&'static str, u64>,
    pub(super) wrong_requests: u64,
    pub(super) wrong_texts: Vec<String>,
    pub(super) at_once: usize,
    pub(super) most_at_once: usize,
    pub(super) most_a_minute: usize,
    pub(super) outstanding: usize,
}

impl Journal {
    /// A call came in.
    pub(super) fn call(&mut self, operation: Option<&'static str>) {
        *self.calls.entry(operation.unwrap_or("unknown")).or_default() += 1;
        self.at_once += 1;
        self.most_at_once = self.most_at_once.max(self.at_once);
    }

    /// A call meets a fault.
    pub(super) fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault.name()).or_default() += 1;
    }

    /// A call does not fit the description.
    pub(super) fn wrong(&mut self, method: &str, text: &str) {
        self.wrong_requests += 1;
        if self.wrong_texts.len() < MOST_TEXTS {
            self.wrong_texts.push(format!("{method}: {text}"));
        }
    }

    /// A call ended.
    pub(super) fn reaction(&mut self, reaction: &Reaction) {
        *self.statuses.entry(counted(reaction)).or_default() += 1;
    }
}
