//! Plans and callbacks of carriers. `$1` is the tenant, `$2` the service provider.

crate::statements! {
    /// `$3` code. code, name, is active: one row by `carrier_rate_plan`'s unique index of provider and code.
    FIND_PLAN_BY_CODE = "SELECT code, name, is_active FROM carrier_rate_plan
        WHERE tenant_id = $1 AND service_provider_id = $2 AND code = $3";
    /// `$3` code. Whether it is active: one row by the unique index of provider and code.
    IS_PLAN_ACTIVE = "SELECT is_active = 1 FROM carrier_rate_plan
        WHERE tenant_id = $1 AND service_provider_id = $2 AND code = $3";
    /// `$3` name, `$4` how many. Those of one name by code, by `carrier_rate_plan_by_name`.
    LIST_PLANS_BY_NAME = "SELECT code, name, is_active FROM carrier_rate_plan
        WHERE tenant_id = $1 AND service_provider_id = $2 AND name = $3 ORDER BY code LIMIT $4";
    /// `$3` the code before the first, `$4` how many. By the unique index of provider and code.
    LIST_PLANS = "SELECT code, name, is_active FROM carrier_rate_plan
        WHERE tenant_id = $1 AND service_provider_id = $2 AND code > $3 ORDER BY code LIMIT $4";

    /// `$3` the sealed credentials or null. One row by primary key.
    SET_CALLBACK_SECRET = "UPDATE service_provider SET callback_secret_encrypted = $3 WHERE tenant_id = $1 AND id = $2";
    /// The sealed credentials. One row by primary key.
    GET_CALLBACK_SECRET = "SELECT callback_secret_encrypted FROM service_provider WHERE tenant_id = $1 AND id = $2";
    /// The carrier's kind. One row by primary key.
    FIND_KIND = "SELECT integration_kind FROM service_provider WHERE tenant_id = $1 AND id = $2";
}
