//! Callers of the API, each with a key or without, and the answers they get.

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

/// Somebody who calls the API.
#[derive(Clone)]
pub struct HttpCaller {
    base: String,
    key: Option<String>,
    session: Option<BrowserSession>,
    client: Client,
}

/// What a browser has of a session.
#[derive(Clone)]
pub struct BrowserSession {
    /// The cookie as it is sent: name and value.
    pub cookie: String,
    /// What requests show against forged ones.
    pub csrf: String,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl HttpCaller {
    /// Somebody who calls that address.
    #[must_use]
    pub fn new(base: &str, key: Option<String>, client: Client) -> Self {
        Self { base: base.to_owned(), key, session: None, client }
    }

    /// The same with the session that an answer began.
    ///
    /// # Panics
    /// When it began none.
    #[must_use]
    pub fn with_session(&self, began: &Answer) -> Self {
        let cookie = began.header("set-cookie").split(';').next().filter(|cookie| !cookie.ends_with('=')).expect("a cookie");
        let csrf = began.json()["csrf_token"].as_str().expect("a token").to_owned();
        self.with_cookie(BrowserSession { cookie: cookie.to_owned(), csrf })
    }

    /// The same with that session.
    #[must_use]
    pub fn with_cookie(&self, session: BrowserSession) -> Self {
        Self { session: Some(session), ..self.clone() }
    }

    /// The session.
    ///
    /// # Panics
    /// When nobody is signed in.
    #[must_use]
    pub fn session(&self) -> &BrowserSession {
        self.session.as_ref().expect("somebody is signed in")
    }

    /// The key, if there is one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// A request with the caller's key, or as a page of the portal makes it for whoever is signed in.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(session) = &self.session {
            request = request.header("cookie", &session.cookie).header("x-csrf-token", &session.csrf);
        }
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// GET, expecting 200 and JSON.
    pub async fn read(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text());
        answer.json()
    }

    /// POST with JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// POST without a body.
    pub async fn post_empty(&self, path: &str) -> Answer {
        send(self.request(Method::POST, path)).await
    }

    /// POST of bytes that are said to be JSON.
    pub async fn post_bytes(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        send(self.request(Method::POST, path).header("content-type", "application/json").body(body)).await
    }

    /// PATCH with JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PATCH, path).json(body)).await
    }

    /// PUT with JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PUT, path).json(body)).await
    }

    /// DELETE without a body.
    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// GET, as a stream of events.
    pub async fn follow(&self, path: &str) -> EventReader {
        let response = self.request(Method::GET, path).send().await.expect("the server answers");
        assert_eq!(response.status().as_u16(), 200, "GET {path}");
        EventReader { response, left: String::new() }
    }
}

/// Sends a request and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("the server answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.expect("the answer is whole").to_vec();
    Answer { status, headers, body }
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A header; empty if it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The problems of a refusal, one `field code` each, in their order.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let body = self.json();
        assert_eq!(body["status"], self.status, "the body says its status");
        let errors = body["errors"].as_array().expect("errors is a list");
        let text = |error: &Value, name: &str| error[name].as_str().expect("a text").to_owned();
        errors.iter().map(|error| format!("{} {}", text(error, "field"), text(error, "code")).trim_start().to_owned()).collect()
    }
}

/// Reads server-sent events.
pub struct EventReader {
    response: Response,
    left: String,
}

impl EventReader {
    /// The next event's name and data; none at the end of the stream. Comments are left out.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.left.split_once("\n\n") {
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
                let read = field("event:").zip(field("data:"));
                self.left = rest.to_owned();
                if let Some((name, data)) = read {
                    return Some((name, serde_json::from_str(&data).expect("the data is JSON")));
                }
            }
            let chunk = self.response.chunk().await.expect("the stream goes on or ends")?;
            self.left.push_str(std::str::from_utf8(&chunk).expect("events are UTF-8"));
        }
    }
}
