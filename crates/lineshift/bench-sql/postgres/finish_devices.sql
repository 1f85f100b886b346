-- Once, at the end of what ran device by device: the pages and the counts as the other legs leave them.

BEGIN;

UPDATE device_bulk_change_page SET state = 'done', epoch = epoch + 1 WHERE tenant_id = $tenant AND bulk_change_id = $change;

UPDATE device_bulk_change SET
    begun_at = $now, open_count = 0, processed_count = x.processed, error_count = x.failed
FROM (SELECT count(*) FILTER (WHERE status = 'PROCESSED') AS processed, count(*) FILTER (WHERE status = 'ERROR') AS failed
      FROM device_change WHERE tenant_id = $tenant AND id BETWEEN $first AND $last) AS x
WHERE tenant_id = $tenant AND id = $change;

COMMIT;
