//! What an integration's account may be given, whoever gives it: address, credentials, limits.
//!
//! The command line and the API go through the same checks. Credentials are sealed by whoever holds the key; this crate
//! never sees it.

use axum::http::Uri;
use lineshift_connectors::billing::revio::RevioCredentials;
use lineshift_connectors::credentials::SealedFor;
use lineshift_connectors::http::AccountKey;
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::Engine;
use lineshift_store::StoreError;
use lineshift_store::billing::IntegrationAccount;
use secrecy::SecretString;

use crate::views::AccountView;

/// The most calls at a time that an account may be given.
pub const MOST_CONCURRENCY: u32 = 1_024;

/// The most calls a minute that an account may be given.
pub const MOST_CALLS_A_MINUTE: u32 = 1_000_000;

/// The most calls a day that an account may be given.
pub const MOST_CALLS_A_DAY: u32 = 100_000_000;

/// The longest address, in characters.
const LONGEST_ADDRESS: usize = 500;

/// Seals credentials for the row that holds them (item 6 of "Billing"): implemented by whoever holds the key.
pub trait SealCredentials: Send + Sync + 'static {
    /// Seals them.
    ///
    /// # Errors
    /// Why they cannot be sealed, and what to do; nothing secret.
    fn seal(&self, row: SealedFor, credentials: &SecretString) -> Result<Vec<u8>, String>;

    /// Opens what was sealed for that row. Nothing of it is shown but what says so.
    ///
    /// # Errors
    /// Why it cannot be opened with the key at hand, and what to do; nothing secret.
    fn open(&self, row: SealedFor, sealed: &[u8]) -> Result<SecretString, String>;
}

/// What is said where credentials are to be stored and no key was given.
pub const NO_KEY: &str = "this server has no key to seal credentials with: make one with `lineshift admin secret-key --file FILE`, \
     name it as key_file in the section [secrets] of the configuration (or give the key in LINESHIFT_SECRET_KEY), start again";

/// No key was given.
pub(crate) struct NoKey;

impl SealCredentials for NoKey {
    fn seal(&self, _: SealedFor, _: &SecretString) -> Result<Vec<u8>, String> {
        Err(NO_KEY.to_owned())
    }

    fn open(&self, _: SealedFor, _: &[u8]) -> Result<SecretString, String> {
        Err(NO_KEY.to_owned())
    }
}

/// An account with all that may be shown of it.
///
/// # Errors
/// `NotFound`.
pub async fn show_account(engine: &Engine, seal: &dyn SealCredentials, key: AccountKey) -> Result<AccountView, StoreError> {
    let (tenant, id) = (key.tenant_id, key.integration_authentication_id);
    let account = engine.store().get_account(tenant, id).await?;
    let made = engine.store().count_calls(tenant, id, engine.clock().now()).await?;
    let client_code = if account.integration_kind == IntegrationKind::REV_IO {
        let opened = account.secret_encrypted.as_deref().and_then(|sealed| seal.open(key.into(), sealed).ok());
        opened.and_then(|json| RevioCredentials::from_json(&json).ok()).map(|credentials| credentials.client_code)
    } else {
        None
    };
    let limits = engine.account_limits(&account);
    Ok(AccountView::new(account, client_code, limits, made, engine.account_not_before(key)))
}

/// An address that an account may be called at, without a slash at its end.
///
/// # Errors
/// What is expected instead; reads after "expected". What was given is not repeated: it might hold a password.
pub fn read_base_address(text: &str, is_local: bool) -> Result<String, String> {
    let expected = || {
        let scheme = if is_local { "http:// or https://" } else { "https://" };
        let local = if is_local { "" } else { "; without TLS only for an account that is marked as local" };
        format!(
            "an address that begins with {scheme}, with a host and perhaps a path, without user, password, ? and #, such as \
             https://restapi.rev.io/v1{local}"
        )
    };
    let text = text.trim().trim_end_matches('/');
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@' | '\\');
    if text.len() > LONGEST_ADDRESS || !text.chars().all(is_plain) {
        return Err(expected());
    }
    let uri: Uri = text.parse().map_err(|_| expected())?;
    let is_allowed = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_local,
        _ => false,
    };
    let authority = uri.authority().filter(|authority| is_allowed && !authority.host().is_empty()).ok_or_else(expected)?;
    let after_host = &authority.as_str()[authority.host().len()..];
    // A port that is no number is kept by the parser.
    if !after_host.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
        return Err(expected());
    }
    Ok(text.to_owned())
}

/// Whether credentials that are stored would go to somebody else: then they must be given again, or whoever may change the
/// address could have them sent to a host of their own.
#[must_use]
pub fn sends_elsewhere(stored: &IntegrationAccount, base_address: &str) -> bool {
    let host = |address: &str| {
        let uri: Uri = address.parse().ok()?;
        Some((uri.scheme_str()?.to_owned(), uri.authority()?.as_str().to_ascii_lowercase()))
    };
    let present = stored.base_address.as_deref();
    stored.secret_encrypted.is_some() && present.is_some_and(|present| host(present) != host(base_address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineshift_domain::ids::IntegrationAuthenticationId;

    #[test]
    fn addresses_are_https_unless_local_and_hold_no_user() {
        for good in ["https://restapi.rev.io/v1", "https://api.revioapi.com:8443", "https://[::1]:443/v1"] {
            assert_eq!(read_base_address(good, false).as_deref(), Ok(good));
        }
        assert_eq!(read_base_address(" https://restapi.rev.io/v1/ ", false).as_deref(), Ok("https://restapi.rev.io/v1"));
        assert_eq!(read_base_address("http://127.0.0.1:8090/v1", true).as_deref(), Ok("http://127.0.0.1:8090/v1"));
        for bad in [
            "",
            "restapi.rev.io",
            "http://restapi.rev.io/v1",
            "https://",
            "https:///v1",
            "https://user:s3cret@restapi.rev.io/v1",
            "https://user@restapi.rev.io",
            "https://restapi.rev.io/v1?key=s3cret",
            "https://restapi.rev.io/v1#x",
            "https://restapi.rev.io:port/v1",
            "https://restapi.rev.io:0",
            "https://restapi.rev.io:99999",
            "https://rest api.rev.io",
            "ftp://restapi.rev.io",
            "https://évil.example",
        ] {
            let error = read_base_address(bad, false).expect_err(bad);
            assert!(error.contains("https://restapi.rev.io/v1") && !error.contains("s3cret"), "{error}");
        }
        assert!(read_base_address("ftp://127.0.0.1", true).is_err());
    }

    fn stored(address: Option<&str>, has_secret: bool) -> IntegrationAccount {
        IntegrationAccount {
            id: IntegrationAuthenticationId(1),
            name: "Rev.io".to_owned(),
            integration_kind: IntegrationKind::REV_IO,
            is_active: true,
            write_enabled: true,
            is_local: false,
            base_address: address.map(str::to_owned),
            secret_encrypted: has_secret.then(|| vec![1]),
            version: 1,
            refused_at: None,
            refused_text: None,
            concurrency: None,
            calls_a_minute: None,
            calls_a_day: None,
        }
    }

    #[test]
    fn another_host_gets_no_stored_credentials() {
        let account = stored(Some("https://restapi.rev.io/v1"), true);
        assert!(!sends_elsewhere(&account, "https://RESTAPI.rev.io/v2"));
        for other in ["https://evil.example/v1", "http://restapi.rev.io/v1", "https://restapi.rev.io:444/v1"] {
            assert!(sends_elsewhere(&account, other), "{other}");
            assert!(!sends_elsewhere(&stored(Some("https://restapi.rev.io/v1"), false), other));
            assert!(!sends_elsewhere(&stored(None, true), other), "nobody was called with them yet");
        }
    }
}
