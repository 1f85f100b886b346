//! Connections: a pool of a stated size, each with its prepared statements, driven by a thread of their own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lineshift_store::{Result, StoreError};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio_postgres::{Client, NoTls, Statement};

use crate::address::Address;
use crate::error::{Unanswered, store_error};
use crate::signals::Notifications;

/// How the store uses its database.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Connections at most; whoever wants one more waits.
    pub connections: usize,
    /// The longest wait for a connection that others have, and again for a new one until it can be used; past it the call fails as
    /// `Unavailable`.
    pub connection_wait: Duration,
    /// The longest that one statement may take.
    pub statement_timeout: Duration,
    /// How much longer than a statement may take its answer is waited for: a database that said nothing until then is silent, and its
    /// connection is closed.
    pub answer_margin: Duration,
    /// The longest that one statement may wait for rows that others hold.
    pub lock_timeout: Duration,
    /// Whether the role may pass by row level security: for commands of the owner, never for what serves.
    pub trust_role: bool,
    /// For fault tests: called before each statement of a write transaction with its number, from 1, over the life of the process.
    pub before_write: Option<fn(u64)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 16,
            connection_wait: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(60),
            answer_margin: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(10),
            trust_role: false,
            before_write: None,
        }
    }
}

impl Options {
    /// How long the answer to one statement is waited for; the database gives it up before.
    pub(crate) const fn longest_answer(&self) -> Duration {
        self.statement_timeout.saturating_add(self.answer_margin)
    }
}

/// The connections to one database.
pub(crate) struct Pool {
    address: Address,
    pub(crate) options: Options,
    idle: Mutex<Vec<Session>>,
    slots: Arc<Semaphore>,
    pub(crate) sent: AtomicU64,
    pub(crate) written: AtomicU64,
    /// Whose rows the database takes every transaction to be about, whatever tenant it names.
    #[cfg(feature = "testing")]
    pub(crate) instead: Mutex<Option<crate::instead::Instead>>,
    /// Drives the connections, so that a caller that waits for an answer on its own thread gets it. None while it is shut down.
    io: Option<Runtime>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        // A runtime may not be waited for where others run.
        if let Some(io) = self.io.take() {
            io.shutdown_background();
        }
    }
}

/// One connection with its prepared statements.
pub(crate) struct Session {
    pub(crate) client: Client,
    prepared: HashMap<&'static str, Statement>,
    /// Whoever drives it. Only its end closes a connection that still waits for an answer.
    driving: AbortHandle,
}

impl Session {
    /// That statement, prepared on this connection if it was not yet: one round trip then.
    pub(crate) async fn prepared(&mut self, sql: &'static str, limit: Duration) -> std::result::Result<Statement, Unanswered> {
        if let Some(prepared) = self.prepared.get(sql) {
            return Ok(prepared.clone());
        }
        let prepared = self.answer(limit, self.client.prepare(sql)).await?;
        self.prepared.insert(sql, prepared.clone());
        Ok(prepared)
    }

    /// Waits for an answer no longer than that; then the connection is closed, for nobody knows what is answered next.
    pub(crate) async fn answer<T>(
        &self,
        limit: Duration,
        asked: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> std::result::Result<T, Unanswered> {
        match tokio::time::timeout(limit, asked).await {
            Ok(answer) => answer.map_err(Unanswered::Said),
            Err(_) => {
                self.driving.abort();
                Err(Unanswered::Silent(limit))
            }
        }
    }
}

/// A connection on loan. It goes back to the pool when it was left outside of a transaction, else it is closed.
pub(crate) struct Lent {
    session: Option<Session>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) is_clean: bool,
    /// None once given up.
    slot: Option<OwnedSemaphorePermit>,
}

impl Pool {
    pub(crate) fn new(address: Address, options: Options) -> Result<Self> {
        let io = Builder::new_multi_thread().worker_threads(1).thread_name("lineshift-postgres").enable_all().build();
        let io =
            io.map_err(|error| StoreError::Internal { context: "starting the store".to_owned(), source: Some(Box::new(error)) })?;
        Ok(Self {
            address,
            options,
            idle: Mutex::default(),
            slots: Arc::new(Semaphore::new(options.connections.max(1))),
            sent: AtomicU64::new(0),
            written: AtomicU64::new(0),
            #[cfg(feature = "testing")]
            instead: Mutex::default(),
            io: Some(io),
        })
    }

    /// Listens to what other processes announce, on a connection beside the others.
    pub(crate) fn listen(&self) -> Notifications {
        Notifications::listen(self.address.clone(), self.options.connection_wait, self.io())
    }

    pub(crate) fn io(&self) -> &Handle {
        self.io.as_ref().expect("taken when dropped").handle()
    }

    /// Waits for a connection that may be used: an idle one, or a place for a new one.
    pub(crate) async fn slot(self: &Arc<Self>) -> Result<OwnedSemaphorePermit> {
        let slot = tokio::time::timeout(self.options.connection_wait, Arc::clone(&self.slots).acquire_owned()).await;
        let Ok(slot) = slot else {
            let all = format!("all {} connections of the store are in use", self.options.connections);
            return Err(StoreError::Unavailable(all.into()));
        };
        Ok(slot.expect("the semaphore is never closed"))
    }

    /// A connection, on the caller's thread; `fresh`: a new one, whatever stands idle.
    pub(crate) fn lend(self: &Arc<Self>, slot: OwnedSemaphorePermit, fresh: bool) -> Result<Lent> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if fresh {
            // What one of them met the others will meet.
            idle.clear();
        }
        let session = std::iter::from_fn(|| idle.pop()).find(|session| !session.client.is_closed());
        drop(idle);
        let session = match session {
            Some(session) => session,
            None => self.io().block_on(self.connect())?,
        };
        metrics::gauge!("lineshift_store_connections_in_use").increment(1);
        Ok(Lent { session: Some(session), pool: Arc::clone(self), is_clean: true, slot: Some(slot) })
    }

    async fn connect(&self) -> Result<Session> {
        // A server that is stopped, or an address that nobody serves any more, may take the connection and never say a word.
        let connecting = tokio::time::timeout(self.options.connection_wait, self.begin_session()).await;
        connecting.unwrap_or_else(|_| Err(StoreError::Unavailable("the database took the connection and did not answer".into())))
    }

    async fn begin_session(&self) -> Result<Session> {
        let config = &self.address.config;
        let (client, driving) = match &self.address.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await.map_err(store_error)?;
                (client, self.io().spawn(connection).abort_handle())
            }
            None => {
                let (client, connection) = config.connect(NoTls).await.map_err(store_error)?;
                (client, self.io().spawn(connection).abort_handle())
            }
        };
        let Options { statement_timeout, lock_timeout, .. } = self.options;
        // Every statement of ours knows the index that it wants. What the planner takes for a small table today may hold a million lines
        // tomorrow, while the plan is still kept: it is not offered what reads whole tables.
        let settings = format!(
            "SET client_min_messages = warning; SET statement_timeout = {}; SET lock_timeout = {};
             SET idle_in_transaction_session_timeout = '20s'; SET enable_seqscan = off; SET enable_mergejoin = off",
            statement_timeout.as_millis(),
            lock_timeout.as_millis()
        );
        client.batch_execute(&settings).await.map_err(store_error)?;
        Ok(Session { client, prepared: HashMap::new(), driving })
    }
}

impl Lent {
    pub(crate) fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("lent until dropped")
    }

    /// Closes its connection and keeps its place.
    pub(crate) fn give_up(mut self) -> OwnedSemaphorePermit {
        self.is_clean = false;
        self.slot.take().expect("given up once")
    }

    /// Sends statements without parameters in one round trip.
    pub(crate) fn batch(&mut self, sql: &str) -> std::result::Result<(), Unanswered> {
        self.pool.sent.fetch_add(1, Ordering::Relaxed);
        let pool = Arc::clone(&self.pool);
        let session = self.session();
        pool.io().block_on(session.answer(pool.options.longest_answer(), session.client.batch_execute(sql)))
    }

    /// The same for what takes as long as it takes: only a connection that is lost ends it.
    pub(crate) fn long_batch(&mut self, sql: &str) -> std::result::Result<(), tokio_postgres::Error> {
        self.pool.sent.fetch_add(1, Ordering::Relaxed);
        let pool = Arc::clone(&self.pool);
        pool.io().block_on(self.session().client.batch_execute(sql))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        metrics::gauge!("lineshift_store_connections_in_use").decrement(1);
        // A connection that is left within a transaction is closed instead: that undoes it, whatever state it is in.
        if let Some(session) = self.session.take().filter(|session| self.is_clean && !session.client.is_closed()) {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
    }
}
