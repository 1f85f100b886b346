//! `lineshift export`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use lineshift_domain::terms::DeviceChangeStatus;

use crate::cli::Context;
use crate::client::{Client, ServerArgs};
use crate::exit::{Done, WrongCall};
use crate::notes::note;
use crate::progress;

/// Write the lines of a bulk change as CSV.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bulk change's id.
    id: i64,
    /// Only lines with this status.
    #[arg(long, value_parser = PossibleValuesParser::new(DeviceChangeStatus::ALL.iter().map(|status| status.as_str())))]
    status: Option<String>,
    /// The file to write; standard output without it. A file of that name is replaced once the export is complete.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let client = Client::of(&args.server, context)?;
    if let Some(path) = args.output.as_deref().filter(|path| !folder_of(path).is_dir()) {
        let folder = folder_of(path).display();
        return Err(WrongCall(format!("{} cannot be written: there is no folder {folder}; make it first", path.display())).into());
    }
    let mut response = client.export(args.id, args.status.as_deref()).await?;
    let Some(path) = args.output else {
        let mut out = std::io::stdout().lock();
        copy(&mut response, &mut out).await?;
        return Ok(Done::Fully);
    };
    // Beside the target, so that the last step is a rename and a broken export leaves no half file behind.
    let mut file = tempfile::NamedTempFile::new_in(folder_of(&path)).with_context(|| format!("writing {}", path.display()))?;
    let bytes = copy(&mut response, file.as_file_mut()).await?;
    file.persist(&path).with_context(|| format!("writing {}", path.display()))?;
    note(&format!("{bytes} bytes were written to {}", path.display()));
    Ok(Done::Fully)
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

async fn copy(response: &mut reqwest::Response, out: &mut dyn Write) -> Result<u64> {
    let bar = progress::spinning("exporting");
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await.context("the export broke off; it is not complete")? {
        out.write_all(&chunk).context("writing the export")?;
        bytes += chunk.len() as u64;
        bar.set_message(format!("exporting, {bytes} bytes so far"));
    }
    out.flush().context("writing the export")?;
    bar.finish_and_clear();
    Ok(bytes)
}
