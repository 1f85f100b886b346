//! `lineshift admin personal-data`

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use lineshift_domain::ids::{RevCustomerId, TenantId};
use lineshift_store::StoreError;
use lineshift_store_sql::personal::{
    ErasedRows, OwnerEngine, TakeExported, count_lines, erase_personal_data, export_personal_data,
};
use lineshift_store_sql::{OwnedValue, SqlStore};
use serde_json::{Map, Value, json};

use crate::audited::{Asked, Told, audited};
use crate::cli::Context;
use crate::config::StoreUrl;
use crate::exit::{Done, Refused};
use crate::output::{Output, counted};
use crate::stores;

/// What can be done with what is stored of a customer; with the URL of the schema's owner on PostgreSQL.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write everything that is stored of a customer to standard output, as JSON.
    Export {
        /// The customer's id.
        #[arg(long, value_name = "ID")]
        customer: i64,
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
    /// Blank names, numbers and addresses of a customer, and who worked for it, wherever they are stored. Nobody can bring them back.
    ///
    /// Cancel what is under way first, and take the customer out of the billing system: a synchronisation would bring its name again. Cut off, it is run once more and goes on.
    Erase {
        /// The customer's id.
        #[arg(long, value_name = "ID")]
        customer: i64,
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Erase it.
        #[arg(long)]
        yes: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(super) async fn run(command: Command, context: &Context) -> Result<Done> {
    match context.settings().store.url()? {
        StoreUrl::Sqlite(_) => {
            let stores::OpenStore::Sqlite(store) = stores::open_existing(context).await? else {
                unreachable!("the URL of an embedded store opens one");
            };
            run_on(&store, command, context).await
        }
        StoreUrl::Postgres(url) => run_on(&SqlStore::new(lineshift_store_postgres::as_owner(&url)?), command, context).await,
    }
}

async fn run_on<E: OwnerEngine>(store: &SqlStore<E>, command: Command, context: &Context) -> Result<Done> {
    let named = match &command {
        Command::Export { tenant, .. } | Command::Erase { tenant, .. } => tenant.clone(),
    };
    let tenant = stores::choose_tenant(store, named.as_deref()).await?.id;
    match command {
        Command::Export { customer, .. } => export(store, tenant, RevCustomerId(customer), context).await,
        Command::Erase { customer, yes, json, .. } => {
            let customer = RevCustomerId(customer);
            let lines = count_lines(&**store, tenant, customer).await?;
            if !yes {
                let lines = counted(lines, "line", "lines");
                let text =
                    format!("nothing was erased: --yes erases what is personal of customer {customer} and its {lines}, for ever");
                return Err(Refused(text).into());
            }
            erase(store, (tenant, customer, lines), context, Output::by_flag(json)).await
        }
    }
}

async fn erase<E: OwnerEngine>(
    store: &SqlStore<E>,
    (tenant, customer, lines): (TenantId, RevCustomerId, i64),
    context: &Context,
    output: Output,
) -> Result<Done> {
    let target = Some(format!("customers/{customer}"));
    let asked = Asked { tenant, action: "admin personal-data erase", target };
    let erased = audited(store, context, asked, async {
        let erased = erase_personal_data(&**store, tenant, customer).await?;
        let note = Some(format!("erased: {}", in_words(&erased)));
        Ok((erased, Told { devices: Some(lines), made: None, note }))
    })
    .await?;
    let tables: Map<String, Value> = erased.iter().map(|of| (of.table.to_owned(), of.rows.into())).collect();
    let shown = format!("customer {customer} is erased: {}", in_words(&erased));
    output.one(&shown, &json!({ "customer": customer, "lines": lines, "rows": tables }))?;
    Ok(Done::Fully)
}

/// `device 3, site 1`; tables of which nothing was left are left out.
fn in_words(erased: &[ErasedRows]) -> String {
    let some = erased.iter().filter(|of| of.rows > 0).map(|of| format!("{} {}", of.table, of.rows));
    let some: Vec<String> = some.collect();
    if some.is_empty() { "nothing was left of it".to_owned() } else { some.join(", ") }
}

async fn export<E: OwnerEngine>(
    store: &SqlStore<E>,
    tenant: TenantId,
    customer: RevCustomerId,
    context: &Context,
) -> Result<Done> {
    let target = Some(format!("customers/{customer}"));
    let asked = Asked { tenant, action: "admin personal-data export", target };
    audited(store, context, asked, async {
        count_lines(&**store, tenant, customer).await?;
        print(&format!("{{\"tenant\":{tenant},\"customer\":{customer},\"rows\":["))?;
        // Between the first row and the next one stands a comma.
        let before = Mutex::new("\n");
        let take: TakeExported = Arc::new(move |table, columns| {
            let mut before = before.lock().unwrap_or_else(PoisonError::into_inner);
            let between = std::mem::replace(&mut *before, ",\n");
            print(&format!("{between}{}", row(table, columns))).map_err(|error| StoreError::Internal {
                context: "writing to standard output".to_owned(),
                source: Some(error.into()),
            })
        });
        let rows = export_personal_data(&**store, tenant, customer, take).await?;
        print("\n]}\n")?;
        Ok(((), Told { note: Some(format!("exported: {}", counted(rows, "row", "rows"))), ..Told::default() }))
    })
    .await
    .with_context(|| format!("exporting customer {customer}"))?;
    Ok(Done::Fully)
}

fn row(table: &'static str, columns: &[(&'static str, OwnedValue)]) -> Value {
    let value = |value: &OwnedValue| match value {
        OwnedValue::Null => Value::Null,
        OwnedValue::Integer(number) => (*number).into(),
        OwnedValue::Text(text) => text.as_str().into(),
        OwnedValue::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
    };
    let columns: Map<String, Value> = columns.iter().map(|(name, held)| ((*name).to_owned(), value(held))).collect();
    json!({ "table": table, "row": columns })
}

fn print(text: &str) -> std::io::Result<()> {
    std::io::stdout().lock().write_all(text.as_bytes())
}
