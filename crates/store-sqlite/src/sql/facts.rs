//! The narrow row by which a line is judged, as columns of a query.

/// The fact columns, as a literal for `concat!`.
///
/// Aliases: `d` device, `dt` device_tenant, `plan` customer_rate_plan (LEFT JOIN on the line's plan).
/// Parameters: `$1` tenant, `$2` holds mask (rule 6), `$3` Rev customer of the order or 0 (rules 7 and 8) or -1 when those do not
/// bind it, `$4` only changes with a lower stored_order count (`i64::MAX` at submission), `$5` the own bulk change, which does not count (0 at submission).
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
         CASE WHEN $3 >= 0 THEN (SELECT MAX(service.rev_customer_id = $3) + 2 * MAX(service.rev_customer_id <> $3)
            FROM rev_service AS service INDEXED BY rev_service_connected
           WHERE service.tenant_id = $1 AND service.device_id = d.id AND service.disconnected_date IS NULL
             AND (service.has_package = 1
                  OR EXISTS (SELECT 1 FROM rev_service_product AS product INDEXED BY rev_service_product_charged
                              WHERE product.tenant_id = $1 AND product.rev_service_id = service.id
                                AND product.status IN ('PENDING', 'ACTIVE')))) END,
         CASE WHEN ($2 & 2) <> 0 THEN d.carrier_rate_plan END, CASE WHEN ($2 & 2) <> 0 THEN d.communication_plan END"
    };
}
pub(crate) use fact_columns;
