//! Statements of running a page (B5.1 to B5.3). Each touches one page: at most 5,000 rows, by the range of a primary key.

use super::facts::fact_columns;
use lineshift_store::{change_columns, rights_of};

/// The rows on which the steps act: what is open in the page's range and was not settled.
macro_rules! accepted {
    () => {
        "dc.tenant_id = $1 AND dc.bulk_change_id = $2 AND dc.id BETWEEN $3 AND $4 AND dc.status IN ('NEW', 'PROCESSING')"
    };
}

/// Whether an assignment differs from what is asked. `dt` is the present one; `$5` customer, `$6` site, `$7` account number,
/// `$8` authentication. The same test as the judge's "stands as asked".
macro_rules! assignment_differs {
    () => {
        "(dt.rev_customer_id IS NOT $5 OR dt.site_id IS NOT $6 OR dt.account_number_integration_authentication_id IS NOT $8
        OR dt.account_number IS NOT $7 OR dt.is_active = 0 OR dt.is_deleted = 1)"
    };
}

/// What an assignment was, or becomes, as JSON.
macro_rules! assignment_json {
    ($customer:literal, $site:literal, $account:literal, $authentication:literal, $effective:literal, $active:literal, $deleted:literal) => {
        concat!(
            "json_object('rev_customer_id', ",
            $customer,
            ", 'site_id', ",
            $site,
            ", 'account_number', ",
            $account,
            ", 'integration_authentication_id', ",
            $authentication,
            ", 'effective_date', ",
            $effective,
            ", 'is_active', ",
            $active,
            ", 'is_deleted', ",
            $deleted,
            ")"
        )
    };
}

/// A value after null keeps and 0 clears (B8.4, B8.5).
macro_rules! after {
    ($asked:literal, $cleared:literal, $present:literal) => {
        concat!(
            "CASE WHEN ",
            $asked,
            " IS NULL THEN ",
            $present,
            " WHEN ",
            $asked,
            " = ",
            $cleared,
            " THEN NULL ELSE ",
            $asked,
            " END"
        )
    };
}

/// Whether plan, pool or allocation differ from what is asked: `$5`, `$6`, `$7`.
macro_rules! plan_differs {
    () => {
        concat!(
            "(dt.customer_rate_plan_id IS NOT ",
            after!("$5", "0", "dt.customer_rate_plan_id"),
            " OR dt.customer_rate_pool_id IS NOT ",
            after!("$6", "0", "dt.customer_rate_pool_id"),
            " OR dt.customer_data_allocation_mb IS NOT ",
            after!("$7", "'0'", "dt.customer_data_allocation_mb"),
            ")"
        )
    };
}

macro_rules! history_of_plan {
    ($join:literal) => {
        concat!(
            "INSERT INTO device_action_history
                (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
            SELECT dt.tenant_id, dt.device_id, $8, dc.bulk_change_id, dc.attempt, $10, $9, 'customer_rate_plan',
                json_object('customer_rate_plan_id', dt.customer_rate_plan_id, 'customer_rate_pool_id', dt.customer_rate_pool_id,
                            'customer_data_allocation_mb', dt.customer_data_allocation_mb),
                json_object('customer_rate_plan_id', ", after!("$5", "0", "dt.customer_rate_plan_id"),
            ", 'customer_rate_pool_id', ", after!("$6", "0", "dt.customer_rate_pool_id"),
            ", 'customer_data_allocation_mb', ", after!("$7", "'0'", "dt.customer_data_allocation_mb"), "), $11
            FROM device_change dc ", $join, " WHERE ", accepted!(), " AND ", plan_differs!()
        )
    };
}

macro_rules! update_plan {
    ($lines:literal) => {
        concat!(
            "UPDATE device_tenant AS dt SET
                customer_rate_plan_id = ",
            after!("$5", "0", "dt.customer_rate_plan_id"),
            ", customer_rate_pool_id = ",
            after!("$6", "0", "dt.customer_rate_pool_id"),
            ", customer_data_allocation_mb = ",
            after!("$7", "'0'", "dt.customer_data_allocation_mb"),
            ", version = dt.version + 1, modified_by = $9, modified_at = $8
            WHERE dt.tenant_id = $1 AND dt.device_id IN (",
            $lines,
            accepted!(),
            ") AND ",
            plan_differs!()
        )
    };
}

macro_rules! log_page {
    ($templates:literal) => {
        concat!(
            "INSERT INTO device_bulk_change_log (
                tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
                processed_at, request_text, response_text, error_text, has_errors, response_status)
            SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, t.entry, $5, $6, t.description, $7, $8,
                t.request || coalesce(dc.iccid, dc.number), t.response, NULL, 0, 'PROCESSED'
            FROM device_change dc CROSS JOIN (", $templates, ") AS t
            WHERE ", accepted!(), "
            UNION ALL
            SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, $10, $5, $6, x.description, $7, $8,
                $11 || coalesce(dc.iccid, dc.number), x.response, x.error, x.error IS NOT NULL,
                CASE WHEN x.error IS NULL THEN 'PROCESSED' ELSE 'ERROR' END
            FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[5]') AS description,
                         json_extract(value, '$[6]') AS response, json_extract(value, '$[7]') AS error
                  FROM json_each($9)) AS x
            CROSS JOIN device_change dc ON dc.tenant_id = $1 AND dc.id = x.id"
        )
    };
}

lineshift_store::statements! {
    /// A tenant's changes with something to do: a handful, by `device_bulk_change_unfinished`.
    LIST_RUNNABLE = "SELECT b.id, b.integration_authentication_id, b.carrier_authentication_id, b.canceled_at IS NOT NULL, b.open_count > 0
    FROM device_bulk_change b
    WHERE b.tenant_id = $1 AND b.processed_at IS NULL AND b.receiving_until IS NULL
      AND (b.started_at IS NOT NULL OR b.canceled_at IS NOT NULL)";

    /// One row by primary key; the first page in that state by `device_bulk_change_page_state`, past those that wait. Locks the
    /// database for one short transaction. A page that still has an owner was never given back: when his lease ran out is kept.
    CLAIM_PAGE = "UPDATE device_bulk_change_page SET epoch = epoch + 1,
        lost_lease_until = CASE WHEN owner IS NULL THEN lost_lease_until ELSE lease_until END, lease_until = $4, owner = $5
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = (
        SELECT p.page FROM device_bulk_change_page p
        WHERE p.tenant_id = $1 AND p.bulk_change_id = $2 AND p.state = $3 AND (p.lease_until IS NULL OR p.lease_until <= $6)
        ORDER BY p.page LIMIT 1)
    RETURNING page, from_id, to_id, epoch, failures, lost_lease_until";

    /// Whether a change has a page in that state, by `device_bulk_change_page_state`.
    HAS_PAGE = "SELECT 1 FROM device_bulk_change_page WHERE tenant_id = $1 AND bulk_change_id = $2 AND state = $3 LIMIT 1";

    /// One row by primary key.
    BEGIN_CHANGE = "UPDATE device_bulk_change SET begun_at = $3 WHERE tenant_id = $1 AND id = $2 AND begun_at IS NULL";

    /// One row by primary key.
    RENEW_LEASE = "UPDATE device_bulk_change_page SET lease_until = $5
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3 AND epoch = $4 AND owner IS NOT NULL";

    /// One row by primary key. Without an owner the page is claimable from then on, and no lease of it is lost.
    GIVE_BACK = "UPDATE device_bulk_change_page SET lease_until = $5, owner = NULL, failures = failures + 1
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3 AND epoch = $4 AND owner IS NOT NULL";

    /// The order as it stands now, if the claim still holds: one row by primary keys.
    OPEN_PAGE = concat!(
    "SELECT ",
    change_columns!(),
    ", sp.integration_kind,
    ",
    rights_of!("b.runs_as_id", "$5"),
    ",
    b.rev_customer_id IS NULL
        OR EXISTS (SELECT 1 FROM rev_customer c WHERE c.tenant_id = $1 AND c.id = b.rev_customer_id AND c.is_active = 1),
    b.site_id IS NULL OR EXISTS (SELECT 1 FROM site s WHERE s.tenant_id = $1 AND s.id = b.site_id AND s.is_active = 1),
    b.customer_rate_plan_id IS NULL OR EXISTS (
        SELECT 1 FROM customer_rate_plan p WHERE p.tenant_id = $1 AND p.id = b.customer_rate_plan_id AND p.is_active = 1),
    b.customer_rate_pool_id IS NULL OR EXISTS (
        SELECT 1 FROM customer_rate_pool p WHERE p.tenant_id = $1 AND p.id = b.customer_rate_pool_id AND p.is_active = 1),
    b.stored_order, t.time_zone, b.integration_authentication_id,
    coalesce(a.is_active = 1 AND a.write_enabled = 1, 0),
    coalesce(a.secret_encrypted IS NOT NULL AND a.base_address IS NOT NULL, 0),
    CASE WHEN a.refused_at IS NOT NULL THEN coalesce(a.refused_text, 'refused') END,
    b.carrier_authentication_id,
    coalesce(sp.is_active = 1 AND sp.write_enabled = 1 AND c.is_active = 1 AND c.write_enabled = 1, 0),
    coalesce(c.secret_encrypted IS NOT NULL AND c.base_address IS NOT NULL, 0),
    CASE WHEN c.refused_at IS NOT NULL THEN coalesce(c.refused_text, 'refused') END,
    b.runs_as_id = b.created_by_id
    FROM device_bulk_change_page page
    CROSS JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = page.bulk_change_id
    CROSS JOIN service_provider sp ON sp.tenant_id = $1 AND sp.id = b.service_provider_id
    CROSS JOIN tenant t ON t.id = $1
    LEFT JOIN integration_authentication a ON a.tenant_id = $1 AND a.id = b.integration_authentication_id
    LEFT JOIN integration_authentication c ON c.tenant_id = $1 AND c.id = b.carrier_authentication_id
    WHERE page.tenant_id = $1 AND page.bulk_change_id = $2 AND page.page = $3 AND page.epoch = $4 AND page.owner IS NOT NULL
      AND page.state = 'ready'"
);

    /// The open rows of a page with their lines: up to 5,000, by the range of the primary key, each line by primary key, in
    /// device order, so that neighbours share pages of the tree.
    LIST_OPEN_LINES = concat!(
    "SELECT dc.id, dc.judged_version, dc.number IS NULL OR dc.number IS d.subscriber_number, coalesce(dc.iccid, dc.number),
        CASE WHEN dc.number IS NULL THEN 1 ELSE (
            SELECT count(*) FROM device same INDEXED BY device_by_number
            WHERE same.tenant_id = $1 AND same.subscriber_number = dc.number) END, ",
    fact_columns!(),
    " FROM device_change dc
    LEFT JOIN device d ON d.tenant_id = $1 AND d.id = dc.device_id
    LEFT JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = dc.device_id
    LEFT JOIN customer_rate_plan plan ON plan.tenant_id = $1 AND plan.id = dt.customer_rate_plan_id
    WHERE dc.tenant_id = $1 AND dc.bulk_change_id = $5 AND dc.id BETWEEN $6 AND $7 AND dc.status IN ('NEW', 'PROCESSING')
    ORDER BY dc.id"
);

    /// Rows that were refused at submission and are judged anew (B10.2): at most a page, each by primary key.
    RECORD_JUDGED = "UPDATE device_change SET device_id = x.device_id, judged_version = x.version
    FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS device_id, json_extract(value, '$[2]') AS version
          FROM json_each($3)) AS x
    WHERE device_change.tenant_id = $1 AND device_change.bulk_change_id = $2 AND device_change.id = x.id";

    /// Rows settled without their steps: as many as were refused, each by primary key.
    SETTLE_ROWS = "UPDATE device_change SET
        status = x.status, error_kind = x.kind, error_code = x.code, status_details = x.details,
        is_processed = x.status = 'PROCESSED', processed_at = $4, holds = CASE WHEN x.unsettled THEN holds | 4 ELSE 0 END,
        next_check_at = NULL
    FROM (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS status, json_extract(value, '$[2]') AS kind,
                 json_extract(value, '$[3]') AS code, json_extract(value, '$[4]') AS details,
                 json_extract(value, '$[8]') AS unsettled
          FROM json_each($3)) AS x
    WHERE device_change.tenant_id = $1 AND device_change.bulk_change_id = $2 AND device_change.id = x.id";

    /// One history row for each line whose assignment will differ: reads row, assignment and line by primary key in device
    /// order and appends.
    HISTORY_OF_ASSIGNMENT = concat!(
    "INSERT INTO device_action_history
        (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
    SELECT dt.tenant_id, dt.device_id, $11, dc.bulk_change_id, dc.attempt, $13, $12, 'assignment', ",
    assignment_json!(
        "dt.rev_customer_id",
        "dt.site_id",
        "dt.account_number",
        "dt.account_number_integration_authentication_id",
        "dt.effective_date",
        "dt.is_active",
        "dt.is_deleted"
    ),
    ", ",
    assignment_json!("$5", "$6", "$7", "$8", "coalesce($9, start_of_day(d.activated_at, $10), $11)", "1", "0"),
    ", $14
    FROM device_change dc
    CROSS JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = dc.device_id
    CROSS JOIN device d ON d.tenant_id = $1 AND d.id = dc.device_id
    WHERE ",
    accepted!(),
    " AND ",
    assignment_differs!()
);

    /// The lines whose assignment differs, each by primary key.
    UPDATE_ASSIGNMENT = concat!(
    "UPDATE device_tenant AS dt SET
        rev_customer_id = $5, site_id = $6, account_number = $7, account_number_integration_authentication_id = $8,
        effective_date = coalesce($9, (SELECT start_of_day(d.activated_at, $10) FROM device d
                                       WHERE d.tenant_id = $1 AND d.id = dt.device_id), $11),
        is_active = 1, is_deleted = 0, version = dt.version + 1, modified_by = $12, modified_at = $11
    WHERE dt.tenant_id = $1 AND dt.device_id IN (SELECT dc.device_id FROM device_change dc WHERE ",
    accepted!(),
    ") AND ",
    assignment_differs!()
);

    /// One history row for each line whose plan, pool or allocation will differ.
    HISTORY_OF_PLAN = history_of_plan!("CROSS JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = dc.device_id");

    /// The same, the line found by number through `device_by_number`.
    HISTORY_OF_PLAN_BY_NUMBER = history_of_plan!(
    "CROSS JOIN device d ON d.tenant_id = $1 AND d.subscriber_number = dc.number AND d.id = dc.device_id
    CROSS JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = d.id"
);

    /// The lines whose plan, pool or allocation differ, each by primary key.
    UPDATE_PLAN = update_plan!("SELECT dc.device_id FROM device_change dc WHERE ");

    /// The same, the line found by number through `device_by_number`.
    UPDATE_PLAN_BY_NUMBER = update_plan!(
    "SELECT d.id FROM device_change dc
    CROSS JOIN device d ON d.tenant_id = $1 AND d.subscriber_number = dc.number AND d.id = dc.device_id WHERE "
);

    /// One queue entry for each accepted row, for the customer that the line has now; one that is there already stays.
    SCHEDULE_PLAN = concat!(
    "INSERT INTO customer_rate_plan_device_queue (
        tenant_id, device_change_id, bulk_change_id, device_id, rev_customer_id, site_id, customer_rate_plan_id,
        customer_rate_pool_id, customer_data_allocation_mb, effective_date, portal_type, created_by, created_at, modified_by,
        modified_at, is_active, state, attempt, error_code, status_details)
    SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.device_id, dt.rev_customer_id, dt.site_id, $5, $6, $7, $8, $9, $10, $11,
        NULL, NULL, 1, 'open', dc.attempt, NULL, NULL
    FROM device_change dc CROSS JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = dc.device_id
    WHERE ",
    accepted!(),
    " ON CONFLICT (tenant_id, device_change_id) DO NOTHING"
);

    /// The open entries of the accepted lines from a date on, by `customer_rate_plan_device_queue_device` (B8.2).
    REPLACE_SCHEDULED = concat!(
    "UPDATE customer_rate_plan_device_queue SET
        state = 'canceled', is_active = 0, modified_by = $6, modified_at = $7, status_details = 'replaced by bulk change ' || $2
    WHERE tenant_id = $1 AND state = 'open' AND effective_date >= $5 AND bulk_change_id <> $2
      AND device_id IN (SELECT dc.device_id FROM device_change dc WHERE ",
    accepted!(),
    ")"
);

    /// The log of a page: one entry for each settled row. Appends by primary key.
    LOG_SETTLED = log_page!("SELECT NULL AS entry, NULL AS description, NULL AS request, NULL AS response WHERE 0");

    /// The log of a page with one step: one entry for each accepted row and one for each settled one.
    LOG_ONE_STEP = log_page!("SELECT $12 AS entry, $13 AS description, $14 AS request, $15 AS response");

    /// The log of a page with two steps: two entries for each accepted row and one for each settled one.
    LOG_TWO_STEPS = log_page!(
    "SELECT $12 AS entry, $13 AS description, $14 AS request, $15 AS response UNION ALL SELECT $16, $17, $18, $19"
);

    /// The accepted rows, at the end of their page.
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
        holds = CASE WHEN EXISTS (SELECT 1 FROM device_change_step s WHERE s.tenant_id = $1 AND s.device_change_id = dc.id
                                     AND s.state IN ('intended', 'ambiguous', 'waiting', 'stuck', 'done'))
                THEN holds | 4 ELSE 0 END
    WHERE ",
    accepted!()
);

    /// The log of [`FAIL_ROWS`], written before it.
    LOG_FAILED = concat!(
    "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    SELECT dc.tenant_id, dc.bulk_change_id, dc.id, dc.attempt, $6, $7, $8, $9, $10, $5, $11 || coalesce(dc.iccid, dc.number),
        NULL, $12, 1, 'ERROR'
    FROM device_change dc WHERE ",
    accepted!()
);

    /// One row by primary key; the epoch is checked again, so that one who lost the lease changes nothing (B5.1). A page with
    /// rows that wait is ready again when `$6` is reached; one that is done stays claimed, to be completed. `$7`: what a lost lease
    /// meant is settled. `$8`: what it was before, so that nothing is closed twice under one claim.
    CLOSE_PAGE = "UPDATE device_bulk_change_page SET state = $5, lease_until = CASE WHEN $5 = 'done' THEN lease_until ELSE $6 END,
        owner = CASE WHEN $5 = 'done' THEN owner END, failures = 0,
        lost_lease_until = CASE WHEN $7 THEN NULL ELSE lost_lease_until END
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND page = $3 AND epoch = $4 AND owner IS NOT NULL AND state = $8";

    /// One row by primary key.
    COUNT_PAGE = "UPDATE device_bulk_change SET
        open_count = open_count - $3 - $4 - $5, processed_count = processed_count + $3, error_count = error_count + $4,
        canceled_count = canceled_count + $5
    WHERE tenant_id = $1 AND id = $2 RETURNING open_count";

    /// Undoes an assignment where it still stands: the rows given, their lines and histories by primary key.
    REVERT_ASSIGNMENT = "UPDATE device_tenant AS dt SET
        rev_customer_id = json_extract(x.old_value, '$.rev_customer_id'), site_id = json_extract(x.old_value, '$.site_id'),
        account_number = json_extract(x.old_value, '$.account_number'),
        account_number_integration_authentication_id = json_extract(x.old_value, '$.integration_authentication_id'),
        effective_date = json_extract(x.old_value, '$.effective_date'), is_active = json_extract(x.old_value, '$.is_active'),
        is_deleted = json_extract(x.old_value, '$.is_deleted'), version = dt.version + 1, modified_by = $4, modified_at = $5
    FROM (SELECT h.device_id, h.old_value, h.new_value
          FROM (SELECT value AS id FROM json_each($3)) AS r
          JOIN device_change dc ON dc.tenant_id = $1 AND dc.id = r.id AND dc.bulk_change_id = $2
          JOIN device_action_history h ON h.tenant_id = $1 AND h.device_id = dc.device_id AND h.bulk_change_id = $2
                AND h.attempt = dc.attempt AND h.entry = $6) AS x
    WHERE dt.tenant_id = $1 AND dt.device_id = x.device_id
      AND dt.rev_customer_id IS json_extract(x.new_value, '$.rev_customer_id')
      AND dt.site_id IS json_extract(x.new_value, '$.site_id')
      AND dt.account_number IS json_extract(x.new_value, '$.account_number')
      AND dt.account_number_integration_authentication_id IS json_extract(x.new_value, '$.integration_authentication_id')
      AND dt.is_active = 1 AND dt.is_deleted = 0";

    /// Undoes a plan change where it still stands: the rows given, their lines and histories by primary key.
    REVERT_PLAN = "UPDATE device_tenant AS dt SET
        customer_rate_plan_id = json_extract(x.old_value, '$.customer_rate_plan_id'),
        customer_rate_pool_id = json_extract(x.old_value, '$.customer_rate_pool_id'),
        customer_data_allocation_mb = json_extract(x.old_value, '$.customer_data_allocation_mb'),
        version = dt.version + 1, modified_by = $4, modified_at = $5
    FROM (SELECT h.device_id, h.old_value, h.new_value
          FROM (SELECT value AS id FROM json_each($3)) AS r
          JOIN device_change dc ON dc.tenant_id = $1 AND dc.id = r.id AND dc.bulk_change_id = $2
          JOIN device_action_history h ON h.tenant_id = $1 AND h.device_id = dc.device_id AND h.bulk_change_id = $2
                AND h.attempt = dc.attempt AND h.entry = $6) AS x
    WHERE dt.tenant_id = $1 AND dt.device_id = x.device_id
      AND dt.customer_rate_plan_id IS json_extract(x.new_value, '$.customer_rate_plan_id')
      AND dt.customer_rate_pool_id IS json_extract(x.new_value, '$.customer_rate_pool_id')
      AND dt.customer_data_allocation_mb IS json_extract(x.new_value, '$.customer_data_allocation_mb')
      AND x.old_value <> x.new_value";
}
