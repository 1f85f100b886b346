-- Synchronisation with a carrier: whose lines a run reads, what they used, and what a run has seen.

-- The service provider of a carrier's account; null of a billing account.
ALTER TABLE sync_run ADD COLUMN service_provider_id bigint;
ALTER TABLE sync_run ADD COLUMN with_carrier_plans smallint NOT NULL DEFAULT 0;
ALTER TABLE sync_run ADD COLUMN with_devices smallint NOT NULL DEFAULT 0;
ALTER TABLE sync_run ADD COLUMN with_usage smallint NOT NULL DEFAULT 0;
-- Lines changed since then, where the carrier can tell; null: every one.
ALTER TABLE sync_run ADD COLUMN changed_since bigint;
-- Of how many lines in sync_run_line usage is read; 0: of all that have an active assignment.
ALTER TABLE sync_run ADD COLUMN usage_lines integer NOT NULL DEFAULT 0;
ALTER TABLE sync_run ADD COLUMN used_count integer NOT NULL DEFAULT 0;

-- The lines that an order named, of which usage is read.
CREATE TABLE sync_run_line (
    tenant_id   bigint NOT NULL,
    sync_run_id bigint NOT NULL,
    device_id   bigint NOT NULL,
    PRIMARY KEY (tenant_id, sync_run_id, device_id),
    FOREIGN KEY (tenant_id, sync_run_id) REFERENCES sync_run (tenant_id, id)
);

-- The run that saw the line last.
ALTER TABLE device ADD COLUMN seen_in_run bigint;
-- When a synchronisation archived the line because the carrier has it no longer; null: none did. One that is there again is
-- archived no longer, unless somebody else archived it.
ALTER TABLE device ADD COLUMN gone_at bigint;

-- What a line used in the cycle to date, as it was read last: at most one row a line.
CREATE TABLE device_usage (
    tenant_id     bigint NOT NULL,
    device_id     bigint NOT NULL,
    data_bytes    bigint NOT NULL,
    -- Null: the carrier does not say.
    sms_count     bigint,
    voice_seconds bigint,
    at            bigint NOT NULL,
    PRIMARY KEY (tenant_id, device_id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES device (tenant_id, id)
);

SELECT lineshift_own_by_tenant(name::regclass) FROM unnest(ARRAY['sync_run_line', 'device_usage']) AS name;
GRANT SELECT, INSERT, UPDATE, DELETE ON sync_run_line, device_usage TO lineshift_app;
COMMENT ON TABLE sync_run IS 'Synchronisations with a billing system or a carrier';
COMMENT ON TABLE sync_run_line IS 'Lines whose usage a synchronisation was asked for by name';
COMMENT ON TABLE device_usage IS 'What lines used in the cycle to date, as their carrier said last';
