//! `lineshift admin rotate-secret-key`

use std::path::Path;

use anyhow::{Context as _, Result};
use lineshift_connectors::credentials::{KeyId, KeyRing, Vault};
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::Store;
use lineshift_web::accounts::NO_KEY;
use serde_json::json;

use super::sealed::walk::{Sealed, Standing, seal_anew, standing_under};
use crate::audited::{Told, audited_everywhere};
use crate::cli::Context;
use crate::config::environment::SECRET_KEY;
use crate::exit::{Done, Refused, WrongCall};
use crate::output::{Output, counted};
use crate::stores;
use crate::vault::key_file::HeldKeyFile;
use crate::vault::{self, Source};

/// Change the key under which credentials are sealed, while servers and workers run.
///
/// A new key is added to the key file and becomes the one that seals; then every credential is sealed anew, and the old key opens still. With --drop-old, when none is left under it, it goes. Whatever ends it half-way, run it again: it goes on where it stopped. Exit code 3 if some credentials cannot be opened and stay as they are.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only add the new key, which opens and does not seal yet: for machines with a key file each. Bring the file to all of them, then run this without it.
    #[arg(long, conflicts_with = "drop_old")]
    prepare: bool,
    /// Drop the old keys from the file; refused while something is sealed under one of them.
    #[arg(long)]
    drop_old: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) async fn run(args: &Args, context: &Context) -> Result<Done> {
    let source = vault::source(context)?.ok_or_else(|| WrongCall(NO_KEY.to_owned()))?;
    // Before anything is changed: what cannot be sealed anew needs no new key.
    let store = stores::open_existing(context).await?;
    let work = async { Ok((rotate(args, &*store, source).await?, Told::default())) };
    audited_everywhere(&*store, context, "admin rotate-secret-key", work).await
}

async fn rotate(args: &Args, store: &dyn Store, source: Source) -> Result<Done> {
    let path = match source {
        Source::Environment(ring) => return seal_under_environment(args, store, &ring).await,
        Source::File(path) => path,
    };
    let mut file = HeldKeyFile::lock(&path)?;
    if args.drop_old {
        return drop_old(args, store, &path, &mut file).await;
    }
    let mut said = Vec::new();
    let (next, old) = (file.keys.next(), file.keys.old());
    match next {
        None if old.is_empty() => add_next(&path, &mut file, &mut said)?,
        None if args.prepare => return Err(Refused(format!("{} is dropped first: {DROP}", keys(&old))).into()),
        Some(next) if args.prepare => said.push(format!("the key {next} was added to {} before", path.display())),
        _ => {}
    }
    if args.prepare {
        said.push("bring the file to every machine, then run this again without --prepare".to_owned());
        let report = Report { said, sealed: Sealed::default(), dropped: Vec::new() };
        return report.show(args, &file);
    }
    if let Some(next) = file.keys.next() {
        file.keys.promote_next();
        file.store()?;
        said.push(format!("the key {next} seals from now on; {} opens still", keys(&file.keys.old())));
    }
    let sealed = seal_anew(store, &file.keys.ring()).await?;
    said.push(format!("{} anew", counted(sealed.anew, "credential was sealed", "credentials were sealed")));
    if sealed.left.is_empty() {
        said.push(format!(
            "nothing is left under {}; when every server and worker reads the new file: {DROP}",
            keys(&file.keys.old())
        ));
    }
    Report { said, sealed, dropped: Vec::new() }.show(args, &file)
}

const DROP: &str = "lineshift admin rotate-secret-key --drop-old";

/// Keys in words.
fn keys(ids: &[KeyId]) -> String {
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("{} {}", if names.len() == 1 { "the key" } else { "the keys" }, names.join(", "))
}

fn add_next(path: &Path, file: &mut HeldKeyFile, said: &mut Vec<String>) -> Result<()> {
    let made = format!("made {}", SystemClock.now().format("%F"));
    file.keys.add_next(Vault::generate_key_text().context("making a key")?, &made)?;
    file.store()?;
    let next = file.keys.next().context("the key that was added")?;
    said.push(format!("the key {next} was added to {}", path.display()));
    Ok(())
}

async fn drop_old(args: &Args, store: &dyn Store, path: &Path, file: &mut HeldKeyFile) -> Result<Done> {
    if let Some(next) = file.keys.next() {
        let text = format!("the key {next} does not seal yet; run lineshift admin rotate-secret-key first");
        return Err(Refused(text).into());
    }
    let old = file.keys.old();
    if old.is_empty() {
        let said = vec![format!("there is no old key in {}", path.display())];
        return Report { said, sealed: Sealed::default(), dropped: old }.show(args, file);
    }
    let left = standing_under(store, &old).await?;
    if !left.is_empty() {
        let rows = counted(left.len(), "credential is", "credentials are");
        let text =
            format!("{rows} sealed under {} still: {}; run lineshift admin rotate-secret-key first", keys(&old), some(&left));
        return Err(Refused(text).into());
    }
    let ring = file.keys.ring();
    file.keys.drop_old();
    file.store()?;
    // A process may have been sealing with the old key while the rows were counted.
    let sealed = seal_anew(store, &ring).await?;
    let mut said = vec![format!("{} no longer stands in {}", keys(&old), path.display())];
    if sealed.anew > 0 {
        let rows = counted(sealed.anew, "credential was", "credentials were");
        said.push(format!("{rows} stored under it meanwhile, and sealed anew"));
    }
    Report { said, sealed, dropped: old }.show(args, file)
}

/// The first few, for people.
fn some(left: &[Standing]) -> String {
    const SHOWN: usize = 5;
    let mut texts: Vec<String> = left.iter().take(SHOWN).map(ToString::to_string).collect();
    if left.len() > SHOWN {
        texts.push(format!("and {} more", left.len() - SHOWN));
    }
    texts.join("; ")
}

/// Keys that stand in the environment are changed there, by whoever starts the processes: what is left to do is to seal anew.
async fn seal_under_environment(args: &Args, store: &dyn Store, ring: &KeyRing) -> Result<Done> {
    let ids = ring.key_ids();
    if args.prepare || args.drop_old {
        let text = format!("the keys stand in {SECRET_KEY}, where this command cannot change them; {HOW_IN_ENVIRONMENT}");
        return Err(WrongCall(text).into());
    }
    let sealed = seal_anew(store, ring).await?;
    let mut said = vec![format!("{} anew", counted(sealed.anew, "credential was sealed", "credentials were sealed"))];
    if ids.len() == 1 {
        said.push(format!("{SECRET_KEY} holds one key; {HOW_IN_ENVIRONMENT}"));
    } else if sealed.left.is_empty() {
        let rest = keys(&ids[1..]);
        said.push(format!("nothing is left under {rest}: give every process its first key ({}) alone", ids[0]));
    }
    show(
        args,
        &said,
        &sealed,
        json!({ "sealing_key": ids[0].to_string(), "old_keys": names(&ids[1..]), "next_key": null, "dropped": [] }),
    )
}

const HOW_IN_ENVIRONMENT: &str = "to change it, make a key with lineshift admin secret-key, give every server and worker \
     OLD,NEW there and start them anew one by one, then NEW,OLD likewise, then run lineshift admin rotate-secret-key with that; at the \
     end give them NEW alone";

fn names(ids: &[KeyId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// What was done to a key file.
struct Report {
    said: Vec<String>,
    sealed: Sealed,
    dropped: Vec<KeyId>,
}

impl Report {
    fn show(self, args: &Args, file: &HeldKeyFile) -> Result<Done> {
        let keys = json!({
            "sealing_key": file.keys.sealing().to_string(),
            "old_keys": names(&file.keys.old()),
            "next_key": file.keys.next().map(|id| id.to_string()),
            "dropped": names(&self.dropped),
        });
        show(args, &self.said, &self.sealed, keys)
    }
}

fn show(args: &Args, said: &[String], sealed: &Sealed, mut value: serde_json::Value) -> Result<Done> {
    let mut lines = said.to_vec();
    lines.extend(sealed.left.iter().map(|left| format!("left as it was: {left}")));
    value["sealed_anew"] = sealed.anew.into();
    value["left"] = json!(sealed.left);
    Output::by_flag(args.json).one(&lines.join("\n"), &value)?;
    Ok(if sealed.left.is_empty() { Done::Fully } else { Done::Partly })
}
