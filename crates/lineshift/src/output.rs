//! Standard output: tables for people, JSON for programs. Nothing else writes there.

use std::io::{self, Write as _};

use anyhow::{Context as _, Result};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use lineshift_domain::scopes::Scopes;
use serde::Serialize;

/// How a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON value.
    Json,
}

impl Output {
    /// By the flag `--json`.
    pub(crate) const fn by_flag(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    /// Writes a list: `rows` under `headers`, or the JSON of `value`.
    pub(crate) fn list<T: Serialize + ?Sized>(self, headers: &[&str], rows: Vec<Vec<String>>, value: &T) -> Result<()> {
        match self {
            Self::Json => json(value),
            Self::Text if rows.is_empty() => line("nothing to list"),
            Self::Text => text(&table(headers, rows)),
        }
    }

    /// Writes one answer: a text for people, or the JSON of `value`.
    pub(crate) fn one<T: Serialize + ?Sized>(self, shown: &str, value: &T) -> Result<()> {
        match self {
            Self::Json => json(value),
            Self::Text => line(shown),
        }
    }
}

/// Permissions as people read them.
pub(crate) fn scopes(scopes: &Scopes) -> String {
    if *scopes == Scopes::all() { "*".to_owned() } else { scopes.to_string() }
}

/// Lays out a table, one line a row, as wide as its contents; columns of numbers stand to the right.
pub(crate) fn table(headers: &[&str], rows: Vec<Vec<String>>) -> String {
    let is_number = |cell: Option<&String>| cell.is_some_and(|cell| cell.parse::<f64>().is_ok());
    let numbers: Vec<bool> = (0..headers.len()).map(|column| rows.iter().all(|row| is_number(row.get(column)))).collect();
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headers.iter().copied());
    table.add_rows(rows);
    for (column, _) in table.column_iter_mut().zip(numbers).filter(|(_, numbers)| *numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\n")
}

/// Writes one JSON value, indented, with a newline behind it.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<()> {
    let mut written = serde_json::to_string_pretty(value).context("writing JSON")?;
    written.push('\n');
    text(&written)
}

/// No account takes as many calls: one that allows so many has no limit, and none is shown.
pub(crate) const UNBOUND: u32 = 1_000_000_000;

/// A number of things in words: `1 row`, `3 rows`.
pub(crate) fn counted(number: impl TryInto<u64>, one: &str, several: &str) -> String {
    let number = number.try_into().unwrap_or_default();
    format!("{number} {}", if number == 1 { one } else { several })
}

/// Writes a line.
pub(crate) fn line(shown: &str) -> Result<()> {
    text(&format!("{shown}\n"))
}

/// Writes a text as it is.
pub(crate) fn text(shown: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(shown.as_bytes()).and_then(|()| out.flush()).context("writing to standard output")
}
