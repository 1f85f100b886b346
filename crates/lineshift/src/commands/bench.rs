//! `lineshift bench`

use anyhow::Result;

pub(crate) use crate::bench::{Args, LegArgs, PostgresLegArgs};
use crate::exit::Done;

/// Runs the command.
pub(crate) async fn run(args: Args, store: Option<&str>) -> Result<Done> {
    crate::bench::run(args, store).await?;
    Ok(Done::Fully)
}

/// Runs one leg in this process.
pub(crate) async fn run_leg(args: LegArgs) -> Result<Done> {
    crate::bench::run_leg(args).await?;
    Ok(Done::Fully)
}

/// Runs one leg on PostgreSQL in this process.
pub(crate) async fn run_postgres_leg(args: PostgresLegArgs) -> Result<Done> {
    crate::bench::run_postgres_leg(args).await?;
    Ok(Done::Fully)
}
