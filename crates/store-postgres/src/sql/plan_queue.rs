//! Due plan queue entries: locked, read with the facts of their lines, then written set by set, up to 5,000 at a time, in one
//! transaction. What happens to which entry comes back from the judge as a JSON array, which is read in a CTE of its own: what
//! reads JSON may not stand in an index search under row level security. For each row of it one search follows, in a lateral
//! subquery that OFFSET 0 or its lock keeps apart: a planner that believes a tenant to have one row, as it does of a new one,
//! would
//! otherwise begin with all of the tenant's.

use super::facts::fact_columns;

/// What a line has once the entry `q` was applied to its assignment `dt`: null keeps, 0 clears (B8.4, B8.5).
macro_rules! applied {
    (plan) => {
        "CASE WHEN q.customer_rate_plan_id IS NULL THEN dt.customer_rate_plan_id ELSE NULLIF(q.customer_rate_plan_id, 0) END"
    };
    (pool) => {
        "CASE WHEN q.customer_rate_pool_id IS NULL THEN dt.customer_rate_pool_id ELSE NULLIF(q.customer_rate_pool_id, 0) END"
    };
    (allocation) => {
        "CASE WHEN q.customer_data_allocation_mb IS NULL THEN dt.customer_data_allocation_mb
              ELSE NULLIF(q.customer_data_allocation_mb, '0') END"
    };
}

/// Plan, pool and allocation as JSON, byte for byte as the embedded store writes them. An allocation is a decimal's text, in
/// which nothing need be escaped.
macro_rules! plan_json {
    ($plan:expr, $pool:expr, $allocation:expr) => {
        concat!(
            "'{\"customer_rate_plan_id\":' || coalesce((",
            $plan,
            ")::text, 'null') || ',\"customer_rate_pool_id\":' || coalesce((",
            $pool,
            ")::text, 'null') || ',\"customer_data_allocation_mb\":' || coalesce('\"' || (",
            $allocation,
            ") || '\"', 'null')"
        )
    };
}

/// Ids of entries, a JSON array under `$2`.
macro_rules! with_ids {
    () => {
        "WITH entry AS MATERIALIZED (SELECT value::bigint AS id FROM json_array_elements_text($2::json)) "
    };
}

/// Outcomes, a JSON array under `$2` of arrays of id, response or null, code or null, text or null.
macro_rules! with_outcomes {
    () => {
        "WITH outcome AS MATERIALIZED (
            SELECT (value->>0)::bigint AS id, value->>1 AS response, value->>2 AS code, value->>3 AS text
            FROM json_array_elements($2::json)) "
    };
}

/// Changes and how many of their entries were refused, a JSON array under `$2`, with their place from 0.
macro_rules! with_failed {
    () => {
        "WITH failed AS MATERIALIZED (
            SELECT (value->>0)::bigint AS id, (value->>1)::integer AS entries, place - 1 AS place
            FROM json_array_elements($2::json) WITH ORDINALITY AS listed(value, place) ORDER BY id) "
    };
}

lineshift_store::statements! {
    /// Due entries with what they are judged by, the earliest of each line. `$1` to `$5` as in `fact_columns`, `$6` now,
    /// `$7` how many.
    ///
    /// Rows: up to 5,000. Indexes: customer_rate_plan_device_queue_due in order, customer_rate_plan_device_queue_device for
    /// whether an earlier one of the line is open, primary keys.
    ///
    /// Locks the entries, passing over those that another scheduler has in hand: while it has the earliest of a line, the later
    /// ones are not the earliest. Then locks the assignments, and leaves the entries for the next time whose line others have in hand: a
    /// page that has the line may be about to cancel the entry, and would wait for it. What is judged is how the lines stand once they
    /// are locked, hence the CTEs, which answer the newest version of what they lock.
    DUE_ENTRIES = concat!(
        "WITH q AS MATERIALIZED (
            SELECT q.device_change_id, q.bulk_change_id, q.device_id, q.rev_customer_id, q.site_id, q.customer_rate_plan_id,
                   q.customer_rate_pool_id, q.customer_data_allocation_mb, q.effective_date
              FROM customer_rate_plan_device_queue AS q
             WHERE q.tenant_id = $1 AND q.state = 'open' AND q.effective_date <= $6
               AND (SELECT true FROM customer_rate_plan_device_queue AS earlier
                     WHERE earlier.tenant_id = $1 AND earlier.state = 'open' AND earlier.device_id = q.device_id
                       AND (earlier.effective_date, earlier.device_change_id) < (q.effective_date, q.device_change_id)
                     LIMIT 1) IS NULL
             ORDER BY q.effective_date, q.device_change_id LIMIT $7 FOR NO KEY UPDATE OF q SKIP LOCKED),
        dt AS MATERIALIZED (
            SELECT dt.device_id, dt.version, dt.rev_customer_id, dt.site_id, dt.account_number_integration_authentication_id,
                   dt.is_active, dt.customer_rate_plan_id, dt.customer_rate_pool_id, dt.customer_data_allocation_mb
              FROM (SELECT q.device_id FROM q ORDER BY q.device_id) AS line
             CROSS JOIN LATERAL (
                SELECT dt.device_id, dt.version, dt.rev_customer_id, dt.site_id, dt.account_number_integration_authentication_id,
                       dt.is_active, dt.customer_rate_plan_id, dt.customer_rate_pool_id, dt.customer_data_allocation_mb
                  FROM device_tenant AS dt WHERE dt.tenant_id = $1 AND dt.device_id = line.device_id FOR NO KEY UPDATE SKIP LOCKED) AS dt)
        SELECT q.device_change_id, q.bulk_change_id, ordered.service_provider_id, provider.integration_kind,
               q.customer_rate_plan_id, q.customer_rate_pool_id, q.customer_data_allocation_mb,
               CASE WHEN q.rev_customer_id IS NOT NULL THEN q.rev_customer_id IS NOT DISTINCT FROM dt.rev_customer_id
                    ELSE dt.rev_customer_id IS NULL AND q.site_id IS NOT DISTINCT FROM dt.site_id END,
               COALESCE(q.customer_rate_plan_id, 0) = 0
                 OR coalesce((SELECT asked.is_active = 1 FROM customer_rate_plan AS asked
                               WHERE asked.tenant_id = $1 AND asked.id = q.customer_rate_plan_id), false),
               COALESCE(q.customer_rate_pool_id, 0) = 0
                 OR coalesce((SELECT asked.is_active = 1 FROM customer_rate_pool AS asked
                               WHERE asked.tenant_id = $1 AND asked.id = q.customer_rate_pool_id), false), ",
        fact_columns!("d", "dt"),
        " FROM q
          JOIN dt ON dt.device_id = q.device_id
         CROSS JOIN LATERAL (
            SELECT d.id, d.service_provider_id, d.status, d.is_archived, d.is_deleted, d.subscriber_number, d.imei,
                   d.carrier_rate_plan, d.communication_plan
              FROM device AS d WHERE d.tenant_id = $1 AND d.id = q.device_id OFFSET 0) AS d
         CROSS JOIN LATERAL (SELECT b.service_provider_id FROM device_bulk_change AS b
             WHERE b.tenant_id = $1 AND b.id = q.bulk_change_id OFFSET 0) AS ordered
         CROSS JOIN LATERAL (SELECT p.integration_kind FROM service_provider AS p
             WHERE p.tenant_id = $1 AND p.id = ordered.service_provider_id OFFSET 0) AS provider
         ORDER BY q.effective_date, q.device_change_id"
    );

    /// History of the lines that change. `$1` tenant, `$2` ids of their entries, `$3` now, `$4` entry, `$5` month.
    /// Indexes: primary keys.
    INSERT_HISTORY = concat!(
        with_ids!(),
        "INSERT INTO device_action_history
            (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
         SELECT dt.tenant_id, dt.device_id, $3::bigint, q.bulk_change_id, q.attempt, $4::integer, $5::integer,
             'customer_rate_plan', ",
        plan_json!("dt.customer_rate_plan_id", "dt.customer_rate_pool_id", "dt.customer_data_allocation_mb"), " || '}', ",
        plan_json!(applied!(plan), applied!(pool), applied!(allocation)), " || '}',
                ordered.created_by
           FROM entry
           CROSS JOIN LATERAL (SELECT q.tenant_id, q.device_id, q.bulk_change_id, q.attempt, q.customer_rate_plan_id,
               q.customer_rate_pool_id,
                  q.customer_data_allocation_mb, q.effective_date FROM customer_rate_plan_device_queue AS q
               WHERE q.tenant_id = $1 AND q.device_change_id = entry.id OFFSET 0) AS q
           CROSS JOIN LATERAL (SELECT dt.tenant_id, dt.device_id, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
                  dt.customer_data_allocation_mb
               FROM device_tenant AS dt WHERE dt.tenant_id = $1 AND dt.device_id = q.device_id OFFSET 0) AS dt
           CROSS JOIN LATERAL (SELECT b.created_by FROM device_bulk_change AS b
               WHERE b.tenant_id = $1 AND b.id = q.bulk_change_id OFFSET 0) AS ordered"
    );

    /// The lines that change, with their Rev service link (`usp_update_device_rev_service_links` for these lines only).
    /// `$1` tenant, `$2` ids of their entries, `$3` now. Indexes: primary keys, rev_service_connected. `DUE_ENTRIES` locked them.
    /// Written as rows that are there already: an UPDATE would leave it to the planner whether each is searched for.
    UPDATE_LINES = concat!(
        with_ids!(),
        "INSERT INTO device_tenant (
            tenant_id, device_id, customer_rate_plan_id, customer_rate_pool_id, customer_data_allocation_mb, rev_service_id,
            is_active, is_deleted, version, modified_by, modified_at)
         SELECT dt.tenant_id, dt.device_id, ", applied!(plan), ", ", applied!(pool), ", ", applied!(allocation), ",
                (SELECT MAX(service.id) FROM rev_service AS service
                  WHERE service.tenant_id = $1 AND service.device_id = dt.device_id
                    AND service.rev_customer_id = dt.rev_customer_id AND service.disconnected_date IS NULL),
                dt.is_active, dt.is_deleted, dt.version + 1, ordered.created_by, $3::bigint
           FROM entry
           CROSS JOIN LATERAL (SELECT q.tenant_id, q.device_id, q.bulk_change_id, q.attempt, q.customer_rate_plan_id,
               q.customer_rate_pool_id,
                  q.customer_data_allocation_mb, q.effective_date FROM customer_rate_plan_device_queue AS q
               WHERE q.tenant_id = $1 AND q.device_change_id = entry.id OFFSET 0) AS q
           CROSS JOIN LATERAL (SELECT dt.tenant_id, dt.device_id, dt.rev_customer_id, dt.customer_rate_plan_id,
               dt.customer_rate_pool_id,
                  dt.customer_data_allocation_mb, dt.is_active, dt.is_deleted, dt.version
               FROM device_tenant AS dt WHERE dt.tenant_id = $1 AND dt.device_id = q.device_id OFFSET 0) AS dt
           CROSS JOIN LATERAL (SELECT b.created_by FROM device_bulk_change AS b
               WHERE b.tenant_id = $1 AND b.id = q.bulk_change_id OFFSET 0) AS ordered
         ON CONFLICT (tenant_id, device_id) DO UPDATE SET
            customer_rate_plan_id = excluded.customer_rate_plan_id, customer_rate_pool_id = excluded.customer_rate_pool_id,
            customer_data_allocation_mb = excluded.customer_data_allocation_mb, rev_service_id = excluded.rev_service_id,
            version = excluded.version, modified_by = excluded.modified_by, modified_at = excluded.modified_at"
    );

    /// `usp_updatecrossproviderdevicehistory` for these lines, first half: closes the present row at the entry's date. `$1`
    /// tenant, `$2` ids of the entries. Index: cross_provider_device_history_present. Whoever writes a line's history holds the
    /// line itself.
    CLOSE_CROSS_PROVIDER_HISTORY = concat!(
        with_ids!(),
        "INSERT INTO cross_provider_device_history (
            tenant_id, device_id, bulk_change_id, attempt, entry, service_provider_id, valid_from, valid_to)
         SELECT present.tenant_id, present.device_id, present.bulk_change_id, present.attempt, present.entry,
                present.service_provider_id, present.valid_from, GREATEST(present.valid_from, q.effective_date)
           FROM entry
           CROSS JOIN LATERAL (SELECT q.device_id, q.effective_date FROM customer_rate_plan_device_queue AS q
               WHERE q.tenant_id = $1 AND q.device_change_id = entry.id OFFSET 0) AS q
           CROSS JOIN LATERAL (
               SELECT h.tenant_id, h.device_id, h.bulk_change_id, h.attempt, h.entry, h.service_provider_id, h.valid_from
               FROM cross_provider_device_history AS h
               WHERE h.tenant_id = $1 AND h.device_id = q.device_id AND h.valid_to IS NULL FOR NO KEY UPDATE) AS present
         ON CONFLICT (tenant_id, device_id, bulk_change_id, attempt, entry) DO UPDATE SET valid_to = excluded.valid_to"
    );
    /// Second half: opens one with the assignment as it now is, from where the last one ends. `$1` tenant, `$2` ids, `$3`
    /// entry. Index: the primary key's first two columns, a few rows a line.
    OPEN_CROSS_PROVIDER_HISTORY = concat!(
        with_ids!(),
        "INSERT INTO cross_provider_device_history
            (tenant_id, device_id, bulk_change_id, attempt, entry, service_provider_id, valid_from, valid_to, rev_customer_id,
             site_id, account_number, customer_rate_plan_id, customer_rate_pool_id, customer_data_allocation_mb)
         SELECT dt.tenant_id, dt.device_id, q.bulk_change_id, q.attempt, $3::integer, d.service_provider_id,
                GREATEST(q.effective_date, COALESCE((SELECT MAX(before.valid_to) FROM cross_provider_device_history AS before
                                                      WHERE before.tenant_id = $1 AND before.device_id = dt.device_id), 0)),
                NULL, dt.rev_customer_id, dt.site_id, dt.account_number, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
                dt.customer_data_allocation_mb
           FROM entry
           CROSS JOIN LATERAL (SELECT q.tenant_id, q.device_id, q.bulk_change_id, q.attempt, q.customer_rate_plan_id,
               q.customer_rate_pool_id,
                  q.customer_data_allocation_mb, q.effective_date FROM customer_rate_plan_device_queue AS q
               WHERE q.tenant_id = $1 AND q.device_change_id = entry.id OFFSET 0) AS q
           CROSS JOIN LATERAL (SELECT dt.tenant_id, dt.device_id, dt.rev_customer_id, dt.site_id, dt.account_number,
                  dt.customer_rate_plan_id, dt.customer_rate_pool_id, dt.customer_data_allocation_mb
               FROM device_tenant AS dt WHERE dt.tenant_id = $1 AND dt.device_id = q.device_id OFFSET 0) AS dt
           CROSS JOIN LATERAL (SELECT d.service_provider_id FROM device AS d WHERE d.tenant_id = $1
               AND d.id = q.device_id OFFSET 0) AS d"
    );

    /// One log entry an entry. `$1` tenant, `$2` outcomes as arrays of id, response or null, code or null, text or null;
    /// `$3` now, `$4` entry, `$5` month, `$6` description, `$7` process.
    /// Indexes: primary keys.
    INSERT_LOG = concat!(
        with_outcomes!(),
        "INSERT INTO device_bulk_change_log
            (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
             processed_at, request_text, response_text, error_text, has_errors, response_status)
         SELECT q.tenant_id, q.bulk_change_id, q.device_change_id, q.attempt, $4::integer, $5::integer, q.portal_type, $6::text,
                $7::text, $3::bigint,
                $6::text || chr(10) || '{\"iccid\":' || to_json(d.iccid)::text || ',' || substr(",
        plan_json!("q.customer_rate_plan_id", "q.customer_rate_pool_id", "q.customer_data_allocation_mb"), ", 2)
                    || ',\"effective_date\":\"' || to_char(timestamp 'epoch' + q.effective_date / 1000000 * interval '1 second',
                        'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || '\"}',
                outcome.response, outcome.text, CASE WHEN outcome.code IS NULL THEN 0 ELSE 1 END,
                CASE WHEN outcome.code IS NULL THEN 'PROCESSED' ELSE 'ERROR' END
           FROM outcome
           CROSS JOIN LATERAL (SELECT q.device_change_id, q.portal_type, q.tenant_id, q.device_id, q.bulk_change_id, q.attempt,
               q.customer_rate_plan_id, q.customer_rate_pool_id,
                  q.customer_data_allocation_mb, q.effective_date FROM customer_rate_plan_device_queue AS q
               WHERE q.tenant_id = $1 AND q.device_change_id = outcome.id OFFSET 0) AS q
           CROSS JOIN LATERAL (SELECT d.iccid FROM device AS d WHERE d.tenant_id = $1 AND d.id = q.device_id OFFSET 0) AS d"
    );

    /// Marks the entries applied or failed. `$1` tenant, `$2` outcomes as above, `$3` now, `$4` process. Index: primary key.
    /// `DUE_ENTRIES` locked them. The blank text keeps the planner from the indexes of all that is open.
    CLOSE_ENTRIES = concat!(
        with_outcomes!(),
        "INSERT INTO customer_rate_plan_device_queue (
            tenant_id, device_change_id, bulk_change_id, device_id, effective_date, portal_type, created_by, created_at,
                is_active,
            state, attempt, error_code, status_details, modified_by, modified_at)
         SELECT q.tenant_id, q.device_change_id, q.bulk_change_id, q.device_id, q.effective_date, q.portal_type, q.created_by,
                q.created_at, 0, CASE WHEN outcome.code IS NULL THEN 'applied' ELSE 'failed' END, q.attempt, outcome.code,
                outcome.text, $4::text, $3::bigint
           FROM outcome
           CROSS JOIN LATERAL (
               SELECT q.tenant_id, q.device_change_id, q.bulk_change_id, q.device_id, q.effective_date, q.portal_type,
                   q.created_by,
                      q.created_at, q.attempt
               FROM customer_rate_plan_device_queue AS q
               WHERE q.tenant_id = $1 AND q.device_change_id = outcome.id AND q.state || '' = 'open' OFFSET 0) AS q
         ON CONFLICT (tenant_id, device_change_id) DO UPDATE SET
            state = excluded.state, is_active = excluded.is_active, error_code = excluded.error_code,
            status_details = excluded.status_details, modified_by = excluded.modified_by, modified_at = excluded.modified_at"
    );

    /// Counts the refused entries on their changes: arrays of change and how many. `$1` tenant, `$2` those. Index: primary key.
    /// Locks them by id; a page of entries belongs to a handful of changes.
    COUNT_FAILED = concat!(
        with_failed!(),
        "UPDATE device_bulk_change AS changed SET scheduled_failed_count = changed.scheduled_failed_count + (
            SELECT failed.entries FROM failed WHERE failed.id = changed.id)
          WHERE changed.tenant_id = $1 AND changed.id = ANY (ARRAY(
            SELECT b.id FROM failed CROSS JOIN LATERAL (SELECT b.id FROM device_bulk_change AS b
                WHERE b.tenant_id = $1 AND b.id = failed.id FOR NO KEY UPDATE) AS b))"
    );
    /// Announces them, one message a change. `$1` tenant, `$2` as above, `$3` the first message's id, `$4` kind, `$5` now.
    INSERT_MESSAGES = concat!(
        with_failed!(),
        "INSERT INTO outbox (tenant_id, id, kind, message_version, bulk_change_id, created_at)
         SELECT changed.tenant_id, $3::bigint + failed.place, $4::text, 1, changed.id, $5::bigint
           FROM failed
           CROSS JOIN LATERAL (SELECT b.tenant_id, b.id FROM device_bulk_change AS b
               WHERE b.tenant_id = $1 AND b.id = failed.id OFFSET 0) AS changed"
    );
}
