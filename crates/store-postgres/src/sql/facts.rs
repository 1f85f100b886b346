//! The narrow row by which a line is judged, as columns of a query.

/// The fact columns, as a literal for `concat!`.
///
/// Parameters of the macro: the alias of device and that of the line's device_tenant row. Parameters of the statement: `$1` tenant, `$2`
/// holds mask (rule 6), and 8 when the bound of the line's plan counts (B8.5), `$3` Rev customer of the order or 0 (rules 7 and 8), or -1
/// when those do not bind it, `$4` only changes with a lower stored_order count (`i64::MAX` at submission), `$5` the own bulk change,
/// which does not count (0 at submission).
///
/// The subselects are one index search a line each, and the last two answer nothing for most. The line's plan is one of them because,
/// joined, it may be joined to one line at a time before that is joined to the others: a hash table a line. The hold is `bulk change id * 8 + outcome
/// unknown (4)`, taken from the least pair (stored_order, hold): an aggregate over nothing costs less than a sort of nothing. OFFSET 0
/// has each holder looked up by its key, whatever the planner thinks of merging with all of the tenant's changes. A
/// RECEIVING change has no stored_order and so holds nothing (B4.7). Indexes: device_change_holding, rev_service_connected and
/// rev_service_product_charged, whose conditions stand in the text word by word.
macro_rules! fact_columns {
    ($device:literal, $assignment:literal) => {
        concat!(
            $device,
            ".id, ",
            $device,
            ".service_provider_id, ",
            $device,
            ".status, ",
            $device,
            ".is_archived | ",
            $device,
            ".is_deleted, ",
            $device,
            ".subscriber_number IS NOT NULL, ",
            $device,
            ".imei IS NOT NULL, ",
            $assignment,
            ".version, ",
            $assignment,
            ".rev_customer_id, ",
            $assignment,
            ".site_id, ",
            $assignment,
            ".account_number_integration_authentication_id, ",
            $assignment,
            ".is_active, ",
            $assignment,
            ".customer_rate_plan_id, ",
            $assignment,
            ".customer_rate_pool_id, ",
            $assignment,
            ".customer_data_allocation_mb,
         CASE WHEN ($2::bigint & 8) <> 0 THEN (SELECT plan.allocation_bound_mb FROM customer_rate_plan AS plan
           WHERE plan.tenant_id = $1 AND plan.id = ",
            $assignment,
            ".customer_rate_plan_id) END,
         (SELECT (min(ARRAY[holder.stored_order, held.bulk_change_id * 8 + (held.holds & 4)]))[2]
            FROM device_change AS held
           CROSS JOIN LATERAL (
                 SELECT b.stored_order FROM device_bulk_change AS b
                  WHERE b.tenant_id = $1 AND b.id = held.bulk_change_id AND b.stored_order < $4::bigint OFFSET 0) AS holder
           WHERE held.tenant_id = $1 AND held.device_id = ",
            $device,
            ".id AND held.holds <> 0 AND (held.holds & $2::bigint) <> 0 AND held.bulk_change_id <> $5::bigint),
         CASE WHEN $3::bigint >= 0 THEN (SELECT max(CASE WHEN service.rev_customer_id = $3::bigint THEN 1 ELSE 0 END)
                 + 2 * max(CASE WHEN service.rev_customer_id <> $3::bigint THEN 1 ELSE 0 END)
            FROM rev_service AS service
           WHERE service.tenant_id = $1 AND service.device_id = ",
            $device,
            ".id AND service.disconnected_date IS NULL
             AND (service.has_package = 1
                  OR EXISTS (SELECT 1 FROM rev_service_product AS product
                              WHERE product.tenant_id = $1 AND product.rev_service_id = service.id
                                AND product.status IN ('PENDING', 'ACTIVE')))) END,
         CASE WHEN ($2::bigint & 2) <> 0 THEN ",
            $device,
            ".carrier_rate_plan END, CASE WHEN ($2::bigint & 2) <> 0 THEN ",
            $device,
            ".communication_plan END"
        )
    };
}
pub(crate) use fact_columns;
