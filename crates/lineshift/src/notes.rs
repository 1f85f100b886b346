//! Standard error: what people watch while a command works. Nothing there is meant for programs.

use std::io::Write as _;

/// Writes a line to standard error. When nobody can read it, the work goes on.
pub(crate) fn note(shown: &str) {
    drop(writeln!(std::io::stderr(), "{shown}"));
}
