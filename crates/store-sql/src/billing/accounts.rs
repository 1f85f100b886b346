//! Accounts, and the sliding windows of their calls (B7.4).

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};
use lineshift_store::billing::{AccountSettings, CallWindows, CallsMade, FullWindow, IntegrationAccount, TakenCalls};
use lineshift_store::sql::billing as text;
use lineshift_store::{Result, StoreError};

use crate::engine::{Hint, Sql};
use crate::row::{Row, micros};
use crate::sql::billing as tuned;

const MICROS_A_SECOND: i64 = 1_000_000;

pub(super) fn get(sql: &Sql<'_>, tenant: TenantId, id: IntegrationAuthenticationId) -> Result<IntegrationAccount> {
    sql.find(text::GET_ACCOUNT, &[&tenant.0, &id.0], read_account)?.ok_or_else(|| missing(id))
}

/// Locks an account until the end of the transaction: what is decided from what is stored beside it is decided by one at a time.
pub(super) fn lock(sql: &Sql<'_>, tenant: TenantId, id: IntegrationAuthenticationId) -> Result<()> {
    let found: Option<i64> = sql.find(tuned::LOCK_ACCOUNT, &[&tenant.0, &id.0], |row| row.get(0))?;
    found.map(|_| ()).ok_or_else(|| missing(id))
}

fn missing(id: IntegrationAuthenticationId) -> StoreError {
    StoreError::not_found("integration authentication", id)
}

fn read_account(row: &Row<'_>) -> Result<IntegrationAccount> {
    Ok(IntegrationAccount {
        id: IntegrationAuthenticationId(row.get(0)?),
        name: row.get(1)?,
        integration_kind: row.term(2)?,
        is_active: row.get(3)?,
        write_enabled: row.get(4)?,
        is_local: row.get(5)?,
        base_address: row.get(6)?,
        secret_encrypted: row.get(7)?,
        version: row.get(8)?,
        refused_at: row.maybe_time(9)?,
        refused_text: row.get(10)?,
        concurrency: row.get(11)?,
        calls_a_minute: row.get(12)?,
        calls_a_day: row.get(13)?,
    })
}

pub(super) fn set(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: IntegrationAuthenticationId,
    settings: &AccountSettings,
    now: DateTime<Utc>,
) -> Result<()> {
    let changed = sql.execute(
        text::SET_ACCOUNT,
        &[
            &tenant.0,
            &id.0,
            &settings.base_address,
            &settings.secret_encrypted,
            &settings.is_local,
            &settings.write_enabled,
            &settings.concurrency,
            &settings.calls_a_minute,
            &settings.calls_a_day,
        ],
    )?;
    if changed == 0 {
        return Err(missing(id));
    }
    sql.execute(tuned::WAKE_ROWS_OF_ACCOUNT, &[&tenant.0, &id.0, &micros(now)])?;
    sql.execute(tuned::WAKE_PAGES_OF_ACCOUNT, &[&tenant.0, &id.0])?;
    sql.hint(Hint::Work(tenant))
}

/// The row is held by the change itself before its version is looked at: whoever changes it at the same moment was waited for.
pub(super) fn set_as_seen(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: IntegrationAuthenticationId,
    version: i64,
    settings: &AccountSettings,
    now: DateTime<Utc>,
) -> Result<()> {
    set(sql, tenant, id, settings, now)?;
    if get(sql, tenant, id)?.version == version + 1 {
        return Ok(());
    }
    Err(StoreError::Conflict { message: "somebody else changed this account meanwhile; look at it and try again".to_owned() })
}

pub(super) fn record_refused(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: IntegrationAuthenticationId,
    version: i64,
    said: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sql.execute(text::RECORD_REFUSED, &[&tenant.0, &id.0, &version, &said, &micros(now)]).map(|_| ())
}

pub(super) fn record_working(sql: &Sql<'_>, tenant: TenantId, id: IntegrationAuthenticationId) -> Result<()> {
    sql.execute(text::RECORD_WORKING, &[&tenant.0, &id.0]).map(|_| ())
}

/// A window and the buckets in which its calls are counted.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// A stored name: never rename.
    name: &'static str,
    bucket_seconds: i64,
    window_seconds: i64,
}

const MINUTE: Span = Span { name: "minute", bucket_seconds: 1, window_seconds: 60 };
const DAY: Span = Span { name: "day", bucket_seconds: 60, window_seconds: 86_400 };

impl Span {
    const fn bucket_micros(self) -> i64 {
        self.bucket_seconds * MICROS_A_SECOND
    }

    fn bucket(self, now: DateTime<Utc>) -> i64 {
        micros(now).div_euclid(self.bucket_micros())
    }

    /// The first bucket of which some part lies within the window that ends now. Later ones count, too, even if they lie ahead
    /// because a clock was set back: rather too few calls than too many.
    fn first_that_counts(self, now: DateTime<Utc>) -> i64 {
        (micros(now) - self.window_seconds * MICROS_A_SECOND).div_euclid(self.bucket_micros())
    }

    /// When a bucket no longer counts.
    fn leaves(self, bucket: i64) -> DateTime<Utc> {
        let at = (bucket + 1) * self.bucket_micros() + self.window_seconds * MICROS_A_SECOND;
        DateTime::from_timestamp_micros(at).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Calls that count now, and the earliest bucket of them.
    fn count(self, sql: &Sql<'_>, key: (i64, i64), now: DateTime<Utc>) -> Result<(i64, Option<i64>)> {
        let from = self.first_that_counts(now);
        let found = sql.find(text::COUNT_CALLS, &[&key.0, &key.1, &self.name, &from], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.unwrap_or((0, None)))
    }

    fn add(self, sql: &Sql<'_>, key: (i64, i64), calls: u32, now: DateTime<Utc>) -> Result<()> {
        sql.execute(text::FORGET_BUCKETS, &[&key.0, &key.1, &self.name, &self.first_that_counts(now)])?;
        sql.execute(text::ADD_CALLS, &[&key.0, &key.1, &self.name, &self.bucket(now), &calls]).map(|_| ())
    }
}

/// Takes as many of the calls wanted as both windows have left; they count as made now. No 60 seconds and no 24 hours hold more
/// takings than allowed; that they hold no more calls is up to the caller, who makes them soon or lets them go.
pub(super) fn take_calls(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: IntegrationAuthenticationId,
    wanted: u32,
    windows: CallWindows,
    now: DateTime<Utc>,
) -> Result<TakenCalls> {
    // Two who count at the same time would both take what is left.
    lock(sql, tenant, id)?;
    let key = (tenant.0, id.0);
    let (in_minute, first_of_minute) = MINUTE.count(sql, key, now)?;
    let (in_day, first_of_day) = DAY.count(sql, key, now)?;
    let left = |limit: u32, made: i64| u32::try_from(i64::from(limit) - made).unwrap_or(0);
    let (left_of_minute, left_of_day) = (left(windows.calls_a_minute, in_minute), left(windows.calls_a_day, in_day));
    let taken = wanted.min(left_of_minute).min(left_of_day);
    if taken > 0 {
        MINUTE.add(sql, key, taken, now)?;
        DAY.add(sql, key, taken, now)?;
    }
    let leaves = |span: Span, first: Option<i64>| span.leaves(first.unwrap_or_else(|| span.bucket(now)));
    let full = if taken == wanted {
        None
    } else if left_of_day <= left_of_minute {
        Some(FullWindow::Day(leaves(DAY, first_of_day)))
    } else {
        Some(FullWindow::Minute(leaves(MINUTE, first_of_minute)))
    };
    Ok(TakenCalls { taken, full })
}

pub(super) fn count_calls(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: IntegrationAuthenticationId,
    now: DateTime<Utc>,
) -> Result<CallsMade> {
    let key = (tenant.0, id.0);
    Ok(CallsMade { in_minute: MINUTE.count(sql, key, now)?.0, in_day: DAY.count(sql, key, now)?.0 })
}
