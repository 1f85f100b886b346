//! `lineshift submit`

mod body;
mod lines;

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use clap::ValueEnum;
use lineshift_domain::terms::PortalType;
use lineshift_web::views::{BulkChangeDetailView, SubmittedView};
use serde::Serialize;

use crate::cli::Context;
use crate::client::{Client, ServerArgs, watch};
use crate::commands::status;
use crate::exit::{Done, WrongCall};
use crate::notes::note;
use crate::output::{Output, counted};

/// Order a bulk change: with a request body in a file, or with flags and a list of lines.
///
/// Each line is judged alone; those that are refused are counted in the answer (exit code 3), and `lineshift status` says
/// why. An order that breaks a rule is refused as a whole (exit code 4).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file with the JSON body of AssociateCustomer or BulkChange; - is standard input.
    #[arg(value_name = "BODY", conflicts_with_all = ["kind", "provider", "iccids_file", "numbers_file"])]
    body: Option<PathBuf>,
    /// The portal.
    #[arg(long, value_enum, ignore_case = true, default_value = "M2M")]
    portal: Portal,
    /// A text by which the server recognises a repeated order; made and shown if it is not given.
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
    /// Wait until it is finished, with a progress bar, and show it.
    #[arg(long, conflicts_with = "hold")]
    wait: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    order: OrderArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// An order by flags.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Order by flags")]
struct OrderArgs {
    /// What to do: hand lines to a customer, change their customer rate plan, or change their plan or status at the carrier.
    #[arg(long = "type", value_enum, value_name = "TYPE", requires = "provider")]
    kind: Option<OrderType>,
    /// The carrier account of the lines, by id or name.
    #[arg(long, value_name = "ID|NAME", requires = "kind")]
    provider: Option<String>,
    /// A file with an ICCID a line; - is standard input.
    #[arg(long, value_name = "FILE", requires = "kind", conflicts_with = "numbers_file")]
    iccids_file: Option<PathBuf>,
    /// A file with a subscriber number a line; - is standard input.
    #[arg(long, value_name = "FILE", requires = "kind")]
    numbers_file: Option<PathBuf>,
    /// The Rev customer; without it the site is the customer.
    #[arg(long, value_name = "ID", requires = "kind")]
    customer: Option<i64>,
    /// The site.
    #[arg(long, value_name = "ID", requires = "kind")]
    site: Option<i64>,
    /// The customer rate plan; 0 takes the plan away.
    #[arg(long, value_name = "ID", requires = "kind")]
    plan: Option<i64>,
    /// The customer rate pool; 0 takes the pool away.
    #[arg(long, value_name = "ID", requires = "kind")]
    pool: Option<i64>,
    /// The data allocation in MB; 0 takes it away.
    #[arg(long, value_name = "MB", requires = "kind")]
    allocation: Option<rust_decimal::Decimal>,
    /// The rate plan at the carrier, by code or name; with --type carrier-plan or assign.
    #[arg(long, value_name = "PLAN", requires = "kind")]
    carrier_plan: Option<String>,
    /// The communication plan at the carrier; with --type carrier-plan or assign.
    #[arg(long, value_name = "PLAN", requires = "kind")]
    comm_plan: Option<String>,
    /// The status at the carrier, as the carrier writes it; with --type status.
    #[arg(long, value_name = "STATUS", requires = "kind")]
    target_status: Option<String>,
    /// The carrier's reason code; with --type status.
    #[arg(long, value_name = "CODE", requires = "kind")]
    reason_code: Option<String>,
    /// When: a date in ISO 8601; a day begins in the tenant's time zone.
    #[arg(long, value_name = "DATE", requires = "kind")]
    date: Option<String>,
    /// Cancel plan changes of the lines that wait for that date or later.
    #[arg(long, requires = "kind")]
    replace_scheduled: bool,
    /// Only store it; `lineshift start` begins it.
    #[arg(long, requires = "kind")]
    hold: bool,
    /// What people call it.
    #[arg(long, value_name = "TEXT", requires = "kind")]
    name: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", requires = "kind")]
    reason: Option<String>,
}

/// What an order by flags does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OrderType {
    /// Hands lines to a customer.
    Assign,
    /// Changes their customer rate plan.
    Plan,
    /// Changes their rate plan or communication plan at the carrier.
    CarrierPlan,
    /// Changes their status at the carrier.
    Status,
}

/// The portals, as they are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Portal {
    /// Lines known by ICCID.
    #[value(name = "M2M")]
    M2M,
    /// Lines known by number.
    #[value(name = "LNP")]
    Lnp,
    /// Lines known by either.
    #[value(name = "Mobility")]
    Mobility,
}

impl Portal {
    const fn as_str(self) -> &'static str {
        match self {
            Self::M2M => PortalType::M2M.as_str(),
            Self::Lnp => PortalType::Lnp.as_str(),
            Self::Mobility => PortalType::Mobility.as_str(),
        }
    }
}

/// A request that is ready to be sent.
struct Request {
    endpoint: &'static str,
    body: Vec<u8>,
}

#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    submitted: SubmittedView,
    #[serde(rename = "IdempotencyKey")]
    idempotency_key: String,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let client = Client::of(&args.server, context)?;
    let request = match (&args.body, args.order.kind) {
        (Some(file), _) => body::of_file(file)?,
        (None, Some(kind)) => body::of_flags(&client, kind, &args.order).await?,
        (None, None) => {
            return Err(WrongCall("give a file with a body, or --type with --provider and lines".to_owned()).into());
        }
    };
    let output = Output::by_flag(args.json);
    let idempotency_key = args.idempotency_key.map_or_else(new_idempotency_key, Ok)?;
    note(&format!("idempotency key: {idempotency_key}"));
    let submitted = client.submit(args.portal.as_str(), request.endpoint, request.body, &idempotency_key).await?;
    // A key that may order need not be allowed to look.
    if let Some(estimate) = client.bulk_change(submitted.bulk_change_id).await.ok().and_then(|change| change.estimate) {
        note(&status::estimated(&estimate));
    }
    if args.wait {
        let change: BulkChangeDetailView = watch(&client, submitted.bulk_change_id).await?;
        status::show(output, &change)?;
        return Ok(status::done(&change));
    }
    let shown = format!(
        "bulk change {}: {} accepted, {} refused, {} repeated",
        submitted.bulk_change_id,
        counted(submitted.accepted, "line", "lines"),
        submitted.rejected,
        submitted.duplicates
    );
    output.one(&shown, &Answer { submitted, idempotency_key })?;
    Ok(if submitted.rejected == 0 { Done::Fully } else { Done::Partly })
}

fn new_idempotency_key() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("{error}")).context("making an idempotency key")?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
