//! The reconciliation report: what is billed and not assigned, and the other way round, window by window.

use chrono::{DateTime, Utc};
use lineshift_domain::sync::SyncPhase;
use lineshift_store::sync::{SyncClaim, SyncCounts, SyncPlace};
use lineshift_store::{Result, StoreError};

use super::{runs, unseen};
use crate::engine::Sql;
use crate::row::micros;
use crate::sql::sync as text;

pub(super) fn record(sql: &Sql<'_>, claim: &SyncClaim, now: DateTime<Utc>) -> Result<SyncClaim> {
    let phase = claim.run.phase;
    let (window_of, report) = match phase {
        SyncPhase::ReportBilled => (text::WINDOW_OF_SERVICES, text::REPORT_BILLED),
        SyncPhase::ReportAssigned => (text::WINDOW_OF_LINES, text::REPORT_ASSIGNED),
        other => return Err(StoreError::internal(format!("synchronisation {} is at {other}, not at its report", claim.run.id))),
    };
    let end = unseen::window(sql, window_of, claim)?;
    let written = sql.execute(
        report,
        &[
            &claim.tenant_id.0,
            &claim.run.after,
            &end.unwrap_or(i64::MAX),
            &claim.run.integration_authentication_id.0,
            &claim.run.id.0,
            &micros(now),
        ],
    )?;
    let written = i64::try_from(written).expect("a window has a bounded number of rows");
    let met = match phase {
        SyncPhase::ReportBilled => SyncCounts { billed_not_assigned: written, ..SyncCounts::default() },
        _ => SyncCounts { assigned_not_billed: written, ..SyncCounts::default() },
    };
    let next = end.map_or_else(|| SyncPlace::beginning(phase.next(claim.run.what)), |after| SyncPlace { phase, page: 1, after });
    runs::advance(sql, claim, next, &met, now)
}
