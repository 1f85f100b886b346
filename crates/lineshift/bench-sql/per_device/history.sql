-- The fourth of four statements a device.
INSERT INTO device_action_history
    (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
VALUES ($tenant, $device, $now, $change, 1, $entry, $month, $action, $old, $new, $by)
