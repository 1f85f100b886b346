-- Synchronisation with a carrier: whose lines a run reads, what they used, and what a run has seen.

-- The service provider of a carrier's account; null of a billing account.
ALTER TABLE sync_run ADD COLUMN service_provider_id INTEGER;
ALTER TABLE sync_run ADD COLUMN with_carrier_plans INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_run ADD COLUMN with_devices INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_run ADD COLUMN with_usage INTEGER NOT NULL DEFAULT 0;
-- Lines changed since then, where the carrier can tell; null: every one.
ALTER TABLE sync_run ADD COLUMN changed_since INTEGER;
-- Of how many lines in sync_run_line usage is read; 0: of all that have an active assignment.
ALTER TABLE sync_run ADD COLUMN usage_lines INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_run ADD COLUMN used_count INTEGER NOT NULL DEFAULT 0;

-- The lines that an order named, of which usage is read.
CREATE TABLE sync_run_line (
    tenant_id   INTEGER NOT NULL,
    sync_run_id INTEGER NOT NULL,
    device_id   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, sync_run_id, device_id),
    FOREIGN KEY (tenant_id, sync_run_id) REFERENCES sync_run (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The run that saw the line last.
ALTER TABLE device ADD COLUMN seen_in_run INTEGER;
-- When a synchronisation archived the line because the carrier has it no longer; null: none did. One that is there again is
-- archived no longer, unless somebody else archived it.
ALTER TABLE device ADD COLUMN gone_at INTEGER;

-- What a line used in the cycle to date, as it was read last: at most one row a line.
CREATE TABLE device_usage (
    tenant_id     INTEGER NOT NULL,
    device_id     INTEGER NOT NULL,
    data_bytes    INTEGER NOT NULL,
    -- Null: the carrier does not say.
    sms_count     INTEGER,
    voice_seconds INTEGER,
    at            INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, device_id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES device (tenant_id, id)
) STRICT, WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('sync_run_line', 'sync_run_line', '1000000 10000 1000 1'),
    ('device_usage', 'device_usage', '1000000 10000 1');

-- Makes this connection read them; the others read them with the schema.
ANALYZE sqlite_schema;
