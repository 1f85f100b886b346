//! Somebody who is signed in, with one connection to the server.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// The longest time that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Keeps its cookie, takes answers as they come (compressed), and is not led on.
pub(super) struct Browser {
    client: Client,
    address: String,
    cookie: HeaderValue,
    csrf_token: String,
}

/// What came, and how long it took until all of it was there.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
    pub(super) took: Duration,
}

impl Browser {
    /// Signs in as people do, by the form.
    pub(super) async fn sign_in(address: &str, email: &str, password: &str) -> Result<Self> {
        let client = client(&HeaderMap::new())?;
        let form = form(&[("email", email), ("password", password)])?;
        let request = client.post(format!("{address}/sign-in")).header(CONTENT_TYPE, FORM).body(form);
        let answer = request.send().await.context("signing in")?;
        ensure!(answer.status() == StatusCode::SEE_OTHER, "signing in answered {}", answer.status());
        let set = answer.headers().get(SET_COOKIE).and_then(|set| set.to_str().ok()).context("signing in sets a cookie")?;
        let cookie = HeaderValue::from_str(set.split(';').next().unwrap_or_default())?;
        let mut browser = Self::of(address, cookie, String::new())?;
        let session = browser.read("/api/v1/session").await?;
        browser.csrf_token = session["csrf_token"].as_str().context("a session has a token")?.to_owned();
        Ok(browser)
    }

    fn of(address: &str, cookie: HeaderValue, csrf_token: String) -> Result<Self> {
        let client = client(&[(COOKIE, cookie.clone())].into_iter().collect())?;
        Ok(Self { client, address: address.to_owned(), cookie, csrf_token })
    }

    /// The same person, at another address of the same store.
    pub(super) fn at(&self, address: &str) -> Result<Self> {
        Self::of(address, self.cookie.clone(), self.csrf_token.clone())
    }

    /// Asks for a path, as browsers do.
    pub(super) async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a form of a page.
    pub(super) async fn send_form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let fields = [fields, &[("csrf_token", &self.csrf_token)]].concat();
        self.send(self.request(Method::POST, path).header(CONTENT_TYPE, FORM).body(form(&fields)?)).await
    }

    /// Sends JSON to the API.
    pub(super) async fn post(&self, path: &str, body: Bytes) -> Result<Answer> {
        let request = self.request(Method::POST, path).header("x-csrf-token", &self.csrf_token);
        self.send(request.header(CONTENT_TYPE, "application/json").body(body)).await
    }

    /// What a path of the API answers.
    pub(super) async fn read(&self, path: &str) -> Result<Value> {
        let body = self.plain(path).await?;
        serde_json::from_slice(&body).with_context(|| format!("reading what {path} answered"))
    }

    /// How many compressed bytes a browser is sent beside a page, once.
    pub(super) async fn assets_bytes(&self) -> Result<usize> {
        let page = String::from_utf8(self.plain("/").await?.to_vec()).context("a page is text")?;
        let mut paths: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
        paths.sort_unstable();
        paths.dedup();
        let mut bytes = 0;
        for path in paths {
            let answer = self.get(path).await?;
            ensure!(answer.status == StatusCode::OK, "GET {path} answered {}", answer.status);
            bytes += answer.body.len();
        }
        Ok(bytes)
    }

    async fn plain(&self, path: &str) -> Result<Bytes> {
        let answer = self.client.get(format!("{}{path}", self.address)).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        ensure!(status == StatusCode::OK, "GET {path} answered {status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address)).header(ACCEPT_ENCODING, "gzip")
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        let started = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        Ok(Answer { status, body, took: started.elapsed() })
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Fields as a form sends them.
fn form(fields: &[(&str, &str)]) -> Result<String> {
    let url = reqwest::Url::parse_with_params("http://form/", fields).context("writing a form")?;
    Ok(url.query().unwrap_or_default().to_owned())
}

fn client(headers: &HeaderMap) -> Result<Client> {
    let builder = Client::builder().timeout(TIMEOUT).redirect(Policy::none()).pool_max_idle_per_host(1).tcp_nodelay(true);
    builder.default_headers(headers.clone()).build().context("making an HTTP client")
}
