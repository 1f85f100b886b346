//! Processes that are really killed, and what must hold after (B5.4): a test binary runs one of its own tests again in a
//! process of its own, which kills itself with SIGKILL right before the Nth statement that it writes; the test then opens
//! the store again, carries on, and compares what stands there with a run that nobody disturbed.

mod boundaries;
mod meddler;
mod process;
mod reopen;
mod seeds;
mod standing;
mod sweep;

pub use boundaries::{deaths_at, later_passing};
pub use meddler::Meddler;
pub use process::{Child, Ended, Running, arm, child, die, freeze, say, say_statements, strike, wait_for_go};
pub use reopen::{open_options, reopen, reopen_nth, reopen_on, reopen_stored};
pub use seeds::{Chance, Seeds, many_seeds, seeds};
pub use standing::{Standing, broken_rules, check_invariants, damage, look};
pub use sweep::{AFTER, Scenario, Template, block_on, run_child, settle, survive, sweep, undisturbed};
