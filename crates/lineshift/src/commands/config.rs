//! `lineshift config`

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use crate::cli::Context;
use crate::config::DEFAULT_FILE;
use crate::exit::Done;
use crate::output::{self, Output};

/// The configuration.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the default configuration file, with comments.
    Default,
    /// Print the settings that hold, and where each comes from.
    Show {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Done> {
    match &args.command {
        Command::Default => output::text(DEFAULT_FILE)?,
        Command::Show { json } => show(Output::by_flag(*json), context)?,
    }
    Ok(Done::Fully)
}

fn show(output: Output, context: &Context) -> Result<()> {
    let listed = context.configuration.listed();
    let rows = listed.iter().map(|(name, value, source)| vec![name.clone(), value.to_string(), source.to_string()]).collect();
    let value: Vec<_> = listed
        .iter()
        .map(|(name, value, source)| json!({ "setting": name, "value": value, "from": source.to_string() }))
        .collect();
    output.list(&["setting", "value", "from"], rows, &value)
}
