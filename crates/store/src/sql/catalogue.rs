//! Reference data. Creates and updates take `$1` tenant, `$2` id, then the fields in the order of the columns, then now;
//! gets take `$1` tenant, `$2` id; lists `$1` tenant, `$2` the id before the first, `$3` how many.

crate::statements! {
    /// name, kind, is active.
    CREATE_INTEGRATION_AUTHENTICATION = "INSERT INTO integration_authentication
        (tenant_id, id, name, integration_kind, is_active, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    /// id, name, kind, is active.
    GET_INTEGRATION_AUTHENTICATION = "SELECT id, name, integration_kind, is_active
        FROM integration_authentication WHERE tenant_id = $1 AND id = $2";
    /// Leaves the address and the secret as they are; has no time of change.
    UPDATE_INTEGRATION_AUTHENTICATION = "UPDATE integration_authentication
        SET name = $3, integration_kind = $4, is_active = $5 WHERE tenant_id = $1 AND id = $2";
    /// The columns of the get.
    LIST_INTEGRATION_AUTHENTICATIONS = "SELECT id, name, integration_kind, is_active
        FROM integration_authentication WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";

    /// name, kind, authentication, write enabled, is active.
    CREATE_SERVICE_PROVIDER = "INSERT INTO service_provider
        (tenant_id, id, name, integration_kind, integration_authentication_id, write_enabled, is_active, created_at, modified_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
    /// id, name, kind, authentication, write enabled, is active.
    GET_SERVICE_PROVIDER = "SELECT id, name, integration_kind, integration_authentication_id, write_enabled, is_active
        FROM service_provider WHERE tenant_id = $1 AND id = $2";
    /// Every field; leaves the credentials of its callbacks as they are.
    UPDATE_SERVICE_PROVIDER = "UPDATE service_provider
        SET name = $3, integration_kind = $4, integration_authentication_id = $5, write_enabled = $6, is_active = $7,
            modified_at = $8
        WHERE tenant_id = $1 AND id = $2";
    /// The columns of the get.
    LIST_SERVICE_PROVIDERS = "SELECT id, name, integration_kind, integration_authentication_id, write_enabled, is_active
        FROM service_provider WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";

    /// name, authentication, is active.
    CREATE_REV_CUSTOMER = "INSERT INTO rev_customer
        (tenant_id, id, name, integration_authentication_id, is_active, created_at, modified_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)";
    /// id, name, authentication, is active.
    GET_REV_CUSTOMER = "SELECT id, name, integration_authentication_id, is_active
        FROM rev_customer WHERE tenant_id = $1 AND id = $2";
    /// Every field.
    UPDATE_REV_CUSTOMER = "UPDATE rev_customer
        SET name = $3, integration_authentication_id = $4, is_active = $5, modified_at = $6 WHERE tenant_id = $1 AND id = $2";
    /// The columns of the get.
    LIST_REV_CUSTOMERS = "SELECT id, name, integration_authentication_id, is_active
        FROM rev_customer WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";

    /// name, customer, is active.
    CREATE_SITE = "INSERT INTO site
        (tenant_id, id, name, rev_customer_id, is_active, created_at, modified_at) VALUES ($1, $2, $3, $4, $5, $6, $6)";
    /// id, name, customer, is active.
    GET_SITE = "SELECT id, name, rev_customer_id, is_active FROM site WHERE tenant_id = $1 AND id = $2";
    /// Every field.
    UPDATE_SITE = "UPDATE site
        SET name = $3, rev_customer_id = $4, is_active = $5, modified_at = $6 WHERE tenant_id = $1 AND id = $2";
    /// The columns of the get.
    LIST_SITES = "SELECT id, name, rev_customer_id, is_active
        FROM site WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    /// A customer's first active site by id (B4.2), the columns of the get. `$1` tenant, `$2` customer.
    FIRST_ACTIVE_SITE = "SELECT id, name, rev_customer_id, is_active
        FROM site WHERE tenant_id = $1 AND rev_customer_id = $2 AND is_active = 1 ORDER BY id LIMIT 1";

    /// The active sites of a customer by id, the columns of the get, by `site_by_customer`. `$1` tenant, `$2` customer, `$3` the id before the
    /// first, `$4` how many.
    LIST_SITES_OF_CUSTOMER = "SELECT id, name, rev_customer_id, is_active
        FROM site WHERE tenant_id = $1 AND rev_customer_id = $2 AND is_active = 1 AND id > $3 ORDER BY id LIMIT $4";

    /// Active customers whose name begins so, by name: id, name. `$1` tenant, `$2` the text, `$3` the last letter that there is, `$4` how
    /// many. Rows: as many, by `rev_customer_by_name`.
    FIND_CUSTOMERS_BY_BEGINNING = "SELECT id, name FROM rev_customer
        WHERE tenant_id = $1 AND is_active = 1 AND search_name >= lower(CAST($2 AS TEXT))
          AND search_name < lower(CAST($2 AS TEXT)) || CAST($3 AS TEXT) ORDER BY search_name, id LIMIT $4";
    /// Likewise sites that are customers themselves, by `site_by_name`.
    FIND_AMOP_SITES_BY_BEGINNING = "SELECT id, name FROM site
        WHERE tenant_id = $1 AND rev_customer_id IS NULL AND is_active = 1 AND search_name >= lower(CAST($2 AS TEXT))
          AND search_name < lower(CAST($2 AS TEXT)) || CAST($3 AS TEXT) ORDER BY search_name, id LIMIT $4";
    /// Active customers in whose name it stands, by name: id. `$1` tenant, `$2` the text with `!` before what has a meaning in patterns, `$3`
    /// how many names are looked through, `$4` how many are answered. Rows: so many, by `rev_customer_by_name`.
    FIND_CUSTOMERS_BY_PART = "SELECT found.id FROM (SELECT id, search_name FROM rev_customer
            WHERE tenant_id = $1 AND is_active = 1 ORDER BY search_name, id LIMIT $3) AS found
        WHERE found.search_name LIKE '%' || lower(CAST($2 AS TEXT)) || '%' ESCAPE '!' LIMIT $4";
    /// Likewise sites that are customers themselves, by `site_by_name`.
    FIND_AMOP_SITES_BY_PART = "SELECT found.id FROM (SELECT id, search_name FROM site
            WHERE tenant_id = $1 AND rev_customer_id IS NULL AND is_active = 1 ORDER BY search_name, id LIMIT $3) AS found
        WHERE found.search_name LIKE '%' || lower(CAST($2 AS TEXT)) || '%' ESCAPE '!' LIMIT $4";
    /// Whether there are more customers than are looked through. `$1` tenant, `$2` how many are.
    HAS_MORE_CUSTOMERS = "SELECT id FROM rev_customer WHERE tenant_id = $1 AND is_active = 1 ORDER BY search_name, id LIMIT 1 OFFSET $2";
    /// Likewise sites.
    HAS_MORE_AMOP_SITES = "SELECT id FROM site
        WHERE tenant_id = $1 AND rev_customer_id IS NULL AND is_active = 1 ORDER BY search_name, id LIMIT 1 OFFSET $2";

    /// name, price, default, bound, product, is active.
    CREATE_CUSTOMER_RATE_PLAN = "INSERT INTO customer_rate_plan
        (tenant_id, id, name, monthly_price, allocation_default_mb, allocation_bound_mb, rev_product_id, is_active, created_at,
         modified_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)";
    /// id, name, price, default, bound, product, is active.
    GET_CUSTOMER_RATE_PLAN = "SELECT
            id, name, monthly_price, allocation_default_mb, allocation_bound_mb, rev_product_id, is_active
        FROM customer_rate_plan WHERE tenant_id = $1 AND id = $2";
    /// Every field.
    UPDATE_CUSTOMER_RATE_PLAN = "UPDATE customer_rate_plan
        SET name = $3, monthly_price = $4, allocation_default_mb = $5, allocation_bound_mb = $6, rev_product_id = $7,
            is_active = $8, modified_at = $9 WHERE tenant_id = $1 AND id = $2";
    /// The columns of the get.
    LIST_CUSTOMER_RATE_PLANS = "SELECT
            id, name, monthly_price, allocation_default_mb, allocation_bound_mb, rev_product_id, is_active
        FROM customer_rate_plan WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";

    /// name, is active.
    CREATE_CUSTOMER_RATE_POOL = "INSERT INTO customer_rate_pool
        (tenant_id, id, name, is_active, created_at, modified_at) VALUES ($1, $2, $3, $4, $5, $5)";
    /// id, name, is active.
    GET_CUSTOMER_RATE_POOL = "SELECT id, name, is_active FROM customer_rate_pool WHERE tenant_id = $1 AND id = $2";
    /// Every field.
    UPDATE_CUSTOMER_RATE_POOL = "UPDATE customer_rate_pool
        SET name = $3, is_active = $4, modified_at = $5 WHERE tenant_id = $1 AND id = $2";
    /// The columns of the get.
    LIST_CUSTOMER_RATE_POOLS = "SELECT id, name, is_active
        FROM customer_rate_pool WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";

    /// kind, status of those that count as active. Global and small: read as a whole.
    ACTIVE_STATUSES = "SELECT integration_kind, status FROM device_status WHERE is_active_status = 1";
}
