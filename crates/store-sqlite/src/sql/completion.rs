//! Statements of completion (B11.3): cross-provider history and service links, page by page, then the change itself.

use super::within::{among, assigned_within, entry_within, line_within};

/// The rows of a page that this attempt changed, also those that end in ERROR for another step; those that stood so already
/// are left out.
macro_rules! changed {
    () => {
        "dc.tenant_id = $1 AND dc.bulk_change_id = $2 AND dc.id BETWEEN $3 AND $4 AND dc.attempt = $5
        AND (dc.status = 'PROCESSED' OR dc.set_steps_done = 1) AND dc.status_details IS NOT $6"
    };
}

lineshift_store::statements! {
    /// The present history rows of the lines changed, by `cross_provider_device_history_present`.
    CLOSE_HISTORY = concat!(
    "UPDATE cross_provider_device_history SET valid_to = max(valid_from, $7)
    WHERE tenant_id = $1 AND valid_to IS NULL AND device_id IN (SELECT dc.device_id FROM device_change dc WHERE ",
    changed!(),
    ")"
);

    /// One history row for each line changed, with the assignment that it has now. The provider is that of the change, as rule 3
    /// found it on the locked line: by now the writer's cache has lost most lines of a large fleet, and reading each again would
    /// double the time of this statement.
    OPEN_HISTORY = concat!(
    "INSERT INTO cross_provider_device_history (
        tenant_id, device_id, bulk_change_id, attempt, entry, service_provider_id, valid_from, valid_to, rev_customer_id, site_id,
        account_number, customer_rate_plan_id, customer_rate_pool_id, customer_data_allocation_mb)
    SELECT dt.tenant_id, dt.device_id, dc.bulk_change_id, dc.attempt, $8, b.service_provider_id, $7, NULL, dt.rev_customer_id,
        dt.site_id, dt.account_number, dt.customer_rate_plan_id, dt.customer_rate_pool_id, dt.customer_data_allocation_mb
    FROM device_bulk_change b
    CROSS JOIN device_change dc
    CROSS JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = dc.device_id
    WHERE b.tenant_id = $1 AND b.id = $2 AND ",
    changed!()
);

    /// The lines changed whose link to their customer's connected Rev service is not right, by `rev_service_connected`.
    LINK_SERVICES = concat!(
    "UPDATE device_tenant AS dt SET rev_service_id = (
        SELECT max(s.id) FROM rev_service s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL)
    WHERE dt.tenant_id = $1 AND dt.device_id IN (SELECT dc.device_id FROM device_change dc WHERE ",
    changed!(),
    ") AND dt.rev_service_id IS NOT (
        SELECT max(s.id) FROM rev_service s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL)"
);

    /// The change's order, attempt and date for a page to complete, if the claim still holds: one row by primary keys.
    OPEN_COMPLETION = "SELECT b.order_json, b.attempt FROM device_bulk_change_page page
    CROSS JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = page.bulk_change_id
    WHERE page.tenant_id = $1 AND page.bulk_change_id = $2 AND page.page = $3 AND page.epoch = $4 AND page.owner IS NOT NULL
      AND page.state = 'done'";

    /// One row by primary key.
    FIND_CANCELED_BY = "SELECT canceled_by, canceled_reach FROM device_bulk_change WHERE tenant_id = $1 AND id = $2 AND processed_at IS NULL";

    /// One row by primary key; once. A retry that was cut off is over: it may open nothing more.
    COMPLETE_CHANGE = "UPDATE device_bulk_change SET processed_at = $3, processed_by = $4, reopening_until = NULL
    WHERE tenant_id = $1 AND id = $2 AND processed_at IS NULL AND receiving_until IS NULL AND open_count = 0
      AND (reopening_until IS NULL OR reopening_until <= $3)";

    /// One row.
    LOG_COMPLETED = "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $9, NULL, $10, NULL, $11, $12)";

    /// One row by primary key, when the tenant has no unfinished change left.
    FORGET_WORK = "DELETE FROM tenant_work WHERE tenant_id = $1 AND kind = 'bulk_change'
    AND NOT EXISTS (SELECT 1 FROM device_bulk_change b WHERE b.tenant_id = $1 AND b.processed_at IS NULL)";

    /// The open entries of one change, by `customer_rate_plan_device_queue_change`.
    CANCEL_ENTRIES = "UPDATE customer_rate_plan_device_queue SET
        state = 'canceled', is_active = 0, modified_by = $3, modified_at = $4, status_details = 'bulk change canceled'
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND state = 'open' AND device_change_id IN (
        SELECT q.device_change_id FROM customer_rate_plan_device_queue q
        WHERE q.tenant_id = $1 AND q.bulk_change_id = $2 AND q.state = 'open' ORDER BY q.device_change_id LIMIT $5)
    RETURNING device_change_id";

    /// Those of them within a reach, each with its line by primary keys. `$6` customers, `$7` sites, `$8` service providers, each the
    /// word "any" where it does not limit.
    CANCEL_ENTRIES_WITHIN = concat!(
    "UPDATE customer_rate_plan_device_queue SET
        state = 'canceled', is_active = 0, modified_by = $3, modified_at = $4, status_details = 'bulk change canceled'
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND state = 'open' AND device_change_id IN (
        SELECT q.device_change_id FROM customer_rate_plan_device_queue q
        CROSS JOIN device d ON d.tenant_id = $1 AND d.id = q.device_id
        CROSS JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id
        WHERE q.tenant_id = $1 AND q.bulk_change_id = $2 AND q.state = 'open' AND ",
    entry_within!("$6", "$7", "$8"),
    " ORDER BY q.device_change_id LIMIT $5)
    RETURNING device_change_id"
);

    /// The canceled entries just returned, each by primary key.
    LOG_CANCELED_ENTRIES = "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    SELECT q.tenant_id, q.bulk_change_id, q.device_change_id, q.attempt, $4, $5, q.portal_type, $6, $7, $8, $9, $10, NULL, 0, 'PROCESSED'
    FROM (SELECT value AS id FROM json_each($3)) AS x
    CROSS JOIN customer_rate_plan_device_queue q ON q.tenant_id = $1 AND q.device_change_id = x.id AND q.bulk_change_id = $2";

    /// A tenant's oldest messages, by primary key.
    TAKE_MESSAGES = "DELETE FROM outbox WHERE tenant_id = $1 AND id IN (
        SELECT o.id FROM outbox o WHERE o.tenant_id = $1 ORDER BY o.id LIMIT $2)
    RETURNING id, kind, bulk_change_id, created_at";

    /// Pages waiting and the age of their oldest change.
    MEASURE_PAGES = "SELECT count(*), min(b.created_at) FROM device_bulk_change b
    CROSS JOIN device_bulk_change_page p ON p.tenant_id = $1 AND p.bulk_change_id = b.id AND p.state = 'ready'
    WHERE b.tenant_id = $1 AND b.processed_at IS NULL AND b.receiving_until IS NULL
      AND (b.started_at IS NOT NULL OR b.canceled_at IS NOT NULL)";

    /// The age of the oldest message: of few, messages are taken as they come.
    MEASURE_OUTBOX = "SELECT min(created_at) FROM outbox WHERE tenant_id = $1";

    /// Entries due, by `customer_rate_plan_device_queue_due`.
    MEASURE_QUEUE = "SELECT count(*) FROM customer_rate_plan_device_queue q
    WHERE q.tenant_id = $1 AND q.state = 'open' AND q.effective_date <= $2";

    /// Rows that wait, by `device_change_waiting`: as many index entries.
    MEASURE_WAITING = "SELECT count(*) FROM device_change dc WHERE dc.tenant_id = $1 AND dc.status = 'PENDING'";

    /// Steps that a person must settle: those of the few rows in `device_change_unsettled`, each by primary key.
    MEASURE_STUCK = "SELECT count(*) FROM device_change dc
    CROSS JOIN device_change_step s ON s.tenant_id = $1 AND s.device_change_id = dc.id
    WHERE dc.tenant_id = $1 AND dc.holds >= 4 AND s.state IN ('intended', 'ambiguous', 'waiting', 'stuck')";
}
