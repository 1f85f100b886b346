-- Synchronisation with a billing system: runs, what they found, and what a run has seen.

CREATE TABLE sync_run (
    tenant_id                     bigint NOT NULL REFERENCES tenant (id),
    id                            bigint NOT NULL,
    integration_authentication_id bigint NOT NULL,
    with_customers                smallint NOT NULL,
    with_services                 smallint NOT NULL,
    -- Every customer, not only those changed since.
    is_full                       smallint NOT NULL,
    -- Customers changed on or after this day, its start in UTC; null: every one.
    since                         bigint,
    -- running, done, failed
    state                         text COLLATE "C" NOT NULL,
    -- What it does next, the page of the list (from 1), the id here after which it goes on.
    phase                         text NOT NULL,
    page                          integer NOT NULL,
    after_id                      bigint NOT NULL,
    -- Each record once, however often lists showed it.
    read_count                    integer NOT NULL,
    new_count                     integer NOT NULL,
    changed_count                 integer NOT NULL,
    unchanged_count               integer NOT NULL,
    left_out_count                integer NOT NULL,
    gone_count                    integer NOT NULL,
    billed_not_assigned_count     integer NOT NULL,
    assigned_not_billed_count     integer NOT NULL,
    ordered_by                    text NOT NULL,
    started_at                    bigint NOT NULL,
    ended_at                      bigint,
    -- When anybody may take it up: at once, when its account allows, or when the lease of its holder has run out.
    due_at                        bigint NOT NULL,
    -- Rises with each claim.
    epoch                         bigint NOT NULL,
    failures                      integer NOT NULL,
    note                          text,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
);
-- At most one run of an account goes on.
CREATE UNIQUE INDEX sync_run_running ON sync_run (tenant_id, integration_authentication_id) WHERE state = 'running';
-- Which tenants have runs due stands in tenant_work: a run is looked for within one tenant.
CREATE INDEX sync_run_due ON sync_run (tenant_id, due_at, id) WHERE state = 'running';
CREATE INDEX sync_run_of_account ON sync_run (tenant_id, integration_authentication_id, id);

-- One row for each thing found, in the order in which findings are listed.
CREATE TABLE sync_finding (
    tenant_id       bigint NOT NULL,
    sync_run_id     bigint NOT NULL,
    kind            text COLLATE "C" NOT NULL,
    subject         text COLLATE "C" NOT NULL,
    subject_id      bigint NOT NULL,
    rev_customer_id bigint,
    rev_service_id  bigint,
    device_id       bigint,
    line            text,
    here            text,
    there           text,
    at              bigint NOT NULL,
    PRIMARY KEY (tenant_id, sync_run_id, kind, subject, subject_id),
    FOREIGN KEY (tenant_id, sync_run_id) REFERENCES sync_run (tenant_id, id)
);

-- The run that saw the record last: what it meets twice counts once, and what it never meets is asked for.
ALTER TABLE rev_customer ADD COLUMN seen_in_run bigint;
ALTER TABLE rev_service ADD COLUMN seen_in_run bigint;
ALTER TABLE rev_service_product ADD COLUMN seen_in_run bigint;
-- When the customer was changed there, and whether it was closed there: null before the first synchronisation.
ALTER TABLE rev_customer ADD COLUMN updated_there bigint;
ALTER TABLE rev_customer ADD COLUMN closed_there smallint;
-- When the product was created, adopted or disconnected here; null when it was brought in or read. rev_service.stored_at
-- likewise holds when a service was disconnected here.
ALTER TABLE rev_service_product ADD COLUMN stored_at bigint;

SELECT lineshift_own_by_tenant(name::regclass) FROM unnest(ARRAY['sync_run', 'sync_finding']) AS name;
GRANT SELECT, INSERT, UPDATE, DELETE ON sync_run, sync_finding TO lineshift_app;
COMMENT ON TABLE sync_run IS 'Synchronisations with a billing system';
COMMENT ON TABLE sync_finding IS 'What a synchronisation found to differ';
