//! Statements of carriers: what they confirmed of lines, their plans, and what they say by callback. Rows come as JSON arrays, in
//! the order of their keys, so that any two transactions lock them in the same order. What is given is read out of the JSON first, and
//! each element searched for by itself, as in `billing`.

use super::rows::row_columns;

/// What carriers confirmed, given as a JSON array of (row, line, status, rate plan, communication plan).
macro_rules! with_confirmed {
    () => {
        "WITH given AS MATERIALIZED (
            SELECT (value->>0)::bigint AS by_row, (value->>1)::bigint AS line, value->>2 AS status, value->>3 AS rate_plan,
                value->>4 AS comm_plan
            FROM json_array_elements($2::json)) "
    };
}

/// Two plans as the history has them.
macro_rules! plans_json {
    ($rate_plan:literal, $comm_plan:literal) => {
        concat!(
            "'{\"carrier_rate_plan\":' || coalesce(to_json(",
            $rate_plan,
            ")::text, 'null') || ',\"communication_plan\":' || coalesce(to_json(",
            $comm_plan,
            ")::text, 'null') || '}'"
        )
    };
}

/// One history row for each line that will differ. `$3` now, `$4` month, `$5` entry. Locks the lines in device order until they are
/// written, so that what the history calls old is what is replaced.
macro_rules! history {
    ($action:literal, $old:expr, $new:expr, $differs:literal) => {
        concat!(
            with_confirmed!(),
            "INSERT INTO device_action_history
                (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
            SELECT dc.tenant_id, dc.device_id, $3::bigint, dc.bulk_change_id, dc.attempt, $5::integer, $4::integer, ",
            $action,
            ", ",
            $old,
            ", ",
            $new,
            ", b.created_by
            FROM given
            CROSS JOIN LATERAL (SELECT dc.tenant_id, dc.device_id, dc.bulk_change_id, dc.attempt FROM device_change AS dc
                WHERE dc.tenant_id = $1 AND dc.id = given.by_row AND dc.device_id = given.line OFFSET 0) AS dc
            CROSS JOIN LATERAL (SELECT b.created_by FROM device_bulk_change AS b
                WHERE b.tenant_id = $1 AND b.id = dc.bulk_change_id OFFSET 0) AS b
            CROSS JOIN LATERAL (SELECT d.status, d.carrier_rate_plan, d.communication_plan FROM device AS d
                WHERE d.tenant_id = $1 AND d.id = dc.device_id FOR NO KEY UPDATE) AS d
            WHERE ",
            $differs,
            "
            ON CONFLICT DO NOTHING"
        )
    };
}

lineshift_store::statements! {
    /// The history of carrier plans, from the old values: rows, changes and lines by primary key (B11.2).
    HISTORY_OF_CARRIER_PLANS = history!(
    "'carrier_rate_plan'",
    plans_json!("d.carrier_rate_plan", "d.communication_plan"),
    plans_json!("nullif(coalesce(given.rate_plan, d.carrier_rate_plan), '')", "coalesce(given.comm_plan, d.communication_plan)"),
    "(d.carrier_rate_plan IS DISTINCT FROM nullif(coalesce(given.rate_plan, d.carrier_rate_plan), '')
      OR d.communication_plan IS DISTINCT FROM coalesce(given.comm_plan, d.communication_plan))"
);

    /// The history of statuses, likewise.
    HISTORY_OF_CARRIER_STATUSES = history!(
    "'status'",
    "'{\"status\":' || to_json(d.status)::text || '}'",
    "'{\"status\":' || to_json(given.status)::text || '}'",
    "given.status IS NOT NULL AND d.status <> given.status"
);

    /// The lines that differ, each by primary key, locked by the history before. `$3` now. What is null stays; an
    /// empty rate plan is none. Written as rows that are there already: an UPDATE would leave it to the planner whether each is searched
    /// for.
    UPDATE_CARRIER_LINES = concat!(
    with_confirmed!(),
    "INSERT INTO device (tenant_id, id, service_provider_id, iccid, is_archived, is_deleted, created_at, status, carrier_rate_plan,
        communication_plan, modified_at)
    SELECT d.tenant_id, d.id, d.service_provider_id, d.iccid, d.is_archived, d.is_deleted, d.created_at, coalesce(given.status, d.status),
        nullif(coalesce(given.rate_plan, d.carrier_rate_plan), ''), coalesce(given.comm_plan, d.communication_plan), $3::bigint
    FROM given
    CROSS JOIN LATERAL (SELECT dc.device_id FROM device_change AS dc
        WHERE dc.tenant_id = $1 AND dc.id = given.by_row AND dc.device_id = given.line OFFSET 0) AS dc
    CROSS JOIN LATERAL (SELECT d.tenant_id, d.id, d.service_provider_id, d.iccid, d.is_archived, d.is_deleted, d.created_at, d.status,
            d.carrier_rate_plan, d.communication_plan
        FROM device AS d WHERE d.tenant_id = $1 AND d.id = dc.device_id FOR NO KEY UPDATE) AS d
    WHERE d.status <> coalesce(given.status, d.status)
       OR d.carrier_rate_plan IS DISTINCT FROM nullif(coalesce(given.rate_plan, d.carrier_rate_plan), '')
       OR d.communication_plan IS DISTINCT FROM coalesce(given.comm_plan, d.communication_plan)
    ON CONFLICT (tenant_id, id) DO UPDATE SET status = excluded.status, carrier_rate_plan = excluded.carrier_rate_plan,
        communication_plan = excluded.communication_plan, modified_at = excluded.modified_at"
);

    /// Plans, once each by the unique index of provider and code; new ones get `$3` and the place in the array for an id.
    /// `$4` provider. Locks those that are there in the order of their codes.
    UPSERT_CARRIER_RATE_PLANS = "INSERT INTO carrier_rate_plan (tenant_id, id, service_provider_id, code, name, is_active)
    SELECT DISTINCT ON (value->>0) $1::bigint, $3::bigint + place - 1, $4::bigint, value->>0, value->>1, (value->>2)::smallint
    FROM json_array_elements($2::json) WITH ORDINALITY AS given(value, place)
    ORDER BY value->>0, place DESC
    ON CONFLICT (tenant_id, service_provider_id, code) DO UPDATE SET name = excluded.name, is_active = excluded.is_active
    RETURNING id";

    /// The rows that wait for a request of a provider's carrier, or that whoever sent it still has in hand, with their pages and whether
    /// they wait: as many as the request has lines, by `device_change_step_waiting`, `device_bulk_change_page_from` and primary keys.
    /// `$2` provider, `$3` request. Locks nothing.
    FIND_CALLED_BACK = "SELECT dc.id, dc.bulk_change_id, dc.attempt, b.portal_type, coalesce(d.iccid, dc.iccid), page.page,
        CASE WHEN dc.status = 'PENDING' THEN 1 ELSE 0 END
    FROM (SELECT s.device_change_id FROM device_change_step AS s
        WHERE s.tenant_id = $1 AND s.external_id COLLATE \"C\" = $3 AND s.state = 'waiting' OFFSET 0) AS s
    CROSS JOIN LATERAL (SELECT dc.id, dc.bulk_change_id, dc.attempt, dc.device_id, dc.iccid, dc.status FROM device_change AS dc
        WHERE dc.tenant_id = $1 AND dc.id = s.device_change_id AND dc.status IN ('PENDING', 'PROCESSING') OFFSET 0) AS dc
    CROSS JOIN LATERAL (SELECT b.portal_type FROM device_bulk_change AS b
        WHERE b.tenant_id = $1 AND b.id = dc.bulk_change_id AND b.service_provider_id = $2 OFFSET 0) AS b
    CROSS JOIN LATERAL (SELECT page.page FROM device_bulk_change_page AS page
        WHERE page.tenant_id = $1 AND page.bulk_change_id = dc.bulk_change_id AND page.from_id <= dc.id
        ORDER BY page.from_id DESC LIMIT 1) AS page
    LEFT JOIN LATERAL (SELECT d.iccid FROM device AS d WHERE d.tenant_id = $1 AND d.id = dc.device_id OFFSET 0) AS d ON true
    ORDER BY dc.id";

    /// Locks pages given as a JSON array of (change, page), each by primary key, before their rows, as whoever runs them does: what
    /// he has just found of rows that wait is no longer decided by then, and of two callbacks the second finds what the first noted.
    LOCK_CALLED_BACK_PAGES = "WITH given AS MATERIALIZED (
        SELECT (value->>0)::bigint AS change, (value->>1)::bigint AS page FROM json_array_elements($2::json))
    SELECT page.page FROM given
    CROSS JOIN LATERAL (SELECT page.page FROM device_bulk_change_page AS page
        WHERE page.tenant_id = $1 AND page.bulk_change_id = given.change AND page.page = given.page FOR NO KEY UPDATE) AS page";

    /// The callbacks that stand in the log already, of rows given as a JSON array of (row, change, attempt): a handful each, by the
    /// range of the primary key. `$3` first place, `$4` the one behind the last.
    LIST_CALLBACKS = "WITH given AS MATERIALIZED (
        SELECT (value->>0)::bigint AS id, (value->>1)::bigint AS change, (value->>2)::integer AS attempt
        FROM json_array_elements($2::json))
    SELECT l.device_change_id, l.entry, l.request_text, l.error_text FROM given
    CROSS JOIN LATERAL (
        SELECT l.device_change_id, l.entry, l.request_text, l.error_text FROM device_bulk_change_log AS l
        WHERE l.tenant_id = $1 AND l.bulk_change_id = given.change AND l.device_change_id = given.id
          AND l.attempt = given.attempt AND l.entry >= $3 AND l.entry < $4 OFFSET 0) AS l";

    /// The rows given as a JSON array of ids, as far as they wait, each by primary key. `$3` now. The blank text keeps the planner from
    /// the tenant's whole `device_change_waiting`.
    WAKE_CALLED_BACK_ROWS = concat!(
    "WITH given AS MATERIALIZED (SELECT value::bigint AS id FROM json_array_elements_text($2::json))
    INSERT INTO device_change (", row_columns!(), ", holds, status, next_check_at)
    SELECT ", row_columns!(found), ", dc.holds, dc.status, $3::bigint
    FROM given CROSS JOIN LATERAL (SELECT ", row_columns!(selected), ", r.holds, r.status FROM device_change AS r
        WHERE r.tenant_id = $1 AND r.id = given.id AND r.status || '' = 'PENDING' FOR NO KEY UPDATE) AS dc
    ON CONFLICT (tenant_id, id) DO UPDATE SET next_check_at = excluded.next_check_at
    RETURNING device_change.id"
);

    /// The parts that wait for a request, of rows given as a JSON array of (row, outcome, code), by the primary key's first
    /// columns. `$3` request.
    NOTE_CALLED_BACK_STEPS = "INSERT INTO device_change_step (
        tenant_id, device_change_id, step, part, state, attempt, at, outcome, error_code)
    SELECT s.tenant_id, s.device_change_id, s.step, s.part, s.state, s.attempt, s.at, x.outcome, x.code
    FROM (SELECT (value->>0)::bigint AS id, value->>1 AS outcome, value->>2 AS code
          FROM json_array_elements($2::json) OFFSET 0) AS x
    CROSS JOIN LATERAL (SELECT s.tenant_id, s.device_change_id, s.step, s.part, s.state, s.attempt, s.at FROM device_change_step AS s
        WHERE s.tenant_id = $1 AND s.device_change_id = x.id AND s.external_id || '' = $3 AND s.state || '' = 'waiting'
        FOR NO KEY UPDATE) AS s
    ON CONFLICT (tenant_id, device_change_id, step, part) DO UPDATE SET outcome = excluded.outcome, error_code = excluded.error_code";

    /// Pages given as a JSON array of (change, page), as far as nobody holds them, each by primary key: claimable from now on. They are
    /// locked by now.
    WAKE_CALLED_BACK_PAGES = "UPDATE device_bulk_change_page SET lease_until = NULL
    FROM (SELECT (value->>0)::bigint AS change, (value->>1)::bigint AS page
          FROM json_array_elements($2::json) OFFSET 0) AS x
    WHERE device_bulk_change_page.tenant_id = $1 AND device_bulk_change_page.bulk_change_id = x.change
      AND device_bulk_change_page.page = x.page AND device_bulk_change_page.state = 'ready'
      AND device_bulk_change_page.owner IS NULL AND device_bulk_change_page.lease_until IS NOT NULL";
}
