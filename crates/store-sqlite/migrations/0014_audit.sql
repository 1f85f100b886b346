-- What was asked of the product, by whom, and what came of it. Each request writes an entry before it runs and an outcome after it:
-- an entry without an outcome is unfinished. Both are kept by month and only ever added to.

CREATE TABLE audit_entry (
    tenant_id    INTEGER NOT NULL,
    month        INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    request_id   TEXT    NOT NULL,
    -- key, person, carrier or system.
    actor        TEXT    NOT NULL,
    -- The key or member; null for carriers and the command line.
    principal_id INTEGER,
    who          TEXT    NOT NULL,
    address      TEXT,
    agent        TEXT,
    action       TEXT    NOT NULL,
    target       TEXT,
    PRIMARY KEY (tenant_id, month, at, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_entry_by_principal ON audit_entry (tenant_id, principal_id, month, at, request_id);
CREATE INDEX audit_entry_by_action ON audit_entry (tenant_id, action, month, at, request_id);
CREATE INDEX audit_entry_by_target ON audit_entry (tenant_id, target, month, at, request_id) WHERE target IS NOT NULL;

CREATE TABLE audit_outcome (
    tenant_id     INTEGER NOT NULL,
    -- Those of the entry.
    month         INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    request_id    TEXT    NOT NULL,
    finished_at   INTEGER NOT NULL,
    -- done, refused or failed.
    result        TEXT    NOT NULL,
    status        INTEGER,
    devices       INTEGER,
    -- What it made, as `bulk-changes/12`.
    made          TEXT,
    problem_codes TEXT,
    body_hash     BLOB,
    -- What was done, in words: how much a command erased.
    note          TEXT,
    PRIMARY KEY (tenant_id, month, at, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_outcome_by_made ON audit_outcome (tenant_id, made, month, at, request_id) WHERE made IS NOT NULL;

-- Nothing of it is changed or taken away by the product. The owner's commands, for retention and erasure, take these away and make
-- them anew within their transaction: see src/owner.rs.
CREATE TRIGGER audit_entry_is_not_changed BEFORE UPDATE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_entry_is_not_deleted BEFORE DELETE ON audit_entry
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_outcome_is_not_changed BEFORE UPDATE ON audit_outcome
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_outcome_is_not_deleted BEFORE DELETE ON audit_outcome
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
