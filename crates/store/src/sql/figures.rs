//! Figures for people. `$1` is the tenant. What counts lines walks an index of all that the tenant has: its answer is kept for a while.

use crate::change_columns;

crate::statements! {
    /// As many index entries as the tenant has lines with a customer, by `device_tenant_by_customer`.
    COUNT_LINES_BY_CUSTOMER = "SELECT rev_customer_id, count(*) FROM device_tenant
        WHERE tenant_id = $1 AND rev_customer_id IS NOT NULL GROUP BY rev_customer_id";
    /// For each site without a customer (`site_by_customer`) its lines, by `device_tenant_by_site`.
    COUNT_LINES_BY_SITE = "SELECT s.id, (SELECT count(*) FROM device_tenant AS dt WHERE dt.tenant_id = $1 AND dt.site_id = s.id)
        FROM site AS s WHERE s.tenant_id = $1 AND s.rev_customer_id IS NULL";
    /// As many index entries as the tenant has lines with a plan, by `device_tenant_by_plan`.
    COUNT_LINES_BY_PLAN = "SELECT customer_rate_plan_id, count(*) FROM device_tenant
        WHERE tenant_id = $1 AND customer_rate_plan_id IS NOT NULL GROUP BY customer_rate_plan_id";
    /// As many index entries as the tenant has lines, by `device_by_status`.
    COUNT_LINES_BY_STATUS = "SELECT status, count(*) FROM device WHERE tenant_id = $1 GROUP BY status";

    /// portal, quarter of an hour since 1970, changes, lines done, failed, canceled, scheduled changes refused. `$2` since when, `$3` whose, 0 for everybody's. The
    /// changes ordered since then, by `device_bulk_change_ordered`.
    COUNT_CHANGES = "SELECT b.portal_type, b.created_at / 900000000, count(*), sum(b.processed_count), sum(b.error_count), sum(b.canceled_count),
            sum(b.scheduled_failed_count) FROM device_bulk_change AS b
        WHERE b.tenant_id = $1 AND b.created_at >= $2 AND b.receiving_until IS NULL AND (CAST($3 AS BIGINT) = 0 OR b.created_by_id = $3)
        GROUP BY b.portal_type, b.created_at / 900000000";
    /// portal, quarter of an hour since 1970, entries. `$2` from, `$3` until. As many index entries as are open in that time, by
    /// `customer_rate_plan_device_queue_due` alone.
    COUNT_ENTRIES = "SELECT portal_type, effective_date / 900000000, count(*) FROM customer_rate_plan_device_queue
        WHERE tenant_id = $1 AND state = 'open' AND effective_date >= $2 AND effective_date < $3
        GROUP BY portal_type, effective_date / 900000000";
    /// `$2` whose, 0 for everybody's, `$3` how many, `$4` to `$6` the portals, -1 where there are fewer. A handful, by
    /// `device_bulk_change_unfinished`.
    LIST_UNFINISHED = concat!(
        "SELECT ",
        change_columns!(),
        " FROM device_bulk_change AS b
        WHERE b.tenant_id = $1 AND b.processed_at IS NULL AND b.receiving_until IS NULL AND (CAST($2 AS BIGINT) = 0 OR b.created_by_id = $2)
        AND b.portal_type IN ($4, $5, $6) ORDER BY b.id DESC LIMIT $3"
    );
    /// `$2` since when, `$3` whose, 0 for everybody's, `$4` how many, `$5` to `$7` the portals, -1 where there are fewer. Those completed
    /// since then, by `device_bulk_change_ended`, and those of which scheduled changes were refused since then, by
    /// `customer_rate_plan_device_queue_failed` alone: as many entries of it as there are of that time.
    LIST_FAILED = concat!(
        "SELECT ",
        change_columns!(),
        " FROM (SELECT ended.id, max(ended.failed_at) AS failed_at FROM (
                SELECT c.id, c.processed_at AS failed_at FROM device_bulk_change AS c
                 WHERE c.tenant_id = $1 AND c.processed_at >= $2 AND c.error_count > 0
                UNION ALL
                SELECT q.bulk_change_id, q.modified_at FROM customer_rate_plan_device_queue AS q
                 WHERE q.tenant_id = $1 AND q.state = 'failed' AND q.modified_at >= $2
            ) AS ended GROUP BY ended.id) AS failed
        JOIN device_bulk_change AS b ON b.tenant_id = $1 AND b.id = failed.id
        WHERE (CAST($3 AS BIGINT) = 0 OR b.created_by_id = $3) AND b.portal_type IN ($5, $6, $7)
        ORDER BY failed.failed_at DESC, b.id DESC LIMIT $4"
    );
}
