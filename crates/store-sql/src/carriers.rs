//! Carriers: the plans of their catalogues, what they confirmed of lines, and what they say by callback.

mod callbacks;
mod lines;
mod plans;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{ServiceProviderId, TenantId};
use lineshift_store::carriers::{CallbackNoted, CalledBackLine, CarrierStore};
use lineshift_store::catalogue::CarrierRatePlan;
use lineshift_store::paging::Listed;
use lineshift_store::sql::carriers as text;
use lineshift_store::{Result, StoreError};

use crate::engine::{Engine, SqlStore};
use crate::row::page_limit;

pub(crate) use self::lines::write_lines;
pub(crate) use self::plans::{find_plan, is_plan_active};

#[async_trait]
impl<E: Engine> CarrierStore for SqlStore<E> {
    async fn upsert_carrier_rate_plans(
        &self,
        tenant: TenantId,
        provider: ServiceProviderId,
        plans: &[CarrierRatePlan],
    ) -> Result<u64> {
        let plans = plans.to_vec();
        self.engine.write(tenant, move |sql| plans::upsert(sql, tenant, provider, &plans)).await
    }

    async fn list_carrier_rate_plans(
        &self,
        tenant: TenantId,
        provider: ServiceProviderId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<CarrierRatePlan, String>> {
        let (limit, surplus) = page_limit(limit);
        let after = after.unwrap_or_default().to_owned();
        let plans = self
            .engine
            .read(tenant, move |sql| sql.query(text::LIST_PLANS, &[&tenant.0, &provider.0, &after, &surplus], plans::read_plan));
        Ok(Listed::from_surplus(plans.await?, limit, |plan| plan.code.clone()))
    }

    async fn set_callback_secret(&self, tenant: TenantId, provider: ServiceProviderId, sealed: Option<&[u8]>) -> Result<()> {
        let sealed = sealed.map(<[u8]>::to_vec);
        let changed = self
            .engine
            .write(tenant, move |sql| sql.execute(text::SET_CALLBACK_SECRET, &[&tenant.0, &provider.0, &sealed]))
            .await?;
        if changed == 0 { Err(missing(provider)) } else { Ok(()) }
    }

    async fn get_callback_secret(&self, tenant: TenantId, provider: ServiceProviderId) -> Result<Option<Vec<u8>>> {
        let found = self
            .engine
            .read(tenant, move |sql| sql.find(text::GET_CALLBACK_SECRET, &[&tenant.0, &provider.0], |row| row.get(0)))
            .await?;
        found.ok_or_else(|| missing(provider))
    }

    async fn note_callback(
        &self,
        tenant: TenantId,
        provider: ServiceProviderId,
        request_id: &str,
        lines: &[CalledBackLine],
        now: DateTime<Utc>,
    ) -> Result<CallbackNoted> {
        let (request, lines) = (request_id.to_owned(), lines.to_vec());
        self.engine.write(tenant, move |sql| callbacks::note(sql, (tenant, provider), &request, &lines, now)).await
    }
}

fn missing(provider: ServiceProviderId) -> StoreError {
    StoreError::not_found("service provider", provider)
}
