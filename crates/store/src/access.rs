//! Tenants and API keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_domain::scopes::Scopes;

use crate::Result;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// The zone in which its days begin (B6.6).
    pub time_zone: chrono_tz::Tz,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// An API key as stored: never the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The tenant it acts for.
    pub tenant_id: TenantId,
    /// Its id within the tenant.
    pub id: PrincipalId,
    /// Who or what uses it; stands as `created_by` in what it orders.
    pub name: String,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// What it may do.
    pub scopes: Scopes,
    /// Whose lines it sees.
    pub reach: Reach,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when it is revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ApiKey {
    /// Whether the key may be used at that moment.
    #[must_use]
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires)
    }
}

/// A key to create.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Who or what uses it.
    pub name: String,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// What it may do.
    pub scopes: Scopes,
    /// Whose lines it sees.
    pub reach: Reach,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewApiKey {
    /// A key for all lines of the tenant that never expires.
    #[must_use]
    pub fn unlimited(name: &str, secret_hash: [u8; 32], scopes: Scopes) -> Self {
        Self { name: name.to_owned(), secret_hash, scopes, reach: Reach::Everything, expires_at: None }
    }
}

/// Tenants and their keys. Tenants are global; what stands here may be read before a tenant is known.
#[async_trait]
pub trait AccessStore {
    /// Creates a tenant with its ready-made roles. Errors: `Conflict` when the name is taken.
    async fn create_tenant(&self, name: &str, time_zone: chrono_tz::Tz, now: DateTime<Utc>) -> Result<TenantId>;
    /// One tenant. Errors: `NotFound`.
    async fn get_tenant(&self, tenant: TenantId) -> Result<Tenant>;
    /// All tenants by id; for the operator's own commands only.
    async fn list_tenants(&self) -> Result<Vec<Tenant>>;
    /// Stores a key.
    async fn create_api_key(&self, tenant: TenantId, key: &NewApiKey, now: DateTime<Utc>) -> Result<PrincipalId>;
    /// A key, revoked and expired ones included.
    async fn find_api_key(&self, tenant: TenantId, id: PrincipalId) -> Result<Option<ApiKey>>;
    /// All keys of a tenant by id.
    async fn list_api_keys(&self, tenant: TenantId) -> Result<Vec<ApiKey>>;
    /// Revokes a key; once revoked it stays so. Errors: `NotFound`.
    async fn revoke_api_key(&self, tenant: TenantId, id: PrincipalId, now: DateTime<Utc>) -> Result<()>;
    /// Notes when keys were last used, in one transaction. Called at most once a minute and key.
    async fn record_api_key_uses(&self, tenant: TenantId, uses: &[(PrincipalId, DateTime<Utc>)]) -> Result<()>;
    /// Whether the store answers reads (`/readyz`).
    async fn check_ready(&self) -> Result<()>;
}
