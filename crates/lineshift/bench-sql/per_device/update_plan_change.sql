-- The first of four statements a device: $value is not used here.
UPDATE device_tenant SET
    customer_rate_plan_id = $plan, customer_data_allocation_mb = $allocation, version = version + 1, modified_by = $by,
    modified_at = $now
WHERE tenant_id = $tenant AND device_id = $device
