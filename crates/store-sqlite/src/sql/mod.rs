//! The hot statements, tuned for SQLite; each says how many rows it expects, which index it uses and what it locks.

pub(crate) mod devices;
