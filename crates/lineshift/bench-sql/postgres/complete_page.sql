-- What completion owes for one page: cross-provider history and links to Rev services.

BEGIN;

-- Each present row is looked up by its line: the table is empty at first and grows with every page, and a join would be planned
-- as if it still were.
UPDATE cross_provider_device_history h SET valid_to = greatest(h.valid_from, $now)
FROM device_change dc
CROSS JOIN LATERAL (
    SELECT p.ctid AS place FROM cross_provider_device_history p
    WHERE p.tenant_id = $tenant AND p.device_id = dc.device_id AND p.valid_to IS NULL OFFSET 0) AS present
WHERE dc.tenant_id = $tenant AND dc.id BETWEEN $from AND $to AND dc.status = 'PROCESSED' AND h.ctid = present.place;

INSERT INTO cross_provider_device_history (
    tenant_id, device_id, bulk_change_id, attempt, entry, service_provider_id, valid_from, valid_to, rev_customer_id, site_id,
    account_number, customer_rate_plan_id, customer_rate_pool_id, customer_data_allocation_mb)
SELECT dt.tenant_id, dt.device_id, $change, 1, 90, b.service_provider_id, $now, NULL, dt.rev_customer_id, dt.site_id,
    dt.account_number, dt.customer_rate_plan_id, dt.customer_rate_pool_id, dt.customer_data_allocation_mb
FROM device_change dc
JOIN device_tenant dt ON dt.tenant_id = $tenant AND dt.device_id = dc.device_id
CROSS JOIN device_bulk_change b
WHERE b.tenant_id = $tenant AND b.id = $change AND dc.tenant_id = $tenant AND dc.id BETWEEN $from AND $to
  AND dc.status = 'PROCESSED';

UPDATE device_tenant SET rev_service_id = x.service
FROM (
    SELECT dt.device_id, dt.rev_service_id AS present, max(s.id) AS service
    FROM device_change dc
    JOIN device_tenant dt ON dt.tenant_id = $tenant AND dt.device_id = dc.device_id
    LEFT JOIN rev_service s ON s.tenant_id = $tenant AND s.device_id = dt.device_id AND s.rev_customer_id = dt.rev_customer_id
        AND s.disconnected_date IS NULL
    WHERE dc.tenant_id = $tenant AND dc.id BETWEEN $from AND $to AND dc.status = 'PROCESSED'
      AND (dt.rev_service_id IS NOT NULL OR dt.rev_customer_id IS NOT NULL)
    GROUP BY dt.device_id, dt.rev_service_id) AS x
WHERE device_tenant.tenant_id = $tenant AND device_tenant.device_id = x.device_id AND x.service IS DISTINCT FROM x.present;

UPDATE device_bulk_change_page SET state = 'completed', epoch = epoch + 1
WHERE tenant_id = $tenant AND bulk_change_id = $change AND page = $page;

COMMIT;
