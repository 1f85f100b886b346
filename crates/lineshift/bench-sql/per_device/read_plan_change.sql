-- The 100 rows of one transaction, with their lines and what the history says of them.
SELECT dc.id, dc.device_id, dc.iccid, d.is_archived, d.status, dt.version = dc.judged_version,
    json_object('customer_rate_plan_id', dt.customer_rate_plan_id, 'customer_rate_pool_id', dt.customer_rate_pool_id,
                'customer_data_allocation_mb', dt.customer_data_allocation_mb),
    json_object('customer_rate_plan_id', $plan, 'customer_rate_pool_id', dt.customer_rate_pool_id,
                'customer_data_allocation_mb', $allocation),
    NULL
FROM device_change dc
CROSS JOIN device d ON d.tenant_id = $tenant AND d.id = dc.device_id
CROSS JOIN device_tenant dt ON dt.tenant_id = $tenant AND dt.device_id = dc.device_id
WHERE dc.tenant_id = $tenant AND dc.id BETWEEN $from AND $to AND dc.status = 'NEW'
