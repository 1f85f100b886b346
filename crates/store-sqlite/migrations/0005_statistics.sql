-- What the planner is to expect, written by hand instead of measured, so that plans are the same in an empty store and in
-- one of a million lines. Without it SQLite takes a tenant alone for a narrow search and prefers a primary key of which
-- only the tenant is known to an index of which every column is known.
-- Per index: rows, then rows for one tenant, for one tenant and second column, and so on. A thousand tenants are said to
-- be there, so that what one statement reads is never taken for more than a table holds: SQLite would then read the whole
-- table once to build a filter over it.

-- Makes the table of statistics; the table analyzed is a small one.
ANALYZE id_counter;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('site', 'site', '2000000 2000 1'),
    ('site', 'site_by_customer', '2000000 2000 2 2 1'),
    ('rev_customer', 'rev_customer', '2000000 2000 1'),
    ('device', 'device', '1000000000 1000000 1'),
    ('device', 'device_by_iccid', '1000000000 1000000 1'),
    ('device', 'device_by_number', '1000000000 1000000 1 1'),
    ('device', 'device_by_status', '1000000000 1000000 100000 1'),
    ('device', 'device_by_provider', '1000000000 1000000 250000 1'),
    ('device', 'device_by_carrier_plan', '1000000000 1000000 20000 1'),
    ('rev_service', 'rev_service', '200000000 200000 1'),
    ('rev_service', 'sqlite_autoindex_rev_service_2', '200000000 200000 200 1'),
    ('rev_service', 'rev_service_connected', '200000000 200000 1 1 1 1'),
    ('rev_service_product', 'rev_service_product', '200000000 200000 1'),
    ('rev_service_product', 'sqlite_autoindex_rev_service_product_2', '200000000 200000 200 1'),
    ('rev_service_product', 'rev_service_product_charged', '150000000 150000 1'),
    ('device_tenant', 'device_tenant', '1000000000 1000000 1'),
    ('device_tenant', 'device_tenant_by_customer', '1000000000 1000000 2000 1'),
    ('device_tenant', 'device_tenant_by_site', '1000000000 1000000 2000 1'),
    ('device_tenant', 'device_tenant_by_plan', '1000000000 1000000 20000 1'),
    ('device_tenant', 'device_tenant_by_pool', '1000000000 1000000 20000 1'),
    ('device_action_history', 'device_action_history', '5000000000 5000000 5 1 1 1 1 1'),
    ('cross_provider_device_history', 'cross_provider_device_history', '3000000000 3000000 3 1 1 1'),
    ('cross_provider_device_history', 'cross_provider_device_history_present', '1000000000 1000000 1'),
    ('device_bulk_change', 'device_bulk_change', '10000000 10000 1'),
    ('device_bulk_change', 'device_bulk_change_of', '10000000 10000 1000 1'),
    ('device_bulk_change', 'device_bulk_change_by_portal', '10000000 10000 4000 1'),
    ('device_bulk_change', 'device_bulk_change_ordered', '10000000 10000 1 1'),
    ('device_bulk_change', 'device_bulk_change_ended', '10000000 10000 1 1'),
    ('device_bulk_change', 'device_bulk_change_unfinished', '10000 10 1'),
    ('device_bulk_change_page', 'device_bulk_change_page', '100000000 100000 200 1'),
    ('device_bulk_change_page', 'device_bulk_change_page_state', '100000000 100000 200 20 1'),
    ('device_change', 'device_change', '5000000000 5000000 1'),
    ('device_change', 'device_change_holding', '100000000 100000 1 1 1'),
    ('device_change', 'device_change_error', '500000000 500000 200000 20000 1'),
    ('device_change', 'device_change_undone', '500000000 500000 1 1 1'),
    ('device_change', 'device_change_waiting', '1000000 1000 1 1'),
    ('device_change_step', 'device_change_step', '1000000000 1000000 2 1 1'),
    ('device_change_step', 'device_change_step_stuck', '10000 10 1 1'),
    ('customer_rate_plan_device_queue', 'customer_rate_plan_device_queue', '1000000000 1000000 1'),
    ('customer_rate_plan_device_queue', 'customer_rate_plan_device_queue_due', '500000000 500000 1000 1 1'),
    ('customer_rate_plan_device_queue', 'customer_rate_plan_device_queue_device', '500000000 500000 1 1 1'),
    ('customer_rate_plan_device_queue', 'customer_rate_plan_device_queue_line', '1000000000 1000000 1 1 1'),
    ('customer_rate_plan_device_queue', 'customer_rate_plan_device_queue_ended', '100000000 100000 1 1 1'),
    ('customer_rate_plan_device_queue', 'customer_rate_plan_device_queue_failed', '50000000 50000 1000 1000 1'),
    ('customer_rate_plan_device_queue', 'customer_rate_plan_device_queue_change', '1000000000 1000000 1000 1000 1'),
    ('device_bulk_change_log', 'device_bulk_change_log', '10000000000 10000000 5000 2 2 1 1');

-- Makes this connection read them; the others read them with the schema.
ANALYZE sqlite_schema;
