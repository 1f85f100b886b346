//! `lineshift admin tenant`

use anyhow::{Context as _, Result};
use chrono_tz::Tz;
use clap::Subcommand;
use lineshift_engine::{Clock as _, SystemClock};
use serde_json::json;

use crate::audited::{Asked, Told, audited};
use crate::cli::Context;
use crate::exit::{Done, Refused};
use crate::output::Output;
use crate::stores;

/// What can be done with tenants.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a tenant.
    Create {
        /// Its name.
        name: String,
        /// The zone in which its days begin, such as America/New_York.
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        time_zone: Tz,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the tenants.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(super) async fn run(command: Command, context: &Context) -> Result<Done> {
    let store = stores::open(context).await?;
    match command {
        Command::Create { name, time_zone, json } => {
            let name = name.trim();
            if name.is_empty() || name.chars().count() > 200 {
                return Err(Refused("a tenant's name has 1 to 200 characters".to_owned()).into());
            }
            let made = store.create_tenant(name, time_zone, SystemClock.now()).await;
            let id = made.with_context(|| format!("making the tenant {name:?}"))?;
            // Its log begins with it: before, there was none to write to.
            let asked = Asked { tenant: id, action: "admin tenant create", target: Some(format!("tenants/{id}")) };
            audited(&*store, context, asked, async { Ok(((), Told::default())) }).await?;
            let value = json!({ "id": id, "name": name, "time_zone": time_zone.name() });
            Output::by_flag(json).one(&format!("tenant {id} ({name}) was made; its days begin in {time_zone}"), &value)?;
        }
        Command::List { json } => {
            let tenants = store.list_tenants().await?;
            let time = |at: chrono::DateTime<chrono::Utc>| at.format("%F %T").to_string();
            let rows = tenants
                .iter()
                .map(|tenant| {
                    vec![tenant.id.to_string(), tenant.name.clone(), tenant.time_zone.to_string(), time(tenant.created_at)]
                })
                .collect();
            let value: Vec<_> = tenants
                .iter()
                .map(|tenant| {
                    let zone = tenant.time_zone.name();
                    json!({ "id": tenant.id, "name": tenant.name, "time_zone": zone, "created_at": tenant.created_at })
                })
                .collect();
            Output::by_flag(json).list(&["id", "name", "time zone", "created (UTC)"], rows, &value)?;
        }
    }
    Ok(Done::Fully)
}
