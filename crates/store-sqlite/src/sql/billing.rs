//! Statements of billing: steps that call outside, what is billed, and what a person must settle. Rows come as JSON arrays, at
//! most a page of them; each is found by primary key or by the unique index of Rev.io's ids.

use super::within::{among, assigned_within, line_within};

/// The columns of a step, with the table under the alias `s`.
macro_rules! step_columns {
    () => {
        "s.device_change_id, s.step, s.part, s.state, s.attempt, s.calls, s.request_key, s.external_id,
        s.adopted, s.error_code, s.outcome, s.unknown_since, s.at,
        s.before_rate_plan, s.before_comm_plan"
    };
}

/// Customer and Rev.io's id, given as a JSON array.
macro_rules! pairs {
    () => {
        "(SELECT json_extract(value, '$[0]') AS customer, json_extract(value, '$[1]') AS id, json_extract(value, '$[2]') AS day
          FROM json_each($2)) AS x"
    };
}

/// One history row for each row that created, adopted or disconnected a service, unless the line's history says so already.
/// `$3` now, `$4` month, `$5` entry.
macro_rules! history {
    ($old:literal, $new:literal) => {
        concat!(
            "INSERT INTO device_action_history
                (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
            SELECT dc.tenant_id, dc.device_id, $3, dc.bulk_change_id, dc.attempt, $5, $4, 'service_line', ",
            $old,
            ", ",
            $new,
            ",
                b.created_by
            FROM (SELECT json_extract(value, '$[0]') AS by_row,
                         json_object('rev_service_id', json_extract(value, '$[1]'),
                                     'rev_customer_id', json_extract(value, '$[2]')) AS line
                  FROM json_each($2)) AS x
            CROSS JOIN device_change dc ON dc.tenant_id = $1 AND dc.id = x.by_row
            CROSS JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = dc.bulk_change_id
            WHERE dc.device_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM device_action_history h WHERE h.tenant_id = $1 AND h.device_id = dc.device_id
                   AND h.bulk_change_id = dc.bulk_change_id AND h.entry = $5 AND h.old_value = ",
            $old,
            " AND h.new_value = ",
            $new,
            ")
            ON CONFLICT DO NOTHING"
        )
    };
}

lineshift_store::statements! {
    /// One row by primary key. The transaction alone writes anyhow.
    LOCK_ACCOUNT = "SELECT id FROM integration_authentication WHERE tenant_id = $1 AND id = $2";

    /// The rows that wait for an account, by `device_change_waiting`: a handful of changes that call it, by
    /// `device_bulk_change_unfinished`.
    WAKE_ROWS_OF_ACCOUNT = "UPDATE device_change SET next_check_at = $3
    WHERE tenant_id = $1 AND status = 'PENDING' AND next_check_at > $3 AND bulk_change_id IN (
        SELECT b.id FROM device_bulk_change b
        WHERE b.tenant_id = $1 AND b.processed_at IS NULL
          AND (b.integration_authentication_id = $2 OR b.carrier_authentication_id = $2))";

    /// Their pages, by `device_bulk_change_page_state`.
    WAKE_PAGES_OF_ACCOUNT = "UPDATE device_bulk_change_page SET lease_until = NULL
    WHERE tenant_id = $1 AND state = 'ready' AND owner IS NULL AND lease_until IS NOT NULL AND bulk_change_id IN (
        SELECT b.id FROM device_bulk_change b
        WHERE b.tenant_id = $1 AND b.processed_at IS NULL
          AND (b.integration_authentication_id = $2 OR b.carrier_authentication_id = $2))";

    /// Whether the claim still holds, and whose log its rows are written to: one row by primary keys.
    HELD_PAGE = "SELECT b.portal_type FROM device_bulk_change_page page
    CROSS JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = page.bulk_change_id
    WHERE page.tenant_id = $1 AND page.bulk_change_id = $2 AND page.page = $3 AND page.epoch = $4
      AND page.lease_until IS NOT NULL AND page.owner IS NOT NULL AND page.state = 'ready'";

    /// Writes steps: as many as were given, each by primary key.
    RECORD_STEPS = "INSERT INTO device_change_step (
        tenant_id, device_change_id, step, part, state, attempt, calls, request_key, external_id, adopted, error_code, outcome,
        unknown_since, at, before_rate_plan, before_comm_plan)
    SELECT $1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'),
        json_extract(value, '$[4]'), json_extract(value, '$[5]'), json_extract(value, '$[6]'), json_extract(value, '$[7]'),
        json_extract(value, '$[8]'), json_extract(value, '$[9]'), json_extract(value, '$[10]'), json_extract(value, '$[11]'),
        json_extract(value, '$[12]'), json_extract(value, '$[13]'), json_extract(value, '$[14]')
    FROM json_each($2) WHERE true
    ON CONFLICT (tenant_id, device_change_id, step, part) DO UPDATE SET
        state = excluded.state, attempt = excluded.attempt, calls = excluded.calls, request_key = excluded.request_key,
        external_id = excluded.external_id, adopted = excluded.adopted, error_code = excluded.error_code,
        outcome = excluded.outcome, unknown_since = excluded.unknown_since, at = excluded.at,
        before_rate_plan = excluded.before_rate_plan, before_comm_plan = excluded.before_comm_plan";

    /// Log entries of outside calls: appends by primary key; one that is there already stays.
    LOG_OUTSIDE = "INSERT INTO device_bulk_change_log (
        tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
        processed_at, request_text, response_text, error_text, has_errors, response_status)
    SELECT $1, $2, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), $4, $5,
        json_extract(value, '$[3]'), $6, $7, json_extract(value, '$[4]'), json_extract(value, '$[5]'), json_extract(value, '$[6]'),
        json_extract(value, '$[6]') IS NOT NULL, CASE WHEN json_extract(value, '$[6]') IS NULL THEN 'PROCESSED' ELSE 'ERROR' END
    FROM json_each($3) WHERE true
    ON CONFLICT DO NOTHING";

    /// Services, once each by the unique index of customer and Rev.io's id; new ones get `$3` and the place in the array for an id.
    /// A line that is not given is found by `device_by_iccid`, else by `device_by_number` if only one has that number. `$4` now.
    /// What is not known of one that is there stays.
    STORE_SERVICES = "INSERT INTO rev_service (
        tenant_id, id, rev_customer_id, number, iccid, rev_service_id, rev_service_type_id, activated_date, rev_provider_id,
        disconnected_date, device_id, has_package, stored_at)
    SELECT $1, $3 + x.key, json_extract(x.value, '$[0]'), json_extract(x.value, '$[2]'), json_extract(x.value, '$[3]'),
        json_extract(x.value, '$[1]'), json_extract(x.value, '$[4]'), json_extract(x.value, '$[6]'), json_extract(x.value, '$[5]'),
        json_extract(x.value, '$[7]'),
        coalesce(
            json_extract(x.value, '$[9]'),
            (SELECT d.id FROM device d WHERE d.tenant_id = $1 AND d.iccid = json_extract(x.value, '$[3]')),
            (SELECT CASE WHEN count(*) = 1 THEN max(d.id) END FROM device d INDEXED BY device_by_number
              WHERE d.tenant_id = $1 AND d.subscriber_number = json_extract(x.value, '$[2]'))),
        json_extract(x.value, '$[8]'), CASE WHEN json_extract(x.value, '$[10]') IS NOT NULL THEN $4 END
    FROM json_each($2) AS x WHERE true
    ON CONFLICT (tenant_id, rev_customer_id, rev_service_id) DO UPDATE SET
        number = coalesce(excluded.number, number), iccid = coalesce(excluded.iccid, iccid),
        rev_service_type_id = coalesce(excluded.rev_service_type_id, rev_service_type_id),
        activated_date = coalesce(excluded.activated_date, activated_date),
        rev_provider_id = coalesce(excluded.rev_provider_id, rev_provider_id), disconnected_date = excluded.disconnected_date,
        device_id = coalesce(excluded.device_id, device_id), has_package = excluded.has_package,
        stored_at = coalesce(excluded.stored_at, stored_at)
    RETURNING id";

    /// Service products, once each by the unique index of customer and Rev.io's id, under the service that is stored for them. `$4`
    /// when they were created or adopted here.
    STORE_PRODUCTS = "INSERT INTO rev_service_product (
        tenant_id, id, rev_service_id, rev_customer_id, rev_service_product_id, rev_product_id, package_id, rate, quantity, status,
        description, stored_at)
    SELECT $1, $3 + x.key, service.id, service.rev_customer_id, json_extract(x.value, '$[2]'), json_extract(x.value, '$[3]'),
        json_extract(x.value, '$[4]'), json_extract(x.value, '$[5]'), json_extract(x.value, '$[6]'), json_extract(x.value, '$[7]'),
        json_extract(x.value, '$[8]'), $4
    FROM json_each($2) AS x
    CROSS JOIN rev_service AS service
       ON service.tenant_id = $1 AND service.rev_customer_id = json_extract(x.value, '$[0]')
      AND service.rev_service_id = json_extract(x.value, '$[1]')
    WHERE true
    ON CONFLICT (tenant_id, rev_customer_id, rev_service_product_id) DO UPDATE SET
        rev_service_id = excluded.rev_service_id, rev_product_id = excluded.rev_product_id,
        package_id = coalesce(excluded.package_id, package_id), rate = coalesce(excluded.rate, rate),
        quantity = coalesce(excluded.quantity, quantity), status = excluded.status,
        description = coalesce(excluded.description, description), stored_at = coalesce(excluded.stored_at, stored_at)
    RETURNING id";

    /// The services given that are connected, by the unique index of customer and Rev.io's id. `$3` now.
    DISCONNECT_SERVICES = concat!(
    "UPDATE rev_service SET disconnected_date = x.day, stored_at = $3 FROM ", pairs!(), "
    WHERE rev_service.tenant_id = $1 AND rev_service.rev_customer_id = x.customer AND rev_service.rev_service_id = x.id
      AND rev_service.disconnected_date IS NULL"
);

    /// What is charged on the services given, by `rev_service_product_charged`. `$3` now.
    DISCONNECT_PRODUCTS_OF_SERVICES = concat!(
    "UPDATE rev_service_product SET status = 'DISCONNECTED', stored_at = $3
    WHERE tenant_id = $1 AND status IN ('PENDING', 'ACTIVE') AND rev_service_id IN (
        SELECT service.id FROM ", pairs!(), " CROSS JOIN rev_service AS service
            ON service.tenant_id = $1 AND service.rev_customer_id = x.customer AND service.rev_service_id = x.id)"
);

    /// The products given, by the unique index of customer and Rev.io's id. `$3` now.
    DISCONNECT_PRODUCTS = concat!(
    "UPDATE rev_service_product SET status = 'DISCONNECTED', stored_at = $3 FROM ", pairs!(), "
    WHERE rev_service_product.tenant_id = $1 AND rev_service_product.rev_customer_id = x.customer
      AND rev_service_product.rev_service_product_id = x.id"
);

    /// The history of service lines created or adopted: rows, changes and the lines' histories by primary key (B11.2).
    HISTORY_OF_SERVICES = history!("'null'", "x.line");

    /// The history of service lines disconnected again, likewise.
    HISTORY_OF_UNDONE_SERVICES = history!("x.line", "'null'");

    /// The steps of one row, by the primary key's first columns.
    LIST_STEPS = concat!(
    "SELECT ", step_columns!(), " FROM device_change_step s WHERE s.tenant_id = $1 AND s.device_change_id = $2 ORDER BY s.step, s.part"
);

    /// The steps of a range of rows, by the range of the primary key.
    LIST_STEPS_OF_PAGE = concat!(
    "SELECT ", step_columns!(), " FROM device_change_step s WHERE s.tenant_id = $1 AND s.device_change_id BETWEEN $2 AND $3
    ORDER BY s.device_change_id, s.step, s.part"
);

    /// Rows that wait for a person, by `device_change_unsettled`, each with its change and its line by primary keys. `$4` who ordered
    /// the change, 0 for whoever did; `$5` its portals; `$6` customers, `$7` sites, `$8` service providers of the line, each the word
    /// "any" where it does not limit.
    LIST_UNSETTLED_ROWS = concat!(
    "SELECT dc.id, dc.bulk_change_id, coalesce(dc.iccid, dc.number)
    FROM device_change AS dc
    CROSS JOIN device_bulk_change AS b ON b.tenant_id = $1 AND b.id = dc.bulk_change_id
    LEFT JOIN device AS d ON d.tenant_id = $1 AND d.id = dc.device_id
    LEFT JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = dc.device_id
    WHERE dc.tenant_id = $1 AND dc.holds >= 4 AND dc.id > $2 AND ($4 = 0 OR b.created_by_id = $4)
      AND b.portal_type IN (SELECT value FROM json_each($5))
      AND (dc.device_id IS NULL OR ", line_within!("$6", "$7", "$8"), ")
    ORDER BY dc.id LIMIT $3"
);

    /// The steps of those rows, by the primary key's first columns.
    LIST_STEPS_OF_ROWS = concat!(
    "SELECT ", step_columns!(), " FROM json_each($2) AS x
    CROSS JOIN device_change_step s ON s.tenant_id = $1 AND s.device_change_id = x.value"
);

    /// One row by primary key. The transaction alone writes anyhow.
    LOCK_ROW = "SELECT id FROM device_change WHERE tenant_id = $1 AND id = $2";

    /// What a row is and whose, by primary keys.
    FIND_ROW = "SELECT dc.bulk_change_id, dc.attempt, dc.status, dc.holds, b.portal_type, b.rev_customer_id,
        coalesce(dc.iccid, dc.number)
    FROM device_change dc CROSS JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = dc.bulk_change_id
    WHERE dc.tenant_id = $1 AND dc.id = $2";

    /// A row that ended lets go of its line: one row by primary key.
    RELEASE_ROW = "UPDATE device_change SET holds = 0 WHERE tenant_id = $1 AND id = $2 AND status = 'ERROR'";
}
