//! Tenants and API keys. `tenant` is global and small: it may be read as a whole.

crate::statements! {
    /// `$1` id, `$2` name, `$3` time zone, `$4` now. The name is unique.
    CREATE_TENANT = "INSERT INTO tenant (id, name, time_zone, created_at) VALUES ($1, $2, $3, $4)";

    /// id, name, time zone, created at. `$1` tenant.
    GET_TENANT = "SELECT id, name, time_zone, created_at FROM tenant WHERE id = $1";

    /// All tenants, the same columns.
    LIST_TENANTS = "SELECT id, name, time_zone, created_at FROM tenant ORDER BY id";

    /// `$1` tenant, `$2` id, `$3` name, `$4` hash, `$5` scopes, `$6` reach, `$7` now, `$8` expires at.
    CREATE_API_KEY = "INSERT INTO api_key
        (tenant_id, id, name, secret_hash, scopes, reach, created_at, expires_at, last_used_at, revoked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, NULL)";

    /// tenant, id, name, hash, scopes, reach, created at, expires at, last used at, revoked at. `$1` tenant, `$2` id.
    FIND_API_KEY = "SELECT tenant_id, id, name, secret_hash, scopes, reach, created_at, expires_at, last_used_at, revoked_at
        FROM api_key WHERE tenant_id = $1 AND id = $2";

    /// All keys of a tenant, the same columns. `$1` tenant.
    LIST_API_KEYS = "SELECT tenant_id, id, name, secret_hash, scopes, reach, created_at, expires_at, last_used_at, revoked_at
        FROM api_key WHERE tenant_id = $1 ORDER BY id";

    /// Leaves a key that is revoked already as it is. `$1` tenant, `$2` id, `$3` now.
    REVOKE_API_KEY = "UPDATE api_key SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL";

    /// `$1` tenant, `$2` id, `$3` now.
    RECORD_API_KEY_USE = "UPDATE api_key SET last_used_at = $3 WHERE tenant_id = $1 AND id = $2";

    /// Reads something, so that an unreadable store shows.
    CHECK_READY = "SELECT id FROM tenant ORDER BY id LIMIT 1";
}
