//! Runs: begun, claimed, put off, ended; and the lists of runs and findings.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use lineshift_domain::ids::{DeviceId, IntegrationAuthenticationId, RevCustomerId, RevServiceId, SyncRunId, TenantId};
use lineshift_domain::sync::{FindingKind, SyncPhase, SyncState};
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::sql::sync as text;
use lineshift_store::sync::{FindingKey, NewSyncRun, SyncClaim, SyncCounts, SyncFinding, SyncPlace, SyncRun};
use lineshift_store::{Result, StoreError};

use crate::billing::services::day_micros;
use crate::bulk_changes::work_kind;
use crate::engine::{Hint, Sql};
use crate::row::{Row, micros};
use crate::sql::submission;

pub(super) fn begin(sql: &Sql<'_>, tenant: TenantId, run: &NewSyncRun, now: DateTime<Utc>) -> Result<SyncRun> {
    let account = run.integration_authentication_id.0;
    if let Some(other) = sql.find(text::FIND_RUNNING, &[&tenant.0, &account], |row| row.get::<i64>(0))? {
        return Err(StoreError::Conflict {
            message: format!("run {other} of this integration goes on; wait until it has ended"),
        });
    }
    let since = if run.full || !run.customers { None } else { changed_since(sql, tenant, account)? };
    let id = sql.reserve_ids(tenant, "sync_run", 1)?;
    let phase = SyncPhase::first(run.customers);
    sql.execute(
        text::INSERT_RUN,
        &[
            &tenant.0,
            &id,
            &account,
            &run.customers,
            &run.services,
            &run.full,
            &since.map(day_micros),
            &phase.as_str(),
            &run.ordered_by,
            &micros(now),
        ],
    )?;
    sql.execute(submission::ANNOUNCE_TENANT_WORK, &[&tenant.0, &work_kind::SYNC, &micros(now)])?;
    sql.hint(Hint::Queue(tenant))?;
    get(sql, tenant, SyncRunId(id))
}

/// The day before the last run began that read customers and came to its end: what was changed while it ran is read again, and the
/// days there may begin elsewhere than here.
fn changed_since(sql: &Sql<'_>, tenant: TenantId, account: i64) -> Result<Option<NaiveDate>> {
    let last = sql.find(text::LAST_OF_CUSTOMERS, &[&tenant.0, &account], |row| row.time(0))?;
    Ok(last.map(|began| (began - TimeDelta::days(1)).date_naive()))
}

pub(super) fn get(sql: &Sql<'_>, tenant: TenantId, id: SyncRunId) -> Result<SyncRun> {
    let found = sql.find(text::GET_RUN, &[&tenant.0, &id.0], read_run)?;
    found.ok_or_else(|| StoreError::not_found("synchronisation", id))
}

pub(super) fn list(sql: &Sql<'_>, tenant: TenantId, before: Option<SyncRunId>, surplus: i64) -> Result<Vec<SyncRun>> {
    sql.query(text::LIST_RUNS, &[&tenant.0, &before.map_or(i64::MAX, |id| id.0), &surplus], read_run)
}

fn read_run(row: &Row<'_>) -> Result<SyncRun> {
    Ok(SyncRun {
        id: SyncRunId(row.get(0)?),
        integration_authentication_id: IntegrationAuthenticationId(row.get(1)?),
        customers: row.get(2)?,
        services: row.get(3)?,
        full: row.get(4)?,
        since: row.maybe_time(5)?.map(|day| day.date_naive()),
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
) -> Result<Vec<IntegrationAuthenticationId>> {
    let kind = IntegrationKind::REV_IO.as_str();
    sql.query(text::LIST_ACCOUNTS_TO_SYNC, &[&tenant.0, &micros(began_after), &kind], |row| {
        row.get(0).map(IntegrationAuthenticationId)
    })
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
