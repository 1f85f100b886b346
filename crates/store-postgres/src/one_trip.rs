//! One statement in a transaction of its own, held to its tenant, in one round trip: the beginning, the statement and the end are sent
//! one behind the other before anything was answered. Every request asks so who calls.
//!
//! A statement that this connection never ran is prepared first, which is another round trip, once a connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use lineshift_domain::ids::TenantId;
use lineshift_store::Result;
use lineshift_store_sql::{OwnedValue, Parameter as _, Row};
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::connection::{Lent, Pool};
use crate::driver::{Bound, PostgresRow};
use crate::error::{Unanswered, store_error};
use crate::transaction::{Kind, beginning, located};

/// How many statements it takes, its beginning and its end included.
const STATEMENTS: u64 = 3;

/// What is asked.
pub(crate) struct Question {
    /// Whose rows it is about; row level security holds it to these.
    pub(crate) tenant: TenantId,
    /// Its text.
    pub(crate) statement: &'static str,
    /// What is bound to it.
    pub(crate) parameters: Vec<OwnedValue>,
}

/// The answers to the beginning, the statement and the end.
type Answers = [std::result::Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>; 3];

/// Asks, on a thread that may wait, and reads the row that is answered, if there is one. What nothing was answered to is asked once more
/// on a new connection: the first may have died while nobody used it, and reading twice harms nobody.
pub(crate) fn find<T>(
    pool: &Arc<Pool>,
    slot: OwnedSemaphorePermit,
    question: &Question,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut lent = pool.lend(slot, false)?;
    let answered = match ask(&mut lent, question) {
        Ok(answered) => answered,
        Err(_) => {
            lent = pool.lend(lent.give_up(), true)?;
            ask(&mut lent, question).map_err(store_error)?
        }
    };
    let rows = answered.map_err(|error| located(question.statement, store_error(error)))?;
    let row = rows.first().map(|row| read(&Row::new(&PostgresRow(row))));
    row.transpose().map_err(|error| located(question.statement, error))
}

/// The rows, or why the statement failed. Errors: it was not even begun.
fn ask(
    lent: &mut Lent,
    question: &Question,
) -> std::result::Result<std::result::Result<Vec<tokio_postgres::Row>, tokio_postgres::Error>, Unanswered> {
    let Question { tenant, statement, parameters } = question;
    let (started, pool) = (Instant::now(), Arc::clone(&lent.pool));
    let tenant = Some(*tenant);
    #[cfg(feature = "testing")]
    let tenant = pool.instead().map_or(tenant, crate::instead::Instead::tenant);
    let begin = beginning(Kind::Read, tenant);
    let bound: Vec<Bound<'_>> = parameters.iter().map(|parameter| Bound(parameter.value())).collect();
    let given: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|bound| bound as &(dyn ToSql + Sync)).collect();
    let limit = pool.options.longest_answer();
    lent.is_clean = false;
    let session = lent.session();
    pool.sent.fetch_add(STATEMENTS, Ordering::Relaxed);
    let answers = pool.io().block_on(async {
        let prepared = session.prepared(statement, limit).await?;
        session.answer(limit, async { Ok(send(&session.client, &begin, &prepared, &given).await) }).await
    });
    metrics::histogram!("lineshift_statement_seconds").record(started.elapsed().as_secs_f64());
    let [begun, found, ended] = answers?;
    begun?;
    // One that failed may have done so for what is the connection's own fault: whoever comes next shall have another.
    lent.is_clean = found.is_ok() && ended.is_ok();
    Ok(found)
}

/// Sends all three and only then waits, for the last answer too: until it came, the connection is not free.
async fn send(client: &Client, begin: &str, prepared: &tokio_postgres::Statement, given: &[&(dyn ToSql + Sync)]) -> Answers {
    let batch = async |text: &str| client.batch_execute(text).await.map(|()| Vec::new());
    // In this order: whoever is asked first stands first in the connection's queue.
    let (begun, found, ended) = tokio::join!(biased; batch(begin), client.query(prepared, given), batch("COMMIT"));
    [begun, found, ended]
}
