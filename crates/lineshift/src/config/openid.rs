//! The OpenID provider at which people sign in.

use lineshift_web::OpenIdSettings;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// The provider. Its secret itself is no setting: it would be shown with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OpenIdSection {
    /// The provider's address as it calls itself; empty: people sign in with a password alone.
    pub(crate) issuer: String,
    /// As what this server is registered there.
    pub(crate) client_id: String,
    /// The file that holds what proves it.
    pub(crate) client_secret_file: String,
    /// What is asked for beyond `openid`.
    pub(crate) scopes: Vec<String>,
    /// How people call it.
    pub(crate) label: String,
    /// The address at which browsers reach this server.
    pub(crate) public_url: String,
}

impl Default for OpenIdSection {
    fn default() -> Self {
        let nothing = String::new;
        let (issuer, client_id, client_secret_file, public_url) = (nothing(), nothing(), nothing(), nothing());
        let scopes = ["email", "profile"].map(str::to_owned).to_vec();
        Self { issuer, client_id, client_secret_file, scopes, label: "Single sign-on".to_owned(), public_url }
    }
}

impl OpenIdSection {
    /// Whether there is a provider.
    pub(crate) fn is_set(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// As the API takes it, with that secret.
    pub(crate) fn of_web(&self, client_secret: SecretString) -> OpenIdSettings {
        OpenIdSettings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret,
            scopes: self.scopes.clone(),
            label: self.label.clone(),
            public_url: self.public_url.clone(),
        }
    }
}
