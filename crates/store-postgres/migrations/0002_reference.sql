-- What orders refer to: carrier accounts, customers, sites, plans, pools.

-- Global: which carrier statuses count as active (B4.6 rule 5).
CREATE TABLE device_status (
    integration_kind text COLLATE "C" NOT NULL,
    status           text COLLATE "C" NOT NULL,
    is_active_status smallint NOT NULL,
    PRIMARY KEY (integration_kind, status)
);
INSERT INTO device_status (integration_kind, status, is_active_status) VALUES
    ('Jasper', 'ACTIVATED', 1), ('Jasper', 'TEST_READY', 1), ('Jasper', 'ACTIVATION_READY', 1),
    ('Jasper', 'INVENTORY', 0), ('Jasper', 'DEACTIVATED', 0), ('Jasper', 'RETIRED', 0), ('Jasper', 'PURGED', 0),
    ('ThingSpace', 'active', 1), ('ThingSpace', 'suspended', 0), ('ThingSpace', 'deactivated', 0),
    ('Telegence', 'A', 1), ('Telegence', 'S', 0), ('Telegence', 'C', 0),
    ('POND', 'In-Service', 1), ('POND', 'Out-of-Service', 0);

CREATE TABLE integration_authentication (
    tenant_id        bigint NOT NULL REFERENCES tenant (id),
    id               bigint NOT NULL,
    name             text COLLATE "C" NOT NULL,
    integration_kind text COLLATE "C" NOT NULL,
    base_address     text,
    secret_encrypted bytea,
    is_active        smallint NOT NULL,
    created_at       bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE service_provider (
    tenant_id                     bigint NOT NULL REFERENCES tenant (id),
    id                            bigint NOT NULL,
    name                          text COLLATE "C" NOT NULL,
    integration_kind              text COLLATE "C" NOT NULL,
    integration_authentication_id bigint,
    write_enabled                 smallint NOT NULL,
    is_active                     smallint NOT NULL,
    created_at                    bigint NOT NULL,
    modified_at                   bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
);

-- The id is Rev.io's own customer id.
CREATE TABLE rev_customer (
    tenant_id                     bigint NOT NULL REFERENCES tenant (id),
    id                            bigint NOT NULL,
    name                          text COLLATE "C" NOT NULL,
    integration_authentication_id bigint NOT NULL,
    is_active                     smallint NOT NULL,
    created_at                    bigint NOT NULL,
    modified_at                   bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
);

-- A site without a Rev customer is an AMOP customer.
CREATE TABLE site (
    tenant_id       bigint NOT NULL REFERENCES tenant (id),
    id              bigint NOT NULL,
    name            text COLLATE "C" NOT NULL,
    rev_customer_id bigint,
    is_active       smallint NOT NULL,
    created_at      bigint NOT NULL,
    modified_at     bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, rev_customer_id) REFERENCES rev_customer (tenant_id, id)
);
CREATE INDEX site_by_customer ON site (tenant_id, rev_customer_id, is_active, id);

-- Money and megabytes are decimal texts, without trailing zeros.
CREATE TABLE customer_rate_plan (
    tenant_id             bigint NOT NULL REFERENCES tenant (id),
    id                    bigint NOT NULL,
    name                  text COLLATE "C" NOT NULL,
    monthly_price         text,
    allocation_default_mb text,
    allocation_bound_mb   text,
    rev_product_id        bigint,
    is_active             smallint NOT NULL,
    created_at            bigint NOT NULL,
    modified_at           bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE customer_rate_pool (
    tenant_id   bigint NOT NULL REFERENCES tenant (id),
    id          bigint NOT NULL,
    name        text COLLATE "C" NOT NULL,
    is_active   smallint NOT NULL,
    created_at  bigint NOT NULL,
    modified_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE carrier_rate_plan (
    tenant_id           bigint NOT NULL REFERENCES tenant (id),
    id                  bigint NOT NULL,
    service_provider_id bigint NOT NULL,
    code                text COLLATE "C" NOT NULL,
    name                text COLLATE "C" NOT NULL,
    is_active           smallint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, service_provider_id, code),
    FOREIGN KEY (tenant_id, service_provider_id) REFERENCES service_provider (tenant_id, id)
);

SELECT lineshift_own_by_tenant(name::regclass) FROM unnest(ARRAY[
    'integration_authentication', 'service_provider', 'rev_customer', 'site', 'customer_rate_plan', 'customer_rate_pool',
    'carrier_rate_plan']) AS name;

GRANT SELECT ON device_status TO lineshift_app;
GRANT SELECT, INSERT, UPDATE ON integration_authentication, service_provider, rev_customer, site, customer_rate_plan,
    customer_rate_pool, carrier_rate_plan TO lineshift_app;

COMMENT ON TABLE device_status IS 'Global: which carrier statuses count as active (B4.6 rule 5)';
COMMENT ON TABLE integration_authentication IS 'The accounts with which billing and carriers are called; secrets are sealed';
COMMENT ON TABLE service_provider IS 'Carrier accounts';
COMMENT ON TABLE rev_customer IS 'Customers that exist in Rev.io, by its own ids';
COMMENT ON TABLE site IS 'Where lines are booked; without a Rev customer a site is an AMOP customer';
COMMENT ON TABLE customer_rate_plan IS 'What customers pay';
COMMENT ON TABLE customer_rate_pool IS 'Shared pools of volume';
COMMENT ON TABLE carrier_rate_plan IS 'What carriers charge';
