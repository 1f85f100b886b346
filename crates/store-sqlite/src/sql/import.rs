//! Bringing in rows, at most 5,000 a call, in one transaction under the writer's lock.
//!
//! Each kind first asks by one statement over a JSON array which of the rows, and of what they refer to, are there; the
//! rows are then written by one prepared statement in a loop, which SQLite does in its own process at 2 to 4 µs a row:
//! a statement over JSON would parse every field of every row once more. Upserts go by the natural key and take the new
//! values from `excluded`. Every search is by a primary key or by the index that the statement's doc names.

lineshift_store::statements! {
    /// Place in the array, line, version of its assignment, provider. `$1` tenant, `$2` ICCIDs. Index: device_by_iccid.
    FIND_LINES = "SELECT line.key, d.id, dt.version, d.service_provider_id, dt.rev_customer_id, dt.site_id
        FROM json_each($2) AS line
        CROSS JOIN device AS d ON d.tenant_id = $1 AND d.iccid = line.value
        CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id";
    /// Place in the array, line. `$1` tenant, `$2` numbers. Index: device_by_number.
    FIND_LINES_BY_NUMBER = "SELECT line.key, d.id
        FROM json_each($2) AS line
        CROSS JOIN device AS d INDEXED BY device_by_number ON d.tenant_id = $1 AND d.subscriber_number = line.value";
    /// Which of these exist. `$1` tenant, `$2` ids.
    FIND_SERVICE_PROVIDERS = "SELECT id FROM service_provider WHERE tenant_id = $1 AND id IN (SELECT value FROM json_each($2))";
    /// The same.
    FIND_INTEGRATION_AUTHENTICATIONS =
        "SELECT id FROM integration_authentication WHERE tenant_id = $1 AND id IN (SELECT value FROM json_each($2))";
    /// The same, with the authentication.
    FIND_CUSTOMERS = "SELECT id, integration_authentication_id
        FROM rev_customer WHERE tenant_id = $1 AND id IN (SELECT value FROM json_each($2))";
    /// The same, with the customer or 0.
    FIND_SITES = "SELECT id, COALESCE(rev_customer_id, 0)
        FROM site WHERE tenant_id = $1 AND id IN (SELECT value FROM json_each($2))";
    /// The same.
    FIND_PLANS = "SELECT id FROM customer_rate_plan WHERE tenant_id = $1 AND id IN (SELECT value FROM json_each($2))";
    /// The same.
    FIND_POOLS = "SELECT id FROM customer_rate_pool WHERE tenant_id = $1 AND id IN (SELECT value FROM json_each($2))";
    /// Place in the array, id. `$1` tenant, `$2` pairs of customer and Rev.io's service id. Index: the unique one.
    FIND_REV_SERVICES = "SELECT pair.key, service.id
        FROM json_each($2) AS pair
        CROSS JOIN rev_service AS service
          ON service.tenant_id = $1 AND service.rev_customer_id = json_extract(pair.value, '$[0]')
         AND service.rev_service_id = json_extract(pair.value, '$[1]')";
    /// Place in the array of those that wait with the same values already. `$1` tenant, `$2` arrays of line, date, plan,
    /// pool, allocation. Index: customer_rate_plan_device_queue_device.
    FIND_SAME_ENTRIES = "SELECT asked.key
        FROM json_each($2) AS asked
        CROSS JOIN customer_rate_plan_device_queue AS queued
          ON queued.tenant_id = $1 AND queued.state = 'open' AND queued.device_id = json_extract(asked.value, '$[0]')
         AND queued.effective_date = json_extract(asked.value, '$[1]')
       WHERE queued.customer_rate_plan_id IS json_extract(asked.value, '$[2]')
         AND queued.customer_rate_pool_id IS json_extract(asked.value, '$[3]')
         AND queued.customer_data_allocation_mb IS json_extract(asked.value, '$[4]')";

    /// `$1` tenant, `$2` id, `$3` provider, `$4` ICCID, `$5` number, `$6` IMEI, `$7` status, `$8` archived, `$9` activated,
    /// `$10` carrier plan, `$11` communication plan, `$12` address, `$13` carrier's id, `$14` now.
    UPSERT_DEVICE = "INSERT INTO device
        (tenant_id, id, service_provider_id, iccid, subscriber_number, imei, status, is_archived, is_deleted, activated_at,
         carrier_rate_plan, communication_plan, ip_address, carrier_device_id, created_at, modified_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, $12, $13, $14, $14)
        ON CONFLICT (tenant_id, iccid) DO UPDATE SET
            service_provider_id = excluded.service_provider_id, subscriber_number = excluded.subscriber_number,
            imei = excluded.imei, status = excluded.status, is_archived = excluded.is_archived, gone_at = NULL, is_deleted = 0,
            activated_at = excluded.activated_at, carrier_rate_plan = excluded.carrier_rate_plan,
            communication_plan = excluded.communication_plan, ip_address = excluded.ip_address,
            carrier_device_id = excluded.carrier_device_id, modified_at = excluded.modified_at";
    /// The empty assignment of a new line. `$1` tenant, `$2` id, `$3` who, `$4` now.
    INSERT_EMPTY_ASSIGNMENT = "INSERT INTO device_tenant
        (tenant_id, device_id, is_active, is_deleted, version, modified_by, modified_at) VALUES ($1, $2, 0, 0, 1, $3, $4)";

    /// `$1` tenant, `$2` id, `$3` name, `$4` authentication, `$5` active, `$6` now.
    UPSERT_CUSTOMER = "INSERT INTO rev_customer
        (tenant_id, id, name, integration_authentication_id, is_active, created_at, modified_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            name = excluded.name, integration_authentication_id = excluded.integration_authentication_id,
            is_active = excluded.is_active, modified_at = excluded.modified_at";
    /// `$1` tenant, `$2` id, `$3` name, `$4` customer, `$5` active, `$6` now.
    UPSERT_SITE = "INSERT INTO site (tenant_id, id, name, rev_customer_id, is_active, created_at, modified_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            name = excluded.name, rev_customer_id = excluded.rev_customer_id, is_active = excluded.is_active,
            modified_at = excluded.modified_at";
    /// `$1` tenant, `$2` id, `$3` name, `$4` price, `$5` default, `$6` bound, `$7` product, `$8` active, `$9` now.
    UPSERT_PLAN = "INSERT INTO customer_rate_plan
        (tenant_id, id, name, monthly_price, allocation_default_mb, allocation_bound_mb, rev_product_id, is_active, created_at,
         modified_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            name = excluded.name, monthly_price = excluded.monthly_price,
            allocation_default_mb = excluded.allocation_default_mb, allocation_bound_mb = excluded.allocation_bound_mb,
            rev_product_id = excluded.rev_product_id, is_active = excluded.is_active, modified_at = excluded.modified_at";
    /// `$1` tenant, `$2` id, `$3` name, `$4` active, `$5` now.
    UPSERT_POOL = "INSERT INTO customer_rate_pool (tenant_id, id, name, is_active, created_at, modified_at)
        VALUES ($1, $2, $3, $4, $5, $5)
        ON CONFLICT (tenant_id, id) DO UPDATE SET
            name = excluded.name, is_active = excluded.is_active, modified_at = excluded.modified_at";

    /// Writes only what differs; only customer, site, plan, pool and allocation raise the version. `$1` tenant, `$2` line,
    /// `$3` customer, `$4` site, `$5` account number, `$6` authentication, `$7` plan, `$8` pool, `$9` allocation,
    /// `$10` since when, `$11` who, `$12` now.
    UPDATE_ASSIGNMENT = "UPDATE device_tenant SET
            version = version + (rev_customer_id IS NOT $3 OR site_id IS NOT $4 OR customer_rate_plan_id IS NOT $7
                                 OR customer_rate_pool_id IS NOT $8 OR customer_data_allocation_mb IS NOT $9),
            rev_customer_id = $3, site_id = $4, account_number = $5, account_number_integration_authentication_id = $6,
            customer_rate_plan_id = $7, customer_rate_pool_id = $8, customer_data_allocation_mb = $9, effective_date = $10,
            is_active = 1, is_deleted = 0, modified_by = $11, modified_at = $12
        WHERE tenant_id = $1 AND device_id = $2
          AND (rev_customer_id IS NOT $3 OR site_id IS NOT $4 OR account_number IS NOT $5
               OR account_number_integration_authentication_id IS NOT $6 OR customer_rate_plan_id IS NOT $7
               OR customer_rate_pool_id IS NOT $8 OR customer_data_allocation_mb IS NOT $9 OR effective_date IS NOT $10
               OR is_active = 0 OR is_deleted = 1)";

    /// `$1` tenant, `$2` id, `$3` customer, `$4` number, `$5` ICCID, `$6` Rev.io's id, `$7` type, `$8` activated,
    /// `$9` provider, `$10` disconnected, `$11` line, `$12` package.
    UPSERT_REV_SERVICE = "INSERT INTO rev_service
        (tenant_id, id, rev_customer_id, number, iccid, rev_service_id, rev_service_type_id, activated_date, rev_provider_id,
         disconnected_date, device_id, has_package)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (tenant_id, rev_customer_id, rev_service_id) DO UPDATE SET
            number = excluded.number, iccid = excluded.iccid, rev_service_type_id = excluded.rev_service_type_id,
            activated_date = excluded.activated_date, rev_provider_id = excluded.rev_provider_id,
            disconnected_date = excluded.disconnected_date, device_id = excluded.device_id, has_package = excluded.has_package";
    /// `$1` tenant, `$2` id, `$3` service, `$4` customer, `$5` Rev.io's id, `$6` product, `$7` rate, `$8` quantity,
    /// `$9` status, `$10` description.
    UPSERT_REV_PRODUCT = "INSERT INTO rev_service_product
        (tenant_id, id, rev_service_id, rev_customer_id, rev_service_product_id, rev_product_id, rate, quantity, status,
         description)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
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
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 'PROCESSED', $9, 1, $10, 1)";
    /// `$1` tenant, `$2` id, `$3` change, `$4` line, `$5` customer, `$6` site, `$7` plan, `$8` pool, `$9` allocation,
    /// `$10` date, `$11` portal, `$12` who, `$13` now.
    INSERT_IMPORTED_ENTRY = "INSERT INTO customer_rate_plan_device_queue
        (tenant_id, device_change_id, bulk_change_id, device_id, rev_customer_id, site_id, customer_rate_plan_id,
         customer_rate_pool_id, customer_data_allocation_mb, effective_date, portal_type, created_by, created_at, is_active,
         state, attempt)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, 'open', 1)";
}
