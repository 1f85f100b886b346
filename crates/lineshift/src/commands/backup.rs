//! `lineshift backup`

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::cli::Context;
use crate::exit::{Done, Refused, WrongCall};
use crate::output::Output;
use crate::stores::OpenStore;
use crate::{progress, stores};

/// Copy the store while it is in use.
///
/// The copy is the store as it stands at one moment; servers and workers go on meanwhile.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to write; it must not be there yet.
    target: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let store = match stores::open_existing(context).await? {
        OpenStore::Sqlite(store) => store,
        OpenStore::Postgres(..) => {
            let text = "backup copies the embedded store; PostgreSQL is backed up with its own tools, see docs/operating.md";
            return Err(WrongCall(text.to_owned()).into());
        }
    };
    if args.target.exists() {
        return Err(Refused(format!("{} exists already; name a new file", args.target.display())).into());
    }
    let bar = progress::counting("copying pages", 0);
    let drawn = bar.clone();
    let target = &args.target;
    store
        .back_up(target, move |left, all| {
            drawn.set_length(u64::try_from(all).unwrap_or_default());
            drawn.set_position(u64::try_from(all - left).unwrap_or_default());
        })
        .await
        .with_context(|| format!("copying the store to {}", target.display()))?;
    bar.finish_and_clear();
    let bytes = std::fs::metadata(target).with_context(|| format!("looking at {}", target.display()))?.len();
    let shown = format!("{} was copied to {} ({bytes} bytes)", store.path().display(), target.display());
    Output::by_flag(args.json).one(&shown, &json!({ "store": store.path(), "target": target, "bytes": bytes }))?;
    Ok(Done::Fully)
}
