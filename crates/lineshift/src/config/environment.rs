//! The environment, read once and here only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use secrecy::SecretString;

/// What every variable of ours begins with.
pub(crate) const PREFIX: &str = "LINESHIFT_";

/// The file to read; `--config` comes before it.
pub(crate) const CONFIG: &str = "LINESHIFT_CONFIG";

/// The API key of client commands; `--key` comes before it.
pub(crate) const API_KEY: &str = "LINESHIFT_API_KEY";

/// The key under which credentials of integrations are sealed; it comes before `secrets.key_file`.
pub(crate) const SECRET_KEY: &str = "LINESHIFT_SECRET_KEY";

/// What proves this server to the OpenID provider; it comes before `openid.client_secret_file`.
pub(crate) const OPENID_CLIENT_SECRET: &str = "LINESHIFT_OPENID_CLIENT_SECRET";

/// Read by the tests of this project, and by nothing else: this one, and whatever begins so.
pub(crate) const SEEDS: &str = "LINESHIFT_SEEDS";
/// What the variables of the tests begin with.
pub(crate) const TESTS: &str = "LINESHIFT_TEST_";

/// Where systems say who runs a process.
const USERS: [&str; 3] = ["USER", "LOGNAME", "USERNAME"];

/// The variables that begin with [`PREFIX`], empty ones left out, and who runs the process.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>, Option<String>);

impl Environment {
    /// Reads the environment of this process.
    pub(crate) fn of_process() -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
        let all = std::env::vars_os();
        let (mut ours, mut user) = (BTreeMap::new(), None);
        for (name, value) in all {
            if USERS.iter().any(|user| name == *user) {
                user = user.or_else(|| value.to_str().filter(|value| !value.is_empty()).map(str::to_owned));
            }
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            let value = value.to_str().with_context(|| format!("{name} is not UTF-8"))?;
            if !value.is_empty() {
                ours.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(Self(ours, user))
    }

    /// An environment made up for a test.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(), None)
    }

    /// The configuration file to read.
    pub(crate) fn config_file(&self) -> Option<PathBuf> {
        self.0.get(CONFIG).map(PathBuf::from)
    }

    /// Who runs this process, as the system says; for the audit log, where whoever may run it here may write anything.
    pub(crate) fn user(&self) -> &str {
        self.1.as_deref().unwrap_or("unknown")
    }

    /// The API key of client commands.
    pub(crate) fn api_key(&self) -> Option<&str> {
        self.0.get(API_KEY).map(String::as_str)
    }

    /// The key under which credentials of integrations are sealed.
    pub(crate) fn secret_key(&self) -> Option<SecretString> {
        self.0.get(SECRET_KEY).map(|text| SecretString::from(text.as_str()))
    }

    /// What proves this server to the OpenID provider.
    pub(crate) fn openid_client_secret(&self) -> Option<SecretString> {
        self.0.get(OPENID_CLIENT_SECRET).map(|text| SecretString::from(text.as_str()))
    }

    /// The variables that must name a setting.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(name, _)| {
            ![CONFIG, API_KEY, SECRET_KEY, OPENID_CLIENT_SECRET, SEEDS].contains(name) && !name.starts_with(TESTS)
        })
    }
}
