//! The store for production: PostgreSQL, many workers, row level security.

mod sql;

/// The text of a tuned statement, by file and name.
#[must_use]
pub fn text_of(name: &str) -> Option<&'static str> {
    sql::text_of(name).filter(|_| !sql::FILES.is_empty())
}
