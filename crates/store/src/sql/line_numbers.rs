//! How many lines an index holds for what it serves, `$2` at most: read from that index alone, as every line has its row in `device` and in
//! `device_tenant`. The order is that of the index, so that no other one is taken.
//!
//! Every statement takes `$1` tenant, `$2` the most that are counted, and, but for that of all lines, `$3` what is sought by.

macro_rules! number {
    (device $by:literal) => {
        concat!("SELECT count(*) FROM (SELECT id FROM device WHERE tenant_id = $1 AND ", $by, " ORDER BY id LIMIT $2) AS found")
    };
    (device_tenant $by:literal) => {
        concat!(
            "SELECT count(*) FROM (SELECT device_id FROM device_tenant WHERE tenant_id = $1 AND ",
            $by,
            " = $3 ORDER BY device_id LIMIT $2) AS found"
        )
    };
}

crate::statements! {
    /// By the primary key of `device`. Ids begin at 1.
    NUMBER_BY_ALL = number!(device "id > 0");
    /// By `device_by_provider`.
    NUMBER_BY_PROVIDER = number!(device "service_provider_id = $3");
    /// By `device_by_status`.
    NUMBER_BY_STATUS = number!(device "status = $3");
    /// By `device_by_carrier_plan`.
    NUMBER_BY_CARRIER_PLAN = number!(device "carrier_rate_plan = $3");
    /// By `device_tenant_by_customer`.
    NUMBER_BY_CUSTOMER = number!(device_tenant "rev_customer_id");
    /// By `device_tenant_by_site`.
    NUMBER_BY_SITE = number!(device_tenant "site_id");
    /// By `device_tenant_by_plan`.
    NUMBER_BY_PLAN = number!(device_tenant "customer_rate_plan_id");
    /// By `device_tenant_by_pool`.
    NUMBER_BY_POOL = number!(device_tenant "customer_rate_pool_id");
}
