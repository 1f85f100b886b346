//! Opening the store that the configuration names, and choosing a tenant in it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lineshift_store::access::{AccessStore as _, Tenant};
use lineshift_store_sqlite::SqliteStore;

use crate::cli::Context;
use crate::config::StoreUrl;
use crate::exit::WrongCall;

/// The file of the embedded store.
pub(crate) fn store_file(context: &Context) -> Result<PathBuf> {
    let StoreUrl::Sqlite(path) = context.settings().store.parse()?;
    Ok(path)
}

/// Opens the store, makes it if it is missing, and brings its schema up to date.
pub(crate) async fn open(context: &Context) -> Result<SqliteStore> {
    let path = store_file(context)?;
    let options = context.settings().sqlite.options();
    lineshift_store_sqlite::open(&path, options).await.with_context(|| format!("opening the store {}", path.display()))
}

/// Opens a store that must be there.
pub(crate) async fn open_existing(context: &Context) -> Result<SqliteStore> {
    let path = store_file(context)?;
    if !path.exists() {
        let text =
            format!("there is no store {}; name another with --store, or make one with `lineshift migrate`", path.display());
        return Err(WrongCall(text).into());
    }
    open(context).await
}

/// The tenant of that name or id; where none is named, the only one.
pub(crate) async fn choose_tenant(store: &SqliteStore, named: Option<&str>) -> Result<Tenant> {
    let mut tenants = store.list_tenants().await.context("listing tenants")?;
    let Some(named) = named else {
        return match tenants.len() {
            1 => Ok(tenants.remove(0)),
            0 => Err(WrongCall("the store has no tenant; make one: lineshift admin tenant create NAME".to_owned()).into()),
            _ => Err(WrongCall(format!("the store has several tenants; choose one with --tenant: {}", names(&tenants))).into()),
        };
    };
    let known = names(&tenants);
    let chosen = tenants.into_iter().find(|tenant| tenant.name == named || tenant.id.to_string() == named);
    chosen.ok_or_else(|| WrongCall(format!("there is no tenant {named:?}; there are: {known}")).into())
}

fn names(tenants: &[Tenant]) -> String {
    tenants.iter().map(|tenant| format!("{} ({})", tenant.name, tenant.id)).collect::<Vec<_>>().join(", ")
}
