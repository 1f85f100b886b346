//! Certificates for `localhost`, each with a key of its own, in files.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineshift_web::{Tls, TlsError};
use reqwest::{Certificate, Client};
use tempfile::TempDir;

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
    der: Vec<u8>,
}

/// A new one.
pub(crate) fn pair() -> Pair {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("a certificate");
    let der = made.cert.der().to_vec();
    Pair { certificate: pem("CERTIFICATE", &der), key: pem("PRIVATE KEY", &made.signing_key.serialize_der()), der }
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

impl Pair {
    /// What a client is to trust.
    pub(crate) fn root(&self) -> Certificate {
        Certificate::from_der(&self.der).expect("a certificate")
    }

    /// A client that trusts this certificate and no other; each call makes connections of its own.
    pub(crate) fn client(&self) -> Client {
        Client::builder().tls_certs_only([self.root()]).build().expect("a client")
    }
}

/// Two files.
pub(crate) struct Files {
    dir: TempDir,
}

impl Files {
    pub(crate) fn of(pair: &Pair) -> Self {
        let files = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        files.write(&pair.certificate, &pair.key);
        files
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.path().join("server.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.path().join("server.key")
    }

    pub(crate) fn write(&self, certificate: &str, key: &str) {
        std::fs::write(self.certificate(), certificate).expect("the file is written");
        std::fs::write(self.key(), key).expect("the file is written");
    }

    pub(crate) fn load(&self) -> Result<Tls, TlsError> {
        Tls::load(self.certificate(), self.key())
    }
}
