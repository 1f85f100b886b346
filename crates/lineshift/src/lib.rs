//! Lineshift: bulk changes of the customers and rate plans of mobile lines, at once or on a date.
//!
//! The program as a library: tests that make files up by the million read them without a process for each.

mod audited;
mod bench;
mod cli;
mod client;
mod clocks;
mod commands;
mod config;
mod connect;
mod exit;
mod fleet;
pub mod import;
mod notes;
mod openid;
mod output;
mod progress;
mod serving;
mod stores;
mod upkeep;
mod vault;
mod wire;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;

/// Does what the command line says, and answers how the process ends.
#[must_use]
pub fn run() -> ExitCode {
    exit::end(cli::run(Cli::parse()))
}
