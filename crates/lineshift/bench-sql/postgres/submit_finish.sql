-- The end of a submission: the log of what was refused, and the message.

INSERT INTO device_bulk_change_log (
    tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
    processed_at, request_text, response_text, error_text, has_errors, response_status)
SELECT $tenant, $change, id, 1, 0, $month, 0, 'Submit: Device Refused', 'AltaworxDeviceBulkChange', $now,
    $refused_request || iccid, NULL, error_code || ': ' || status_details, 1, 'ERROR'
FROM device_change
WHERE tenant_id = $tenant AND id BETWEEN 1 AND $lines AND status = 'ERROR';

INSERT INTO tenant_work (tenant_id, kind, next_due) VALUES ($tenant, 'bulk_change', $now)
ON CONFLICT (tenant_id, kind) DO NOTHING;

INSERT INTO outbox (tenant_id, id, kind, message_version, bulk_change_id, created_at)
VALUES ($tenant, 1, 'bulk_change.submitted', 1, $change, $now);

COMMIT;
