//! `lineshift admin sealed`

pub(super) mod walk;

use anyhow::Result;
use lineshift_connectors::credentials::KeyId;
use serde_json::json;

use self::walk::{Survey, survey};
use crate::cli::Context;
use crate::exit::Done;
use crate::output::Output;
use crate::stores;
use crate::vault::{self, Source, key_file::KeyFile};

/// Say which keys this installation has, and how many credentials are sealed under each.
///
/// Exit code 3 if some are sealed under a key that is not among them: nobody can open those.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) async fn run(args: &Args, context: &Context) -> Result<Done> {
    let keys = match vault::source(context)? {
        None => Vec::new(),
        Some(Source::Environment(ring)) => {
            let ids = ring.key_ids().into_iter().enumerate();
            ids.map(|(nth, id)| (id, if nth == 0 { "seals" } else { "opens" })).collect()
        }
        Some(Source::File(path)) => roles(&KeyFile::read(&path)?),
    };
    let store = stores::open_existing(context).await?;
    let survey = survey(&*store).await?;
    let shown = shown(&keys, &survey);
    let rows = shown.iter().map(|(key, role, rows)| vec![key.clone(), (*role).to_owned(), rows.to_string()]).collect();
    let value: Vec<_> = shown.iter().map(|(key, role, rows)| json!({ "key": key, "does": role, "rows": rows })).collect();
    Output::by_flag(args.json).list(&["key", "does", "sealed under it"], rows, &value)?;
    let is_missing = shown.iter().any(|(_, role, rows)| *role == MISSING && *rows > 0);
    Ok(if is_missing { Done::Partly } else { Done::Fully })
}

/// What a key does that nobody has.
const MISSING: &str = "is missing";

fn roles(file: &KeyFile) -> Vec<(KeyId, &'static str)> {
    let mut roles = vec![(file.sealing(), "seals")];
    roles.extend(file.old().into_iter().map(|id| (id, "opens")));
    roles.extend(file.next().map(|id| (id, "opens, seals next")));
    roles
}

fn shown(keys: &[(KeyId, &'static str)], survey: &Survey) -> Vec<(String, &'static str, u64)> {
    let count = |id: KeyId| survey.by_key.get(&Some(id)).copied().unwrap_or(0);
    let mut shown: Vec<_> = keys.iter().map(|(id, role)| (id.to_string(), *role, count(*id))).collect();
    let others = survey.by_key.iter().filter(|(key, _)| key.is_none_or(|key| keys.iter().all(|(id, _)| *id != key)));
    shown.extend(others.map(|(key, rows)| (walk::key_name(*key), MISSING, *rows)));
    shown
}
