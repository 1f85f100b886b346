//! The statements of one connection: bound by name, counted, timed, and described when they fail.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use lineshift_domain::ids::TenantId;
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::procedures::{ByStatements, Procedures};
use lineshift_store_sql::{Connection, Hint, Parameter, ReadRow, Row, Sql, Statement, TakeRow};

use crate::error::store_error;
use crate::row::{Bound, SqliteRow};

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

/// One connection within a transaction. Parameters are `$1`, `$2` ... and each must be bound.
pub(crate) struct Transaction<'c> {
    pub(super) connection: &'c rusqlite::Connection,
    pub(super) statements: &'c Statements,
    pub(super) by_writer: bool,
}

const PARAMETER_NAMES: [&str; 32] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16", "$17", "$18", "$19",
    "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31", "$32",
];

impl<'c> Transaction<'c> {
    fn bound(&self, sql: &str, parameters: &[&dyn Parameter]) -> Result<rusqlite::CachedStatement<'c>> {
        self.statements.count(self.by_writer);
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| describe(sql, error))?;
        bind(&mut statement, sql, parameters)?;
        Ok(statement)
    }

    /// Runs several statements without parameters.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        self.statements.count(self.by_writer);
        self.connection.execute_batch(sql).map_err(|error| describe(sql, error))
    }

    /// The connection itself, for what is no statement (backup).
    pub(crate) const fn connection(&self) -> &'c rusqlite::Connection {
        self.connection
    }

    /// The store's statements on this connection.
    pub(crate) const fn sql(&self) -> Sql<'_> {
        Sql::new(self)
    }
}

impl Connection for Transaction<'_> {
    fn execute(&self, statement: Statement, parameters: &[&dyn Parameter]) -> Result<usize> {
        let (started, sql) = (Instant::now(), text_of(statement)?);
        let changed = self.bound(sql, parameters)?.raw_execute().map_err(|error| describe(sql, error));
        observe(started);
        changed
    }

    fn query(&self, statement: Statement, parameters: &[&dyn Parameter], read: ReadRow<'_>) -> Result<()> {
        let (started, sql) = (Instant::now(), text_of(statement)?);
        let mut prepared = self.bound(sql, parameters)?;
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(|error| describe(sql, error))? {
            read(&Row::new(&SqliteRow(row))).map_err(|error| located(sql, error))?;
        }
        observe(started);
        Ok(())
    }

    /// One prepared statement, row by row: in this process a row costs no round trip.
    fn execute_each(&self, statement: Statement, rows: &mut dyn FnMut(TakeRow<'_>) -> Result<()>) -> Result<()> {
        let (started, sql) = (Instant::now(), text_of(statement)?);
        self.statements.count(self.by_writer);
        let mut prepared = self.connection.prepare_cached(sql).map_err(|error| describe(sql, error))?;
        rows(&mut |parameters| {
            bind(&mut prepared, sql, parameters)?;
            prepared.raw_execute().map_err(|error| describe(sql, error))?;
            Ok(())
        })?;
        observe(started);
        Ok(())
    }

    /// All tenants share a counter: two of them never have the same id.
    fn reserve_ids(&self, _tenant: Option<TenantId>, name: &str, count: i64) -> Result<i64> {
        let next = self.sql().find(
            "INSERT INTO id_counter (name, next_id) VALUES ($1, $2 + 1)
             ON CONFLICT (name) DO UPDATE SET next_id = next_id + $2 RETURNING next_id",
            &[&name, &count],
            |row| row.get::<i64>(0),
        )?;
        Ok(next.ok_or_else(|| StoreError::internal("reserving ids answered nothing"))? - count)
    }

    fn raise_ids(&self, _tenant: TenantId, name: &str, next: i64) -> Result<()> {
        self.sql().execute(
            "INSERT INTO id_counter (name, next_id) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET next_id = MAX(next_id, excluded.next_id)",
            &[&name, &next],
        )?;
        Ok(())
    }

    /// Other processes on the same file look by themselves.
    fn hint(&self, _hint: Hint) -> Result<()> {
        Ok(())
    }

    fn procedures(&self) -> &'static dyn Procedures {
        &ByStatements
    }
}

fn text_of(statement: Statement) -> Result<&'static str> {
    match statement {
        Statement::Portable(text) => Ok(text),
        Statement::Tuned(name) => {
            crate::sql::text_of(name).ok_or_else(|| StoreError::internal(format!("statement {name} has no text for SQLite")))
        }
    }
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, sql: &str, parameters: &[&dyn Parameter]) -> Result<()> {
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
        statement.raw_bind_parameter(place, Bound(parameter.value())).map_err(|error| describe(sql, error))?;
    }
    Ok(())
}

fn observe(started: Instant) {
    metrics::histogram!("lineshift_statement_seconds").record(started.elapsed().as_secs_f64());
}

pub(super) fn describe(sql: &str, error: rusqlite::Error) -> StoreError {
    located(sql, store_error(error))
}

/// Says at which statement it went wrong.
fn located(sql: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Internal { source: Some(source), .. } => {
            let shown: String = sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
            StoreError::Internal { context: format!("statement {shown:?}"), source: Some(source) }
        }
        other => other,
    }
}
