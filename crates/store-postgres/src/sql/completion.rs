//! Statements of completion (B11.3): cross-provider history and service links, page by page, then the change itself.

use super::within::{among, assigned_within, entry_within, line_within};

lineshift_store::statements! {
    /// The change's order, attempt and date for a page to complete, if the claim still holds: one row by primary keys. Not
    /// locked: the page is closed next, and that looks at the claim again.
    OPEN_COMPLETION = "SELECT b.order_json, b.attempt FROM device_bulk_change_page page
    JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = page.bulk_change_id
    WHERE page.tenant_id = $1 AND page.bulk_change_id = $2 AND page.page = $3 AND page.epoch = $4 AND page.owner IS NOT NULL
      AND page.state = 'done'";

    /// One row by primary key.
    FIND_CANCELED_BY = "SELECT canceled_by, canceled_reach FROM device_bulk_change WHERE tenant_id = $1 AND id = $2 AND processed_at IS NULL";

    /// One row by primary key; once. A retry that was cut off is over: it may open nothing more. Locks the row; whoever waited for
    /// another here looks at what that left. That no page is left is looked at here once more: since the caller looked, the change may
    /// have been completed, opened again and run.
    COMPLETE_CHANGE = "UPDATE device_bulk_change SET processed_at = $3, processed_by = $4, reopening_until = NULL
    WHERE tenant_id = $1 AND id = $2 AND processed_at IS NULL AND receiving_until IS NULL AND open_count = 0
      AND (reopening_until IS NULL OR reopening_until <= $3)
      AND NOT EXISTS (SELECT 1 FROM device_bulk_change_page p
                       WHERE p.tenant_id = $1 AND p.bulk_change_id = $2 AND p.state IN ('ready', 'done'))";

    /// One row.
    LOG_COMPLETED = "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $9, NULL, $10, NULL, $11, $12)";

    /// One row by primary key, when the tenant has no unfinished change left: by `device_bulk_change_unfinished`. The note is
    /// locked before, by `ANNOUNCE_TENANT_WORK`, so that this sees what those stored who held it.
    FORGET_WORK = "DELETE FROM tenant_work WHERE tenant_id = $1 AND kind = 'bulk_change'
    AND NOT EXISTS (SELECT 1 FROM device_bulk_change b WHERE b.tenant_id = $1 AND b.processed_at IS NULL)";

    /// The open entries of one change, by `customer_rate_plan_device_queue_change`, locked in device order. One that the scheduler is
    /// applying is waited for: it must not be left open should that be undone.
    CANCEL_ENTRIES = "UPDATE customer_rate_plan_device_queue AS entry SET
        state = 'canceled', is_active = 0, modified_by = $3, modified_at = $4, status_details = 'bulk change canceled'
    WHERE entry.tenant_id = $1 AND entry.device_change_id = ANY (ARRAY(
        SELECT q.device_change_id FROM customer_rate_plan_device_queue q
        WHERE q.tenant_id = $1 AND q.bulk_change_id = $2 AND q.state = 'open' ORDER BY q.device_change_id LIMIT $5
        FOR NO KEY UPDATE))
    RETURNING entry.device_change_id";

    /// Those of them within a reach, each with its line by primary keys. `$6` customers, `$7` sites, `$8` service providers, each the
    /// word "any" where it does not limit.
    CANCEL_ENTRIES_WITHIN = concat!(
    "UPDATE customer_rate_plan_device_queue AS entry SET
        state = 'canceled', is_active = 0, modified_by = $3, modified_at = $4, status_details = 'bulk change canceled'
    WHERE entry.tenant_id = $1 AND entry.device_change_id = ANY (ARRAY(
        SELECT q.device_change_id FROM customer_rate_plan_device_queue q
        JOIN device d ON d.tenant_id = $1 AND d.id = q.device_id
        JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id
        WHERE q.tenant_id = $1 AND q.bulk_change_id = $2 AND q.state = 'open' AND ",
    entry_within!("$6", "$7", "$8"),
    " ORDER BY q.device_change_id LIMIT $5
        FOR NO KEY UPDATE OF q))
    RETURNING entry.device_change_id"
);

    /// The canceled entries just returned, each by primary key.
    LOG_CANCELED_ENTRIES = "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    SELECT q.tenant_id, q.bulk_change_id, q.device_change_id, q.attempt, $4::integer, $5::integer, q.portal_type,
        $6::text, $7::text, $8::bigint, $9::text, $10::text, NULL, 0, 'PROCESSED'
    FROM (SELECT value::bigint AS id FROM json_array_elements_text($3::text::json) AS given (value) OFFSET 0) AS x
    CROSS JOIN LATERAL (SELECT q.tenant_id, q.bulk_change_id, q.device_change_id, q.attempt, q.portal_type
        FROM customer_rate_plan_device_queue AS q
        WHERE q.tenant_id = $1 AND q.device_change_id = x.id AND q.bulk_change_id = $2 OFFSET 0) AS q";

    /// A tenant's oldest messages, by primary key, in their order. The tenant's note of them is locked before, so that one takes
    /// them at a time; the rows are locked all the same, so that none is ever taken twice.
    TAKE_MESSAGES = "WITH taken AS (
        DELETE FROM outbox AS message
        WHERE message.tenant_id = $1 AND message.id = ANY (ARRAY(
            SELECT o.id FROM outbox o WHERE o.tenant_id = $1 ORDER BY o.id LIMIT $2 FOR UPDATE))
        RETURNING message.id, message.kind, message.bulk_change_id, message.created_at)
    SELECT id, kind, bulk_change_id, created_at FROM taken ORDER BY id";

    /// Pages waiting and the age of their oldest change.
    MEASURE_PAGES = "SELECT count(*), min(b.created_at) FROM device_bulk_change b
    JOIN device_bulk_change_page p ON p.tenant_id = $1 AND p.bulk_change_id = b.id AND p.state = 'ready'
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
    JOIN device_change_step s ON s.tenant_id = $1 AND s.device_change_id = dc.id
    WHERE dc.tenant_id = $1 AND dc.holds >= 4 AND s.state IN ('intended', 'ambiguous', 'waiting', 'stuck')";
}
