-- `tenant_work` says of messages and of synchronisations, too, which tenants have some, so that nothing else is read across tenants.

INSERT INTO tenant_work (tenant_id, kind, next_due) SELECT DISTINCT tenant_id, 'outbox', 0 FROM outbox;
INSERT INTO tenant_work (tenant_id, kind, next_due) SELECT DISTINCT tenant_id, 'sync', 0 FROM sync_run WHERE state = 'running';

-- Synchronisations due are looked for tenant by tenant.
DROP INDEX sync_run_due;
CREATE INDEX sync_run_due ON sync_run (tenant_id, due_at, id) WHERE state = 'running';

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('sync_run', 'sync_run_due', '2000 2 1 1');

-- Makes this connection read them; the others read them with the schema.
ANALYZE sqlite_schema;
