//! `lineshift unsettled`

use anyhow::Result;
use lineshift_web::views::{Page, UnsettledStepView};

use crate::cli::Context;
use crate::client::{Client, ServerArgs};
use crate::exit::Done;
use crate::output::{self, Output};

/// List the steps that somebody must look up in the billing system or at the carrier, and settle.
///
/// Their lines are held until then: `lineshift settle` says what stands, `lineshift retry` goes on from there.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many rows to list.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
    /// Go on listing behind that place, as the list before named it.
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let client = Client::of(&args.server, context)?;
    let page: Page<UnsettledStepView> = client.unsettled_steps(usize::from(args.limit), args.after.as_deref()).await?;
    let output = Output::by_flag(args.json);
    let headers = ["change", "line", "step", "part", "state", "id there", "why", "since (UTC)"];
    output.list(&headers, page.items.iter().map(row).collect(), &page)?;
    if let (Some(next), Output::Text) = (&page.next, output) {
        output::line(&format!("there are more: --after {next}"))?;
    }
    Ok(Done::Fully)
}

fn row(unsettled: &UnsettledStepView) -> Vec<String> {
    let step = &unsettled.step;
    vec![
        unsettled.bulk_change_id.to_string(),
        unsettled.line.clone(),
        step.step.clone(),
        step.part.to_string(),
        step.state.clone(),
        step.external_text.clone().unwrap_or_default(),
        step.outcome.clone().or_else(|| step.code.clone()).unwrap_or_default(),
        step.unknown_since.unwrap_or(step.at).format("%F %T").to_string(),
    ]
}
