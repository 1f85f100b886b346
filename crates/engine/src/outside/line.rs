//! What a page that calls outside does with a line, and what that comes to, whoever is called.

use chrono::{DateTime, Utc};
use lineshift_connectors::Exchange;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{LogTitle, entry};
use lineshift_store::billing::OutsideLog;
use lineshift_store::work::{OrderFacts, OutsideLine, Waiting};

/// What is to be done with a line.
#[derive(Debug, Clone)]
pub(crate) enum Goal {
    /// It is to stand as asked.
    Do,
    /// It is refused for that reason: what is unknown is read back, then what was done is kept or undone.
    Finish(Reason),
}

/// What the calls of a page came to for one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// It stands as asked.
    Stands,
    /// It does not; the later steps are done all the same, and the line ends in ERROR (B6.2).
    FailsAfterSteps(Reason),
    /// The line ends in ERROR; unsettled: something of it is unknown or stuck, so that it goes on holding its line.
    Ends { reason: Reason, unsettled: bool },
    /// It waits.
    Waits(Waiting),
}

/// Numbers the log entries of a line (B11.1).
pub(crate) struct Entries {
    row: DeviceChangeId,
    attempt: i64,
    first: i64,
    written: i64,
}

impl Entries {
    /// Those of one system's calls in one run of a page. Entries are told apart by when they were written and their place: two runs of a
    /// page never share a moment, and neither billing system nor carrier has more than 500 entries in one.
    pub(crate) fn new(line: &OutsideLine, order: &OrderFacts, now: DateTime<Utc>, system: i64) -> Self {
        let elapsed = (now - order.change.created_at).num_milliseconds().max(0);
        let first = entry::OUTSIDE + elapsed * 1_000 + system * 500;
        Self { row: line.id, attempt: line.attempt, first, written: 0 }
    }

    /// An entry. `request` is the action's text, a newline, the request.
    pub(crate) fn log(&mut self, text: LogTitle, request: String, response: String, error: Option<String>) -> OutsideLog {
        self.written += 1;
        OutsideLog {
            device_change_id: self.row,
            attempt: self.attempt,
            entry: self.first + self.written,
            text,
            request,
            response,
            error,
        }
    }

    /// The entry of a call of this line alone.
    pub(crate) fn log_call(&mut self, text: LogTitle, exchange: &Exchange, error: Option<String>) -> OutsideLog {
        let request = format!("{text}\n{}", exchange.request);
        self.log(text, request, exchange.response.clone(), error)
    }
}
