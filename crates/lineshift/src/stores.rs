//! Opening the store that the configuration names, and choosing a tenant in it.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use lineshift_store::Store;
use lineshift_store::access::Tenant;
use lineshift_store_postgres::PostgresStore;
use lineshift_store_sqlite::SqliteStore;

use crate::cli::Context;
use crate::config::{StoreUrl, without_password};
use crate::exit::WrongCall;

/// An open store.
#[derive(Clone)]
pub(crate) enum OpenStore {
    /// The embedded one.
    Sqlite(SqliteStore),
    /// PostgreSQL, and its URL as it may be shown.
    Postgres(PostgresStore, String),
}

impl OpenStore {
    /// For an engine.
    pub(crate) fn shared(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store, _) => Arc::new(store.clone()),
        }
    }

    /// Where it is: a path, or a URL without its password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Sqlite(store) => store.path().display().to_string(),
            Self::Postgres(_, shown) => shown.clone(),
        }
    }

    /// Leaves everything in its place at the end of a process.
    pub(crate) async fn close(&self) -> Result<()> {
        if let Self::Sqlite(store) = self {
            store.checkpoint().await?;
        }
        Ok(())
    }
}

impl Deref for OpenStore {
    type Target = dyn Store;

    fn deref(&self) -> &(dyn Store + 'static) {
        match self {
            Self::Sqlite(store) => store,
            Self::Postgres(store, _) => store,
        }
    }
}

/// Opens the store. The embedded one is made if it is missing, and its schema brought up to date; PostgreSQL's must be: the role that
/// serves may not change it.
pub(crate) async fn open(context: &Context) -> Result<OpenStore> {
    match context.settings().store.url()? {
        StoreUrl::Sqlite(path) => open_sqlite(context, path).await.map(OpenStore::Sqlite),
        StoreUrl::Postgres(url) => {
            let shown = without_password(&url);
            let opened = lineshift_store_postgres::connect(&url, context.settings().postgres.options()).await;
            Ok(OpenStore::Postgres(opened.with_context(|| format!("opening the store {shown}"))?, shown))
        }
    }
}

async fn open_sqlite(context: &Context, path: PathBuf) -> Result<SqliteStore> {
    let options = context.settings().sqlite.options();
    lineshift_store_sqlite::open(&path, options).await.with_context(|| format!("opening the store {}", path.display()))
}

/// Opens a store that must be there.
pub(crate) async fn open_existing(context: &Context) -> Result<OpenStore> {
    if let StoreUrl::Sqlite(path) = context.settings().store.url()?
        && !path.exists()
    {
        let text =
            format!("there is no store {}; name another with --store, or make one with `lineshift migrate`", path.display());
        return Err(WrongCall(text).into());
    }
    open(context).await
}

/// The tenant of that name or id; where none is named, the only one.
pub(crate) async fn choose_tenant(store: &dyn Store, named: Option<&str>) -> Result<Tenant> {
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
