-- The third of four statements a device.
INSERT INTO device_bulk_change_log (
    tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
    processed_at, request_text, response_text, error_text, has_errors, response_status)
VALUES ($tenant, $change, $row, 1, $entry, $month, 0, $text, 'AltaworxDeviceBulkChange', $now, $request || $iccid, $response, $error,
    $error IS NOT NULL, $status)
