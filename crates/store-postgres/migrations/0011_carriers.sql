-- Carriers: whose account the pages of a change call, what a carrier has accepted and calls back about, and its plans.

-- The carrier's account that the pages of the change call; null: no carrier is called. integration_authentication_id is that of the
-- billing system.
ALTER TABLE device_bulk_change ADD COLUMN carrier_authentication_id bigint;

-- The credentials that the carrier's callbacks must carry, sealed; null: it takes none.
ALTER TABLE service_provider ADD COLUMN callback_secret_encrypted bytea;

-- The plans of the line before the change that the act belongs to, so that an undo can put them back.
ALTER TABLE device_change_step ADD COLUMN before_rate_plan text;
ALTER TABLE device_change_step ADD COLUMN before_comm_plan text;

-- The parts that wait, by the request that the carrier has accepted.
CREATE INDEX device_change_step_waiting ON device_change_step (tenant_id, external_id COLLATE "C", device_change_id)
    WHERE state = 'waiting';

-- Plans by what people call them.
CREATE INDEX carrier_rate_plan_by_name ON carrier_rate_plan (tenant_id, service_provider_id, name, code);
