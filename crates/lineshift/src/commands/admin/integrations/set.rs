//! `lineshift admin integrations set`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use lineshift_connectors::carrier::Carriers;
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::billing::{AccountSettings, IntegrationAccount};
use lineshift_web::accounts::{
    MOST_CALLS_A_DAY, MOST_CALLS_A_MINUTE, MOST_CONCURRENCY, SealCredentials as _, read_base_address, sends_elsewhere,
};
use lineshift_web::credentials::{CredentialField, fields_of, how_to_give, is_callable, not_callable, to_be_sealed};
use lineshift_web::views::{AccountLimitsView, AccountView};
use secrecy::SecretString;

use super::{Accounts, bound};
use crate::audited::{Asked, Told, audited};
use crate::cli::Context;
use crate::exit::{Done, Refused, WrongCall};
use crate::output::Output;

/// Where the help has the options that are credentials.
const CREDENTIALS: &str = "Credentials, by the kind of integration; given together";

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
    /// It is on this machine, or in a network that outbound.allowed_networks lists: it may be called without TLS. Goes with --address.
    #[arg(long, requires = "address")]
    local: bool,
    /// The user's name there; no e-mail address. Rev.io and Jasper.
    #[arg(long, value_name = "USER", help_heading = CREDENTIALS)]
    user: Option<String>,
    /// The client code there, which selects sandbox or production. Rev.io.
    #[arg(long, value_name = "CODE", help_heading = CREDENTIALS)]
    client_code: Option<String>,
    /// The password is the first line of that file; - reads standard input. Rev.io.
    #[arg(long, value_name = "FILE", help_heading = CREDENTIALS)]
    password_file: Option<PathBuf>,
    /// The subscription key of the newer host is the first line of that file. Rev.io; may be left out.
    #[arg(long, value_name = "FILE", help_heading = CREDENTIALS)]
    subscription_key_file: Option<PathBuf>,
    /// The API key is the first line of that file; - reads standard input. Jasper and POND.
    #[arg(long, value_name = "FILE", help_heading = CREDENTIALS)]
    api_key_file: Option<PathBuf>,
    /// The distributor's id. POND.
    #[arg(long, value_name = "ID", help_heading = CREDENTIALS)]
    distributor_id: Option<String>,
    /// The header in which the API key is sent; x-api-key if it is left out. POND.
    #[arg(long, value_name = "NAME", help_heading = CREDENTIALS)]
    header: Option<String>,
    /// The inventory whose package types are the carrier's rate plans. POND; without it they are not listed.
    #[arg(long, value_name = "ID", help_heading = CREDENTIALS)]
    inventory_id: Option<String>,
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
    let (kind, carriers) = (stored.integration_kind, accounts.engine.carriers());
    if !is_callable(carriers, kind) {
        return Err(Refused(format!("{:?} cannot be called: {}", args.name, not_callable(carriers, kind))).into());
    }
    let (base_address, is_local) = address(args, &stored)?;
    let destinations = context.settings().outbound.destinations().of_account(is_local);
    destinations.check_url(&base_address).map_err(|forbidden| WrongCall(format!("--address: {forbidden}")))?;
    let secret_encrypted = match credentials(args, kind, carriers)? {
        Some(credentials) => Some(accounts.outside.seal(key.into(), &credentials).map_err(WrongCall)?),
        None if sends_elsewhere(&stored, &base_address) => {
            let text = format!("another host is called only with credentials that are given with it: {}", how_to_give(kind));
            return Err(Refused(text).into());
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
    let id = key.integration_authentication_id;
    let asked = Asked { tenant: key.tenant_id, action: "admin integrations set", target: Some(format!("integrations/{id}")) };
    audited(&*accounts.store, context, asked, async {
        let stored = accounts.store.set_account(key.tenant_id, id, &settings, SystemClock.now()).await;
        stored.context("storing the account")?;
        Ok(((), Told::default()))
    })
    .await?;
    let account = accounts.show(key).await?;
    Output::by_flag(args.json).one(&told(&account, &accounts.state(key, &account).await?), &account)?;
    Ok(Done::Fully)
}

fn told(account: &AccountView, state: &str) -> String {
    let address = account.base_address.as_deref().unwrap_or_default();
    let who = account.client_code.as_ref().map(|code| format!(" as client {code}")).unwrap_or_default();
    let AccountLimitsView { concurrency, calls_a_minute, calls_a_day } = account.limits;
    let name = &account.name;
    let limits = format!("{concurrency} at a time, {} a minute, {} a day", bound(calls_a_minute), bound(calls_a_day));
    format!("{name} is called at {address}{who}: {limits}; {state}\nTry it: lineshift admin integrations test {name:?}")
}

/// The address as it is from now on, and whether it is local.
fn address(args: &Args, stored: &IntegrationAccount) -> Result<(String, bool)> {
    match (&args.address, &stored.base_address) {
        (Some(given), _) => {
            let read = read_base_address(given, args.local);
            Ok((read.map_err(|expected| WrongCall(format!("--address: expected {expected}")))?, args.local))
        }
        (None, Some(stored_address)) => Ok((stored_address.clone(), stored.is_local)),
        (None, None) => {
            Err(WrongCall(format!("it has no address yet; give one: --address {}", example(stored.integration_kind))).into())
        }
    }
}

/// An address as accounts of that kind have it.
fn example(kind: IntegrationKind) -> &'static str {
    match kind {
        IntegrationKind::REV_IO => "https://restapi.rev.io/v1",
        IntegrationKind::JASPER => "https://HOST/rws/api/v1",
        _ => "https://HOST",
    }
}

/// Where a part of credentials comes from.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// The command line itself.
    Typed(&'a str),
    /// The first line of a file.
    File(&'a Path),
}

/// A part of credentials: the name of its field, its option, and where it comes from.
type Part<'a> = (&'static str, &'static str, Source<'a>);

fn typed<'a>(name: &'static str, flag: &'static str, value: &'a Option<String>) -> Option<Part<'a>> {
    value.as_deref().map(|value| (name, flag, Source::Typed(value)))
}

fn file<'a>(name: &'static str, flag: &'static str, path: &'a Option<PathBuf>) -> Option<Part<'a>> {
    path.as_deref().map(|path| (name, flag, Source::File(path)))
}

/// The parts of credentials that were given.
fn given(args: &Args) -> Vec<Part<'_>> {
    let all = [
        typed("user", "--user", &args.user),
        typed("client_code", "--client-code", &args.client_code),
        file("password", "--password-file", &args.password_file),
        file("subscription_key", "--subscription-key-file", &args.subscription_key_file),
        file("api_key", "--api-key-file", &args.api_key_file),
        typed("distributor_id", "--distributor-id", &args.distributor_id),
        typed("header", "--header", &args.header),
        typed("inventory_id", "--inventory-id", &args.inventory_id),
    ];
    all.into_iter().flatten().collect()
}

/// The credentials as they are to be sealed, if any are given; they are replaced as a whole.
fn credentials(args: &Args, kind: IntegrationKind, carriers: &Carriers) -> Result<Option<SecretString>> {
    let given = given(args);
    if given.is_empty() {
        return Ok(None);
    }
    let fields = fields_of(kind).unwrap_or_default();
    let takes = format!("credentials of a {kind} account are {}", how_to_give(kind));
    if let Some((_, flag, _)) = given.iter().find(|(name, ..)| fields.iter().all(|field| field.name != *name)) {
        return Err(WrongCall(format!("{flag} is none of them: {takes}")).into());
    }
    let is_missing = |field: &&CredentialField| field.is_required && given.iter().all(|(name, ..)| *name != field.name);
    let missing: Vec<&str> = fields.iter().filter(is_missing).map(CredentialField::flag).collect();
    if !missing.is_empty() {
        return Err(WrongCall(format!("{} is missing: {takes}, given together", missing.join(", "))).into());
    }
    let read = |(name, _, source): &Part<'_>| match source {
        Source::Typed(text) => Ok(((*name).to_owned(), SecretString::from(*text))),
        Source::File(path) => Ok(((*name).to_owned(), secret(path)?)),
    };
    let parts = given.iter().map(read).collect::<Result<Vec<_>>>()?;
    let problems = match to_be_sealed(carriers, kind, &parts) {
        Ok(json) => return Ok(Some(json)),
        Err(problems) => problems,
    };
    let named = |name: &str| given.iter().find(|(field, ..)| *field == name).map_or("the credentials", |(_, flag, _)| *flag);
    let lines: Vec<String> = problems.iter().map(|(name, expected)| format!("{}: expected {expected}", named(name))).collect();
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
