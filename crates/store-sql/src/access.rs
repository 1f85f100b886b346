//! Tenants and API keys.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_store::access::{AccessStore, ApiKey, NewApiKey, Tenant};
use lineshift_store::sql::access as text;
use lineshift_store::{Result, StoreError};

use crate::engine::{Engine, Scope, SqlStore};
use crate::row::{Row, micros};

#[async_trait]
impl<E: Engine> AccessStore for SqlStore<E> {
    async fn create_tenant(&self, name: &str, time_zone: chrono_tz::Tz, now: DateTime<Utc>) -> Result<TenantId> {
        let name = name.to_owned();
        // Known before the transaction begins, which is then held to it.
        let tenant = self.engine.write(Scope::Across, |sql| sql.reserve_tenant()).await?;
        self.engine
            .write(tenant, move |sql| {
                sql.execute(text::CREATE_TENANT, &[&tenant.0, &name, &time_zone.name(), &micros(now)])?;
                crate::people::create_ready_made_roles(sql, tenant)?;
                Ok(tenant)
            })
            .await
    }

    async fn get_tenant(&self, tenant: TenantId) -> Result<Tenant> {
        let found = self.engine.read(tenant, move |sql| sql.find(text::GET_TENANT, &[&tenant.0], read_tenant)).await?;
        found.ok_or_else(|| StoreError::not_found("tenant", tenant))
    }

    async fn list_tenants(&self) -> Result<Vec<Tenant>> {
        self.engine.read(Scope::Across, |sql| sql.query(text::LIST_TENANTS, &[], read_tenant)).await
    }

    async fn create_api_key(&self, tenant: TenantId, key: &NewApiKey, now: DateTime<Utc>) -> Result<PrincipalId> {
        let key = key.clone();
        self.engine
            .write(tenant, move |sql| {
                let id = sql.reserve_ids(tenant, crate::people::PRINCIPALS, 1)?;
                let (scopes, reach, expires) = (key.scopes.to_string(), key.reach.to_string(), key.expires_at.map(micros));
                sql.execute(
                    text::CREATE_API_KEY,
                    &[&tenant.0, &id, &key.name, &key.secret_hash, &scopes, &reach, &micros(now), &expires],
                )?;
                Ok(PrincipalId(id))
            })
            .await
    }

    async fn find_api_key(&self, tenant: TenantId, id: PrincipalId) -> Result<Option<ApiKey>> {
        self.engine.find_in_one_trip(tenant, text::FIND_API_KEY, vec![tenant.0.into(), id.0.into()], read_api_key).await
    }

    async fn list_api_keys(&self, tenant: TenantId) -> Result<Vec<ApiKey>> {
        self.engine.read(tenant, move |sql| sql.query(text::LIST_API_KEYS, &[&tenant.0], read_api_key)).await
    }

    async fn revoke_api_key(&self, tenant: TenantId, id: PrincipalId, now: DateTime<Utc>) -> Result<()> {
        self.engine
            .write(tenant, move |sql| {
                if sql.execute(text::REVOKE_API_KEY, &[&tenant.0, &id.0, &micros(now)])? > 0 {
                    return Ok(());
                }
                // Either it was revoked before, which stays as it is, or there is no such key.
                let known = sql.find(text::FIND_API_KEY, &[&tenant.0, &id.0], |_| Ok(()))?;
                known.ok_or_else(|| StoreError::not_found("API key", id))
            })
            .await
    }

    async fn record_api_key_uses(&self, tenant: TenantId, uses: &[(PrincipalId, DateTime<Utc>)]) -> Result<()> {
        let mut uses = uses.to_vec();
        // Always in the same order, so that two processes never wait for each other.
        uses.sort_unstable();
        self.engine
            .write(tenant, move |sql| {
                for (id, at) in &uses {
                    sql.execute(text::RECORD_API_KEY_USE, &[&tenant.0, &id.0, &micros(*at)])?;
                }
                Ok(())
            })
            .await
    }

    async fn check_ready(&self) -> Result<()> {
        self.engine.read(Scope::Across, |sql| sql.query(text::CHECK_READY, &[], |_| Ok(())).map(|_| ())).await
    }
}

fn read_tenant(row: &Row<'_>) -> Result<Tenant> {
    Ok(Tenant { id: TenantId(row.get(0)?), name: row.get(1)?, time_zone: row.term(2)?, created_at: row.time(3)? })
}

fn read_api_key(row: &Row<'_>) -> Result<ApiKey> {
    Ok(ApiKey {
        tenant_id: TenantId(row.get(0)?),
        id: PrincipalId(row.get(1)?),
        name: row.get(2)?,
        secret_hash: row.get(3)?,
        scopes: row.term(4)?,
        reach: row.term(5)?,
        created_at: row.time(6)?,
        expires_at: row.maybe_time(7)?,
        last_used_at: row.maybe_time(8)?,
        revoked_at: row.maybe_time(9)?,
    })
}
