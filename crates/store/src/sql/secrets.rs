//! What is sealed. Lists take `$1` tenant, `$2` the id before the first, `$3` how many, and answer id, name, sealed; both by primary
//! key. Replacements take `$1` tenant, `$2` id, `$3` what must stand there still, `$4` what stands there afterwards.

crate::statements! {
    /// The credentials of accounts.
    LIST_SEALED_ACCOUNTS = "SELECT id, name, secret_encrypted FROM integration_authentication
        WHERE tenant_id = $1 AND id > $2 AND secret_encrypted IS NOT NULL ORDER BY id LIMIT $3";
    /// What callbacks of service providers must carry.
    LIST_SEALED_CALLBACKS = "SELECT id, name, callback_secret_encrypted FROM service_provider
        WHERE tenant_id = $1 AND id > $2 AND callback_secret_encrypted IS NOT NULL ORDER BY id LIMIT $3";
    /// Leaves the version alone. One row by primary key, or none.
    REPLACE_SEALED_ACCOUNT = "UPDATE integration_authentication SET secret_encrypted = $4
        WHERE tenant_id = $1 AND id = $2 AND secret_encrypted = $3";
    /// One row by primary key, or none.
    REPLACE_SEALED_CALLBACKS = "UPDATE service_provider SET callback_secret_encrypted = $4
        WHERE tenant_id = $1 AND id = $2 AND callback_secret_encrypted = $3";
    /// `$1` the id before the first, `$2` how many. What makes the one-time passwords of users: by primary key.
    LIST_SEALED_OF_USERS = "SELECT id, email, totp_secret_encrypted FROM users
        WHERE id > $1 AND totp_secret_encrypted IS NOT NULL ORDER BY id LIMIT $2";
    /// `$1` id, `$2` what must stand there still, `$3` what stands there afterwards. One row by primary key, or none.
    REPLACE_SEALED_OF_USER = "UPDATE users SET totp_secret_encrypted = $3 WHERE id = $1 AND totp_secret_encrypted = $2";
}
