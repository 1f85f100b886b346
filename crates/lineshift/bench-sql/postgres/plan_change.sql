-- One page of a customer rate plan change, set by set: up to 5,000 rows of device_change, a range of its key.
-- Leaves the rows that the engine leaves.

BEGIN;

-- Rows that may not be changed, as far as conditions of SQL can tell: archived, not active, changed meanwhile.
UPDATE device_change SET
    status = 'ERROR', error_kind = x.kind, error_code = x.code, status_details = x.details, processed_at = $now, holds = 0
FROM (
    SELECT dc.id,
        CASE WHEN d.is_archived = 1 OR d.status <> 'ACTIVATED' THEN 'ELIGIBILITY' ELSE 'CONFLICT' END AS kind,
        CASE WHEN d.is_archived = 1 THEN 'device_archived' WHEN d.status <> 'ACTIVATED' THEN 'device_not_active'
             ELSE 'modified_meanwhile' END AS code,
        CASE WHEN d.is_archived = 1 THEN $archived WHEN d.status <> 'ACTIVATED' THEN $not_active_1 || d.status || $not_active_2
             ELSE $modified END AS details
    FROM device_change dc
    JOIN device d ON d.tenant_id = $tenant AND d.id = dc.device_id
    JOIN device_tenant dt ON dt.tenant_id = $tenant AND dt.device_id = dc.device_id
    WHERE dc.tenant_id = $tenant AND dc.id BETWEEN $from AND $to AND dc.status = 'NEW'
      AND (d.is_archived = 1 OR d.status <> 'ACTIVATED' OR dt.version <> dc.judged_version)) AS x
WHERE device_change.tenant_id = $tenant AND device_change.id = x.id;

INSERT INTO device_action_history
    (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
SELECT dt.tenant_id, dt.device_id, $now, $change, 1, 40, $month, 'customer_rate_plan',
    '{"customer_rate_plan_id":' || coalesce(dt.customer_rate_plan_id::text, 'null')
        || ',"customer_rate_pool_id":' || coalesce(dt.customer_rate_pool_id::text, 'null')
        || ',"customer_data_allocation_mb":' || coalesce('"' || dt.customer_data_allocation_mb || '"', 'null') || '}',
    '{"customer_rate_plan_id":' || $plan || ',"customer_rate_pool_id":' || coalesce(dt.customer_rate_pool_id::text, 'null')
        || ',"customer_data_allocation_mb":"' || $allocation || '"}',
    $by
FROM device_change dc
JOIN device_tenant dt ON dt.tenant_id = $tenant AND dt.device_id = dc.device_id
WHERE dc.tenant_id = $tenant AND dc.id BETWEEN $from AND $to AND dc.status = 'NEW';

UPDATE device_tenant SET
    customer_rate_plan_id = $plan, customer_data_allocation_mb = $allocation, version = version + 1, modified_by = $by,
    modified_at = $now
FROM device_change dc
WHERE device_tenant.tenant_id = $tenant AND device_tenant.device_id = dc.device_id
  AND dc.tenant_id = $tenant AND dc.id BETWEEN $from AND $to AND dc.status = 'NEW';

INSERT INTO device_bulk_change_log (
    tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
    processed_at, request_text, response_text, error_text, has_errors, response_status)
SELECT $tenant, $change, id, 1, CASE WHEN status = 'NEW' THEN 40 ELSE 0 END, $month, 0,
    CASE WHEN status = 'NEW' THEN $text ELSE 'Process: Device Refused' END, 'AltaworxDeviceBulkChange', $now,
    CASE WHEN status = 'NEW' THEN $request ELSE $refused_request END || iccid, CASE WHEN status = 'NEW' THEN $response END,
    error_code || ': ' || status_details, CASE WHEN status = 'ERROR' THEN 1 ELSE 0 END,
    CASE WHEN status = 'NEW' THEN 'PROCESSED' ELSE 'ERROR' END
FROM device_change
WHERE tenant_id = $tenant AND id BETWEEN $from AND $to;

WITH done AS (
    UPDATE device_change SET status = 'PROCESSED', is_processed = 1, processed_at = $now, holds = 0
    WHERE tenant_id = $tenant AND id BETWEEN $from AND $to AND status = 'NEW' RETURNING id)
UPDATE device_bulk_change SET
    begun_at = coalesce(begun_at, $now), open_count = open_count - ($to - $from + 1),
    processed_count = processed_count + (SELECT count(*) FROM done),
    error_count = error_count + ($to - $from + 1) - (SELECT count(*) FROM done)
WHERE tenant_id = $tenant AND id = $change;

UPDATE device_bulk_change_page SET state = 'done', epoch = epoch + 1
WHERE tenant_id = $tenant AND bulk_change_id = $change AND page = $page;

COMMIT;
