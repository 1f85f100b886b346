//! Statements of synchronisation with carriers. Rows come as JSON arrays, at most a page of them, each found by primary key or by
//! `device_by_iccid`; what walks through what is stored walks a range of a key. Lines are locked in the order of their ids, as workers
//! do; that each row is a search of its own is written as in `sync`.

/// Whether an open change that writes what the carrier says of a line holds it: by `device_change_holding`.
macro_rules! held {
    ($line:literal) => {
        concat!(
            "coalesce((SELECT true FROM device_change AS h
                WHERE h.tenant_id = $1 AND h.device_id = ",
            $line,
            " AND h.holds <> 0 AND h.holds & 2 <> 0 LIMIT 1), false)"
        )
    };
}

/// Ids given as a JSON array under `$2`, with their place, in their order.
macro_rules! with_ids {
    () => {
        "WITH given AS MATERIALIZED (
            SELECT value::bigint AS id, place - 1 AS place
            FROM json_array_elements_text($2::json) WITH ORDINALITY AS listed(value, place) ORDER BY id) "
    };
}

lineshift_store::statements! {
    /// Lines that are here, by their place in the array of ICCIDs: id, provider, number, IMEI, status, archived, deleted, activated,
    /// plan, communication plan, address, the carrier's id, gone at, run, modified, held. Locks them.
    FIND_DEVICES = concat!("WITH given AS MATERIALIZED (
            SELECT value AS iccid, place - 1 AS place
            FROM json_array_elements_text($2::json) WITH ORDINALITY AS listed(value, place)),
        found AS MATERIALIZED (
            SELECT given.place, d.id FROM given
            CROSS JOIN LATERAL (SELECT d.id FROM device AS d WHERE d.tenant_id = $1 AND d.iccid = given.iccid OFFSET 0) AS d
            ORDER BY d.id)
    SELECT found.place, d.id, d.service_provider_id, d.subscriber_number, d.imei, d.status, d.is_archived, d.is_deleted,
        d.activated_at, d.carrier_rate_plan, d.communication_plan, d.ip_address, d.carrier_device_id, d.gone_at, d.seen_in_run,
        d.modified_at, ", held!("d.id"), "
    FROM found
    CROSS JOIN LATERAL (SELECT d.id, d.service_provider_id, d.subscriber_number, d.imei, d.status, d.is_archived, d.is_deleted,
            d.activated_at, d.carrier_rate_plan, d.communication_plan, d.ip_address, d.carrier_device_id, d.gone_at, d.seen_in_run,
            d.modified_at
        FROM device AS d WHERE d.tenant_id = $1 AND d.id = found.id FOR NO KEY UPDATE) AS d");

    /// Lines new or changed, and seen: arrays of id, ICCID, number, IMEI, status, archived, activated, plan, communication plan,
    /// address, the carrier's id, gone at. `$3` provider, `$4` now, `$5` run.
    STORE_DEVICES = "INSERT INTO device (
        tenant_id, id, service_provider_id, iccid, subscriber_number, imei, status, is_archived, is_deleted, activated_at,
        carrier_rate_plan, communication_plan, ip_address, carrier_device_id, gone_at, created_at, modified_at, seen_in_run)
    SELECT $1::bigint, (value->>0)::bigint, $3::bigint, value->>1, value->>2, value->>3, value->>4, (value->>5)::smallint, 0,
        (value->>6)::bigint, value->>7, value->>8, value->>9, value->>10, (value->>11)::bigint, $4::bigint, $4::bigint, $5::bigint
    FROM json_array_elements($2::json) ORDER BY (value->>0)::bigint
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        subscriber_number = excluded.subscriber_number, imei = excluded.imei, status = excluded.status,
        is_archived = excluded.is_archived, activated_at = excluded.activated_at, carrier_rate_plan = excluded.carrier_rate_plan,
        communication_plan = excluded.communication_plan, ip_address = excluded.ip_address,
        carrier_device_id = excluded.carrier_device_id, gone_at = excluded.gone_at, modified_at = excluded.modified_at,
        seen_in_run = excluded.seen_in_run";

    /// The empty assignments of new lines: ids. `$3` who, `$4` now.
    STORE_EMPTY_ASSIGNMENTS = concat!(with_ids!(), "INSERT INTO device_tenant (
        tenant_id, device_id, is_active, is_deleted, version, modified_by, modified_at)
    SELECT $1::bigint, given.id, 0, 0, 1, $3::text, $4::bigint FROM given");

    /// Lines that the run has seen: ids, each by primary key. `$3` run. Written as rows that are there already: an UPDATE would leave
    /// it to the planner whether each is searched for.
    MARK_DEVICES = concat!(with_ids!(), "INSERT INTO device (
        tenant_id, id, service_provider_id, iccid, status, is_archived, is_deleted, created_at, modified_at, seen_in_run)
    SELECT d.tenant_id, d.id, d.service_provider_id, d.iccid, d.status, d.is_archived, d.is_deleted, d.created_at, d.modified_at,
        $3::bigint
    FROM given
    CROSS JOIN LATERAL (
        SELECT d.tenant_id, d.id, d.service_provider_id, d.iccid, d.status, d.is_archived, d.is_deleted, d.created_at, d.modified_at
        FROM device AS d WHERE d.tenant_id = $1 AND d.id = given.id FOR NO KEY UPDATE) AS d
    ON CONFLICT (tenant_id, id) DO UPDATE SET seen_in_run = excluded.seen_in_run");

    /// What became of statuses: arrays of line, old and new value. `$3` now, `$4` its month, `$5` the entry, `$6` who.
    STORE_STATUS_HISTORY = "INSERT INTO device_action_history (
        tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
    SELECT $1::bigint, (value->>0)::bigint, $3::bigint, 0, 0, $5::integer, $4::integer, 'status',
        value->>1, value->>2, $6::text
    FROM json_array_elements($2::json)
    ON CONFLICT DO NOTHING";

    /// Of lines that a read did not find, those that are here and neither archived, held nor written after `$3`, by place: ICCID.
    /// Locks them.
    FIND_STILL_THERE = concat!(with_ids!(), "SELECT given.place, d.iccid FROM given
    CROSS JOIN LATERAL (SELECT d.id, d.iccid, d.is_archived, d.is_deleted, d.modified_at FROM device AS d
        WHERE d.tenant_id = $1 AND d.id = given.id FOR NO KEY UPDATE) AS d
    WHERE d.is_archived = 0 AND d.is_deleted = 0 AND d.modified_at <= $3 AND NOT ", held!("d.id"));

    /// Archives lines: ids, each by primary key, likewise. `$3` now.
    ARCHIVE_DEVICES = concat!(with_ids!(), "INSERT INTO device (
        tenant_id, id, service_provider_id, iccid, status, is_archived, is_deleted, created_at, modified_at, gone_at)
    SELECT d.tenant_id, d.id, d.service_provider_id, d.iccid, d.status, 1, d.is_deleted, d.created_at, $3::bigint, $3::bigint
    FROM given
    CROSS JOIN LATERAL (
        SELECT d.tenant_id, d.id, d.service_provider_id, d.iccid, d.status, d.is_deleted, d.created_at
        FROM device AS d WHERE d.tenant_id = $1 AND d.id = given.id FOR NO KEY UPDATE) AS d
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        is_archived = excluded.is_archived, gone_at = excluded.gone_at, modified_at = excluded.modified_at");

    /// Plans new or changed: arrays of id, code, name, active. `$3` provider.
    STORE_PLANS = "INSERT INTO carrier_rate_plan (tenant_id, id, service_provider_id, code, name, is_active)
    SELECT $1::bigint, (value->>0)::bigint, $3::bigint, value->>1, value->>2, (value->>3)::smallint
    FROM json_array_elements($2::json) ORDER BY (value->>0)::bigint
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, is_active = excluded.is_active";

    /// What lines used: arrays of line, bytes, messages, seconds. `$3` now.
    STORE_USAGE = "INSERT INTO device_usage (tenant_id, device_id, data_bytes, sms_count, voice_seconds, at)
    SELECT $1::bigint, (value->>0)::bigint, (value->>1)::bigint, (value->>2)::bigint, (value->>3)::bigint, $3::bigint
    FROM json_array_elements($2::json) ORDER BY (value->>0)::bigint
    ON CONFLICT (tenant_id, device_id) DO UPDATE SET
        data_bytes = excluded.data_bytes, sms_count = excluded.sms_count, voice_seconds = excluded.voice_seconds, at = excluded.at";

    /// Lines of which usage is read: ids. `$3` run.
    STORE_RUN_LINES = concat!(with_ids!(), "INSERT INTO sync_run_line (tenant_id, sync_run_id, device_id)
    SELECT DISTINCT $1::bigint, $3::bigint, given.id FROM given");

    /// The last of the next `$3` + 1 lines of provider `$4` after `$2`; none: there are no more than that. By `device_by_provider`.
    WINDOW_OF_DEVICES = "SELECT id FROM device
        WHERE tenant_id = $1 AND service_provider_id = $4 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// Lines of provider `$4` after `$2` up to `$3` that run `$5` did not see, not held. `$6` limit.
    LIST_UNSEEN_DEVICES = concat!("SELECT d.id, d.iccid, d.subscriber_number, d.imei, d.carrier_device_id FROM device AS d
    WHERE d.tenant_id = $1 AND d.service_provider_id = $4 AND d.id > $2 AND d.id <= $3 AND d.is_archived = 0 AND d.is_deleted = 0
      AND d.seen_in_run IS DISTINCT FROM $5 AND NOT ", held!("d.id"), "
    ORDER BY d.id LIMIT $6");

    /// Lines of provider `$4` after `$2` up to `$3` with an active assignment. `$5` limit.
    LIST_ASSIGNED_DEVICES = "SELECT d.id, d.iccid, d.subscriber_number, d.imei, d.carrier_device_id
    FROM device AS d
    CROSS JOIN LATERAL (SELECT dt.is_active, dt.is_deleted FROM device_tenant AS dt
        WHERE dt.tenant_id = $1 AND dt.device_id = d.id OFFSET 0) AS dt
    WHERE d.tenant_id = $1 AND d.service_provider_id = $4 AND d.id > $2 AND d.id <= $3 AND d.is_archived = 0 AND d.is_deleted = 0
      AND dt.is_active = 1 AND dt.is_deleted = 0
    ORDER BY d.id LIMIT $5";

    /// Lines of run `$3` after `$2` that still are of provider `$4`. `$5` limit.
    LIST_NAMED_DEVICES = "SELECT d.id, d.iccid, d.subscriber_number, d.imei, d.carrier_device_id
    FROM sync_run_line AS l
    CROSS JOIN LATERAL (SELECT d.id, d.iccid, d.subscriber_number, d.imei, d.carrier_device_id, d.service_provider_id,
            d.is_archived, d.is_deleted
        FROM device AS d WHERE d.tenant_id = $1 AND d.id = l.device_id OFFSET 0) AS d
    WHERE l.tenant_id = $1 AND l.sync_run_id = $3 AND l.device_id > $2 AND d.service_provider_id = $4 AND d.is_archived = 0
      AND d.is_deleted = 0
    ORDER BY l.device_id LIMIT $5";
}
