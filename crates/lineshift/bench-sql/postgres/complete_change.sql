-- The end of a change: its last log entry and its message.

BEGIN;

UPDATE device_bulk_change SET processed_at = $now, processed_by = 'AltaworxDeviceBulkChange'
WHERE tenant_id = $tenant AND id = $change;

INSERT INTO device_bulk_change_log (
    tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
    processed_at, request_text, response_text, error_text, has_errors, response_status)
SELECT tenant_id, id, 0, 1, 90, $month, portal_type, 'Bulk Change Completed', processed_by, $now, NULL,
    format('{"status":"PARTIAL","total":%s,"processed":%s,"error":%s,"canceled":%s,"rejected":%s}', total_count, processed_count,
        error_count, canceled_count, rejected_count),
    NULL, 1, 'ERROR'
FROM device_bulk_change WHERE tenant_id = $tenant AND id = $change;

WITH next AS (
    UPDATE id_counter SET next_id = next_id + 1 WHERE tenant_id = $tenant AND name = 'outbox' RETURNING next_id)
INSERT INTO outbox (tenant_id, id, kind, message_version, bulk_change_id, created_at)
SELECT $tenant, next_id - 1, 'bulk_change.completed', 1, $change, $now FROM next;

DELETE FROM tenant_work WHERE tenant_id = $tenant AND kind = 'bulk_change';

COMMIT;
