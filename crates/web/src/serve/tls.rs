//! The certificate and its key, read from files, and again when these change.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tokio::time::MissedTickBehavior;

/// More than any chain or key; whoever names another file gets no megabytes read.
const MOST_BYTES: u64 = 1 << 20;

/// What is spoken within TLS.
const HTTP_1_1: &[u8] = b"http/1.1";

/// A certificate with its key, as the files are now or were when they were last right.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    held: Mutex<Held>,
    /// Taken by whoever looks at the files.
    looking: Mutex<()>,
}

struct Held {
    config: Arc<ServerConfig>,
    /// Of the files as they were last looked at, whether they could be used or not.
    seen: Seen,
}

/// What tells that the files have changed: a hash of what stands in them, or why they could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Read([u8; 32]),
    Failed(String),
}

/// Why a certificate and its key cannot be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {why}; {what} is expected there, in a file that this user may read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is expected in it.
        what: &'static str,
        /// Why it cannot be read.
        why: String,
    },
    /// A file holds something else.
    #[error("{} holds no {what}{}; {what} is expected, in PEM", path.display(), reason(why))]
    Garbled {
        /// The file.
        path: PathBuf,
        /// What is expected in it.
        what: &'static str,
        /// What is wrong with what is there; empty: nothing like it is there.
        why: String,
    },
    /// The two do not go together.
    #[error("the key in {} does not belong to the first certificate in {}; give the key that the certificate was \
             requested with, and begin the file with the server's own certificate", key.display(), certificate.display())]
    Apart {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// Neither the files nor their contents, but what TLS makes of them.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(String),
}

fn reason(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" that can be used ({why})") }
}

const A_CHAIN: &str = "certificate";
const A_KEY: &str = "private key without a passphrase";

impl Tls {
    /// Reads both files: a chain of certificates that begins with the server's own, and its key, in PEM.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn load(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let (certificate, key) = (certificate.into(), key.into());
        let (seen, config) = look(&certificate, &key);
        Ok(Self { certificate, key, held: Mutex::new(Held { config: config?, seen }), looking: Mutex::default() })
    }

    /// What the next handshake uses.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.lock().config)
    }

    /// Reads the files again: true if they have changed and are used from the next handshake on.
    ///
    /// # Errors
    /// [`TlsError`], once for each change: what was used before stays.
    pub fn reload(&self) -> Result<bool, TlsError> {
        // One look at a time: an earlier one that took long would bring back what a later one has replaced.
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, config) = look(&self.certificate, &self.key);
        let mut held = self.lock();
        if held.seen == seen {
            return Ok(false);
        }
        held.seen = seen;
        held.config = config?;
        Ok(true)
    }

    /// Reads them again every so often, and says what came of it.
    pub(super) async fn reload_every(self: Arc<Self>, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let tls = Arc::clone(&self);
            // Files may be slow, and nothing else is to wait for them.
            match tokio::task::spawn_blocking(move || tls.reload()).await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::info!(file = %self.certificate.display(), "the certificate was replaced"),
                Ok(Err(error)) => tracing::warn!(%error, "the new certificate is not used; the one before stays"),
                Err(error) => tracing::error!(%error, "looking at the certificate was cut off"),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).field("key", &self.key).finish_non_exhaustive()
    }
}

/// What the files hold, and what comes of it.
fn look(certificate: &Path, key: &Path) -> (Seen, Result<Arc<ServerConfig>, TlsError>) {
    let read = read(certificate, A_CHAIN).and_then(|chain| Ok((chain, read(key, A_KEY)?)));
    match read {
        Err(error) => (Seen::Failed(error.to_string()), Err(error)),
        Ok((chain, secret)) => {
            let mut hash = Sha256::new();
            // The length keeps what moves from one file to the other apart.
            hash.update(chain.len().to_be_bytes());
            hash.update(&chain);
            hash.update(&secret);
            (Seen::Read(hash.finalize().into()), config(certificate, &chain, key, &secret).map(Arc::new))
        }
    }
}

fn read(path: &Path, what: &'static str) -> Result<Vec<u8>, TlsError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    let failed = |error: std::io::Error| TlsError::Unreadable { path: path.to_owned(), what, why: error.to_string() };
    read.map_err(failed)?;
    Ok(bytes)
}

fn config(certificate: &Path, chain: &[u8], key: &Path, secret: &[u8]) -> Result<ServerConfig, TlsError> {
    let garbled = |path: &Path, what, why| TlsError::Garbled { path: path.to_owned(), what, why };
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| garbled(certificate, A_CHAIN, error.to_string()))?;
    if chain.is_empty() {
        return Err(garbled(certificate, A_CHAIN, String::new()));
    }
    // What is wrong with a key is not repeated: it might quote from it.
    let secret = PrivateKeyDer::from_pem_slice(secret).map_err(|_| garbled(key, A_KEY, String::new()))?;
    let unusable = |error: rustls::Error| match error {
        rustls::Error::InconsistentKeys(_) => TlsError::Apart { certificate: certificate.to_owned(), key: key.to_owned() },
        rustls::Error::InvalidCertificate(error) => garbled(certificate, A_CHAIN, error.to_string()),
        rustls::Error::General(_) => garbled(key, A_KEY, "neither RSA, ECDSA nor Ed25519".to_owned()),
        other => TlsError::Unusable(other.to_string()),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(unusable)?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, secret).map_err(unusable)?;
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(config)
}
