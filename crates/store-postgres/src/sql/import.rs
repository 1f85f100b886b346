//! Bringing in rows, at most 5,000 a call, in one transaction.
//!
//! Each kind first asks by one statement over a JSON array which of the rows, and of what they refer to, are there; the rows are
//! then written by one statement whose parameters are arrays, of one element a row. Upserts go by the natural key and take the
//! new values from `excluded`. A row that is given twice counts as it was given last: one statement may not write a row twice.
//! Rows are written in the order of their keys, so that any two imports lock them in the same order. Every search is by a
//! primary key or by the index that the statement's doc names: one for each row given, in a lateral subquery that OFFSET 0 keeps
//! apart. A planner that believes a tenant to have one row, as it does of a new one whose rows are just coming in, would
//! otherwise
//! begin with all of the tenant's.

/// Places and texts of a JSON array under `$2`, read in a CTE of their own: what reads JSON may not stand in an index search.
macro_rules! with_texts {
    () => {
        "WITH given AS MATERIALIZED (
            SELECT value AS text, place - 1 AS place FROM json_array_elements_text($2::json) WITH ORDINALITY AS listed(value,
                place)) "
    };
}

/// Which of the ids of a JSON array under `$2` exist, of the table under the alias `x`.
macro_rules! find_ids {
    ($columns:literal, $table:literal) => {
        concat!(
            "WITH given AS MATERIALIZED (SELECT value::bigint AS id FROM json_array_elements_text($2::json))
            SELECT x.id, x.beside FROM given CROSS JOIN LATERAL (SELECT x.id, ",
            $columns,
            " AS beside FROM ",
            $table,
            " AS x WHERE x.tenant_id = $1 AND x.id = given.id OFFSET 0) AS x"
        )
    };
}

lineshift_store::statements! {
    /// Place in the array, line, version of its assignment, provider. `$1` tenant, `$2` ICCIDs. Index: device_by_iccid.
    FIND_LINES = concat!(with_texts!(), "SELECT given.place, d.id, dt.version, d.service_provider_id, dt.rev_customer_id,
        dt.site_id
        FROM given
        CROSS JOIN LATERAL (SELECT d.id, d.service_provider_id FROM device AS d
            WHERE d.tenant_id = $1 AND d.iccid = given.text OFFSET 0) AS d
        CROSS JOIN LATERAL (SELECT dt.version, dt.rev_customer_id, dt.site_id FROM device_tenant AS dt
            WHERE dt.tenant_id = $1 AND dt.device_id = d.id OFFSET 0) AS dt");
    /// Place in the array, line. `$1` tenant, `$2` numbers. Index: device_by_number.
    FIND_LINES_BY_NUMBER = concat!(with_texts!(), "SELECT given.place, d.id
        FROM given
        CROSS JOIN LATERAL (SELECT d.id FROM device AS d
            WHERE d.tenant_id = $1 AND d.subscriber_number = given.text OFFSET 0) AS d");
    /// Which of these exist, and 0. `$1` tenant, `$2` ids.
    FIND_SERVICE_PROVIDERS = find_ids!("0", "service_provider");
    /// The same.
    FIND_INTEGRATION_AUTHENTICATIONS = find_ids!("0", "integration_authentication");
    /// The same, with the authentication instead.
    FIND_CUSTOMERS = find_ids!("x.integration_authentication_id", "rev_customer");
    /// The same, with the customer or 0 instead.
    FIND_SITES = find_ids!("coalesce(x.rev_customer_id, 0)", "site");
    /// The same.
    FIND_PLANS = find_ids!("0", "customer_rate_plan");
    /// The same.
    FIND_POOLS = find_ids!("0", "customer_rate_pool");
    /// Place in the array, id. `$1` tenant, `$2` pairs of customer and Rev.io's service id. Index: the unique one.
    FIND_REV_SERVICES = "WITH given AS MATERIALIZED (
            SELECT (value->>0)::bigint AS customer, (value->>1)::bigint AS service, place - 1 AS place
            FROM json_array_elements($2::json) WITH ORDINALITY AS listed(value, place))
        SELECT given.place, service.id
        FROM given
        CROSS JOIN LATERAL (SELECT s.id FROM rev_service AS s
            WHERE s.tenant_id = $1 AND s.rev_customer_id = given.customer
                AND s.rev_service_id = given.service OFFSET 0) AS service";
    /// Place in the array of those that wait with the same values already. `$1` tenant, `$2` arrays of line, date, plan,
    /// pool, allocation. Index: customer_rate_plan_device_queue_device.
    FIND_SAME_ENTRIES = "WITH given AS MATERIALIZED (
            SELECT (value->>0)::bigint AS line, (value->>1)::bigint AS date, (value->>2)::bigint AS plan,
                (value->>3)::bigint AS pool,
                value->>4 AS allocation, place - 1 AS place
            FROM json_array_elements($2::json) WITH ORDINALITY AS listed(value, place))
        SELECT given.place
        FROM given
        CROSS JOIN LATERAL (SELECT FROM customer_rate_plan_device_queue AS q
            WHERE q.tenant_id = $1 AND q.state = 'open' AND q.device_id = given.line AND q.effective_date = given.date
              AND q.customer_rate_plan_id IS NOT DISTINCT FROM given.plan
              AND q.customer_rate_pool_id IS NOT DISTINCT FROM given.pool
              AND q.customer_data_allocation_mb IS NOT DISTINCT FROM given.allocation OFFSET 0) AS same";

    /// `$1` tenant, `$2` id, `$3` provider, `$4` ICCID, `$5` number, `$6` IMEI, `$7` status, `$8` archived, `$9` activated,
    /// `$10` carrier plan, `$11` communication plan, `$12` address, `$13` carrier's id, `$14` now.
    UPSERT_DEVICE = "INSERT INTO device
        (tenant_id, id, service_provider_id, iccid, subscriber_number, imei, status, is_archived, is_deleted, activated_at,
         carrier_rate_plan, communication_plan, ip_address, carrier_device_id, created_at, modified_at)
        SELECT DISTINCT ON (id) tenant_id, id, provider, iccid, number, imei, status, archived, 0, activated,
            carrier_plan, communication_plan, address, carrier_device, now, now
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                    $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[])
            WITH ORDINALITY AS given(tenant_id, id, provider, iccid, number, imei, status, archived, activated, carrier_plan,
                communication_plan, address, carrier_device, now, place)
        ORDER BY id, place DESC
        ON CONFLICT (tenant_id, iccid) DO UPDATE SET
            service_provider_id = excluded.service_provider_id, subscriber_number = excluded.subscriber_number,
            imei = excluded.imei, status = excluded.status, is_archived = excluded.is_archived, gone_at = NULL, is_deleted = 0,
            activated_at = excluded.activated_at, carrier_rate_plan = excluded.carrier_rate_plan,
            communication_plan = excluded.communication_plan, ip_address = excluded.ip_address,
            carrier_device_id = excluded.carrier_device_id, modified_at = excluded.modified_at";
    /// The empty assignment of a new line. `$1` tenant, `$2` id, `$3` who, `$4` now.
    INSERT_EMPTY_ASSIGNMENT = "INSERT INTO device_tenant
        (tenant_id, device_id, is_active, is_deleted, version, modified_by, modified_at)
        SELECT tenant_id, id, 0, 0, 1, who, now
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[]) AS given(tenant_id, id, who, now)";

    /// `$1` tenant, `$2` id, `$3` name, `$4` authentication, `$5` active, `$6` now.
    UPSERT_CUSTOMER = "INSERT INTO rev_customer
        (tenant_id, id, name, integration_authentication_id, is_active, created_at, modified_at)
        SELECT DISTINCT ON (id) tenant_id, id, name, authentication, active, now, now
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
            WITH ORDINALITY AS given(tenant_id, id, name, authentication, active, now, place)
        ORDER BY id, place DESC
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            name = excluded.name, integration_authentication_id = excluded.integration_authentication_id,
            is_active = excluded.is_active, modified_at = excluded.modified_at";
    /// `$1` tenant, `$2` id, `$3` name, `$4` customer, `$5` active, `$6` now.
    UPSERT_SITE = "INSERT INTO site (tenant_id, id, name, rev_customer_id, is_active, created_at, modified_at)
        SELECT DISTINCT ON (id) tenant_id, id, name, customer, active, now, now
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
            WITH ORDINALITY AS given(tenant_id, id, name, customer, active, now, place)
        ORDER BY id, place DESC
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            name = excluded.name, rev_customer_id = excluded.rev_customer_id, is_active = excluded.is_active,
            modified_at = excluded.modified_at";
    /// `$1` tenant, `$2` id, `$3` name, `$4` price, `$5` default, `$6` bound, `$7` product, `$8` active, `$9` now.
    UPSERT_PLAN = "INSERT INTO customer_rate_plan
        (tenant_id, id, name, monthly_price, allocation_default_mb, allocation_bound_mb, rev_product_id, is_active, created_at,
         modified_at)
        SELECT DISTINCT ON (id) tenant_id, id, name, price, default_mb, bound_mb, product, active, now, now
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
                    $9::bigint[])
            WITH ORDINALITY AS given(tenant_id, id, name, price, default_mb, bound_mb, product, active, now, place)
        ORDER BY id, place DESC
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            name = excluded.name, monthly_price = excluded.monthly_price,
            allocation_default_mb = excluded.allocation_default_mb, allocation_bound_mb = excluded.allocation_bound_mb,
            rev_product_id = excluded.rev_product_id, is_active = excluded.is_active, modified_at = excluded.modified_at";
    /// `$1` tenant, `$2` id, `$3` name, `$4` active, `$5` now.
    UPSERT_POOL = "INSERT INTO customer_rate_pool (tenant_id, id, name, is_active, created_at, modified_at)
        SELECT DISTINCT ON (id) tenant_id, id, name, active, now, now
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
            WITH ORDINALITY AS given(tenant_id, id, name, active, now, place)
        ORDER BY id, place DESC
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            name = excluded.name, is_active = excluded.is_active, modified_at = excluded.modified_at";

    /// Writes only what differs; only customer, site, plan, pool and allocation raise the version. `$1` tenant, `$2` line,
    /// `$3` customer, `$4` site, `$5` account number, `$6` authentication, `$7` plan, `$8` pool, `$9` allocation,
    /// `$10` since when, `$11` who, `$12` now. Every line has its assignment from the start, so that each row meets the one that
    /// is there: each is one search, whatever the planner believes of the tenant. Locks the lines in device order.
    UPDATE_ASSIGNMENT = "INSERT INTO device_tenant AS here
        (tenant_id, device_id, rev_customer_id, site_id, account_number, account_number_integration_authentication_id,
         customer_rate_plan_id, customer_rate_pool_id, customer_data_allocation_mb, effective_date, is_active, is_deleted,
             version,
         modified_by, modified_at)
        SELECT DISTINCT ON (line) tenant_id, line, customer, site, account, authentication, plan, pool, allocation, since, 1, 0,
            1,
            who, now
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
                    $9::text[], $10::bigint[], $11::text[], $12::bigint[])
            WITH ORDINALITY AS given(tenant_id, line, customer, site, account, authentication, plan, pool, allocation, since, who,
                now, place)
        ORDER BY line, place DESC
        ON CONFLICT (tenant_id, device_id) DO UPDATE SET
            version = here.version + CASE WHEN here.rev_customer_id IS DISTINCT FROM excluded.rev_customer_id
                OR here.site_id IS DISTINCT FROM excluded.site_id
                OR here.customer_rate_plan_id IS DISTINCT FROM excluded.customer_rate_plan_id
                OR here.customer_rate_pool_id IS DISTINCT FROM excluded.customer_rate_pool_id
                OR here.customer_data_allocation_mb IS DISTINCT FROM excluded.customer_data_allocation_mb THEN 1 ELSE 0 END,
            rev_customer_id = excluded.rev_customer_id, site_id = excluded.site_id, account_number = excluded.account_number,
            account_number_integration_authentication_id = excluded.account_number_integration_authentication_id,
            customer_rate_plan_id = excluded.customer_rate_plan_id, customer_rate_pool_id = excluded.customer_rate_pool_id,
            customer_data_allocation_mb = excluded.customer_data_allocation_mb, effective_date = excluded.effective_date,
            is_active = 1, is_deleted = 0, modified_by = excluded.modified_by, modified_at = excluded.modified_at
        WHERE here.rev_customer_id IS DISTINCT FROM excluded.rev_customer_id OR here.site_id IS DISTINCT FROM excluded.site_id
           OR here.account_number IS DISTINCT FROM excluded.account_number
           OR here.account_number_integration_authentication_id
              IS DISTINCT FROM excluded.account_number_integration_authentication_id
           OR here.customer_rate_plan_id IS DISTINCT FROM excluded.customer_rate_plan_id
           OR here.customer_rate_pool_id IS DISTINCT FROM excluded.customer_rate_pool_id
           OR here.customer_data_allocation_mb IS DISTINCT FROM excluded.customer_data_allocation_mb
           OR here.effective_date IS DISTINCT FROM excluded.effective_date OR here.is_active = 0 OR here.is_deleted = 1";

    /// `$1` tenant, `$2` id, `$3` customer, `$4` number, `$5` ICCID, `$6` Rev.io's id, `$7` type, `$8` activated,
    /// `$9` provider, `$10` disconnected, `$11` line, `$12` package.
    UPSERT_REV_SERVICE = "INSERT INTO rev_service
        (tenant_id, id, rev_customer_id, number, iccid, rev_service_id, rev_service_type_id, activated_date, rev_provider_id,
         disconnected_date, device_id, has_package)
        SELECT DISTINCT ON (customer, service) tenant_id, id, customer, number, iccid, service, service_type, activated, provider,
            disconnected, line, package
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
                    $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
            WITH ORDINALITY AS given(tenant_id, id, customer, number, iccid, service, service_type, activated, provider,
                disconnected, line, package, place)
        ORDER BY customer, service, place DESC
        ON CONFLICT (tenant_id, rev_customer_id, rev_service_id) DO UPDATE SET
            number = excluded.number, iccid = excluded.iccid, rev_service_type_id = excluded.rev_service_type_id,
            activated_date = excluded.activated_date, rev_provider_id = excluded.rev_provider_id,
            disconnected_date = excluded.disconnected_date, device_id = excluded.device_id, has_package = excluded.has_package";
    /// `$1` tenant, `$2` id, `$3` service, `$4` customer, `$5` Rev.io's id, `$6` product, `$7` rate, `$8` quantity,
    /// `$9` status, `$10` description.
    UPSERT_REV_PRODUCT = "INSERT INTO rev_service_product
        (tenant_id, id, rev_service_id, rev_customer_id, rev_service_product_id, rev_product_id, rate, quantity, status,
         description)
        SELECT DISTINCT ON (customer, service_product) tenant_id, id, service, customer, service_product, product, rate, quantity,
            status, description
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
                    $9::text[], $10::text[])
            WITH ORDINALITY AS given(tenant_id, id, service, customer, service_product, product, rate, quantity, status,
                description, place)
        ORDER BY customer, service_product, place DESC
        ON CONFLICT (tenant_id, rev_customer_id, rev_service_product_id) DO UPDATE SET
            rev_service_id = excluded.rev_service_id, rev_product_id = excluded.rev_product_id, rate = excluded.rate,
            quantity = excluded.quantity, status = excluded.status, description = excluded.description";

    /// A change of which every row is done: `$1` tenant, `$2` id, `$3` portal, `$4` provider, `$5` order, `$6` who,
    /// `$7` now, `$8` first row, `$9` last row, `$10` rows, `$11` its place in the order of changes.
    INSERT_IMPORTED_CHANGE = "INSERT INTO device_bulk_change
        (tenant_id, id, change_request_type_id, portal_type, service_provider_id, identifier, order_json, name, created_by,
         created_by_id, runs_as_id, created_at, stored_order, started_at, begun_at, processed_by, processed_at, attempt,
         first_device_change_id, last_device_change_id, total_count, open_count, processed_count, error_count, canceled_count,
         rejected_count, duplicate_count, scheduled_failed_count)
        VALUES ($1, $2, 4, $3, $4, 'iccid', $5, 'Imported', $6, 0, 0, $7, $11, $7, $7, $6, $7, 1, $8, $9, $10, 0, $10, 0, 0,
                0, 0, 0)";
    /// `$1` tenant, `$2` id, `$3` change, `$4` place in the call, `$5` line, `$6` ICCID, `$7` values and date,
    /// `$8` version, `$9` details, `$10` now.
    INSERT_IMPORTED_ROW = "INSERT INTO device_change
        (tenant_id, id, bulk_change_id, request_position, device_id, iccid, per_device, judged_version, holds, status,
         status_details, is_processed, processed_at, attempt)
        SELECT tenant_id, id, change, position, line, iccid, per_device, version, 0, 'PROCESSED', details, 1, now, 1
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[],
                    $9::text[], $10::bigint[])
            AS given(tenant_id, id, change, position, line, iccid, per_device, version, details, now)";
    /// `$1` tenant, `$2` id, `$3` change, `$4` line, `$5` customer, `$6` site, `$7` plan, `$8` pool, `$9` allocation,
    /// `$10` date, `$11` portal, `$12` who, `$13` now.
    INSERT_IMPORTED_ENTRY = "INSERT INTO customer_rate_plan_device_queue
        (tenant_id, device_change_id, bulk_change_id, device_id, rev_customer_id, site_id, customer_rate_plan_id,
         customer_rate_pool_id, customer_data_allocation_mb, effective_date, portal_type, created_by, created_at, is_active,
         state, attempt)
        SELECT tenant_id, id, change, line, customer, site, plan, pool, allocation, date, portal, who, now, 1, 'open', 1
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[],
                    $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::bigint[])
            AS given(tenant_id, id, change, line, customer, site, plan, pool, allocation, date, portal, who, now)";
}
