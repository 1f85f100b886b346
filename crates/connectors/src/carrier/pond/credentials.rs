//! What POND knows us by.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{DistributorId, InventoryId};
use crate::http::HeaderName;

/// The header that holds the API key, unless another is configured.
pub const DEFAULT_HEADER: HeaderName = HeaderName::X_API_KEY;

/// The credentials of one account. They are kept sealed ([`crate::credentials::Vault`]) as JSON.
#[derive(Clone)]
pub struct PondCredentials {
    /// The API key.
    pub api_key: SecretString,
    /// The header that holds it.
    pub header: HeaderName,
    /// Whose account it is. May be shown.
    pub distributor_id: DistributorId,
    /// The inventory whose package types are its plans; none: nobody knows it, and plans are not listed. May be shown.
    pub inventory_id: Option<InventoryId>,
}

impl std::fmt::Debug for PondCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("PondCredentials");
        shown
            .field("distributor_id", &self.distributor_id.as_str())
            .field("header", &self.header.as_str())
            .finish_non_exhaustive()
    }
}

/// The JSON does not hold credentials for POND. It is not said what it holds instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "these are no credentials for POND: expected api_key and distributor_id, and where they are known or not x-api-key, inventory_id and header"
)]
pub struct UnreadableCredentials;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    api_key: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<Cow<'a, str>>,
    distributor_id: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inventory_id: Option<Cow<'a, str>>,
}

impl PondCredentials {
    /// As JSON, to be sealed.
    #[must_use]
    pub fn to_json(&self) -> SecretString {
        let fields = Fields {
            api_key: self.api_key.expose_secret().into(),
            header: (self.header != DEFAULT_HEADER).then(|| self.header.as_str().into()),
            distributor_id: self.distributor_id.as_str().into(),
            inventory_id: self.inventory_id.as_ref().map(|id| id.as_str().into()),
        };
        SecretString::from(serde_json::to_string(&fields).expect("texts are JSON"))
    }

    /// From JSON, once it is opened.
    ///
    /// # Errors
    /// A field is missing, empty, unknown, or no text; an id is none, or the header's name is not one that may be set.
    pub fn from_json(json: &SecretString) -> Result<Self, UnreadableCredentials> {
        let fields: Fields<'_> = serde_json::from_str(json.expose_secret()).map_err(|_| UnreadableCredentials)?;
        if fields.api_key.is_empty() {
            return Err(UnreadableCredentials);
        }
        let header = fields.header.as_deref().filter(|name| !name.is_empty()).unwrap_or(DEFAULT_HEADER.as_str());
        let inventory = fields.inventory_id.as_deref().filter(|id| !id.is_empty());
        Ok(Self {
            inventory_id: inventory.map(str::parse).transpose().map_err(|_| UnreadableCredentials)?,
            header: HeaderName::find(header).ok_or(UnreadableCredentials)?,
            distributor_id: fields.distributor_id.parse().map_err(|_| UnreadableCredentials)?,
            api_key: SecretString::from(fields.api_key.into_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<PondCredentials, UnreadableCredentials> {
        PondCredentials::from_json(&SecretString::from(json))
    }

    #[test]
    fn credentials_survive_their_json_and_the_key_is_not_printed() {
        for json in [
            r#"{"api_key":"k\"ey","distributor_id":"d-1"}"#,
            r#"{"api_key":"k\"ey","header":"x-pond-token","distributor_id":"d-1"}"#,
            r#"{"api_key":"k\"ey","distributor_id":"d-1","inventory_id":"main"}"#,
        ] {
            let credentials = read(json).expect("they are whole");
            assert_eq!(credentials.api_key.expose_secret(), "k\"ey");
            assert_eq!(credentials.to_json().expose_secret(), json);
        }
        let credentials = read(r#"{"api_key":"topsecret","header":"","distributor_id":"d-1"}"#).expect("they are whole");
        let printed = r#"PondCredentials { distributor_id: "d-1", header: "x-api-key", .. }"#;
        assert_eq!(format!("{credentials:?}"), printed);
        let written_otherwise = read(r#"{"api_key":"k","header":"X-API-Key","distributor_id":"d-1"}"#).expect("they are whole");
        assert_eq!(written_otherwise.header, DEFAULT_HEADER);
    }

    #[test]
    fn what_is_not_whole_is_refused_without_telling_it() {
        for json in [
            "",
            "secret",
            r#"{"api_key":"secret"}"#,
            r#"{"api_key":"","distributor_id":"d-1"}"#,
            r#"{"api_key":"secret","distributor_id":""}"#,
            r#"{"api_key":"secret","distributor_id":"../d"}"#,
            r#"{"api_key":"secret","distributor_id":"d-1","header":"host"}"#,
            r#"{"api_key":"secret","distributor_id":"d-1","header":"a b"}"#,
            r#"{"api_key":"secret","distributor_id":"d-1","key":"secret"}"#,
            r#"{"api_key":7,"distributor_id":"d-1"}"#,
            r#"{"api_key":"secret","distributor_id":"d-1","inventory_id":"../i"}"#,
        ] {
            assert!(!read(json).expect_err(json).to_string().contains("secret"));
        }
    }
}
