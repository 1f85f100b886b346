-- The change itself with its pages, before its rows.

BEGIN;

INSERT INTO id_counter (tenant_id, name, next_id) VALUES
    ($tenant, 'device_bulk_change', 2), ($tenant, 'device_change', $lines + 1), ($tenant, 'stored_order', 2), ($tenant, 'outbox', 2);

INSERT INTO device_bulk_change (
    tenant_id, id, change_request_type_id, portal_type, service_provider_id, identifier, order_json, rev_customer_id, site_id,
    customer_rate_plan_id, customer_rate_pool_id, name, reason, created_by, created_by_id, runs_as_id, created_at,
    receiving_until, stored_order, started_at, first_device_change_id, last_device_change_id, duplicate_count, attempt, total_count,
    open_count, processed_count, error_count, canceled_count, rejected_count, scheduled_failed_count)
VALUES ($tenant, $change, 4, 0, $provider, 'iccid', $order, NULL, NULL, $plan, NULL, NULL, NULL, $by, $key, $key, $now, NULL, 1,
    $now, 1, $lines, 0, 1, $lines, $lines - $refused, 0, $refused, 0, $refused, 0);

INSERT INTO device_bulk_change_page
    (tenant_id, bulk_change_id, page, from_id, to_id, state, epoch, lease_until, owner, failures)
SELECT $tenant, $change, nth, nth * 5000 + 1, least((nth + 1) * 5000, $lines), 'ready', 0, NULL, NULL, 0
FROM generate_series(0, ($lines - 1) / 5000) AS nth;
