//! Connections: one writer on a thread of its own, a pool of readers, and the statements sent through them.

mod statements;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use lineshift_domain::ids::TenantId;
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::{Engine, OpenTransaction, Scope, Sql};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, oneshot};

pub(crate) use self::statements::Transaction;
use self::statements::{Statements, describe};
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
    /// Whether every statement runs on the caller's thread: no call waits for another thread then, so that a whole engine runs on
    /// one thread and a virtual clock. Only one such store may have the file open: a second one would hold up the thread for
    /// `busy_timeout` while the first has a transaction open.
    pub inline: bool,
    /// Whether a commit is on the disk when it returns. Without it a power cut may take the last ones, a killed process none.
    pub durable: bool,
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
            inline: false,
            durable: true,
        }
    }
}

/// A database file with its connections: one writer, many readers.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    statements: Arc<Statements>,
    writer: Writer,
    /// Whether readers work on the caller's thread, too.
    inline: bool,
    turn: Arc<tokio::sync::Mutex<()>>,
    readers: Mutex<Vec<Connection>>,
    reader_slots: Arc<Semaphore>,
}

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Where the writer's jobs are done, one after the other.
enum Writer {
    /// On its own thread.
    Thread(WriterThread),
    /// On the thread of whoever asks.
    Inline(Mutex<Connection>),
}

/// The thread of a writer. Dropped, it does what it was still given and closes its connection before the drop returns.
struct WriterThread {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        drop(self.jobs.take());
        let Some(thread) = self.thread.take() else { return };
        // The last job may have held the store; its own end the thread cannot wait for.
        if thread.thread().id() != std::thread::current().id() {
            // It catches what its jobs panic with.
            drop(thread.join());
        }
    }
}

impl Writer {
    fn new(connection: Connection, inline: bool) -> Result<Self> {
        if inline {
            return Ok(Self::Inline(Mutex::new(connection)));
        }
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("lineshift-store-writer".to_owned())
            .spawn(move || {
                while let Ok(job) = queue.recv() {
                    job(&connection);
                }
            })
            .map_err(|error| StoreError::Internal { context: "starting the writer".to_owned(), source: Some(Box::new(error)) })?;
        Ok(Self::Thread(WriterThread { jobs: Some(jobs), thread: Some(thread) }))
    }

    fn send(&self, job: impl FnOnce(&Connection) + Send + 'static) -> Result<()> {
        match self {
            Self::Thread(writer) => {
                let stopped = || StoreError::internal("the writer has stopped");
                writer.jobs.as_ref().ok_or_else(stopped)?.send(Box::new(job)).map_err(|_| stopped())
            }
            Self::Inline(connection) => {
                job(&locked(connection));
                Ok(())
            }
        }
    }
}

/// A panic within the lock leaves nothing half done: whoever panicked rolls back what was open.
fn locked(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sqlite {
    pub(crate) async fn open(path: &Path, options: Options) -> Result<Self> {
        if options.inline {
            return Self::open_blocking(path, options);
        }
        let owned = path.to_owned();
        tokio::task::spawn_blocking(move || Self::open_blocking(&owned, options))
            .await
            .map_err(|error| StoreError::Internal { context: "opening the store".to_owned(), source: Some(Box::new(error)) })?
    }

    fn open_blocking(path: &Path, options: Options) -> Result<Self> {
        let writer = open_writer(path, options)?;
        let readers = (0..options.readers.max(1)).map(|_| open_reader(path, options)).collect::<Result<Vec<_>>>()?;
        let shared = Shared {
            path: path.to_owned(),
            statements: Arc::new(Statements { before_write: options.before_write, ..Statements::default() }),
            writer: Writer::new(writer, options.inline)?,
            inline: options.inline,
            turn: Arc::default(),
            reader_slots: Arc::new(Semaphore::new(readers.len())),
            readers: Mutex::new(readers),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Where it is stored.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.shared.path.clone()
    }

    /// How many statements were sent so far, `BEGIN` and `COMMIT` included; rows bound in one prepared loop count once.
    #[must_use]
    pub fn statements_sent(&self) -> u64 {
        self.shared.statements.sent.load(Ordering::Relaxed)
    }

    /// Runs reads on a connection of the pool, in one snapshot.
    pub(crate) async fn read_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let slot = Arc::clone(&self.shared.reader_slots).acquire_owned().await.expect("the semaphore is never closed");
        let shared = Arc::clone(&self.shared);
        metrics::gauge!("lineshift_store_readers_in_use").increment(1);
        let lent = Lent { connection: Some(take_reader(&shared)), shared, _slot: slot };
        let work = move || {
            let connection = lent.connection.as_ref().expect("lent until dropped");
            let sql = Transaction { connection, statements: &lent.shared.statements, by_writer: false };
            sql.batch("BEGIN")?;
            let answer = work(&sql);
            sql.batch("ROLLBACK")?;
            answer
        };
        if self.shared.inline {
            return catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(StoreError::internal("a read panicked")));
        }
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(panicked(Box::new(error))))
    }

    /// Runs a whole write transaction: commits when the closure succeeds, else rolls back.
    pub(crate) async fn write_with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
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
    pub(crate) async fn begin_open(&self) -> Result<SqliteTransaction> {
        let turn = Arc::clone(&self.shared.turn).lock_owned().await;
        // Made before it begins: a caller who is canceled while this waits must not leave it open.
        let transaction = SqliteTransaction { database: self.clone(), _turn: turn, open: true };
        self.on_writer(|sql| sql.batch("BEGIN IMMEDIATE")).await?;
        Ok(transaction)
    }

    /// Runs something on the writer, outside of a transaction.
    pub(crate) async fn on_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.send(move |connection, statements| {
            let result = catch_unwind(AssertUnwindSafe(|| work(&Transaction { connection, statements, by_writer: true })));
            let result = result.unwrap_or_else(|_| {
                roll_back(&Transaction { connection, statements, by_writer: true });
                Err(StoreError::internal("a transaction panicked"))
            });
            // Nobody waits for the answer any more when the caller was canceled; the work is done all the same.
            drop(answer.send(result));
        })?;
        answered.await.map_err(|error| panicked(Box::new(error)))?
    }

    fn send(&self, job: impl FnOnce(&Connection, &Statements) + Send + 'static) -> Result<()> {
        let statements = Arc::clone(&self.shared.statements);
        self.shared.writer.send(move |connection| job(connection, &statements))
    }

    /// Moves the write-ahead log into the database file.
    ///
    /// # Errors
    /// What the database says.
    pub async fn checkpoint(&self) -> Result<()> {
        let _turn = self.shared.turn.lock().await;
        self.on_writer(|writer| writer.sql().query("PRAGMA wal_checkpoint(TRUNCATE)", &[], |_| Ok(())).map(|_| ())).await
    }

    /// For checks: the rows of a query, each column as text; null is `NULL`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn inspect(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        let query = sql.to_owned();
        self.read_with(move |reader| {
            let mut prepared = reader.connection().prepare(&query).map_err(|error| describe(&query, error))?;
            let columns = prepared.column_count();
            let mut rows = prepared.raw_query();
            let mut found = Vec::new();
            while let Some(row) = rows.next().map_err(|error| describe(&query, error))? {
                let shown = (0..columns).map(|column| row.get_ref(column).map(shown).map_err(store_error));
                found.push(shown.collect::<Result<Vec<_>>>()?);
            }
            Ok(found)
        })
        .await
    }

    /// For checks: the plan of a statement, one line a row, as `EXPLAIN QUERY PLAN` prints it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn explain(&self, statement: &str) -> Result<Vec<String>> {
        let statement = statement.to_owned();
        self.read_with(move |sql| {
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

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn roll_back(sql: &Transaction<'_>) {
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
                roll_back(&Transaction { connection: &connection, statements: &self.shared.statements, by_writer: false });
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
pub struct SqliteTransaction {
    database: Sqlite,
    _turn: OwnedMutexGuard<()>,
    open: bool,
}

#[async_trait]
impl OpenTransaction for SqliteTransaction {
    async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        self.database.on_writer(move |writer| work(&writer.sql())).await
    }

    async fn finish<T, W>(mut self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        let database = self.database.clone();
        let work = move |writer: &Transaction<'_>| work(&writer.sql()).and_then(|answer| writer.batch("COMMIT").map(|()| answer));
        let answer = database.on_writer(work).await?;
        self.open = false;
        Ok(answer)
    }
}

impl Drop for SqliteTransaction {
    fn drop(&mut self) {
        if self.open {
            // The writer takes its jobs in order, so that the rollback comes before whatever the next turn sends.
            drop(
                self.database.send(|connection, statements| roll_back(&Transaction { connection, statements, by_writer: true })),
            );
        }
    }
}

/// Whose rows are touched says each statement; this engine asks for nothing more.
#[async_trait]
impl Engine for Sqlite {
    type Open = SqliteTransaction;
    const NAME: &'static str = "sqlite";

    async fn read<T, W>(&self, _scope: impl Into<Scope> + Send, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        self.read_with(move |reader| work(&reader.sql())).await
    }

    async fn write<T, W>(&self, _scope: impl Into<Scope> + Send, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        self.write_with(move |writer| work(&writer.sql())).await
    }

    async fn begin(&self, _tenant: TenantId) -> Result<SqliteTransaction> {
        self.begin_open().await
    }
}

fn open_writer(path: &Path, options: Options) -> Result<Connection> {
    create_private(path)?;
    let connection = open_connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    set(&connection, "journal_mode", "WAL")?;
    set(&connection, "synchronous", if options.durable { "FULL" } else { "OFF" })?;
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
