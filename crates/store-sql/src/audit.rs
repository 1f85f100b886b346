//! What was asked of the product and what came of it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_store::Result;
use lineshift_store::audit::{AuditEntry, AuditFilter, AuditKey, AuditOutcome, AuditStore, NewAuditEntry};
use lineshift_store::paging::Listed;
use lineshift_store::sql::audit as text;

use crate::engine::{Engine, Sql, SqlStore};
use crate::row::{Row, micros, month, page_limit};
use crate::value::Parameter;

#[async_trait]
impl<E: Engine> AuditStore for SqlStore<E> {
    async fn record_audit_entry(&self, tenant: TenantId, entry: &NewAuditEntry) -> Result<()> {
        let entry = entry.clone();
        self.engine.write(tenant, move |sql| write_entry(sql, tenant, &entry)).await
    }

    async fn record_audit_outcome(&self, tenant: TenantId, key: &AuditKey, outcome: &AuditOutcome) -> Result<()> {
        let (key, outcome) = (key.clone(), outcome.clone());
        self.engine.write(tenant, move |sql| write_outcome(sql, tenant, &key, &outcome)).await
    }

    async fn list_audit(
        &self,
        tenant: TenantId,
        filter: &AuditFilter,
        before: Option<AuditKey>,
        limit: usize,
    ) -> Result<Listed<AuditEntry, AuditKey>> {
        let filter = filter.clone();
        let (limit, with_surplus) = page_limit(limit);
        self.engine
            .read(tenant, move |sql| {
                let found = list(sql, tenant, &filter, before.as_ref(), with_surplus)?;
                Ok(Listed::from_surplus(found, limit, |listed| listed.entry.key.clone()))
            })
            .await
    }
}

/// Writes an entry within a transaction.
pub(crate) fn write_entry(sql: &Sql<'_>, tenant: TenantId, entry: &NewAuditEntry) -> Result<()> {
    let key = &entry.key;
    sql.execute(
        text::RECORD_ENTRY,
        &[
            &tenant.0,
            &month(key.at),
            &micros(key.at),
            &key.request_id,
            &entry.actor.as_str(),
            &entry.principal.map(|id| id.0),
            &entry.who,
            &entry.address,
            &entry.agent,
            &entry.action,
            &entry.target,
        ],
    )
    .map(|_| ())
}

/// Writes an outcome within a transaction.
pub(crate) fn write_outcome(sql: &Sql<'_>, tenant: TenantId, key: &AuditKey, outcome: &AuditOutcome) -> Result<()> {
    let codes = Some(outcome.problem_codes.join(" ")).filter(|codes| !codes.is_empty());
    sql.execute(
        text::RECORD_OUTCOME,
        &[
            &tenant.0,
            &month(key.at),
            &micros(key.at),
            &key.request_id,
            &micros(outcome.finished_at),
            &outcome.result.as_str(),
            &outcome.status,
            &outcome.devices,
            &outcome.made,
            &codes,
            &outcome.body_hash,
            &outcome.note,
        ],
    )
    .map(|_| ())
}

/// The earliest moment that can be asked for: PostgreSQL and SQLite compare what is stored with it, whatever the clock said.
const FIRST: (i64, i64) = (0, i64::MIN);

/// After every key.
const LAST: (i64, i64) = (i64::MAX, i64::MAX);

fn list(sql: &Sql<'_>, tenant: TenantId, filter: &AuditFilter, before: Option<&AuditKey>, limit: i64) -> Result<Vec<AuditEntry>> {
    let moment = |at: DateTime<Utc>| (month(at), micros(at));
    let (from_month, from_at) = filter.from.map_or(FIRST, moment);
    // Whichever comes first: the end that was asked for, or the page before.
    let end = filter.to.map_or((LAST, ""), |to| (moment(to), ""));
    let end = before.map_or(end, |key| end.min((moment(key.at), &key.request_id)));
    let ((month, at), request) = end;
    let between: [&dyn Parameter; 8] = [&tenant.0, &month, &at, &request, &from_month, &from_at, &filter.unfinished, &limit];
    let principal = filter.principal.map(|id| id.0);
    let with = |more: &[&dyn Parameter], statement: &'static str| {
        let parameters: Vec<&dyn Parameter> = between.iter().chain(more).copied().collect();
        sql.query(statement, &parameters, read_entry)
    };
    match (&filter.target, principal, &filter.action) {
        (Some(target), ..) => {
            let more: [&dyn Parameter; 3] = [target, &filter.action, &principal];
            let mut found = with(&more, text::LIST_BY_TARGET)?;
            found.extend(with(&more, text::LIST_BY_MADE)?);
            found.sort_by(|one, other| other.entry.key.cmp(&one.entry.key));
            // What was asked for on something and made it new is one entry.
            found.dedup_by(|one, other| one.entry.key == other.entry.key);
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(found)
        }
        (None, Some(principal), action) => with(&[&principal, action], text::LIST_BY_PRINCIPAL),
        (None, None, Some(action)) => with(&[action], text::LIST_BY_ACTION),
        (None, None, None) => with(&[], text::LIST),
    }
}

fn read_entry(row: &Row<'_>) -> Result<AuditEntry> {
    let entry = NewAuditEntry {
        key: AuditKey { at: row.time(0)?, request_id: row.get(1)? },
        actor: row.term(2)?,
        principal: row.get::<Option<i64>>(3)?.map(PrincipalId),
        who: row.get(4)?,
        address: row.get(5)?,
        agent: row.get(6)?,
        action: row.get(7)?,
        target: row.get(8)?,
    };
    let Some(finished_at) = row.maybe_time(9)? else { return Ok(AuditEntry { entry, outcome: None }) };
    let codes: Option<String> = row.get(14)?;
    let outcome = AuditOutcome {
        finished_at,
        result: row.term(10)?,
        status: row.get(11)?,
        devices: row.get(12)?,
        made: row.get(13)?,
        problem_codes: codes.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        body_hash: row.get(15)?,
        note: row.get(16)?,
    };
    Ok(AuditEntry { entry, outcome: Some(outcome) })
}
