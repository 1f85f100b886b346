//! What lines used: which are asked for, and what they said.

use lineshift_store::Result;
use lineshift_store::sync::{LinePart, SyncClaim, UsedLine};
use serde_json::json;

use super::record::Page;
use super::unseen::{line_part, provider_of, read_line, window_of_lines};
use crate::engine::Sql;
use crate::json::json as to_json;
use crate::row::micros;
use crate::sql::carrier_sync as text;

/// The next lines that are asked for: those named, else those with an active assignment, window by window.
pub(super) fn list(sql: &Sql<'_>, claim: &SyncClaim, limit: usize) -> Result<LinePart> {
    let provider = provider_of(claim)?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let (tenant, run) = (claim.tenant_id.0, &claim.run);
    if run.usage_lines > 0 {
        let parameters: [&dyn crate::value::Parameter; 5] = [&tenant, &run.after, &run.id.0, &provider, &most];
        return Ok(line_part(sql.query(text::LIST_NAMED_DEVICES, &parameters, read_line)?, limit, None));
    }
    let end = window_of_lines(sql, claim, provider)?;
    let lines =
        sql.query(text::LIST_ASSIGNED_DEVICES, &[&tenant, &run.after, &end.unwrap_or(i64::MAX), &provider, &most], read_line)?;
    Ok(line_part(lines, limit, end))
}

/// Writes one present row a line. The run's place moves on with it, so that each line counts once.
pub(super) fn write(page: &mut Page<'_>, usage: &[UsedLine]) -> Result<()> {
    if usage.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> =
        usage.iter().map(|used| json!([used.device_id.0, used.data_bytes, used.sms_count, used.voice_seconds])).collect();
    page.sql.execute(text::STORE_USAGE, &[&page.tenant(), &to_json(&rows)?, &micros(page.now)])?;
    page.counts.used += i64::try_from(rows.len()).expect("a page of lines");
    Ok(())
}
