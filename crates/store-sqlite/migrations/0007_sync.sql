-- Synchronisation with a billing system: runs, what they found, and what a run has seen.

CREATE TABLE sync_run (
    tenant_id                     INTEGER NOT NULL REFERENCES tenant (id),
    id                            INTEGER NOT NULL,
    integration_authentication_id INTEGER NOT NULL,
    with_customers                INTEGER NOT NULL,
    with_services                 INTEGER NOT NULL,
    -- Every customer, not only those changed since.
    is_full                       INTEGER NOT NULL,
    -- Customers changed on or after this day, its start in UTC; null: every one.
    since                         INTEGER,
    -- running, done, failed
    state                         TEXT    NOT NULL,
    -- What it does next, the page of the list (from 1), the id here after which it goes on.
    phase                         TEXT    NOT NULL,
    page                          INTEGER NOT NULL,
    after_id                      INTEGER NOT NULL,
    -- Each record once, however often lists showed it.
    read_count                    INTEGER NOT NULL,
    new_count                     INTEGER NOT NULL,
    changed_count                 INTEGER NOT NULL,
    unchanged_count               INTEGER NOT NULL,
    left_out_count                INTEGER NOT NULL,
    gone_count                    INTEGER NOT NULL,
    billed_not_assigned_count     INTEGER NOT NULL,
    assigned_not_billed_count     INTEGER NOT NULL,
    ordered_by                    TEXT    NOT NULL,
    started_at                    INTEGER NOT NULL,
    ended_at                      INTEGER,
    -- When anybody may take it up: at once, when its account allows, or when the lease of its holder has run out.
    due_at                        INTEGER NOT NULL,
    -- Rises with each claim.
    epoch                         INTEGER NOT NULL,
    failures                      INTEGER NOT NULL,
    note                          TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
) STRICT, WITHOUT ROWID;
-- At most one run of an account goes on.
CREATE UNIQUE INDEX sync_run_running ON sync_run (tenant_id, integration_authentication_id) WHERE state = 'running';
CREATE INDEX sync_run_due ON sync_run (due_at, tenant_id, id) WHERE state = 'running';
CREATE INDEX sync_run_of_account ON sync_run (tenant_id, integration_authentication_id, id);

-- One row for each thing found, in the order in which findings are listed.
CREATE TABLE sync_finding (
    tenant_id       INTEGER NOT NULL,
    sync_run_id     INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    subject_id      INTEGER NOT NULL,
    rev_customer_id INTEGER,
    rev_service_id  INTEGER,
    device_id       INTEGER,
    line            TEXT,
    here            TEXT,
    there           TEXT,
    at              INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, sync_run_id, kind, subject, subject_id),
    FOREIGN KEY (tenant_id, sync_run_id) REFERENCES sync_run (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The run that saw the record last: what it meets twice counts once, and what it never meets is asked for.
ALTER TABLE rev_customer ADD COLUMN seen_in_run INTEGER;
ALTER TABLE rev_service ADD COLUMN seen_in_run INTEGER;
ALTER TABLE rev_service_product ADD COLUMN seen_in_run INTEGER;
-- When the customer was changed there, and whether it was closed there: null before the first synchronisation.
ALTER TABLE rev_customer ADD COLUMN updated_there INTEGER;
ALTER TABLE rev_customer ADD COLUMN closed_there INTEGER;
-- When the product was created, adopted or disconnected here; null when it was brought in or read. rev_service.stored_at
-- likewise holds when a service was disconnected here.
ALTER TABLE rev_service_product ADD COLUMN stored_at INTEGER;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('sync_run', 'sync_run', '1000000 1000 1'),
    ('sync_run', 'sync_run_running', '2000 2 1'),
    ('sync_run', 'sync_run_due', '2000 2 1 1'),
    ('sync_run', 'sync_run_of_account', '1000000 1000 500 1'),
    ('sync_finding', 'sync_finding', '1000000000 1000000 1000 250 100 1');

-- Makes this connection read them; the others read them with the schema.
ANALYZE sqlite_schema;
