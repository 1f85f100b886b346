//! Calls to the provider: short, bounded, none of them twice, and none where a redirect would lead.

use std::sync::Arc;
use std::time::Duration;

use lineshift_connectors::http::{Answer, Request, Transport, TransportFault};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use url::{Origin, Url};

use super::settings::is_safe_url;
use super::{OpenIdSettings, Unrecognised};

/// How long connecting may take, and a whole call.
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);

/// The largest answer that is taken, in bytes; whoever gives the transports should have them read no more either.
pub(super) const MOST_BYTES: usize = 256 << 10;

/// Calls the issuer's own host by one way, and other hosts, which its documents name, by another.
pub(super) struct Fetcher {
    own: Option<Origin>,
    named: Arc<dyn Transport>,
    others: Arc<dyn Transport>,
}

impl Fetcher {
    pub(super) fn new(settings: &OpenIdSettings, named: Arc<dyn Transport>, others: Arc<dyn Transport>) -> Self {
        Self { own: Url::parse(&settings.issuer).ok().map(|issuer| issuer.origin()), named, others }
    }

    /// Reads a document.
    pub(super) async fn get(&self, url: &Url, bearer: Option<&SecretString>) -> Result<Answer, Unrecognised> {
        let authorization = bearer.map(|token| ("authorization", prefixed("Bearer ", token)));
        self.send("GET", url, authorization.into_iter().collect(), None).await
    }

    /// Sends a form.
    pub(super) async fn post(
        &self,
        url: &Url,
        authorization: Option<SecretString>,
        form: String,
    ) -> Result<Answer, Unrecognised> {
        let mut headers = vec![("content-type", SecretString::from("application/x-www-form-urlencoded"))];
        headers.extend(authorization.map(|value| ("authorization", value)));
        self.send("POST", url, headers, Some(form)).await
    }

    async fn send(
        &self,
        method: &'static str,
        url: &Url,
        mut headers: Vec<(&'static str, SecretString)>,
        body: Option<String>,
    ) -> Result<Answer, Unrecognised> {
        let unavailable = |why: String| Err(Unrecognised::Unavailable(format!("{method} {}: {why}", place(url))));
        if !is_safe_url(url) {
            return unavailable("this is not https://".to_owned());
        }
        let transport = if self.own.as_ref() == Some(&url.origin()) { &self.named } else { &self.others };
        headers.push(("accept", SecretString::from("application/json")));
        // Seldom enough for a connection of its own: one that the provider closes just now would lose the code.
        headers.push(("connection", SecretString::from("close")));
        let request = Request { method, url: url.to_string(), headers, body, connect_timeout: CONNECT, timeout: WHOLE };
        match transport.send(request).await {
            Ok(answer) if answer.body.len() > MOST_BYTES => unavailable(format!("it answers more than {MOST_BYTES} bytes")),
            Ok(answer) if (300..400).contains(&answer.status) => unavailable("it redirects, which is not followed".to_owned()),
            Ok(answer) => Ok(answer),
            Err(TransportFault::TimedOut) => unavailable(format!("no answer within {} seconds", WHOLE.as_secs())),
            Err(TransportFault::NotSent(why) | TransportFault::Cut(why)) => unavailable(why),
        }
    }
}

/// Reads an answer that must be 200 and JSON.
pub(super) fn read_json<T: DeserializeOwned>(url: &Url, answer: &Answer) -> Result<T, Unrecognised> {
    let unavailable = |why: String| Unrecognised::Unavailable(format!("{}: {why}", place(url)));
    if answer.status != 200 {
        return Err(unavailable(format!("it answers {}", answer.status)));
    }
    // The error of the reader may show what was read, which may be secret.
    serde_json::from_slice(&answer.body).map_err(|_| unavailable("its answer is not the JSON that was expected".to_owned()))
}

/// An address for the log, without what its query may tell.
fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn prefixed(prefix: &str, secret: &SecretString) -> SecretString {
    use secrecy::ExposeSecret as _;
    SecretString::from(format!("{prefix}{}", secret.expose_secret()))
}
