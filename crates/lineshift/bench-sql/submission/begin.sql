-- The change itself, RECEIVING until its rows are there.

BEGIN IMMEDIATE;

INSERT INTO id_counter (name, next_id) VALUES ('device_bulk_change', 2)
ON CONFLICT (name) DO UPDATE SET next_id = next_id + 1;

INSERT INTO id_counter (name, next_id) VALUES ('device_change', $lines + 1)
ON CONFLICT (name) DO UPDATE SET next_id = next_id + $lines;

INSERT INTO device_bulk_change (
    tenant_id, id, change_request_type_id, portal_type, service_provider_id, identifier, order_json, rev_customer_id, site_id,
    customer_rate_plan_id, customer_rate_pool_id, name, reason, created_by, created_by_id, runs_as_id, created_at,
    receiving_until, started_at, first_device_change_id, last_device_change_id, duplicate_count, attempt, total_count,
    open_count, processed_count, error_count, canceled_count, rejected_count, scheduled_failed_count)
VALUES ($tenant, $change, 4, 0, $provider, 'iccid', $order, NULL, NULL, $plan, NULL, NULL, NULL, $by, $key, $key, $now, $now,
    $now, $first, $first + $lines - 1, 0, 1, 0, 0, 0, 0, 0, 0, 0);

INSERT INTO tenant_work (tenant_id, kind, next_due) VALUES ($tenant, 'bulk_change', $now)
ON CONFLICT (tenant_id, kind) DO UPDATE SET next_due = excluded.next_due WHERE excluded.next_due < tenant_work.next_due;

COMMIT;
