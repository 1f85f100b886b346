//! `lineshift admin integrations`

mod set;

use lineshift_domain::reach::Reach;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use lineshift_connectors::http::AccountKey;
use lineshift_engine::{Engine, SystemClock};
use lineshift_store::access::Tenant;
use lineshift_store::catalogue::IntegrationAuthentication;
use lineshift_store::paging::MAX_PAGE_ITEMS;
use lineshift_web::accounts::{SealCredentials as _, show_account};
use lineshift_web::views::{AccountView, ConnectionTestView};

use crate::cli::Context;
use crate::connect::Outside;
use crate::exit::{Done, WrongCall};
use crate::output::{Output, UNBOUND};
use crate::stores::{self, OpenStore};

/// What can be done with accounts of integrations.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List them: where each is called, as whom, how much of it is left. Nothing secret.
    List {
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    Set(Box<set::Args>),
    /// Call one, reading only, and say whether its credentials work (exit code 3 if not).
    Test {
        /// The integration's name.
        name: String,
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(super) async fn run(command: Command, context: &Context) -> Result<Done> {
    match command {
        Command::List { tenant, json } => {
            let accounts = Accounts::open(tenant.as_deref(), context).await?;
            accounts.list(Output::by_flag(json)).await?;
            Ok(Done::Fully)
        }
        Command::Set(args) => set::run(&args, context).await,
        Command::Test { name, tenant, json } => {
            let accounts = Accounts::open(tenant.as_deref(), context).await?;
            let key = accounts.find(&name).await?;
            let test = ConnectionTestView::from(accounts.engine.test_connection(key).await?);
            Output::by_flag(json).one(&format!("{name}: {}", test.message), &test)?;
            Ok(if test.ok { Done::Fully } else { Done::Partly })
        }
    }
}

/// The accounts of a tenant.
struct Accounts {
    store: OpenStore,
    tenant: Tenant,
    engine: Engine,
    outside: Arc<Outside>,
}

impl Accounts {
    async fn open(tenant: Option<&str>, context: &Context) -> Result<Self> {
        let outside = Outside::of(context)?;
        let store = stores::open_existing(context).await?;
        let tenant = stores::choose_tenant(&*store, tenant).await?;
        let engine = Engine::new(store.shared(), Arc::new(SystemClock), context.settings().limits);
        let engine = engine.connected(Arc::clone(&outside) as Arc<dyn lineshift_engine::Connect>);
        Ok(Self { store, tenant, engine, outside })
    }

    async fn all(&self) -> Result<Vec<IntegrationAuthentication>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page =
                self.store.list_integration_authentications(self.tenant.id, &Reach::Everything, after, MAX_PAGE_ITEMS).await;
            let page = page.context("listing integrations")?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    fn key(&self, integration: &IntegrationAuthentication) -> AccountKey {
        AccountKey { tenant_id: self.tenant.id, integration_authentication_id: integration.id }
    }

    async fn find(&self, name: &str) -> Result<AccountKey> {
        let all = self.all().await?;
        let Some(found) = all.iter().find(|integration| integration.name == name) else {
            let known: Vec<&str> = all.iter().map(|integration| integration.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let text = format!(
                "there is no integration {name:?}; there are: {known}; one is made with lineshift import authentications FILE"
            );
            return Err(WrongCall(text).into());
        };
        Ok(self.key(found))
    }

    async fn show(&self, key: AccountKey) -> Result<AccountView> {
        show_account(&self.engine, &*self.outside, key).await.context("reading an account")
    }

    async fn list(&self, output: Output) -> Result<()> {
        let mut accounts = Vec::new();
        let mut rows = Vec::new();
        for integration in self.all().await? {
            let key = self.key(&integration);
            let account = self.show(key).await?;
            rows.push(row(&account, self.state(key, &account).await?));
            accounts.push(account);
        }
        let headers = ["id", "name", "system", "address", "client code", "state", "at a time", "a minute (left)", "a day (left)"];
        output.list(&headers, rows, &accounts)
    }

    /// What stands in the way of calling it, or that nothing does.
    async fn state(&self, key: AccountKey, account: &AccountView) -> Result<String> {
        let stored =
            self.store.get_account(key.tenant_id, key.integration_authentication_id).await.context("reading an account")?;
        let is_sealed_otherwise =
            stored.secret_encrypted.as_deref().is_some_and(|sealed| self.outside.open(key.into(), sealed).is_err());
        Ok(state(account, is_sealed_otherwise))
    }
}

/// A limit as it is shown: carriers state some and others not.
fn bound(limit: u32) -> String {
    if limit < UNBOUND { limit.to_string() } else { "any number".to_owned() }
}

fn row(account: &AccountView, state: String) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (limits, calls) = (account.limits, account.calls);
    vec![
        account.id.to_string(),
        account.name.clone(),
        account.integration_kind.clone(),
        text(&account.base_address),
        text(&account.client_code),
        state,
        limits.concurrency.to_string(),
        left(limits.calls_a_minute, calls.left_in_minute),
        left(limits.calls_a_day, calls.left_in_day),
    ]
}

fn left(limit: u32, left: i64) -> String {
    if limit < UNBOUND { format!("{limit} ({left})") } else { bound(limit) }
}

fn state(account: &AccountView, is_sealed_otherwise: bool) -> String {
    let mut words = Vec::new();
    let mut add = |is_so: bool, word: &str| words.extend(is_so.then(|| word.to_owned()));
    add(!account.is_active, "inactive");
    add(account.base_address.is_none(), "no address");
    add(!account.has_credentials, "no credentials");
    add(is_sealed_otherwise, "sealed with another key");
    add(!account.write_enabled, "writes disabled");
    if let Some(since) = account.refused_at {
        words.push(format!("refused since {}", since.format("%F %T UTC")));
    }
    if words.is_empty() {
        words.push("ready".to_owned());
    }
    if account.is_local {
        words.push("local".to_owned());
    }
    words.join(", ")
}
