//! A real provider: `oidc-provider`, which the OpenID Foundation has certified, in a process of its own.

use std::path::Path;
use std::process::Stdio;

use chrono::{DateTime, Utc};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A provider; it ends with this.
pub(crate) struct Provider {
    /// As it calls itself.
    pub(crate) issuer: String,
    _process: Child,
    /// Held: a program that cannot say what it wants to say ends.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    /// Starts one whose clock stands at that moment, for a product that browsers reach at that address.
    pub(crate) async fn start(now: DateTime<Utc>, product: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc/provider");
        assert!(folder.join("node_modules").exists(), "the provider is not installed: run `npm ci` in {}", folder.display());
        let mut process = Command::new("node")
            .arg("provider.mjs")
            .arg(now.timestamp_millis().to_string())
            .arg(product)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node is installed");
        let said = process.stdout.take().expect("its output is read");
        let mut said = BufReader::new(said).lines();
        let port = said.next_line().await.expect("it says its port").expect("it says its port");
        Self { issuer: format!("http://127.0.0.1:{port}"), _process: process, _said: said }
    }

    /// Gives it another key; it forgets who was signed in there.
    pub(crate) async fn rotate(&self) {
        let client = reqwest::Client::builder().build().expect("a client");
        let answer = client.post(format!("{}/test/rotate", self.issuer)).send().await.expect("an answer");
        assert_eq!(answer.status(), 204);
    }
}
