//! Synchronisation with billing accounts: begun here, run by the scheduler.

pub(crate) mod findings;
pub(crate) mod runs;
