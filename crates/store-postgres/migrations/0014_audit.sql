-- What was asked of the product, by whom, and what came of it. Each request writes an entry before it runs and an outcome after it:
-- an entry without an outcome is unfinished. Both are kept by month and only ever added to.

CREATE TABLE audit_entry (
    tenant_id    bigint NOT NULL REFERENCES tenant (id),
    month        integer NOT NULL,
    at           bigint NOT NULL,
    request_id   text COLLATE "C" NOT NULL,
    -- key, person, carrier or system.
    actor        text NOT NULL,
    -- The key or member; null for carriers and the command line.
    principal_id bigint,
    who          text NOT NULL,
    address      text,
    agent        text,
    action       text COLLATE "C" NOT NULL,
    target       text COLLATE "C",
    PRIMARY KEY (tenant_id, month, at, request_id)
) PARTITION BY RANGE (month);
CREATE INDEX audit_entry_by_principal ON audit_entry (tenant_id, principal_id, month, at, request_id);
CREATE INDEX audit_entry_by_action ON audit_entry (tenant_id, action, month, at, request_id);
CREATE INDEX audit_entry_by_target ON audit_entry (tenant_id, target, month, at, request_id) WHERE target IS NOT NULL;
-- Takes every row whose month has no partition yet, so that none is ever refused.
CREATE TABLE audit_entry_default PARTITION OF audit_entry DEFAULT;

CREATE TABLE audit_outcome (
    tenant_id     bigint NOT NULL REFERENCES tenant (id),
    -- Those of the entry.
    month         integer NOT NULL,
    at            bigint NOT NULL,
    request_id    text COLLATE "C" NOT NULL,
    finished_at   bigint NOT NULL,
    -- done, refused or failed.
    result        text NOT NULL,
    status        integer,
    devices       bigint,
    -- What it made, as `bulk-changes/12`.
    made          text COLLATE "C",
    problem_codes text,
    body_hash     bytea,
    -- What was done, in words: how much a command erased.
    note          text,
    PRIMARY KEY (tenant_id, month, at, request_id)
) PARTITION BY RANGE (month);
CREATE INDEX audit_outcome_by_made ON audit_outcome (tenant_id, made, month, at, request_id) WHERE made IS NOT NULL;
CREATE TABLE audit_outcome_default PARTITION OF audit_outcome DEFAULT;

SELECT lineshift_own_by_tenant(name::regclass)
FROM unnest(ARRAY['audit_entry', 'audit_entry_default', 'audit_outcome', 'audit_outcome_default']) AS name;

SELECT lineshift_ensure_partitions(to_char(now() - interval '2 months', 'YYYYMM')::integer, 9);

-- Nothing of it is changed or taken away by the product: that is the owner's, by retention and erasure.
GRANT SELECT, INSERT ON audit_entry, audit_outcome TO lineshift_app;

COMMENT ON TABLE audit_entry IS 'What was asked of the product and by whom, by month; only added to';
COMMENT ON TABLE audit_outcome IS 'What came of it, by month; only added to';
