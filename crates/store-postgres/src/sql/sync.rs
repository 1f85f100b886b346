//! Statements of synchronisation. Rows come as JSON arrays, at most a page of them, each found by primary key or by the unique
//! index of Rev.io's ids; what walks through what is stored walks a range of a primary key.
//!
//! What is read to be compared with what a list showed is locked, in the order of its keys, customers before services before
//! products: so nothing that a worker stores meanwhile is overwritten with what was read before. What is given is read out of the
//! JSON in a CTE of its own, as what reads JSON may not stand in an index search under row level security.

/// Customer and Rev.io's id, given as a JSON array under `$2`, with their place.
macro_rules! with_pairs {
    () => {
        "WITH given AS MATERIALIZED (
            SELECT (value->>0)::bigint AS customer, (value->>1)::bigint AS id, place - 1 AS place
            FROM json_array_elements($2::json) WITH ORDINALITY AS listed(value, place) ORDER BY customer, id) "
    };
}

/// Ids given as a JSON array under `$2`, with their place.
macro_rules! with_ids {
    () => {
        "WITH given AS MATERIALIZED (
            SELECT value::bigint AS id, place - 1 AS place
            FROM json_array_elements_text($2::json) WITH ORDINALITY AS listed(value, place) ORDER BY id) "
    };
}

/// Whether an open change, or one with something unknown, holds the line: by `device_change_holding`.
macro_rules! held {
    ($line:literal) => {
        concat!("EXISTS (SELECT 1 FROM device_change AS h WHERE h.tenant_id = $1 AND h.device_id = ", $line, " AND h.holds <> 0)")
    };
}

/// Whether a connected service charges anything: a package, or a product by `rev_service_product_charged`.
macro_rules! charges {
    () => {
        "(s.has_package = 1 OR EXISTS (SELECT 1 FROM rev_service_product AS p
            WHERE p.tenant_id = $1 AND p.rev_service_id = s.id AND p.status IN ('PENDING', 'ACTIVE')))"
    };
}

/// The account of a customer, by primary key: a search for each row, where a join might read all customers of the tenant instead.
macro_rules! account_of {
    ($customer:literal) => {
        concat!(
            "(SELECT c.integration_authentication_id FROM rev_customer AS c WHERE c.tenant_id = $1 AND c.id = ",
            $customer,
            ")"
        )
    };
}

lineshift_store::statements! {
    /// Customers that are here, with their place in the array of ids: account, name, active, closed there, updated there, run.
    /// Locks them.
    FIND_CUSTOMERS = concat!(with_ids!(), "SELECT given.place, c.integration_authentication_id, c.name, c.is_active, c.closed_there,
        c.updated_there, c.seen_in_run
    FROM given JOIN rev_customer AS c ON c.tenant_id = $1 AND c.id = given.id
    ORDER BY c.id FOR NO KEY UPDATE OF c");

    /// Customers new or changed. `$3` account, `$4` now.
    STORE_CUSTOMERS = "INSERT INTO rev_customer (
        tenant_id, id, name, integration_authentication_id, is_active, created_at, modified_at, closed_there, updated_there)
    SELECT $1::bigint, (value->>0)::bigint, value->>1, $3::bigint, (value->>2)::smallint, $4::bigint, $4::bigint,
        (value->>3)::smallint, (value->>4)::bigint
    FROM json_array_elements($2::json) ORDER BY (value->>0)::bigint
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        name = excluded.name, is_active = excluded.is_active, modified_at = excluded.modified_at,
        closed_there = excluded.closed_there, updated_there = excluded.updated_there";

    /// The first site of each new customer. `$3` the first id, `$4` now.
    STORE_FIRST_SITES = "INSERT INTO site (tenant_id, id, name, rev_customer_id, is_active, created_at, modified_at)
    SELECT $1::bigint, $3::bigint + place - 1, value->>1, (value->>0)::bigint, 1, $4::bigint, $4::bigint
    FROM json_array_elements($2::json) WITH ORDINALITY AS given(value, place)";

    /// Customers that the run has seen: ids, each by primary key. `$3` run.
    MARK_CUSTOMERS = concat!(with_ids!(), "UPDATE rev_customer SET seen_in_run = $3
    FROM given WHERE rev_customer.tenant_id = $1 AND rev_customer.id = given.id");

    /// Services that are here, by place: number, ICCID, type, provider, activated, disconnected, has a package, run, has
    /// a line, written since `$3`, held. Locks them.
    FIND_SERVICES = concat!(with_pairs!(), "SELECT given.place, s.number, s.iccid, s.rev_service_type_id, s.rev_provider_id,
        s.activated_date, s.disconnected_date, s.has_package, s.seen_in_run, s.device_id IS NOT NULL,
        coalesce(s.stored_at >= $3, false), ", held!("s.device_id"), "
    FROM given
    JOIN rev_service AS s ON s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id
    ORDER BY s.rev_customer_id, s.rev_service_id FOR NO KEY UPDATE OF s");

    /// Services that the run has seen. `$3` run.
    MARK_SERVICES = concat!(with_pairs!(), "UPDATE rev_service SET seen_in_run = $3 FROM given
    WHERE rev_service.tenant_id = $1 AND rev_service.rev_customer_id = given.customer AND rev_service.rev_service_id = given.id");

    /// The services of products given, by place: written since `$3`, held. Locks them against being written.
    FIND_SERVICES_OF_PRODUCTS = concat!(with_pairs!(), "SELECT given.place, coalesce(s.stored_at >= $3, false), ", held!("s.device_id"), "
    FROM given
    JOIN rev_service AS s ON s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id
    ORDER BY s.rev_customer_id, s.rev_service_id FOR SHARE OF s");

    /// Products that are here, by place: Rev.io's service, product, package, rate, quantity, status, description, run, written
    /// since `$3`. Locks them.
    FIND_PRODUCTS = concat!(with_pairs!(), "SELECT given.place, s.rev_service_id, p.rev_product_id, p.package_id, p.rate, p.quantity, p.status,
        p.description, p.seen_in_run, coalesce(p.stored_at >= $3, false)
    FROM given
    JOIN rev_service_product AS p ON p.tenant_id = $1 AND p.rev_customer_id = given.customer AND p.rev_service_product_id = given.id
    JOIN rev_service AS s ON s.tenant_id = $1 AND s.id = p.rev_service_id
    ORDER BY p.rev_customer_id, p.rev_service_product_id FOR NO KEY UPDATE OF p");

    /// Products that the run has seen. `$3` run.
    MARK_PRODUCTS = concat!(with_pairs!(), "UPDATE rev_service_product SET seen_in_run = $3 FROM given
    WHERE rev_service_product.tenant_id = $1 AND rev_service_product.rev_customer_id = given.customer
      AND rev_service_product.rev_service_product_id = given.id");

    /// The link of the lines of the services given to their customer's connected service, where it is not right, by
    /// `rev_service_connected`. Locks the lines in device order.
    LINK_LINES = concat!(with_pairs!(), ", line AS MATERIALIZED (
        SELECT DISTINCT s.device_id FROM given
        JOIN rev_service AS s ON s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id
        WHERE s.device_id IS NOT NULL ORDER BY s.device_id)
    UPDATE device_tenant AS dt SET rev_service_id = (
        SELECT max(s.id) FROM rev_service AS s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL)
    FROM line
    WHERE dt.tenant_id = $1 AND dt.device_id = line.device_id
      AND dt.rev_service_id IS DISTINCT FROM (
        SELECT max(s.id) FROM rev_service AS s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL)");

    /// Findings, each by primary key; one that is there already stays. Arrays of kind, subject, its id, customer, service, line, here,
    /// there; the line here is that of the service. `$3` run, `$4` now.
    STORE_FINDINGS = "WITH given AS MATERIALIZED (
        SELECT value->>0 AS kind, value->>1 AS subject, (value->>2)::bigint AS subject_id, (value->>3)::bigint AS customer,
            (value->>4)::bigint AS service, value->>5 AS line, value->>6 AS here, value->>7 AS there
        FROM json_array_elements($2::json))
    INSERT INTO sync_finding (
        tenant_id, sync_run_id, kind, subject, subject_id, rev_customer_id, rev_service_id, device_id, line, here, there, at)
    SELECT $1::bigint, $3::bigint, given.kind, given.subject, given.subject_id, given.customer, given.service, s.device_id,
        coalesce(given.line, s.iccid, s.number), given.here, given.there, $4::bigint
    FROM given
    LEFT JOIN rev_service AS s ON s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.service
    ON CONFLICT DO NOTHING";

    /// Of services that a read found gone, those that are connected here and not held, by place. `$3` written since. Locks them.
    FIND_STILL_CONNECTED = concat!(with_pairs!(), "SELECT given.place FROM given
    JOIN rev_service AS s ON s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id
    WHERE s.disconnected_date IS NULL AND NOT coalesce(s.stored_at >= $3, false) AND NOT ", held!("s.device_id"), "
    ORDER BY s.rev_customer_id, s.rev_service_id FOR NO KEY UPDATE OF s");

    /// Of products that a read found gone, those that are charged here and not held, by place. `$3` written since. Locks them.
    FIND_STILL_CHARGED = concat!(with_pairs!(), "SELECT given.place FROM given
    JOIN rev_service_product AS p ON p.tenant_id = $1 AND p.rev_customer_id = given.customer AND p.rev_service_product_id = given.id
    JOIN rev_service AS s ON s.tenant_id = $1 AND s.id = p.rev_service_id
    WHERE p.status IN ('PENDING', 'ACTIVE') AND NOT coalesce(p.stored_at >= $3, false) AND NOT ", held!("s.device_id"), "
    ORDER BY p.rev_customer_id, p.rev_service_product_id FOR NO KEY UPDATE OF p");

    /// The last of the next `$3` + 1 services after `$2`; none: there are no more than that. As on the embedded store.
    WINDOW_OF_SERVICES = "SELECT id FROM rev_service WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// The same of service products.
    WINDOW_OF_PRODUCTS = "SELECT id FROM rev_service_product WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// The same of lines.
    WINDOW_OF_LINES = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND device_id > $2 ORDER BY device_id LIMIT 1 OFFSET $3";

    /// Connected services of account `$4` after `$2` up to `$3` that run `$5` did not see, written before `$6`, not held. `$7` limit.
    LIST_UNSEEN_SERVICES = concat!("SELECT s.id, s.rev_customer_id, s.rev_service_id
    FROM rev_service AS s
    WHERE s.tenant_id = $1 AND s.id > $2 AND s.id <= $3 AND s.disconnected_date IS NULL AND s.seen_in_run IS DISTINCT FROM $5
      AND (s.stored_at IS NULL OR s.stored_at < $6) AND ", account_of!("s.rev_customer_id"), " = $4
      AND NOT ", held!("s.device_id"), "
    ORDER BY s.id LIMIT $7");

    /// Service products likewise.
    LIST_UNSEEN_PRODUCTS = concat!("SELECT p.id, p.rev_customer_id, s.rev_service_id, p.rev_service_product_id
    FROM rev_service_product AS p
    JOIN rev_service AS s ON s.tenant_id = $1 AND s.id = p.rev_service_id
    WHERE p.tenant_id = $1 AND p.id > $2 AND p.id <= $3 AND p.status IN ('PENDING', 'ACTIVE') AND p.seen_in_run IS DISTINCT FROM $5
      AND (p.stored_at IS NULL OR p.stored_at < $6) AND (s.stored_at IS NULL OR s.stored_at < $6)
      AND ", account_of!("p.rev_customer_id"), " = $4 AND NOT ", held!("s.device_id"), "
    ORDER BY p.id LIMIT $7");

    /// Connected services of account `$4` after `$2` up to `$3` that charge something although their line is not the customer's.
    /// `$5` run, `$6` now.
    REPORT_BILLED = concat!("INSERT INTO sync_finding (
        tenant_id, sync_run_id, kind, subject, subject_id, rev_customer_id, rev_service_id, device_id, line, here, there, at)
    SELECT s.tenant_id, $5::bigint, 'billed_not_assigned', 'service', s.rev_service_id, s.rev_customer_id, s.rev_service_id,
        s.device_id, coalesce(d.iccid, s.iccid, s.number),
        CASE WHEN s.device_id IS NULL THEN 'no such line'
             WHEN dt.is_active IS DISTINCT FROM 1 OR dt.is_deleted IS DISTINCT FROM 0
                  OR (dt.rev_customer_id IS NULL AND dt.site_id IS NULL)
                THEN 'assigned to nobody'
             WHEN dt.rev_customer_id IS NULL THEN 'assigned to site ' || dt.site_id
             ELSE 'assigned to customer ' || dt.rev_customer_id END,
        'service ' || s.rev_service_id || ' is billed to customer ' || s.rev_customer_id, $6::bigint
    FROM rev_service AS s
    LEFT JOIN device AS d ON d.tenant_id = $1 AND d.id = s.device_id
    LEFT JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = s.device_id
    WHERE s.tenant_id = $1 AND s.id > $2 AND s.id <= $3 AND s.disconnected_date IS NULL
      AND ", account_of!("s.rev_customer_id"), " = $4 AND ", charges!(), "
      AND (dt.is_active IS DISTINCT FROM 1 OR dt.is_deleted IS DISTINCT FROM 0
           OR dt.rev_customer_id IS DISTINCT FROM s.rev_customer_id)
      AND NOT ", held!("s.device_id"), "
    ON CONFLICT DO NOTHING");

    /// Lines assigned to a customer of account `$4` after `$2` up to `$3` without a connected service of that customer that charges
    /// something, by `rev_service_connected`. `$5` run, `$6` now.
    REPORT_ASSIGNED = concat!("INSERT INTO sync_finding (
        tenant_id, sync_run_id, kind, subject, subject_id, rev_customer_id, rev_service_id, device_id, line, here, there, at)
    SELECT dt.tenant_id, $5::bigint, 'assigned_not_billed', 'line', dt.device_id, dt.rev_customer_id,
        (SELECT max(s.rev_service_id) FROM rev_service AS s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL),
        dt.device_id, d.iccid, 'assigned to customer ' || dt.rev_customer_id,
        CASE WHEN EXISTS (SELECT 1 FROM rev_service AS s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
                AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL)
             THEN 'its service charges nothing' ELSE 'no connected service' END, $6::bigint
    FROM device_tenant AS dt
    JOIN device AS d ON d.tenant_id = $1 AND d.id = dt.device_id
    WHERE dt.tenant_id = $1 AND dt.device_id > $2 AND dt.device_id <= $3 AND dt.is_active = 1 AND dt.is_deleted = 0
      AND ", account_of!("dt.rev_customer_id"), " = $4
      AND NOT EXISTS (SELECT 1 FROM rev_service AS s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL AND ", charges!(), ")
      AND NOT ", held!("dt.device_id"), "
    ON CONFLICT DO NOTHING");
}
