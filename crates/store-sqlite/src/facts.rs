//! The narrow row by which a line is judged: one column list and one reader, shared by look-ups, pages and due entries.

use lineshift_domain::facts::{Hold, LineAssignment, LineFacts};
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, DeviceId, IntegrationAuthenticationId, RevCustomerId,
    ServiceProviderId, SiteId,
};
use rusqlite::Row;

use crate::row::Columns;

/// The fact columns, as a literal for `concat!`.
///
/// Aliases: `d` device, `dt` device_tenant, `plan` customer_rate_plan (LEFT JOIN on the line's plan).
/// Parameters: `$1` tenant, `$2` holds mask (rule 6), `$3` Rev customer of the order or 0 (rules 7 and 8), `$4` only changes
/// with a lower stored_order count (`i64::MAX` at submission), `$5` the own bulk change, which does not count (0 at submission).
///
/// Both subselects are one index search a line and answer nothing for most. The hold is `bulk change id * 8 + outcome
/// unknown (4)`: beside MIN() SQLite takes the other columns from the row with the least value, so that one search
/// answers both without a sort. The indexes are named, because without statistics SQLite takes a primary key of which
/// only the tenant is known for the narrower search. A RECEIVING change has no stored_order and so holds nothing (B4.7).
macro_rules! fact_columns {
    () => {
        "d.id, d.service_provider_id, d.status, d.is_archived | d.is_deleted, d.subscriber_number IS NOT NULL,
         d.imei IS NOT NULL, dt.version, dt.rev_customer_id, dt.site_id, dt.account_number_integration_authentication_id,
         dt.is_active, dt.customer_rate_plan_id, dt.customer_rate_pool_id, dt.customer_data_allocation_mb,
         plan.allocation_bound_mb,
         (SELECT earliest.held
            FROM (SELECT MIN(holder.stored_order), held.bulk_change_id * 8 + (held.holds & 4) AS held
                    FROM device_change AS held INDEXED BY device_change_holding
                    CROSS JOIN device_bulk_change AS holder
                      ON holder.tenant_id = $1 AND holder.id = held.bulk_change_id AND holder.stored_order < $4
                   WHERE held.tenant_id = $1 AND held.device_id = d.id AND held.holds <> 0 AND (held.holds & $2) <> 0
                     AND held.bulk_change_id <> $5) AS earliest),
         (SELECT MAX(service.rev_customer_id = $3) + 2 * MAX(service.rev_customer_id <> $3)
            FROM rev_service AS service INDEXED BY rev_service_connected
           WHERE service.tenant_id = $1 AND service.device_id = d.id AND service.disconnected_date IS NULL
             AND (service.has_package = 1
                  OR EXISTS (SELECT 1 FROM rev_service_product AS product INDEXED BY rev_service_product_charged
                              WHERE product.tenant_id = $1 AND product.rev_service_id = service.id
                                AND product.status IN ('PENDING', 'ACTIVE'))))"
    };
}
pub(crate) use fact_columns;

const OUTCOME_UNKNOWN: i64 = 4;

/// Reads the columns of [`fact_columns`], of which the first stands at `first_column`.
pub(crate) fn read_facts(row: &Row<'_>, first_column: usize) -> rusqlite::Result<LineFacts> {
    let at = |column: usize| first_column + column;
    let held: Option<i64> = row.get(at(15))?;
    let billed = row.get::<_, Option<i64>>(at(16))?.unwrap_or(0);
    Ok(LineFacts {
        device_id: DeviceId(row.get(at(0))?),
        service_provider_id: ServiceProviderId(row.get(at(1))?),
        status: row.get_ref(at(2))?.as_str()?.into(),
        is_archived: row.get(at(3))?,
        has_subscriber_number: row.get(at(4))?,
        has_imei: row.get(at(5))?,
        version: row.get(at(6))?,
        assignment: LineAssignment {
            rev_customer_id: row.get::<_, Option<i64>>(at(7))?.map(RevCustomerId),
            site_id: row.get::<_, Option<i64>>(at(8))?.map(SiteId),
            integration_authentication_id: row.get::<_, Option<i64>>(at(9))?.map(IntegrationAuthenticationId),
            is_active: row.get(at(10))?,
            plan: row.get::<_, Option<i64>>(at(11))?.map(CustomerRatePlanId),
            pool: row.get::<_, Option<i64>>(at(12))?.map(CustomerRatePoolId),
            allocation_mb: row.maybe_decimal(at(13))?,
            plan_allocation_bound_mb: row.maybe_decimal(at(14))?,
        },
        held_by: held.map(|held| Hold { bulk_change_id: BulkChangeId(held / 8), outcome_unknown: held & OUTCOME_UNKNOWN != 0 }),
        billed_to_customer: billed & 1 != 0,
        billed_to_other: billed & 2 != 0,
    })
}
