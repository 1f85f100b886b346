//! PostgreSQL's errors, told apart by SQLSTATE, so that it makes no difference which node of a cluster answers.

use std::time::Duration;

use lineshift_store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// What our own functions raise when a page's claim has moved on.
const LEASE_LOST: &str = "LS001";

/// Why there is no answer to what was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The database or the driver says why.
    #[error(transparent)]
    Said(#[from] Error),
    /// The database, which gives statements up by itself long before, said nothing. Its connection is closed: what it may still do on it
    /// is undone, unless it was a COMMIT.
    #[error("the database did not answer for {} s; the connection was closed", .0.as_secs())]
    Silent(Duration),
}

/// The database's certificate, or that it has none, stands in the way.
#[derive(Debug, thiserror::Error)]
#[error(
    "no TLS with the database: its certificate must be valid, made out to the host of the URL, and of an authority that this machine \
     or ?sslrootcert=FILE names; ?sslmode=disable does without TLS"
)]
struct NoTlsWithIt(#[source] Error);

/// A failed statement.
#[derive(Debug)]
pub(crate) struct Failure {
    /// For the caller.
    pub(crate) error: StoreError,
    /// Whether the database itself undid the transaction because others were in its way: it may be run again as it is.
    pub(crate) in_the_way: bool,
}

/// Maps a driver error; constraint violations become conflicts.
pub(crate) fn failure(error: Unanswered) -> Failure {
    let state = if let Unanswered::Said(error) = &error { error.code() } else { None };
    let in_the_way = matches!(state, Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED));
    Failure { error: store_error(error), in_the_way }
}

/// The same, for the caller alone.
pub(crate) fn store_error(error: impl Into<Unanswered>) -> StoreError {
    let error = match error.into() {
        Unanswered::Said(error) => error,
        silent @ Unanswered::Silent(_) => return StoreError::Unavailable(Box::new(silent)),
    };
    let Some(state) = error.code() else {
        // Either a value does not fit, which is a mistake of ours, or there is no answer: the connection is gone, or never came to be.
        let text = error.to_string();
        if text.starts_with("error serializing") || text.starts_with("error deserializing") {
            return StoreError::Internal { context: "a value does not fit its place".to_owned(), source: Some(Box::new(error)) };
        }
        if text.starts_with("error performing TLS handshake") {
            return StoreError::Unavailable(Box::new(NoTlsWithIt(error)));
        }
        return StoreError::Unavailable(Box::new(error));
    };
    match state.code() {
        // Serialization failure, deadlock, lock or statement time-out; the server stops or starts; no connection left.
        "40001" | "40P01" | "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300" => {
            StoreError::Unavailable(Box::new(error))
        }
        code if code.starts_with("08") => StoreError::Unavailable(Box::new(error)),
        "53100" => StoreError::Full(Box::new(error)),
        "25006" => StoreError::ReadOnly(Box::new(error)),
        "23503" => StoreError::Conflict { message: "something that this refers to does not exist for this tenant".to_owned() },
        "23505" => StoreError::Conflict { message: taken(error.as_db_error()) },
        LEASE_LOST => StoreError::LeaseLost { what: "the page".to_owned() },
        _ => StoreError::Internal { context: "a statement failed".to_owned(), source: Some(Box::new(error)) },
    }
}

/// What is taken already. A cluster may leave the detail out.
fn taken(error: Option<&DbError>) -> String {
    let columns = error.and_then(DbError::detail).and_then(|detail| detail.strip_prefix("Key (")?.split_once(")="));
    let last = columns.and_then(|(columns, _)| columns.rsplit(", ").next());
    format!("one with the same {} exists already", last.unwrap_or("key"))
}
