//! Billing: accounts and the windows of their calls, the steps that call outside, and what is billed.

mod accounts;
mod places;
pub(crate) mod services;
mod settling;
mod steps;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, IntegrationAuthenticationId, TenantId};
use lineshift_domain::places::{PlacesAsked, PlacesLeased};
use lineshift_store::billing::{
    AccountSettings, BillingStore, CallWindows, CallsMade, IntegrationAccount, Looked, RevServiceProductRow, RevServiceRow,
    Settlement, StepBatch, StepRecord, TakenCalls, UnsettledFilter, UnsettledStep,
};
use lineshift_store::paging::Listed;
use lineshift_store::work::PageClaim;
use lineshift_store::{Result, StoreError};

use crate::engine::{Engine, SqlStore};
use crate::json::json;
use crate::sql::billing as tuned;

pub(crate) use self::steps::{read_step, write_logs};

#[async_trait]
impl<E: Engine> BillingStore for SqlStore<E> {
    async fn get_account(&self, tenant: TenantId, id: IntegrationAuthenticationId) -> Result<IntegrationAccount> {
        self.engine.read(tenant, move |sql| accounts::get(sql, tenant, id)).await
    }

    async fn set_account(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        settings: &AccountSettings,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let settings = settings.clone();
        self.engine.write(tenant, move |sql| accounts::set(sql, tenant, id, &settings, now)).await
    }

    async fn set_account_as_seen(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        version: i64,
        settings: &AccountSettings,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let settings = settings.clone();
        self.engine.write(tenant, move |sql| accounts::set_as_seen(sql, tenant, id, version, &settings, now)).await
    }

    async fn record_refused_credentials(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        version: i64,
        said: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let said = said.to_owned();
        self.engine.write(tenant, move |sql| accounts::record_refused(sql, tenant, id, version, &said, now)).await
    }

    async fn record_working_credentials(&self, tenant: TenantId, id: IntegrationAuthenticationId) -> Result<()> {
        self.engine.write(tenant, move |sql| accounts::record_working(sql, tenant, id)).await
    }

    async fn take_calls(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        wanted: u32,
        windows: CallWindows,
        now: DateTime<Utc>,
    ) -> Result<TakenCalls> {
        self.engine.write(tenant, move |sql| accounts::take_calls(sql, tenant, id, wanted, windows, now)).await
    }

    async fn lease_places(
        &self,
        tenant: TenantId,
        id: IntegrationAuthenticationId,
        holder: &str,
        asked: PlacesAsked,
        now: DateTime<Utc>,
    ) -> Result<PlacesLeased> {
        let holder = holder.to_owned();
        self.engine.write(tenant, move |sql| places::lease(sql, (tenant, id), &holder, asked, now)).await
    }

    async fn return_places(&self, tenant: TenantId, id: IntegrationAuthenticationId, holder: &str) -> Result<()> {
        let holder = holder.to_owned();
        self.engine.write(tenant, move |sql| places::give_back(sql, tenant, id, &holder)).await
    }

    async fn count_calls(&self, tenant: TenantId, id: IntegrationAuthenticationId, now: DateTime<Utc>) -> Result<CallsMade> {
        self.engine.read(tenant, move |sql| accounts::count_calls(sql, tenant, id, now)).await
    }

    async fn record_steps(&self, claim: &PageClaim, batch: &StepBatch, now: DateTime<Utc>) -> Result<()> {
        let (held, batch) = (claim.clone(), batch.clone());
        self.engine.write(claim.tenant_id, move |sql| steps::record(sql, &held, &batch, now)).await
    }

    async fn usp_revservice_create_service(&self, tenant: TenantId, rows: &[RevServiceRow], now: DateTime<Utc>) -> Result<u64> {
        let rows = rows.to_vec();
        self.engine.write(tenant, move |sql| sql.procedures().create_services(sql, tenant, &rows, now)).await
    }

    async fn usp_revservice_create_serviceproduct(
        &self,
        tenant: TenantId,
        rows: &[RevServiceProductRow],
        now: DateTime<Utc>,
    ) -> Result<u64> {
        let rows = rows.to_vec();
        self.engine.write(tenant, move |sql| sql.procedures().create_products(sql, tenant, &rows, Some(now))).await
    }

    async fn list_steps(&self, tenant: TenantId, row: DeviceChangeId) -> Result<Vec<StepRecord>> {
        self.engine.read(tenant, move |sql| sql.query(tuned::LIST_STEPS, &[&tenant.0, &row.0], read_step)).await
    }

    async fn list_steps_of(&self, tenant: TenantId, rows: &[DeviceChangeId]) -> Result<Vec<StepRecord>> {
        let ids = json(&rows.iter().map(|id| id.0).collect::<Vec<_>>())?;
        self.engine.read(tenant, move |sql| sql.query(tuned::LIST_STEPS_OF_ROWS, &[&tenant.0, &ids], read_step)).await
    }

    async fn get_bulk_change_of(&self, tenant: TenantId, row: DeviceChangeId) -> Result<BulkChangeId> {
        let found =
            self.engine.read(tenant, move |sql| sql.find(tuned::FIND_ROW, &[&tenant.0, &row.0], |found| found.get(0))).await?;
        found.map(BulkChangeId).ok_or_else(|| StoreError::not_found("device change", row))
    }

    async fn list_unsettled_steps(
        &self,
        tenant: TenantId,
        filter: &UnsettledFilter,
        after: Option<DeviceChangeId>,
        limit: usize,
    ) -> Result<Listed<UnsettledStep, DeviceChangeId>> {
        let filter = filter.clone();
        self.engine.read(tenant, move |sql| settling::list(sql, tenant, &filter, after, limit)).await
    }

    async fn settle_steps(
        &self,
        tenant: TenantId,
        row: DeviceChangeId,
        settlement: &Settlement,
        looked: Looked,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let said = settling::Said { settlement: settlement.clone(), looked, by: by.to_owned() };
        self.engine.write(tenant, move |sql| settling::settle(sql, tenant, row, &said, now)).await
    }
}
