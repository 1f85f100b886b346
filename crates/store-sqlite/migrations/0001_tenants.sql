-- Tenants, who calls for them, and what is to be done for them.
-- Times are microseconds since 1970 UTC everywhere; yes and no are 1 and 0.

-- Ids are reserved in blocks from here, in the transaction that uses them.
CREATE TABLE id_counter (
    name    TEXT    NOT NULL PRIMARY KEY,
    next_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    time_zone  TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Which tenants have work of which kind, and when: all that may be read across tenants before one is chosen.
CREATE TABLE tenant_work (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    kind      TEXT    NOT NULL,
    next_due  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_work_due ON tenant_work (kind, next_due, tenant_id);

-- The secret itself is shown once and never stored; the tenant and the id stand in the key's prefix.
CREATE TABLE api_key (
    tenant_id    INTEGER NOT NULL REFERENCES tenant (id),
    id           INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    secret_hash  BLOB    NOT NULL,
    scopes       TEXT    NOT NULL,
    -- `*`, or the customers, sites and service providers whose lines it sees, as `customer:5 site:7`; empty: none.
    reach        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
