-- Spreads a migrated database over the nodes of a Citus cluster, by tenant. Run once, on the coordinator, by lineshift_owner,
-- after the migrations and before there is much in the tables: what is there is moved. The nodes must have been added, the roles of
-- deploy/postgres/roles.sql must exist on each of them, and a superuser must have said
--
--   ALTER DATABASE lineshift SET citus.propagate_set_commands = 'local';
--
-- so that the tenant of a transaction (SET LOCAL app.tenant_id = '...') reaches the nodes, where row level security asks for it.
-- The order matters: a table comes after those to which its foreign keys point. A migration that makes a table passes it to the
-- same calls; month partitions follow their table by themselves.

BEGIN;

-- Small and global: a copy on every node. They refer to nothing that a tenant owns.
SELECT create_reference_table('schema_migration');
SELECT create_reference_table('tenant');
SELECT create_reference_table('users');
SELECT create_reference_table('user_tenant');
SELECT create_reference_table('sign_in_failure');
SELECT create_reference_table('device_status');

-- Owned by tenants: all rows of a tenant on one node, beside each other, so that every join, key and transaction stays there.
SELECT create_distributed_table('id_counter', 'tenant_id');
SELECT create_distributed_table(name, 'tenant_id', colocate_with => 'id_counter')
FROM unnest(ARRAY[
    -- 0001
    'tenant_work', 'api_key',
    -- 0002
    'integration_authentication', 'service_provider', 'rev_customer', 'site', 'customer_rate_plan', 'customer_rate_pool',
    'carrier_rate_plan',
    -- 0003
    'device', 'rev_service', 'rev_service_product', 'device_tenant', 'device_action_history', 'cross_provider_device_history',
    'telegence_new_service_activation_staging',
    -- 0004
    'device_bulk_change', 'device_bulk_change_page', 'device_change', 'device_change_step', 'customer_rate_plan_device_queue',
    'device_bulk_change_log', 'idempotency_key', 'outbox',
    -- 0006, 0007, 0010
    'outside_call_window', 'sync_run', 'sync_run_line', 'sync_finding', 'device_usage', 'outside_call_place',
    -- 0013
    'role', 'member', 'member_role', 'session',
    -- 0014
    'audit_entry', 'audit_outcome',
    -- 0016
    'selection', 'selection_line'
]) WITH ORDINALITY AS given (name, place)
ORDER BY place;

-- What the procedures call must be on every node.
SELECT create_distributed_function(p.oid::regprocedure)
FROM pg_catalog.pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
  AND (p.proname = 'start_of_day' OR p.proname LIKE 'lineshift\_%')
  AND p.proname NOT IN ('lineshift_own_by_tenant', 'lineshift_ensure_partitions', 'lineshift_drop_partitions');

-- The procedures themselves run as a whole on the node of their tenant, which stands first: SELECT usp_...($1, ...), alone.
SELECT create_distributed_function(p.oid::regprocedure, 'p_tenant_id', colocate_with => 'id_counter')
FROM pg_catalog.pg_proc p
WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole AND p.proname LIKE 'usp\_%';

COMMIT;
