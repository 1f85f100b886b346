//! Statements of running a page (B5.1 to B5.3). Each touches one page: at most 5,000 rows, by the range of a primary key.

use super::facts::fact_columns;
use super::rows::{row_columns, row_of};
use lineshift_store::{change_columns, rights_of};

/// The rows on which the steps act: what is open in the page's range and was not settled.
macro_rules! accepted {
    () => {
        "dc.tenant_id = $1 AND dc.bulk_change_id = $2 AND dc.id BETWEEN $3 AND $4 AND dc.status IN ('NEW', 'PROCESSING')"
    };
}

macro_rules! insert_log {
    () => {
        "INSERT INTO device_bulk_change_log (
            tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
            processed_at, request_text, response_text, error_text, has_errors, response_status) "
    };
}

/// The entries of the settled rows, given as a JSON array. It is read as jsonb, whose parts are found without reading the text
/// again for each. OFFSET 0 keeps the reading out of the join: row level security lets nothing into an index's condition that could
/// tell of a row, as an error in reading would, and the whole table would be walked.
macro_rules! log_settled {
    () => {
        concat!(
            "SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, $10::integer, $5::integer, $6::smallint, x.description, $7::text,
            $8::bigint, $11::text || coalesce(dc.iccid, dc.number), x.response, x.error,
            CASE WHEN x.error IS NULL THEN 0 ELSE 1 END, CASE WHEN x.error IS NULL THEN 'PROCESSED' ELSE 'ERROR' END
        FROM (SELECT (value ->> 0)::bigint AS id, value ->> 5 AS description, value ->> 6 AS response, value ->> 7 AS error
              FROM jsonb_array_elements($9::text::jsonb) AS given (value) OFFSET 0) AS x",
            row_of!("x.id", "r.tenant_id, r.bulk_change_id, r.id, r.attempt, r.iccid, r.number"),
            " WHERE dc.id BETWEEN $3 AND $4"
        )
    };
}

macro_rules! log_page {
    ($templates:literal) => {
        concat!(
            insert_log!(),
            "SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, t.entry, $5::integer, $6::smallint, t.description, $7::text,
                $8::bigint, t.request || coalesce(dc.iccid, dc.number), t.response, NULL::text, 0, 'PROCESSED'
            FROM device_change dc CROSS JOIN (VALUES ", $templates, ") AS t (entry, description, request, response)
            WHERE ", accepted!(), "
            UNION ALL ",
            log_settled!()
        )
    };
}

/// What the attempt wrote into the history of the rows given as a JSON array of ids, with the line as it stands now, locked in the order
/// of the rows: the line, its old value and its new one. A line has a few rows of history.
macro_rules! histories {
    ($stands:literal) => {
        concat!(
            "(SELECT id::bigint AS id FROM json_array_elements_text($3::text::json) AS given (id) ORDER BY id::bigint) AS given",
            row_of!("given.id", "r.device_id, r.attempt"),
            " CROSS JOIN LATERAL (SELECT h.old_value::jsonb AS was, h.new_value::jsonb AS became FROM device_action_history AS h
                WHERE h.tenant_id = $1 AND h.device_id = dc.device_id AND h.bulk_change_id = $2 AND h.attempt = dc.attempt
                  AND h.entry = $6 OFFSET 0) AS x
            CROSS JOIN LATERAL (SELECT dt.tenant_id, dt.device_id, dt.is_active, dt.is_deleted, dt.version
                FROM device_tenant AS dt WHERE dt.tenant_id = $1 AND dt.device_id = dc.device_id AND ",
            $stands,
            " FOR NO KEY UPDATE) AS dt"
        )
    };
}

lineshift_store::statements! {
    /// A tenant's changes with something to do: a handful, by `device_bulk_change_unfinished`.
    LIST_RUNNABLE = "SELECT b.id, b.integration_authentication_id, b.carrier_authentication_id, b.canceled_at IS NOT NULL, b.open_count > 0
    FROM device_bulk_change b
    WHERE b.tenant_id = $1 AND b.processed_at IS NULL AND b.receiving_until IS NULL
      AND (b.started_at IS NOT NULL OR b.canceled_at IS NOT NULL)";

    /// One row by primary key; the first page in that state by `device_bulk_change_page_state`, past those that wait and those that others
    /// have locked: nobody waits for another's claim, and a page that is being run is not taken from under its transaction. A page
    /// that still has an owner was never given back: when his lease ran out is kept.
    CLAIM_PAGE = "UPDATE device_bulk_change_page SET epoch = epoch + 1,
        lost_lease_until = CASE WHEN owner IS NULL THEN lost_lease_until ELSE lease_until END, lease_until = $4, owner = $5
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = (
        SELECT p.page FROM device_bulk_change_page p
        WHERE p.tenant_id = $1 AND p.bulk_change_id = $2 AND p.state = $3 AND (p.lease_until IS NULL OR p.lease_until <= $6)
        ORDER BY p.page LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING page, from_id, to_id, epoch, failures, lost_lease_until";

    /// Whether a change has a page in that state, by `device_bulk_change_page_state`.
    HAS_PAGE = "SELECT 1 FROM device_bulk_change_page WHERE tenant_id = $1 AND bulk_change_id = $2 AND state = $3 LIMIT 1";

    /// One row by primary key. Locks it until the claim is committed, with the claimed page.
    BEGIN_CHANGE = "UPDATE device_bulk_change SET begun_at = $3 WHERE tenant_id = $1 AND id = $2 AND begun_at IS NULL";

    /// One row by primary key. Waits while the page's transaction has it: until then nobody can claim it either.
    RENEW_LEASE = "UPDATE device_bulk_change_page SET lease_until = $5
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3 AND epoch = $4 AND owner IS NOT NULL";

    /// One row by primary key. Without an owner the page is claimable from then on, and no lease of it is lost.
    GIVE_BACK = "UPDATE device_bulk_change_page SET lease_until = $5, owner = NULL, failures = failures + 1
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3 AND epoch = $4 AND owner IS NOT NULL";

    /// The order as it stands now, if the claim still holds: one row by primary keys. Locks the page until the
    /// transaction ends, so that it cannot be claimed meanwhile, whatever its lease says: the epoch that was looked at here stays.
    OPEN_PAGE = concat!(
    "SELECT ",
    change_columns!(),
    ", sp.integration_kind,
    ",
    rights_of!("b.runs_as_id", "$5"),
    ",
    b.rev_customer_id IS NULL
        OR coalesce((SELECT c.is_active = 1 FROM rev_customer c WHERE c.tenant_id = $1 AND c.id = b.rev_customer_id), false),
    b.site_id IS NULL OR coalesce((SELECT s.is_active = 1 FROM site s WHERE s.tenant_id = $1 AND s.id = b.site_id), false),
    b.customer_rate_plan_id IS NULL OR coalesce(
        (SELECT p.is_active = 1 FROM customer_rate_plan p WHERE p.tenant_id = $1 AND p.id = b.customer_rate_plan_id), false),
    b.customer_rate_pool_id IS NULL OR coalesce(
        (SELECT p.is_active = 1 FROM customer_rate_pool p WHERE p.tenant_id = $1 AND p.id = b.customer_rate_pool_id), false),
    b.stored_order, t.time_zone, b.integration_authentication_id,
    coalesce(a.is_active = 1 AND a.write_enabled = 1, false),
    coalesce(a.secret_encrypted IS NOT NULL AND a.base_address IS NOT NULL, false),
    CASE WHEN a.refused_at IS NOT NULL THEN coalesce(a.refused_text, 'refused') END,
    b.carrier_authentication_id,
    coalesce(sp.is_active = 1 AND sp.write_enabled = 1 AND c.is_active = 1 AND c.write_enabled = 1, false),
    coalesce(c.secret_encrypted IS NOT NULL AND c.base_address IS NOT NULL, false),
    CASE WHEN c.refused_at IS NOT NULL THEN coalesce(c.refused_text, 'refused') END,
    b.runs_as_id = b.created_by_id
    FROM device_bulk_change_page page
    JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = page.bulk_change_id
    JOIN service_provider sp ON sp.tenant_id = $1 AND sp.id = b.service_provider_id
    JOIN tenant t ON t.id = $1
    LEFT JOIN integration_authentication a ON a.tenant_id = $1 AND a.id = b.integration_authentication_id
    LEFT JOIN LATERAL (
        SELECT c.is_active, c.write_enabled, c.secret_encrypted, c.base_address, c.refused_at, c.refused_text
        FROM integration_authentication c WHERE c.tenant_id = $1 AND c.id = b.carrier_authentication_id OFFSET 0) AS c ON true
    WHERE page.tenant_id = $1 AND page.bulk_change_id = $2 AND page.page = $3 AND page.epoch = $4 AND page.owner IS NOT NULL
      AND page.state = 'ready'
    FOR NO KEY UPDATE OF page"
);

    /// The open rows of a page with their lines: up to 5,000, by the range of the primary key, each line by primary key, in
    /// device order. Locks each assignment as it is read, in that order: what is judged is its newest version, and stays until the
    /// commit. Holds and services are those of the statement's start: whoever had a line that was waited for here held it then (rule 6).
    LIST_OPEN_LINES = concat!(
    "SELECT dc.id, dc.judged_version, dc.number IS NULL OR dc.number IS NOT DISTINCT FROM d.subscriber_number,
        coalesce(dc.iccid, dc.number),
        CASE WHEN dc.number IS NULL THEN 1 ELSE (
            SELECT count(*) FROM device same WHERE same.tenant_id = $1 AND same.subscriber_number = dc.number) END, ",
    fact_columns!("d", "line"),
    " FROM device_change dc
    LEFT JOIN LATERAL (
        SELECT dt.device_id, dt.version, dt.rev_customer_id, dt.site_id, dt.account_number_integration_authentication_id,
            dt.is_active, dt.customer_rate_plan_id, dt.customer_rate_pool_id, dt.customer_data_allocation_mb
        FROM device_tenant dt WHERE dt.tenant_id = $1 AND dt.device_id = dc.device_id
        FOR NO KEY UPDATE) AS line ON true
    LEFT JOIN device d ON d.tenant_id = $1 AND d.id = dc.device_id
    WHERE dc.tenant_id = $1 AND dc.bulk_change_id = $5::bigint AND dc.id BETWEEN $6 AND $7 AND dc.status IN ('NEW', 'PROCESSING')
    ORDER BY dc.id"
);

    /// Rows that were refused at submission and are judged anew (B10.2): at most a page, each by primary key. Locks their lines, in device
    /// order; a row whose line has changed since it was looked up is not recorded, and the page is run again.
    RECORD_JUDGED = concat!(
    "INSERT INTO device_change (", row_columns!(), ", holds, status, device_id, judged_version)
    SELECT ", row_columns!(found), ", dc.holds, dc.status, x.device_id, x.version
    FROM (SELECT (value ->> 0)::bigint AS id, (value ->> 1)::bigint AS device_id, (value ->> 2)::bigint AS version
          FROM jsonb_array_elements($3::text::jsonb) AS given (value) ORDER BY device_id) AS x
    CROSS JOIN LATERAL (SELECT dt.device_id FROM device_tenant AS dt
        WHERE dt.tenant_id = $1 AND dt.device_id = x.device_id AND dt.version = x.version FOR NO KEY UPDATE) AS dt",
    row_of!("x.id", concat!(row_columns!(selected), ", r.holds, r.status")),
    " ON CONFLICT (tenant_id, id) DO UPDATE SET device_id = excluded.device_id, judged_version = excluded.judged_version"
);

    /// Rows settled without their steps: as many as were refused, each by primary key. The array is read as jsonb, whose parts are
    /// found without reading the text again for each.
    SETTLE_ROWS = concat!(
    "INSERT INTO device_change AS dc (", row_columns!(), ", holds, status, error_kind, error_code, status_details, processed_at)
    SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.request_position, CASE WHEN x.status = 'PROCESSED' THEN 1 ELSE 0 END, dc.attempt,
        CASE WHEN x.unsettled THEN 4 ELSE 0 END, x.status, x.kind, x.code, x.details, $4::bigint
    FROM (SELECT (value ->> 0)::bigint AS id, value ->> 1 AS status, value ->> 2 AS kind, value ->> 3 AS code, value ->> 4 AS details,
                 (value ->> 8)::boolean AS unsettled
          FROM jsonb_array_elements($3::text::jsonb) AS given (value) OFFSET 0) AS x",
    row_of!("x.id", row_columns!(selected)),
    " ON CONFLICT (tenant_id, id) DO UPDATE SET
        status = excluded.status, error_kind = excluded.error_kind, error_code = excluded.error_code,
        status_details = excluded.status_details, is_processed = excluded.is_processed, processed_at = excluded.processed_at,
        holds = CASE WHEN excluded.holds <> 0 THEN dc.holds | 4 ELSE 0 END, next_check_at = NULL"
);

    /// One queue entry for each accepted row, for the customer that the line has now; one that is there already stays.
    SCHEDULE_PLAN = concat!(
    "INSERT INTO customer_rate_plan_device_queue (
        tenant_id, device_change_id, bulk_change_id, device_id, rev_customer_id, site_id, customer_rate_plan_id,
        customer_rate_pool_id, customer_data_allocation_mb, effective_date, portal_type, created_by, created_at, modified_by,
        modified_at, is_active, state, attempt, error_code, status_details)
    SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.device_id, dt.rev_customer_id, dt.site_id, $5::bigint,
        $6::bigint, $7::text, $8::bigint, $9::smallint, $10::text, $11::bigint, NULL, NULL, 1, 'open', dc.attempt, NULL, NULL
    FROM device_change dc JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = dc.device_id
    WHERE ",
    accepted!(),
    " ON CONFLICT (tenant_id, device_change_id) DO NOTHING"
);

    /// The open entries of the accepted lines from a date on, by `customer_rate_plan_device_queue_device` (B8.2). Locks them in device
    /// order, behind the lines themselves; one that the scheduler is applying is waited for, and then no longer open.
    REPLACE_SCHEDULED = concat!(
    "UPDATE customer_rate_plan_device_queue AS entry SET
        state = 'canceled', is_active = 0, modified_by = $6, modified_at = $7,
        status_details = 'replaced by bulk change ' || $2::bigint
    WHERE entry.tenant_id = $1 AND entry.device_change_id = ANY (ARRAY(
          SELECT q.device_change_id
          FROM (SELECT dc.device_id FROM device_change dc WHERE ",
    accepted!(),
    " ORDER BY dc.device_id) AS line
          CROSS JOIN LATERAL (
              SELECT q.device_change_id FROM customer_rate_plan_device_queue AS q
              WHERE q.tenant_id = $1 AND q.device_id = line.device_id AND q.state = 'open' AND q.effective_date >= $5::bigint
                AND q.bulk_change_id <> $2::bigint
              ORDER BY q.effective_date, q.device_change_id FOR NO KEY UPDATE) AS q))"
);

    /// The log of a page: one entry for each settled row. Appends by primary key.
    LOG_SETTLED = concat!(insert_log!(), log_settled!());

    /// The log of a page with one step: one entry for each accepted row and one for each settled one.
    LOG_ONE_STEP = log_page!("($12::integer, $13::text, $14::text, $15::text)");

    /// The log of a page with two steps: two entries for each accepted row and one for each settled one.
    LOG_TWO_STEPS = log_page!("($12::integer, $13::text, $14::text, $15::text), ($16, $17, $18, $19)");

    /// The accepted rows, at the end of their page, by the range of the primary key.
    MARK_PROCESSED = concat!(
    "UPDATE device_change AS dc SET
        status = 'PROCESSED', error_kind = NULL, error_code = NULL, status_details = $6, is_processed = 1, processed_at = $5,
        holds = 0, next_check_at = NULL
    WHERE ",
    accepted!()
);

    /// Every row in hand of a page that failed too often, with its steps by primary key: one for which something was sent, or
    /// may have been, goes on holding its line (rule 6).
    FAIL_ROWS = concat!(
    "UPDATE device_change AS dc SET
        status = 'ERROR', error_kind = $6, error_code = $7, status_details = $8, processed_at = $5, next_check_at = NULL,
        holds = CASE WHEN (SELECT true FROM device_change_step s WHERE s.tenant_id = $1 AND s.device_change_id = dc.id
                         AND s.state IN ('intended', 'ambiguous', 'waiting', 'stuck', 'done') LIMIT 1)
                THEN dc.holds | 4 ELSE 0 END
    WHERE ",
    accepted!()
);

    /// The log of [`FAIL_ROWS`], written before it.
    LOG_FAILED = concat!(
    insert_log!(),
    "SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, $6::integer, $7::integer, $8::smallint, $9::text, $10::text,
        $5::bigint, $11::text || coalesce(dc.iccid, dc.number), NULL, $12::text, 1, 'ERROR'
    FROM device_change dc WHERE ",
    accepted!()
);

    /// One row by primary key; the epoch is checked again, so that one who lost the lease changes nothing (B5.1). A page with
    /// rows that wait is ready again when `$6` is reached; one that is done stays claimed, to be completed. `$7`: what a lost lease
    /// meant is settled. `$8`: what it was before, so that nothing is closed twice under one claim.
    CLOSE_PAGE = "UPDATE device_bulk_change_page SET state = $5, lease_until = CASE WHEN $5 = 'done' THEN lease_until ELSE $6 END,
        owner = CASE WHEN $5 = 'done' THEN owner END, failures = 0,
        lost_lease_until = CASE WHEN $7::boolean THEN NULL ELSE lost_lease_until END
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3 AND epoch = $4 AND owner IS NOT NULL AND state = $8";

    /// One row by primary key. The pages of a change meet here and nowhere else, at the very end of their transactions.
    COUNT_PAGE = "UPDATE device_bulk_change SET
        open_count = open_count - $3::bigint - $4::bigint - $5::bigint, processed_count = processed_count + $3::bigint,
        error_count = error_count + $4::bigint, canceled_count = canceled_count + $5::bigint
    WHERE tenant_id = $1 AND id = $2 RETURNING open_count";

    /// Undoes an assignment where it still stands: the rows given, their lines and histories by primary key. The page's lines are
    /// locked by then, and whoever waited all the same looks at what stands there now.
    REVERT_ASSIGNMENT = concat!(
    "INSERT INTO device_tenant AS line (tenant_id, device_id, version, modified_by, modified_at, rev_customer_id, site_id, account_number,
        account_number_integration_authentication_id, effective_date, is_active, is_deleted)
    SELECT dt.tenant_id, dt.device_id, dt.version + 1, $4::text, $5::bigint, (x.was ->> 'rev_customer_id')::bigint,
        (x.was ->> 'site_id')::bigint, x.was ->> 'account_number', (x.was ->> 'integration_authentication_id')::bigint,
        (x.was ->> 'effective_date')::bigint, (x.was ->> 'is_active')::smallint, (x.was ->> 'is_deleted')::smallint
    FROM ",
    histories!("dt.rev_customer_id IS NOT DISTINCT FROM (x.became ->> 'rev_customer_id')::bigint
        AND dt.site_id IS NOT DISTINCT FROM (x.became ->> 'site_id')::bigint
        AND dt.account_number IS NOT DISTINCT FROM x.became ->> 'account_number'
        AND dt.account_number_integration_authentication_id
            IS NOT DISTINCT FROM (x.became ->> 'integration_authentication_id')::bigint
        AND dt.is_active = 1 AND dt.is_deleted = 0"),
    " ON CONFLICT (tenant_id, device_id) DO UPDATE SET
        rev_customer_id = excluded.rev_customer_id, site_id = excluded.site_id, account_number = excluded.account_number,
        account_number_integration_authentication_id = excluded.account_number_integration_authentication_id,
        effective_date = excluded.effective_date, is_active = excluded.is_active, is_deleted = excluded.is_deleted,
        version = excluded.version, modified_by = excluded.modified_by, modified_at = excluded.modified_at"
);

    /// Undoes a plan change where it still stands: the rows given, their lines and histories by primary key.
    REVERT_PLAN = concat!(
    "INSERT INTO device_tenant AS line (tenant_id, device_id, version, modified_by, modified_at, customer_rate_plan_id,
        customer_rate_pool_id, customer_data_allocation_mb, is_active, is_deleted)
    SELECT dt.tenant_id, dt.device_id, dt.version + 1, $4::text, $5::bigint, (x.was ->> 'customer_rate_plan_id')::bigint,
        (x.was ->> 'customer_rate_pool_id')::bigint, x.was ->> 'customer_data_allocation_mb', dt.is_active, dt.is_deleted
    FROM ",
    histories!("dt.customer_rate_plan_id IS NOT DISTINCT FROM (x.became ->> 'customer_rate_plan_id')::bigint
        AND dt.customer_rate_pool_id IS NOT DISTINCT FROM (x.became ->> 'customer_rate_pool_id')::bigint
        AND dt.customer_data_allocation_mb IS NOT DISTINCT FROM x.became ->> 'customer_data_allocation_mb'
        AND x.was <> x.became"),
    " ON CONFLICT (tenant_id, device_id) DO UPDATE SET
        customer_rate_plan_id = excluded.customer_rate_plan_id, customer_rate_pool_id = excluded.customer_rate_pool_id,
        customer_data_allocation_mb = excluded.customer_data_allocation_mb, version = excluded.version,
        modified_by = excluded.modified_by, modified_at = excluded.modified_at"
);
}
