//! The statements of one connection: bound by name, counted, timed, and described when they fail.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use lineshift_store::{Result, StoreError};
use rusqlite::{Connection, Row, ToSql};

use crate::error::store_error;

/// The statements sent so far.
#[derive(Default)]
pub(super) struct Statements {
    pub(super) sent: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) before_write: Option<fn(u64)>,
}

impl Statements {
    fn count(&self, by_writer: bool) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        if let Some(before_write) = self.before_write.filter(|_| by_writer) {
            before_write(self.written.fetch_add(1, Ordering::Relaxed) + 1);
        }
    }
}

/// The statements of one connection. Parameters are `$1`, `$2` ... and each must be bound.
pub(crate) struct Sql<'c> {
    pub(super) connection: &'c Connection,
    pub(super) statements: &'c Statements,
    pub(super) by_writer: bool,
}

const PARAMETER_NAMES: [&str; 32] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16", "$17", "$18", "$19",
    "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31", "$32",
];

impl<'c> Sql<'c> {
    fn bound(&self, sql: &str, parameters: &[&dyn ToSql]) -> Result<rusqlite::CachedStatement<'c>> {
        self.statements.count(self.by_writer);
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| describe(sql, error))?;
        bind(&mut statement, sql, parameters)?;
        Ok(statement)
    }

    /// Runs a statement that answers no rows; says how many it changed.
    pub(crate) fn execute(&self, sql: &str, parameters: &[&dyn ToSql]) -> Result<usize> {
        let started = Instant::now();
        let changed = self.bound(sql, parameters)?.raw_execute().map_err(|error| describe(sql, error));
        observe(started);
        changed
    }

    /// Runs a query and reads every row.
    pub(crate) fn query<T>(
        &self,
        sql: &str,
        parameters: &[&dyn ToSql],
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let started = Instant::now();
        let mut statement = self.bound(sql, parameters)?;
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| describe(sql, error))? {
            found.push(read(row).map_err(|error| describe(sql, error))?);
        }
        observe(started);
        Ok(found)
    }

    /// Runs a query that answers at most one row.
    pub(crate) fn find<T>(
        &self,
        sql: &str,
        parameters: &[&dyn ToSql],
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.query(sql, parameters, read)?.into_iter().next())
    }

    /// Runs one prepared statement for each row of parameters, in this process, without leaving the thread.
    pub(crate) fn execute_each<R>(
        &self,
        sql: &str,
        rows: impl IntoIterator<Item = R>,
        mut each: impl FnMut(&R, &mut dyn FnMut(&[&dyn ToSql]) -> Result<()>) -> Result<()>,
    ) -> Result<()> {
        let started = Instant::now();
        self.statements.count(self.by_writer);
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| describe(sql, error))?;
        for row in rows {
            each(&row, &mut |parameters| {
                bind(&mut statement, sql, parameters)?;
                statement.raw_execute().map_err(|error| describe(sql, error))?;
                Ok(())
            })?;
        }
        observe(started);
        Ok(())
    }

    /// Reserves `count` consecutive ids of a name and answers the first (B3.1).
    pub(crate) fn reserve_ids(&self, name: &str, count: i64) -> Result<i64> {
        let next = self.find(
            "INSERT INTO id_counter (name, next_id) VALUES ($1, $2 + 1)
             ON CONFLICT (name) DO UPDATE SET next_id = next_id + $2 RETURNING next_id",
            &[&name, &count],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(next.ok_or_else(|| StoreError::internal("reserving ids answered nothing"))? - count)
    }

    /// Runs several statements without parameters.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        self.statements.count(self.by_writer);
        self.connection.execute_batch(sql).map_err(|error| describe(sql, error))
    }

    /// The connection itself, for what is no statement (backup).
    pub(crate) const fn connection(&self) -> &'c Connection {
        self.connection
    }
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, sql: &str, parameters: &[&dyn ToSql]) -> Result<()> {
    if statement.parameter_count() != parameters.len() {
        return Err(StoreError::internal(format!(
            "{} parameters were given for a statement with {}: {sql}",
            parameters.len(),
            statement.parameter_count()
        )));
    }
    for (name, parameter) in PARAMETER_NAMES.iter().zip(parameters) {
        let place = statement.parameter_index(name).map_err(|error| describe(sql, error))?;
        let place = place.ok_or_else(|| StoreError::internal(format!("{name} does not stand in: {sql}")))?;
        statement.raw_bind_parameter(place, parameter).map_err(|error| describe(sql, error))?;
    }
    Ok(())
}

fn observe(started: Instant) {
    metrics::histogram!("lineshift_statement_seconds").record(started.elapsed().as_secs_f64());
}

pub(super) fn describe(sql: &str, error: rusqlite::Error) -> StoreError {
    match store_error(error) {
        StoreError::Internal { source, .. } => {
            let shown: String = sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
            StoreError::Internal { context: format!("statement {shown:?}"), source }
        }
        other => other,
    }
}
