-- The lines that people have chosen in a portal, kept until they are ordered, taken out, or left alone for a week.

-- One a user and portal: who changes it changes this row first, and the others wait.
CREATE TABLE selection (
    tenant_id   bigint NOT NULL,
    user_id     bigint NOT NULL,
    portal_type smallint NOT NULL,
    line_count  bigint NOT NULL,
    touched_at  bigint NOT NULL,
    PRIMARY KEY (tenant_id, user_id, portal_type),
    FOREIGN KEY (tenant_id, user_id) REFERENCES member (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX selection_touched ON selection (tenant_id, touched_at);

-- Written in sets of thousands, by ids that were just read: no foreign key to the line (docs/decisions/0003).
CREATE TABLE selection_line (
    tenant_id   bigint NOT NULL,
    user_id     bigint NOT NULL,
    portal_type smallint NOT NULL,
    device_id   bigint NOT NULL,
    PRIMARY KEY (tenant_id, user_id, portal_type, device_id),
    FOREIGN KEY (tenant_id, user_id, portal_type) REFERENCES selection (tenant_id, user_id, portal_type) ON DELETE CASCADE
);

-- Names as they are sought: those that begin with a text are neighbours, and as many as are looked through are read from the index.
ALTER TABLE rev_customer ADD COLUMN search_name text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED;
CREATE INDEX rev_customer_by_name ON rev_customer (tenant_id, search_name, id) WHERE is_active = 1;
ALTER TABLE site ADD COLUMN search_name text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED;
CREATE INDEX site_by_name ON site (tenant_id, search_name, id) WHERE rev_customer_id IS NULL AND is_active = 1;

SELECT lineshift_own_by_tenant(name::regclass) FROM unnest(ARRAY['selection', 'selection_line']) AS name;
GRANT SELECT, INSERT, UPDATE, DELETE ON selection TO lineshift_app;
GRANT SELECT, INSERT, DELETE ON selection_line TO lineshift_app;

-- Counted up with every set of lines, by a column in no index; its lines come and go by thousands.
ALTER TABLE selection SET (fillfactor = 70);
ALTER TABLE selection_line SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

COMMENT ON TABLE selection IS 'How many lines a user has chosen in a portal, and when they were last touched';
COMMENT ON TABLE selection_line IS 'The lines that a user has chosen in a portal';
