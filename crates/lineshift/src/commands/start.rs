//! `lineshift start`

use anyhow::Result;

use crate::cli::Context;
use crate::client::{Client, ServerArgs};
use crate::exit::Done;
use crate::output::{Output, counted};

/// Start a bulk change that was stored unprocessed (`submit --hold`).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bulk change's id.
    id: i64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let change = Client::of(&args.server, context)?.start(args.id).await?;
    let shown = format!("bulk change {} was started; {} open", change.id, counted(change.counts.open, "line is", "lines are"));
    Output::by_flag(args.json).one(&shown, &change)?;
    Ok(Done::Fully)
}
