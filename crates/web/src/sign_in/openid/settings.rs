//! What whoever runs the server says of the provider.

use secrecy::SecretString;
use url::{Host, Url};

use super::CALLBACK_PATH;

/// The longest issuer, in characters: it is stored with everybody who signs in there.
const LONGEST_ISSUER: usize = 500;

/// A provider as the configuration names it.
#[derive(Debug, Clone)]
pub struct OpenIdSettings {
    /// The provider's own address, to the letter as it calls itself; `https`, or `http` on this machine.
    pub issuer: String,
    /// As what this server is registered there.
    pub client_id: String,
    /// What proves it. It does not print.
    pub client_secret: SecretString,
    /// What is asked for beyond `openid`.
    pub scopes: Vec<String>,
    /// How people call it: "Sign in with ...".
    pub label: String,
    /// The address at which browsers reach this server, without a path; `https`, or `http` on this machine.
    pub public_url: String,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: expected {expected}")]
pub struct WrongOpenIdSetting {
    /// The last word of its name.
    pub setting: &'static str,
    /// What may stand there.
    pub expected: &'static str,
}

impl OpenIdSettings {
    /// Everything that cannot work, the client's secret apart.
    #[must_use]
    pub fn problems(&self) -> Vec<WrongOpenIdSetting> {
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let checks = [
            (
                "issuer",
                is_safe(&self.issuer, true) && self.issuer.chars().count() <= LONGEST_ISSUER,
                "the provider's address as it calls itself, https://... (http:// on this machine only), without ? and #",
            ),
            ("client_id", is_word(&self.client_id), "the id under which this server is registered at the provider"),
            ("scopes", self.scopes.iter().all(|scope| is_word(scope)), "words such as email and profile"),
            (
                "label",
                !self.label.trim().is_empty() && self.label.chars().count() <= 100 && !self.label.chars().any(char::is_control),
                "1 to 100 characters",
            ),
            (
                "public_url",
                is_safe(&self.public_url, false),
                "the address at which browsers reach this server, https://host (http:// on this machine only), without a path",
            ),
        ];
        let wrong = checks.into_iter().filter(|(_, is_right, _)| !is_right);
        wrong.map(|(setting, _, expected)| WrongOpenIdSetting { setting, expected }).collect()
    }

    /// Where the provider sends browsers back to; registered there.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("{}{CALLBACK_PATH}", self.public_url.trim_end_matches('/'))
    }

    /// Everything that is asked for.
    pub(super) fn scope(&self) -> String {
        let asked = self.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
        std::iter::once("openid").chain(asked).collect::<Vec<_>>().join(" ")
    }
}

/// Whether secrets may go there: TLS, or this machine itself.
pub(super) fn is_safe_url(url: &Url) -> bool {
    let is_local = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    let has_user = !url.username().is_empty() || url.password().is_some();
    !has_user && (url.scheme() == "https" || (url.scheme() == "http" && is_local))
}

fn is_safe(text: &str, may_have_path: bool) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let has_path = !["", "/"].contains(&url.path());
    is_safe_url(&url) && url.query().is_none() && url.fragment().is_none() && (may_have_path || !has_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> OpenIdSettings {
        OpenIdSettings {
            issuer: "https://id.example.com/realms/fleet".to_owned(),
            client_id: "lineshift".to_owned(),
            client_secret: SecretString::from("hush"),
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            label: "Example".to_owned(),
            public_url: "https://portal.example.com/".to_owned(),
        }
    }

    fn wrong(change: impl FnOnce(&mut OpenIdSettings)) -> Vec<&'static str> {
        let mut changed = settings();
        change(&mut changed);
        changed.problems().into_iter().map(|problem| problem.setting).collect()
    }

    #[test]
    fn a_provider_is_spoken_to_over_tls_or_on_this_machine() {
        assert_eq!(settings().problems(), []);
        for issuer in
            ["https://id.example.com", "https://id.example.com/", "http://127.0.0.1:9/x", "http://[::1]:9", "http://localhost"]
        {
            assert_eq!(wrong(|settings| settings.issuer = issuer.to_owned()), Vec::<&str>::new(), "{issuer}");
        }
        for issuer in [
            "http://id.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "https://ann:secret@id.example.com",
            "https://id.example.com?x=1",
            "https://id.example.com/#x",
            "ftp://id.example.com",
            "id.example.com",
            "",
        ] {
            assert_eq!(wrong(|settings| settings.issuer = issuer.to_owned()), ["issuer"], "{issuer}");
        }
        for public_url in ["http://portal.example.com", "https://portal.example.com/path", ""] {
            assert_eq!(wrong(|settings| settings.public_url = public_url.to_owned()), ["public_url"], "{public_url}");
        }
        assert_eq!(wrong(|settings| settings.client_id = String::new()), ["client_id"]);
        assert_eq!(wrong(|settings| settings.scopes = vec!["a b".to_owned()]), ["scopes"]);
        assert_eq!(wrong(|settings| settings.label = " ".to_owned()), ["label"]);
    }

    #[test]
    fn what_is_registered_and_asked_for_is_told_once() {
        assert_eq!(settings().redirect_uri(), "https://portal.example.com/api/v1/session/openid/callback");
        assert_eq!(settings().scope(), "openid email");
        assert!(!format!("{:?}", settings()).contains("hush"));
    }
}
