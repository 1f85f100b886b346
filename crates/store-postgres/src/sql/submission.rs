//! Statements of submission (section 4).

lineshift_store::statements! {
    /// One row by primary key.
    FIND_KEY = "SELECT body_hash, answer_json FROM idempotency_key
    WHERE tenant_id = $1 AND caller = $2 AND idempotency_key = $3";

    /// One row by primary key; none when the same key runs, or was answered and is still kept: one of two requests at once waits for
    /// the other here, and then sees what that left.
    CLAIM_KEY = "INSERT INTO idempotency_key
        (tenant_id, caller, idempotency_key, body_hash, running_until, bulk_change_id, answer_json, created_at)
    VALUES ($1, $2, $3, $4, $5, NULL, NULL, $6)
    ON CONFLICT (tenant_id, caller, idempotency_key) DO UPDATE SET
        body_hash = excluded.body_hash, running_until = excluded.running_until, bulk_change_id = NULL, answer_json = NULL,
        created_at = excluded.created_at
    WHERE CASE WHEN idempotency_key.answer_json IS NULL
               THEN idempotency_key.running_until IS NULL OR idempotency_key.running_until <= excluded.created_at
               ELSE idempotency_key.created_at < $7 END";

    /// The few keys of a tenant that are past their day, by `idempotency_key_age`. Those that others are at are left to them: two who
    /// claimed an old key each would else wait for each other here.
    DELETE_OLD_KEYS = "DELETE FROM idempotency_key AS k
    USING (SELECT old.caller, old.idempotency_key FROM idempotency_key old
            WHERE old.tenant_id = $1 AND old.created_at < $2 AND (old.running_until IS NULL OR old.running_until < $2)
            FOR UPDATE SKIP LOCKED) AS old
    WHERE k.tenant_id = $1 AND k.caller = old.caller AND k.idempotency_key = old.idempotency_key";

    /// One row by primary key.
    RELEASE_KEY = "DELETE FROM idempotency_key
    WHERE tenant_id = $1 AND caller = $2 AND idempotency_key = $3 AND answer_json IS NULL";

    /// One row by primary key; none when the request that claimed it was too slow and another one has it by now.
    TIE_KEY = "UPDATE idempotency_key SET bulk_change_id = $4, running_until = $5
    WHERE tenant_id = $1 AND caller = $2 AND idempotency_key = $3 AND body_hash = $6 AND answer_json IS NULL
      AND bulk_change_id IS NULL";

    /// The running keys of one caller, by the primary key's first two columns: a handful.
    RENEW_KEY = "UPDATE idempotency_key SET running_until = $4
    WHERE tenant_id = $1 AND caller = $2 AND bulk_change_id = $3 AND answer_json IS NULL";

    /// The keys of the change's caller, by the primary key's first two columns.
    FREE_KEY = "DELETE FROM idempotency_key
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND answer_json IS NULL
      AND caller = (SELECT b.created_by_id FROM device_bulk_change b WHERE b.tenant_id = $1 AND b.id = $2)";

    /// One row by primary key; none when the request that claimed it was too slow and another one has it by now.
    ANSWER_KEY = "UPDATE idempotency_key SET bulk_change_id = $4, answer_json = $5, running_until = NULL
    WHERE tenant_id = $1 AND caller = $2 AND idempotency_key = $3 AND body_hash = $6 AND answer_json IS NULL
      AND (bulk_change_id IS NULL OR bulk_change_id = $4)";

    /// One row.
    INSERT_CHANGE = "INSERT INTO device_bulk_change (
        tenant_id, id, change_request_type_id, portal_type, service_provider_id, identifier, order_json, rev_customer_id, site_id,
        customer_rate_plan_id, customer_rate_pool_id, name, reason, created_by, created_by_id, runs_as_id, created_at,
        receiving_until, started_at, first_device_change_id, last_device_change_id, duplicate_count, attempt, total_count,
        open_count, processed_count, error_count, canceled_count, rejected_count, scheduled_failed_count,
        integration_authentication_id, carrier_authentication_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17, $18, $19, $20, $21, 1, 0, 0, 0, 0, 0, 0, 0,
        $22, $23)";

    /// Up to 5,000 rows at once, each parameter an array of one element a row. In device order, so that the primary key and
    /// `device_change_holding` grow at one place.
    INSERT_ROW = "INSERT INTO device_change (
        tenant_id, id, bulk_change_id, request_position, device_id, iccid, number, per_device, judged_version, holds, status,
        error_kind, error_code, status_details, is_processed, processed_at, attempt, next_check_at)
    SELECT given.tenant_id, given.id, given.bulk_change_id, given.request_position, given.device_id, given.iccid, given.number, NULL,
        given.judged_version, given.holds, given.status, given.error_kind, given.error_code, given.status_details, 0,
        given.processed_at, 1, NULL
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::bigint[], $6::text[], $7::text[], $8::bigint[],
            $9::smallint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[])
        AS given (tenant_id, id, bulk_change_id, request_position, device_id, iccid, number, judged_version, holds, status,
            error_kind, error_code, status_details, processed_at)";

    /// The refused rows among at most 5,000, by the range of the primary key. The blank text keeps the planner from
    /// `device_change_error`.
    LOG_REFUSED_ROWS = "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, $5::integer, $6::integer, $7::smallint, $8::text, $9::text,
        $10::bigint, $11::text || coalesce(dc.iccid, dc.number), NULL, dc.error_code || ': ' || dc.status_details, 1, 'ERROR'
    FROM device_change dc
    WHERE dc.tenant_id = $1 AND dc.bulk_change_id = $2 AND dc.id BETWEEN $3 AND $4 AND dc.status || '' = 'ERROR'";

    /// As many rows as pages were stored, at once: each parameter an array of one element a page.
    INSERT_PAGE = "INSERT INTO device_bulk_change_page
        (tenant_id, bulk_change_id, page, from_id, to_id, state, epoch, lease_until, owner, failures)
    SELECT given.tenant_id, given.bulk_change_id, given.page, given.from_id, given.to_id, 'ready', 0, NULL, NULL, 0
    FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::bigint[])
        AS given (tenant_id, bulk_change_id, page, from_id, to_id)";

    /// One row by primary key.
    COUNT_ROWS = "UPDATE device_bulk_change SET
        total_count = total_count + $3::bigint, open_count = open_count + $3::bigint - $4::bigint,
        error_count = error_count + $4::bigint, rejected_count = rejected_count + $4::bigint
    WHERE tenant_id = $1 AND id = $2";

    /// One row by primary key. A change of which every row was refused has nothing to hold back: it is completed at once.
    MAKE_NEW = "UPDATE device_bulk_change SET
        receiving_until = NULL, stored_order = $3,
        started_at = CASE WHEN open_count = 0 THEN $4 ELSE started_at END
    WHERE tenant_id = $1 AND id = $2
    RETURNING open_count, rejected_count";

    /// One row by primary key. It is locked until the transaction's end also when it says so already: whoever takes the note away
    /// waits for whoever announces work, and then sees it.
    ANNOUNCE_TENANT_WORK = "INSERT INTO tenant_work (tenant_id, kind, next_due) VALUES ($1, $2, $3)
    ON CONFLICT (tenant_id, kind) DO UPDATE SET next_due = excluded.next_due WHERE excluded.next_due < tenant_work.next_due";

    /// One row.
    INSERT_MESSAGE = "INSERT INTO outbox (tenant_id, id, kind, message_version, bulk_change_id, created_at)
    VALUES ($1, $2, $3, 1, $4, $5)";

    /// One row by primary key. A dropped change has 0 here and cannot be renewed. Locks the row: rows are stored, or the change is
    /// dropped, one after the other.
    RENEW_RECEIVING = "UPDATE device_bulk_change SET receiving_until = $3
    WHERE tenant_id = $1 AND id = $2 AND receiving_until > 0
    RETURNING first_device_change_id, created_by_id";

    /// The tenant's unfinished changes, by `device_bulk_change_unfinished`: a handful.
    LIST_ABANDONED = "SELECT id FROM device_bulk_change
    WHERE tenant_id = $1 AND processed_at IS NULL AND receiving_until < $2 ORDER BY id LIMIT $3";

    /// One row by primary key. 0 stays 0, so that a drop that was cut off is taken up again.
    MARK_DROPPED = "UPDATE device_bulk_change SET receiving_until = 0
    WHERE tenant_id = $1 AND id = $2 AND receiving_until < $3";

    /// At most `$3` rows, by the range of the primary key. Locks the change first, so that of two who drop it the second waits, and then
    /// goes on behind the rows that the first took.
    DELETE_ROWS = "WITH dropped AS MATERIALIZED (
        SELECT b.first_device_change_id AS first, b.last_device_change_id AS last FROM device_bulk_change b
        WHERE b.tenant_id = $1 AND b.id = $2 FOR UPDATE)
    DELETE FROM device_change AS gone
    WHERE gone.tenant_id = $1 AND gone.id = ANY (ARRAY(
        SELECT dc.id FROM device_change dc
        WHERE dc.tenant_id = $1 AND dc.id BETWEEN (SELECT first FROM dropped) AND (SELECT last FROM dropped)
          AND dc.bulk_change_id = $2
        ORDER BY dc.id LIMIT $3 FOR UPDATE))";

    /// At most `$3` of the refused rows' entries, and the others of the last row among them, by the primary key's first columns.
    /// The change is locked by [`DELETE_ROWS`], so that nobody else is at them.
    DELETE_LOG = "DELETE FROM device_bulk_change_log AS gone
    WHERE gone.tenant_id = $1 AND gone.bulk_change_id = $2 AND gone.device_change_id = ANY (ARRAY(
        SELECT one.device_change_id FROM device_bulk_change_log one WHERE one.tenant_id = $1 AND one.bulk_change_id = $2 LIMIT $3))";

    /// At most 200 rows, by the primary key's first two columns.
    DELETE_PAGES = "DELETE FROM device_bulk_change_page WHERE tenant_id = $1 AND bulk_change_id = $2";

    /// One row by primary key.
    DELETE_CHANGE = "DELETE FROM device_bulk_change WHERE tenant_id = $1 AND id = $2";
}
