//! What a caller may see of single things, and of the rows of a change: beyond their reach is like not there, in the same words.

use std::collections::HashSet;

use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId};
use lineshift_domain::terms::LineIdentifier;
use lineshift_store::StoreError;
use lineshift_store::bulk_changes::{BulkChangeView, DeviceChangeFilter, DeviceChangeView, LogEntry, LogKey};
use lineshift_store::devices::DeviceView;
use lineshift_store::paging::Listed;

use crate::{Caller, Engine, Result};

/// The place of a row in a list: its code, in lists by code, and its id.
pub type RowKey = (Option<Code>, DeviceChangeId);

impl Engine {
    /// A bulk change that the caller sees. Errors: `NotFound`, whether it is not there, another tenant's, or another's than a limited caller's.
    pub async fn get_bulk_change(&self, caller: &Caller, id: BulkChangeId) -> Result<BulkChangeView> {
        let change = self.store.get_bulk_change(caller.tenant, caller.principal, id).await?;
        if caller.sees(&change) { Ok(change) } else { Err(StoreError::not_found("bulk change", id).into()) }
    }

    /// A line within the caller's reach. Errors: `NotFound`, whether it is not there, another tenant's, or beyond.
    pub async fn get_device(&self, caller: &Caller, id: DeviceId) -> Result<DeviceView> {
        let line = self.store.get_device(caller.tenant, id).await?;
        let reached = caller.rights.reach.reaches_line(line.service_provider_id, line.rev_customer_id, line.site_id);
        if reached { Ok(line) } else { Err(StoreError::not_found("device", id).into()) }
    }

    /// A page of the rows of a bulk change that the caller sees. Of rows whose lines are beyond the caller's reach by now, because either
    /// changed or because somebody who reaches further retried them, there is by what they were ordered and what became of it, and
    /// nothing else of the lines.
    pub async fn list_device_changes(
        &self,
        caller: &Caller,
        change: &BulkChangeView,
        filter: DeviceChangeFilter,
        after: Option<RowKey>,
        limit: usize,
    ) -> Result<Listed<DeviceChangeView, RowKey>> {
        let mut listed = self.store.list_device_changes(caller.tenant, change.id, filter, after, limit).await?;
        self.hide_lines_beyond(caller, change, &mut listed.items).await?;
        Ok(listed)
    }

    /// Those rows of a bulk change that the caller sees, in device order; likewise. What is no row of it is left out.
    pub async fn find_device_changes(
        &self,
        caller: &Caller,
        change: &BulkChangeView,
        rows: &[DeviceChangeId],
    ) -> Result<Vec<DeviceChangeView>> {
        let mut found = self.store.find_device_changes(caller.tenant, change.id, rows).await?;
        self.hide_lines_beyond(caller, change, &mut found).await?;
        Ok(found)
    }

    async fn hide_lines_beyond(&self, caller: &Caller, change: &BulkChangeView, rows: &mut [DeviceChangeView]) -> Result<()> {
        let beyond = self.rows_beyond(caller, rows.iter().map(|row| row.id)).await?;
        for row in rows.iter_mut().filter(|row| beyond.contains(&row.id)) {
            row.device_id = None;
            row.status_details = None;
            match change.identifier {
                LineIdentifier::Iccid => row.number = None,
                LineIdentifier::Number => row.iccid = None,
            }
        }
        Ok(())
    }

    /// A page of the log of a bulk change that the caller sees; likewise.
    pub async fn list_log(
        &self,
        caller: &Caller,
        change: &BulkChangeView,
        row: Option<DeviceChangeId>,
        after: Option<LogKey>,
        limit: usize,
    ) -> Result<Listed<LogEntry, LogKey>> {
        let mut listed = self.store.list_log(caller.tenant, change.id, row, after, limit).await?;
        let beyond = self.rows_beyond(caller, listed.items.iter().filter_map(|entry| entry.device_change_id)).await?;
        for entry in listed.items.iter_mut().filter(|entry| entry.device_change_id.is_some_and(|row| beyond.contains(&row))) {
            entry.request_text = None;
            entry.response_text = None;
            entry.error_text = None;
        }
        Ok(listed)
    }

    async fn rows_beyond(&self, caller: &Caller, rows: impl Iterator<Item = DeviceChangeId>) -> Result<HashSet<DeviceChangeId>> {
        let reach = &caller.rights.reach;
        if reach.is_everything() {
            return Ok(HashSet::new());
        }
        let mut rows: Vec<DeviceChangeId> = rows.collect();
        // The entries of a row stand together.
        rows.dedup();
        Ok(self.store.find_rows_beyond(caller.tenant, reach, &rows).await?)
    }
}
