//! `lineshift cancel`

use anyhow::Result;

use crate::cli::Context;
use crate::client::{Client, ServerArgs};
use crate::exit::Done;
use crate::output::Output;

/// Cancel what is still open of a bulk change.
///
/// The page in hand is finished; queue entries not yet applied are canceled too.
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
    let change = Client::of(&args.server, context)?.cancel(args.id).await?;
    let counts = &change.counts;
    let shown = format!(
        "bulk change {} is canceled: {} lines canceled, {} still open, {} were done before",
        change.id, counts.canceled, counts.open, counts.processed
    );
    Output::by_flag(args.json).one(&shown, &change)?;
    Ok(Done::Fully)
}
