//! `lineshift examples`

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use crate::exit::Done;
use crate::fleet::{Fleet, files};
use crate::output::Output;

/// Example data.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a generated fleet as CSV files, with two orders for it. The same seed and size give the same files.
    Generate {
        /// How many lines.
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
        devices: u64,
        /// Which fleet of that size.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The directory to write to; files of the same names are replaced.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Done> {
    let Command::Generate { devices, seed, out, json } = args.command;
    let written = files::write(&Fleet::new(devices, seed), &out)?;
    let rows =
        written.iter().map(|written| vec![out.join(written.file).display().to_string(), written.rows.to_string()]).collect();
    Output::by_flag(json).list(&["file", "rows"], rows, &written)?;
    Ok(Done::Fully)
}
