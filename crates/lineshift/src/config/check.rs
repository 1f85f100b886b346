//! What a setting may be.

use std::ops::RangeInclusive;

use anyhow::{Result, bail};
use lineshift_web::accounts::{MOST_CALLS_A_DAY, MOST_CALLS_A_MINUTE, MOST_CONCURRENCY};
use secrecy::SecretString;

use super::Configuration;

/// The most lines a page may have: what one statement binds and one transaction writes.
const MOST_PAGE_LINES: usize = 5_000;

impl Configuration {
    /// Refuses what cannot work, every problem at once.
    pub(super) fn check(&self) -> Result<()> {
        let mut problems = Problems { configuration: self, found: Vec::new() };
        let settings = &self.settings;
        if let Err(error) = settings.store.url() {
            problems.add("store", &settings.store, &error.to_string());
        }
        if !["http://", "https://"].iter().any(|scheme| settings.url.starts_with(scheme)) {
            problems.add("url", &settings.url, "an address that begins with http:// or https://");
        }
        if let Err(error) = settings.log.filter.parse::<tracing_subscriber::EnvFilter>() {
            problems.add("log.filter", &settings.log.filter, &format!("levels such as info or info,lineshift=debug ({error})"));
        }
        for (name, file, other, partner) in [
            ("server.tls_cert", &settings.server.tls_cert, "server.tls_key", &settings.server.tls_key),
            ("server.tls_key", &settings.server.tls_key, "server.tls_cert", &settings.server.tls_cert),
        ] {
            if file.is_empty() && !partner.is_empty() {
                problems.add(name, "nothing", &format!("a PEM file that goes with that of {other}"));
            }
        }
        if settings.openid.is_set() {
            self.check_openid(&mut problems);
        }
        problems.within("sessions.idle_minutes", settings.sessions.idle_minutes, 2..=10_080);
        problems.within("sessions.hours", settings.sessions.hours, 1..=720);
        problems.within("sync.every_hours", settings.sync.every_hours, 0..=8_760);
        problems.within("sqlite.readers", settings.sqlite.readers, 1..=256);
        problems.within("sqlite.writer_cache_mib", settings.sqlite.writer_cache_mib, 1..=65_536);
        problems.within("sqlite.reader_cache_mib", settings.sqlite.reader_cache_mib, 1..=65_536);
        problems.within("postgres.connections", settings.postgres.connections, 2..=1_000);
        problems.within("postgres.connection_wait_seconds", settings.postgres.connection_wait_seconds, 1..=600);
        problems.within("postgres.statement_timeout_seconds", settings.postgres.statement_timeout_seconds, 1..=86_400);
        problems.within("postgres.lock_timeout_seconds", settings.postgres.lock_timeout_seconds, 1..=86_400);
        self.check_limits(&mut problems);
        problems.finish()
    }

    fn check_openid(&self, problems: &mut Problems<'_>) {
        let openid = &self.settings.openid;
        for wrong in openid.of_web(SecretString::default()).problems() {
            let found = match wrong.setting {
                "issuer" => format!("{:?}", openid.issuer),
                "client_id" => format!("{:?}", openid.client_id),
                "scopes" => format!("{:?}", openid.scopes),
                "label" => format!("{:?}", openid.label),
                _ => format!("{:?}", openid.public_url),
            };
            problems.add(&format!("openid.{}", wrong.setting), found, wrong.expected);
        }
    }

    fn check_limits(&self, problems: &mut Problems<'_>) {
        let limits = &self.settings.limits;
        problems.within("limits.devices_per_change", limits.devices_per_change, 1..=10_000_000);
        problems.within("limits.body_bytes", limits.body_bytes, 1_024..=1 << 30);
        problems.within("limits.body_depth", limits.body_depth, 4..=128);
        problems.within("limits.page_lines", limits.page_lines, 1..=MOST_PAGE_LINES);
        problems.within("limits.lease_seconds", limits.lease_seconds, 2..=86_400);
        problems.within("limits.heartbeat_seconds", limits.heartbeat_seconds, 1..=86_400);
        problems.within("limits.days_ahead", limits.days_ahead, 0..=36_500);
        problems.within("limits.days_back", limits.days_back, 0..=36_500);
        problems.within("limits.idempotency_hours", limits.idempotency_hours, 1..=8_760);
        problems.within("limits.attempts", limits.attempts, 1..=100);
        problems.within("limits.settle_after_seconds", limits.settle_after_seconds, 1..=86_400);
        problems.within("limits.read_back_hours", limits.read_back_hours, 1..=8_760);
        problems.within("limits.call_timeout_seconds", limits.call_timeout_seconds, 1..=600);
        problems.within("limits.connect_timeout_seconds", limits.connect_timeout_seconds, 1..=600);
        problems.within("limits.requests_per_second_per_key", limits.requests_per_second_per_key, 0..=1_000_000);
        problems.within("limits.request_burst_per_key", limits.request_burst_per_key, 1..=10_000_000);
        problems.within("limits.requests_per_second_per_address", limits.requests_per_second_per_address, 0..=1_000_000);
        problems.within("limits.request_burst_per_address", limits.request_burst_per_address, 1..=10_000_000);
        problems.within("limits.revio_calls_a_minute", limits.revio_calls_a_minute, 1..=MOST_CALLS_A_MINUTE);
        problems.within("limits.revio_calls_a_day", limits.revio_calls_a_day, 1..=MOST_CALLS_A_DAY);
        problems.within("limits.revio_concurrency", limits.revio_concurrency, 1..=MOST_CONCURRENCY);
        if limits.settle_after_seconds >= limits.read_back_hours.saturating_mul(3_600) {
            let expected = format!("less than limits.read_back_hours, which is {}", limits.read_back_hours);
            problems.add("limits.settle_after_seconds", limits.settle_after_seconds, &expected);
        }
        if limits.heartbeat_seconds >= limits.lease_seconds {
            let expected = format!("less than limits.lease_seconds, which is {}", limits.lease_seconds);
            problems.add("limits.heartbeat_seconds", limits.heartbeat_seconds, &expected);
        }
    }
}

struct Problems<'c> {
    configuration: &'c Configuration,
    found: Vec<String>,
}

impl Problems<'_> {
    fn add(&mut self, setting: &str, found: impl std::fmt::Display, expected: &str) {
        let source = self.configuration.source(setting);
        self.found.push(format!("{setting} (from {source}): found {found}, expected {expected}"));
    }

    fn within<T: PartialOrd + std::fmt::Display>(&mut self, setting: &str, found: T, bounds: RangeInclusive<T>) {
        if !bounds.contains(&found) {
            let (least, most) = bounds.into_inner();
            self.add(setting, found, &format!("{least} to {most}"));
        }
    }

    fn finish(self) -> Result<()> {
        match self.found.as_slice() {
            [] => Ok(()),
            [one] => bail!("{one}"),
            several => bail!("{} settings are wrong:\n  {}", several.len(), several.join("\n  ")),
        }
    }
}
