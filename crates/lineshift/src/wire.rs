//! How the API is spoken to: TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use lineshift_web::{ServeOptions, Tls};

use crate::config::Settings;
use crate::exit::WrongCall;

/// What the API's listener goes by. By default: without TLS.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// How connections are taken.
    pub(crate) options: ServeOptions,
}

impl Wire {
    /// As the settings say.
    ///
    /// # Errors
    /// Certificate and key cannot be used.
    pub(crate) fn of(settings: &Settings) -> Result<Self> {
        let server = &settings.server;
        let mut options = ServeOptions::default();
        if !server.tls_cert.is_empty() {
            let tls = Tls::load(&server.tls_cert, &server.tls_key).map_err(|error| WrongCall(format!("TLS: {error}")))?;
            options.tls = Some(Arc::new(tls));
        }
        Ok(Self { options })
    }

    /// `http` or `https`.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.options.tls.is_some() { "https" } else { "http" }
    }

    /// Warns where API keys would cross a network readably.
    pub(crate) fn warn_if_open(&self, address: SocketAddr) {
        if self.is_open(address) {
            tracing::warn!(
                "anybody on the way can read API keys: {address} is reached from elsewhere, without TLS; give --tls-cert and --tls-key"
            );
        }
    }

    fn is_open(&self, address: SocketAddr) -> bool {
        self.options.tls.is_none() && !address.ip().is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_reached_from_elsewhere_without_tls_is_open() {
        let is_open = |address: &str| Wire::default().is_open(address.parse().expect("an address"));
        assert!(!is_open("127.0.0.1:8080") && !is_open("[::1]:8080"));
        assert!(is_open("0.0.0.0:8080") && is_open("[::]:8080") && is_open("192.168.1.2:8080"));
    }
}
