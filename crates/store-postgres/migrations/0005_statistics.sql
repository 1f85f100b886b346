-- What keeps plans and tables good while they grow. Where another engine's planner is told what to expect, PostgreSQL measures
-- it: what is left to say is how closely it looks, how often, and how much room rows have.

-- The tables of a large fleet are changed by whole pages of 5,000 lines. Vacuum and analyze would come only after a fifth or a
-- tenth of the rows had changed: after millions. Dead rows are cleared away earlier, while what they occupy is
-- still in memory, and figures are taken again before an order of a million lines has made the old ones useless.
ALTER TABLE device SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE device_change_step SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE cross_provider_device_history SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE customer_rate_plan_device_queue SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- A page changes all lines of a block at once, and new versions find room beside the old ones only where as much was left.
-- The columns that change stand in indexes, so that updates are rarely HOT here; what the room saves is the second block.
ALTER TABLE device_tenant SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE device_change SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- One row a page, a change or a counter, changed over and over by columns in no index: with room in their block such updates
-- are HOT and leave the indexes alone, and the dead versions go when the block is next read.
ALTER TABLE device_bulk_change SET (fillfactor = 50);
ALTER TABLE device_bulk_change_page SET (fillfactor = 70);
ALTER TABLE id_counter SET (fillfactor = 50);
ALTER TABLE tenant_work SET (fillfactor = 50);
-- Always nearly empty, always in motion: a visit whenever some hundred rows are dead keeps them short.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE tenant_work SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Of tenants themselves no figures are kept: see lineshift_own_by_tenant. Of changes the commonest thousand are known one by one.
ALTER TABLE device_change ALTER COLUMN bulk_change_id SET STATISTICS 1000;
