//! The store's URL: where the database is, who asks, and how its certificate is checked.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lineshift_store::{Result, StoreError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

/// Where the database is, and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
    /// None: without TLS.
    pub(crate) tls: Option<MakeRustlsConnect>,
}

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl Address {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. Beside what every client of PostgreSQL knows, two parameters count:
    ///
    /// - `sslmode`: `verify-full` (TLS, the certificate and its host name are checked) or `disable`. Without it, a database on this machine
    ///   is spoken to without TLS and any other with `verify-full`. `require` and `verify-ca` check as `verify-full` does; `prefer` and
    ///   `allow`, which would fall back to a connection that anybody may read, are refused.
    /// - `sslrootcert`: a PEM file of the authorities to trust instead of the machine's.
    ///
    /// # Errors
    /// `Conflict`: what is wrong with it; the password is never shown.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut url = Url::parse(text).map_err(|error| wrong(format!("the store's URL cannot be read: {error}")))?;
        // Of a password with one of these in it, what stands behind would be taken for a host or a parameter, and shown.
        let behind = [url.query().unwrap_or_default(), url.path()];
        if behind.iter().any(|part| part.contains('@')) || url.fragment().is_some() {
            let to_do = "write @ as %40, ? as %3F, # as %23 and / as %2F in a password";
            return Err(wrong(format!("the store's URL has an @ behind its first / or ?, or a #: {to_do}")));
        }
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" => mode = Some(value.into_owned()),
                "sslrootcert" => roots = Some(value.into_owned()),
                _ => others.push((name.into_owned(), value.into_owned())),
            }
        }
        url.set_query(None);
        if !others.is_empty() {
            url.query_pairs_mut().extend_pairs(others);
        }
        let mut config: Config = url.as_str().parse().map_err(|error| unreadable(&error))?;
        let wants_tls = match mode.as_deref() {
            Some("disable") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            None => !is_local(&config),
            Some(other) => {
                return Err(wrong(format!(
                    "sslmode={other} is not known; use verify-full, or disable for a database on this machine"
                )));
            }
        };
        config.ssl_mode(if wants_tls { SslMode::Require } else { SslMode::Disable });
        // A database that vanished without a word is given up after half a minute.
        config.connect_timeout(CONNECT_TIMEOUT).keepalives(true).keepalives_idle(Duration::from_secs(15));
        config.keepalives_interval(Duration::from_secs(5)).keepalives_retries(3).tcp_user_timeout(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("lineshift");
        }
        let tls = if wants_tls { Some(MakeRustlsConnect::new(tls(roots.as_deref().map(Path::new))?)) } else { None };
        Ok(Self { config, tls })
    }
}

fn wrong(message: String) -> StoreError {
    StoreError::Conflict { message }
}

fn unreadable(error: &tokio_postgres::Error) -> StoreError {
    let why = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    wrong(format!("the store's URL cannot be read: {why}"))
}

/// Whether the database is on this machine: nobody on the way could read along.
fn is_local(config: &Config) -> bool {
    let local = |host: &Host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    // Where an address is given, that is where the connection goes, whatever name stands beside it.
    config.get_hosts().iter().all(local) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

fn tls(roots: Option<&Path>) -> Result<ClientConfig> {
    let failed = |what: &str, error: String| wrong(format!("{what}: {error}"));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed("TLS", error.to_string()))?;
    let Some(file) = roots else {
        let verified =
            builder.with_platform_verifier().map_err(|error| failed("the machine's certificates", error.to_string()))?;
        return Ok(verified.with_no_client_auth());
    };
    let shown = format!("sslrootcert {}", file.display());
    let text = fs::read(file).map_err(|error| failed(&shown, error.to_string()))?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| failed(&shown, error.to_string()))?;
        store.add(certificate).map_err(|error| failed(&shown, error.to_string()))?;
    }
    if store.is_empty() {
        return Err(wrong(format!("{shown} holds no certificate; a PEM file was expected")));
    }
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn a_password_that_is_not_escaped_is_refused_and_not_shown() {
        for url in [
            "postgres://me:12?s3cret@elsewhere/lineshift",
            "postgres://me:12/s3cret@elsewhere/lineshift",
            "postgres://me:12#s3cret@elsewhere/lineshift",
            "postgres://me:s3?cret@e/l",
        ] {
            let error = Address::parse(url).err().expect("refused").to_string();
            assert!(!error.contains("cret"), "{error}");
        }
        let error = Address::parse("postgres://me:12?s3cret@elsewhere/lineshift").err().expect("refused").to_string();
        assert!(error.contains("write @ as %40, ? as %3F"), "{error}");
    }

    #[test]
    fn only_a_database_on_this_machine_is_spoken_to_without_tls_unless_that_is_asked_for() {
        let uses_tls = |url: &str| Address::parse(url).expect("a URL").tls.is_some();
        for url in [
            "postgres://me@localhost/lineshift",
            "postgres://me@127.0.0.1:5433/lineshift",
            "postgres:///lineshift?host=/run/postgresql",
            "postgres://me@localhost/lineshift?hostaddr=127.0.0.1",
            "postgres://me@elsewhere/lineshift?sslmode=disable",
        ] {
            assert!(!uses_tls(url), "{url}");
        }
        for url in [
            "postgres://me@elsewhere/lineshift",
            "postgres://me@localhost/lineshift?host=elsewhere",
            "postgres://me@localhost/lineshift?hostaddr=192.0.2.7",
            "postgres:///lineshift?hostaddr=192.0.2.7",
            "postgres://me@localhost/lineshift?sslmode=require",
        ] {
            assert!(uses_tls(url), "{url}");
        }
    }
}
