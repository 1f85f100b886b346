-- The end of a submission: the change is NEW, and its message stands with it.

BEGIN IMMEDIATE;

INSERT INTO id_counter (name, next_id) VALUES ('stored_order', 2)
ON CONFLICT (name) DO UPDATE SET next_id = next_id + 1;

UPDATE device_bulk_change SET
    receiving_until = NULL, stored_order = (SELECT next_id - 1 FROM id_counter WHERE name = 'stored_order')
WHERE tenant_id = $tenant AND id = $change;

INSERT INTO id_counter (name, next_id) VALUES ('outbox', 2)
ON CONFLICT (name) DO UPDATE SET next_id = next_id + 1;

INSERT INTO outbox (tenant_id, id, kind, message_version, bulk_change_id, created_at)
SELECT $tenant, next_id - 1, 'bulk_change.submitted', 1, $change, $now FROM id_counter WHERE name = 'outbox';

COMMIT;
