//! `lineshift admin secret-key`

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lineshift_connectors::credentials::Vault;
use secrecy::ExposeSecret as _;

use crate::exit::Done;
use crate::output;
use crate::vault::key_file;

/// Make a key to seal credentials of integrations with, and show it, this once.
///
/// Keep it apart from the store and its backups: whoever has both has the credentials. Who loses it has to store them again.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write it into that new file, which only you may read, and do not show it.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Done> {
    let key = Vault::generate_key_text().context("making a key")?;
    match &args.file {
        None => output::line(key.expose_secret())?,
        Some(path) => {
            key_file::write_new(path, &key)?;
            let id = Vault::from_key_text(&key).context("reading the key that was made")?.key_id();
            let path = path.display();
            output::line(&format!(
                "the key {id} is in {path}; name that as key_file in the section [secrets] of the configuration"
            ))?;
        }
    }
    Ok(Done::Fully)
}
