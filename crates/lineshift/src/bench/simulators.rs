//! The systems that a benchmark calls, each a simulator in a process of its own, over real HTTP.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lineshift_connectors::billing::revio::{RevioBilling, RevioCredentials};
use lineshift_connectors::carrier::Carriers;
use lineshift_connectors::http::{Account, AccountKey, AccountLimits, CallMeter, HttpsTransport};
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Connect, Connector, SystemClock};
use lineshift_store::billing::IntegrationAccount;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

/// What every simulator of a benchmark asks for, and every account of one is called with.
const PASSWORD: &str = "benchmark";

/// The longest time that a simulator may take to say what it counted.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(30);

/// Calls the simulators with the credentials that they were started with.
pub(super) struct ConnectSimulators;

impl Connect for ConnectSimulators {
    fn connect(
        &self,
        key: AccountKey,
        account: &IntegrationAccount,
        limits: AccountLimits,
        meter: Arc<dyn CallMeter>,
    ) -> Result<Connector, Reason> {
        let missing = |error: &dyn ToString| Reason::new(Code::CredentialsMissing, error.to_string());
        let transport = HttpsTransport::local().map_err(|error| missing(&error))?;
        let address = account.base_address.as_deref().ok_or_else(|| missing(&"no address"))?;
        let called = Account::new(key, account.name.as_str(), limits, Arc::new(SystemClock), meter, Arc::new(transport), 1);
        let Some(carrier) = self.carriers().find(account.integration_kind) else {
            let credentials = RevioCredentials {
                user: "lineshift".to_owned(),
                client_code: "demo".to_owned(),
                password: SecretString::from(PASSWORD),
                subscription_key: None,
            };
            return Ok(Connector::Billing(Arc::new(RevioBilling::new(called, address, credentials))));
        };
        let credentials = if account.integration_kind == IntegrationKind::POND {
            json!({ "api_key": PASSWORD, "distributor_id": "demo" })
        } else {
            json!({ "user": "lineshift", "api_key": PASSWORD })
        };
        let credentials = SecretString::from(credentials.to_string());
        Ok(Connector::Carrier(carrier.connect(called, address, &credentials).map_err(|error| missing(&error))?))
    }

    fn carriers(&self) -> Carriers {
        Carriers::default()
    }
}

/// A simulator in a process of its own.
pub(super) struct Simulator {
    process: Child,
    /// Where it answers.
    pub(super) address: String,
    ledger: String,
    client: reqwest::Client,
    _heard: BufReader<ChildStderr>,
}

impl Simulator {
    /// A Rev.io that takes so long to answer and limits nobody.
    pub(super) async fn revio(directory: &Path, answer: Duration) -> Result<Self> {
        let options = ["revio", "--customers", "1", "--calls-a-minute", "0", "--calls-a-day", "0"];
        Self::start(directory, answer, &options).await
    }

    /// A carrier that takes so long to answer, with its limits and its lines of the example fleet of that size.
    pub(super) async fn carrier(directory: &Path, answer: Duration, name: &str, fleet: u64) -> Result<Self> {
        Self::start(directory, answer, &[name, "--lines", &fleet.to_string()]).await
    }

    async fn start(directory: &Path, answer: Duration, options: &[&str]) -> Result<Self> {
        let file = directory.join("simulator-password");
        std::fs::write(&file, PASSWORD).context("writing the simulator's password")?;
        let program = std::env::current_exe().context("finding this program")?;
        let mut process = Command::new(program)
            .arg("simulate")
            .args(options)
            .args(["--json", "--ledger-address", "127.0.0.1:0", "--latency-ms", &answer.as_millis().to_string()])
            .arg("--password-file")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting the simulator")?;
        let mut heard = BufReader::new(process.stderr.take().context("the simulator's standard error is piped")?);
        let address = next_address(&mut heard, "").await?;
        let ledger = next_address(&mut heard, "/ledger").await?;
        let client = reqwest::Client::builder().timeout(LEDGER_TIMEOUT).build().context("making an HTTP client")?;
        Ok(Self { process, address, ledger, client, _heard: heard })
    }

    /// How many calls have come in so far.
    pub(super) async fn calls(&self) -> Result<u64> {
        let answer = self.client.get(&self.ledger).send().await.context("asking a simulator what it counted")?;
        calls_of(&serde_json::from_slice(&answer.bytes().await?).context("reading what a simulator counted")?)
    }

    /// Stops it; answers what stands in its ledger.
    pub(super) async fn stop(mut self) -> Result<Value> {
        let pid = self.process.id().context("the simulator is running")?;
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid)?).context("a process has a number")?;
        rustix::process::kill_process(pid, rustix::process::Signal::INT).context("stopping the simulator")?;
        let mut said = String::new();
        let mut output = self.process.stdout.take().context("the simulator's standard output is piped")?;
        output.read_to_string(&mut said).await?;
        self.process.wait().await?;
        serde_json::from_str(&said).context("reading what the simulator counted")
    }
}

/// The next address that a server says which ends so.
pub(super) async fn next_address(heard: &mut BufReader<ChildStderr>, ending: &str) -> Result<String> {
    let mut line = String::new();
    loop {
        line.clear();
        ensure!(heard.read_line(&mut line).await? > 0, "the simulator ended before it listened");
        let address = line.split_whitespace().find(|word| word.starts_with("http://") && word.ends_with(ending));
        if let Some(address) = address {
            return Ok(address.to_owned());
        }
    }
}

/// How many calls a ledger counted.
pub(super) fn calls_of(ledger: &Value) -> Result<u64> {
    let calls = ledger["calls"].as_object().context("a simulator counts calls")?;
    Ok(calls.values().filter_map(Value::as_u64).sum())
}
