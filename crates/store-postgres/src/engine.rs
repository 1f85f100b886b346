//! PostgreSQL as an engine: whole transactions run as one closure on a thread that may wait.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use lineshift_domain::ids::TenantId;
use lineshift_store::signals::Signals;
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::{Engine, OpenTransaction, OwnedValue, Row, Scope, Sql};
use tokio::sync::Mutex;

use crate::address::Address;
use crate::connection::{Options, Pool};
use crate::error::{Failure, store_error};
use crate::one_trip::{self, Question};
use crate::transaction::{Kind, Transaction};

/// How often a transaction is run that the database undid because others were in its way (B5.5).
const ATTEMPTS: u32 = 3;

/// A PostgreSQL database with its connections.
#[derive(Clone)]
pub struct Postgres {
    pub(crate) pool: Arc<Pool>,
}

impl Postgres {
    /// The database of that URL. Connects when first used.
    ///
    /// # Errors
    /// `Conflict`: the URL cannot be read.
    pub(crate) fn new(url: &str, options: Options) -> Result<Self> {
        Ok(Self { pool: Arc::new(Pool::new(Address::parse(url)?, options)?) })
    }

    /// How many statements were sent so far, `BEGIN` and `COMMIT` included.
    #[must_use]
    pub fn statements_sent(&self) -> u64 {
        self.pool.sent.load(Ordering::Relaxed)
    }

    /// Runs something on a connection, on a thread that may wait.
    async fn on_connection<T: Send + 'static>(
        &self,
        (kind, scope): (Kind, Scope),
        work: impl FnOnce(Transaction) -> T + Send + 'static,
    ) -> Result<T> {
        let slot = self.pool.slot().await?;
        let pool = Arc::clone(&self.pool);
        tokio::task::spawn_blocking(move || {
            let transaction = match Transaction::begin(pool.lend(slot, false)?, kind, scope) {
                Ok(transaction) => transaction,
                // It may have died while nobody used it, or be dying: nothing was asked of it yet, so that a new one can be.
                Err(not) => {
                    let slot = not.lent.give_up();
                    Transaction::begin(pool.lend(slot, true)?, kind, scope).map_err(|not| store_error(not.error))?
                }
            };
            Ok(work(transaction))
        })
        .await
        .unwrap_or_else(|error| Err(cut_off(error)))
    }
}

fn cut_off(error: tokio::task::JoinError) -> StoreError {
    StoreError::Internal { context: "a store call was cut off".to_owned(), source: Some(Box::new(error)) }
}

/// Runs a whole transaction. None instead of an error: the database undid it because others were in its way.
fn run_whole<T>(transaction: Transaction, work: &impl Fn(&Sql<'_>) -> Result<T>) -> (Result<T>, bool) {
    match work(&transaction.sql()) {
        Ok(answer) => match transaction.end(true) {
            Ok(()) => (Ok(answer), false),
            Err(Failure { error, in_the_way }) => (Err(error), in_the_way),
        },
        Err(error) => {
            let in_the_way = transaction.is_in_the_way();
            if let Err(Failure { error, .. }) = transaction.end(false) {
                tracing::debug!(%error, "a failed transaction was left to its connection's end");
            }
            (Err(error), in_the_way)
        }
    }
}

#[async_trait]
impl Engine for Postgres {
    type Open = PostgresTransaction;
    const NAME: &'static str = "postgres";

    async fn read<T, W>(&self, scope: impl Into<Scope> + Send, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        self.on_connection((Kind::Read, scope.into()), move |transaction| run_whole(transaction, &work).0).await?
    }

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
        let slot = self.pool.slot().await?;
        let pool = Arc::clone(&self.pool);
        let finding = move || one_trip::find(&pool, slot, &Question { tenant, statement, parameters }, read);
        tokio::task::spawn_blocking(finding).await.unwrap_or_else(|error| Err(cut_off(error)))
    }

    async fn write<T, W>(&self, scope: impl Into<Scope> + Send, mut work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        let scope = scope.into();
        let mut attempt = 1;
        loop {
            let run = move |transaction| {
                let (answer, in_the_way) = run_whole(transaction, &work);
                (answer, in_the_way, work)
            };
            let (answer, in_the_way, again) = self.on_connection((Kind::Write, scope), run).await?;
            if !in_the_way || attempt == ATTEMPTS {
                return answer;
            }
            metrics::counter!("lineshift_store_transactions_repeated_total").increment(1);
            // Others are at work on the same rows; a moment later, and not at the same moment as they, it goes through.
            let spread = u64::from(std::process::id() % 7) + self.pool.sent.load(Ordering::Relaxed) % 13;
            tokio::time::sleep(Duration::from_millis((10 << attempt) + spread)).await;
            attempt += 1;
            work = again;
        }
    }

    async fn begin(&self, tenant: TenantId) -> Result<PostgresTransaction> {
        let transaction = self.on_connection((Kind::Write, tenant.into()), |transaction| transaction).await?;
        Ok(PostgresTransaction(Arc::new(Mutex::new(Some(transaction)))))
    }

    fn signals(&self) -> Option<Box<dyn Signals>> {
        Some(Box::new(self.pool.listen()))
    }
}

/// A write transaction over several calls. Dropped without a commit, its connection is closed, which undoes it.
pub struct PostgresTransaction(Arc<Mutex<Option<Transaction>>>);

#[async_trait]
impl OpenTransaction for PostgresTransaction {
    async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        let held = Arc::clone(&self.0).lock_owned().await;
        tokio::task::spawn_blocking(move || match &*held {
            Some(transaction) => work(&transaction.sql()),
            None => Err(StoreError::internal("a transaction was used after its end")),
        })
        .await
        .unwrap_or_else(|error| Err(cut_off(error)))
    }

    async fn finish<T, W>(self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        let mut held = Arc::clone(&self.0).lock_owned().await;
        tokio::task::spawn_blocking(move || {
            let transaction = held.take().ok_or_else(|| StoreError::internal("a transaction was ended twice"))?;
            match work(&transaction.sql()) {
                Ok(answer) => transaction.end(true).map(|()| answer).map_err(|failure| failure.error),
                Err(error) => {
                    drop(transaction.end(false));
                    Err(error)
                }
            }
        })
        .await
        .unwrap_or_else(|error| Err(cut_off(error)))
    }
}
