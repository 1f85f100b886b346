//! `lineshift admin integrations set`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use lineshift_connectors::billing::revio::RevioCredentials;
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::billing::{AccountSettings, IntegrationAccount};
use lineshift_web::accounts::{
    MOST_CALLS_A_DAY, MOST_CALLS_A_MINUTE, MOST_CONCURRENCY, SealCredentials as _, credential_problems, read_base_address,
    sends_elsewhere,
};
use secrecy::SecretString;

use super::{Accounts, state};
use crate::cli::Context;
use crate::exit::{Done, Refused, WrongCall};
use crate::output::Output;

/// Say how an integration is called. What is not given stays as it is; servers that run take it up with their next call.
///
/// Secrets are read from files or standard input, sealed with the key of the configuration, and never shown. Whoever names
/// another host has to give the credentials, too.
#[derive(Debug, clap::Args)]
pub(in crate::commands::admin) struct Args {
    /// The integration's name.
    name: String,
    /// Where it is called, such as `https://restapi.rev.io/v1`.
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    /// It is on this machine or in its own network: it may be called without TLS. Goes with --address.
    #[arg(long, requires = "address")]
    local: bool,
    /// The user's name there; no e-mail address.
    #[arg(long, value_name = "USER", requires = "client_code", requires = "password_file")]
    user: Option<String>,
    /// The client code there, which selects sandbox or production.
    #[arg(long, value_name = "CODE", requires = "user")]
    client_code: Option<String>,
    /// The password is the first line of that file; - reads standard input.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// The subscription key of the newer host is the first line of that file.
    #[arg(long, value_name = "FILE", requires = "user")]
    subscription_key_file: Option<PathBuf>,
    /// Calls at a time; default: the configured limit.
    #[arg(long, value_name = "N|default", value_parser = concurrency)]
    concurrency: Option<Wanted>,
    /// Calls in any minute; default: the configured limit.
    #[arg(long, value_name = "N|default", value_parser = calls_a_minute)]
    calls_a_minute: Option<Wanted>,
    /// Calls in any 24 hours; default: the configured limit.
    #[arg(long, value_name = "N|default", value_parser = calls_a_day)]
    calls_a_day: Option<Wanted>,
    /// Nothing is written there until writes are enabled again.
    #[arg(long, conflicts_with = "enable_writes")]
    disable_writes: bool,
    /// It may be written to again.
    #[arg(long)]
    enable_writes: bool,
    /// The tenant, by name or id; may be left out where there is only one.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A limit of the account's own, or the configured one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Default,
    Own(u32),
}

impl Wanted {
    const fn own(self) -> Option<u32> {
        match self {
            Self::Default => None,
            Self::Own(limit) => Some(limit),
        }
    }
}

fn limit(text: &str, most: u32) -> Result<Wanted, String> {
    if text == "default" {
        return Ok(Wanted::Default);
    }
    let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
    limit.map(Wanted::Own).ok_or_else(|| format!("expected 1 to {most}, or default"))
}

fn concurrency(text: &str) -> Result<Wanted, String> {
    limit(text, MOST_CONCURRENCY)
}

fn calls_a_minute(text: &str) -> Result<Wanted, String> {
    limit(text, MOST_CALLS_A_MINUTE)
}

fn calls_a_day(text: &str) -> Result<Wanted, String> {
    limit(text, MOST_CALLS_A_DAY)
}

/// Runs the command.
pub(super) async fn run(args: &Args, context: &Context) -> Result<Done> {
    let accounts = Accounts::open(args.tenant.as_deref(), context).await?;
    let key = accounts.find(&args.name).await?;
    let stored = accounts.store.get_account(key.tenant_id, key.integration_authentication_id).await?;
    if stored.integration_kind != IntegrationKind::REV_IO {
        let text = format!("{:?} is a {} account; this version calls Rev.io accounts only", args.name, stored.integration_kind);
        return Err(Refused(text).into());
    }
    let (base_address, is_local) = address(args, &stored)?;
    let secret_encrypted = match credentials(args)? {
        Some(credentials) => Some(accounts.outside.seal(key, &credentials).map_err(WrongCall)?),
        None if sends_elsewhere(&stored, &base_address) => {
            let text =
                "another host is called only with credentials that are given with it: --user, --client-code, --password-file";
            return Err(Refused(text.to_owned()).into());
        }
        None => None,
    };
    let own = |wanted: Option<Wanted>, stored: Option<u32>| wanted.map_or(stored, Wanted::own);
    let settings = AccountSettings {
        base_address,
        secret_encrypted,
        is_local,
        write_enabled: if args.disable_writes { false } else { args.enable_writes || stored.write_enabled },
        concurrency: own(args.concurrency, stored.concurrency),
        calls_a_minute: own(args.calls_a_minute, stored.calls_a_minute),
        calls_a_day: own(args.calls_a_day, stored.calls_a_day),
    };
    accounts
        .store
        .set_account(key.tenant_id, key.integration_authentication_id, &settings, SystemClock.now())
        .await
        .context("storing the account")?;
    let account = accounts.show(key).await?;
    let address = account.base_address.as_deref().unwrap_or_default();
    let who = account.client_code.as_ref().map(|code| format!(" as client {code}")).unwrap_or_default();
    let limits = account.limits;
    let shown = format!(
        "{} is called at {address}{who}: {} at a time, {} a minute, {} a day; {}\nTry it: lineshift admin integrations test {:?}",
        account.name,
        limits.concurrency,
        limits.calls_a_minute,
        limits.calls_a_day,
        state(&account),
        account.name,
    );
    Output::by_flag(args.json).one(&shown, &account)?;
    Ok(Done::Fully)
}

/// The address as it is from now on, and whether it is local.
fn address(args: &Args, stored: &IntegrationAccount) -> Result<(String, bool)> {
    match (&args.address, &stored.base_address) {
        (Some(given), _) => {
            let read = read_base_address(given, args.local);
            Ok((read.map_err(|expected| WrongCall(format!("--address: expected {expected}")))?, args.local))
        }
        (None, Some(stored_address)) => Ok((stored_address.clone(), stored.is_local)),
        (None, None) => Err(WrongCall("it has no address yet; give one: --address https://restapi.rev.io/v1".to_owned()).into()),
    }
}

/// The credentials, if any are given; they are replaced as a whole.
fn credentials(args: &Args) -> Result<Option<RevioCredentials>> {
    let (Some(user), Some(client_code), Some(password_file)) = (&args.user, &args.client_code, &args.password_file) else {
        return Ok(None);
    };
    let credentials = RevioCredentials {
        user: user.clone(),
        client_code: client_code.clone(),
        password: secret(password_file)?,
        subscription_key: args.subscription_key_file.as_deref().map(secret).transpose()?,
    };
    let problems = credential_problems(&credentials);
    if problems.is_empty() {
        return Ok(Some(credentials));
    }
    let lines: Vec<String> = problems.iter().map(|(name, expected)| format!("{name}: expected {expected}")).collect();
    Err(WrongCall(lines.join("\n  ")).into())
}

/// More than any secret's line.
const MOST_SECRET_BYTES: u64 = 64 << 10;

/// The first line of a file, or of standard input.
fn secret(path: &Path) -> Result<SecretString> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_SECRET_BYTES).read_to_string(&mut text).context("reading standard input")?;
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
        file.take(MOST_SECRET_BYTES).read_to_string(&mut text).with_context(|| format!("reading {}", path.display()))?;
    }
    Ok(SecretString::from(text.lines().next().unwrap_or_default()))
}
