//! How a command ends: its exit code, and what is said about a failure.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use lineshift_store::StoreError;

/// What `--help` says about exit codes.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed: the store, the network or the machine; nothing is half done
  2  the command line or the configuration is wrong
  3  done in part: some lines or rows were refused or failed, the others were done
  4  refused: the order or the file breaks a rule, and nothing was changed";

/// A command that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// All of it.
    Fully,
    /// Some lines or rows were refused or failed.
    Partly,
}

/// A failure that is no fault of the machine: a rule refuses what was asked.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

/// A failure in how the command was called or configured.
#[derive(Debug)]
pub(crate) struct WrongCall(pub(crate) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for WrongCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}
impl std::error::Error for WrongCall {}

/// Says on standard error what failed, and answers the exit code.
pub(crate) fn end(result: anyhow::Result<Done>) -> ExitCode {
    let error = match result {
        Ok(Done::Fully) => return ExitCode::SUCCESS,
        Ok(Done::Partly) => return ExitCode::from(3),
        Err(error) => error,
    };
    if is_broken_pipe(&error) {
        // Whoever read our output has seen enough.
        return ExitCode::SUCCESS;
    }
    // When even that cannot be written, the exit code has to do.
    drop(writeln!(std::io::stderr(), "error: {error:#}"));
    ExitCode::from(code_of(&error))
}

fn code_of(error: &anyhow::Error) -> u8 {
    let refused_by_store = || {
        let cause = error.chain().find_map(|cause| cause.downcast_ref::<StoreError>());
        cause.is_some_and(|cause| matches!(cause, StoreError::NotFound { .. } | StoreError::Conflict { .. }))
    };
    if error.is::<Refused>() || refused_by_store() {
        4
    } else if error.is::<WrongCall>() {
        2
    } else {
        1
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn the_code_says_whose_turn_it_is() {
        assert_eq!(code_of(&anyhow::anyhow!("disk full")), 1);
        assert_eq!(code_of(&WrongCall("no such flag".to_owned()).into()), 2);
        let refused = anyhow::Result::<()>::Err(Refused("too late".to_owned()).into()).context("ordering").expect_err("refused");
        assert_eq!(code_of(&refused), 4);
        let absent = anyhow::Error::from(StoreError::not_found("key", 7)).context("revoking");
        assert_eq!(code_of(&absent), 4);
    }
}
