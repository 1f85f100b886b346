//! Statements of carriers: what they confirmed of lines, their plans, and what they say by callback. Rows come as JSON arrays.

/// What carriers confirmed, given as a JSON array of (row, line, status, rate plan, communication plan), with row, change and line,
/// each by primary key.
macro_rules! confirmed {
    () => {
        "(SELECT json_extract(value, '$[0]') AS by_row, json_extract(value, '$[1]') AS line, json_extract(value, '$[2]') AS status,
                 json_extract(value, '$[3]') AS rate_plan, json_extract(value, '$[4]') AS comm_plan
          FROM json_each($2)) AS x
        CROSS JOIN device_change dc ON dc.tenant_id = $1 AND dc.id = x.by_row AND dc.device_id = x.line"
    };
}

/// One history row for each line that will differ. `$3` now, `$4` month, `$5` entry.
macro_rules! history {
    ($action:literal, $old:literal, $new:literal, $differs:literal) => {
        concat!(
            "INSERT INTO device_action_history
                (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
            SELECT dc.tenant_id, dc.device_id, $3, dc.bulk_change_id, dc.attempt, $5, $4, ",
            $action,
            ", ",
            $old,
            ", ",
            $new,
            ", b.created_by
            FROM ",
            confirmed!(),
            "
            CROSS JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = dc.bulk_change_id
            CROSS JOIN device d ON d.tenant_id = $1 AND d.id = dc.device_id
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
    "json_object('carrier_rate_plan', d.carrier_rate_plan, 'communication_plan', d.communication_plan)",
    "json_object('carrier_rate_plan', nullif(coalesce(x.rate_plan, d.carrier_rate_plan), ''),
                 'communication_plan', coalesce(x.comm_plan, d.communication_plan))",
    "(d.carrier_rate_plan IS NOT nullif(coalesce(x.rate_plan, d.carrier_rate_plan), '')
      OR d.communication_plan IS NOT coalesce(x.comm_plan, d.communication_plan))"
);

    /// The history of statuses, likewise.
    HISTORY_OF_CARRIER_STATUSES = history!(
    "'status'",
    "json_object('status', d.status)",
    "json_object('status', x.status)",
    "x.status IS NOT NULL AND d.status <> x.status"
);

    /// The lines that differ, each by primary key. `$3` now. What is null stays; an empty rate plan is none.
    UPDATE_CARRIER_LINES = concat!(
    "UPDATE device SET status = coalesce(x.status, device.status),
        carrier_rate_plan = nullif(coalesce(x.rate_plan, device.carrier_rate_plan), ''),
        communication_plan = coalesce(x.comm_plan, device.communication_plan), modified_at = $3
    FROM ", confirmed!(), "
    WHERE device.tenant_id = $1 AND device.id = x.line
      AND (device.status <> coalesce(x.status, device.status)
           OR device.carrier_rate_plan IS NOT nullif(coalesce(x.rate_plan, device.carrier_rate_plan), '')
           OR device.communication_plan IS NOT coalesce(x.comm_plan, device.communication_plan))"
);

    /// Plans, once each by the unique index of provider and code; new ones get `$3` and the place in the array for an id.
    /// `$4` provider.
    UPSERT_CARRIER_RATE_PLANS = "INSERT INTO carrier_rate_plan (tenant_id, id, service_provider_id, code, name, is_active)
    SELECT $1, $3 + x.key, $4, json_extract(x.value, '$[0]'), json_extract(x.value, '$[1]'), json_extract(x.value, '$[2]')
    FROM json_each($2) AS x WHERE true
    ON CONFLICT (tenant_id, service_provider_id, code) DO UPDATE SET name = excluded.name, is_active = excluded.is_active
    RETURNING id";

    /// The rows that wait for a request of a provider's carrier, or that whoever sent it still has in hand, with their pages and whether
    /// they wait: as many as the request has lines, by `device_change_step_waiting`, `device_bulk_change_page_from` and primary keys.
    /// `$2` provider, `$3` request.
    FIND_CALLED_BACK = "SELECT dc.id, dc.bulk_change_id, dc.attempt, b.portal_type, coalesce(d.iccid, dc.iccid), (
            SELECT page.page FROM device_bulk_change_page page INDEXED BY device_bulk_change_page_from
            WHERE page.tenant_id = $1 AND page.bulk_change_id = dc.bulk_change_id AND page.from_id <= dc.id
            ORDER BY page.from_id DESC LIMIT 1), dc.status = 'PENDING'
    FROM device_change_step s INDEXED BY device_change_step_waiting
    CROSS JOIN device_change dc ON dc.tenant_id = $1 AND dc.id = s.device_change_id
    CROSS JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = dc.bulk_change_id
    LEFT JOIN device d ON d.tenant_id = $1 AND d.id = dc.device_id
    WHERE s.tenant_id = $1 AND s.external_id = $3 AND s.state = 'waiting' AND b.service_provider_id = $2
      AND +dc.status IN ('PENDING', 'PROCESSING')
    ORDER BY s.device_change_id";

    /// Pages given as a JSON array of (change, page), each by primary key. The transaction alone writes anyhow.
    LOCK_CALLED_BACK_PAGES = "SELECT page.page FROM json_each($2) AS x
    CROSS JOIN device_bulk_change_page page ON page.tenant_id = $1 AND page.bulk_change_id = json_extract(x.value, '$[0]')
          AND page.page = json_extract(x.value, '$[1]')";

    /// The callbacks that stand in the log already, of rows given as a JSON array of (row, change, attempt): a handful each, by the
    /// range of the primary key. `$3` first place, `$4` the one behind the last.
    LIST_CALLBACKS = "SELECT l.device_change_id, l.entry, l.request_text, l.error_text FROM json_each($2) AS x
    CROSS JOIN device_bulk_change_log l ON l.tenant_id = $1 AND l.bulk_change_id = json_extract(x.value, '$[1]')
          AND l.device_change_id = json_extract(x.value, '$[0]') AND l.attempt = json_extract(x.value, '$[2]')
          AND l.entry >= $3 AND l.entry < $4";

    /// The rows given as a JSON array of ids, as far as they wait, each by primary key. `$3` now.
    WAKE_CALLED_BACK_ROWS = "UPDATE device_change SET next_check_at = $3
    WHERE tenant_id = $1 AND id IN (SELECT value FROM json_each($2)) AND +status = 'PENDING'
    RETURNING id";

    /// The parts that wait for a request, of rows given as a JSON array of (row, outcome, code), by the primary key's first
    /// columns. `$3` request.
    NOTE_CALLED_BACK_STEPS = "UPDATE device_change_step SET outcome = x.outcome, error_code = x.code
    FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS outcome, json_extract(value, '$[2]') AS code
          FROM json_each($2)) AS x
    WHERE device_change_step.tenant_id = $1 AND device_change_step.device_change_id = x.id
      AND +device_change_step.external_id = $3 AND +device_change_step.state = 'waiting'";

    /// Pages given as a JSON array of (change, page), as far as nobody holds them, each by primary key: claimable from now on.
    WAKE_CALLED_BACK_PAGES = "UPDATE device_bulk_change_page SET lease_until = NULL
    FROM (SELECT json_extract(value, '$[0]') AS change, json_extract(value, '$[1]') AS page FROM json_each($2)) AS x
    WHERE device_bulk_change_page.tenant_id = $1 AND device_bulk_change_page.bulk_change_id = x.change
      AND device_bulk_change_page.page = x.page AND device_bulk_change_page.state = 'ready'
      AND device_bulk_change_page.owner IS NULL AND device_bulk_change_page.lease_until IS NOT NULL";
}
