//! SQLite's errors, told apart by what the caller can do.

use lineshift_store::StoreError;
use rusqlite::ErrorCode;

/// Maps a driver error; constraint violations become conflicts.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    let code = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => Some(failure.code),
        _ => None,
    };
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Unavailable(Box::new(error)),
        Some(ErrorCode::DiskFull) => StoreError::Full(Box::new(error)),
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly(Box::new(error)),
        Some(ErrorCode::ConstraintViolation) => StoreError::Conflict { message: conflict_message(&error) },
        _ => StoreError::Internal { context: "a statement failed".to_owned(), source: Some(Box::new(error)) },
    }
}

fn conflict_message(error: &rusqlite::Error) -> String {
    let detail = error.to_string();
    if detail.contains("FOREIGN KEY") {
        "something that this refers to does not exist for this tenant".to_owned()
    } else if let Some(columns) = detail.strip_prefix("UNIQUE constraint failed: ") {
        format!("one with the same {} exists already", columns.rsplit('.').next().unwrap_or(columns))
    } else {
        detail
    }
}
