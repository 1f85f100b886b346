//! The narrow row by which a line is judged: one column list and one reader, shared by look-ups, pages and due entries.

use lineshift_domain::facts::{Hold, LineAssignment, LineFacts};
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, DeviceId, IntegrationAuthenticationId, RevCustomerId,
    ServiceProviderId, SiteId,
};

use lineshift_store::Result;

use crate::row::Row;

const OUTCOME_UNKNOWN: i64 = 4;

/// Reads the columns of [`fact_columns`], of which the first stands at `first_column`.
pub(crate) fn read_facts(row: &Row<'_>, first_column: usize) -> Result<LineFacts> {
    let at = |column: usize| first_column + column;
    let held: Option<i64> = row.get(at(15))?;
    let billed = row.get::<Option<i64>>(at(16))?.unwrap_or(0);
    Ok(LineFacts {
        device_id: DeviceId(row.get(at(0))?),
        service_provider_id: ServiceProviderId(row.get(at(1))?),
        status: row.text(at(2))?.into(),
        is_archived: row.get(at(3))?,
        has_subscriber_number: row.get(at(4))?,
        has_imei: row.get(at(5))?,
        version: row.get(at(6))?,
        assignment: LineAssignment {
            rev_customer_id: row.get::<Option<i64>>(at(7))?.map(RevCustomerId),
            site_id: row.get::<Option<i64>>(at(8))?.map(SiteId),
            integration_authentication_id: row.get::<Option<i64>>(at(9))?.map(IntegrationAuthenticationId),
            is_active: row.get(at(10))?,
            plan: row.get::<Option<i64>>(at(11))?.map(CustomerRatePlanId),
            pool: row.get::<Option<i64>>(at(12))?.map(CustomerRatePoolId),
            allocation_mb: row.maybe_decimal(at(13))?,
            plan_allocation_bound_mb: row.maybe_decimal(at(14))?,
        },
        carrier_rate_plan: row.get::<Option<String>>(at(17))?.map(Into::into),
        communication_plan: row.get::<Option<String>>(at(18))?.map(Into::into),
        held_by: held.map(|held| Hold { bulk_change_id: BulkChangeId(held / 8), outcome_unknown: held & OUTCOME_UNKNOWN != 0 }),
        billed_to_customer: billed & 1 != 0,
        billed_to_other: billed & 2 != 0,
    })
}
