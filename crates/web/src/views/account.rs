//! An integration's account: how it is called, and how much of it is left. Nothing here is secret.

use chrono::{DateTime, SubsecRound as _, Utc};
use lineshift_connectors::http::{AccountLimits, NotNow};
use lineshift_engine::ConnectionTest;
use lineshift_store::billing::{CallsMade, IntegrationAccount};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How an integration is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = IntegrationAccount)]
pub struct AccountView {
    /// The integration's id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Rev.io, Jasper, ThingSpace, Telegence or POND, or another carrier that is registered.
    pub integration_kind: String,
    /// Whether it may be used.
    pub is_active: bool,
    /// Whether it may be written to.
    pub write_enabled: bool,
    /// Whether it may be called without TLS.
    pub is_local: bool,
    /// Where it is called.
    #[schema(example = "https://restapi.rev.io/v1")]
    pub base_address: Option<String>,
    /// Whether credentials are stored.
    pub has_credentials: bool,
    /// Whose account it is at Rev.io, sandbox or production; null: another kind, no credentials are stored, or this server cannot
    /// open them.
    pub client_code: Option<String>,
    /// Its own limit of calls at a time; null: the configured one.
    pub concurrency: Option<u32>,
    /// Its own limit of calls a minute; null: the configured one.
    pub calls_a_minute: Option<u32>,
    /// Its own limit of calls a day; null: the configured one.
    pub calls_a_day: Option<u32>,
    /// The limits in force.
    pub limits: AccountLimitsView,
    /// What was called of late.
    pub calls: CallsView,
    /// Since when its credentials are refused.
    pub refused_at: Option<DateTime<Utc>>,
    /// What was said then.
    pub refused_text: Option<String>,
    /// Before when it cannot be called, as far as this server knows.
    pub not_before: Option<DateTime<Utc>>,
    /// Why.
    pub not_before_reason: Option<String>,
}

/// What an account allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AccountLimits)]
pub struct AccountLimitsView {
    /// Calls at a time.
    pub concurrency: usize,
    /// Calls in any minute.
    pub calls_a_minute: u32,
    /// Calls in any 24 hours.
    pub calls_a_day: u32,
}

/// Calls of the last minute and day, by all servers on this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AccountCalls)]
pub struct CallsView {
    /// Calls made in the last minute.
    pub in_minute: i64,
    /// How many more the minute allows.
    pub left_in_minute: i64,
    /// Calls made in the last 24 hours.
    pub in_day: i64,
    /// How many more the day allows.
    pub left_in_day: i64,
}

impl AccountView {
    /// The account as it is stored, with what else is known of it.
    #[must_use]
    pub fn new(
        account: IntegrationAccount,
        client_code: Option<String>,
        limits: AccountLimits,
        made: CallsMade,
        not_before: Option<NotNow>,
    ) -> Self {
        let left = |limit: u32, made: i64| (i64::from(limit) - made).max(0);
        let AccountLimits { concurrency, calls_a_minute, calls_a_day, .. } = limits;
        Self {
            id: account.id.0,
            name: account.name,
            integration_kind: account.integration_kind.to_string(),
            is_active: account.is_active,
            write_enabled: account.write_enabled,
            is_local: account.is_local,
            base_address: account.base_address,
            has_credentials: account.secret_encrypted.is_some(),
            client_code,
            concurrency: account.concurrency,
            calls_a_minute: account.calls_a_minute,
            calls_a_day: account.calls_a_day,
            limits: AccountLimitsView { concurrency, calls_a_minute, calls_a_day },
            calls: CallsView {
                in_minute: made.in_minute,
                left_in_minute: left(calls_a_minute, made.in_minute),
                in_day: made.in_day,
                left_in_day: left(calls_a_day, made.in_day),
            },
            refused_at: account.refused_at,
            refused_text: account.refused_text,
            not_before: not_before.map(|not_now| not_now.until.trunc_subsecs(6)),
            not_before_reason: not_before.map(|not_now| not_now.why.text().to_owned()),
        }
    }
}

/// How an account is to be called from now on: all of it but the credentials, which stay where none are given.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AccountRequest {
    /// Where: https:// with a host and perhaps a path; http:// only with `is_local`.
    #[schema(example = "https://restapi.rev.io/v1")]
    pub base_address: String,
    /// Whether it may be called without TLS. False by default.
    #[serde(default)]
    pub is_local: bool,
    /// Whether it may be written to. True by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_enabled: Option<bool>,
    /// Its credentials; absent or null: those that are stored. Needed when another host is to be called. Never answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(write_only)]
    pub credentials: Option<CredentialsRequest>,
    /// Calls at a time, 1 to 1024; null: the configured limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Calls a minute, 1 to 1000000; null: the configured limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_a_minute: Option<u32>,
    /// Calls a day, 1 to 100000000; null: the configured limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_a_day: Option<u32>,
}

/// Credentials: the fields of the integration's kind. They have no `Debug`: nothing of them is printed.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Credentials)]
pub enum CredentialsRequest {
    /// For Rev.io.
    Revio(RevioCredentialsRequest),
    /// For Jasper.
    Jasper(JasperCredentialsRequest),
    /// For POND.
    Pond(PondCredentialsRequest),
}

/// Credentials for Rev.io.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = RevioCredentials)]
pub struct RevioCredentialsRequest {
    /// The user's name; no e-mail address.
    pub user: String,
    /// Selects the account at Rev.io, sandbox or production; may be shown.
    pub client_code: String,
    /// The password.
    #[schema(format = Password, write_only)]
    pub password: String,
    /// The subscription key of the newer host; an account without one leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Password, write_only)]
    pub subscription_key: Option<String>,
}

/// Credentials for Jasper.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = JasperCredentials)]
pub struct JasperCredentialsRequest {
    /// The user's name; no colon.
    pub user: String,
    /// The user's API key.
    #[schema(format = Password, write_only)]
    pub api_key: String,
}

/// Credentials for POND.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = PondCredentials)]
pub struct PondCredentialsRequest {
    /// The API key.
    #[schema(format = Password, write_only)]
    pub api_key: String,
    /// Whose account it is.
    pub distributor_id: String,
    /// The header in which the key is sent. x-api-key by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The inventory whose package types are the carrier's rate plans; without it they are not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory_id: Option<String>,
}

/// What a test of a connection came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ConnectionTest)]
pub struct ConnectionTestView {
    /// Whether the credentials work.
    pub ok: bool,
    /// Why not: credentials_missing, credentials_refused, account_not_ready, quota_exhausted, billing_refused,
    /// billing_unavailable, carrier_refused or carrier_unavailable.
    pub code: Option<String>,
    /// What was said.
    pub message: String,
}

impl From<ConnectionTest> for ConnectionTestView {
    fn from(test: ConnectionTest) -> Self {
        Self { ok: test.failed.is_none(), code: test.failed.map(|code| code.to_string()), message: test.text }
    }
}

/// What callbacks of a carrier must carry: fields of the carrier's own, each a text of 1 to 1000 characters. It has no `Debug`:
/// nothing of it is printed.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = CallbackCredentials, example = json!({"user": "carrier", "password": "a long secret"}))]
pub struct CallbackCredentialsRequest(pub std::collections::BTreeMap<String, String>);

/// A callback came. It is not told what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CallbackTaken)]
pub struct CallbackTakenView {
    /// Always true.
    pub received: bool,
}
