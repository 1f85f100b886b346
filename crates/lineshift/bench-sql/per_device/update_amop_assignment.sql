-- The first of four statements a device: $value is the effective date.
UPDATE device_tenant SET
    rev_customer_id = NULL, site_id = $site, account_number = NULL, account_number_integration_authentication_id = NULL,
    effective_date = $value, is_active = 1, is_deleted = 0, version = version + 1, modified_by = $by, modified_at = $now
WHERE tenant_id = $tenant AND device_id = $device
