//! Connections: one writer on a thread of its own, a pool of readers, and the statements sent through them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use lineshift_store::{Result, StoreError};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row, ToSql};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::store_error;

/// How the store is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Readers that may work at once.
    pub readers: usize,
    /// Page cache of the writer, in MiB.
    pub writer_cache_mib: usize,
    /// Page cache of each reader, in MiB.
    pub reader_cache_mib: usize,
    /// How long a writer waits for another process's transaction.
    pub busy_timeout: Duration,
    /// The most pages of 4 KiB that the file may have; none: as the disk allows.
    pub max_pages: Option<u32>,
    /// For fault tests: called before each statement of the writer with its number, from 1, over the life of the process.
    pub before_write: Option<fn(u64)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            writer_cache_mib: 256,
            reader_cache_mib: 8,
            busy_timeout: Duration::from_secs(5),
            max_pages: None,
            before_write: None,
        }
    }
}

/// A database file with its connections.
#[derive(Clone)]
pub(crate) struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    statements: Arc<Statements>,
    jobs: mpsc::Sender<Job>,
    turn: Arc<tokio::sync::Mutex<()>>,
    readers: Mutex<Vec<Connection>>,
    reader_slots: Arc<Semaphore>,
}

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The statements sent so far.
#[derive(Default)]
struct Statements {
    sent: AtomicU64,
    written: AtomicU64,
    before_write: Option<fn(u64)>,
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
    connection: &'c Connection,
    statements: &'c Statements,
    by_writer: bool,
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

fn describe(sql: &str, error: rusqlite::Error) -> StoreError {
    match store_error(error) {
        StoreError::Internal { source, .. } => {
            let shown: String = sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
            StoreError::Internal { context: format!("statement {shown:?}"), source }
        }
        other => other,
    }
}

impl Database {
    pub(crate) async fn open(path: &Path, options: Options) -> Result<Self> {
        let owned = path.to_owned();
        tokio::task::spawn_blocking(move || Self::open_blocking(&owned, options))
            .await
            .map_err(|error| StoreError::Internal { context: "opening the store".to_owned(), source: Some(Box::new(error)) })?
    }

    fn open_blocking(path: &Path, options: Options) -> Result<Self> {
        let writer = open_writer(path, options)?;
        let readers = (0..options.readers.max(1)).map(|_| open_reader(path, options)).collect::<Result<Vec<_>>>()?;
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("lineshift-store-writer".to_owned())
            .spawn(move || {
                while let Ok(job) = queue.recv() {
                    job(&writer);
                }
            })
            .map_err(|error| StoreError::Internal { context: "starting the writer".to_owned(), source: Some(Box::new(error)) })?;
        let shared = Shared {
            path: path.to_owned(),
            statements: Arc::new(Statements { before_write: options.before_write, ..Statements::default() }),
            jobs,
            turn: Arc::default(),
            reader_slots: Arc::new(Semaphore::new(readers.len())),
            readers: Mutex::new(readers),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(crate) fn statements_sent(&self) -> u64 {
        self.shared.statements.sent.load(Ordering::Relaxed)
    }

    /// Runs reads on a connection of the pool, in one snapshot.
    pub(crate) async fn read<T: Send + 'static>(&self, work: impl FnOnce(&Sql<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        let slot = Arc::clone(&self.shared.reader_slots).acquire_owned().await.expect("the semaphore is never closed");
        let shared = Arc::clone(&self.shared);
        metrics::gauge!("lineshift_store_readers_in_use").increment(1);
        let lent = Lent { connection: Some(take_reader(&shared)), shared, _slot: slot };
        let done = tokio::task::spawn_blocking(move || {
            let connection = lent.connection.as_ref().expect("lent until dropped");
            let sql = Sql { connection, statements: &lent.shared.statements, by_writer: false };
            sql.batch("BEGIN")?;
            let answer = work(&sql);
            sql.batch("ROLLBACK")?;
            answer
        });
        done.await.unwrap_or_else(|error| Err(panicked(Box::new(error))))
    }

    /// Runs a whole write transaction: commits when the closure succeeds, else rolls back.
    pub(crate) async fn write<T: Send + 'static>(&self, work: impl FnOnce(&Sql<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        let _turn = self.shared.turn.lock().await;
        self.on_writer(move |sql| {
            sql.batch("BEGIN IMMEDIATE")?;
            match work(sql).and_then(|answer| sql.batch("COMMIT").map(|()| answer)) {
                Ok(answer) => Ok(answer),
                Err(error) => {
                    roll_back(sql);
                    Err(error)
                }
            }
        })
        .await
    }

    /// Begins a write transaction that goes on over several calls.
    pub(crate) async fn begin(&self) -> Result<OpenTransaction> {
        let turn = Arc::clone(&self.shared.turn).lock_owned().await;
        // Made before it begins: a caller who is canceled while this waits must not leave it open.
        let transaction = OpenTransaction { database: self.clone(), _turn: turn, open: true };
        self.on_writer(|sql| sql.batch("BEGIN IMMEDIATE")).await?;
        Ok(transaction)
    }

    /// Runs something on the writer's thread, outside of a transaction.
    pub(crate) async fn on_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Sql<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.send(move |connection, statements| {
            let result =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&Sql { connection, statements, by_writer: true })));
            let result = result.unwrap_or_else(|_| {
                roll_back(&Sql { connection, statements, by_writer: true });
                Err(StoreError::internal("a transaction panicked"))
            });
            // Nobody waits for the answer any more when the caller was canceled; the work is done all the same.
            drop(answer.send(result));
        })?;
        answered.await.map_err(|error| panicked(Box::new(error)))?
    }

    fn send(&self, job: impl FnOnce(&Connection, &Statements) + Send + 'static) -> Result<()> {
        let statements = Arc::clone(&self.shared.statements);
        let job: Job = Box::new(move |connection| job(connection, &statements));
        self.shared.jobs.send(job).map_err(|_| StoreError::internal("the writer has stopped"))
    }

    pub(crate) async fn checkpoint(&self) -> Result<()> {
        let _turn = self.shared.turn.lock().await;
        self.on_writer(|sql| sql.query("PRAGMA wal_checkpoint(TRUNCATE)", &[], |_| Ok(())).map(|_| ())).await
    }

    pub(crate) async fn inspect(&self, query: String) -> Result<Vec<Vec<String>>> {
        let shown = |value: ValueRef<'_>| match value {
            ValueRef::Null => "NULL".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        };
        self.read(move |sql| {
            sql.query(&query, &[], |row| {
                (0..row.as_ref().column_count()).map(|column| row.get_ref(column).map(shown)).collect::<rusqlite::Result<_>>()
            })
        })
        .await
    }

    pub(crate) async fn explain(&self, statement: String) -> Result<Vec<String>> {
        self.read(move |sql| {
            let mut prepared = sql
                .connection()
                .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
                .map_err(|error| describe(&statement, error))?;
            let mut rows = prepared.raw_query();
            let mut lines = Vec::new();
            while let Some(row) = rows.next().map_err(store_error)? {
                lines.push(row.get::<_, String>(3).map_err(store_error)?);
            }
            Ok(lines)
        })
        .await
    }
}

fn roll_back(sql: &Sql<'_>) {
    if !sql.connection.is_autocommit()
        && let Err(error) = sql.batch("ROLLBACK")
    {
        tracing::error!(%error, "a failed transaction could not be rolled back");
    }
}

fn panicked(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Internal { context: "a store call was cut off".to_owned(), source: Some(error) }
}

/// A reader on loan; it goes back to the pool when dropped, also after a panic.
struct Lent {
    connection: Option<Connection>,
    shared: Arc<Shared>,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Lent {
    fn drop(&mut self) {
        metrics::gauge!("lineshift_store_readers_in_use").decrement(1);
        if let Some(connection) = self.connection.take() {
            if !connection.is_autocommit() {
                roll_back(&Sql { connection: &connection, statements: &self.shared.statements, by_writer: false });
            }
            self.shared.readers.lock().expect("no reader panics while it holds the lock").push(connection);
        }
    }
}

fn take_reader(shared: &Shared) -> Connection {
    let mut readers = shared.readers.lock().expect("no reader panics while it holds the lock");
    readers.pop().expect("as many readers as slots")
}

/// A write transaction over several calls. Dropped without a commit, it is rolled back before the next one begins.
pub(crate) struct OpenTransaction {
    database: Database,
    _turn: OwnedMutexGuard<()>,
    open: bool,
}

impl OpenTransaction {
    /// Runs statements within the transaction.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Sql<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        self.database.on_writer(work).await
    }

    /// Runs the last statements and commits.
    pub(crate) async fn finish<T: Send + 'static>(
        mut self,
        work: impl FnOnce(&Sql<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let answer = self.run(move |sql| work(sql).and_then(|answer| sql.batch("COMMIT").map(|()| answer))).await?;
        self.open = false;
        Ok(answer)
    }
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        if self.open {
            // The writer takes its jobs in order, so that the rollback comes before whatever the next turn sends.
            drop(self.database.send(|connection, statements| roll_back(&Sql { connection, statements, by_writer: true })));
        }
    }
}

fn open_writer(path: &Path, options: Options) -> Result<Connection> {
    create_private(path)?;
    let connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    set(&connection, "journal_mode", "WAL")?;
    set(&connection, "synchronous", "FULL")?;
    set(&connection, "foreign_keys", "ON")?;
    set(&connection, "wal_autocheckpoint", "20000")?;
    set(&connection, "cache_size", &format!("-{}", options.writer_cache_mib * 1024))?;
    if let Some(pages) = options.max_pages {
        set(&connection, "max_page_count", &pages.to_string())?;
    }
    prepare(connection, options)
}

/// Makes the file if it is missing, readable by its owner only: it holds people's lines. SQLite gives its log the same mode.
pub(crate) fn create_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Internal { context: "the file cannot be made".to_owned(), source: Some(Box::new(error)) }),
    }
}

fn open_reader(path: &Path, options: Options) -> Result<Connection> {
    let connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    set(&connection, "query_only", "ON")?;
    set(&connection, "cache_size", &format!("-{}", options.reader_cache_mib * 1024))?;
    prepare(connection, options)
}

#[expect(clippy::disallowed_methods, reason = "the one place where connections are opened")]
fn open_connection(path: &Path, flags: OpenFlags) -> Result<Connection> {
    Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(|error| match store_error(error) {
        StoreError::Internal { source, .. } => StoreError::Internal { context: "the file cannot be opened".to_owned(), source },
        other => other,
    })
}

fn prepare(connection: Connection, options: Options) -> Result<Connection> {
    connection.busy_timeout(options.busy_timeout).map_err(store_error)?;
    connection.set_prepared_statement_cache_capacity(200);
    set(&connection, "temp_store", "MEMORY")?;
    crate::row::add_start_of_day(&connection).map_err(store_error)?;
    Ok(connection)
}

fn set(connection: &Connection, pragma: &str, value: &str) -> Result<()> {
    connection.execute_batch(&format!("PRAGMA {pragma} = {value}")).map_err(store_error)
}
