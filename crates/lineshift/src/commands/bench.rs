//! `lineshift bench`

use anyhow::Result;

pub(crate) use crate::bench::{Args, LegArgs};
use crate::exit::Done;

/// Runs the command.
pub(crate) async fn run(args: Args) -> Result<Done> {
    crate::bench::run(args).await?;
    Ok(Done::Fully)
}

/// Runs one leg in this process.
pub(crate) async fn run_leg(args: LegArgs) -> Result<Done> {
    crate::bench::run_leg(args).await?;
    Ok(Done::Fully)
}
