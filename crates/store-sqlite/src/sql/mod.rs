//! The hot statements, tuned for SQLite; each says how many rows it expects, which index it uses and what it locks.

pub(crate) mod billing;
pub(crate) mod completion;
pub(crate) mod control;
pub(crate) mod devices;
pub(crate) mod import;
pub(crate) mod pages;
pub(crate) mod plan_queue;
pub(crate) mod submission;
pub(crate) mod sync;
pub(crate) mod waiting;

#[cfg(test)]
mod tests;
