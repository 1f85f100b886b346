//! Statements of pages that call outside (B5.6, B7): rows that wait, what the calls need, rows that fail for one step of several.
//! Each touches one page, by the range of a primary key; those with a JSON array, the rows named there, each by primary key.
//! They lock the rows that they write, which belong to the page: nobody else is at them while its claim holds.

use super::rows::{row_columns, row_of};

/// The rows of a page's range.
macro_rules! of_page {
    () => {
        "dc.tenant_id = $1 AND dc.bulk_change_id = $2 AND dc.id BETWEEN $3 AND $4"
    };
}

/// Rows given as a JSON array of (id, kind, code, details, next check). Read as jsonb, whose parts are found without reading the
/// text again for each; OFFSET 0 as in `log_settled` of the pages.
macro_rules! given {
    () => {
        "(SELECT (value ->> 0)::bigint AS id, value ->> 1 AS kind, value ->> 2 AS code, value ->> 3 AS details,
                 (value ->> 4)::bigint AS next_check
          FROM jsonb_array_elements($3::text::jsonb) AS given (value) OFFSET 0) AS x"
    };
}

lineshift_store::statements! {
    /// The rows of a page whose next check is due. The blank text keeps the planner from the tenant's whole
    /// `device_change_waiting`.
    WAKE_DUE = concat!(
    "UPDATE device_change AS dc SET status = 'PROCESSING', next_check_at = NULL WHERE ",
    of_page!(),
    " AND dc.status || '' = 'PENDING' AND dc.next_check_at <= $5"
);

    /// When the first waiting row of a page is looked at again, and how many there are.
    FIND_WAITING = concat!(
    "SELECT min(dc.next_check_at), count(*) FROM device_change dc WHERE ",
    of_page!(),
    " AND dc.status || '' = 'PENDING'"
);

    /// The rows in hand with their lines, in device order.
    LIST_OUTSIDE_LINES = concat!(
    "SELECT dc.id, dc.attempt, d.id, d.iccid, d.subscriber_number, d.imei, d.carrier_device_id, d.activated_at,
        d.status, d.carrier_rate_plan, d.communication_plan
    FROM device_change dc JOIN device d ON d.tenant_id = $1 AND d.id = dc.device_id
    WHERE ",
    of_page!(),
    " AND dc.status IN ('NEW', 'PROCESSING') ORDER BY dc.id"
);

    /// The log of [`HOLD_OPEN`], written before it: of the rows that did not wait for that before, once an attempt.
    LOG_WAITING = concat!(
    "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, $4::integer, $5::integer, $6::smallint, $7::text, $8::text,
        $9::bigint, $10::text || coalesce(dc.iccid, dc.number),
        x.code || ': ' || x.details, NULL, 0, 'PROCESSED'
    FROM ",
    given!(),
    row_of!("x.id", "r.tenant_id, r.bulk_change_id, r.id, r.attempt, r.iccid, r.number, r.status, r.error_code"),
    " WHERE dc.status IN ('NEW', 'PROCESSING') AND dc.error_code IS DISTINCT FROM x.code
    ON CONFLICT DO NOTHING"
);

    /// Makes rows in hand wait.
    HOLD_OPEN = concat!(
    "INSERT INTO device_change AS dc (", row_columns!(), ", holds, status, error_kind, error_code, status_details, next_check_at)
    SELECT ", row_columns!(found), ", 0, 'PENDING', x.kind, x.code, x.details, x.next_check FROM ",
    given!(),
    row_of!("x.id", concat!(row_columns!(selected), ", r.status")),
    " WHERE dc.status IN ('NEW', 'PROCESSING')
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        status = excluded.status, error_kind = excluded.error_kind, error_code = excluded.error_code,
        status_details = excluded.status_details, next_check_at = excluded.next_check_at
    WHERE dc.status IN ('NEW', 'PROCESSING')"
);

    /// Ends rows in hand in ERROR after their set steps, with the version that these left; one of which something is unknown
    /// goes on holding its line (rule 6). Line and steps by primary key.
    FAIL_AFTER_STEPS = concat!(
    "INSERT INTO device_change AS dc (", row_columns!(), ", status, error_kind, error_code, status_details, processed_at,
        judged_version, holds)
    SELECT ", row_columns!(found), ", 'ERROR', x.kind, x.code, x.details, $4::bigint,
        coalesce((SELECT dt.version FROM device_tenant dt WHERE dt.tenant_id = $1 AND dt.device_id = dc.device_id), dc.judged_version),
        CASE WHEN (SELECT true FROM device_change_step s WHERE s.tenant_id = $1 AND s.device_change_id = x.id
                AND s.state IN ('intended', 'ambiguous', 'waiting', 'stuck') LIMIT 1)
            THEN 4 ELSE 0 END
    FROM ",
    given!(),
    row_of!("x.id", concat!(row_columns!(selected), ", r.status, r.device_id, r.judged_version")),
    " WHERE dc.status IN ('NEW', 'PROCESSING')
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        status = excluded.status, error_kind = excluded.error_kind, error_code = excluded.error_code,
        status_details = excluded.status_details, processed_at = excluded.processed_at, next_check_at = NULL, set_steps_done = 1,
        judged_version = excluded.judged_version, holds = CASE WHEN excluded.holds <> 0 THEN dc.holds | 4 ELSE 0 END
    WHERE dc.status IN ('NEW', 'PROCESSING')"
);

    /// The rows in hand, whose steps now call outside.
    BEGIN_ROWS = concat!("UPDATE device_change AS dc SET status = 'PROCESSING' WHERE ", of_page!(), " AND dc.status = 'NEW'");

    /// One row by primary key: the claim goes on. What a lost lease meant is settled once the page is closed, and not before: whoever
    /// comes after one that failed until then must know of it, too.
    KEEP_PAGE = "UPDATE device_bulk_change_page SET owner = owner
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3 AND epoch = $4 AND owner IS NOT NULL";

    /// One row by primary key: for the negative build alone, which looks at no claim's epoch.
    FIND_EPOCH = "SELECT epoch FROM device_bulk_change_page WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3";
}
