//! Credentials in every form in which they must never be found, a billing system that repeats them in its errors, and where to look.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use lineshift_connectors::http::{Answer, Request, Transport, TransportFault};
use secrecy::ExposeSecret as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::billing::{CLIENT_CODE, PASSWORD, USER};
use crate::crash::look;
use crate::store::TestStore;

fn login() -> String {
    format!("{USER}@{CLIENT_CODE}:{PASSWORD}")
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a text");
        hex
    })
}

fn url_encoded(text: &str, lower: bool) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ if lower => write!(encoded, "%{byte:02x}").expect("a text"),
            _ => write!(encoded, "%{byte:02X}").expect("a text"),
        }
        encoded
    })
}

/// The password and the whole login: plain, base64, base64url, URL-encoded, hexadecimal; of the login the base64 text is what the
/// Basic header says.
#[must_use]
pub fn forms_of_secrets() -> Vec<String> {
    let mut forms = Vec::new();
    for secret in [PASSWORD.to_owned(), login()] {
        forms.push(STANDARD_NO_PAD.encode(&secret));
        forms.push(URL_SAFE_NO_PAD.encode(&secret));
        forms.push(url_encoded(&secret, false));
        forms.push(url_encoded(&secret, true));
        forms.push(hex(&secret));
        forms.push(hex(&secret).to_uppercase());
        forms.push(secret);
    }
    forms
}

/// What stands in a text of the secrets; nothing, if all is well.
#[must_use]
pub fn secrets_in(text: &str) -> Vec<String> {
    forms_of_secrets().into_iter().filter(|form| text.contains(form.as_str())).collect()
}

/// Every table of the store as text.
pub async fn everything_stored(store: &TestStore) -> String {
    let mut text = String::new();
    let tables = match store {
        TestStore::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table'",
        TestStore::Postgres(..) => "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    };
    for table in look(store, tables).await {
        for row in look(store, &format!("SELECT * FROM \"{table}\"")).await {
            writeln!(text, "{table}: {row}").expect("a text");
        }
    }
    text
}

/// A way to call whose other side repeats, in every error but 429, all that it was sent, in every form.
pub struct Repeating(pub Arc<dyn Transport>);

#[async_trait]
impl Transport for Repeating {
    async fn send(&self, request: Request) -> Result<Answer, TransportFault> {
        let headers: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{name}: {}", value.expose_secret())).collect();
        let mut answer = self.0.send(request).await?;
        if answer.status >= 400 && answer.status != 429 {
            let forms = [login(), STANDARD.encode(PASSWORD)].into_iter().chain(forms_of_secrets());
            let said = format!("not as {}, said {}", forms.collect::<Vec<_>>().join(" or "), headers.join(", "));
            answer.body = serde_json::json!({ "ok": false, "message": said }).to_string().into_bytes();
        }
        Ok(answer)
    }
}

/// Keeps what is logged.
#[derive(Debug, Clone, Default)]
pub struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    /// Keeps what this thread logs, everything, until the guard is dropped.
    #[must_use]
    pub fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let logged = Self::default();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(logged.clone()).finish();
        (logged, tracing::subscriber::set_default(subscriber))
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Logged {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
