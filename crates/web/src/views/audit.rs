//! Who asked for what, as it is shown and exported.

use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use lineshift_store::audit::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::csv_cells::safe_cell;
use crate::table_file::{CSV, in_csv};

/// Somebody asked for something, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditEntryView {
    /// When, to the microsecond.
    pub at: DateTime<Utc>,
    /// The request's id, as in `X-Request-Id` and in the server's log.
    #[schema(example = "5f0c3b9a7d21e648")]
    pub request_id: String,
    /// `key`, `person`, `carrier`, or `system`: somebody at the server's command line.
    #[schema(example = "key")]
    pub actor: String,
    /// The key or person; null for carriers and the command line.
    pub principal_id: Option<i64>,
    /// How they were called then.
    pub who: String,
    /// From which address.
    pub address: Option<String>,
    /// With which program, as it said itself.
    pub agent: Option<String>,
    /// What for: method and address without ids, or the words of a command.
    #[schema(example = "POST /api/v1/bulk-changes/{id}/start")]
    pub action: String,
    /// On what.
    #[schema(example = "bulk-changes/12")]
    pub target: Option<String>,
    /// `done`, `refused`, `failed`, or `unfinished`: it is under way, or was cut off.
    #[schema(example = "done")]
    pub outcome: String,
    /// When the outcome was written down.
    pub finished_at: Option<DateTime<Utc>>,
    /// The status of the answer.
    pub status: Option<u32>,
    /// How many lines it was about.
    pub devices: Option<i64>,
    /// What it made.
    #[schema(example = "bulk-changes/12")]
    pub made: Option<String>,
    /// The codes of the problems that were answered.
    pub problem_codes: Vec<String>,
    /// SHA-256 of the request's body, in hexadecimal digits.
    pub body_sha256: Option<String>,
    /// What was done, in words, where the other fields do not say it.
    pub note: Option<String>,
}

impl From<AuditEntry> for AuditEntryView {
    fn from(AuditEntry { entry, outcome }: AuditEntry) -> Self {
        let of = outcome.as_ref();
        let hex = |hash: [u8; 32]| hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            at: entry.key.at,
            request_id: entry.key.request_id,
            actor: entry.actor.to_string(),
            principal_id: entry.principal.map(|id| id.0),
            who: entry.who,
            address: entry.address,
            agent: entry.agent,
            action: entry.action,
            target: entry.target,
            outcome: of.map_or_else(|| "unfinished".to_owned(), |outcome| outcome.result.to_string()),
            finished_at: of.map(|outcome| outcome.finished_at),
            status: of.and_then(|outcome| outcome.status),
            devices: of.and_then(|outcome| outcome.devices),
            made: of.and_then(|outcome| outcome.made.clone()),
            body_sha256: of.and_then(|outcome| outcome.body_hash).map(hex),
            note: of.and_then(|outcome| outcome.note.clone()),
            problem_codes: outcome.map(|outcome| outcome.problem_codes).unwrap_or_default(),
        }
    }
}

/// As what entries are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFormat {
    /// RFC 4180, with a header.
    Csv,
    /// One object a line.
    JsonLines,
}

/// The columns. Programs read them by name: never rename one.
const COLUMNS: [&str; 17] = [
    "at",
    "request_id",
    "actor",
    "principal_id",
    "who",
    "address",
    "agent",
    "action",
    "target",
    "outcome",
    "finished_at",
    "status",
    "devices",
    "made",
    "problem_codes",
    "body_sha256",
    "note",
];

impl AuditFormat {
    /// By its word, `csv` or `jsonl`; none: it is no format.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Csv, Self::JsonLines].into_iter().find(|format| format.word() == word)
    }

    /// Its word, which is also how files of it end.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => CSV,
            Self::JsonLines => "application/jsonl; charset=utf-8",
        }
    }

    /// What stands before the first entry.
    ///
    /// # Errors
    /// None in memory.
    pub fn beginning(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Csv => in_csv([COLUMNS]),
            Self::JsonLines => Ok(Vec::new()),
        }
    }

    /// Entries, a line each.
    ///
    /// # Errors
    /// None in memory.
    pub fn written(self, entries: Vec<AuditEntry>) -> io::Result<Vec<u8>> {
        let views = entries.into_iter().map(AuditEntryView::from);
        match self {
            Self::Csv => in_csv(views.map(|view| cells(&view))),
            Self::JsonLines => {
                let mut text = Vec::new();
                for view in views {
                    serde_json::to_writer(&mut text, &view)?;
                    text.push(b'\n');
                }
                Ok(text)
            }
        }
    }
}

fn cells(view: &AuditEntryView) -> [String; 17] {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let text = |text: Option<&str>| safe_cell(text.unwrap_or_default()).into_owned();
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        time(view.at),
        view.request_id.clone(),
        view.actor.clone(),
        number(view.principal_id),
        text(Some(&view.who)),
        text(view.address.as_deref()),
        text(view.agent.as_deref()),
        text(Some(&view.action)),
        text(view.target.as_deref()),
        view.outcome.clone(),
        view.finished_at.map(time).unwrap_or_default(),
        number(view.status.map(i64::from)),
        number(view.devices),
        text(view.made.as_deref()),
        view.problem_codes.join(" "),
        view.body_sha256.clone().unwrap_or_default(),
        text(view.note.as_deref()),
    ]
}
