//! What Rev.io knows us by.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// The credentials of one account. They are kept sealed ([`crate::credentials::Vault`]) as JSON.
#[derive(Clone)]
pub struct RevioCredentials {
    /// The user's name; no e-mail address.
    pub user: String,
    /// Selects the tenant at Rev.io, sandbox or production. May be shown.
    pub client_code: String,
    /// The password.
    pub password: SecretString,
    /// Sent to the newer host; an account without one leaves it out.
    pub subscription_key: Option<SecretString>,
}

impl std::fmt::Debug for RevioCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevioCredentials").field("client_code", &self.client_code).finish_non_exhaustive()
    }
}

/// The JSON does not hold credentials for Rev.io. It is not said what it holds instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these are no credentials for Rev.io: expected user, client_code, password and, where needed, subscription_key")]
pub struct UnreadableCredentials;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    user: std::borrow::Cow<'a, str>,
    client_code: std::borrow::Cow<'a, str>,
    password: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subscription_key: Option<std::borrow::Cow<'a, str>>,
}

impl RevioCredentials {
    /// As JSON, to be sealed.
    #[must_use]
    pub fn to_json(&self) -> SecretString {
        let fields = Fields {
            user: self.user.as_str().into(),
            client_code: self.client_code.as_str().into(),
            password: self.password.expose_secret().into(),
            subscription_key: self.subscription_key.as_ref().map(|key| key.expose_secret().into()),
        };
        SecretString::from(serde_json::to_string(&fields).expect("texts are JSON"))
    }

    /// From JSON, once it is opened.
    ///
    /// # Errors
    /// A field is missing, empty, unknown, or no text.
    pub fn from_json(json: &SecretString) -> Result<Self, UnreadableCredentials> {
        let fields: Fields<'_> = serde_json::from_str(json.expose_secret()).map_err(|_| UnreadableCredentials)?;
        if [&fields.user, &fields.client_code, &fields.password].into_iter().any(|text| text.is_empty()) {
            return Err(UnreadableCredentials);
        }
        let subscription_key = fields.subscription_key.filter(|key| !key.is_empty());
        Ok(Self {
            user: fields.user.into_owned(),
            client_code: fields.client_code.into_owned(),
            password: SecretString::from(fields.password.into_owned()),
            subscription_key: subscription_key.map(|key| SecretString::from(key.into_owned())),
        })
    }

    /// `user@client_code:password`, as basic authentication takes it.
    pub(super) fn login(&self) -> SecretString {
        SecretString::from(format!("{}@{}:{}", self.user, self.client_code, self.password.expose_secret()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<RevioCredentials, UnreadableCredentials> {
        RevioCredentials::from_json(&SecretString::from(json))
    }

    #[test]
    fn credentials_survive_their_json() {
        for json in [
            r#"{"user":"api","client_code":"acme","password":"p\"w"}"#,
            r#"{"user":"api","client_code":"acme","password":"p\"w","subscription_key":"k"}"#,
        ] {
            let credentials = read(json).expect("they are whole");
            assert_eq!(credentials.login().expose_secret(), "api@acme:p\"w");
            assert_eq!(credentials.to_json().expose_secret(), json);
        }
        let blank = r#"{"user":"api","client_code":"acme","password":"p","subscription_key":""}"#;
        assert!(read(blank).expect("an empty key is none").subscription_key.is_none());
    }

    #[test]
    fn what_is_not_whole_is_refused_without_telling_it() {
        for json in [
            "",
            "secret",
            r#"{"user":"api","client_code":"acme"}"#,
            r#"{"user":"api","client_code":"acme","password":""}"#,
            r#"{"user":"api","client_code":"acme","password":"secret","pasword":"secret"}"#,
            r#"{"user":"api","client_code":"acme","password":7}"#,
        ] {
            let error = read(json).expect_err(json);
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let credentials = read(r#"{"user":"api-user","client_code":"acme","password":"topsecret","subscription_key":"keykey"}"#);
        let printed = format!("{:?}", credentials.expect("they are whole"));
        assert_eq!(printed, r#"RevioCredentials { client_code: "acme", .. }"#);
    }
}
