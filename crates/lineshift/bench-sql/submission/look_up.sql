-- The one look-up of a submission: which lines the request names, numbered in device order. ICCIDs are sorted first, so that
-- neighbours share pages of the index, which holds the line's id, too.

CREATE TEMP TABLE named (n INTEGER PRIMARY KEY, position INTEGER, iccid TEXT, device_id INTEGER);

INSERT INTO named (position, iccid, device_id)
SELECT line.position, line.iccid, d.id
FROM (SELECT key AS position, value AS iccid FROM json_each($body, '$.Devices') ORDER BY value) AS line
CROSS JOIN device d INDEXED BY device_by_iccid ON d.tenant_id = $tenant AND d.iccid = line.iccid
ORDER BY d.id;
