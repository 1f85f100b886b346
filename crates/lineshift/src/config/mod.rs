//! The configuration: defaults, a file, the environment and flags, in that order; the last one that says something holds.

mod check;
pub(crate) mod environment;
mod layers;
mod openid;
mod store_url;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::TimeDelta;
use ipnet::IpNet;
use lineshift_connectors::http::Destinations;
use lineshift_domain::limits::Limits;
use lineshift_store_sqlite::Options;
use lineshift_web::SessionSettings;
use serde::{Deserialize, Serialize};

pub(crate) use layers::{Configuration, Flag, Source};
pub(crate) use openid::OpenIdSection;
pub(crate) use store_url::{StoreSetting, StoreUrl, without_password};

/// The commented default file, which holds every setting.
pub(crate) const DEFAULT_FILE: &str = include_str!("../../config/default.toml");

/// Every setting. Names stand in configuration files: never rename one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where everything is stored.
    pub(crate) store: StoreSetting,
    /// Where `serve` listens.
    pub(crate) listen: SocketAddr,
    /// The server that client commands call.
    pub(crate) url: String,
    /// How `serve` is spoken to.
    pub(crate) server: ServerSettings,
    /// Calls of accounts that users name.
    pub(crate) outbound: OutboundSettings,
    /// What is logged, and how.
    pub(crate) log: LogSettings,
    /// The embedded store.
    pub(crate) sqlite: SqliteSettings,
    /// PostgreSQL.
    pub(crate) postgres: PostgresSettings,
    /// What credentials are sealed with.
    pub(crate) secrets: SecretSettings,
    /// How long people stay signed in.
    pub(crate) sessions: SessionsSettings,
    /// The provider at which they sign in.
    pub(crate) openid: OpenIdSection,
    /// Synchronisation with billing systems.
    pub(crate) sync: SyncSettings,
    /// Section 13.
    pub(crate) limits: Limits,
}

/// How `serve` is spoken to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSettings {
    /// The file of the certificate; empty: without TLS.
    pub(crate) tls_cert: String,
    /// The file of its key.
    pub(crate) tls_key: String,
    /// The proxies whose word is taken for who the client is.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

/// Calls of accounts that users name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OutboundSettings {
    /// Networks that are called although they are none of the public internet.
    pub(crate) allowed_networks: Vec<IpNet>,
}

impl OutboundSettings {
    /// Where accounts may be.
    pub(crate) fn destinations(&self) -> Destinations {
        Destinations::public(&self.allowed_networks)
    }
}

/// How long people stay signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SessionsSettings {
    /// After how many minutes without a request a session is over.
    pub(crate) idle_minutes: u32,
    /// After how many hours it is over at the latest.
    pub(crate) hours: u32,
}

impl Default for SessionsSettings {
    fn default() -> Self {
        Self { idle_minutes: 60, hours: 12 }
    }
}

impl SessionsSettings {
    /// As the API takes them.
    pub(crate) fn of_web(&self) -> SessionSettings {
        SessionSettings { idle: TimeDelta::minutes(self.idle_minutes.into()), absolute: TimeDelta::hours(self.hours.into()) }
    }
}

/// Synchronisation with billing systems.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SyncSettings {
    /// How often every billing account is synchronised by itself; 0: never.
    pub(crate) every_hours: u32,
}

impl SyncSettings {
    /// How often, if at all.
    pub(crate) fn every(&self) -> Option<TimeDelta> {
        (self.every_hours > 0).then(|| TimeDelta::hours(i64::from(self.every_hours)))
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSettings {
    /// For people or for programs.
    pub(crate) format: LogFormat,
    /// Levels, also by module.
    pub(crate) filter: String,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// How the embedded store is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SqliteSettings {
    /// Reads that may run at once.
    pub(crate) readers: usize,
    /// Page cache of the writer, in MiB.
    pub(crate) writer_cache_mib: usize,
    /// Page cache of each reader, in MiB.
    pub(crate) reader_cache_mib: usize,
    /// How long a write waits for another process.
    pub(crate) busy_timeout_seconds: u64,
}

/// How PostgreSQL is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PostgresSettings {
    /// Connections of one process at most.
    pub(crate) connections: usize,
    /// How long a call waits for one of them.
    pub(crate) connection_wait_seconds: u64,
    /// How long one statement may take.
    pub(crate) statement_timeout_seconds: u64,
    /// How long one statement may wait for rows that others hold.
    pub(crate) lock_timeout_seconds: u64,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        let options = lineshift_store_postgres::Options::default();
        Self {
            connections: options.connections,
            connection_wait_seconds: options.connection_wait.as_secs(),
            statement_timeout_seconds: options.statement_timeout.as_secs(),
            lock_timeout_seconds: options.lock_timeout.as_secs(),
        }
    }
}

impl PostgresSettings {
    /// As the store takes them.
    pub(crate) fn options(&self) -> lineshift_store_postgres::Options {
        lineshift_store_postgres::Options {
            connections: self.connections,
            connection_wait: Duration::from_secs(self.connection_wait_seconds),
            statement_timeout: Duration::from_secs(self.statement_timeout_seconds),
            lock_timeout: Duration::from_secs(self.lock_timeout_seconds),
            ..lineshift_store_postgres::Options::default()
        }
    }
}

/// What credentials of integrations are sealed with. The key itself is no setting: it would be shown with them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SecretSettings {
    /// The file that holds the key; empty: there is none.
    pub(crate) key_file: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            store: StoreSetting::new("sqlite://lineshift.sqlite3"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            url: "http://127.0.0.1:8080".to_owned(),
            server: ServerSettings::default(),
            outbound: OutboundSettings::default(),
            log: LogSettings::default(),
            sqlite: SqliteSettings::default(),
            postgres: PostgresSettings::default(),
            secrets: SecretSettings::default(),
            sessions: SessionsSettings::default(),
            openid: OpenIdSection::default(),
            sync: SyncSettings::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

impl Default for SqliteSettings {
    fn default() -> Self {
        let options = Options::default();
        Self {
            readers: options.readers,
            writer_cache_mib: options.writer_cache_mib,
            reader_cache_mib: options.reader_cache_mib,
            busy_timeout_seconds: options.busy_timeout.as_secs(),
        }
    }
}

impl SqliteSettings {
    /// As the store takes them.
    pub(crate) fn options(&self) -> Options {
        Options {
            readers: self.readers,
            writer_cache_mib: self.writer_cache_mib,
            reader_cache_mib: self.reader_cache_mib,
            busy_timeout: Duration::from_secs(self.busy_timeout_seconds),
            ..Options::default()
        }
    }
}
