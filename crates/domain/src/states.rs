//! How bulk changes, device changes and their steps move from state to state.
//!
//! The store writes only moves that are allowed here; who moves them and when is sections 5 to 7 and 10.

use crate::refusal::Problem;
use crate::terms::{BulkChangeStatus, DeviceChangeStatus, StepState};

/// Codes of [`may_start`], [`may_cancel`] and [`may_retry`]. Programs match on them: never rename one.
pub mod codes {
    /// Rows still arrive: nothing can be done with the change yet.
    pub const STILL_RECEIVING: &str = "still_receiving";
    /// Start: it was stored to be run at once, or was started before.
    pub const NOT_HELD: &str = "not_held";
    /// Start: it has begun or ended.
    pub const ALREADY_BEGUN: &str = "already_begun";
    /// Cancel: nothing of it is left to cancel.
    pub const NOTHING_TO_CANCEL: &str = "nothing_to_cancel";
    /// Retry: it still runs.
    pub const NOT_FINISHED: &str = "not_finished";
    /// Retry: no row ended in ERROR.
    pub const NOTHING_TO_RETRY: &str = "nothing_to_retry";
}

impl DeviceChangeStatus {
    /// Whether a row may go from this status to that one. Staying is no move.
    ///
    /// Open rows end in any final status; whether one may still be canceled depends on its steps ([`may_cancel_row`]).
    /// Of the final ones only ERROR is ever left again, by a retry (B10.2).
    #[must_use]
    pub const fn can_move_to(self, next: Self) -> bool {
        match self {
            Self::New => !matches!(next, Self::New),
            Self::Processing => matches!(next, Self::Pending | Self::Processed | Self::Error | Self::Canceled),
            Self::Pending => matches!(next, Self::Processing | Self::Processed | Self::Error | Self::Canceled),
            Self::Error => matches!(next, Self::New),
            Self::Processed | Self::Canceled => false,
        }
    }
}

impl StepState {
    /// Whether a step may go from this state to that one. Staying is no move.
    #[must_use]
    pub const fn can_move_to(self, next: Self) -> bool {
        match self {
            // Done at once: what a look-up found was there already. Failed at once: refused before anything was sent.
            Self::Pending => matches!(next, Self::Intended | Self::Done | Self::Failed),
            // Back to pending: no byte of the call was sent (B7.3).
            Self::Intended => matches!(next, Self::Pending | Self::Done | Self::Failed | Self::Ambiguous | Self::Waiting),
            // Back to pending: reading back until `settle_after` showed that it did not take effect (B7.3).
            Self::Ambiguous => matches!(next, Self::Pending | Self::Done | Self::Failed | Self::Reverted | Self::Stuck),
            Self::Waiting => matches!(next, Self::Done | Self::Failed | Self::Ambiguous),
            // A failed step may have done a part (a service without its products): that part can be undone (B6.3).
            Self::Failed => matches!(next, Self::Pending | Self::Reverted | Self::Stuck),
            Self::Done => matches!(next, Self::Reverted | Self::Stuck),
            Self::Reverted => matches!(next, Self::Pending),
            // A person settled it.
            Self::Stuck => matches!(next, Self::Done | Self::Reverted),
        }
    }

    /// Whether something may have been sent for this step.
    #[must_use]
    pub const fn may_be_sent(self) -> bool {
        !matches!(self, Self::Pending)
    }
}

/// Whether a row may be canceled (B10.1): it is open and nothing was sent for it. All others are carried to their end.
#[must_use]
pub fn may_cancel_row(status: DeviceChangeStatus, steps: &[StepState]) -> bool {
    status.is_open() && !steps.iter().any(|step| step.may_be_sent())
}

/// Whether a bulk change may be started (B10.1): it is NEW and was stored unprocessed (`held`).
///
/// # Errors
/// A problem of the change as a whole, with one of [`codes`].
pub fn may_start(status: BulkChangeStatus, held: bool) -> Result<(), Problem> {
    match status {
        BulkChangeStatus::Receiving => Err(receiving()),
        BulkChangeStatus::New if held => Ok(()),
        BulkChangeStatus::New => {
            Err(problem(codes::NOT_HELD, "this bulk change waits for a worker already; there is nothing to start"))
        }
        _ => Err(problem(codes::ALREADY_BEGUN, format!("this bulk change is {status}; only a NEW one can be started"))),
    }
}

/// Whether a bulk change may be canceled (B10.1), held or not.
///
/// PROCESSED and PARTIAL ones may: their rows stay as they are, but plan queue entries that they made are canceled.
///
/// # Errors
/// A problem of the change as a whole, with one of [`codes`].
pub fn may_cancel(status: BulkChangeStatus, _held: bool) -> Result<(), Problem> {
    match status {
        BulkChangeStatus::Receiving => Err(receiving()),
        BulkChangeStatus::New | BulkChangeStatus::Processing | BulkChangeStatus::Processed | BulkChangeStatus::Partial => Ok(()),
        BulkChangeStatus::Error | BulkChangeStatus::Canceled => {
            Err(problem(codes::NOTHING_TO_CANCEL, format!("this bulk change is {status}; nothing of it is left to cancel")))
        }
    }
}

/// Whether ERROR rows of a bulk change may be opened again (B10.2): it is finished and has, or may have, such rows.
///
/// # Errors
/// A problem of the change as a whole, with one of [`codes`].
pub fn may_retry(status: BulkChangeStatus, _held: bool) -> Result<(), Problem> {
    match status {
        BulkChangeStatus::Receiving => Err(receiving()),
        BulkChangeStatus::Partial | BulkChangeStatus::Error => Ok(()),
        BulkChangeStatus::New | BulkChangeStatus::Processing => {
            Err(problem(codes::NOT_FINISHED, format!("this bulk change is {status}; wait until it has ended, or cancel it")))
        }
        BulkChangeStatus::Processed | BulkChangeStatus::Canceled => {
            Err(problem(codes::NOTHING_TO_RETRY, format!("this bulk change is {status}; no device of it ended in ERROR")))
        }
    }
}

fn receiving() -> Problem {
    problem(codes::STILL_RECEIVING, "devices of this bulk change still arrive; try again when it is NEW")
}

fn problem(code: &str, message: impl Into<String>) -> Problem {
    Problem::new("", code, message)
}
