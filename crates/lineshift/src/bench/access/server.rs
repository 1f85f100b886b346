//! The server that is asked: `lineshift serve --no-worker` in a process of its own, with the real cost of a password and no limit of
//! requests.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::bench::simulators::next_address;

/// The longest time that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A server that runs.
pub(in crate::bench) struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Over the store of that URL.
    pub(in crate::bench) async fn start(at: &str, directory: &Path) -> Result<Self> {
        let program = std::env::current_exe().context("finding this program")?;
        let mut process = Command::new(program)
            .args(["serve", "--no-worker", "--listen", "127.0.0.1:0", "--store", at])
            .env("LINESHIFT_LIMITS_REQUESTS_PER_SECOND_PER_KEY", "0")
            .env("LINESHIFT_LIMITS_REQUESTS_PER_SECOND_PER_ADDRESS", "0")
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting the server")?;
        let mut heard = BufReader::new(process.stderr.take().context("the server's standard error is piped")?);
        let address = next_address(&mut heard, "").await.context("starting the server")?;
        // What it says later is not waited for, but taken: a full pipe would stop it.
        tokio::spawn(async move {
            let mut lines = heard.lines();
            while let Ok(Some(_)) = lines.next_line().await {}
        });
        Ok(Self { process, address })
    }

    /// Where it answers.
    pub(in crate::bench) fn address(&self) -> &str {
        &self.address
    }

    /// A client with one connection to it, which sends those headers with everything.
    pub(super) fn client(&self, headers: &HeaderMap) -> Result<Caller> {
        let builder = Client::builder().timeout(TIMEOUT).default_headers(headers.clone()).pool_max_idle_per_host(1);
        Ok(Caller { client: builder.tcp_nodelay(true).build().context("making an HTTP client")?, address: self.address.clone() })
    }

    /// Ends it.
    pub(in crate::bench) async fn stop(mut self) -> Result<()> {
        let pid = self.process.id().context("the server is running")?;
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid)?).context("a process has a number")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).context("stopping the server")?;
        let ended = self.process.wait().await?;
        ensure!(ended.success(), "the server ended {ended}");
        Ok(())
    }
}

/// Somebody who asks it.
#[derive(Clone)]
pub(super) struct Caller {
    client: Client,
    address: String,
}

impl Caller {
    /// Asks for that path, which answers that status; how long it took until the whole answer was there.
    pub(super) async fn get(&self, path: &str, expected: StatusCode) -> Result<Duration> {
        let request = self.client.get(format!("{}{path}", self.address));
        let started = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let took = started.elapsed();
        ensure!(status == expected, "GET {path} answered {status}: {}", String::from_utf8_lossy(&body));
        Ok(took)
    }

    /// Posts that to a path.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<()> {
        let request = self.client.post(format!("{}{path}", self.address)).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "POST {path} answered {status}: {}", answer.text().await?);
        Ok(())
    }
}
