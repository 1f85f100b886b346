//! Statements of synchronisation with carriers. Rows come as JSON arrays, at most a page of them, each found by primary key or by
//! `device_by_iccid`; what walks through what is stored walks a range of a key.

/// Whether an open change that writes what the carrier says of a line holds it: by `device_change_holding`.
macro_rules! held {
    ($line:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM device_change h WHERE h.tenant_id = $1 AND h.device_id = ",
            $line,
            " AND h.holds <> 0 AND h.holds & 2 <> 0)"
        )
    };
}

lineshift_store::statements! {
    /// Lines that are here, by their place in the array of ICCIDs: id, provider, number, IMEI, status, archived, deleted, activated,
    /// plan, communication plan, address, the carrier's id, gone at, run, modified, held.
    FIND_DEVICES = concat!("SELECT x.key, d.id, d.service_provider_id, d.subscriber_number, d.imei, d.status, d.is_archived,
        d.is_deleted, d.activated_at, d.carrier_rate_plan, d.communication_plan, d.ip_address, d.carrier_device_id, d.gone_at,
        d.seen_in_run, d.modified_at, ", held!("d.id"), "
    FROM json_each($2) AS x CROSS JOIN device d ON d.tenant_id = $1 AND d.iccid = x.value");

    /// Lines new or changed, and seen: arrays of id, ICCID, number, IMEI, status, archived, activated, plan, communication plan,
    /// address, the carrier's id, gone at. `$3` provider, `$4` now, `$5` run.
    STORE_DEVICES = "INSERT INTO device (
        tenant_id, id, service_provider_id, iccid, subscriber_number, imei, status, is_archived, is_deleted, activated_at,
        carrier_rate_plan, communication_plan, ip_address, carrier_device_id, gone_at, created_at, modified_at, seen_in_run)
    SELECT $1, json_extract(value, '$[0]'), $3, json_extract(value, '$[1]'), json_extract(value, '$[2]'),
        json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'), 0, json_extract(value, '$[6]'),
        json_extract(value, '$[7]'), json_extract(value, '$[8]'), json_extract(value, '$[9]'), json_extract(value, '$[10]'),
        json_extract(value, '$[11]'), $4, $4, $5
    FROM json_each($2) WHERE true
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        subscriber_number = excluded.subscriber_number, imei = excluded.imei, status = excluded.status,
        is_archived = excluded.is_archived, activated_at = excluded.activated_at, carrier_rate_plan = excluded.carrier_rate_plan,
        communication_plan = excluded.communication_plan, ip_address = excluded.ip_address,
        carrier_device_id = excluded.carrier_device_id, gone_at = excluded.gone_at, modified_at = excluded.modified_at,
        seen_in_run = excluded.seen_in_run";

    /// The empty assignments of new lines: ids. `$3` who, `$4` now.
    STORE_EMPTY_ASSIGNMENTS = "INSERT INTO device_tenant (
        tenant_id, device_id, is_active, is_deleted, version, modified_by, modified_at)
    SELECT $1, value, 0, 0, 1, $3, $4 FROM json_each($2)";

    /// Lines that the run has seen: ids, each by primary key. `$3` run.
    MARK_DEVICES = "UPDATE device SET seen_in_run = $3
    FROM json_each($2) AS x WHERE device.tenant_id = $1 AND device.id = x.value";

    /// What became of statuses: arrays of line, old and new value. `$3` now, `$4` its month, `$5` the entry, `$6` who.
    STORE_STATUS_HISTORY = "INSERT INTO device_action_history (
        tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
    SELECT $1, json_extract(value, '$[0]'), $3, 0, 0, $5, $4, 'status', json_extract(value, '$[1]'),
        json_extract(value, '$[2]'), $6
    FROM json_each($2) WHERE true
    ON CONFLICT DO NOTHING";

    /// Of lines that a read did not find, those that are here and neither archived, held nor written after `$3`, by place: ICCID.
    FIND_STILL_THERE = concat!("SELECT x.key, d.iccid FROM json_each($2) AS x
    CROSS JOIN device d ON d.tenant_id = $1 AND d.id = x.value
    WHERE d.is_archived = 0 AND d.is_deleted = 0 AND d.modified_at <= $3 AND NOT ", held!("d.id"));

    /// Archives lines: ids, each by primary key. `$3` now.
    ARCHIVE_DEVICES = "UPDATE device SET is_archived = 1, gone_at = $3, modified_at = $3
    FROM json_each($2) AS x WHERE device.tenant_id = $1 AND device.id = x.value";

    /// Plans new or changed: arrays of id, code, name, active. `$3` provider.
    STORE_PLANS = "INSERT INTO carrier_rate_plan (tenant_id, id, service_provider_id, code, name, is_active)
    SELECT $1, json_extract(value, '$[0]'), $3, json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]')
    FROM json_each($2) WHERE true
    ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, is_active = excluded.is_active";

    /// What lines used: arrays of line, bytes, messages, seconds. `$3` now.
    STORE_USAGE = "INSERT INTO device_usage (tenant_id, device_id, data_bytes, sms_count, voice_seconds, at)
    SELECT $1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'), $3
    FROM json_each($2) WHERE true
    ON CONFLICT (tenant_id, device_id) DO UPDATE SET
        data_bytes = excluded.data_bytes, sms_count = excluded.sms_count, voice_seconds = excluded.voice_seconds, at = excluded.at";

    /// Lines of which usage is read: ids. `$3` run.
    STORE_RUN_LINES = "INSERT INTO sync_run_line (tenant_id, sync_run_id, device_id)
    SELECT $1, $3, value FROM json_each($2) WHERE true ON CONFLICT DO NOTHING";

    /// The last of the next `$3` + 1 lines of provider `$4` after `$2`; none: there are no more than that. By `device_by_provider`.
    WINDOW_OF_DEVICES = "SELECT id FROM device WHERE tenant_id = $1 AND service_provider_id = $4 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// Lines of provider `$4` after `$2` up to `$3` that run `$5` did not see, not held. `$6` limit.
    LIST_UNSEEN_DEVICES = concat!("SELECT d.id, d.iccid, d.subscriber_number, d.imei, d.carrier_device_id FROM device d
    WHERE d.tenant_id = $1 AND d.service_provider_id = $4 AND d.id > $2 AND d.id <= $3 AND d.is_archived = 0 AND d.is_deleted = 0
      AND d.seen_in_run IS NOT $5 AND NOT ", held!("d.id"), "
    ORDER BY d.id LIMIT $6");

    /// Lines of provider `$4` after `$2` up to `$3` with an active assignment. `$5` limit.
    LIST_ASSIGNED_DEVICES = "SELECT d.id, d.iccid, d.subscriber_number, d.imei, d.carrier_device_id
    FROM device d CROSS JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = d.id
    WHERE d.tenant_id = $1 AND d.service_provider_id = $4 AND d.id > $2 AND d.id <= $3 AND d.is_archived = 0 AND d.is_deleted = 0
      AND dt.is_active = 1 AND dt.is_deleted = 0
    ORDER BY d.id LIMIT $5";

    /// Lines of run `$3` after `$2` that still are of provider `$4`. `$5` limit.
    LIST_NAMED_DEVICES = "SELECT d.id, d.iccid, d.subscriber_number, d.imei, d.carrier_device_id
    FROM sync_run_line l CROSS JOIN device d ON d.tenant_id = $1 AND d.id = l.device_id
    WHERE l.tenant_id = $1 AND l.sync_run_id = $3 AND l.device_id > $2 AND d.service_provider_id = $4 AND d.is_archived = 0
      AND d.is_deleted = 0
    ORDER BY l.device_id LIMIT $5";
}
