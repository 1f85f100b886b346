//! Statements of start, cancel and retry (B10.1, B10.2).

use super::rows::row_of;

lineshift_store::statements! {
    /// One row by primary key, locked: of start, cancel and retry at once each looks at what the other left.
    START = "UPDATE device_bulk_change SET started_at = $3, runs_as_id = $4
    WHERE tenant_id = $1 AND id = $2 AND started_at IS NULL AND canceled_at IS NULL AND receiving_until IS NULL";

    /// One row by primary key.
    CANCEL = "UPDATE device_bulk_change SET canceled_at = $3, canceled_by = $4, canceled_reach = $5, reopening_until = NULL
    WHERE tenant_id = $1 AND id = $2 AND canceled_at IS NULL AND receiving_until IS NULL AND open_count > 0";

    /// The pages of a change whose rows wait, by `device_bulk_change_page_state`: a canceled change is not waited for (B10.1). Locks them,
    /// after the change: nobody who holds a page waits for another one.
    WAKE_PAGES = "UPDATE device_bulk_change_page SET lease_until = NULL
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND state = 'ready' AND owner IS NULL AND lease_until IS NOT NULL";

    /// One row by primary key.
    FIND_PAGE = "SELECT from_id, to_id FROM device_bulk_change_page WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3";

    /// Up to a page of rows, by the range of the primary key; the codes, a handful, as a JSON array or null for all. The blank text
    /// keeps the planner from `device_change_error`, which it would walk for the whole change. Locks the rows: of two retries at
    /// once the second opens nothing.
    REOPEN_ROWS = "UPDATE device_change SET
        status = 'NEW', error_kind = NULL, error_code = NULL, status_details = NULL, is_processed = 0, processed_at = NULL,
        attempt = $6, holds = $7, next_check_at = NULL, set_steps_done = 0
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND id BETWEEN $3 AND $4 AND status || '' = 'ERROR'
      AND ($5::text IS NULL OR error_code = ANY (ARRAY(SELECT json_array_elements_text($5::text::json))))";

    /// The rows just opened, by the range of the primary key.
    LOG_REOPENED = "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, $6::integer, $7::integer, b.portal_type, $8::text, $9::text, $10::bigint,
        $11::text || coalesce(dc.iccid, dc.number), $12::text, NULL, 0, 'PROCESSED'
    FROM device_bulk_change b JOIN device_change dc ON dc.tenant_id = b.tenant_id AND dc.bulk_change_id = b.id
    WHERE b.tenant_id = $1 AND b.id = $2 AND dc.tenant_id = $1 AND dc.bulk_change_id = $2 AND dc.id BETWEEN $3 AND $4
      AND dc.status = 'NEW' AND dc.attempt = $5
    ON CONFLICT DO NOTHING";

    /// One row by primary key.
    REOPEN_PAGE = "UPDATE device_bulk_change_page SET state = 'ready', lease_until = NULL, owner = NULL, failures = 0
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3";

    /// One row by primary key; none when somebody else retried or completed the change since it was looked at. The change is
    /// stored anew, so that a change that took hold of a line meanwhile goes first. Locks the row; whoever waited for it looks at what
    /// stands there then.
    REOPEN_CHANGE = "UPDATE device_bulk_change SET
        open_count = open_count + $3::bigint, error_count = error_count - $3::bigint, attempt = $4::bigint, stored_order = $5, runs_as_id = $6,
        processed_at = NULL, canceled_at = NULL, canceled_by = NULL, canceled_reach = NULL, started_at = coalesce(started_at, $7),
        reopening_until = $8
    WHERE tenant_id = $1 AND id = $2
      AND ($9::boolean AND attempt = $4::bigint - 1 AND processed_at IS NOT NULL
           OR NOT $9::boolean AND attempt = $4::bigint AND reopening_until IS NOT NULL AND canceled_at IS NULL)";

    /// One row by primary key.
    FINISH_REOPENING = "UPDATE device_bulk_change SET reopening_until = NULL WHERE tenant_id = $1 AND id = $2";

    /// Rows of the change that wait by `$3`, and when the first of them is looked at next: as many index entries as the tenant has
    /// rows that wait, by `device_change_waiting`.
    COUNT_WAITING = "SELECT count(*), min(dc.next_check_at) FROM device_change dc
    WHERE dc.tenant_id = $1 AND dc.status = 'PENDING' AND dc.bulk_change_id = $2 AND dc.error_code = $3";

    /// At most 200 index entries, by the primary key's first two columns.
    COUNT_PAGES = "SELECT count(*) FROM device_bulk_change_page WHERE tenant_id = $1 AND bulk_change_id = $2";

    /// Rows of a change by their ids, a JSON list `$3`, each with its line: by primary keys, in no order. `$1` tenant, `$2` change.
    FIND_ROWS = concat!(
    "SELECT dc.id, dc.request_position, dc.device_id, coalesce(dc.iccid, d.iccid), coalesce(dc.number, d.subscriber_number),
        dc.status, dc.error_kind, dc.error_code, dc.status_details, dc.processed_at, dc.attempt, dc.next_check_at
    FROM unnest(string_to_array(translate((SELECT $3::text), '[] ', ''), ',')::bigint[]) AS named (value)",
    row_of!(
        "named.value",
        "r.id, r.request_position, r.device_id, r.iccid, r.number, r.status, r.error_kind, r.error_code, r.status_details,
        r.processed_at, r.attempt, r.next_check_at"
    ),
    " LEFT JOIN LATERAL (SELECT d.iccid, d.subscriber_number FROM device AS d
        WHERE d.tenant_id = $1 AND d.id = dc.device_id OFFSET 0) AS d ON true"
);
}
