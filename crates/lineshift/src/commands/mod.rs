//! The commands, one a file: each has its arguments and a function that runs it.

pub(crate) mod admin;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod cancel;
pub(crate) mod config;
pub(crate) mod copy;
pub(crate) mod demo;
pub(crate) mod examples;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod retry;
pub(crate) mod serve;
pub(crate) mod settle;
pub(crate) mod simulate;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod sync;
pub(crate) mod unsettled;
pub(crate) mod worker;
