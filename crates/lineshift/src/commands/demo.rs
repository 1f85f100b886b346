//! `lineshift demo`

mod administrator;
mod billing;
mod carriers;
mod changes;
mod load;
mod paste;
mod summary;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use lineshift_connectors::credentials::Vault;
use lineshift_engine::{Engine, SystemClock};
use lineshift_store_sqlite::SqliteStore;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tokio::net::TcpListener;

use self::changes::Demonstration;
use crate::cli::Context;
use crate::client::Client;
use crate::exit::{Done, WrongCall};
use crate::fleet::Fleet;
use crate::notes::note;
use crate::output::{self, Output};
use crate::serving::{self, Roles, Running, Signals};
use crate::vault::Keys;
use crate::wire::Wire;

/// The port that people expect.
const PORT: u16 = 8080;

/// Show the whole product on a generated fleet.
///
/// Makes a store, fills it with a fleet, starts the server and orders eleven bulk changes over its HTTP API, with lines for
/// every refusal among them. Then it stays, so that you can look around, until Ctrl-C.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// End when everything was shown.
    #[arg(long)]
    exit: bool,
    /// Print one JSON object on standard output; everything else goes to standard error.
    #[arg(long)]
    json: bool,
    /// How many lines the fleet has.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=2_000_000))]
    devices: u64,
    /// Which fleet of that size.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the store in that directory, which is made if it is missing; else it is deleted at the end. Credentials in it are sealed with the key that the configuration names, if it names one.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let mut signals = Signals::hear()?;
    let place = Place::of(args.dir.as_deref())?;
    // Whoever interrupts it gets the temporary directory removed as well.
    let mut shown = tokio::select! {
        shown = show(&args, &place, context) => shown?,
        () = signals.next() => bail!("interrupted before everything was shown"),
    };
    if !args.exit {
        stay(&args, &shown);
        tokio::select! {
            () = signals.next() => {}
            error = shown.running.failed() => return Err(error),
        }
    }
    shown.running.stop().await?;
    shown.store.checkpoint().await.context("closing the store")?;
    Ok(Done::Fully)
}

/// What goes on when everything was shown.
struct Shown {
    store: SqliteStore,
    running: Running,
    base: String,
    key: String,
    password: SecretString,
    /// A text with lines, for the portal.
    to_paste: PathBuf,
    _billing: billing::Connected,
    _carriers: carriers::Carriers,
}

/// Where the store is.
struct Place {
    file: PathBuf,
    /// Removed with everything in it when this is dropped.
    _temporary: Option<TempDir>,
}

impl Place {
    /// The folder that holds the store.
    fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    fn of(dir: Option<&Path>) -> Result<Self> {
        let (dir, temporary) = match dir {
            Some(dir) => {
                std::fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
                (dir.to_owned(), None)
            }
            None => {
                let made =
                    tempfile::Builder::new().prefix("lineshift-demo-").tempdir().context("making a temporary directory")?;
                (made.path().to_owned(), Some(made))
            }
        };
        let file = dir.join("lineshift.sqlite3");
        if file.exists() {
            let text = format!("{} is there already; name another --dir, or look at it with lineshift serve", file.display());
            return Err(WrongCall(text).into());
        }
        Ok(Self { file, _temporary: temporary })
    }
}

async fn show(args: &Args, place: &Place, context: &Context) -> Result<Shown> {
    let options = context.settings().sqlite.options();
    let store = lineshift_store_sqlite::open(&place.file, options).await.context("making the store")?;
    let fleet = Fleet::new(args.devices, args.seed);
    note(&format!("A fleet of {} lines in {}", args.devices, place.file.display()));
    let to_paste = paste::write(&fleet, place.directory())?;
    let loaded = load::load(&store, &fleet).await?;
    let password = administrator::make(&store, loaded.tenant).await?;
    let billing = billing::Billing::start(args.seed, keys(context)?).await?;
    let carriers = carriers::Carriers::start(&fleet, args.seed).await?;
    carriers.connect(&store, &loaded, billing.keys()).await?;
    let (billing, outside) = billing.connect(&store, &loaded).await?;
    let (limits, said) = billing::limits(context.settings().limits);
    note(&said);

    let engine = Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), limits);
    let listener = listen().await?;
    let base = format!("http://{}", serving::address_of(&listener)?);
    let running = serving::start(engine, &outside, Roles::All(listener, Wire::default()), None)?;
    note(&format!("The server listens at {base}; eleven bulk changes are ordered over its API"));
    let client = Client::new(&base, &loaded.key)?;
    let changes = Demonstration { client: &client, store: &store, fleet: &fleet, loaded: &loaded }.run().await?;
    note(&billing.faults());
    note(&carriers.faults());
    let ledgers = (billing.ledger()?, carriers.ledgers()?);
    report(args, &summary::summarize(&store, loaded.tenant, &client, changes, ledgers).await?)?;
    Ok(Shown { store, running, base, key: loaded.key, password, to_paste, _billing: billing, _carriers: carriers })
}

/// The keys that the configuration names, so that a server opens what is kept in a directory; else one that nobody else has.
fn keys(context: &Context) -> Result<Keys> {
    if let Some(keys) = Keys::of(context)? {
        return Ok(keys);
    }
    let key = Vault::generate_key_text().context("making a key")?;
    Ok(Keys::fixed(Vault::from_key_text(&key).context("using the key")?))
}

/// The port that people expect if it is free, else any.
async fn listen() -> Result<TcpListener> {
    match serving::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))).await {
        Ok(listener) => Ok(listener),
        Err(_) => serving::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await,
    }
}

fn report(args: &Args, summary: &summary::Summary) -> Result<()> {
    match Output::by_flag(args.json) {
        Output::Json => output::json(summary),
        Output::Text => output::text(&summary.text()),
    }
}

fn stay(args: &Args, Shown { base, key, password, to_paste, .. }: &Shown) {
    note(&format!(
        "\nThe portal is open: {base}/\n\n  \
         e-mail address  {}\n  password        {}\n  lines to paste  {}\n\n\
         For programs there is {base}/docs with the key {key}; in another shell:\n\n  \
         export LINESHIFT_URL={base} LINESHIFT_API_KEY={key}\n  lineshift status\n\n{}Ctrl-C ends it.",
        administrator::EMAIL,
        password.expose_secret(),
        to_paste.display(),
        if args.dir.is_none() { "The store is deleted at the end. " } else { "" }
    ));
}
