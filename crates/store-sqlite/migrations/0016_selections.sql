-- The lines that people have chosen in a portal, kept until they are ordered, taken out, or left alone for a week.

-- One a user and portal.
CREATE TABLE selection (
    tenant_id   INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,
    portal_type INTEGER NOT NULL,
    line_count  INTEGER NOT NULL,
    touched_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, portal_type),
    FOREIGN KEY (tenant_id, user_id) REFERENCES member (tenant_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX selection_touched ON selection (tenant_id, touched_at);

-- Written in sets of thousands, by ids that were just read: no foreign key to the line (docs/decisions/0003).
CREATE TABLE selection_line (
    tenant_id   INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,
    portal_type INTEGER NOT NULL,
    device_id   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id, portal_type, device_id),
    FOREIGN KEY (tenant_id, user_id, portal_type) REFERENCES selection (tenant_id, user_id, portal_type) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Names as they are sought: those that begin with a text are neighbours, and as many as are looked through are read in their order.
-- Letters beyond ASCII are sought as they are written.
ALTER TABLE rev_customer ADD COLUMN search_name TEXT GENERATED ALWAYS AS (lower(name)) VIRTUAL;
CREATE INDEX rev_customer_by_name ON rev_customer (tenant_id, is_active, search_name, id);
ALTER TABLE site ADD COLUMN search_name TEXT GENERATED ALWAYS AS (lower(name)) VIRTUAL;
CREATE INDEX site_by_name ON site (tenant_id, rev_customer_id, is_active, search_name, id);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('selection', 'selection', '200000 200 2 1'),
    ('selection', 'selection_touched', '200000 200 1 1 1'),
    ('selection_line', 'selection_line', '1000000000 1000000 10000 5000 1'),
    ('rev_customer', 'rev_customer_by_name', '2000000 2000 1500 2 1'),
    ('site', 'site_by_name', '2000000 2000 2 1 1 1');

-- Makes this connection read them; the others read them with the schema.
ANALYZE sqlite_schema;
