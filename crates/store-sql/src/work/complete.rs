//! Completion (B11.3), and canceling what a canceled change still has in the plan queue.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_domain::log_text::{LogText, PROCESS_BY, entry};
use lineshift_domain::order::StoredOrder;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_store::bulk_changes::BulkChangeView;
use lineshift_store::sql::bulk_changes::FIND_CHANGE;
use lineshift_store::work::{PageClaim, RunnableChange, message_kind};
use lineshift_store::{Result, StoreError};

use super::page::ALREADY_SO;
use super::{Closed, close, lease_lost};
use crate::bulk_changes::{announce, forget_work, read_change};
use crate::engine::Sql;
use crate::procedures::PageRange;
use crate::reach::limits;
use crate::row::{micros, month, not_a_term};
use crate::sql::{completion as text, pages};
use crate::value::Parameter;

/// Queue entries canceled in one transaction.
const CANCEL_ENTRIES: i64 = 5_000;

/// Runs `usp_updatecrossproviderdevicehistory` and `usp_update_device_rev_service_links` over one page.
pub(super) fn complete_page(sql: &Sql<'_>, claim: &PageClaim, now: DateTime<Utc>) -> Result<()> {
    let key: [&dyn Parameter; 4] = [&claim.tenant_id.0, &claim.bulk_change_id.0, &claim.page, &claim.epoch];
    let opened = sql.find(text::OPEN_COMPLETION, &key, |row| {
        let order: StoredOrder = serde_json::from_str(row.text(0)?).map_err(|error| not_a_term(0, error))?;
        Ok((order, row.get::<i64>(1)?))
    })?;
    let (order, attempt) = opened.ok_or_else(|| lease_lost(claim))?;
    close(sql, claim, Closed::completed())?;
    if order.assignment().is_none() && order.plan().is_none_or(|plan| plan.queued) {
        // Nothing of the assignments has changed: what a carrier did is no part of them, and for each entry of the plan queue the
        // scheduler does this when it applies it.
        return Ok(());
    }
    let effective_at =
        order.assignment().map_or_else(|| order.plan().and_then(|plan| plan.effective_at), |asked| asked.effective_at);
    let page = PageRange {
        tenant: claim.tenant_id.0,
        change: claim.bulk_change_id.0,
        from: claim.from_id.0,
        to: claim.to_id.0,
        epoch: claim.epoch,
        by: PROCESS_BY.to_owned(),
        now,
    };
    let valid_from = micros(effective_at.map_or(now, |at| at.min(now)));
    sql.procedures().update_cross_provider_history(sql, &page, attempt, ALREADY_SO, valid_from)?;
    sql.procedures().update_service_links(sql, &page, attempt, ALREADY_SO)
}

/// What one transaction did towards completing a change.
pub(super) enum Completing {
    /// Somebody has something to do first, or did it all.
    NotYet,
    /// Queue entries of a canceled change went; there may be more.
    EntriesLeft,
    /// This was it.
    Completed(Box<BulkChangeView>),
}

/// Completes a change of which every page is completed. The open queue entries of a canceled one go before: once it is
/// completed nobody looks at it again, and they would take effect.
pub(super) fn complete_change(sql: &Sql<'_>, change: RunnableChange, now: DateTime<Utc>) -> Result<Completing> {
    let (tenant, id) = (change.tenant_id, change.bulk_change_id);
    for state in ["ready", "done"] {
        if sql.find(pages::HAS_PAGE, &[&tenant.0, &id.0, &state], |_| Ok(()))?.is_some() {
            return Ok(Completing::NotYet);
        }
    }
    let canceled = sql.find(text::FIND_CANCELED_BY, &[&tenant.0, &id.0], |row| {
        let reach = row.maybe_term::<Reach>(1)?.unwrap_or(Reach::Everything);
        Ok(row.get::<Option<String>>(0)?.map(|by| (by, reach)))
    })?;
    if let Some((by, reach)) = canceled.flatten()
        && cancel_entries(sql, tenant, id, &by, &reach, now)? > 0
    {
        return Ok(Completing::EntriesLeft);
    }
    if sql.execute(text::COMPLETE_CHANGE, &[&tenant.0, &id.0, &micros(now), &PROCESS_BY])? == 0 {
        return Ok(Completing::NotYet);
    }
    let view = sql.find(FIND_CHANGE, &[&tenant.0, &id.0, &0], read_change)?;
    let view = view.ok_or_else(|| StoreError::not_found("bulk change", id))?;
    let counts = view.counts;
    let metrics = format!(
        r#"{{"status":"{}","total":{},"processed":{},"error":{},"canceled":{},"rejected":{},"seconds":{:.3}}}"#,
        view.status(),
        counts.total,
        counts.processed,
        counts.error,
        counts.canceled,
        view.rejected,
        (now - view.begun_at.unwrap_or(now)).as_seconds_f64(),
    );
    let failed = matches!(view.status(), BulkChangeStatus::Error | BulkChangeStatus::Partial);
    sql.execute(
        text::LOG_COMPLETED,
        &[
            &tenant.0,
            &id.0,
            &view.attempt,
            &entry::COMPLETED,
            &month(now),
            &view.portal.number(),
            &LogText::Completed.as_str(),
            &PROCESS_BY,
            &micros(now),
            &metrics,
            &failed,
            &if failed { "ERROR" } else { "PROCESSED" },
        ],
    )?;
    // Notes in the order in which they are taken everywhere: of work, then of messages.
    forget_work(sql, tenant)?;
    announce(sql, tenant, id, message_kind::COMPLETED, now)?;
    Ok(Completing::Completed(Box::new(view)))
}

/// Cancels up to a transaction's worth of a change's open queue entries within reach; answers how many.
pub(super) fn cancel_entries(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: BulkChangeId,
    by: &str,
    reach: &Reach,
    now: DateTime<Utc>,
) -> Result<u64> {
    let now_micros = micros(now);
    let mut parameters: Vec<&dyn Parameter> = vec![&tenant.0, &id.0, &by, &now_micros, &CANCEL_ENTRIES];
    let limits = limits(reach);
    let statement = if reach.is_everything() {
        text::CANCEL_ENTRIES
    } else {
        parameters.extend(limits.iter().map(|named| named as &dyn Parameter));
        text::CANCEL_ENTRIES_WITHIN
    };
    let canceled: Vec<i64> = sql.query(statement, &parameters, |row| row.get(0))?;
    if canceled.is_empty() {
        return Ok(0);
    }
    let count = canceled.len() as u64;
    let entries = serde_json::Value::from(canceled).to_string();
    sql.execute(
        text::LOG_CANCELED_ENTRIES,
        &[
            &tenant.0,
            &id.0,
            &entries,
            &(entry::PLAN_QUEUE + entry::PLAN_QUEUE_MOVES),
            &month(now),
            &LogText::CancelScheduledRatePlan.as_str(),
            &PROCESS_BY,
            &micros(now),
            &"Cancel\n",
            &format!("canceled by {by} with its bulk change"),
        ],
    )?;
    Ok(count)
}
