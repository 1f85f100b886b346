//! `lineshift openapi`

use anyhow::Result;

use crate::exit::Done;
use crate::output;

/// Print the description of the API (OpenAPI 3.1, JSON).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(Args {}: Args) -> Result<Done> {
    output::text(&lineshift_web::openapi_json())?;
    Ok(Done::Fully)
}
