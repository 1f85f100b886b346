-- The second of four statements a device.
UPDATE device_change SET
    status = $status, error_kind = $kind, error_code = $code, status_details = $details, is_processed = $done,
    processed_at = $now, holds = 0
WHERE tenant_id = $tenant AND id = $row
