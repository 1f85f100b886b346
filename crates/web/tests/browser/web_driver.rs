//! The part of the WebDriver protocol (W3C) that the tests need, with what ChromeDriver adds to it.

use std::path::Path;
use std::process::Stdio;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Under which an element's id stands in answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How an element is sought.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By<'a> {
    Css(&'a str),
    XPath(&'a str),
}

impl By<'_> {
    fn json(self) -> Value {
        match self {
            Self::Css(value) => json!({"using": "css selector", "value": value}),
            Self::XPath(value) => json!({"using": "xpath", "value": value}),
        }
    }
}

/// An element of the page that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element(String);

impl Element {
    /// The one that a script has answered, if it has answered one.
    pub(crate) fn of(answer: &Value) -> Option<Self> {
        answer[ELEMENT].as_str().map(|id| Self(id.to_owned()))
    }
}

/// A driver with one session; both end with this, and the browser with them, because they talk over a pipe.
pub(crate) struct WebDriver {
    client: Client,
    session: String,
    _driver: Child,
}

impl WebDriver {
    /// Starts a driver on a port of its choice, and a browser with those capabilities; what they write down goes into a folder.
    pub(crate) async fn start(capabilities: Value, folder: &Path) -> Self {
        let (driver, port) = start_driver(folder).await;
        let client = Client::builder().no_proxy().build().expect("a client");
        let sessions = format!("http://127.0.0.1:{port}/session");
        let mut this = Self { client, session: sessions.clone(), _driver: driver };
        let asked = json!({"capabilities": {"alwaysMatch": capabilities}});
        let made = this.ask(Method::POST, "", asked).await.expect("Chromium starts");
        this.session = format!("{sessions}/{}", made["sessionId"].as_str().expect("a session"));
        this
    }

    /// A command; what it answers, or what the driver says against it.
    async fn ask(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let request = self.client.request(method.clone(), format!("{}{path}", self.session));
        let request = if method == Method::GET { request } else { request.json(&body) };
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let is_success = answer.status().is_success();
        let mut said: Value = answer.json().await.map_err(|error| error.to_string())?;
        if is_success {
            Ok(said["value"].take())
        } else {
            Err(format!("{}: {}", said["value"]["error"], said["value"]["message"]))
        }
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        self.ask(Method::POST, path, body).await
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        self.ask(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn go(&self, url: &str) -> Result<(), String> {
        self.post("/url", json!({ "url": url })).await.map(drop)
    }

    pub(crate) async fn url(&self) -> Result<String, String> {
        Ok(self.get("/url").await?.as_str().unwrap_or_default().to_owned())
    }

    /// The first of them.
    pub(crate) async fn find(&self, by: By<'_>) -> Result<Element, String> {
        let found = self.post("/element", by.json()).await?;
        Ok(Element(found[ELEMENT].as_str().unwrap_or_default().to_owned()))
    }

    /// How many there are.
    pub(crate) async fn count(&self, by: By<'_>) -> Result<usize, String> {
        Ok(self.post("/elements", by.json()).await?.as_array().map_or(0, Vec::len))
    }

    pub(crate) async fn text(&self, element: &Element) -> Result<String, String> {
        let text = self.get(&format!("/element/{}/text", element.0)).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    pub(crate) async fn click(&self, element: &Element) -> Result<(), String> {
        self.post(&format!("/element/{}/click", element.0), json!({})).await.map(drop)
    }

    pub(crate) async fn clear(&self, element: &Element) -> Result<(), String> {
        self.post(&format!("/element/{}/clear", element.0), json!({})).await.map(drop)
    }

    /// Types into an element; into a field for files, the path of one.
    pub(crate) async fn type_into(&self, element: &Element, text: &str) -> Result<(), String> {
        self.post(&format!("/element/{}/value", element.0), json!({ "text": text })).await.map(drop)
    }

    /// Presses and lets go one key after the other, wherever the focus is.
    pub(crate) async fn press(&self, keys: &[char]) -> Result<(), String> {
        let one = |key: &char| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})];
        let actions: Vec<Value> = keys.iter().flat_map(one).collect();
        self.post("/actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})).await.map(drop)
    }

    /// Presses keys one after the other, holds them, and lets them go.
    pub(crate) async fn hold(&self, keys: &[char]) -> Result<(), String> {
        let down = keys.iter().map(|key| json!({"type": "keyDown", "value": key}));
        let up = keys.iter().rev().map(|key| json!({"type": "keyUp", "value": key}));
        let actions: Vec<Value> = down.chain(up).collect();
        self.post("/actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})).await.map(drop)
    }

    /// What an element is called to those who do not see it.
    pub(crate) async fn label(&self, element: &Element) -> Result<String, String> {
        let label = self.get(&format!("/element/{}/computedlabel", element.0)).await?;
        Ok(label.as_str().unwrap_or_default().to_owned())
    }

    /// What a script returns; `later` gets a function to give it to as its last argument.
    pub(crate) async fn script(&self, script: &str, later: bool) -> Result<Value, String> {
        let path = if later { "/execute/async" } else { "/execute/sync" };
        self.post(path, json!({"script": script, "args": []})).await
    }

    /// Puts the window out of sight.
    pub(crate) async fn minimize(&self) -> Result<(), String> {
        self.post("/window/minimize", json!({})).await.map(drop)
    }

    /// Brings it back, in a size.
    pub(crate) async fn restore(&self, width: u32, height: u32) -> Result<(), String> {
        self.post("/window/rect", json!({"width": width, "height": height})).await.map(drop)
    }

    /// What a script of the page asks the person.
    pub(crate) async fn question(&self) -> Result<String, String> {
        Ok(self.get("/alert/text").await?.as_str().unwrap_or_default().to_owned())
    }

    pub(crate) async fn say_yes(&self) -> Result<(), String> {
        self.post("/alert/accept", json!({})).await.map(drop)
    }

    /// The entries of the browser's log since it was asked last.
    pub(crate) async fn log(&self) -> Result<Vec<Value>, String> {
        Ok(self.post("/se/log", json!({"type": "browser"})).await?.as_array().cloned().unwrap_or_default())
    }

    /// A command of Chromium's own protocol.
    pub(crate) async fn devtools(&self, command: &str, params: &Value) -> Result<Value, String> {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": params})).await
    }
}

/// How often a driver is started before it is called broken.
const STARTS: usize = 20;

/// A driver and its port. It takes a free port of one address family and then asks for the same of the other: where a
/// neighbour has that one (measured: 3 starts of 100 beside 900 listeners), it ends, and another is started.
async fn start_driver(folder: &Path) -> (Child, u16) {
    let mut said = String::new();
    for _ in 0..STARTS {
        match try_to_start_driver(folder).await {
            Ok(started) => return started,
            Err(last_words) => said = last_words,
        }
    }
    panic!("chromedriver ended {STARTS} times before it said its port; it said last: {said}");
}

/// Errors: what a driver said that ended before it had a port.
async fn try_to_start_driver(folder: &Path) -> Result<(Child, u16), String> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromedriver is installed (Debian: apt-get install chromium chromium-driver)");
    let mut lines = BufReader::new(driver.stdout.take().expect("its output is read")).lines();
    let mut said = String::new();
    while let Some(line) = lines.next_line().await.expect("its output is text") {
        if let Some((_, port)) = line.split_once("successfully on port ") {
            // A program that cannot say what it wants to say ends.
            tokio::spawn(async move { while lines.next_line().await.is_ok_and(|line| line.is_some()) {} });
            return Ok((driver, port.trim_end_matches('.').parse().expect("a port")));
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}

/// Of a headless Chromium that keeps everything in a folder and asks nobody but the pages' server.
pub(crate) fn capabilities(folder: &Path, without_script: bool) -> Value {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--remote-debugging-pipe",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-proxy-server",
        "--lang=en-US",
        profile.as_str(),
    ];
    let scripts = if without_script { 2 } else { 1 };
    json!({
        "goog:chromeOptions": {
            "args": arguments,
            "prefs": {
                "download.default_directory": folder.join("downloads"),
                "profile.managed_default_content_settings.javascript": scripts,
            },
        },
        "goog:loggingPrefs": {"browser": "ALL"},
        "unhandledPromptBehavior": "ignore",
        "timeouts": {"script": 120_000},
    })
}
