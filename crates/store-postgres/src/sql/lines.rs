//! Lines that are sought by several things at once. An index serves one of them, in the order of ids and against it; the others are looked at
//! line by line, within a window of that index, so that a page costs at most what its window costs.
//!
//! Locks: none, reads. Tuned: the window is taken first, by its LIMIT. The planner believes that next to no line is what is sought; of a condition on
//! a range it would therefore read all lines, and sort the one that it expects.
//!
//! Every statement takes `$1` tenant, `$2` the id before the first, `$3` how many. Those that list and count take `$4` the last id of the
//! window, `$12` how many lines it has, and what is sought, each 0 or empty for any: `$5` service provider, `$6` status, `$7` carrier rate
//! plan, `$8` customer, `$9` site, `$10` customer rate plan, `$11` customer rate pool; from `$13` on before `$14` lie their ICCIDs. Those that
//! end a window take `$4` what is sought by.

use lineshift_store::device_columns;

/// What is sought, looked at line by line.
macro_rules! sought {
    () => {
        " AND (CAST($5 AS BIGINT) = 0 OR d.service_provider_id = $5) AND (CAST($6 AS TEXT) = '' OR d.status = $6)
          AND (CAST($7 AS TEXT) = '' OR d.carrier_rate_plan = $7) AND (CAST($8 AS BIGINT) = 0 OR dt.rev_customer_id = $8)
          AND (CAST($9 AS BIGINT) = 0 OR dt.site_id = $9) AND (CAST($10 AS BIGINT) = 0 OR dt.customer_rate_plan_id = $10)
          AND (CAST($11 AS BIGINT) = 0 OR dt.customer_rate_pool_id = $11)
          AND (CAST($13 AS TEXT) = '' OR (d.iccid >= $13 AND d.iccid < $14))"
    };
}

/// The window, from `device` or `device_tenant`, with the other one.
macro_rules! lines {
    (device $by:literal $beyond:literal $within:literal $order:literal) => {
        concat!(
            " FROM (SELECT * FROM device WHERE tenant_id = $1 ",
            $by,
            " AND id ",
            $beyond,
            " $2 ORDER BY id",
            $order,
            " LIMIT $12) AS d
              JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id WHERE d.id ",
            $within,
            " $4"
        )
    };
    (device_tenant $by:literal $beyond:literal $within:literal $order:literal) => {
        concat!(
            " FROM (SELECT * FROM device_tenant WHERE tenant_id = $1 ",
            $by,
            " AND device_id ",
            $beyond,
            " $2
                ORDER BY device_id",
            $order,
            " LIMIT $12) AS dt
              JOIN device AS d ON d.tenant_id = $1 AND d.id = dt.device_id WHERE d.id ",
            $within,
            " $4"
        )
    };
}

macro_rules! list {
    ($from:ident $by:literal) => {
        concat!(device_columns!(), lines!($from $by ">" "<=" ""), sought!(), " ORDER BY d.id LIMIT $3")
    };
}

macro_rules! list_newest {
    ($from:ident $by:literal) => {
        concat!(device_columns!(), lines!($from $by "<" ">=" " DESC"), sought!(), " ORDER BY d.id DESC LIMIT $3")
    };
}

macro_rules! count {
    ($from:ident $by:literal) => {
        concat!("SELECT count(*) FROM (SELECT 1", lines!($from $by ">" "<=" ""), sought!(), " LIMIT $3) AS found")
    };
}

lineshift_store::statements! {
    /// By the primary key of `device`, as the next four.
    LIST_BY_ALL = list!(device "");
    /// Newest first.
    LIST_BY_ALL_NEWEST = list_newest!(device "");
    /// How many.
    COUNT_BY_ALL = count!(device "");
    /// The end of a window: `$3` is how many less one.
    END_BY_ALL = "SELECT id FROM device WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";
    /// Newest first.
    END_BY_ALL_NEWEST = "SELECT id FROM device WHERE tenant_id = $1 AND id < $2
        ORDER BY id DESC LIMIT 1 OFFSET $3";
    /// By `device_by_provider`, as the next four.
    LIST_BY_PROVIDER = list!(device "AND service_provider_id = $5");
    /// Newest first.
    LIST_BY_PROVIDER_NEWEST = list_newest!(device "AND service_provider_id = $5");
    /// How many.
    COUNT_BY_PROVIDER = count!(device "AND service_provider_id = $5");
    /// The end of a window: `$3` is how many less one.
    END_BY_PROVIDER = "SELECT id FROM device WHERE tenant_id = $1 AND service_provider_id = $4 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";
    /// Newest first.
    END_BY_PROVIDER_NEWEST = "SELECT id FROM device WHERE tenant_id = $1 AND service_provider_id = $4 AND id < $2
        ORDER BY id DESC LIMIT 1 OFFSET $3";
    /// By `device_by_status`, as the next four.
    LIST_BY_STATUS = list!(device "AND status = $6");
    /// Newest first.
    LIST_BY_STATUS_NEWEST = list_newest!(device "AND status = $6");
    /// How many.
    COUNT_BY_STATUS = count!(device "AND status = $6");
    /// The end of a window: `$3` is how many less one.
    END_BY_STATUS = "SELECT id FROM device WHERE tenant_id = $1 AND status = $4 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";
    /// Newest first.
    END_BY_STATUS_NEWEST = "SELECT id FROM device WHERE tenant_id = $1 AND status = $4 AND id < $2
        ORDER BY id DESC LIMIT 1 OFFSET $3";
    /// By `device_by_carrier_plan`, as the next four.
    LIST_BY_CARRIER_PLAN = list!(device "AND carrier_rate_plan = $7");
    /// Newest first.
    LIST_BY_CARRIER_PLAN_NEWEST = list_newest!(device "AND carrier_rate_plan = $7");
    /// How many.
    COUNT_BY_CARRIER_PLAN = count!(device "AND carrier_rate_plan = $7");
    /// The end of a window: `$3` is how many less one.
    END_BY_CARRIER_PLAN = "SELECT id FROM device WHERE tenant_id = $1 AND carrier_rate_plan = $4 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3";
    /// Newest first.
    END_BY_CARRIER_PLAN_NEWEST = "SELECT id FROM device WHERE tenant_id = $1 AND carrier_rate_plan = $4 AND id < $2
        ORDER BY id DESC LIMIT 1 OFFSET $3";
    /// By `device_tenant_by_customer`, as the next four.
    LIST_BY_CUSTOMER = list!(device_tenant "AND rev_customer_id = $8");
    /// Newest first.
    LIST_BY_CUSTOMER_NEWEST = list_newest!(device_tenant "AND rev_customer_id = $8");
    /// How many.
    COUNT_BY_CUSTOMER = count!(device_tenant "AND rev_customer_id = $8");
    /// The end of a window: `$3` is how many less one.
    END_BY_CUSTOMER = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND rev_customer_id = $4 AND device_id > $2 ORDER BY device_id LIMIT 1 OFFSET $3";
    /// Newest first.
    END_BY_CUSTOMER_NEWEST = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND rev_customer_id = $4 AND device_id < $2
        ORDER BY device_id DESC LIMIT 1 OFFSET $3";
    /// By `device_tenant_by_site`, as the next four.
    LIST_BY_SITE = list!(device_tenant "AND site_id = $9");
    /// Newest first.
    LIST_BY_SITE_NEWEST = list_newest!(device_tenant "AND site_id = $9");
    /// How many.
    COUNT_BY_SITE = count!(device_tenant "AND site_id = $9");
    /// The end of a window: `$3` is how many less one.
    END_BY_SITE = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND site_id = $4 AND device_id > $2 ORDER BY device_id LIMIT 1 OFFSET $3";
    /// Newest first.
    END_BY_SITE_NEWEST = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND site_id = $4 AND device_id < $2
        ORDER BY device_id DESC LIMIT 1 OFFSET $3";
    /// By `device_tenant_by_plan`, as the next four.
    LIST_BY_PLAN = list!(device_tenant "AND customer_rate_plan_id = $10");
    /// Newest first.
    LIST_BY_PLAN_NEWEST = list_newest!(device_tenant "AND customer_rate_plan_id = $10");
    /// How many.
    COUNT_BY_PLAN = count!(device_tenant "AND customer_rate_plan_id = $10");
    /// The end of a window: `$3` is how many less one.
    END_BY_PLAN = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND customer_rate_plan_id = $4 AND device_id > $2 ORDER BY device_id LIMIT 1 OFFSET $3";
    /// Newest first.
    END_BY_PLAN_NEWEST = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND customer_rate_plan_id = $4 AND device_id < $2
        ORDER BY device_id DESC LIMIT 1 OFFSET $3";
    /// By `device_tenant_by_pool`, as the next four.
    LIST_BY_POOL = list!(device_tenant "AND customer_rate_pool_id = $11");
    /// Newest first.
    LIST_BY_POOL_NEWEST = list_newest!(device_tenant "AND customer_rate_pool_id = $11");
    /// How many.
    COUNT_BY_POOL = count!(device_tenant "AND customer_rate_pool_id = $11");
    /// The end of a window: `$3` is how many less one.
    END_BY_POOL = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND customer_rate_pool_id = $4 AND device_id > $2 ORDER BY device_id LIMIT 1 OFFSET $3";
    /// Newest first.
    END_BY_POOL_NEWEST = "SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND customer_rate_pool_id = $4 AND device_id < $2
        ORDER BY device_id DESC LIMIT 1 OFFSET $3";
}
