//! `lineshift admin key`

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use lineshift_domain::dates::resolve;
use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::names::is_name;
use lineshift_domain::reading::read_effective_date;
use lineshift_domain::rights::Rights;
use lineshift_domain::scopes::Scopes;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::access::{AccessStore, ApiKey, NewApiKey};
use serde_json::json;

use super::reached::{read_reach, require_there};
use crate::audited::{Asked, Told, audited};
use crate::cli::Context;
use crate::exit::{Done, Refused, WrongCall};
use crate::output::{self, Output};
use crate::stores;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key and show it, this once.
    Create {
        /// Who or what uses it; stands as the one who ordered.
        name: String,
        /// What it may do: m2m:view, m2m:create, m2m:edit and so on for mobility, lnp and admin; * is everything.
        #[arg(long, value_name = "SCOPES", default_value = "*")]
        scopes: String,
        /// Whose lines it sees and may order: words such as customer:5, site:7, service_provider:2; * is everything.
        #[arg(long, value_name = "WORDS", default_value = "*")]
        reach: String,
        /// From when on it is refused: a date in ISO 8601.
        #[arg(long, value_name = "DATE")]
        expires: Option<String>,
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the keys, without their secrets.
    List {
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Refuse a key from now on. Changes under way that were ordered with it end rights_lost.
    Revoke {
        /// The key's id.
        id: i64,
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
}

/// Makes a key and answers it, secret included.
pub(crate) async fn create(
    store: &dyn AccessStore,
    tenant: TenantId,
    name: &str,
    rights: Rights,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(PrincipalId, String)> {
    let secret = lineshift_web::new_api_key_secret().map_err(|error| anyhow!("making a secret: {error}"))?;
    let Rights { scopes, reach } = rights;
    let key = NewApiKey { name: name.to_owned(), secret_hash: secret.hash(), scopes, reach, expires_at };
    let id = store.create_api_key(tenant, &key, SystemClock.now()).await.context("storing the key")?;
    Ok((id, secret.format(tenant, id)))
}

/// Runs the command.
pub(super) async fn run(command: Command, context: &Context) -> Result<Done> {
    let store = stores::open_existing(context).await?;
    match command {
        Command::Create { name, scopes, reach, expires, tenant, json } => {
            let tenant = stores::choose_tenant(&*store, tenant.as_deref()).await?;
            let rights = Rights { scopes: read_scopes(&scopes)?, reach: read_reach(&reach)? };
            require_there(&*store, tenant.id, &rights.reach).await?;
            let expires = expires.map(|date| read_expiry(&date, tenant.time_zone)).transpose()?;
            if !is_name(name.trim(), 200) {
                let message = "a key's name has 1 to 200 characters, none of them a control character or invisible";
                return Err(Refused(message.to_owned()).into());
            }
            let asked = Asked { tenant: tenant.id, action: "admin key create", target: None };
            let (id, key) = audited(&*store, context, asked, async {
                let (id, key) = create(&*store, tenant.id, name.trim(), rights.clone(), expires).await?;
                Ok(((id, key), Told { made: Some(format!("keys/{id}")), ..Told::default() }))
            })
            .await?;
            let shown =
                format!("key {id} ({name}) for {}: {key}\nIt is shown this once; keep it where secrets are kept.", tenant.name);
            let (scopes, reach) = (rights.scopes.to_string(), rights.reach.to_string());
            let value = json!({
                "id": id, "name": name, "tenant": tenant.id, "scopes": scopes, "reach": reach, "expires_at": expires, "key": key
            });
            Output::by_flag(json).one(&shown, &value)?;
        }
        Command::List { tenant, json } => {
            let tenant = stores::choose_tenant(&*store, tenant.as_deref()).await?;
            list(&store.list_api_keys(tenant.id).await?, Output::by_flag(json))?;
        }
        Command::Revoke { id, tenant } => {
            let tenant = stores::choose_tenant(&*store, tenant.as_deref()).await?;
            let asked = Asked { tenant: tenant.id, action: "admin key revoke", target: Some(format!("keys/{id}")) };
            audited(&*store, context, asked, async {
                store.revoke_api_key(tenant.id, PrincipalId(id), SystemClock.now()).await?;
                Ok(((), Told::default()))
            })
            .await?;
            output::line(&format!("key {id} is refused from now on"))?;
        }
    }
    Ok(Done::Fully)
}

fn read_scopes(text: &str) -> Result<Scopes> {
    let scopes: Scopes = text.parse().map_err(|error| {
        WrongCall(format!("--scopes: {error}; expected words such as m2m:view or admin:edit, or * for everything"))
    })?;
    if scopes == Scopes::default() {
        return Err(WrongCall("--scopes: a key that may do nothing is of no use; * is everything".to_owned()).into());
    }
    Ok(scopes)
}

fn read_expiry(text: &str, zone: chrono_tz::Tz) -> Result<DateTime<Utc>> {
    let date = read_effective_date(text).map(|date| resolve(date, zone));
    let text = format!("--expires: found {text:?}, expected a date in ISO 8601 after now, such as 2027-01-01");
    date.filter(|date| *date > SystemClock.now()).ok_or_else(|| WrongCall(text).into())
}

fn list(keys: &[ApiKey], output: Output) -> Result<()> {
    let now = SystemClock.now();
    let time = |at: Option<DateTime<Utc>>| at.map(|at| at.format("%F %T").to_string()).unwrap_or_default();
    let state = |key: &ApiKey| match () {
        () if key.revoked_at.is_some() => "revoked",
        () if !key.is_valid(now) => "expired",
        () => "valid",
    };
    let row = |key: &ApiKey| {
        let (scopes, reach) = (output::scopes(&key.scopes), key.reach.to_string());
        let named = [key.id.to_string(), key.name.clone(), state(key).to_owned(), scopes, reach];
        [named.to_vec(), vec![time(key.expires_at), time(key.last_used_at)]].concat()
    };
    let value = |key: &ApiKey| {
        json!({
            "id": key.id,
            "name": key.name,
            "state": state(key),
            "scopes": key.scopes.to_string(),
            "reach": key.reach.to_string(),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "last_used_at": key.last_used_at,
            "revoked_at": key.revoked_at,
        })
    };
    let headers = ["id", "name", "state", "scopes", "reach", "expires (UTC)", "last used (UTC)"];
    output.list(&headers, keys.iter().map(row).collect(), &keys.iter().map(value).collect::<Vec<_>>())
}
