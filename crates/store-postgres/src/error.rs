//! PostgreSQL's errors, told apart by SQLSTATE, so that it makes no difference which node of a cluster answers.

use lineshift_store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// What our own functions raise when a page's claim has moved on.
const LEASE_LOST: &str = "LS001";

/// A failed statement.
#[derive(Debug)]
pub(crate) struct Failure {
    /// For the caller.
    pub(crate) error: StoreError,
    /// Whether the database itself undid the transaction because others were in its way: it may be run again as it is.
    pub(crate) in_the_way: bool,
}

/// Maps a driver error; constraint violations become conflicts.
pub(crate) fn failure(error: Error) -> Failure {
    let state = error.code().cloned();
    let in_the_way = matches!(state, Some(SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED));
    Failure { error: store_error(error), in_the_way }
}

/// The same, for the caller alone.
pub(crate) fn store_error(error: Error) -> StoreError {
    let Some(state) = error.code() else {
        // Either a value does not fit, which is a mistake of ours, or there is no answer: the connection is gone, or never came to be.
        let text = error.to_string();
        if text.starts_with("error serializing") || text.starts_with("error deserializing") {
            return StoreError::Internal { context: "a value does not fit its place".to_owned(), source: Some(Box::new(error)) };
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
