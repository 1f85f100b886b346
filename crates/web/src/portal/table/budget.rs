//! What one file may cost, whatever it consists of.

use super::{CELL, Unreadable};

/// The most rows of all sheets together: more than any order takes stand in no table.
const ROWS: usize = 1_100_000;

/// The most cells, and texts that cells share, of all sheets together.
const CELLS: usize = 20_000_000;

/// The most bytes of texts that are kept of a file: a million ICCIDs and numbers of a workbook, which are kept twice.
const KEPT: usize = 64 << 20;

/// What is left of it.
pub(super) struct Budget {
    rows: usize,
    cells: usize,
    kept: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { rows: ROWS, cells: CELLS, kept: KEPT }
    }
}

impl Budget {
    /// A smaller one.
    #[cfg(test)]
    pub(super) const fn of(rows: usize, cells: usize, kept: usize) -> Self {
        Self { rows, cells, kept }
    }

    /// One row more. Errors: there are too many.
    pub(super) fn row(&mut self) -> Result<(), Unreadable> {
        spend(&mut self.rows, 1, || format!("The file has more than {ROWS} rows in all of its sheets: split it."))
    }

    /// One cell more, whether anything stands in it or not. Errors: there are too many.
    pub(super) fn cell(&mut self) -> Result<(), Unreadable> {
        spend(&mut self.cells, 1, || {
            format!("The file has more than {CELLS} cells: leave the columns out that name no lines, or split it.")
        })
    }

    /// So many bytes more are kept. Errors: it is too much.
    pub(super) fn keep(&mut self, bytes: usize) -> Result<(), Unreadable> {
        spend(&mut self.kept, bytes, || {
            format!(
                "The file holds more than {} MiB of texts: leave the columns out that name no lines, or split it.",
                KEPT >> 20
            )
        })
    }
}

fn spend(left: &mut usize, spent: usize, message: impl FnOnce() -> String) -> Result<(), Unreadable> {
    *left = left.checked_sub(spent).ok_or_else(|| Unreadable(message()))?;
    Ok(())
}

/// A text as far as it is looked at: no identifier has more characters, with whatever separators.
pub(super) fn cut(text: &str) -> &str {
    text.char_indices().nth(CELL).map_or(text, |(end, _)| &text[..end])
}
