//! What carriers confirmed of lines (B9.2): written set by set, each line that differs with its history (B11.2).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{DeviceChangeId, DeviceId, TenantId};
use lineshift_domain::log_text::entry;
use lineshift_store::Result;
use lineshift_store::billing::{CarrierLineWrite, CarrierWrite};

use crate::engine::Sql;
use crate::json::json;
use crate::row::{micros, month};
use crate::sql::carriers as text;

/// A line with what was confirmed of it: row, line, status, rate plan, communication plan.
type Confirmed<'w> = (i64, i64, Option<&'w str>, Option<&'w str>, Option<&'w str>);

/// Two statements for each of the three actions that are given, whatever the number of lines. Plans that are put back come last, so
/// that a line may be given both.
pub(crate) fn write_lines(sql: &Sql<'_>, tenant: TenantId, lines: &[CarrierLineWrite], now: DateTime<Utc>) -> Result<()> {
    for action in [CarrierWrite::RatePlan, CarrierWrite::Status, CarrierWrite::RatePlanUndone] {
        let confirmed = of_action(lines, action);
        if confirmed.is_empty() {
            continue;
        }
        let (history, entry) = match action {
            CarrierWrite::RatePlan => (text::HISTORY_OF_CARRIER_PLANS, entry::CARRIER),
            CarrierWrite::Status => (text::HISTORY_OF_CARRIER_STATUSES, entry::CARRIER),
            CarrierWrite::RatePlanUndone => (text::HISTORY_OF_CARRIER_PLANS, entry::CARRIER_UNDONE),
        };
        let (given, at) = (json(&confirmed)?, micros(now));
        sql.execute(history, &[&tenant.0, &given, &at, &month(now), &entry])?;
        sql.execute(text::UPDATE_CARRIER_LINES, &[&tenant.0, &given, &at])?;
    }
    Ok(())
}

/// The lines of one action in device order, each once, with what the last that says something says. What is not part of the action
/// is left out.
fn of_action(lines: &[CarrierLineWrite], action: CarrierWrite) -> Vec<Confirmed<'_>> {
    let is_status = action == CarrierWrite::Status;
    let mut confirmed: BTreeMap<(DeviceId, DeviceChangeId), Confirmed<'_>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.action == action) {
        let (_, _, status, rate_plan, comm_plan) =
            confirmed.entry((line.device_id, line.by)).or_insert((line.by.0, line.device_id.0, None, None, None));
        *status = line.status.as_deref().filter(|_| is_status).or(*status);
        *rate_plan = line.rate_plan.as_deref().filter(|_| !is_status).or(*rate_plan);
        *comm_plan = line.comm_plan.as_deref().filter(|_| !is_status).or(*comm_plan);
    }
    confirmed.into_values().collect()
}
