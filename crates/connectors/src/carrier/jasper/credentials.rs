//! What Jasper knows us by.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// The credentials of one account. They are kept sealed ([`crate::credentials::Vault`]) as JSON.
#[derive(Clone)]
pub struct JasperCredentials {
    /// The user's name.
    pub user: String,
    /// The user's API key.
    pub api_key: SecretString,
}

impl std::fmt::Debug for JasperCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JasperCredentials").finish_non_exhaustive()
    }
}

/// The JSON does not hold credentials for Jasper. It is not said what it holds instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these are no credentials for Jasper: expected user and api_key; the user's name has no colon")]
pub struct UnreadableCredentials;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    user: Cow<'a, str>,
    api_key: Cow<'a, str>,
}

impl JasperCredentials {
    /// As JSON, to be sealed.
    #[must_use]
    pub fn to_json(&self) -> SecretString {
        let fields = Fields { user: self.user.as_str().into(), api_key: self.api_key.expose_secret().into() };
        SecretString::from(serde_json::to_string(&fields).expect("texts are JSON"))
    }

    /// From JSON, once it is opened.
    ///
    /// # Errors
    /// A field is missing, empty, unknown, or no text; or the name has a colon, where basic authentication ends it.
    pub fn from_json(json: &SecretString) -> Result<Self, UnreadableCredentials> {
        let Fields { user, api_key } = serde_json::from_str(json.expose_secret()).map_err(|_| UnreadableCredentials)?;
        if user.is_empty() || user.contains(':') || api_key.is_empty() {
            return Err(UnreadableCredentials);
        }
        Ok(Self { user: user.into_owned(), api_key: SecretString::from(api_key.into_owned()) })
    }

    /// `user:api_key`, as basic authentication takes it.
    pub(super) fn login(&self) -> SecretString {
        SecretString::from(format!("{}:{}", self.user, self.api_key.expose_secret()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<JasperCredentials, UnreadableCredentials> {
        JasperCredentials::from_json(&SecretString::from(json))
    }

    #[test]
    fn credentials_survive_their_json_and_are_not_printed() {
        let json = r#"{"user":"api-user","api_key":"k\"ey"}"#;
        let credentials = read(json).expect("they are whole");
        assert_eq!(credentials.login().expose_secret(), "api-user:k\"ey");
        assert_eq!(credentials.to_json().expose_secret(), json);
        assert_eq!(format!("{credentials:?}"), "JasperCredentials { .. }");
    }

    #[test]
    fn what_is_not_whole_is_refused_without_telling_it() {
        for json in [
            "",
            "secret",
            r#"{"user":"api"}"#,
            r#"{"user":"","api_key":"secret"}"#,
            r#"{"user":"api","api_key":""}"#,
            r#"{"user":"a:pi","api_key":"secret"}"#,
            r#"{"user":"api","api_key":"secret","apikey":"secret"}"#,
            r#"{"user":"api","api_key":7}"#,
        ] {
            assert!(!read(json).expect_err(json).to_string().contains("secret"));
        }
    }
}
