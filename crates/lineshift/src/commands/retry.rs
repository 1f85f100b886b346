//! `lineshift retry`

use anyhow::Result;

use crate::cli::Context;
use crate::client::{Client, ServerArgs, watch};
use crate::commands::status;
use crate::exit::Done;
use crate::output::{Output, counted};

/// Open the failed lines of a finished bulk change again: all, or those with one of the codes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bulk change's id.
    id: i64,
    /// Only lines that ended with this code, such as device_not_active; may be given several times.
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,
    /// Wait until it is finished, with a progress bar, and show it.
    #[arg(long)]
    wait: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let client = Client::of(&args.server, context)?;
    let retried = client.retry(args.id, args.code).await?;
    let output = Output::by_flag(args.json);
    if args.wait {
        let change = watch(&client, args.id).await?;
        status::show(output, &change)?;
        return Ok(status::done(&change));
    }
    let shown =
        format!("bulk change {}: {} opened again, attempt {}", args.id, counted(retried.rows, "line", "lines"), retried.attempt);
    output.one(&shown, &retried)?;
    Ok(Done::Fully)
}
