-- Lines, what the tenant decided about them, and what is billed for them.

CREATE TABLE device (
    tenant_id           INTEGER NOT NULL REFERENCES tenant (id),
    id                  INTEGER NOT NULL,
    service_provider_id INTEGER NOT NULL,
    iccid               TEXT    NOT NULL,
    subscriber_number   TEXT,
    imei                TEXT,
    status              TEXT    NOT NULL,
    is_archived         INTEGER NOT NULL,
    is_deleted          INTEGER NOT NULL,
    activated_at        INTEGER,
    carrier_rate_plan   TEXT,
    communication_plan  TEXT,
    ip_address          TEXT,
    carrier_device_id   TEXT,
    created_at          INTEGER NOT NULL,
    modified_at         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, service_provider_id) REFERENCES service_provider (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX device_by_iccid ON device (tenant_id, iccid);
CREATE INDEX device_by_number ON device (tenant_id, subscriber_number, id) WHERE subscriber_number IS NOT NULL;
CREATE INDEX device_by_status ON device (tenant_id, status, id);
CREATE INDEX device_by_provider ON device (tenant_id, service_provider_id, id);
CREATE INDEX device_by_carrier_plan ON device (tenant_id, carrier_rate_plan, id) WHERE carrier_rate_plan IS NOT NULL;

CREATE TABLE rev_service (
    tenant_id             INTEGER NOT NULL REFERENCES tenant (id),
    id                    INTEGER NOT NULL,
    rev_customer_id       INTEGER NOT NULL,
    number                TEXT,
    iccid                 TEXT,
    rev_service_id        INTEGER NOT NULL,
    rev_service_type_id   INTEGER,
    activated_date        INTEGER,
    rev_provider_id       INTEGER,
    customer_rate_plan_id INTEGER,
    customer_rate_pool_id INTEGER,
    disconnected_date     INTEGER,
    device_id             INTEGER,
    has_package           INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, rev_customer_id, rev_service_id),
    FOREIGN KEY (tenant_id, rev_customer_id) REFERENCES rev_customer (tenant_id, id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES device (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX rev_service_connected ON rev_service (tenant_id, device_id, rev_customer_id, has_package, id) WHERE disconnected_date IS NULL;

CREATE TABLE rev_service_product (
    tenant_id              INTEGER NOT NULL REFERENCES tenant (id),
    id                     INTEGER NOT NULL,
    rev_service_id         INTEGER NOT NULL,
    rev_customer_id        INTEGER NOT NULL,
    rev_service_product_id INTEGER NOT NULL,
    rev_product_id         INTEGER NOT NULL,
    package_id             INTEGER,
    rate                   TEXT,
    quantity               TEXT,
    status                 TEXT    NOT NULL,
    description            TEXT,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, rev_customer_id, rev_service_product_id),
    FOREIGN KEY (tenant_id, rev_service_id) REFERENCES rev_service (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX rev_service_product_charged ON rev_service_product (tenant_id, rev_service_id) WHERE status IN ('PENDING', 'ACTIVE');

-- Every device has its row from the start: no customer, no site, not active, version 1.
CREATE TABLE device_tenant (
    tenant_id                                    INTEGER NOT NULL,
    device_id                                    INTEGER NOT NULL,
    rev_customer_id                              INTEGER,
    site_id                                      INTEGER,
    account_number                               TEXT,
    account_number_integration_authentication_id INTEGER,
    customer_rate_plan_id                        INTEGER,
    customer_rate_pool_id                        INTEGER,
    customer_data_allocation_mb                  TEXT,
    rev_service_id                               INTEGER,
    effective_date                               INTEGER,
    is_active                                    INTEGER NOT NULL,
    is_deleted                                   INTEGER NOT NULL,
    version                                      INTEGER NOT NULL,
    modified_by                                  TEXT    NOT NULL,
    modified_at                                  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, device_id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES device (tenant_id, id),
    FOREIGN KEY (tenant_id, rev_customer_id) REFERENCES rev_customer (tenant_id, id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES site (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_rate_plan_id) REFERENCES customer_rate_plan (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_rate_pool_id) REFERENCES customer_rate_pool (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_tenant_by_customer ON device_tenant (tenant_id, rev_customer_id, device_id) WHERE rev_customer_id IS NOT NULL;
CREATE INDEX device_tenant_by_site ON device_tenant (tenant_id, site_id, device_id) WHERE site_id IS NOT NULL;
CREATE INDEX device_tenant_by_plan ON device_tenant (tenant_id, customer_rate_plan_id, device_id) WHERE customer_rate_plan_id IS NOT NULL;
CREATE INDEX device_tenant_by_pool ON device_tenant
    (tenant_id, customer_rate_pool_id, device_id) WHERE customer_rate_pool_id IS NOT NULL;

-- Append-only, keyed by what happened; no foreign keys (docs/decisions/0003).
CREATE TABLE device_action_history (
    tenant_id      INTEGER NOT NULL,
    device_id      INTEGER NOT NULL,
    at             INTEGER NOT NULL,
    bulk_change_id INTEGER NOT NULL,
    attempt        INTEGER NOT NULL,
    entry          INTEGER NOT NULL,
    month          INTEGER NOT NULL,
    action         TEXT    NOT NULL,
    old_value      TEXT    NOT NULL,
    new_value      TEXT    NOT NULL,
    changed_by     TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, device_id, at, bulk_change_id, attempt, entry, month)
) STRICT, WITHOUT ROWID;

CREATE TABLE cross_provider_device_history (
    tenant_id                   INTEGER NOT NULL,
    device_id                   INTEGER NOT NULL,
    bulk_change_id              INTEGER NOT NULL,
    attempt                     INTEGER NOT NULL,
    entry                       INTEGER NOT NULL,
    service_provider_id         INTEGER NOT NULL,
    valid_from                  INTEGER NOT NULL,
    valid_to                    INTEGER,
    rev_customer_id             INTEGER,
    site_id                     INTEGER,
    account_number              TEXT,
    customer_rate_plan_id       INTEGER,
    customer_rate_pool_id       INTEGER,
    customer_data_allocation_mb TEXT,
    PRIMARY KEY (tenant_id, device_id, bulk_change_id, attempt, entry)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX cross_provider_device_history_present ON cross_provider_device_history (tenant_id, device_id) WHERE valid_to IS NULL;

CREATE TABLE telegence_new_service_activation_staging (
    tenant_id           INTEGER NOT NULL REFERENCES tenant (id),
    id                  INTEGER NOT NULL,
    service_provider_id INTEGER NOT NULL,
    foundation_account  TEXT,
    billing_account     TEXT    NOT NULL,
    subscriber_number   TEXT,
    activated_date      INTEGER,
    number_status       TEXT,
    single_user_code    TEXT,
    service_zip_code    TEXT,
    iccid               TEXT    NOT NULL,
    imei                TEXT,
    carrier_rate_pool   TEXT,
    data_group          TEXT,
    username            TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, service_provider_id) REFERENCES service_provider (tenant_id, id)
) STRICT, WITHOUT ROWID;
