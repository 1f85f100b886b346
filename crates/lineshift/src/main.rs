//! Lineshift: bulk changes of the customers and rate plans of mobile lines, at once or on a date.

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
mod import;
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

fn main() -> ExitCode {
    exit::end(cli::run(Cli::parse()))
}
