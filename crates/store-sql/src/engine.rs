//! What an engine is: connections, transactions, and the statements sent through them.

use async_trait::async_trait;
use lineshift_domain::ids::{TenantId, UserId};
use lineshift_store::Result;
use lineshift_store::signals::Signals;

use crate::row::Row;
use crate::statement::Statement;
use crate::value::{OwnedValue, Parameter};

/// Whose rows a transaction may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of one tenant.
    Tenant(TenantId),
    /// Global tables, and which tenants have work: the closed list of what looks across tenants.
    Across,
}

impl From<TenantId> for Scope {
    fn from(tenant: TenantId) -> Self {
        Self::Tenant(tenant)
    }
}

/// A database with its connections. Cheap to clone.
///
/// Whole transactions run as one closure on a thread that may wait, so that what they do is written once, without awaiting.
#[async_trait]
pub trait Engine: Clone + Send + Sync + 'static {
    /// A write transaction that goes on over several calls.
    type Open: OpenTransaction;
    /// The engine's name, as it stands in the store's URL and in JSON.
    const NAME: &'static str;

    /// Runs reads in one snapshot.
    async fn read<T, W>(&self, scope: impl Into<Scope> + Send, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Sql<'_>) -> Result<T> + Send + 'static;

    /// Runs one statement over the rows of a tenant that answers at most one row, as every request does to know who calls: in one
    /// round trip on an engine that is asked over a network.
    async fn find_in_one_trip<T, R>(
        &self,
        tenant: TenantId,
        statement: &'static str,
        parameters: Vec<OwnedValue>,
        read: R,
    ) -> Result<Option<T>>
    where
        T: Send + 'static,
        R: Fn(&Row<'_>) -> Result<T> + Send + Sync + 'static,
    {
        self.read(tenant, move |sql| {
            let parameters: Vec<&dyn Parameter> = parameters.iter().map(|value| value as &dyn Parameter).collect();
            sql.find(statement, &parameters, &read)
        })
        .await
    }

    /// Runs a whole write transaction: commits when the closure succeeds, else rolls back. It runs again, on an engine where
    /// writers get in each other's way, when the database undid it for that (B5.5).
    async fn write<T, W>(&self, scope: impl Into<Scope> + Send, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Sql<'_>) -> Result<T> + Send + 'static;

    /// Begins a write transaction that goes on over several calls.
    async fn begin(&self, tenant: TenantId) -> Result<Self::Open>;

    /// What was hinted at in any process, from now on; none: this engine tells nobody.
    fn signals(&self) -> Option<Box<dyn Signals>> {
        None
    }
}

/// A write transaction over several calls. Dropped without [`OpenTransaction::finish`], it leaves nothing behind.
#[async_trait]
pub trait OpenTransaction: Send + Sync + 'static {
    /// Runs statements within the transaction.
    async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Sql<'_>) -> Result<T> + Send + 'static;

    /// Runs the last statements and commits.
    async fn finish<T, W>(self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Sql<'_>) -> Result<T> + Send + 'static;
}

/// Reads one row of an answer.
pub type ReadRow<'f> = &'f mut dyn FnMut(&Row<'_>) -> Result<()>;

/// Takes the parameters of one row.
pub type TakeRow<'f> = &'f mut dyn FnMut(&[&dyn Parameter]) -> Result<()>;

/// A connection within a transaction. Parameters are `$1`, `$2` ... and each must be bound.
pub trait Connection {
    /// Runs a statement; says how many rows it changed.
    fn execute(&self, statement: Statement, parameters: &[&dyn Parameter]) -> Result<usize>;
    /// Runs a query and reads every row.
    fn query(&self, statement: Statement, parameters: &[&dyn Parameter], read: ReadRow<'_>) -> Result<()>;
    /// Runs a statement for each of the rows of parameters that `rows` gives: one after the other where that costs no round trip,
    /// else all of them at once, each parameter an array.
    fn execute_each(&self, statement: Statement, rows: &mut dyn FnMut(TakeRow<'_>) -> Result<()>) -> Result<()>;
    /// Reserves `count` consecutive ids of a name and answers the first (B3.1).
    fn reserve_ids(&self, tenant: Option<TenantId>, name: &str, count: i64) -> Result<i64>;
    /// The ids of a name that are reserved from now on are at least `next`.
    fn raise_ids(&self, tenant: TenantId, name: &str, next: i64) -> Result<()>;
    /// Tells other processes, once this transaction is committed, that there is something to look at. A hint: nothing may depend on it.
    fn hint(&self, hint: Hint) -> Result<()>;
    /// The set steps and procedures, as the engine does them.
    fn procedures(&self) -> &'static dyn crate::procedures::Procedures;
}

/// What other processes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// There may be a page to claim.
    Work(TenantId),
    /// A plan queue entry may fall due earlier than was thought.
    Queue(TenantId),
    /// Status or counts of that bulk change have changed.
    Changed(TenantId, lineshift_domain::ids::BulkChangeId),
}

/// The statements of one transaction.
#[derive(Clone, Copy)]
pub struct Sql<'c> {
    connection: &'c dyn Connection,
}

impl<'c> Sql<'c> {
    /// The statements of that connection.
    #[must_use]
    pub const fn new(connection: &'c dyn Connection) -> Self {
        Self { connection }
    }

    /// Runs a statement that answers no rows; says how many it changed.
    ///
    /// # Errors
    /// What the engine says.
    pub fn execute(&self, statement: impl Into<Statement>, parameters: &[&dyn Parameter]) -> Result<usize> {
        self.connection.execute(statement.into(), parameters)
    }

    /// Runs a query and reads every row.
    ///
    /// # Errors
    /// What the engine says, or the reader.
    pub fn query<T>(
        &self,
        statement: impl Into<Statement>,
        parameters: &[&dyn Parameter],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.connection.query(statement.into(), parameters, &mut |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Runs a query that answers at most one row.
    ///
    /// # Errors
    /// What the engine says, or the reader.
    pub fn find<T>(
        &self,
        statement: impl Into<Statement>,
        parameters: &[&dyn Parameter],
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.query(statement, parameters, read)?.into_iter().next())
    }

    /// Runs a statement for each row of parameters, without a round trip a row.
    ///
    /// # Errors
    /// What the engine says.
    pub fn execute_each<R>(
        &self,
        statement: impl Into<Statement>,
        rows: impl IntoIterator<Item = R>,
        mut each: impl FnMut(&R, TakeRow<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut rows = rows.into_iter();
        self.connection.execute_each(statement.into(), &mut |take| {
            for row in rows.by_ref() {
                each(&row, take)?;
            }
            Ok(())
        })
    }

    /// Reserves `count` consecutive ids of one of the tenant's names and answers the first (B3.1).
    ///
    /// # Errors
    /// What the engine says.
    pub fn reserve_ids(&self, tenant: TenantId, name: &str, count: i64) -> Result<i64> {
        if count == 0 {
            return Ok(0);
        }
        self.connection.reserve_ids(Some(tenant), name, count)
    }

    /// The ids of one of the tenant's names that are reserved from now on are at least `next`.
    ///
    /// # Errors
    /// What the engine says.
    pub fn raise_ids(&self, tenant: TenantId, name: &str, next: i64) -> Result<()> {
        self.connection.raise_ids(tenant, name, next)
    }

    /// Reserves the id of a tenant.
    ///
    /// # Errors
    /// What the engine says.
    pub fn reserve_tenant(&self) -> Result<TenantId> {
        self.connection.reserve_ids(None, "tenant", 1).map(TenantId)
    }

    /// Reserves the id of a user, who belongs to no tenant.
    ///
    /// # Errors
    /// What the engine says.
    pub fn reserve_user(&self) -> Result<UserId> {
        self.connection.reserve_ids(None, "users", 1).map(UserId)
    }

    /// Tells other processes of something once this is committed.
    ///
    /// # Errors
    /// What the engine says.
    pub fn hint(&self, hint: Hint) -> Result<()> {
        self.connection.hint(hint)
    }

    /// The set steps and procedures, as the engine does them.
    #[must_use]
    pub fn procedures(&self) -> &'static dyn crate::procedures::Procedures {
        self.connection.procedures()
    }
}

/// A whole store over one engine.
#[derive(Clone)]
pub struct SqlStore<E> {
    pub(crate) engine: E,
}

impl<E: Engine> SqlStore<E> {
    /// The store in that database.
    pub const fn new(engine: E) -> Self {
        Self { engine }
    }
}

/// What the engine offers beside the store: where it is, its backup, its counters.
impl<E> std::ops::Deref for SqlStore<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.engine
    }
}

impl<E: Engine> lineshift_store::Store for SqlStore<E> {
    fn engine(&self) -> &'static str {
        E::NAME
    }

    fn signals(&self) -> Option<Box<dyn Signals>> {
        self.engine.signals()
    }
}
