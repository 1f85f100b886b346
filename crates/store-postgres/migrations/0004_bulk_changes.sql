-- Orders, their lines, and what is still owed.

CREATE TABLE device_bulk_change (
    tenant_id              bigint NOT NULL REFERENCES tenant (id),
    id                     bigint NOT NULL,
    change_request_type_id smallint NOT NULL,
    portal_type            smallint NOT NULL,
    service_provider_id    bigint NOT NULL,
    identifier             text NOT NULL,
    order_json             text NOT NULL,
    -- What was derived at submission and is looked at again when a page is run (B4.8, B5.3).
    rev_customer_id        bigint,
    site_id                bigint,
    customer_rate_plan_id  bigint,
    customer_rate_pool_id  bigint,
    name                   text,
    reason                 text,
    created_by             text NOT NULL,
    created_by_id      bigint NOT NULL,
    -- Under whose rights it runs: the orderer's, after a retry the retrier's (B10.2).
    runs_as_id         bigint NOT NULL,
    created_at             bigint NOT NULL,
    -- Until when its submitter may go on storing rows; null once they are all there.
    receiving_until        bigint,
    -- The order in which changes were stored; of two that hold a line the lower one goes on (B4.6 rule 6).
    stored_order           bigint,
    -- Null while it is held back for a start (B10.1).
    started_at             bigint,
    begun_at               bigint,
    canceled_at            bigint,
    canceled_by            text,
    -- How far whoever canceled it reached then; null: everything.
    canceled_reach         text,
    processed_by           text,
    processed_at           bigint,
    attempt                integer NOT NULL,
    -- Until when a retry may go on opening rows; the change is not completed before (B10.2).
    reopening_until        bigint,
    first_device_change_id bigint NOT NULL,
    last_device_change_id  bigint NOT NULL,
    total_count            integer NOT NULL,
    open_count             integer NOT NULL,
    processed_count        integer NOT NULL,
    error_count            integer NOT NULL,
    canceled_count         integer NOT NULL,
    rejected_count         integer NOT NULL,
    duplicate_count        integer NOT NULL,
    scheduled_failed_count integer NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, service_provider_id) REFERENCES service_provider (tenant_id, id)
);
CREATE INDEX device_bulk_change_of ON device_bulk_change (tenant_id, created_by_id, id);
CREATE INDEX device_bulk_change_by_portal ON device_bulk_change (tenant_id, portal_type, id);
CREATE INDEX device_bulk_change_ordered ON device_bulk_change (tenant_id, created_at);
CREATE INDEX device_bulk_change_ended ON device_bulk_change (tenant_id, processed_at, id) WHERE processed_at IS NOT NULL;
CREATE INDEX device_bulk_change_unfinished ON device_bulk_change (tenant_id, id) WHERE processed_at IS NULL;

CREATE TABLE device_bulk_change_page (
    tenant_id      bigint NOT NULL,
    bulk_change_id bigint NOT NULL,
    page           integer NOT NULL,
    from_id        bigint NOT NULL,
    to_id          bigint NOT NULL,
    -- ready, done (its rows are final), completed (history and links are written, too)
    state          text COLLATE "C" NOT NULL,
    epoch          bigint NOT NULL,
    lease_until    bigint,
    owner          text,
    failures       integer NOT NULL,
    PRIMARY KEY (tenant_id, bulk_change_id, page),
    FOREIGN KEY (tenant_id, bulk_change_id) REFERENCES device_bulk_change (tenant_id, id)
);
CREATE INDEX device_bulk_change_page_state ON device_bulk_change_page (tenant_id, bulk_change_id, state, page);

-- Ids of one change are consecutive, in device order: a page is a range. No foreign keys (docs/decisions/0003).
CREATE TABLE device_change (
    tenant_id        bigint NOT NULL,
    id               bigint NOT NULL,
    bulk_change_id   bigint NOT NULL,
    request_position integer NOT NULL,
    device_id        bigint,
    iccid            text COLLATE "C",
    number           text COLLATE "C",
    per_device       text,
    -- The version of the line's assignment that was judged; null when the line was refused at submission.
    judged_version   bigint,
    -- Effects by which the row holds its line (B4.6 rule 6): 1 customer and plan, 2 carrier, 4 outcome unknown.
    holds            smallint NOT NULL,
    status           text NOT NULL,
    error_kind       text,
    error_code       text COLLATE "C",
    status_details   text,
    is_processed     smallint NOT NULL,
    processed_at     bigint,
    attempt          integer NOT NULL,
    next_check_at    bigint,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX device_change_holding ON device_change (tenant_id, device_id, bulk_change_id, holds) WHERE holds <> 0;
-- What was asked for a line and not done: its story.
CREATE INDEX device_change_undone ON device_change (tenant_id, device_id, processed_at, id)
    WHERE status IN ('ERROR', 'CANCELED') AND device_id IS NOT NULL;
CREATE INDEX device_change_error ON device_change (tenant_id, bulk_change_id, error_code, id) WHERE status = 'ERROR';
CREATE INDEX device_change_waiting ON device_change (tenant_id, next_check_at, id) WHERE status = 'PENDING';

CREATE TABLE device_change_step (
    tenant_id        bigint NOT NULL,
    device_change_id bigint NOT NULL,
    step             text COLLATE "C" NOT NULL,
    part             integer NOT NULL,
    state            text COLLATE "C" NOT NULL,
    attempt          integer NOT NULL,
    request_key      text,
    external_id      text,
    outcome          text,
    at               bigint NOT NULL,
    PRIMARY KEY (tenant_id, device_change_id, step, part)
);
CREATE INDEX device_change_step_stuck ON device_change_step (tenant_id, at, device_change_id) WHERE state = 'stuck';

-- A customer-plan change waiting for its date. It comes from one device change and has its id.
CREATE TABLE customer_rate_plan_device_queue (
    tenant_id                   bigint NOT NULL,
    device_change_id            bigint NOT NULL,
    bulk_change_id              bigint NOT NULL,
    device_id                   bigint NOT NULL,
    -- The customer for whom it was ordered; another one later makes the entry fail (B8.3).
    rev_customer_id             bigint,
    site_id                     bigint,
    -- Null keeps, 0 clears (B8.4, B8.5).
    customer_rate_plan_id       bigint,
    customer_rate_pool_id       bigint,
    customer_data_allocation_mb text,
    effective_date              bigint NOT NULL,
    portal_type                 smallint NOT NULL,
    created_by                  text NOT NULL,
    created_at                  bigint NOT NULL,
    modified_by                 text,
    modified_at                 bigint,
    is_active                   smallint NOT NULL,
    state                       text COLLATE "C" NOT NULL,
    attempt                     integer NOT NULL,
    error_code                  text COLLATE "C",
    status_details              text,
    PRIMARY KEY (tenant_id, device_change_id)
);
CREATE INDEX customer_rate_plan_device_queue_due ON customer_rate_plan_device_queue
    (tenant_id, effective_date, device_change_id, portal_type) WHERE state = 'open';
CREATE INDEX customer_rate_plan_device_queue_device ON customer_rate_plan_device_queue
    (tenant_id, device_id, effective_date, device_change_id) WHERE state = 'open';
CREATE INDEX customer_rate_plan_device_queue_line ON customer_rate_plan_device_queue
    (tenant_id, device_id, created_at, device_change_id);
CREATE INDEX customer_rate_plan_device_queue_ended ON customer_rate_plan_device_queue
    (tenant_id, device_id, modified_at, device_change_id) WHERE state IN ('canceled', 'failed');
CREATE INDEX customer_rate_plan_device_queue_failed ON customer_rate_plan_device_queue
    (tenant_id, modified_at, bulk_change_id) WHERE state = 'failed';
CREATE INDEX customer_rate_plan_device_queue_change ON customer_rate_plan_device_queue
    (tenant_id, bulk_change_id, state, device_change_id);

-- Append-only, keyed by what happened; device_change_id 0 stands for the change as a whole.
CREATE TABLE device_bulk_change_log (
    tenant_id             bigint NOT NULL,
    bulk_change_id        bigint NOT NULL,
    device_change_id      bigint NOT NULL,
    attempt               integer NOT NULL,
    entry                 bigint NOT NULL,
    month                 integer NOT NULL,
    portal_type           smallint NOT NULL,
    log_entry_description text NOT NULL,
    process_by            text NOT NULL,
    processed_at          bigint NOT NULL,
    request_text          text,
    response_text         text,
    error_text            text,
    has_errors            smallint NOT NULL,
    response_status       text NOT NULL,
    PRIMARY KEY (tenant_id, bulk_change_id, device_change_id, attempt, entry, month)
) PARTITION BY RANGE (month);
CREATE TABLE device_bulk_change_log_default PARTITION OF device_bulk_change_log DEFAULT;

-- One answer per caller and key (B4.5).
CREATE TABLE idempotency_key (
    tenant_id      bigint NOT NULL REFERENCES tenant (id),
    caller         bigint NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    body_hash      bytea NOT NULL,
    running_until  bigint,
    bulk_change_id bigint,
    answer_json    text,
    created_at     bigint NOT NULL,
    PRIMARY KEY (tenant_id, caller, idempotency_key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (tenant_id, created_at);

-- What is to be told to others, written with the state it announces.
CREATE TABLE outbox (
    tenant_id      bigint NOT NULL REFERENCES tenant (id),
    id             bigint NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    message_version smallint NOT NULL,
    bulk_change_id bigint NOT NULL,
    created_at     bigint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

SELECT lineshift_own_by_tenant(name::regclass) FROM unnest(ARRAY[
    'device_bulk_change', 'device_bulk_change_page', 'device_change', 'device_change_step', 'customer_rate_plan_device_queue',
    'device_bulk_change_log', 'device_bulk_change_log_default', 'idempotency_key', 'outbox']) AS name;
SELECT lineshift_ensure_partitions(to_char(now() - interval '2 months', 'YYYYMM')::integer, 9);

-- A change whose submitter was lost is taken away again with its rows and their log (B4.7).
GRANT SELECT, INSERT, UPDATE, DELETE ON device_bulk_change, device_bulk_change_page, device_change, idempotency_key, outbox
    TO lineshift_app;
GRANT SELECT, INSERT, UPDATE ON device_change_step, customer_rate_plan_device_queue TO lineshift_app;
GRANT SELECT, INSERT, DELETE ON device_bulk_change_log TO lineshift_app;

COMMENT ON TABLE device_bulk_change IS 'Orders over many lines, each with its counts';
COMMENT ON TABLE device_bulk_change_page IS 'Ranges of an order''s rows, claimed by workers under a lease and an epoch (B5.1)';
COMMENT ON TABLE device_change IS 'An order for one line: what differs for it, and how it ended';
COMMENT ON TABLE device_change_step IS 'Steps that call outside: intent, outcome, what is unknown (B7.1)';
COMMENT ON TABLE customer_rate_plan_device_queue IS 'Plan changes that wait for their date (B8.2)';
COMMENT ON TABLE device_bulk_change_log IS 'What each step asked, got and concluded (B11.1), by month';
COMMENT ON TABLE idempotency_key IS 'One answer for each caller and key (B4.5)';
COMMENT ON TABLE outbox IS 'Messages, stored with the state that they announce';
