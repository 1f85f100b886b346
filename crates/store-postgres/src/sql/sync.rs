//! Statements of synchronisation. Rows come as JSON arrays, at most a page of them, each found by primary key or by the unique
//! index of Rev.io's ids; what walks through what is stored walks a range of a primary key.
//!
//! What is read to be compared with what a list showed is locked, in the order of its keys, customers before services before
//! products: so nothing that a worker stores meanwhile is overwritten with what was read before. What is given is read out of the
//! JSON in a CTE of its own, as what reads JSON may not stand in an index search under row level security. For each row of it one
//! search follows, in a lateral subquery that OFFSET 0 or its lock keeps apart, and what is asked of a row beside it is asked by
//! a
//! scalar subquery: a planner that believes a tenant to have one row, as it does of a new one, would otherwise begin with all of
//! the tenant's.

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
        concat!(
            "coalesce((SELECT true FROM device_change AS h
                WHERE h.tenant_id = $1 AND h.device_id = ",
            $line,
            " AND h.holds <> 0 LIMIT 1), false)"
        )
    };
}

/// Whether a connected service charges anything: a package, or a product by `rev_service_product_charged`.
macro_rules! charges {
    () => {
        "(s.has_package = 1 OR coalesce((SELECT true FROM rev_service_product AS p
            WHERE p.tenant_id = $1 AND p.rev_service_id = s.id AND p.status IN ('PENDING', 'ACTIVE') LIMIT 1), false))"
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
    FIND_CUSTOMERS = concat!(with_ids!(), "SELECT given.place, c.integration_authentication_id, c.name, c.is_active,
        c.closed_there,
        c.updated_there, c.seen_in_run
    FROM given
    CROSS JOIN LATERAL (
        SELECT c.integration_authentication_id, c.name, c.is_active, c.closed_there, c.updated_there, c.seen_in_run
        FROM rev_customer AS c WHERE c.tenant_id = $1 AND c.id = given.id FOR NO KEY UPDATE) AS c");

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

    /// Customers that the run has seen: ids, each by primary key. `$3` run. Written as rows that are there already: an UPDATE
    /// would
    /// leave it to the planner whether each is searched for.
    MARK_CUSTOMERS = concat!(with_ids!(), "INSERT INTO rev_customer (
        tenant_id, id, name, integration_authentication_id, is_active, created_at, modified_at, seen_in_run)
    SELECT c.tenant_id, c.id, c.name, c.integration_authentication_id, c.is_active, c.created_at, c.modified_at, $3::bigint
    FROM given
    CROSS JOIN LATERAL (
        SELECT c.tenant_id, c.id, c.name, c.integration_authentication_id, c.is_active, c.created_at, c.modified_at
        FROM rev_customer AS c WHERE c.tenant_id = $1 AND c.id = given.id FOR NO KEY UPDATE) AS c
    ON CONFLICT (tenant_id, id) DO UPDATE SET seen_in_run = excluded.seen_in_run");

    /// Services that are here, by place: number, ICCID, type, provider, activated, disconnected, has a package, run, has
    /// a line, written since `$3`, held. Locks them.
    FIND_SERVICES = concat!(with_pairs!(), "SELECT given.place, s.number, s.iccid, s.rev_service_type_id, s.rev_provider_id,
        s.activated_date, s.disconnected_date, s.has_package, s.seen_in_run, s.device_id IS NOT NULL,
        coalesce(s.stored_at >= $3, false), ", held!("s.device_id"), "
    FROM given
    CROSS JOIN LATERAL (SELECT s.number, s.iccid, s.rev_service_type_id, s.rev_provider_id, s.activated_date, s.disconnected_date,
            s.has_package, s.seen_in_run, s.device_id, s.stored_at FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id FOR NO KEY UPDATE) AS s");

    /// Services that the run has seen, likewise. `$3` run.
    MARK_SERVICES = concat!(with_pairs!(), "INSERT INTO rev_service (tenant_id, id, rev_customer_id, rev_service_id,
        has_package, seen_in_run)
    SELECT s.tenant_id, s.id, s.rev_customer_id, s.rev_service_id, s.has_package, $3::bigint
    FROM given
    CROSS JOIN LATERAL (SELECT s.tenant_id, s.id, s.rev_customer_id, s.rev_service_id, s.has_package FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id FOR NO KEY UPDATE) AS s
    ON CONFLICT (tenant_id, id) DO UPDATE SET seen_in_run = excluded.seen_in_run");

    /// The services of products given, by place: written since `$3`, held. Locks them against being written.
    FIND_SERVICES_OF_PRODUCTS = concat!(with_pairs!(), "SELECT given.place, coalesce(s.stored_at >= $3, false), ",
        held!("s.device_id"), "
    FROM given
    CROSS JOIN LATERAL (SELECT s.stored_at, s.device_id FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id FOR SHARE) AS s");

    /// Products that are here, by place: Rev.io's service, product, package, rate, quantity, status, description, run, written
    /// since `$3`. Locks them.
    FIND_PRODUCTS = concat!(with_pairs!(), "SELECT given.place, s.rev_service_id, p.rev_product_id, p.package_id, p.rate,
        p.quantity, p.status,
        p.description, p.seen_in_run, coalesce(p.stored_at >= $3, false)
    FROM given
    CROSS JOIN LATERAL (
        SELECT p.rev_service_id, p.rev_product_id, p.package_id, p.rate, p.quantity, p.status, p.description, p.seen_in_run,
            p.stored_at
        FROM rev_service_product AS p
        WHERE p.tenant_id = $1 AND p.rev_customer_id = given.customer AND p.rev_service_product_id = given.id
        FOR NO KEY UPDATE) AS p
    CROSS JOIN LATERAL (SELECT s.rev_service_id FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.id = p.rev_service_id OFFSET 0) AS s");

    /// Products that the run has seen, likewise. `$3` run.
    MARK_PRODUCTS = concat!(with_pairs!(), "INSERT INTO rev_service_product (
        tenant_id, id, rev_service_id, rev_customer_id, rev_service_product_id, rev_product_id, status, seen_in_run)
    SELECT p.tenant_id, p.id, p.rev_service_id, p.rev_customer_id, p.rev_service_product_id, p.rev_product_id, p.status,
        $3::bigint
    FROM given
    CROSS JOIN LATERAL (
        SELECT p.tenant_id, p.id, p.rev_service_id, p.rev_customer_id, p.rev_service_product_id, p.rev_product_id, p.status
        FROM rev_service_product AS p
        WHERE p.tenant_id = $1 AND p.rev_customer_id = given.customer AND p.rev_service_product_id = given.id
        FOR NO KEY UPDATE) AS p
    ON CONFLICT (tenant_id, id) DO UPDATE SET seen_in_run = excluded.seen_in_run");

    /// The link of the lines of the services given to their customer's connected service, where it is not right, by
    /// `rev_service_connected`. Locks the lines in device order.
    LINK_LINES = concat!(with_pairs!(), ", line AS MATERIALIZED (
        SELECT DISTINCT s.device_id FROM given
        CROSS JOIN LATERAL (SELECT s.device_id FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id OFFSET 0) AS s
        WHERE s.device_id IS NOT NULL ORDER BY s.device_id)
    INSERT INTO device_tenant (tenant_id, device_id, rev_service_id, is_active, is_deleted, version, modified_by, modified_at)
    SELECT dt.tenant_id, dt.device_id, linked.id, dt.is_active, dt.is_deleted, dt.version, dt.modified_by, dt.modified_at
    FROM line
    CROSS JOIN LATERAL (
        SELECT dt.tenant_id, dt.device_id, dt.rev_customer_id, dt.rev_service_id, dt.is_active, dt.is_deleted, dt.version,
            dt.modified_by, dt.modified_at
        FROM device_tenant AS dt WHERE dt.tenant_id = $1 AND dt.device_id = line.device_id FOR NO KEY UPDATE) AS dt
    CROSS JOIN LATERAL (SELECT max(s.id) AS id FROM rev_service AS s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
        AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL) AS linked
    WHERE dt.rev_service_id IS DISTINCT FROM linked.id
    ON CONFLICT (tenant_id, device_id) DO UPDATE SET rev_service_id = excluded.rev_service_id");

    /// Findings, each by primary key; one that is there already stays. Arrays of kind, subject, its id, customer, service, line,
    /// here, there, the line's id; without one the line is that of the service. `$3` run, `$4` now.
    STORE_FINDINGS = "WITH given AS MATERIALIZED (
        SELECT value->>0 AS kind, value->>1 AS subject, (value->>2)::bigint AS subject_id, (value->>3)::bigint AS customer,
            (value->>4)::bigint AS service, value->>5 AS line, value->>6 AS here, value->>7 AS there,
            (value->>8)::bigint AS device
        FROM json_array_elements($2::json))
    INSERT INTO sync_finding (
        tenant_id, sync_run_id, kind, subject, subject_id, rev_customer_id, rev_service_id, device_id, line, here, there, at)
    SELECT $1::bigint, $3::bigint, given.kind, given.subject, given.subject_id, given.customer, given.service,
        coalesce(given.device, s.device_id), coalesce(given.line, s.iccid, s.number), given.here, given.there, $4::bigint
    FROM given
    LEFT JOIN LATERAL (SELECT s.device_id, s.iccid, s.number FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.service OFFSET 0) AS s ON true
    ON CONFLICT DO NOTHING";

    /// Of services that a read found gone, those that are connected here and not held, by place. `$3` written since. Locks them.
    FIND_STILL_CONNECTED = concat!(with_pairs!(), "SELECT given.place FROM given
    CROSS JOIN LATERAL (SELECT s.disconnected_date, s.stored_at, s.device_id FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.rev_customer_id = given.customer AND s.rev_service_id = given.id FOR NO KEY UPDATE) AS s
    WHERE s.disconnected_date IS NULL AND NOT coalesce(s.stored_at >= $3, false) AND NOT ", held!("s.device_id"));

    /// Of products that a read found gone, those that are charged here and not held, by place. `$3` written since. Locks them.
    FIND_STILL_CHARGED = concat!(with_pairs!(), "SELECT given.place FROM given
    CROSS JOIN LATERAL (SELECT p.rev_service_id, p.status, p.stored_at FROM rev_service_product AS p
        WHERE p.tenant_id = $1 AND p.rev_customer_id = given.customer AND p.rev_service_product_id = given.id
        FOR NO KEY UPDATE) AS p
    CROSS JOIN LATERAL (SELECT s.device_id FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.id = p.rev_service_id OFFSET 0) AS s
    WHERE p.status IN ('PENDING', 'ACTIVE') AND NOT coalesce(p.stored_at >= $3, false) AND NOT ", held!("s.device_id"));

    /// The last of the next `$3` + 1 services after `$2`; none: there are no more than that. As on the embedded store.
    WINDOW_OF_SERVICES = "SELECT id FROM rev_service WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// The same of service products.
    WINDOW_OF_PRODUCTS = "SELECT id FROM rev_service_product WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// The same of lines.
    WINDOW_OF_LINES = "SELECT device_id FROM device_tenant WHERE tenant_id = $1
        AND device_id > $2 ORDER BY device_id LIMIT 1 OFFSET $3";

    /// Connected services of account `$4` after `$2` up to `$3` that run `$5` did not see, written before `$6`, not held. `$7`
    /// limit.
    LIST_UNSEEN_SERVICES = concat!("SELECT s.id, s.rev_customer_id, s.rev_service_id
    FROM rev_service AS s
    WHERE s.tenant_id = $1 AND s.id > $2 AND s.id <= $3 AND s.disconnected_date IS NULL AND s.seen_in_run IS DISTINCT FROM $5
      AND (s.stored_at IS NULL OR s.stored_at < $6) AND ", account_of!("s.rev_customer_id"), " = $4
      AND NOT ", held!("s.device_id"), "
    ORDER BY s.id LIMIT $7");

    /// Service products likewise.
    LIST_UNSEEN_PRODUCTS = concat!("SELECT p.id, p.rev_customer_id, s.rev_service_id, p.rev_service_product_id
    FROM rev_service_product AS p
    CROSS JOIN LATERAL (SELECT s.rev_service_id, s.stored_at, s.device_id FROM rev_service AS s
        WHERE s.tenant_id = $1 AND s.id = p.rev_service_id OFFSET 0) AS s
    WHERE p.tenant_id = $1 AND p.id > $2 AND p.id <= $3 AND p.status IN ('PENDING', 'ACTIVE') AND p.seen_in_run IS DISTINCT
        FROM $5
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
    LEFT JOIN LATERAL (SELECT d.iccid FROM device AS d WHERE d.tenant_id = $1 AND d.id = s.device_id OFFSET 0) AS d ON true
    LEFT JOIN LATERAL (SELECT dt.is_active, dt.is_deleted, dt.rev_customer_id, dt.site_id FROM device_tenant AS dt
        WHERE dt.tenant_id = $1 AND dt.device_id = s.device_id OFFSET 0) AS dt ON true
    WHERE s.tenant_id = $1 AND s.id > $2 AND s.id <= $3 AND s.disconnected_date IS NULL
      AND ", account_of!("s.rev_customer_id"), " = $4 AND ", charges!(), "
      AND (dt.is_active IS DISTINCT FROM 1 OR dt.is_deleted IS DISTINCT FROM 0
           OR dt.rev_customer_id IS DISTINCT FROM s.rev_customer_id)
      AND NOT ", held!("s.device_id"), "
    ON CONFLICT DO NOTHING");

    /// Lines assigned to a customer of account `$4` after `$2` up to `$3` without a connected service of that customer that
    /// charges
    /// something, by `rev_service_connected`. `$5` run, `$6` now.
    REPORT_ASSIGNED = concat!("INSERT INTO sync_finding (
        tenant_id, sync_run_id, kind, subject, subject_id, rev_customer_id, rev_service_id, device_id, line, here, there, at)
    SELECT dt.tenant_id, $5::bigint, 'assigned_not_billed', 'line', dt.device_id, dt.rev_customer_id,
        (SELECT max(s.rev_service_id) FROM rev_service AS s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL),
        dt.device_id, d.iccid, 'assigned to customer ' || dt.rev_customer_id,
        CASE WHEN (SELECT true FROM rev_service AS s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
                AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL LIMIT 1)
             THEN 'its service charges nothing' ELSE 'no connected service' END, $6::bigint
    FROM device_tenant AS dt
    CROSS JOIN LATERAL (SELECT d.iccid FROM device AS d WHERE d.tenant_id = $1 AND d.id = dt.device_id OFFSET 0) AS d
    WHERE dt.tenant_id = $1 AND dt.device_id > $2 AND dt.device_id <= $3 AND dt.is_active = 1 AND dt.is_deleted = 0
      AND ", account_of!("dt.rev_customer_id"), " = $4
      AND (SELECT true FROM rev_service AS s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL AND ", charges!(), " LIMIT 1) IS NULL
      AND NOT ", held!("dt.device_id"), "
    ON CONFLICT DO NOTHING");
}
