//! The hot statements, tuned for PostgreSQL; each says how many rows it expects, which index it uses and what it locks.

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) mod billing;
pub(crate) mod carrier_sync;
pub(crate) mod carriers;
pub(crate) mod completion;
pub(crate) mod control;
pub(crate) mod devices;
pub(crate) mod facts;
pub(crate) mod import;
pub(crate) mod lines;
pub(crate) mod names;
pub(crate) mod pages;
pub(crate) mod plan_queue;
pub(crate) mod reach;
mod rows;
pub(crate) mod selections;
pub(crate) mod submission;
pub(crate) mod sync;
pub(crate) mod waiting;
mod within;

/// Every tuned statement by file.
pub(crate) const FILES: &[(&str, &[(&str, &str)])] = &[
    ("billing", billing::ALL),
    ("carrier_sync", carrier_sync::ALL),
    ("carriers", carriers::ALL),
    ("completion", completion::ALL),
    ("control", control::ALL),
    ("devices", devices::ALL),
    ("import", import::ALL),
    ("lines", lines::ALL),
    ("names", names::ALL),
    ("pages", pages::ALL),
    ("plan_queue", plan_queue::ALL),
    ("reach", reach::ALL),
    ("selections", selections::ALL),
    ("submission", submission::ALL),
    ("sync", sync::ALL),
    ("waiting", waiting::ALL),
];

static TEXTS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    FILES.iter().flat_map(|(file, all)| all.iter().map(move |(name, text)| (format!("{file}::{name}"), *text))).collect()
});

/// The text of a tuned statement, by file and name.
pub(crate) fn text_of(name: &str) -> Option<&'static str> {
    TEXTS.get(name).copied()
}

#[cfg(test)]
mod tests;
