-- The 100 rows of one transaction, with their lines and what the history says of them.
SELECT dc.id, dc.device_id, dc.iccid, d.is_archived, d.status, dt.version = dc.judged_version,
    json_object('rev_customer_id', dt.rev_customer_id, 'site_id', dt.site_id, 'account_number', dt.account_number,
                'integration_authentication_id', dt.account_number_integration_authentication_id,
                'effective_date', dt.effective_date, 'is_active', dt.is_active, 'is_deleted', dt.is_deleted),
    json_object('rev_customer_id', NULL, 'site_id', $site, 'account_number', NULL, 'integration_authentication_id', NULL,
                'effective_date', coalesce(start_of_day(d.activated_at, $zone), $now), 'is_active', 1, 'is_deleted', 0),
    coalesce(start_of_day(d.activated_at, $zone), $now)
FROM device_change dc
CROSS JOIN device d ON d.tenant_id = $tenant AND d.id = dc.device_id
CROSS JOIN device_tenant dt ON dt.tenant_id = $tenant AND dt.device_id = dc.device_id
WHERE dc.tenant_id = $tenant AND dc.id BETWEEN $from AND $to AND dc.status = 'NEW'
