//! Due plan queue entries: read with the facts of their lines, then written set by set, up to 5,000 at a time, in one
//! transaction under the writer's lock. What happens to which entry comes back from the judge as a JSON array.

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

lineshift_store::statements! {
    /// Due entries with what they are judged by, the earliest of each line. `$1` to `$5` as in `fact_columns`, `$6` now,
    /// `$7` how many.
    ///
    /// Rows: up to 5,000. Indexes: customer_rate_plan_device_queue_due in order, customer_rate_plan_device_queue_device for
    /// whether an earlier one of the line is open, primary keys. The order of the CROSS JOINs makes it stop at the limit.
    DUE_ENTRIES = concat!(
        "SELECT q.device_change_id, q.bulk_change_id, ordered.service_provider_id, provider.integration_kind,
                q.customer_rate_plan_id, q.customer_rate_pool_id, q.customer_data_allocation_mb,
                CASE WHEN q.rev_customer_id IS NOT NULL THEN q.rev_customer_id IS dt.rev_customer_id
                     ELSE dt.rev_customer_id IS NULL AND q.site_id IS dt.site_id END,
                COALESCE(q.customer_rate_plan_id, 0) = 0
                  OR EXISTS (SELECT 1 FROM customer_rate_plan AS asked
                              WHERE asked.tenant_id = $1 AND asked.id = q.customer_rate_plan_id AND asked.is_active = 1),
                COALESCE(q.customer_rate_pool_id, 0) = 0
                  OR EXISTS (SELECT 1 FROM customer_rate_pool AS asked
                              WHERE asked.tenant_id = $1 AND asked.id = q.customer_rate_pool_id AND asked.is_active = 1), ",
        fact_columns!(),
        " FROM customer_rate_plan_device_queue AS q
          CROSS JOIN device AS d ON d.tenant_id = $1 AND d.id = q.device_id
          CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id
          CROSS JOIN device_bulk_change AS ordered ON ordered.tenant_id = $1 AND ordered.id = q.bulk_change_id
          CROSS JOIN service_provider AS provider ON provider.tenant_id = $1 AND provider.id = ordered.service_provider_id
           LEFT JOIN customer_rate_plan AS plan ON plan.tenant_id = $1 AND plan.id = dt.customer_rate_plan_id
          WHERE q.tenant_id = $1 AND q.state = 'open' AND q.effective_date <= $6
            AND NOT EXISTS (SELECT 1 FROM customer_rate_plan_device_queue AS earlier
                             WHERE earlier.tenant_id = $1 AND earlier.state = 'open' AND earlier.device_id = q.device_id
                               AND (earlier.effective_date, earlier.device_change_id) < (q.effective_date, q.device_change_id))
          ORDER BY q.effective_date, q.device_change_id LIMIT $7"
    );

    /// History of the lines that change. `$1` tenant, `$2` ids of their entries, `$3` now, `$4` entry, `$5` month.
    /// Indexes: primary keys.
    INSERT_HISTORY = concat!(
        "INSERT INTO device_action_history
            (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
         SELECT dt.tenant_id, dt.device_id, $3, q.bulk_change_id, q.attempt, $4, $5, 'customer_rate_plan',
                json_object('customer_rate_plan_id', dt.customer_rate_plan_id,
                            'customer_rate_pool_id', dt.customer_rate_pool_id,
                            'customer_data_allocation_mb', dt.customer_data_allocation_mb),
                json_object('customer_rate_plan_id', ", applied!(plan), ",
                            'customer_rate_pool_id', ", applied!(pool), ",
                            'customer_data_allocation_mb', ", applied!(allocation), "),
                ordered.created_by
           FROM json_each($2) AS entry
          CROSS JOIN customer_rate_plan_device_queue AS q ON q.tenant_id = $1 AND q.device_change_id = entry.value
          CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id
          CROSS JOIN device_bulk_change AS ordered ON ordered.tenant_id = $1 AND ordered.id = q.bulk_change_id"
    );

    /// The lines that change, with their Rev service link (`usp_update_device_rev_service_links` for these lines only).
    /// `$1` tenant, `$2` ids of their entries, `$3` now. Indexes: primary keys, rev_service_connected.
    UPDATE_LINES = concat!(
        "UPDATE device_tenant AS dt SET
            customer_rate_plan_id = ", applied!(plan), ",
            customer_rate_pool_id = ", applied!(pool), ",
            customer_data_allocation_mb = ", applied!(allocation), ",
            rev_service_id = (SELECT MAX(service.id) FROM rev_service AS service INDEXED BY rev_service_connected
                               WHERE service.tenant_id = $1 AND service.device_id = dt.device_id
                                 AND service.rev_customer_id = dt.rev_customer_id AND service.disconnected_date IS NULL),
            version = dt.version + 1, modified_by = ordered.created_by, modified_at = $3
          FROM json_each($2) AS entry
          JOIN customer_rate_plan_device_queue AS q ON q.tenant_id = $1 AND q.device_change_id = entry.value
          JOIN device_bulk_change AS ordered ON ordered.tenant_id = $1 AND ordered.id = q.bulk_change_id
         WHERE dt.tenant_id = $1 AND dt.device_id = q.device_id"
    );

    /// `usp_updatecrossproviderdevicehistory` for these lines, first half: closes the present row at the entry's date. `$1`
    /// tenant, `$2` ids of the entries. Index: cross_provider_device_history_present.
    CLOSE_CROSS_PROVIDER_HISTORY = "UPDATE cross_provider_device_history AS present
        SET valid_to = MAX(present.valid_from, q.effective_date)
        FROM json_each($2) AS entry
        JOIN customer_rate_plan_device_queue AS q ON q.tenant_id = $1 AND q.device_change_id = entry.value
        WHERE present.tenant_id = $1 AND present.device_id = q.device_id AND present.valid_to IS NULL";
    /// Second half: opens one with the assignment as it now is, from where the last one ends. `$1` tenant, `$2` ids, `$3`
    /// entry. Index: the primary key's first two columns, a few rows a line.
    OPEN_CROSS_PROVIDER_HISTORY = "INSERT INTO cross_provider_device_history
        (tenant_id, device_id, bulk_change_id, attempt, entry, service_provider_id, valid_from, valid_to, rev_customer_id,
         site_id, account_number, customer_rate_plan_id, customer_rate_pool_id, customer_data_allocation_mb)
        SELECT dt.tenant_id, dt.device_id, q.bulk_change_id, q.attempt, $3, d.service_provider_id,
               MAX(q.effective_date, COALESCE((SELECT MAX(before.valid_to) FROM cross_provider_device_history AS before
                                                WHERE before.tenant_id = $1 AND before.device_id = dt.device_id), 0)),
               NULL, dt.rev_customer_id, dt.site_id, dt.account_number, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
               dt.customer_data_allocation_mb
          FROM json_each($2) AS entry
         CROSS JOIN customer_rate_plan_device_queue AS q ON q.tenant_id = $1 AND q.device_change_id = entry.value
         CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id
         CROSS JOIN device AS d ON d.tenant_id = $1 AND d.id = q.device_id";

    /// One log entry an entry. `$1` tenant, `$2` outcomes as arrays of id, response or null, code or null, text or null;
    /// `$3` now, `$4` entry, `$5` month, `$6` description, `$7` process.
    /// Indexes: primary keys.
    INSERT_LOG = "INSERT INTO device_bulk_change_log
        (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
         processed_at, request_text, response_text, error_text, has_errors, response_status)
        SELECT q.tenant_id, q.bulk_change_id, q.device_change_id, q.attempt,
               $4, $5, q.portal_type, $6, $7, $3,
               $6 || char(10) || json_object(
                   'iccid', d.iccid,
                   'customer_rate_plan_id', q.customer_rate_plan_id,
                   'customer_rate_pool_id', q.customer_rate_pool_id,
                   'customer_data_allocation_mb', q.customer_data_allocation_mb,
                   'effective_date', strftime('%Y-%m-%dT%H:%M:%SZ', q.effective_date / 1000000, 'unixepoch')),
               json_extract(outcome.value, '$[1]'), json_extract(outcome.value, '$[3]'),
               json_extract(outcome.value, '$[2]') IS NOT NULL,
               CASE WHEN json_extract(outcome.value, '$[2]') IS NULL THEN 'PROCESSED' ELSE 'ERROR' END
          FROM json_each($2) AS outcome
         CROSS JOIN customer_rate_plan_device_queue AS q
            ON q.tenant_id = $1 AND q.device_change_id = json_extract(outcome.value, '$[0]')
         CROSS JOIN device AS d ON d.tenant_id = $1 AND d.id = q.device_id";

    /// Marks the entries applied or failed. `$1` tenant, `$2` outcomes as above, `$3` now, `$4` process. Index: primary key.
    CLOSE_ENTRIES = "UPDATE customer_rate_plan_device_queue AS q SET
            state = CASE WHEN json_extract(outcome.value, '$[2]') IS NULL THEN 'applied' ELSE 'failed' END,
            is_active = 0, error_code = json_extract(outcome.value, '$[2]'),
            status_details = json_extract(outcome.value, '$[3]'), modified_by = $4, modified_at = $3
        FROM json_each($2) AS outcome
        WHERE q.tenant_id = $1 AND q.device_change_id = json_extract(outcome.value, '$[0]') AND q.state = 'open'";

    /// Counts the refused entries on their changes. `$1` tenant, `$2` arrays of change and how many. Index: primary key.
    COUNT_FAILED = "UPDATE device_bulk_change AS changed SET
            scheduled_failed_count = changed.scheduled_failed_count + json_extract(failed.value, '$[1]')
        FROM json_each($2) AS failed
        WHERE changed.tenant_id = $1 AND changed.id = json_extract(failed.value, '$[0]')";
    /// Announces them, one message a change. `$1` tenant, `$2` as above, `$3` the first message's id, `$4` kind, `$5` now.
    INSERT_MESSAGES = "INSERT INTO outbox (tenant_id, id, kind, message_version, bulk_change_id, created_at)
        SELECT changed.tenant_id, $3 + failed.key, $4, 1, changed.id, $5
          FROM json_each($2) AS failed
         CROSS JOIN device_bulk_change AS changed ON changed.tenant_id = $1 AND changed.id = json_extract(failed.value, '$[0]')";
}
