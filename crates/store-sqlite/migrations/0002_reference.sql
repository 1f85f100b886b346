-- What orders refer to: carrier accounts, customers, sites, plans, pools.

-- Global: which carrier statuses count as active (B4.6 rule 5).
CREATE TABLE device_status (
    integration_kind TEXT    NOT NULL,
    status           TEXT    NOT NULL,
    is_active_status INTEGER NOT NULL,
    PRIMARY KEY (integration_kind, status)
) STRICT, WITHOUT ROWID;
INSERT INTO device_status (integration_kind, status, is_active_status) VALUES
    ('Jasper', 'ACTIVATED', 1), ('Jasper', 'TEST_READY', 1), ('Jasper', 'ACTIVATION_READY', 1),
    ('Jasper', 'INVENTORY', 0), ('Jasper', 'DEACTIVATED', 0), ('Jasper', 'RETIRED', 0), ('Jasper', 'PURGED', 0),
    ('ThingSpace', 'active', 1), ('ThingSpace', 'suspended', 0), ('ThingSpace', 'deactivated', 0),
    ('Telegence', 'A', 1), ('Telegence', 'S', 0), ('Telegence', 'C', 0),
    ('POND', 'In-Service', 1), ('POND', 'Out-of-Service', 0);

CREATE TABLE integration_authentication (
    tenant_id        INTEGER NOT NULL REFERENCES tenant (id),
    id               INTEGER NOT NULL,
    name             TEXT    NOT NULL,
    integration_kind TEXT    NOT NULL,
    base_address     TEXT,
    secret_encrypted BLOB,
    is_active        INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE service_provider (
    tenant_id                     INTEGER NOT NULL REFERENCES tenant (id),
    id                            INTEGER NOT NULL,
    name                          TEXT    NOT NULL,
    integration_kind              TEXT    NOT NULL,
    integration_authentication_id INTEGER,
    write_enabled                 INTEGER NOT NULL,
    is_active                     INTEGER NOT NULL,
    created_at                    INTEGER NOT NULL,
    modified_at                   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The id is Rev.io's own customer id.
CREATE TABLE rev_customer (
    tenant_id                     INTEGER NOT NULL REFERENCES tenant (id),
    id                            INTEGER NOT NULL,
    name                          TEXT    NOT NULL,
    integration_authentication_id INTEGER NOT NULL,
    is_active                     INTEGER NOT NULL,
    created_at                    INTEGER NOT NULL,
    modified_at                   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- A site without a Rev customer is an AMOP customer.
CREATE TABLE site (
    tenant_id       INTEGER NOT NULL REFERENCES tenant (id),
    id              INTEGER NOT NULL,
    name            TEXT    NOT NULL,
    rev_customer_id INTEGER,
    is_active       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    modified_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, rev_customer_id) REFERENCES rev_customer (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX site_by_customer ON site (tenant_id, rev_customer_id, is_active, id);

-- Money and megabytes are decimal texts, without trailing zeros.
CREATE TABLE customer_rate_plan (
    tenant_id             INTEGER NOT NULL REFERENCES tenant (id),
    id                    INTEGER NOT NULL,
    name                  TEXT    NOT NULL,
    monthly_price         TEXT,
    allocation_default_mb TEXT,
    allocation_bound_mb   TEXT,
    rev_product_id        INTEGER,
    is_active             INTEGER NOT NULL,
    created_at            INTEGER NOT NULL,
    modified_at           INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE customer_rate_pool (
    tenant_id   INTEGER NOT NULL REFERENCES tenant (id),
    id          INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    is_active   INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE carrier_rate_plan (
    tenant_id           INTEGER NOT NULL REFERENCES tenant (id),
    id                  INTEGER NOT NULL,
    service_provider_id INTEGER NOT NULL,
    code                TEXT    NOT NULL,
    name                TEXT    NOT NULL,
    is_active           INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, service_provider_id, code),
    FOREIGN KEY (tenant_id, service_provider_id) REFERENCES service_provider (tenant_id, id)
) STRICT, WITHOUT ROWID;
