//! SQL files as the peers run them: statements in order, with named parameters, on a connection with the store's settings.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use lineshift_domain::dates::start_of_its_day;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Statement};

/// The statements of one file of `bench-sql/`. Each ends with a semicolon at the end of a line.
pub(super) struct Script(Vec<String>);

impl Script {
    /// Takes a file apart.
    pub(super) fn new(text: &str) -> Self {
        let statements = text.split(";\n").map(without_comments).filter(|statement| !statement.is_empty());
        Self(statements.collect())
    }

    /// Runs each statement with those of the values that it names.
    pub(super) fn run(&self, connection: &Connection, values: &Values) -> Result<()> {
        for sql in &self.0 {
            let mut statement = connection.prepare_cached(sql).with_context(|| format!("preparing {sql}"))?;
            values.bind(&mut statement)?;
            let mut rows = statement.raw_query();
            while rows.next().with_context(|| format!("running {sql}"))?.is_some() {}
        }
        Ok(())
    }
}

fn without_comments(statement: &str) -> String {
    let lines = statement.lines().filter(|line| !line.trim_start().starts_with("--"));
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Values by the name of their parameter, `$` included.
#[derive(Debug, Clone, Default)]
pub(super) struct Values(Vec<(&'static str, Value)>);

impl Values {
    /// Sets one, anew or again.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, present)) => *present = value,
            None => self.0.push((name, value)),
        }
        self
    }

    /// Binds those that a statement names.
    pub(super) fn bind(&self, statement: &mut Statement<'_>) -> Result<()> {
        for (name, value) in &self.0 {
            if let Some(place) = statement.parameter_index(name)? {
                statement.raw_bind_parameter(place, value)?;
            }
        }
        Ok(())
    }

    /// A text that was set.
    pub(super) fn text(&self, name: &str) -> Result<String> {
        match self.get(name)? {
            Value::Text(text) => Ok(text.clone()),
            other => bail!("{name} is no text: {other:?}"),
        }
    }

    /// A number that was set.
    pub(super) fn number(&self, name: &str) -> Result<i64> {
        match self.get(name)? {
            Value::Integer(number) => Ok(*number),
            other => bail!("{name} is no number: {other:?}"),
        }
    }

    fn get(&self, name: &str) -> Result<&Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value).with_context(|| format!("{name} was not set"))
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Opens a database file as the store's writer opens it, with the store's function for days.
pub(super) fn open(file: &Path) -> Result<Connection> {
    let connection = connect(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 20000;
         PRAGMA cache_size = -262144; PRAGMA temp_store = MEMORY",
    )?;
    connection.set_prepared_statement_cache_capacity(200);
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("start_of_day", 2, flags, |context| {
        let zone = context.get_or_create_aux(1, |value| {
            value.as_str().map_err(Failure::from)?.parse::<chrono_tz::Tz>().map_err(Failure::from)
        })?;
        let at: Option<i64> = context.get(0)?;
        let moment = at.and_then(chrono::DateTime::from_timestamp_micros);
        Ok(moment.map(|moment| start_of_its_day(moment, *zone).timestamp_micros()))
    })?;
    Ok(connection)
}

#[expect(clippy::disallowed_methods, reason = "the peers of the benchmark are to owe nothing to the store")]
fn connect(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file, flags).with_context(|| format!("opening {}", file.display()))
}

/// Moves everything into the database file, as every leg does before its clock stops.
pub(super) fn checkpoint(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).context("moving the log into the file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_apart_at_the_ends_of_statements() {
        let script = Script::new("-- What it does.\nSELECT 'a;b'\n-- and why\nFROM x;\n\nCOMMIT;\n");
        assert_eq!(script.0, ["SELECT 'a;b'\nFROM x", "COMMIT"]);
    }
}
