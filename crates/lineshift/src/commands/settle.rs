//! `lineshift settle`

use anyhow::Result;
use lineshift_web::views::SettleRequest;

use crate::cli::Context;
use crate::client::{Client, ServerArgs};
use crate::exit::{Done, Refused};
use crate::output::{Output, counted};

/// Say what stands in the billing system or at the carrier for a line of which nobody knows (see `lineshift unsettled`).
///
/// Look it up there first: what is said here is believed. The line is let go; `lineshift retry` goes on from there.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("how").required(true))]
pub(crate) struct Args {
    /// The bulk change's id.
    change: i64,
    /// The line, by ICCID or number, as it was ordered.
    line: String,
    /// It stands there: the line is billed, or moved.
    #[arg(long, group = "how")]
    stands: bool,
    /// It does not stand there, or not any more.
    #[arg(long, group = "how")]
    gone: bool,
    /// The Rev service's id, where it is not known here.
    #[arg(long, value_name = "ID", requires = "stands")]
    rev_service: Option<i64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Rows asked for at a time.
const PAGE: usize = 1_000;

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let client = Client::of(&args.server, context)?;
    let row = find(&client, args.change, &args.line).await?;
    let settled_as = if args.stands { "stands" } else { "gone" }.to_owned();
    let request = SettleRequest { settled_as, rev_service_id: args.rev_service, attempt: None, steps_at: None };
    let settled = client.settle(row, &request).await?;
    let steps = counted(settled.steps.len(), "step", "steps");
    let shown = format!(
        "line {} of bulk change {} is settled ({steps}) and let go; go on with: lineshift retry {}",
        args.line.trim(),
        args.change,
        args.change
    );
    Output::by_flag(args.json).one(&shown, &settled)?;
    Ok(Done::Fully)
}

/// The row of that line, among those that are to be settled: they are few, whatever the change holds.
async fn find(client: &Client, change: i64, line: &str) -> Result<i64> {
    let mut after: Option<String> = None;
    loop {
        let page = client.unsettled_steps(PAGE, after.as_deref()).await?;
        let found = page.items.iter().find(|step| step.bulk_change_id == change && step.line == line.trim());
        if let Some(step) = found {
            return Ok(step.device_change_id);
        }
        after = page.next;
        if after.is_none() {
            let text =
                format!("nothing of line {} of bulk change {change} is to be settled; see lineshift unsettled", line.trim());
            return Err(Refused(text).into());
        }
    }
}
