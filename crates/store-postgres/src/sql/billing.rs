//! Statements of billing: steps that call outside, what is billed, and what a person must settle. Rows come as JSON arrays, at
//! most a page of them; each is found by primary key or by the unique index of Rev.io's ids.
//!
//! What is given is read out of the JSON first, in a CTE of its own: under row level security an index is searched only by what
//! cannot leak, and reading JSON could. For each row of it one search follows, in a lateral subquery that OFFSET 0 or its lock
//! keeps
//! apart: a planner that believes a tenant to have one row, as it does of a new one, would otherwise begin with all of the
//! tenant's.
//! Where rows are locked the CTE is in the order of their keys, so that any two transactions lock them in the same order.

use super::within::{among, assigned_within, line_within};

/// The columns of a step, with the table under the alias `s`.
macro_rules! step_columns {
    () => {
        "s.device_change_id, s.step, s.part, s.state, s.attempt, s.calls, s.request_key, s.external_id,
        s.adopted, s.error_code, s.outcome, s.unknown_since, s.at,
        s.before_rate_plan, s.before_comm_plan"
    };
    (raw) => {
        "s.device_change_id, s.step, s.part, s.state, s.attempt, s.calls, s.request_key, s.external_id, s.adopted, s.error_code,
        s.outcome, s.unknown_since, s.at,
        s.before_rate_plan, s.before_comm_plan"
    };
}

/// Customer, Rev.io's id and perhaps a day, given as a JSON array under `$2`.
macro_rules! with_pairs {
    () => {
        "WITH given AS MATERIALIZED (
            SELECT DISTINCT ON (customer, id)
                (value->>0)::bigint AS customer, (value->>1)::bigint AS id, (value->>2)::bigint AS day
            FROM json_array_elements($2::json) ORDER BY customer, id) "
    };
}

/// Disconnects the products `p` of what follows, which are there and locked: an UPDATE would leave it to the planner whether each
/// is
/// searched for. `$3` now.
macro_rules! disconnect_products {
    () => {
        "INSERT INTO rev_service_product (
            tenant_id, id, rev_service_id, rev_customer_id, rev_service_product_id, rev_product_id, status, stored_at)
        SELECT DISTINCT ON (p.id) p.tenant_id, p.id, p.rev_service_id, p.rev_customer_id, p.rev_service_product_id,
            p.rev_product_id,
            'DISCONNECTED', $3::bigint"
    };
}

/// What a product cannot be without.
macro_rules! product_columns {
    () => {
        "p.tenant_id, p.id, p.rev_service_id, p.rev_customer_id, p.rev_service_product_id, p.rev_product_id"
    };
}

/// One history row for each row that created, adopted or disconnected a service, unless the line's history says so already.
/// `$3` now, `$4` month, `$5` entry.
macro_rules! history {
    ($old:literal, $new:literal) => {
        concat!(
            "WITH given AS MATERIALIZED (
                SELECT (value->>0)::bigint AS by_row,
                    '{\"rev_service_id\":' || (value->>1) || ',\"rev_customer_id\":' || (value->>2) || '}' AS line
                FROM json_array_elements($2::json))
            INSERT INTO device_action_history
                (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
            SELECT dc.tenant_id, dc.device_id, $3::bigint, dc.bulk_change_id, dc.attempt, $5::integer, $4::integer,
                'service_line', ",
            $old,
            ", ",
            $new,
            ",
                b.created_by
            FROM given
            CROSS JOIN LATERAL (SELECT dc.tenant_id, dc.device_id, dc.bulk_change_id, dc.attempt FROM device_change AS dc
                WHERE dc.tenant_id = $1 AND dc.id = given.by_row OFFSET 0) AS dc
            CROSS JOIN LATERAL (SELECT b.created_by FROM device_bulk_change AS b
                WHERE b.tenant_id = $1 AND b.id = dc.bulk_change_id OFFSET 0) AS b
            WHERE dc.device_id IS NOT NULL AND (
                SELECT true FROM device_action_history AS h WHERE h.tenant_id = $1 AND h.device_id = dc.device_id
                   AND h.bulk_change_id = dc.bulk_change_id AND h.entry = $5 AND h.old_value = ",
            $old,
            " AND h.new_value = ",
            $new,
            " LIMIT 1) IS NULL
            ON CONFLICT DO NOTHING"
        )
    };
}

lineshift_store::statements! {
    /// Locks an account whose windows are counted and then taken from, so that no two workers take the same calls: one row by
    /// primary key. What only refers to it goes on meanwhile.
    LOCK_ACCOUNT = "SELECT a.id FROM integration_authentication AS a WHERE a.tenant_id = $1 AND a.id = $2 FOR NO KEY UPDATE";

    /// The rows that wait for an account, by `device_change_waiting`: a handful of changes that call it, by
    /// `device_bulk_change_unfinished`. Locks them in device order.
    WAKE_ROWS_OF_ACCOUNT = "WITH waiting AS MATERIALIZED (
        SELECT dc.id FROM device_change AS dc
        WHERE dc.tenant_id = $1 AND dc.status = 'PENDING' AND dc.next_check_at > $3 AND dc.bulk_change_id IN (
            SELECT b.id FROM device_bulk_change AS b
            WHERE b.tenant_id = $1 AND b.processed_at IS NULL
              AND (b.integration_authentication_id = $2 OR b.carrier_authentication_id = $2))
        ORDER BY dc.id FOR NO KEY UPDATE OF dc)
    UPDATE device_change SET next_check_at = $3 FROM waiting
    WHERE device_change.tenant_id = $1 AND device_change.id = waiting.id";

    /// Their pages, by `device_bulk_change_page_state`. One that is locked is being claimed: whoever does so looks at its rows
    /// himself, and waiting for him while holding them could be a deadlock.
    WAKE_PAGES_OF_ACCOUNT = "WITH waiting AS MATERIALIZED (
        SELECT page.bulk_change_id, page.page FROM device_bulk_change_page AS page
        WHERE page.tenant_id = $1 AND page.state = 'ready' AND page.owner IS NULL AND page.lease_until IS NOT NULL
          AND page.bulk_change_id IN (
            SELECT b.id FROM device_bulk_change AS b
            WHERE b.tenant_id = $1 AND b.processed_at IS NULL
              AND (b.integration_authentication_id = $2 OR b.carrier_authentication_id = $2))
        FOR NO KEY UPDATE OF page SKIP LOCKED)
    UPDATE device_bulk_change_page SET lease_until = NULL FROM waiting
    WHERE device_bulk_change_page.tenant_id = $1 AND device_bulk_change_page.bulk_change_id = waiting.bulk_change_id
      AND device_bulk_change_page.page = waiting.page";

    /// Whether the claim still holds, and whose log its rows are written to: one row by primary keys. Locks the page, so that the
    /// claim holds until what is written under it is committed.
    HELD_PAGE = "SELECT b.portal_type FROM device_bulk_change_page AS page
    JOIN device_bulk_change AS b ON b.tenant_id = $1 AND b.id = page.bulk_change_id
    WHERE page.tenant_id = $1 AND page.bulk_change_id = $2 AND page.page = $3 AND page.epoch = $4
      AND page.lease_until IS NOT NULL AND page.owner IS NOT NULL AND page.state = 'ready'
    FOR NO KEY UPDATE OF page";

    /// Writes steps: as many as were given, each by primary key; of one that is given twice the last, as one statement may not
    /// write a row twice.
    RECORD_STEPS = "INSERT INTO device_change_step (
        tenant_id, device_change_id, step, part, state, attempt, calls, request_key, external_id, adopted, error_code, outcome,
        unknown_since, at, before_rate_plan, before_comm_plan)
    SELECT DISTINCT ON ((value->>0)::bigint, value->>1, (value->>2)::integer)
        $1::bigint, (value->>0)::bigint, value->>1, (value->>2)::integer, value->>3, (value->>4)::integer, (value->>5)::integer,
        value->>6, value->>7, (value->>8)::smallint, value->>9, value->>10, (value->>11)::bigint, (value->>12)::bigint,
        value->>13, value->>14
    FROM json_array_elements($2::json) WITH ORDINALITY AS given(value, place)
    ORDER BY (value->>0)::bigint, value->>1, (value->>2)::integer, place DESC
    ON CONFLICT (tenant_id, device_change_id, step, part) DO UPDATE SET
        state = excluded.state, attempt = excluded.attempt, calls = excluded.calls, request_key = excluded.request_key,
        external_id = excluded.external_id, adopted = excluded.adopted, error_code = excluded.error_code,
        outcome = excluded.outcome, unknown_since = excluded.unknown_since, at = excluded.at,
        before_rate_plan = excluded.before_rate_plan, before_comm_plan = excluded.before_comm_plan";

    /// Log entries of outside calls: appends by primary key; one that is there already stays.
    LOG_OUTSIDE = "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    SELECT $1::bigint, $2::bigint, (value->>0)::bigint, (value->>1)::integer, (value->>2)::bigint, $4::integer, $5::smallint,
        value->>3, $6::text, $7::bigint, value->>4, value->>5, value->>6,
        CASE WHEN value->>6 IS NULL THEN 0 ELSE 1 END, CASE WHEN value->>6 IS NULL THEN 'PROCESSED' ELSE 'ERROR' END
    FROM json_array_elements($3::json)
    ON CONFLICT DO NOTHING";

    /// The services given that are connected, by the unique index of customer and Rev.io's id. `$3` now. Written as rows that are
    /// there already: an UPDATE would leave it to the planner whether each is searched for.
    DISCONNECT_SERVICES = concat!(
    with_pairs!(),
    "INSERT INTO rev_service (tenant_id, id, rev_customer_id, rev_service_id, has_package, disconnected_date, stored_at)
    SELECT s.tenant_id, s.id, s.rev_customer_id, s.rev_service_id, s.has_package, given.day, $3::bigint
    FROM given
    CROSS JOIN LATERAL (
        SELECT s.tenant_id, s.id, s.rev_customer_id, s.rev_service_id, s.has_package FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id
          AND s.disconnected_date IS NULL FOR NO KEY UPDATE) AS s
    ON CONFLICT (tenant_id, id) DO UPDATE SET disconnected_date = excluded.disconnected_date, stored_at = excluded.stored_at"
);

    /// What is charged on the services given, by `rev_service_product_charged`. `$3` now.
    DISCONNECT_PRODUCTS_OF_SERVICES = concat!(
    with_pairs!(), disconnect_products!(), "
    FROM given
    CROSS JOIN LATERAL (SELECT s.id FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id OFFSET 0) AS s
    CROSS JOIN LATERAL (SELECT ", product_columns!(), " FROM rev_service_product AS p
        WHERE p.tenant_id = $1 AND p.rev_service_id = s.id AND p.status IN ('PENDING', 'ACTIVE') FOR NO KEY UPDATE) AS p
    ON CONFLICT (tenant_id, id) DO UPDATE SET status = excluded.status, stored_at = excluded.stored_at"
);

    /// The products given, by the unique index of customer and Rev.io's id. `$3` now.
    DISCONNECT_PRODUCTS = concat!(
    with_pairs!(), disconnect_products!(), "
    FROM given
    CROSS JOIN LATERAL (SELECT ", product_columns!(), " FROM rev_service_product AS p
        WHERE p.tenant_id = $1 AND p.rev_customer_id = given.customer AND p.rev_service_product_id = given.id
        FOR NO KEY UPDATE) AS p
    ON CONFLICT (tenant_id, id) DO UPDATE SET status = excluded.status, stored_at = excluded.stored_at"
);

    /// The history of service lines disconnected again, likewise.
    HISTORY_OF_UNDONE_SERVICES = history!("given.line", "'null'");

    /// The steps of one row, by the primary key's first columns.
    LIST_STEPS = concat!(
    "SELECT ", step_columns!(), " FROM device_change_step AS s
    WHERE s.tenant_id = $1 AND s.device_change_id = $2 ORDER BY s.step, s.part"
);

    /// The steps of a range of rows, by the range of the primary key.
    LIST_STEPS_OF_PAGE = concat!(
    "SELECT ", step_columns!(), " FROM device_change_step AS s WHERE s.tenant_id = $1 AND s.device_change_id BETWEEN $2 AND $3
    ORDER BY s.device_change_id, s.step, s.part"
);

    /// Rows that wait for a person, by `device_change_unsettled`, each with its change and its line by primary keys. `$4` who ordered
    /// the change, 0 for whoever did; `$5` its portals; `$6` customers, `$7` sites, `$8` service providers of the line, each the word
    /// "any" where it does not limit.
    LIST_UNSETTLED_ROWS = concat!(
    "SELECT dc.id, dc.bulk_change_id, coalesce(dc.iccid, dc.number)
    FROM device_change AS dc
    JOIN device_bulk_change AS b ON b.tenant_id = $1 AND b.id = dc.bulk_change_id
    LEFT JOIN device AS d ON d.tenant_id = $1 AND d.id = dc.device_id
    LEFT JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = dc.device_id
    WHERE dc.tenant_id = $1 AND dc.holds >= 4 AND dc.id > $2 AND ($4::bigint = 0 OR b.created_by_id = $4::bigint)
      AND b.portal_type IN (SELECT unnest(string_to_array(translate((SELECT $5::text), '[] ', ''), ',')::bigint[]))
      AND (dc.device_id IS NULL OR ", line_within!("$6", "$7", "$8"), ")
    ORDER BY dc.id LIMIT $3"
);

    /// The steps of those rows, by the primary key's first columns.
    LIST_STEPS_OF_ROWS = concat!(
    "WITH given AS MATERIALIZED (SELECT value::bigint AS id FROM json_array_elements_text($2::json))
    SELECT ", step_columns!(), " FROM given CROSS JOIN LATERAL (SELECT ", step_columns!(raw), " FROM device_change_step AS s
        WHERE s.tenant_id = $1 AND s.device_change_id = given.id OFFSET 0) AS s
    ORDER BY s.device_change_id, s.step, s.part"
);

    /// Locks a row that a person settles, before it is read, so that of two who settle it the second finds it settled and a retry
    /// finds it as it then is: one row by primary key.
    LOCK_ROW = "SELECT dc.id FROM device_change AS dc WHERE dc.tenant_id = $1 AND dc.id = $2 FOR NO KEY UPDATE";

    /// What a row is and whose, by primary keys.
    FIND_ROW = "SELECT dc.bulk_change_id, dc.attempt, dc.status, dc.holds, b.portal_type, b.rev_customer_id,
        coalesce(dc.iccid, dc.number)
    FROM device_change AS dc JOIN device_bulk_change AS b ON b.tenant_id = $1 AND b.id = dc.bulk_change_id
    WHERE dc.tenant_id = $1 AND dc.id = $2";

    /// A row that ended lets go of its line: one row by primary key.
    RELEASE_ROW = "UPDATE device_change SET holds = 0 WHERE tenant_id = $1 AND id = $2 AND status = 'ERROR'";
}
