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
