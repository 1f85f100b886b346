//! A browser, as far as signing in needs one: cookies by host and path, forms, redirects one by one.

use std::collections::BTreeMap;

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, BrowserSession, HttpCaller, send};
use reqwest::{Client, Method, Url, redirect};

use crate::world::PUBLIC_URL;

/// Where it begins.
pub(crate) const START: &str = "/api/v1/session/openid/start";

/// Somebody's browser. What it takes for the public address of the product is the one under test.
pub(crate) struct Browser {
    client: Client,
    product: String,
    /// By host, path and name.
    cookies: BTreeMap<(String, String, String), String>,
}

impl Browser {
    /// One that has been nowhere yet.
    pub(crate) fn of(app: &TestApp) -> Self {
        // Connections that a server closes when they are idle are no part of this.
        let client = Client::builder().redirect(redirect::Policy::none()).pool_max_idle_per_host(0).build().expect("a client");
        Self { client, product: app.url.clone(), cookies: BTreeMap::new() }
    }

    /// Goes to an address, or to a path of the product; follows nothing.
    pub(crate) async fn get(&mut self, address: &str) -> Answer {
        self.go(Method::GET, address, None).await
    }

    /// Sends a form.
    pub(crate) async fn post(&mut self, address: &str, form: &[(&str, &str)]) -> Answer {
        self.go(Method::POST, address, Some(form)).await
    }

    async fn go(&mut self, method: Method, address: &str, form: Option<&[(&str, &str)]>) -> Answer {
        let address = address.strip_prefix(PUBLIC_URL).unwrap_or(address);
        let url = if address.starts_with('/') { format!("{}{address}", self.product) } else { address.to_owned() };
        let url = Url::parse(&url).expect("an address");
        let mut request = self.client.request(method, url.clone()).header("accept", "text/html,*/*;q=0.8");
        let cookies = self.cookies_for(&url);
        if !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        if let Some(form) = form {
            let text = Url::parse_with_params("http://form", form).expect("a form").query().unwrap_or_default().to_owned();
            request = request.header("content-type", "application/x-www-form-urlencoded").body(text);
        }
        let answer = send(request).await;
        self.keep(&url, &answer);
        answer
    }

    fn cookies_for(&self, url: &Url) -> String {
        let fits = |(host, path, _): &&(String, String, String)| *host == host_of(url) && url.path().starts_with(path.as_str());
        let fitting = self.cookies.keys().filter(fits).map(|key| format!("{}={}", key.2, self.cookies[key]));
        fitting.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, url: &Url, answer: &Answer) {
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().expect("a cookie is text");
            let mut parts = line.split(';').map(str::trim);
            let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a pair");
            let attributes: Vec<(String, &str)> = parts
                .map(|part| part.split_once('=').unwrap_or((part, "")))
                .map(|(name, value)| (name.to_lowercase(), value))
                .collect();
            let find = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
            let key = (host_of(url), find("path").unwrap_or("/").to_owned(), name.to_owned());
            if value.is_empty() || find("max-age") == Some("0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }

    /// A cookie of the product.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let url = Url::parse(&self.product).expect("an address");
        self.cookies.get(&(host_of(&url), "/".to_owned(), name.to_owned())).cloned()
    }

    /// Puts one there.
    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        let url = Url::parse(&self.product).expect("an address");
        self.cookies.insert((host_of(&url), "/".to_owned(), name.to_owned()), value.to_owned());
    }

    /// Begins to sign in; answers where the product sends it.
    pub(crate) async fn start(&mut self, query: &str) -> Url {
        let answer = self.get(&format!("{START}{query}")).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        Url::parse(answer.header("location")).expect("an address")
    }

    /// Signs in at the real provider as that and agrees; answers where it sends the browser.
    pub(crate) async fn sign_in_at(&mut self, address: &Url, login: &str) -> String {
        let mut at = address.to_string();
        for _ in 0..10 {
            if at.starts_with(PUBLIC_URL) {
                return at;
            }
            let page = self.get(&at).await;
            at = match page.status {
                200 => self.fill_in(&at, &page, login).await,
                _ => joined(&at, page.header("location")),
            };
        }
        panic!("the provider sends the browser round and round: {at}");
    }

    /// Goes as far as the first form of the provider, and cancels.
    pub(crate) async fn cancel_at(&mut self, address: &Url) -> String {
        let form = joined(address.as_str(), self.get(address.as_str()).await.header("location"));
        let page = self.get(&form).await.text();
        let mut ways = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let cancel = ways.find(|way| way.ends_with("/abort")).expect("a way out");
        let mut at = cancel.to_owned();
        while !at.starts_with(PUBLIC_URL) {
            at = joined(&at.clone(), self.get(&at).await.header("location"));
        }
        at
    }

    /// Sends the form that the page holds; answers where that leads.
    async fn fill_in(&mut self, at: &str, page: &Answer, login: &str) -> String {
        let text = page.text();
        let between = |from: &str| text.split(from).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
        let action = between("action=\"").expect("a form");
        let prompt = between("name=\"prompt\" value=\"").expect("a prompt");
        let mut form = vec![("prompt", prompt.as_str())];
        if prompt == "login" {
            form.extend([("login", login), ("password", "any")]);
        }
        let answer = self.post(&action, &form).await;
        joined(at, answer.header("location"))
    }

    /// Whoever is signed in here now.
    pub(crate) async fn caller(&mut self, app: &TestApp) -> HttpCaller {
        let token = self.cookie("lineshift").expect("somebody is signed in");
        let session = self.get("/api/v1/session").await;
        assert_eq!(session.status, 200, "{}", session.text());
        let csrf = session.json()["csrf_token"].as_str().expect("a token").to_owned();
        app.anonymous().with_cookie(BrowserSession { cookie: format!("lineshift={token}"), csrf })
    }
}

/// Signs in at the real provider as that; answers what the product says to it.
pub(crate) async fn sign_in(browser: &mut Browser, login: &str) -> Answer {
    let there = browser.start("").await;
    let back = browser.sign_in_at(&there, login).await;
    browser.get(&back).await
}

/// A word of an address's query.
pub(crate) fn word(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(given, _)| given == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_else(|| panic!("{url} has no {name}"))
}

fn host_of(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

fn joined(at: &str, to: &str) -> String {
    Url::parse(at).and_then(|at| at.join(to)).expect("an address").to_string()
}
