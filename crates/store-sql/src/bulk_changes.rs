//! Bulk changes: storing, reading, starting, canceling and retrying them.

mod control;
mod lists;
mod submission;

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::counts::Counts;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, PrincipalId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::PlanQueueState;
use lineshift_store::Result;
use lineshift_store::bulk_changes::{
    BulkChangeFilter, BulkChangeStore, BulkChangeView, DeviceChangeFilter, DeviceChangeView, Idempotency, IdempotencyClaim,
    LogEntry, LogKey, NewBulkChange, NewDeviceChange, Orderer, Reopening, StoredBulkChange, WaitingCount,
};
use lineshift_store::paging::Listed;

use self::lists::Whose;
use crate::engine::{Engine, SqlStore};
use crate::json::json;
use crate::reach::rows_beyond;

pub(crate) use lists::{CHANGE_COLUMNS, read_change};
pub(crate) use submission::{announce, announce_entries, forget_work, note_messages, work_kind};

#[async_trait]
impl<E: Engine> BulkChangeStore for SqlStore<E> {
    async fn claim_idempotency_key(
        &self,
        tenant: TenantId,
        claim: &IdempotencyClaim,
        running_until: DateTime<Utc>,
        kept_since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Idempotency> {
        let claim = claim.clone();
        self.engine.write(tenant, move |sql| submission::claim_key(sql, tenant, &claim, running_until, kept_since, now)).await
    }

    async fn release_idempotency_key(&self, tenant: TenantId, claim: &IdempotencyClaim) -> Result<()> {
        let claim = claim.clone();
        self.engine.write(tenant, move |sql| submission::release_key(sql, tenant, &claim)).await
    }

    async fn store_bulk_change(
        &self,
        tenant: TenantId,
        change: &NewBulkChange,
        rows: Vec<NewDeviceChange>,
        idempotency: Option<&IdempotencyClaim>,
    ) -> Result<StoredBulkChange> {
        let (change, idempotency) = (change.clone(), idempotency.cloned());
        self.engine
            .write(tenant, move |sql| {
                let (id, first) = submission::insert_change(sql, tenant, &change, change.created_at)?;
                submission::insert_rows(sql, tenant, id, &change, first, 0, &rows)?;
                submission::make_new(sql, tenant, id, &change, idempotency.as_ref(), change.created_at)
            })
            .await
    }

    async fn begin_receiving(
        &self,
        tenant: TenantId,
        change: &NewBulkChange,
        until: DateTime<Utc>,
        idempotency: Option<&IdempotencyClaim>,
    ) -> Result<BulkChangeId> {
        let (change, idempotency) = (change.clone(), idempotency.cloned());
        self.engine
            .write(tenant, move |sql| {
                let (id, _) = submission::insert_change(sql, tenant, &change, until)?;
                submission::tie_key(sql, tenant, id, idempotency.as_ref(), until)?;
                submission::announce_work(sql, tenant, change.created_at)?;
                Ok(id)
            })
            .await
    }

    async fn renew_receiving(&self, tenant: TenantId, id: BulkChangeId, until: DateTime<Utc>) -> Result<()> {
        self.engine.write(tenant, move |sql| submission::renew(sql, tenant, id, until).map(|_| ())).await
    }

    async fn append_received(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        change: &NewBulkChange,
        page: usize,
        rows: Vec<NewDeviceChange>,
        until: DateTime<Utc>,
    ) -> Result<()> {
        let change = change.clone();
        self.engine
            .write(tenant, move |sql| {
                let first = submission::renew(sql, tenant, id, until)?;
                submission::insert_rows(sql, tenant, id, &change, first, page, &rows)
            })
            .await
    }

    async fn finish_receiving(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        change: &NewBulkChange,
        idempotency: Option<&IdempotencyClaim>,
        now: DateTime<Utc>,
    ) -> Result<StoredBulkChange> {
        let (change, idempotency) = (change.clone(), idempotency.cloned());
        self.engine
            .write(tenant, move |sql| {
                submission::renew(sql, tenant, id, now)?;
                submission::make_new(sql, tenant, id, &change, idempotency.as_ref(), now)
            })
            .await
    }

    async fn drop_receiving(&self, tenant: TenantId, id: BulkChangeId) -> Result<()> {
        let marked = self.engine.write(tenant, move |sql| submission::mark_dropped(sql, tenant, id, None)).await?;
        if marked { submission::delete_dropped(&self.engine, tenant, id).await } else { Ok(()) }
    }

    async fn drop_abandoned(&self, tenant: TenantId, now: DateTime<Utc>, limit: usize) -> Result<usize> {
        let abandoned = self.engine.read(tenant, move |sql| submission::list_abandoned(sql, tenant, now, limit)).await?;
        let mut dropped = 0;
        for id in abandoned {
            if self.engine.write(tenant, move |sql| submission::mark_dropped(sql, tenant, id, Some(now))).await? {
                submission::delete_dropped(&self.engine, tenant, id).await?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    async fn list_bulk_changes(
        &self,
        tenant: TenantId,
        caller: PrincipalId,
        before: Option<BulkChangeId>,
        limit: usize,
    ) -> Result<Listed<BulkChangeView, BulkChangeId>> {
        self.engine.read(tenant, move |sql| lists::list_changes(sql, tenant, caller, Whose::Everybodys, before, limit)).await
    }

    async fn list_bulk_changes_of(
        &self,
        tenant: TenantId,
        orderer: PrincipalId,
        before: Option<BulkChangeId>,
        limit: usize,
    ) -> Result<Listed<BulkChangeView, BulkChangeId>> {
        self.engine.read(tenant, move |sql| lists::list_changes(sql, tenant, orderer, Whose::Own, before, limit)).await
    }

    async fn list_bulk_changes_by(
        &self,
        tenant: TenantId,
        caller: PrincipalId,
        filter: &BulkChangeFilter,
        before: Option<BulkChangeId>,
        limit: usize,
    ) -> Result<Listed<BulkChangeView, BulkChangeId>> {
        let filter = filter.clone();
        self.engine.read(tenant, move |sql| lists::list_changes_by(sql, tenant, caller, &filter, before, limit)).await
    }

    async fn get_bulk_change(&self, tenant: TenantId, caller: PrincipalId, id: BulkChangeId) -> Result<BulkChangeView> {
        self.engine.read(tenant, move |sql| lists::get_change(sql, tenant, caller, id)).await
    }

    async fn list_device_changes(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        filter: DeviceChangeFilter,
        after: Option<(Option<Code>, DeviceChangeId)>,
        limit: usize,
    ) -> Result<Listed<DeviceChangeView, (Option<Code>, DeviceChangeId)>> {
        self.engine.read(tenant, move |sql| lists::list_rows(sql, tenant, id, filter, after, limit)).await
    }

    async fn find_device_changes(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        rows: &[DeviceChangeId],
    ) -> Result<Vec<DeviceChangeView>> {
        let rows = json(&rows.iter().map(|row| row.0).collect::<Vec<_>>())?;
        self.engine.read(tenant, move |sql| lists::find_rows(sql, tenant, id, &rows)).await
    }

    async fn find_rows_beyond(
        &self,
        tenant: TenantId,
        reach: &Reach,
        rows: &[DeviceChangeId],
    ) -> Result<HashSet<DeviceChangeId>> {
        if reach.is_everything() || rows.is_empty() {
            return Ok(HashSet::new());
        }
        let (reach, rows) = (reach.clone(), rows.to_vec());
        self.engine.read(tenant, move |sql| rows_beyond(sql, tenant, &reach, &rows)).await
    }

    async fn count_errors(&self, tenant: TenantId, id: BulkChangeId) -> Result<Vec<(Code, i64)>> {
        self.engine.read(tenant, move |sql| lists::count_errors(sql, tenant, id)).await
    }

    async fn count_waiting(&self, tenant: TenantId, id: BulkChangeId) -> Result<Vec<WaitingCount>> {
        self.engine.read(tenant, move |sql| lists::count_waiting(sql, tenant, id)).await
    }

    async fn count_scheduled(&self, tenant: TenantId, id: BulkChangeId) -> Result<Vec<(PlanQueueState, i64)>> {
        self.engine.read(tenant, move |sql| lists::count_scheduled(sql, tenant, id)).await
    }

    async fn recount(&self, tenant: TenantId, id: BulkChangeId) -> Result<Counts> {
        self.engine.read(tenant, move |sql| lists::recount(sql, tenant, id)).await
    }

    async fn list_log(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        device_change: Option<DeviceChangeId>,
        after: Option<LogKey>,
        limit: usize,
    ) -> Result<Listed<LogEntry, LogKey>> {
        self.engine.read(tenant, move |sql| lists::list_log(sql, tenant, id, device_change, after, limit)).await
    }

    async fn start_bulk_change(&self, tenant: TenantId, id: BulkChangeId, by: &Orderer, now: DateTime<Utc>) -> Result<bool> {
        let by = by.clone();
        self.engine.write(tenant, move |sql| control::start(sql, tenant, id, &by, now)).await
    }

    async fn cancel_bulk_change(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        by: &Orderer,
        reach: &Reach,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let (by, reach) = (by.clone(), reach.clone());
        self.engine.write(tenant, move |sql| control::cancel(sql, tenant, id, &by, &reach, now)).await
    }

    async fn reopen_page(&self, tenant: TenantId, id: BulkChangeId, page: i64, reopening: &Reopening) -> Result<u64> {
        let reopening = reopening.clone();
        self.engine.write(tenant, move |sql| control::reopen_page(sql, tenant, id, page, &reopening)).await
    }

    async fn finish_reopening(&self, tenant: TenantId, id: BulkChangeId) -> Result<()> {
        self.engine.write(tenant, move |sql| control::finish_reopening(sql, tenant, id)).await
    }

    async fn count_pages(&self, tenant: TenantId, id: BulkChangeId) -> Result<i64> {
        self.engine.read(tenant, move |sql| control::count_pages(sql, tenant, id)).await
    }
}
