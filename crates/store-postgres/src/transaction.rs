//! The statements of one transaction: prepared once a connection, counted, timed, and described when they fail.

use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering;
use std::time::Instant;

use lineshift_domain::ids::TenantId;
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::procedures::Procedures;
use lineshift_store_sql::{Connection, Hint, OwnedValue, Parameter, ReadRow, Row, Scope, Sql, Statement, TakeRow};
use tokio_postgres::types::ToSql;

use crate::connection::Lent;
use crate::driver::{Bound, PostgresRow};
use crate::error::{Failure, Unanswered, failure};
use crate::procedures::Functions;

/// The channel on which processes tell each other.
pub(crate) const CHANNEL: &str = "lineshift";

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One snapshot, nothing written.
    Read,
    /// Each statement sees what is committed when it begins.
    Write,
}

/// What begins a transaction and holds it to a tenant, in one message.
pub(crate) fn beginning(kind: Kind, tenant: Option<TenantId>) -> String {
    let begin = match kind {
        Kind::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        Kind::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
    };
    match tenant {
        Some(tenant) => format!("{begin}; SET LOCAL app.tenant_id = '{}'", tenant.0),
        None => begin.to_owned(),
    }
}

/// A transaction that could not begin: its connection, and why.
pub(crate) struct NotBegun {
    pub(crate) lent: Lent,
    pub(crate) error: Unanswered,
}

/// One transaction on a connection.
pub(crate) struct Transaction {
    lent: RefCell<Lent>,
    kind: Kind,
    /// Whether the database undid it because others were in its way.
    in_the_way: Cell<bool>,
    /// Whether one of its statements failed: the database will not commit it any more, and says so only in passing.
    failed: Cell<bool>,
    /// Whether a statement failed for what may be the connection's own fault, such as a plan that fits the schema no longer or a
    /// server that may only be read since it is not the first one any more: whoever comes next shall have another connection.
    doubtful: Cell<bool>,
    /// Whose rows it was said to be about, other than those of the tenant named.
    #[cfg(feature = "testing")]
    instead: Cell<Option<crate::instead::Instead>>,
}

impl Transaction {
    /// Begins it for the rows of that tenant; row level security holds it to that.
    pub(crate) fn begin(mut lent: Lent, kind: Kind, scope: Scope) -> std::result::Result<Self, Box<NotBegun>> {
        let tenant = match scope {
            Scope::Tenant(tenant) => Some(tenant),
            Scope::Across => None,
        };
        #[cfg(feature = "testing")]
        let instead = lent.pool.instead();
        #[cfg(feature = "testing")]
        let tenant = instead.map_or(tenant, crate::instead::Instead::tenant);
        lent.is_clean = false;
        match lent.batch(&beginning(kind, tenant)) {
            Ok(()) => Ok(Self {
                lent: RefCell::new(lent),
                kind,
                in_the_way: Cell::new(false),
                failed: Cell::new(false),
                doubtful: Cell::new(false),
                #[cfg(feature = "testing")]
                instead: Cell::new(instead),
            }),
            Err(error) => Err(Box::new(NotBegun { lent, error })),
        }
    }

    /// The store's statements in it.
    pub(crate) const fn sql(&self) -> Sql<'_> {
        Sql::new(self)
    }

    /// Ends it: commits, or takes everything back.
    pub(crate) fn end(self, commit: bool) -> std::result::Result<(), Failure> {
        let mut lent = self.lent.into_inner();
        let commits = commit && !self.failed.get();
        let ended = lent.batch(if commits { "COMMIT" } else { "ROLLBACK" }).map_err(failure);
        lent.is_clean = ended.is_ok() && !self.doubtful.get();
        if commit && !commits {
            let error = StoreError::internal("a transaction of which a statement had failed was to be committed");
            return Err(Failure { error, in_the_way: self.in_the_way.get() });
        }
        ended
    }

    /// Whether the database undid it because others were in its way: it may be run again as it is.
    pub(crate) const fn is_in_the_way(&self) -> bool {
        self.in_the_way.get()
    }

    /// Runs one statement on the connection, prepared if it was not yet.
    fn run<T>(
        &self,
        sql: &'static str,
        send: impl AsyncFnOnce(&tokio_postgres::Client, &tokio_postgres::Statement) -> std::result::Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        let started = Instant::now();
        let mut lent = self.lent.borrow_mut();
        #[cfg(feature = "testing")]
        self.instead.set(crate::instead::hold(&mut lent, self.instead.get())?);
        let pool = std::sync::Arc::clone(&lent.pool);
        pool.sent.fetch_add(1, Ordering::Relaxed);
        if let Some(before_write) = pool.options.before_write.filter(|_| self.kind == Kind::Write) {
            before_write(pool.written.fetch_add(1, Ordering::Relaxed) + 1);
        }
        let session = lent.session();
        let limit = pool.options.longest_answer();
        let answer = pool.io().block_on(async {
            let prepared = session.prepared(sql, limit).await?;
            session.answer(limit, send(&session.client, &prepared)).await
        });
        metrics::histogram!("lineshift_statement_seconds").record(started.elapsed().as_secs_f64());
        answer.map_err(|error| {
            let Failure { error, in_the_way } = failure(error);
            self.failed.set(true);
            self.doubtful.set(self.doubtful.get() || matches!(error, StoreError::Internal { .. } | StoreError::ReadOnly(_)));
            self.in_the_way.set(self.in_the_way.get() || in_the_way);
            located(sql, error)
        })
    }
}

impl Connection for Transaction {
    fn execute(&self, statement: Statement, parameters: &[&dyn Parameter]) -> Result<usize> {
        let bound: Vec<Bound<'_>> = parameters.iter().map(|parameter| Bound(parameter.value())).collect();
        let changed = self.run(text_of(statement)?, async |client, prepared| {
            let given: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|bound| bound as &(dyn ToSql + Sync)).collect();
            client.execute(prepared, &given).await
        })?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn query(&self, statement: Statement, parameters: &[&dyn Parameter], read: ReadRow<'_>) -> Result<()> {
        let sql = text_of(statement)?;
        let bound: Vec<Bound<'_>> = parameters.iter().map(|parameter| Bound(parameter.value())).collect();
        let rows = self.run(sql, async |client, prepared| {
            let given: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|bound| bound as &(dyn ToSql + Sync)).collect();
            client.query(prepared, &given).await
        })?;
        for row in &rows {
            read(&Row::new(&PostgresRow(row))).map_err(|error| located(sql, error))?;
        }
        Ok(())
    }

    /// All rows at once: each parameter is an array of one element a row.
    fn execute_each(&self, statement: Statement, rows: &mut dyn FnMut(TakeRow<'_>) -> Result<()>) -> Result<()> {
        let mut columns: Vec<Vec<OwnedValue>> = Vec::new();
        rows(&mut |parameters| {
            columns.resize_with(parameters.len(), Vec::new);
            for (column, parameter) in columns.iter_mut().zip(parameters) {
                column.push(OwnedValue::from(parameter.value()));
            }
            Ok(())
        })?;
        if columns.is_empty() {
            return Ok(());
        }
        let bound: Vec<Vec<Bound<'_>>> =
            columns.iter().map(|column| column.iter().map(|value| Bound(value.value())).collect()).collect();
        self.run(text_of(statement)?, async |client, prepared| {
            let given: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
            client.execute(prepared, &given).await
        })?;
        Ok(())
    }

    /// From the tenant's own counters, so that tenants do not wait for each other; tenants' and users' own ids from sequences.
    fn reserve_ids(&self, tenant: Option<TenantId>, name: &str, count: i64) -> Result<i64> {
        let Some(tenant) = tenant else {
            let sequence = match name {
                "users" => "SELECT nextval('users_id_seq')",
                _ => "SELECT nextval('tenant_id_seq')",
            };
            let next = self.sql().find(sequence, &[], |row| row.get::<i64>(0))?;
            return next.ok_or_else(|| StoreError::internal("a sequence answered nothing"));
        };
        let next = self.sql().find(
            "INSERT INTO id_counter (tenant_id, name, next_id) VALUES ($1, $2, $3::bigint + 1)
             ON CONFLICT (tenant_id, name) DO UPDATE SET next_id = id_counter.next_id + $3::bigint RETURNING next_id",
            &[&tenant.0, &name, &count],
            |row| row.get::<i64>(0),
        )?;
        Ok(next.ok_or_else(|| StoreError::internal("reserving ids answered nothing"))? - count)
    }

    fn raise_ids(&self, tenant: TenantId, name: &str, next: i64) -> Result<()> {
        self.sql().execute(
            "INSERT INTO id_counter (tenant_id, name, next_id) VALUES ($1, $2, $3)
             ON CONFLICT (tenant_id, name) DO UPDATE SET next_id = greatest(id_counter.next_id, excluded.next_id)",
            &[&tenant.0, &name, &next],
        )?;
        Ok(())
    }

    /// A notification that goes out with the commit.
    fn hint(&self, hint: Hint) -> Result<()> {
        let text = match hint {
            Hint::Work(tenant) => format!("work {tenant}"),
            Hint::Queue(tenant) => format!("queue {tenant}"),
            Hint::Changed(tenant, change) => format!("changed {tenant} {change}"),
        };
        self.sql().query("SELECT pg_notify($1, $2)", &[&CHANNEL, &text], |_| Ok(())).map(|_| ())
    }

    fn procedures(&self) -> &'static dyn Procedures {
        &Functions
    }
}

fn text_of(statement: Statement) -> Result<&'static str> {
    match statement {
        Statement::Portable(text) => Ok(text),
        Statement::Tuned(name) => {
            crate::sql::text_of(name).ok_or_else(|| StoreError::internal(format!("statement {name} has no text for PostgreSQL")))
        }
    }
}

/// Says at which statement it went wrong.
pub(crate) fn located(sql: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Internal { source: Some(source), .. } => {
            let shown: String = sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
            StoreError::Internal { context: format!("statement {shown:?}"), source: Some(source) }
        }
        other => other,
    }
}
