//! Accounts, and the windows and places of their calls. `$1` is the tenant, `$2` the account.

crate::statements! {
    /// id, name, kind, is active, write enabled, is local, address, secret, version, refused at, refused text, concurrency,
    /// calls a minute, calls a day. One row by primary key.
    GET_ACCOUNT = "SELECT id, name, integration_kind, is_active, write_enabled, is_local, base_address, secret_encrypted, version,
            refused_at, refused_text, concurrency, calls_a_minute, calls_a_day
        FROM integration_authentication WHERE tenant_id = $1 AND id = $2";
    /// `$3` address, `$4` secret or null, `$5` is local, `$6` write enabled, `$7` concurrency, `$8` calls a minute,
    /// `$9` calls a day. One row by primary key.
    SET_ACCOUNT = "UPDATE integration_authentication SET
            base_address = $3, secret_encrypted = COALESCE($4, secret_encrypted), is_local = $5, write_enabled = $6,
            concurrency = $7, calls_a_minute = $8, calls_a_day = $9, version = version + 1, refused_at = NULL, refused_text = NULL
        WHERE tenant_id = $1 AND id = $2";
    /// `$3` version, `$4` text, `$5` now. One row by primary key; what was said first stays.
    RECORD_REFUSED = "UPDATE integration_authentication SET refused_at = $5, refused_text = $4
        WHERE tenant_id = $1 AND id = $2 AND version = $3 AND refused_at IS NULL";
    /// One row by primary key, if there is something to forget.
    RECORD_WORKING = "UPDATE integration_authentication SET refused_at = NULL, refused_text = NULL
        WHERE tenant_id = $1 AND id = $2 AND refused_at IS NOT NULL";

    /// `$3` span, `$4` the first bucket that counts. The few buckets that left since the last call, by the primary key's range.
    FORGET_BUCKETS = "DELETE FROM outside_call_window
        WHERE tenant_id = $1 AND integration_authentication_id = $2 AND span = $3 AND bucket < $4";
    /// `$3` span, `$4` the first bucket that counts. Calls, and the earliest bucket: at most 61 rows of a minute, 1,441 of a day,
    /// by the primary key's range.
    COUNT_CALLS = "SELECT COALESCE(SUM(calls), 0), MIN(bucket) FROM outside_call_window
        WHERE tenant_id = $1 AND integration_authentication_id = $2 AND span = $3 AND bucket >= $4";
    /// `$3` span, `$4` bucket, `$5` calls. One row by primary key.
    ADD_CALLS = "INSERT INTO outside_call_window (tenant_id, integration_authentication_id, span, bucket, calls)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (tenant_id, integration_authentication_id, span, bucket) DO UPDATE
        SET calls = outside_call_window.calls + excluded.calls";

    /// `$3` now. The few holders whose leases ran out, by the primary key's range.
    FORGET_PLACES = "DELETE FROM outside_call_place
        WHERE tenant_id = $1 AND integration_authentication_id = $2 AND lease_until <= $3";
    /// holder, places, wanted, since, until. One row a process that calls the account, by the primary key's range.
    LIST_PLACES = "SELECT holder, places, wanted, since, lease_until FROM outside_call_place
        WHERE tenant_id = $1 AND integration_authentication_id = $2 ORDER BY holder";
    /// `$3` holder, `$4` places, `$5` wanted, `$6` since, `$7` until. One row by primary key.
    STORE_PLACES = "INSERT INTO outside_call_place
            (tenant_id, integration_authentication_id, holder, places, wanted, since, lease_until)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (tenant_id, integration_authentication_id, holder) DO UPDATE
        SET places = excluded.places, wanted = excluded.wanted, since = excluded.since, lease_until = excluded.lease_until";
    /// `$3` holder. One row by primary key.
    RETURN_PLACES = "DELETE FROM outside_call_place
        WHERE tenant_id = $1 AND integration_authentication_id = $2 AND holder = $3";
}
