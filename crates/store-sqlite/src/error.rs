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
        Some(ErrorCode::ConstraintViolation) if conflict_message(&error).is_some() => {
            StoreError::Conflict { message: conflict_message(&error).unwrap_or_default() }
        }
        _ => StoreError::Internal { context: "a statement failed".to_owned(), source: Some(Box::new(error)) },
    }
}

/// What contradicts what; none for constraints that only a bug can violate.
fn conflict_message(error: &rusqlite::Error) -> Option<String> {
    let detail = error.to_string();
    if detail.contains("FOREIGN KEY") {
        return Some("something that this refers to does not exist for this tenant".to_owned());
    }
    let columns = detail.strip_prefix("UNIQUE constraint failed: ")?;
    Some(format!("one with the same {} exists already", columns.rsplit('.').next().unwrap_or(columns)))
}
