//! Statements of start, cancel and retry (B10.1, B10.2).

lineshift_store::statements! {
    /// One row by primary key.
    START = "UPDATE device_bulk_change SET started_at = $3, runs_as_id = $4
    WHERE tenant_id = $1 AND id = $2 AND started_at IS NULL AND canceled_at IS NULL AND receiving_until IS NULL";

    /// One row by primary key.
    CANCEL = "UPDATE device_bulk_change SET canceled_at = $3, canceled_by = $4, canceled_reach = $5, reopening_until = NULL
    WHERE tenant_id = $1 AND id = $2 AND canceled_at IS NULL AND receiving_until IS NULL AND open_count > 0";

    /// The pages of a change whose rows wait, by `device_bulk_change_page_state`: a canceled change is not waited for (B10.1).
    WAKE_PAGES = "UPDATE device_bulk_change_page SET lease_until = NULL
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND state = 'ready' AND owner IS NULL AND lease_until IS NOT NULL";

    /// One row by primary key.
    FIND_PAGE = "SELECT from_id, to_id FROM device_bulk_change_page WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3";

    /// Up to a page of rows, by the range of the primary key; the codes, a handful, as a JSON array or null for all.
    REOPEN_ROWS = "UPDATE device_change SET
        status = 'NEW', error_kind = NULL, error_code = NULL, status_details = NULL, is_processed = 0, processed_at = NULL,
        attempt = $6, holds = $7, next_check_at = NULL, set_steps_done = 0
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND id BETWEEN $3 AND $4 AND status = 'ERROR'
      AND ($5 IS NULL OR error_code IN (SELECT value FROM json_each($5)))";

    /// The rows just opened, by the range of the primary key.
    LOG_REOPENED = "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, $6, $7, b.portal_type, $8, $9, $10,
        $11 || coalesce(dc.iccid, dc.number), $12, NULL, 0, 'PROCESSED'
    FROM device_bulk_change b CROSS JOIN device_change dc
    WHERE b.tenant_id = $1 AND b.id = $2 AND dc.tenant_id = $1 AND dc.bulk_change_id = $2 AND dc.id BETWEEN $3 AND $4
      AND dc.status = 'NEW' AND dc.attempt = $5
    ON CONFLICT DO NOTHING";

    /// One row by primary key.
    REOPEN_PAGE = "UPDATE device_bulk_change_page SET state = 'ready', lease_until = NULL, owner = NULL, failures = 0
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3";

    /// One row by primary key; none when somebody else retried or completed the change since it was looked at. The change is
    /// stored anew, so that a change that took hold of a line meanwhile goes first.
    REOPEN_CHANGE = "UPDATE device_bulk_change SET
        open_count = open_count + $3, error_count = error_count - $3, attempt = $4, stored_order = $5, runs_as_id = $6,
        processed_at = NULL, canceled_at = NULL, canceled_by = NULL, canceled_reach = NULL, started_at = coalesce(started_at, $7),
        reopening_until = $8
    WHERE tenant_id = $1 AND id = $2
      AND ($9 AND attempt = $4 - 1 AND processed_at IS NOT NULL
           OR NOT $9 AND attempt = $4 AND reopening_until IS NOT NULL AND canceled_at IS NULL)";

    /// One row by primary key.
    FINISH_REOPENING = "UPDATE device_bulk_change SET reopening_until = NULL WHERE tenant_id = $1 AND id = $2";

    /// Rows of the change that wait by `$3`, and when the first of them is looked at next: as many index entries as the tenant has
    /// rows that wait, by `device_change_waiting`.
    COUNT_WAITING = "SELECT count(*), min(dc.next_check_at) FROM device_change dc INDEXED BY device_change_waiting
    WHERE dc.tenant_id = $1 AND dc.status = 'PENDING' AND dc.bulk_change_id = $2 AND dc.error_code = $3";

    /// At most 200 index entries, by the primary key's first two columns.
    COUNT_PAGES = "SELECT count(*) FROM device_bulk_change_page WHERE tenant_id = $1 AND bulk_change_id = $2";

    /// Rows of a change by their ids, a JSON list `$3`, each with its line: by primary keys, in no order. `$1` tenant, `$2` change.
    FIND_ROWS = "SELECT dc.id, dc.request_position, dc.device_id, coalesce(dc.iccid, d.iccid), coalesce(dc.number, d.subscriber_number),
        dc.status, dc.error_kind, dc.error_code, dc.status_details, dc.processed_at, dc.attempt, dc.next_check_at
    FROM json_each($3) AS named
    CROSS JOIN device_change AS dc ON dc.tenant_id = $1 AND dc.id = named.value
    LEFT JOIN device AS d ON d.tenant_id = $1 AND d.id = dc.device_id
    WHERE dc.bulk_change_id = $2";
}
