//! Reading bulk changes, their rows and their log.

use lineshift_domain::codes::Code;
use lineshift_domain::counts::Counts;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId, PrincipalId, ServiceProviderId, TenantId};
use lineshift_domain::terms::{BulkChangeStatus, ChangeRequestType, DeviceChangeStatus, PlanQueueState, PortalType};
use lineshift_store::bulk_changes::{
    BulkChangeFilter, BulkChangeView, DeviceChangeFilter, DeviceChangeView, LogEntry, LogKey, WaitingCount,
};
use lineshift_store::paging::Listed;
use lineshift_store::sql::bulk_changes as text;
use lineshift_store::{Result, StoreError};

use crate::engine::Sql;
use crate::row::{Row, not_a_term};
use crate::sql::control as tuned;
use crate::value::Parameter;

/// How many columns [`read_change`] reads.
pub(crate) const CHANGE_COLUMNS: usize = 25;

/// Reads the columns of `change_columns!`, which must stand first.
pub(crate) fn read_change(row: &Row<'_>) -> Result<BulkChangeView> {
    Ok(BulkChangeView {
        id: BulkChangeId(row.get(0)?),
        change_type: ChangeRequestType::from_number(row.get(1)?).map_err(|error| not_a_term(1, error))?,
        portal: PortalType::from_number(row.get(2)?).map_err(|error| not_a_term(2, error))?,
        service_provider_id: ServiceProviderId(row.get(3)?),
        identifier: row.term(4)?,
        order: serde_json::from_str(row.text(5)?).map_err(|error| not_a_term(5, error))?,
        name: row.get(6)?,
        reason: row.get(7)?,
        created_by: row.get(8)?,
        created_by_id: PrincipalId(row.get(9)?),
        created_at: row.time(10)?,
        receiving: row.get::<Option<i64>>(11)?.is_some(),
        started_at: row.maybe_time(12)?,
        begun_at: row.maybe_time(13)?,
        canceled_at: row.maybe_time(14)?,
        processed_at: row.maybe_time(15)?,
        attempt: row.get(16)?,
        counts: Counts {
            total: row.get(17)?,
            open: row.get(18)?,
            processed: row.get(19)?,
            error: row.get(20)?,
            canceled: row.get(21)?,
        },
        rejected: row.get(22)?,
        duplicates: row.get(23)?,
        scheduled_failed: row.get(24)?,
    })
}

fn surplus(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1
}

/// Whose changes are listed.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    Everybodys,
    Own,
}

pub(super) fn list_changes(
    sql: &Sql<'_>,
    tenant: TenantId,
    caller: PrincipalId,
    whose: Whose,
    before: Option<BulkChangeId>,
    limit: usize,
) -> Result<Listed<BulkChangeView, BulkChangeId>> {
    let before = before.map_or(i64::MAX, |id| id.0);
    let statement = match whose {
        Whose::Everybodys => text::LIST_CHANGES,
        Whose::Own => text::LIST_CHANGES_OF,
    };
    let found = sql.query(statement, &[&tenant.0, &before, &caller.0, &surplus(limit)], read_change)?;
    Ok(Listed::from_surplus(found, limit, |change| change.id))
}

/// Those of a portal that are sought.
pub(super) fn list_changes_by(
    sql: &Sql<'_>,
    tenant: TenantId,
    caller: PrincipalId,
    filter: &BulkChangeFilter,
    before: Option<BulkChangeId>,
    limit: usize,
) -> Result<Listed<BulkChangeView, BulkChangeId>> {
    let (before, portal, limit_and_one) = (before.map_or(i64::MAX, |id| id.0), filter.portal.number(), surplus(limit));
    let status = filter.status.map_or("", BulkChangeStatus::as_str);
    let by = filter.created_by.as_deref().unwrap_or_default();
    let mut parameters: Vec<&dyn Parameter> = vec![&tenant.0, &before, &caller.0, &limit_and_one, &portal, &status, &by];
    let statement = match &filter.ordered_by {
        None => text::LIST_CHANGES_BY,
        Some(orderer) => {
            parameters.push(&orderer.0);
            text::LIST_CHANGES_BY_OF
        }
    };
    let found = sql.query(statement, &parameters, read_change)?;
    Ok(Listed::from_surplus(found, limit, |change| change.id))
}

pub(super) fn get_change(sql: &Sql<'_>, tenant: TenantId, caller: PrincipalId, id: BulkChangeId) -> Result<BulkChangeView> {
    let found = sql.find(text::FIND_CHANGE, &[&tenant.0, &id.0, &caller.0], read_change)?;
    found.ok_or_else(|| StoreError::not_found("bulk change", id))
}

/// The consecutive ids of a change's rows.
fn id_range(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId) -> Result<(i64, i64)> {
    let range = sql.find(text::FIND_ID_RANGE, &[&tenant.0, &id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    range.ok_or_else(|| StoreError::not_found("bulk change", id))
}

pub(super) fn list_rows(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: BulkChangeId,
    filter: DeviceChangeFilter,
    after: Option<(Option<Code>, DeviceChangeId)>,
    limit: usize,
) -> Result<Listed<DeviceChangeView, (Option<Code>, DeviceChangeId)>> {
    let (first, last) = id_range(sql, tenant, id)?;
    let after_id = after.map_or(first - 1, |(_, id)| id.0);
    let after_code = after.and_then(|(code, _)| code).map_or("", Code::as_str);
    let limit_and_one = surplus(limit);
    let found = match (filter.code, filter.status) {
        (Some(_), Some(status)) if status != DeviceChangeStatus::Error => Vec::new(),
        (Some(code), _) => {
            sql.query(text::LIST_ROWS_BY_CODE, &[&tenant.0, &id.0, &code.as_str(), &after_id, &limit_and_one], read_row)?
        }
        (None, Some(DeviceChangeStatus::Error)) => {
            sql.query(text::LIST_ROWS_IN_ERROR, &[&tenant.0, &id.0, &after_code, &after_id, &limit_and_one], read_row)?
        }
        (None, Some(status)) => sql.query(
            text::LIST_ROWS_BY_STATUS,
            &[&tenant.0, &id.0, &after_id, &last, &status.as_str(), &limit_and_one],
            read_row,
        )?,
        (None, None) => sql.query(text::LIST_ROWS, &[&tenant.0, &id.0, &after_id, &last, &limit_and_one], read_row)?,
    };
    Ok(Listed::from_surplus(found, limit, |row| (row.error_code, row.id)))
}

fn read_row(row: &Row<'_>) -> Result<DeviceChangeView> {
    Ok(DeviceChangeView {
        id: DeviceChangeId(row.get(0)?),
        request_position: row.get(1)?,
        device_id: row.get::<Option<i64>>(2)?.map(DeviceId),
        iccid: row.get(3)?,
        number: row.get(4)?,
        status: row.term(5)?,
        error_kind: row.maybe_term(6)?,
        error_code: row.maybe_term(7)?,
        status_details: row.get(8)?,
        processed_at: row.maybe_time(9)?,
        attempt: row.get(10)?,
        next_check_at: row.maybe_time(11)?,
    })
}

/// The rows of a change among `rows`, a list of ids.
pub(super) fn find_rows(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId, rows: &str) -> Result<Vec<DeviceChangeView>> {
    let mut found = sql.query(tuned::FIND_ROWS, &[&tenant.0, &id.0, &rows], read_row)?;
    found.sort_by_key(|row| row.id);
    found.dedup_by_key(|row| row.id);
    Ok(found)
}

/// By what rows wait (B5.6); nothing else is stored as the code of a row in PENDING.
const WAITS: [Code; 4] = [Code::OutcomeUnknown, Code::QuotaExhausted, Code::AccountNotReady, Code::AwaitingCarrier];

pub(super) fn count_waiting(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId) -> Result<Vec<WaitingCount>> {
    let mut counted = Vec::new();
    for code in WAITS {
        let found = sql.find(tuned::COUNT_WAITING, &[&tenant.0, &id.0, &code.as_str()], |row| {
            Ok(WaitingCount { code, rows: row.get(0)?, next_check_at: row.maybe_time(1)? })
        })?;
        counted.extend(found.filter(|waiting| waiting.rows > 0));
    }
    Ok(counted)
}

pub(super) fn count_errors(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId) -> Result<Vec<(Code, i64)>> {
    sql.query(text::COUNT_ERRORS, &[&tenant.0, &id.0], |row| Ok((row.term(0)?, row.get(1)?)))
}

pub(super) fn count_scheduled(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId) -> Result<Vec<(PlanQueueState, i64)>> {
    sql.query(text::COUNT_SCHEDULED, &[&tenant.0, &id.0], |row| Ok((row.term(0)?, row.get(1)?)))
}

pub(super) fn recount(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId) -> Result<Counts> {
    let (first, last) = id_range(sql, tenant, id)?;
    let counts = sql.find(text::RECOUNT, &[&tenant.0, &id.0, &first, &last], |row| {
        Ok(Counts { total: row.get(0)?, open: row.get(1)?, processed: row.get(2)?, error: row.get(3)?, canceled: row.get(4)? })
    })?;
    Ok(counts.unwrap_or_default())
}

pub(super) fn list_log(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: BulkChangeId,
    device_change: Option<DeviceChangeId>,
    after: Option<LogKey>,
    limit: usize,
) -> Result<Listed<LogEntry, LogKey>> {
    let after = after.unwrap_or(LogKey { device_change_id: -1, attempt: 0, entry: -1 });
    let limit_and_one = surplus(limit);
    let found = match device_change {
        Some(row) => {
            let after =
                if after.device_change_id == row.0 { after } else { LogKey { device_change_id: row.0, attempt: 0, entry: -1 } };
            sql.query(text::LIST_LOG_OF_ROW, &[&tenant.0, &id.0, &row.0, &after.attempt, &after.entry, &limit_and_one], read_log)?
        }
        None => sql.query(
            text::LIST_LOG,
            &[&tenant.0, &id.0, &after.device_change_id, &after.attempt, &after.entry, &limit_and_one],
            read_log,
        )?,
    };
    Ok(Listed::from_surplus(found, limit, |entry| LogKey {
        device_change_id: entry.device_change_id.map_or(0, |id| id.0),
        attempt: entry.attempt,
        entry: entry.entry,
    }))
}

fn read_log(row: &Row<'_>) -> Result<LogEntry> {
    let device_change: i64 = row.get(0)?;
    Ok(LogEntry {
        device_change_id: (device_change != 0).then_some(DeviceChangeId(device_change)),
        attempt: row.get(1)?,
        entry: row.get(2)?,
        portal: PortalType::from_number(row.get(3)?).map_err(|error| not_a_term(3, error))?,
        description: row.get(4)?,
        process_by: row.get(5)?,
        processed_at: row.time(6)?,
        request_text: row.get(7)?,
        response_text: row.get(8)?,
        error_text: row.get(9)?,
        has_errors: row.get(10)?,
        response_status: row.get(11)?,
    })
}
