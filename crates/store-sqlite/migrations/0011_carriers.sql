-- Carriers: whose account the pages of a change call, what a carrier has accepted and calls back about, and its plans.

-- The carrier's account that the pages of the change call; null: no carrier is called. integration_authentication_id is that of the
-- billing system.
ALTER TABLE device_bulk_change ADD COLUMN carrier_authentication_id INTEGER;

-- The credentials that the carrier's callbacks must carry, sealed; null: it takes none.
ALTER TABLE service_provider ADD COLUMN callback_secret_encrypted BLOB;

-- The plans of the line before the change that the act belongs to, so that an undo can put them back.
ALTER TABLE device_change_step ADD COLUMN before_rate_plan TEXT;
ALTER TABLE device_change_step ADD COLUMN before_comm_plan TEXT;

-- The parts that wait, by the request that the carrier has accepted.
CREATE INDEX device_change_step_waiting ON device_change_step (tenant_id, external_id, device_change_id) WHERE state = 'waiting';

-- A page is found by where it begins.
CREATE INDEX device_bulk_change_page_from ON device_bulk_change_page (tenant_id, bulk_change_id, from_id);

-- Plans by what people call them.
CREATE INDEX carrier_rate_plan_by_name ON carrier_rate_plan (tenant_id, service_provider_id, name, code);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('device_change_step', 'device_change_step_waiting', '1000000 1000 10 1'),
    ('device_bulk_change_page', 'device_bulk_change_page_from', '100000000 100000 200 1'),
    ('carrier_rate_plan', 'carrier_rate_plan_by_name', '100000 100 50 1 1');

-- Makes this connection read them; the others read them with the schema.
ANALYZE sqlite_schema;
