//! Statements of synchronisation. Rows come as JSON arrays, at most a page of them, each found by primary key or by the unique
//! index of Rev.io's ids; what walks through what is stored walks a range of a primary key.

/// Customer and Rev.io's id, given as a JSON array under `$2`, with their place.
macro_rules! pairs {
    () => {
        "(SELECT key AS place, json_extract(value, '$[0]') AS customer, json_extract(value, '$[1]') AS id FROM json_each($2)) AS x"
    };
}

/// Whether an open change, or one with something unknown, holds the line: by `device_change_holding`.
macro_rules! held {
    ($line:literal) => {
        concat!("EXISTS (SELECT 1 FROM device_change h WHERE h.tenant_id = $1 AND h.device_id = ", $line, " AND h.holds <> 0)")
    };
}

/// Whether a connected service charges anything: a package, or a product by `rev_service_product_charged`.
macro_rules! charges {
    () => {
        "(s.has_package = 1 OR EXISTS (SELECT 1 FROM rev_service_product p
            WHERE p.tenant_id = $1 AND p.rev_service_id = s.id AND p.status IN ('PENDING', 'ACTIVE')))"
    };
}

lineshift_store::statements! {
    /// Customers that are here, with their place in the array of ids: account, name, active, closed there, updated there, run.
    FIND_CUSTOMERS = "SELECT x.key, c.integration_authentication_id, c.name, c.is_active, c.closed_there, c.updated_there, c.seen_in_run
    FROM json_each($2) AS x CROSS JOIN rev_customer c ON c.tenant_id = $1 AND c.id = x.value";

    /// Customers new or changed. `$3` account, `$4` now.
    STORE_CUSTOMERS = "INSERT INTO rev_customer (
        tenant_id, id, name, integration_authentication_id, is_active, created_at, modified_at, closed_there, updated_there)
    SELECT $1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), $3, json_extract(value, '$[2]'), $4, $4,
        json_extract(value, '$[3]'), json_extract(value, '$[4]')
    FROM json_each($2) WHERE true
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        name = excluded.name, is_active = excluded.is_active, modified_at = excluded.modified_at,
        closed_there = excluded.closed_there, updated_there = excluded.updated_there";

    /// The first site of each new customer. `$3` the first id, `$4` now.
    STORE_FIRST_SITES = "INSERT INTO site (tenant_id, id, name, rev_customer_id, is_active, created_at, modified_at)
    SELECT $1, $3 + key, json_extract(value, '$[1]'), json_extract(value, '$[0]'), 1, $4, $4 FROM json_each($2)";

    /// Customers that the run has seen: ids, each by primary key. `$3` run.
    MARK_CUSTOMERS = "UPDATE rev_customer SET seen_in_run = $3
    FROM json_each($2) AS x WHERE rev_customer.tenant_id = $1 AND rev_customer.id = x.value";

    /// Services that are here, by place: number, ICCID, type, provider, activated, disconnected, has a package, run, has
    /// a line, written since `$3`, held.
    FIND_SERVICES = concat!("SELECT x.place, s.number, s.iccid, s.rev_service_type_id, s.rev_provider_id, s.activated_date,
        s.disconnected_date, s.has_package, s.seen_in_run, s.device_id IS NOT NULL, coalesce(s.stored_at >= $3, 0), ", held!("s.device_id"), "
    FROM ", pairs!(), "
    CROSS JOIN rev_service s ON s.tenant_id = $1 AND s.rev_customer_id = x.customer AND s.rev_service_id = x.id");

    /// Services that the run has seen. `$3` run.
    MARK_SERVICES = concat!("UPDATE rev_service SET seen_in_run = $3 FROM ", pairs!(), "
    WHERE rev_service.tenant_id = $1 AND rev_service.rev_customer_id = x.customer AND rev_service.rev_service_id = x.id");

    /// The services of products given, by place: written since `$3`, held.
    FIND_SERVICES_OF_PRODUCTS = concat!("SELECT x.place, coalesce(s.stored_at >= $3, 0), ", held!("s.device_id"), "
    FROM ", pairs!(), "
    CROSS JOIN rev_service s ON s.tenant_id = $1 AND s.rev_customer_id = x.customer AND s.rev_service_id = x.id");

    /// Products that are here, by place: Rev.io's service, product, package, rate, quantity, status, description, run, written
    /// since `$3`.
    FIND_PRODUCTS = concat!("SELECT x.place, s.rev_service_id, p.rev_product_id, p.package_id, p.rate, p.quantity, p.status,
        p.description, p.seen_in_run, coalesce(p.stored_at >= $3, 0)
    FROM ", pairs!(), "
    CROSS JOIN rev_service_product p ON p.tenant_id = $1 AND p.rev_customer_id = x.customer AND p.rev_service_product_id = x.id
    CROSS JOIN rev_service s ON s.tenant_id = $1 AND s.id = p.rev_service_id");

    /// Products that the run has seen. `$3` run.
    MARK_PRODUCTS = concat!("UPDATE rev_service_product SET seen_in_run = $3 FROM ", pairs!(), "
    WHERE rev_service_product.tenant_id = $1 AND rev_service_product.rev_customer_id = x.customer
      AND rev_service_product.rev_service_product_id = x.id");

    /// The link of the lines of the services given to their customer's connected service, where it is not right, by
    /// `rev_service_connected`.
    LINK_LINES = concat!("UPDATE device_tenant AS dt SET rev_service_id = (
        SELECT max(s.id) FROM rev_service s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL)
    WHERE dt.tenant_id = $1 AND dt.device_id IN (SELECT given.device_id FROM ", pairs!(), "
            CROSS JOIN rev_service given
               ON given.tenant_id = $1 AND given.rev_customer_id = x.customer AND given.rev_service_id = x.id)
      AND dt.rev_service_id IS NOT (
        SELECT max(s.id) FROM rev_service s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL)");

    /// Findings, each by primary key; one that is there already stays. Arrays of kind, subject, its id, customer, service, line, here,
    /// there, the line's id; without one the line is that of the service. `$3` run, `$4` now.
    STORE_FINDINGS = "INSERT INTO sync_finding (
        tenant_id, sync_run_id, kind, subject, subject_id, rev_customer_id, rev_service_id, device_id, line, here, there, at)
    SELECT $1, $3, json_extract(x.value, '$[0]'), json_extract(x.value, '$[1]'), json_extract(x.value, '$[2]'),
        json_extract(x.value, '$[3]'), json_extract(x.value, '$[4]'), coalesce(json_extract(x.value, '$[8]'), s.device_id),
        coalesce(json_extract(x.value, '$[5]'), s.iccid, s.number), json_extract(x.value, '$[6]'), json_extract(x.value, '$[7]'), $4
    FROM json_each($2) AS x
    LEFT JOIN rev_service s ON s.tenant_id = $1 AND s.rev_customer_id = json_extract(x.value, '$[3]')
          AND s.rev_service_id = json_extract(x.value, '$[4]')
    WHERE true
    ON CONFLICT DO NOTHING";

    /// Of services that a read found gone, those that are connected here and not held, by place. `$3` written since.
    FIND_STILL_CONNECTED = concat!("SELECT x.place FROM ", pairs!(), "
    CROSS JOIN rev_service s ON s.tenant_id = $1 AND s.rev_customer_id = x.customer AND s.rev_service_id = x.id
    WHERE s.disconnected_date IS NULL AND NOT coalesce(s.stored_at >= $3, 0) AND NOT ", held!("s.device_id"));

    /// Of products that a read found gone, those that are charged here and not held, by place. `$3` written since.
    FIND_STILL_CHARGED = concat!("SELECT x.place FROM ", pairs!(), "
    CROSS JOIN rev_service_product p ON p.tenant_id = $1 AND p.rev_customer_id = x.customer AND p.rev_service_product_id = x.id
    CROSS JOIN rev_service s ON s.tenant_id = $1 AND s.id = p.rev_service_id
    WHERE p.status IN ('PENDING', 'ACTIVE') AND NOT coalesce(p.stored_at >= $3, 0) AND NOT ", held!("s.device_id"));

    /// The last of the next `$3` + 1 services after `$2`; none: there are no more than that.
    WINDOW_OF_SERVICES = "SELECT id FROM rev_service WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// The same of service products.
    WINDOW_OF_PRODUCTS = "SELECT id FROM rev_service_product WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";

    /// The same of lines.
    WINDOW_OF_LINES = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND device_id > $2 ORDER BY device_id LIMIT 1 OFFSET $3";

    /// Connected services of account `$4` after `$2` up to `$3` that run `$5` did not see, written before `$6`, not held. `$7` limit.
    LIST_UNSEEN_SERVICES = concat!("SELECT s.id, s.rev_customer_id, s.rev_service_id
    FROM rev_service s CROSS JOIN rev_customer c ON c.tenant_id = $1 AND c.id = s.rev_customer_id
    WHERE s.tenant_id = $1 AND s.id > $2 AND s.id <= $3 AND s.disconnected_date IS NULL AND s.seen_in_run IS NOT $5
      AND (s.stored_at IS NULL OR s.stored_at < $6) AND c.integration_authentication_id = $4 AND NOT ", held!("s.device_id"), "
    ORDER BY s.id LIMIT $7");

    /// Service products likewise. The plus keeps the planner from `rev_service_product_charged`, which knows only the tenant here.
    LIST_UNSEEN_PRODUCTS = concat!("SELECT p.id, p.rev_customer_id, s.rev_service_id, p.rev_service_product_id
    FROM rev_service_product p
    CROSS JOIN rev_service s ON s.tenant_id = $1 AND s.id = p.rev_service_id
    CROSS JOIN rev_customer c ON c.tenant_id = $1 AND c.id = p.rev_customer_id
    WHERE p.tenant_id = $1 AND p.id > $2 AND p.id <= $3 AND +p.status IN ('PENDING', 'ACTIVE') AND p.seen_in_run IS NOT $5
      AND (p.stored_at IS NULL OR p.stored_at < $6) AND (s.stored_at IS NULL OR s.stored_at < $6)
      AND c.integration_authentication_id = $4 AND NOT ", held!("s.device_id"), "
    ORDER BY p.id LIMIT $7");

    /// Connected services of account `$4` after `$2` up to `$3` that charge something although their line is not the customer's.
    /// `$5` run, `$6` now.
    REPORT_BILLED = concat!("INSERT INTO sync_finding (
        tenant_id, sync_run_id, kind, subject, subject_id, rev_customer_id, rev_service_id, device_id, line, here, there, at)
    SELECT $1, $5, 'billed_not_assigned', 'service', s.rev_service_id, s.rev_customer_id, s.rev_service_id, s.device_id,
        coalesce(d.iccid, s.iccid, s.number),
        CASE WHEN s.device_id IS NULL THEN 'no such line'
             WHEN dt.is_active IS NOT 1 OR dt.is_deleted IS NOT 0 OR (dt.rev_customer_id IS NULL AND dt.site_id IS NULL)
                THEN 'assigned to nobody'
             WHEN dt.rev_customer_id IS NULL THEN 'assigned to site ' || dt.site_id
             ELSE 'assigned to customer ' || dt.rev_customer_id END,
        'service ' || s.rev_service_id || ' is billed to customer ' || s.rev_customer_id, $6
    FROM rev_service s
    CROSS JOIN rev_customer c ON c.tenant_id = $1 AND c.id = s.rev_customer_id
    LEFT JOIN device d ON d.tenant_id = $1 AND d.id = s.device_id
    LEFT JOIN device_tenant dt ON dt.tenant_id = $1 AND dt.device_id = s.device_id
    WHERE s.tenant_id = $1 AND s.id > $2 AND s.id <= $3 AND s.disconnected_date IS NULL
      AND c.integration_authentication_id = $4 AND ", charges!(), "
      AND (dt.is_active IS NOT 1 OR dt.is_deleted IS NOT 0 OR dt.rev_customer_id IS NOT s.rev_customer_id)
      AND NOT ", held!("s.device_id"), "
    ON CONFLICT DO NOTHING");

    /// Lines assigned to a customer of account `$4` after `$2` up to `$3` without a connected service of that customer that charges
    /// something, by `rev_service_connected`. `$5` run, `$6` now.
    REPORT_ASSIGNED = concat!("INSERT INTO sync_finding (
        tenant_id, sync_run_id, kind, subject, subject_id, rev_customer_id, rev_service_id, device_id, line, here, there, at)
    SELECT $1, $5, 'assigned_not_billed', 'line', dt.device_id, dt.rev_customer_id,
        (SELECT max(s.rev_service_id) FROM rev_service s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL),
        dt.device_id, d.iccid, 'assigned to customer ' || dt.rev_customer_id,
        CASE WHEN EXISTS (SELECT 1 FROM rev_service s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
                AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL)
             THEN 'its service charges nothing' ELSE 'no connected service' END, $6
    FROM device_tenant dt
    CROSS JOIN rev_customer c ON c.tenant_id = $1 AND c.id = dt.rev_customer_id
    CROSS JOIN device d ON d.tenant_id = $1 AND d.id = dt.device_id
    WHERE dt.tenant_id = $1 AND dt.device_id > $2 AND dt.device_id <= $3 AND dt.is_active = 1 AND dt.is_deleted = 0
      AND c.integration_authentication_id = $4
      AND NOT EXISTS (SELECT 1 FROM rev_service s WHERE s.tenant_id = $1 AND s.device_id = dt.device_id
            AND s.rev_customer_id = dt.rev_customer_id AND s.disconnected_date IS NULL AND ", charges!(), ")
      AND NOT ", held!("dt.device_id"), "
    ON CONFLICT DO NOTHING");
}
