//! How the API is spoken to: TLS, trusted proxies, limits of requests, and where accounts may be.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use lineshift_web::{Rate, Rates, ServeOptions, Tls, WireSettings};

use crate::cli::Context;
use crate::config::Settings;
use crate::exit::WrongCall;
use crate::openid;

/// What the API's listener goes by. By default: without TLS, proxies and limits.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// How connections are taken.
    pub(crate) options: ServeOptions,
    /// What requests go by.
    pub(crate) settings: WireSettings,
}

impl Wire {
    /// As the settings say.
    ///
    /// # Errors
    /// Certificate and key cannot be used; the OpenID provider cannot.
    pub(crate) fn of(context: &Context) -> Result<Self> {
        let settings: &Settings = context.settings();
        let server = &settings.server;
        let mut options = ServeOptions { trusted_proxies: server.trusted_proxies.clone(), ..ServeOptions::default() };
        if !server.tls_cert.is_empty() {
            let tls = Tls::load(&server.tls_cert, &server.tls_key).map_err(|error| WrongCall(format!("TLS: {error}")))?;
            options.tls = Some(Arc::new(tls));
        }
        let limits = &settings.limits;
        let per_key = Rate { requests_per_second: limits.requests_per_second_per_key, burst: limits.request_burst_per_key };
        let per_address =
            Rate { requests_per_second: limits.requests_per_second_per_address, burst: limits.request_burst_per_address };
        let settings = WireSettings {
            trusted_proxies: server.trusted_proxies.clone(),
            rates: Rates { per_key, per_address },
            destinations: settings.outbound.destinations(),
            sessions: settings.sessions.of_web(),
            openid: openid::provider(context)?,
        };
        Ok(Self { options, settings })
    }

    /// `http` or `https`.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.options.tls.is_some() { "https" } else { "http" }
    }

    /// Warns where API keys would cross a network readably.
    pub(crate) fn warn_if_open(&self, address: SocketAddr) {
        if self.is_open(address) {
            tracing::warn!(
                "anybody on the way can read API keys: {address} is reached from elsewhere, without TLS; give --tls-cert and --tls-key, \
                 or, where a proxy speaks TLS, its network as server.trusted_proxies"
            );
        }
    }

    fn is_open(&self, address: SocketAddr) -> bool {
        self.options.tls.is_none() && self.settings.trusted_proxies.is_empty() && !address.ip().is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_reached_from_elsewhere_without_tls_is_open() {
        let is_open = |address: &str| Wire::default().is_open(address.parse().expect("an address"));
        assert!(!is_open("127.0.0.1:8080") && !is_open("[::1]:8080"));
        let network = "10.0.0.0/8".parse().expect("a network");
        let settings = WireSettings { trusted_proxies: vec![network], ..WireSettings::default() };
        let proxied = Wire { settings, ..Wire::default() };
        assert!(!proxied.is_open("0.0.0.0:8080".parse().expect("an address")));
        assert!(is_open("0.0.0.0:8080") && is_open("[::]:8080") && is_open("192.168.1.2:8080"));
    }
}
