//! Databases for tests: each its own, copied from a migrated one, gone when it is dropped.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lineshift_domain::ids::TenantId;
use lineshift_store::Result;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage, SimpleQueryRow};
use url::Url;

use crate::engine::Postgres;
use crate::error::store_error;
pub use crate::instead::Instead;
use crate::migrate::{MIGRATIONS, query};
use crate::{Options, PostgresStore, connect};

/// Where the tests' server is: the URL of its superuser, as `.ci/postgres` prints it and `./test` sets it.
pub const SERVER: &str = "LINESHIFT_TEST_POSTGRES";

/// A database of one test.
pub struct TestDatabase {
    server: Url,
    name: String,
    /// In it, as the superuser.
    superuser: Postgres,
}

impl TestDatabase {
    /// A new one with the schema of this version.
    ///
    /// # Panics
    /// When there is no server: no test is left out for that.
    pub async fn new() -> Self {
        Self::on(server().as_str()).await
    }

    /// A new one on that server, by the URL of its superuser.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn on(server: &str) -> Self {
        let server = Url::parse(server).expect("the server's URL");
        let template = template(&server).await;
        Self::made_from(server, &template).await
    }

    /// A new one without any schema.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn empty() -> Self {
        Self::made_from(server(), "template1").await
    }

    /// It as its owner, for migrations.
    ///
    /// # Panics
    /// When the URL cannot be read.
    #[must_use]
    pub fn owner(&self, options: Options) -> Postgres {
        Postgres::new(&self.owner_url(), Options { trust_role: true, ..options }).expect("the server's URL")
    }

    /// Another one with the same rows. Whoever is connected to this one is cut off first.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn copy(&self) -> Self {
        self.cut_off("true").await;
        Self::made_from(self.server.clone(), &self.name).await
    }

    async fn made_from(server: Url, template: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        // A process of that number may have been killed before it dropped its own.
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let make = format!("CREATE DATABASE {name} TEMPLATE {template} OWNER lineshift_owner");
        admin(&server, vec![drop, make]).await;
        let mut inside = server.clone();
        inside.set_path(&name);
        let superuser = Postgres::new(inside.as_str(), Options { connections: 4, ..owner_options() }).expect("the server's URL");
        Self { server, name, superuser }
    }

    /// Ends the connections to it for which that condition over `pg_stat_activity` holds, whatever they do.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn cut_off(&self, condition: &str) {
        let whose = format!("datname = '{}' AND pid <> pg_backend_pid() AND ({condition})", self.name);
        // It answers when they are gone.
        let text = format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {whose}");
        admin(&self.server, vec![text]).await;
    }

    /// Runs statements as the superuser, in one transaction.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&self, statements: &str) -> Result<()> {
        let text = statements.to_owned();
        self.superuser.on_session(move |lent| lent.long_batch(&text).map_err(store_error)).await
    }

    /// The rows of a query as the superuser, over all tenants; each column as text, a null as `NULL`, yes and no as 1 and 0.
    ///
    /// # Errors
    /// What the database says.
    pub async fn inspect(&self, query: &str) -> Result<Vec<Vec<String>>> {
        self.looked_up(String::new(), query.to_owned()).await
    }

    /// The same over the rows that row level security shows to that tenant.
    ///
    /// # Errors
    /// What the database says.
    pub async fn inspect_of(&self, tenant: TenantId, query: &str) -> Result<Vec<Vec<String>>> {
        let scope = format!("SET LOCAL ROLE lineshift_app; SET LOCAL app.tenant_id = '{}'", tenant.0);
        self.looked_up(scope, query.to_owned()).await
    }

    async fn looked_up(&self, scope: String, query: String) -> Result<Vec<Vec<String>>> {
        let slot = self.superuser.pool.slot().await?;
        let pool = Arc::clone(&self.superuser.pool);
        let looking = move || {
            let mut lent = pool.lend(slot, false)?;
            lent.is_clean = false;
            let rows = pool.io().block_on(rows_as_text(&lent.session().client, &scope, &query)).map_err(store_error)?;
            lent.is_clean = true;
            Ok(rows)
        };
        tokio::task::spawn_blocking(looking).await.expect("looking does not panic")
    }

    /// The URL by which the product works in it.
    #[must_use]
    pub fn app_url(&self) -> String {
        self.url("lineshift_app")
    }

    /// The URL of its owner.
    #[must_use]
    pub fn owner_url(&self) -> String {
        self.url("lineshift_owner")
    }

    /// The URL of the superuser, in it: for checks that look at all tenants.
    #[must_use]
    pub fn superuser_url(&self) -> String {
        self.url(self.server.username())
    }

    /// The URL by which a process works in it whose connections are known by that name.
    #[must_use]
    pub fn app_url_of(&self, process: &str) -> String {
        format!("{}?application_name={process}", self.app_url())
    }

    /// The store in it, as the product works in it.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn store(&self, options: Options) -> PostgresStore {
        connect(&self.app_url(), options).await.expect("the store opens")
    }

    /// The same as [`Self::inspect`].
    ///
    /// # Panics
    /// When it cannot be run.
    pub async fn look(&self, query: &str) -> Vec<Vec<String>> {
        self.inspect(query).await.unwrap_or_else(|error| panic!("{error:?}: {query}"))
    }

    /// The product's role in it, in a session of its own: for plain SQL, whatever tenant it sets.
    ///
    /// # Panics
    /// When the URL cannot be read.
    #[must_use]
    pub fn product(&self) -> ProductSession {
        ProductSession(Postgres::new(&self.app_url(), owner_options()).expect("the server's URL"))
    }

    /// A session of the superuser's own, in which a transaction stays open from one call to the next.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn session(&self) -> OpenSession {
        let (client, connection) = tokio_postgres::connect(&self.superuser_url(), NoTls).await.expect("the server answers");
        tokio::spawn(connection);
        OpenSession(client)
    }

    fn url(&self, role: &str) -> String {
        let mut url = self.server.clone();
        url.set_username(role).expect("a role");
        url.set_path(&self.name);
        url.to_string()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, text) = (self.server.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // On a thread of its own: what is dropped may be dropped by a runtime.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(admin(&server, vec![text]));
        });
        drop(dropped.join());
    }
}

/// One session of the product's role.
pub struct ProductSession(Postgres);

impl ProductSession {
    /// The rows of all statements of that text, which is one transaction as long as it begins none itself; each column as text, a
    /// null as `NULL`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn send(&self, statements: &str) -> Result<Vec<Vec<String>>> {
        let slot = self.0.pool.slot().await?;
        let (pool, text) = (Arc::clone(&self.0.pool), statements.to_owned());
        let sending = move || {
            let mut lent = pool.lend(slot, false)?;
            let answer = pool.io().block_on(lent.session().client.simple_query(&text)).map_err(store_error)?;
            Ok(shown(&answer))
        };
        tokio::task::spawn_blocking(sending).await.expect("sending does not panic")
    }
}

/// One session of the superuser.
pub struct OpenSession(Client);

impl OpenSession {
    /// The rows of all statements of that text; each column as text, a null as `NULL`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn send(&self, statements: &str) -> Result<Vec<Vec<String>>> {
        let answer = self.0.simple_query(statements).await.map_err(store_error)?;
        Ok(shown(&answer))
    }
}

fn shown(answer: &[SimpleQueryMessage]) -> Vec<Vec<String>> {
    let rows = answer.iter().filter_map(|message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None });
    rows.map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or("NULL").to_owned()).collect()).collect()
}

async fn rows_as_text(client: &Client, scope: &str, query: &str) -> std::result::Result<Vec<Vec<String>>, tokio_postgres::Error> {
    client.batch_execute(&format!("BEGIN; {scope}")).await?;
    let prepared = client.prepare(query).await?;
    let is_bool: Vec<bool> = prepared.columns().iter().map(|column| *column.type_() == Type::BOOL).collect();
    let shown = |row: &SimpleQueryRow| {
        let column = |(at, is_bool): (usize, &bool)| match row.get(at) {
            None => "NULL".to_owned(),
            Some(text) if *is_bool => i32::from(text == "t").to_string(),
            Some(text) => text.to_owned(),
        };
        is_bool.iter().enumerate().map(column).collect()
    };
    let answer = client.simple_query(query).await?;
    let rows = answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(shown(row)),
        _ => None,
    });
    let rows = rows.collect();
    client.batch_execute("ROLLBACK").await?;
    Ok(rows)
}

#[expect(clippy::disallowed_methods, reason = "where the tests' server is, is not the product's to configure")]
fn server() -> Url {
    let url = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} is not set: run ./test, or start a server with `.ci/postgres start DIRECTORY` and set it to what that prints")
    });
    Url::parse(&url).expect("the server's URL")
}

/// The name of the database that others are copied from; made by whoever comes first.
async fn template(server: &Url) -> String {
    let mut hasher = DefaultHasher::new();
    for migration in MIGRATIONS {
        (migration.name, migration.sql).hash(&mut hasher);
    }
    let name = format!("template_{:016x}", hasher.finish());
    let mut owner = server.clone();
    owner.set_username("lineshift_owner").expect("a role");
    owner.set_path(&name);
    let (named, owner) = (name.clone(), owner.to_string());
    let admin = Postgres::new(server.as_str(), owner_options()).expect("the server's URL");
    let making = admin.on_session(move |lent| {
        // Whoever comes first takes as long as it takes, and the others wait for it.
        let wait = "SET lock_timeout = 0; SET statement_timeout = 0; SELECT pg_advisory_lock(7305188012342)";
        lent.long_batch(wait).map_err(store_error)?;
        let ready = format!("SELECT datistemplate FROM pg_database WHERE datname = '{named}'");
        match query(lent, &ready)?.first().map(|row| row.get::<_, bool>(0)) {
            Some(true) => return Ok(()),
            // Whoever made it was killed.
            Some(false) => lent.batch(&format!("DROP DATABASE {named} WITH (FORCE)")).map_err(store_error)?,
            None => {}
        }
        lent.batch(&format!("CREATE DATABASE {named} OWNER lineshift_owner")).map_err(store_error)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { Postgres::new(&owner, owner_options())?.migrate().await })?;
        lent.batch(&format!("ALTER DATABASE {named} IS_TEMPLATE true")).map_err(store_error)
    });
    making.await.expect("the database that others are copied from");
    name
}

async fn admin(server: &Url, statements: Vec<String>) {
    let admin = Postgres::new(server.as_str(), owner_options()).expect("the server's URL");
    let done = admin.on_session(move |lent| statements.iter().try_for_each(|text| lent.batch(text).map_err(store_error)));
    done.await.expect("the server does what its superuser asks");
}

fn owner_options() -> Options {
    Options { connections: 1, trust_role: true, ..Options::default() }
}
