//! Synchronisation: runs, what they write page by page, what no list showed, and the report.

mod lines;
mod plans;
mod products;
mod record;
mod report;
mod runs;
mod services;
mod unseen;
mod usage;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId, SyncRunId, TenantId};
use lineshift_domain::sync::FindingKind;
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::Result;
use lineshift_store::paging::Listed;
use lineshift_store::sync::{
    AccountToSync, FindingKey, LinePart, NewSyncRun, SyncBatch, SyncClaim, SyncFinding, SyncPlace, SyncRun, SyncStore, UnseenPart,
};

use crate::bulk_changes::work_kind;
use crate::engine::{Engine, SqlStore};
use crate::row::page_limit;
use crate::work::with_work;

#[async_trait]
impl<E: Engine> SyncStore for SqlStore<E> {
    async fn begin_sync_run(&self, tenant: TenantId, run: &NewSyncRun, now: DateTime<Utc>) -> Result<SyncRun> {
        let run = run.clone();
        self.engine.write(tenant, move |sql| runs::begin(sql, tenant, &run, now)).await
    }

    async fn get_sync_run(&self, tenant: TenantId, id: SyncRunId) -> Result<SyncRun> {
        self.engine.read(tenant, move |sql| runs::get(sql, tenant, id)).await
    }

    async fn list_sync_runs(
        &self,
        tenant: TenantId,
        before: Option<SyncRunId>,
        limit: usize,
    ) -> Result<Listed<SyncRun, SyncRunId>> {
        let (limit, surplus) = page_limit(limit);
        let items = self.engine.read(tenant, move |sql| runs::list(sql, tenant, before, surplus)).await?;
        Ok(Listed::from_surplus(items, limit, |run| run.id))
    }

    async fn list_sync_findings(
        &self,
        tenant: TenantId,
        id: SyncRunId,
        kind: Option<FindingKind>,
        after: Option<FindingKey>,
        limit: usize,
    ) -> Result<Listed<SyncFinding, FindingKey>> {
        let (limit, surplus) = page_limit(limit);
        let items = self.engine.read(tenant, move |sql| runs::list_findings(sql, tenant, id, kind, after, surplus)).await?;
        Ok(Listed::from_surplus(items, limit, SyncFinding::key))
    }

    async fn list_accounts_to_sync(
        &self,
        tenant: TenantId,
        began_after: DateTime<Utc>,
        carriers: &[IntegrationKind],
    ) -> Result<Vec<AccountToSync>> {
        let carriers = carriers.to_vec();
        self.engine.read(tenant, move |sql| runs::list_accounts(sql, tenant, began_after, &carriers)).await
    }

    async fn list_service_providers_of(
        &self,
        tenant: TenantId,
        account: IntegrationAuthenticationId,
    ) -> Result<Vec<ServiceProviderId>> {
        self.engine.read(tenant, move |sql| runs::list_providers_of(sql, tenant, account)).await
    }

    async fn is_account_wanted(
        &self,
        tenant: TenantId,
        account: IntegrationAuthenticationId,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        self.engine.read(tenant, move |sql| runs::is_account_wanted(sql, tenant, account, now)).await
    }

    async fn list_due_sync_runs(&self, limit: usize, now: DateTime<Utc>) -> Result<Vec<(TenantId, SyncRunId)>> {
        let mut due = Vec::new();
        for tenant in with_work(&self.engine, work_kind::SYNC, None).await? {
            due.extend(self.engine.read(tenant, move |sql| runs::list_due(sql, tenant, limit, now)).await?);
        }
        due.sort_unstable();
        Ok(due.into_iter().take(limit).map(|(_, tenant, run)| (tenant, run)).collect())
    }

    async fn claim_sync_run(
        &self,
        tenant: TenantId,
        id: SyncRunId,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<SyncClaim>> {
        self.engine.write(tenant, move |sql| runs::claim(sql, tenant, id, until, now)).await
    }

    async fn renew_sync_lease(&self, claim: &SyncClaim, until: DateTime<Utc>) -> Result<()> {
        let claim = claim.clone();
        self.engine.write(claim.tenant_id, move |sql| runs::renew(sql, &claim, until)).await
    }

    async fn put_off_sync_run(&self, claim: &SyncClaim, until: DateTime<Utc>, failures: u32, note: Option<&str>) -> Result<()> {
        let (claim, note) = (claim.clone(), note.map(str::to_owned));
        self.engine.write(claim.tenant_id, move |sql| runs::put_off(sql, &claim, until, failures, note.as_deref())).await
    }

    async fn fail_sync_run(&self, claim: &SyncClaim, note: &str, now: DateTime<Utc>) -> Result<()> {
        let (claim, note) = (claim.clone(), note.to_owned());
        self.engine.write(claim.tenant_id, move |sql| runs::fail(sql, &claim, &note, now)).await
    }

    async fn record_sync(&self, claim: &SyncClaim, batch: &SyncBatch, next: SyncPlace, now: DateTime<Utc>) -> Result<SyncClaim> {
        let (claim, batch) = (claim.clone(), batch.clone());
        self.engine.write(claim.tenant_id, move |sql| record::record(sql, &claim, &batch, next, now)).await
    }

    async fn list_unseen_services(&self, claim: &SyncClaim, limit: usize) -> Result<UnseenPart> {
        let claim = claim.clone();
        self.engine.read(claim.tenant_id, move |sql| unseen::services(sql, &claim, limit)).await
    }

    async fn list_unseen_products(&self, claim: &SyncClaim, stored_before: DateTime<Utc>, limit: usize) -> Result<UnseenPart> {
        let claim = claim.clone();
        self.engine.read(claim.tenant_id, move |sql| unseen::products(sql, &claim, stored_before, limit)).await
    }

    async fn list_unseen_lines(&self, claim: &SyncClaim, limit: usize) -> Result<LinePart> {
        let claim = claim.clone();
        self.engine.read(claim.tenant_id, move |sql| unseen::lines(sql, &claim, limit)).await
    }

    async fn list_usage_lines(&self, claim: &SyncClaim, limit: usize) -> Result<LinePart> {
        let claim = claim.clone();
        self.engine.read(claim.tenant_id, move |sql| usage::list(sql, &claim, limit)).await
    }

    async fn record_sync_report(&self, claim: &SyncClaim, now: DateTime<Utc>) -> Result<SyncClaim> {
        let claim = claim.clone();
        self.engine.write(claim.tenant_id, move |sql| report::record(sql, &claim, now)).await
    }
}
