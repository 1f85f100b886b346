-- Orders, their lines, and what is still owed.

CREATE TABLE device_bulk_change (
    tenant_id              INTEGER NOT NULL REFERENCES tenant (id),
    id                     INTEGER NOT NULL,
    change_request_type_id INTEGER NOT NULL,
    portal_type            INTEGER NOT NULL,
    service_provider_id    INTEGER NOT NULL,
    identifier             TEXT    NOT NULL,
    order_json             TEXT    NOT NULL,
    -- What was derived at submission and is looked at again when a page is run (B4.8, B5.3).
    rev_customer_id        INTEGER,
    site_id                INTEGER,
    customer_rate_plan_id  INTEGER,
    customer_rate_pool_id  INTEGER,
    name                   TEXT,
    reason                 TEXT,
    created_by             TEXT    NOT NULL,
    created_by_id      INTEGER NOT NULL,
    -- Under whose rights it runs: the orderer's, after a retry the retrier's (B10.2).
    runs_as_id         INTEGER NOT NULL,
    created_at             INTEGER NOT NULL,
    -- Until when its submitter may go on storing rows; null once they are all there.
    receiving_until        INTEGER,
    -- The order in which changes were stored; of two that hold a line the lower one goes on (B4.6 rule 6).
    stored_order           INTEGER,
    -- Null while it is held back for a start (B10.1).
    started_at             INTEGER,
    begun_at               INTEGER,
    canceled_at            INTEGER,
    canceled_by            TEXT,
    -- How far whoever canceled it reached then; null: everything.
    canceled_reach         TEXT,
    processed_by           TEXT,
    processed_at           INTEGER,
    attempt                INTEGER NOT NULL,
    -- Until when a retry may go on opening rows; the change is not completed before (B10.2).
    reopening_until        INTEGER,
    first_device_change_id INTEGER NOT NULL,
    last_device_change_id  INTEGER NOT NULL,
    total_count            INTEGER NOT NULL,
    open_count             INTEGER NOT NULL,
    processed_count        INTEGER NOT NULL,
    error_count            INTEGER NOT NULL,
    canceled_count         INTEGER NOT NULL,
    rejected_count         INTEGER NOT NULL,
    duplicate_count        INTEGER NOT NULL,
    scheduled_failed_count INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, service_provider_id) REFERENCES service_provider (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_bulk_change_of ON device_bulk_change (tenant_id, created_by_id, id);
CREATE INDEX device_bulk_change_by_portal ON device_bulk_change (tenant_id, portal_type, id);
CREATE INDEX device_bulk_change_ordered ON device_bulk_change (tenant_id, created_at);
CREATE INDEX device_bulk_change_ended ON device_bulk_change (tenant_id, processed_at, id) WHERE processed_at IS NOT NULL;
CREATE INDEX device_bulk_change_unfinished ON device_bulk_change (tenant_id, id) WHERE processed_at IS NULL;

CREATE TABLE device_bulk_change_page (
    tenant_id      INTEGER NOT NULL,
    bulk_change_id INTEGER NOT NULL,
    page           INTEGER NOT NULL,
    from_id        INTEGER NOT NULL,
    to_id          INTEGER NOT NULL,
    -- ready, done (its rows are final), completed (history and links are written, too)
    state          TEXT    NOT NULL,
    epoch          INTEGER NOT NULL,
    lease_until    INTEGER,
    owner          TEXT,
    failures       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, bulk_change_id, page),
    FOREIGN KEY (tenant_id, bulk_change_id) REFERENCES device_bulk_change (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_bulk_change_page_state ON device_bulk_change_page (tenant_id, bulk_change_id, state, page);

-- Ids of one change are consecutive, in device order: a page is a range. No foreign keys (docs/decisions/0003).
CREATE TABLE device_change (
    tenant_id        INTEGER NOT NULL,
    id               INTEGER NOT NULL,
    bulk_change_id   INTEGER NOT NULL,
    request_position INTEGER NOT NULL,
    device_id        INTEGER,
    iccid            TEXT,
    number           TEXT,
    per_device       TEXT,
    -- The version of the line's assignment that was judged; null when the line was refused at submission.
    judged_version   INTEGER,
    -- Effects by which the row holds its line (B4.6 rule 6): 1 customer and plan, 2 carrier, 4 outcome unknown.
    holds            INTEGER NOT NULL,
    status           TEXT    NOT NULL,
    error_kind       TEXT,
    error_code       TEXT,
    status_details   TEXT,
    is_processed     INTEGER NOT NULL,
    processed_at     INTEGER,
    attempt          INTEGER NOT NULL,
    next_check_at    INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_change_holding ON device_change (tenant_id, device_id, bulk_change_id, holds) WHERE holds <> 0;
-- What was asked for a line and not done: its story.
CREATE INDEX device_change_undone ON device_change (tenant_id, device_id, processed_at, id)
    WHERE status IN ('ERROR', 'CANCELED') AND device_id IS NOT NULL;
CREATE INDEX device_change_error ON device_change (tenant_id, bulk_change_id, error_code, id) WHERE status = 'ERROR';
CREATE INDEX device_change_waiting ON device_change (tenant_id, next_check_at, id) WHERE status = 'PENDING';

CREATE TABLE device_change_step (
    tenant_id        INTEGER NOT NULL,
    device_change_id INTEGER NOT NULL,
    step             TEXT    NOT NULL,
    part             INTEGER NOT NULL,
    state            TEXT    NOT NULL,
    attempt          INTEGER NOT NULL,
    request_key      TEXT,
    external_id      TEXT,
    outcome          TEXT,
    at               INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, device_change_id, step, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_change_step_stuck ON device_change_step (tenant_id, at, device_change_id) WHERE state = 'stuck';

-- A customer-plan change waiting for its date. It comes from one device change and has its id.
CREATE TABLE customer_rate_plan_device_queue (
    tenant_id                   INTEGER NOT NULL,
    device_change_id            INTEGER NOT NULL,
    bulk_change_id              INTEGER NOT NULL,
    device_id                   INTEGER NOT NULL,
    -- The customer for whom it was ordered; another one later makes the entry fail (B8.3).
    rev_customer_id             INTEGER,
    site_id                     INTEGER,
    -- Null keeps, 0 clears (B8.4, B8.5).
    customer_rate_plan_id       INTEGER,
    customer_rate_pool_id       INTEGER,
    customer_data_allocation_mb TEXT,
    effective_date              INTEGER NOT NULL,
    portal_type                 INTEGER NOT NULL,
    created_by                  TEXT    NOT NULL,
    created_at                  INTEGER NOT NULL,
    modified_by                 TEXT,
    modified_at                 INTEGER,
    is_active                   INTEGER NOT NULL,
    state                       TEXT    NOT NULL,
    attempt                     INTEGER NOT NULL,
    error_code                  TEXT,
    status_details              TEXT,
    PRIMARY KEY (tenant_id, device_change_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_rate_plan_device_queue_due ON customer_rate_plan_device_queue (tenant_id, effective_date, device_change_id, portal_type) WHERE state = 'open';
CREATE INDEX customer_rate_plan_device_queue_device ON customer_rate_plan_device_queue (tenant_id, device_id, effective_date, device_change_id) WHERE state = 'open';
CREATE INDEX customer_rate_plan_device_queue_line ON customer_rate_plan_device_queue
    (tenant_id, device_id, created_at, device_change_id);
CREATE INDEX customer_rate_plan_device_queue_ended ON customer_rate_plan_device_queue
    (tenant_id, device_id, modified_at, device_change_id) WHERE state IN ('canceled', 'failed');
CREATE INDEX customer_rate_plan_device_queue_failed ON customer_rate_plan_device_queue
    (tenant_id, modified_at, bulk_change_id) WHERE state = 'failed';
CREATE INDEX customer_rate_plan_device_queue_change ON customer_rate_plan_device_queue (tenant_id, bulk_change_id, state, device_change_id);

-- Append-only, keyed by what happened; device_change_id 0 stands for the change as a whole.
CREATE TABLE device_bulk_change_log (
    tenant_id             INTEGER NOT NULL,
    bulk_change_id        INTEGER NOT NULL,
    device_change_id      INTEGER NOT NULL,
    attempt               INTEGER NOT NULL,
    entry                 INTEGER NOT NULL,
    month                 INTEGER NOT NULL,
    portal_type           INTEGER NOT NULL,
    log_entry_description TEXT    NOT NULL,
    process_by            TEXT    NOT NULL,
    processed_at          INTEGER NOT NULL,
    request_text          TEXT,
    response_text         TEXT,
    error_text            TEXT,
    has_errors            INTEGER NOT NULL,
    response_status       TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, bulk_change_id, device_change_id, attempt, entry, month)
) STRICT, WITHOUT ROWID;

-- One answer per caller and key (B4.5).
CREATE TABLE idempotency_key (
    tenant_id      INTEGER NOT NULL REFERENCES tenant (id),
    caller         INTEGER NOT NULL,
    idempotency_key TEXT   NOT NULL,
    body_hash      BLOB    NOT NULL,
    running_until  INTEGER,
    bulk_change_id INTEGER,
    answer_json    TEXT,
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, caller, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_key_age ON idempotency_key (tenant_id, created_at);

-- What is to be told to others, written with the state it announces.
CREATE TABLE outbox (
    tenant_id      INTEGER NOT NULL REFERENCES tenant (id),
    id             INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    message_version INTEGER NOT NULL,
    bulk_change_id INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
