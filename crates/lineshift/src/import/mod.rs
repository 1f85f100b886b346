//! Bringing CSV files in: every row is checked with everything that is known, and what is wrong is named with line,
//! column, what was found and what was expected.
//!
//! A file is read as a stream, in chunks of what one transaction takes. Without `take_good` it is read twice: nothing is
//! stored before every row was found good.

mod cells;
mod header;
pub mod kinds;
mod problems;
mod references;
mod row_lines;
mod run;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use lineshift_store::Store;
use lineshift_store::access::Tenant;
use lineshift_store::import::Imported;

pub(crate) use cells::Cells;
pub(crate) use header::Column;
pub use problems::Problem;
pub(crate) use problems::Problems;
pub(crate) use references::References;
pub use run::Report;
pub(crate) use run::run;

/// Where rows go.
pub struct Target<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// For whom.
    pub tenant: &'a Tenant,
    /// Who brings them in; stands as the one who modified what is replaced.
    pub by: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// One kind of file.
pub(crate) trait Kind: Sized {
    /// What rows are read into.
    type Row: Send + Sync;

    /// The columns of its files.
    const COLUMNS: &'static [Column];

    /// Begins to read a file from its first row. What rows refer to is read here, once.
    async fn begin(target: &Target<'_>) -> anyhow::Result<Self>;

    /// Reads a row, or reports its problems and answers none.
    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row>;

    /// Adds a row to those of its chunk. A kind whose things take several rows joins them here.
    fn push(chunk: &mut Vec<(u64, Self::Row)>, line: u64, row: Self::Row) {
        chunk.push((line, row));
    }

    /// Whether a row that begins here may be stored apart from the rows before it.
    fn begins_anew(_before: &Self::Row, _row: &Self::Row) -> bool {
        true
    }

    /// The lines that rows refer to, which must be in the inventory: by place in the chunk.
    fn lines_needed(_chunk: &[(u64, Self::Row)]) -> Vec<(usize, &str)> {
        Vec::new()
    }

    /// Stores rows, in one transaction.
    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> anyhow::Result<Imported>;
}
