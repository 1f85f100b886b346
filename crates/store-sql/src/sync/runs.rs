//! Runs: begun, claimed, put off, ended; and the lists of runs and findings.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use lineshift_domain::ids::{
    DeviceId, IntegrationAuthenticationId, RevCustomerId, RevServiceId, ServiceProviderId, SyncRunId, TenantId,
};
use lineshift_domain::sync::{FindingKind, SyncPart, SyncParts, SyncPhase, SyncState};
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::sql::sync as text;
use lineshift_store::sync::{AccountToSync, FindingKey, NewSyncRun, SyncClaim, SyncCounts, SyncFinding, SyncPlace, SyncRun};
use lineshift_store::{Result, StoreError};

use crate::billing::services::day_micros;
use crate::bulk_changes::work_kind;
use crate::engine::{Hint, Sql};
use crate::json::json as to_json;
use crate::row::{Row, micros};
use crate::sql::{carrier_sync as tuned, submission};

pub(super) fn begin(sql: &Sql<'_>, tenant: TenantId, run: &NewSyncRun, now: DateTime<Utc>) -> Result<SyncRun> {
    let account = run.integration_authentication_id.0;
    if let Some(other) = sql.find(text::FIND_RUNNING, &[&tenant.0, &account], |row| row.get::<i64>(0))? {
        return Err(StoreError::Conflict {
            message: format!("run {other} of this integration goes on; wait until it has ended"),
        });
    }
    let asks = |part| run.what.has(part);
    let since = if run.full || !asks(SyncPart::Customers) { None } else { customers_changed_since(sql, tenant, account)? };
    let changed_since = match run.service_provider_id {
        Some(provider) if !run.full && asks(SyncPart::Devices) => lines_changed_since(sql, tenant, account, provider)?,
        _ => None,
    };
    let id = sql.reserve_ids(tenant, "sync_run", 1)?;
    let phase = SyncPhase::first(run.what);
    let lines: Vec<i64> = run.usage_lines.iter().map(|line| line.0).collect();
    sql.execute(
        text::INSERT_RUN,
        &[
            &tenant.0,
            &id,
            &account,
            &asks(SyncPart::Customers),
            &asks(SyncPart::Services),
            &run.full,
            &since.map(day_micros),
            &phase.as_str(),
            &run.ordered_by,
            &micros(now),
            &run.service_provider_id.map(|id| id.0),
            &asks(SyncPart::CarrierPlans),
            &asks(SyncPart::Devices),
            &asks(SyncPart::Usage),
            &changed_since.map(micros),
            &i64::try_from(lines.len()).expect("an order names few lines"),
        ],
    )?;
    if !lines.is_empty() {
        sql.execute(tuned::STORE_RUN_LINES, &[&tenant.0, &to_json(&lines)?, &id])?;
    }
    sql.execute(submission::ANNOUNCE_TENANT_WORK, &[&tenant.0, &work_kind::SYNC, &micros(now)])?;
    sql.hint(Hint::Queue(tenant))?;
    get(sql, tenant, SyncRunId(id))
}

/// The day before the last run began that read customers and came to its end: what was changed while it ran is read again, and the
/// days there may begin elsewhere than here.
fn customers_changed_since(sql: &Sql<'_>, tenant: TenantId, account: i64) -> Result<Option<NaiveDate>> {
    let last = sql.find(text::LAST_OF_CUSTOMERS, &[&tenant.0, &account], |row| row.time(0))?;
    Ok(last.map(|began| (began - TimeDelta::days(1)).date_naive()))
}

/// An hour before the last run began that read lines of the service provider and came to its end: what was changed while it ran is
/// read again, and clocks there may go otherwise than here.
fn lines_changed_since(
    sql: &Sql<'_>,
    tenant: TenantId,
    account: i64,
    provider: ServiceProviderId,
) -> Result<Option<DateTime<Utc>>> {
    let last = sql.find(text::LAST_OF_LINES, &[&tenant.0, &account, &provider.0], |row| row.time(0))?;
    Ok(last.map(|began| began - TimeDelta::hours(1)))
}

pub(super) fn get(sql: &Sql<'_>, tenant: TenantId, id: SyncRunId) -> Result<SyncRun> {
    let found = sql.find(text::GET_RUN, &[&tenant.0, &id.0], read_run)?;
    found.ok_or_else(|| StoreError::not_found("synchronisation", id))
}

pub(super) fn list(sql: &Sql<'_>, tenant: TenantId, before: Option<SyncRunId>, surplus: i64) -> Result<Vec<SyncRun>> {
    sql.query(text::LIST_RUNS, &[&tenant.0, &before.map_or(i64::MAX, |id| id.0), &surplus], read_run)
}

fn read_run(row: &Row<'_>) -> Result<SyncRun> {
    let parts = [
        (SyncPart::Customers, 2),
        (SyncPart::Services, 3),
        (SyncPart::CarrierPlans, 25),
        (SyncPart::Devices, 26),
        (SyncPart::Usage, 27),
    ];
    let mut what = SyncParts::NONE;
    for (part, column) in parts {
        if row.get::<bool>(column)? {
            what = what.and(part);
        }
    }
    Ok(SyncRun {
        id: SyncRunId(row.get(0)?),
        integration_authentication_id: IntegrationAuthenticationId(row.get(1)?),
        service_provider_id: row.get::<Option<i64>>(24)?.map(ServiceProviderId),
        what,
        full: row.get(4)?,
        since: row.maybe_time(5)?.map(|day| day.date_naive()),
        changed_since: row.maybe_time(28)?,
        usage_lines: row.get(29)?,
        state: row.term(6)?,
        phase: row.term(7)?,
        page: row.get(8)?,
        after: row.get(9)?,
        counts: SyncCounts {
            read: row.get(10)?,
            new: row.get(11)?,
            changed: row.get(12)?,
            unchanged: row.get(13)?,
            left_out: row.get(14)?,
            gone: row.get(15)?,
            billed_not_assigned: row.get(16)?,
            assigned_not_billed: row.get(17)?,
            used: row.get(30)?,
        },
        ordered_by: row.get(18)?,
        started_at: row.time(19)?,
        ended_at: row.maybe_time(20)?,
        due_at: row.time(21)?,
        failures: row.get(22)?,
        note: row.get(23)?,
    })
}

pub(super) fn list_findings(
    sql: &Sql<'_>,
    tenant: TenantId,
    run: SyncRunId,
    kind: Option<FindingKind>,
    after: Option<FindingKey>,
    surplus: i64,
) -> Result<Vec<SyncFinding>> {
    get(sql, tenant, run)?;
    let (of_kind, subject, id) = after.map_or(("", "", 0), |key| (key.kind.as_str(), key.subject.as_str(), key.subject_id));
    let (statement, asked) = kind.map_or((text::LIST_FINDINGS, of_kind), |kind| (text::LIST_FINDINGS_OF_KIND, kind.as_str()));
    sql.query(statement, &[&tenant.0, &run.0, &asked, &subject, &id, &surplus], |row| {
        Ok(SyncFinding {
            kind: row.term(0)?,
            subject: row.term(1)?,
            subject_id: row.get(2)?,
            rev_customer_id: row.get::<Option<i64>>(3)?.map(RevCustomerId),
            rev_service_id: row.get::<Option<i64>>(4)?.map(RevServiceId),
            device_id: row.get::<Option<i64>>(5)?.map(DeviceId),
            line: row.get(6)?,
            here: row.get(7)?,
            there: row.get(8)?,
            at: row.time(9)?,
        })
    })
}

pub(super) fn list_accounts(
    sql: &Sql<'_>,
    tenant: TenantId,
    began_after: DateTime<Utc>,
    carriers: &[IntegrationKind],
) -> Result<Vec<AccountToSync>> {
    let (after, billing) = (micros(began_after), IntegrationKind::REV_IO.as_str());
    let mut due = sql.query(text::LIST_ACCOUNTS_TO_SYNC, &[&tenant.0, &after, &billing], |row| {
        Ok(AccountToSync { id: IntegrationAuthenticationId(row.get(0)?), service_provider_id: None })
    })?;
    for carrier in carriers {
        due.extend(sql.query(text::LIST_CARRIERS_TO_SYNC, &[&tenant.0, &after, &carrier.as_str()], |row| {
            let service_provider_id = Some(ServiceProviderId(row.get(1)?));
            Ok(AccountToSync { id: IntegrationAuthenticationId(row.get(0)?), service_provider_id })
        })?);
    }
    Ok(due)
}

pub(super) fn list_providers_of(
    sql: &Sql<'_>,
    tenant: TenantId,
    account: IntegrationAuthenticationId,
) -> Result<Vec<ServiceProviderId>> {
    sql.query(text::LIST_PROVIDERS_OF, &[&tenant.0, &account.0], |row| row.get(0).map(ServiceProviderId))
}

pub(super) fn is_account_wanted(
    sql: &Sql<'_>,
    tenant: TenantId,
    account: IntegrationAuthenticationId,
    now: DateTime<Utc>,
) -> Result<bool> {
    Ok(sql.find(text::IS_ACCOUNT_WANTED, &[&tenant.0, &account.0, &micros(now)], |row| row.get::<i64>(0))?.is_some())
}

/// Runs of a tenant that anybody may take up now: since when, and which.
pub(super) fn list_due(
    sql: &Sql<'_>,
    tenant: TenantId,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Vec<(i64, TenantId, SyncRunId)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    sql.query(text::LIST_DUE, &[&tenant.0, &micros(now), &limit], |row| Ok((row.get(1)?, tenant, SyncRunId(row.get(0)?))))
}

pub(super) fn claim(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: SyncRunId,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<SyncClaim>> {
    let claimed = sql.find(text::CLAIM, &[&tenant.0, &id.0, &micros(until), &micros(now)], |row| row.get(0))?;
    let Some(epoch) = claimed else { return Ok(None) };
    Ok(Some(SyncClaim { tenant_id: tenant, epoch, run: get(sql, tenant, id)? }))
}

pub(super) fn renew(sql: &Sql<'_>, claim: &SyncClaim, until: DateTime<Utc>) -> Result<()> {
    let changed = sql.execute(text::RENEW, &[&claim.tenant_id.0, &claim.run.id.0, &claim.epoch, &micros(until)])?;
    held(claim, changed)
}

pub(super) fn put_off(sql: &Sql<'_>, claim: &SyncClaim, until: DateTime<Utc>, failures: u32, note: Option<&str>) -> Result<()> {
    let key = (claim.tenant_id.0, claim.run.id.0, claim.epoch);
    held(claim, sql.execute(text::PUT_OFF, &[&key.0, &key.1, &key.2, &micros(until), &failures, &note])?)
}

pub(super) fn fail(sql: &Sql<'_>, claim: &SyncClaim, note: &str, now: DateTime<Utc>) -> Result<()> {
    let key = (claim.tenant_id.0, claim.run.id.0, claim.epoch);
    held(claim, sql.execute(text::FAIL, &[&key.0, &key.1, &key.2, &note, &micros(now)])?)?;
    forget_work(sql, claim.tenant_id)
}

/// Takes the note away that the tenant has runs that go on, when none is left. Whoever begins one holds the note until he commits.
fn forget_work(sql: &Sql<'_>, tenant: TenantId) -> Result<()> {
    sql.execute(submission::ANNOUNCE_TENANT_WORK, &[&tenant.0, &work_kind::SYNC, &0])?;
    sql.execute(text::FORGET_WORK, &[&tenant.0])?;
    Ok(())
}

/// Moves the run on, under its claim, by what was met.
pub(super) fn advance(
    sql: &Sql<'_>,
    claim: &SyncClaim,
    next: SyncPlace,
    met: &SyncCounts,
    now: DateTime<Utc>,
) -> Result<SyncClaim> {
    let ends = next.phase == SyncPhase::Finished;
    let state = if ends { SyncState::Done } else { SyncState::Running };
    let changed = sql.execute(
        text::ADVANCE,
        &[
            &claim.tenant_id.0,
            &claim.run.id.0,
            &claim.epoch,
            &state.as_str(),
            &next.phase.as_str(),
            &next.page,
            &next.after,
            &ends.then(|| micros(now)),
            &met.read,
            &met.new,
            &met.changed,
            &met.unchanged,
            &met.left_out,
            &met.gone,
            &met.billed_not_assigned,
            &met.assigned_not_billed,
            &met.used,
        ],
    )?;
    held(claim, changed)?;
    if ends {
        forget_work(sql, claim.tenant_id)?;
    }
    Ok(SyncClaim { run: get(sql, claim.tenant_id, claim.run.id)?, ..claim.clone() })
}

fn held(claim: &SyncClaim, changed: usize) -> Result<()> {
    if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost { what: format!("synchronisation {}", claim.run.id) }) }
}
