-- One page of a submission: a plain insert of its rows, its refusals' log, the page and the counts. What a condition of SQL
-- can tell about a line is told here, in device order.

BEGIN IMMEDIATE;

INSERT INTO device_change (
    tenant_id, id, bulk_change_id, request_position, device_id, iccid, number, per_device, judged_version, holds, status,
    error_kind, error_code, status_details, is_processed, processed_at, attempt, next_check_at)
SELECT $tenant, $first + named.n - 1, $change, named.position, named.device_id, named.iccid, NULL, NULL,
    iif(d.is_archived OR d.status <> 'ACTIVATED', NULL, dt.version), NOT d.is_archived AND d.status = 'ACTIVATED',
    iif(d.is_archived OR d.status <> 'ACTIVATED', 'ERROR', 'NEW'),
    iif(d.is_archived OR d.status <> 'ACTIVATED', 'ELIGIBILITY', NULL),
    CASE WHEN d.is_archived THEN 'device_archived' WHEN d.status <> 'ACTIVATED' THEN 'device_not_active' END,
    CASE WHEN d.is_archived THEN $archived WHEN d.status <> 'ACTIVATED' THEN $not_active_1 || d.status || $not_active_2 END, 0,
    iif(d.is_archived OR d.status <> 'ACTIVATED', $now, NULL), 1, NULL
FROM named
CROSS JOIN device d ON d.tenant_id = $tenant AND d.id = named.device_id
CROSS JOIN device_tenant dt ON dt.tenant_id = $tenant AND dt.device_id = named.device_id
WHERE named.n BETWEEN $from AND $to;

INSERT INTO device_bulk_change_log (
    tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
    processed_at, request_text, response_text, error_text, has_errors, response_status)
SELECT $tenant, $change, id, 1, 0, $month, 0, 'Submit: Device Refused', 'AltaworxDeviceBulkChange', $now,
    $refused_request || iccid, NULL, error_code || ': ' || status_details, 1, 'ERROR'
FROM device_change
WHERE tenant_id = $tenant AND id BETWEEN $first + $from - 1 AND $first + $to - 1 AND status = 'ERROR';

INSERT INTO device_bulk_change_page
    (tenant_id, bulk_change_id, page, from_id, to_id, state, epoch, lease_until, owner, failures)
VALUES ($tenant, $change, $page, $first + $from - 1, $first + $to - 1, 'ready', 0, NULL, NULL, 0);

UPDATE device_bulk_change SET
    total_count = total_count + x.total, open_count = open_count + x.total - x.refused, error_count = error_count + x.refused,
    rejected_count = rejected_count + x.refused
FROM (SELECT count(*) AS total, count(error_code) AS refused FROM device_change
      WHERE tenant_id = $tenant AND id BETWEEN $first + $from - 1 AND $first + $to - 1) AS x
WHERE tenant_id = $tenant AND id = $change;

COMMIT;
