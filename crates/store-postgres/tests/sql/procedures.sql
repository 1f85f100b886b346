-- What the procedures do, in plain SQL: to be run as a member of lineshift_app on a migrated database. It is one transaction
-- that is
-- rolled back, needs no client of its own, and stops at the first assertion that fails.

BEGIN;

INSERT INTO tenant (id, name, time_zone, created_at) VALUES
    (900001, 'regression', 'America/New_York', 0), (900002, 'neighbour', 'UTC', 0);

-- Both tenants get the same: lines 1 to 6 under two customers, each of them with a site.
DO $$
DECLARE
    t bigint;
BEGIN
    FOREACH t IN ARRAY ARRAY[900001, 900002] LOOP
        EXECUTE format('SET LOCAL app.tenant_id = %L', t);
        INSERT INTO integration_authentication (tenant_id, id, name, integration_kind, is_active, created_at)
            VALUES (t, 5, 'rev', 'Rev.io', 1, 0);
        INSERT INTO service_provider (tenant_id, id, name, integration_kind, write_enabled, is_active, created_at, modified_at)
            VALUES (t, 1, 'carrier', 'Jasper', 1, 1, 0, 0);
        INSERT INTO rev_customer (tenant_id, id, name, integration_authentication_id, is_active, created_at, modified_at)
            VALUES (t, 7001, 'one', 5, 1, 0, 0), (t, 7002, 'two', 5, 1, 0, 0), (t, 7003, 'no site', 5, 1, 0, 0);
        INSERT INTO site (tenant_id, id, name, rev_customer_id, is_active, created_at, modified_at)
            VALUES (t, 10, 'closed', 7001, 0, 0, 0), (t, 11, 'of one', 7001, 1, 0, 0), (t, 12, 'of two', 7002, 1, 0, 0),
                   (t, 13, 'amop', NULL, 1, 0, 0);
        INSERT INTO customer_rate_plan (tenant_id, id, name, is_active, created_at, modified_at)
            VALUES (t, 21, 'plan', 1, 0, 0), (t, 22, 'other plan', 1, 0, 0);
        INSERT INTO customer_rate_pool (tenant_id, id, name, is_active, created_at, modified_at) VALUES (t, 31, 'pool', 1, 0, 0);
        INSERT INTO device (tenant_id, id, service_provider_id, iccid, subscriber_number, status, is_archived, is_deleted,
                activated_at, created_at, modified_at)
            SELECT t, i, 1, '89010000000000000' || t || i, '1555000000' || i, 'ACTIVATED', 0, 0,
                -- Line 1 was activated on 2026-11-01 at 12:00 in New York, the day on which clocks are put back.
                CASE i WHEN 1 THEN 1793552400000000 END, 0, 0
            FROM generate_series(1, 6) AS i;
        INSERT INTO device_tenant (tenant_id, device_id, is_active, is_deleted, version, modified_by, modified_at)
            SELECT t, i, 0, 0, 1, 'import', 0 FROM generate_series(1, 6) AS i;
    END LOOP;
END
$$;

-- Makes a change with one row for each of the devices given, rows counted on from first, and its page, held under epoch 3.
CREATE FUNCTION pg_temp.make_change(t bigint, change bigint, type integer, portal integer, first bigint, devices bigint[],
    order_json text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    last bigint := first + cardinality(devices) - 1;
BEGIN
    INSERT INTO device_bulk_change (tenant_id, id, change_request_type_id, portal_type, service_provider_id, identifier,
        order_json,
            rev_customer_id, site_id, created_by, created_by_id, runs_as_id, created_at, stored_order, started_at,
            begun_at,
            attempt, first_device_change_id, last_device_change_id, total_count, open_count, processed_count, error_count,
            canceled_count, rejected_count, duplicate_count, scheduled_failed_count)
        VALUES (t, change, type, portal, 1, CASE portal WHEN 0 THEN 'iccid' ELSE 'number' END, order_json,
            (order_json::jsonb ->> 'rev_customer_id')::bigint, (order_json::jsonb ->> 'site_id')::bigint, 'ann', 1, 1, 0,
            change, 0,
            0, 1, first, last, last - first + 1, last - first + 1, 0, 0, 0, 0, 0, 0);
    INSERT INTO device_bulk_change_page (tenant_id, bulk_change_id, page, from_id, to_id, state, epoch, lease_until, owner,
        failures)
        VALUES (t, change, 0, first, last, 'ready', 3, 0, 'worker', 0);
    INSERT INTO device_change (tenant_id, id, bulk_change_id, request_position, device_id, iccid, number, judged_version, holds,
            status, is_processed, attempt)
        SELECT t, first + place - 1, change, place - 1, d.id, CASE portal WHEN 0 THEN d.iccid END,
            CASE portal WHEN 0 THEN NULL ELSE d.subscriber_number END, 1, 1, 'NEW', 0, 1
        FROM unnest(devices) WITH ORDINALITY AS given (device, place)
        JOIN device d ON d.tenant_id = t AND d.id = given.device;
END
$$;

-- The history of a line's last change: old value, an arrow, new value.
CREATE FUNCTION pg_temp.history(t bigint, device bigint, change bigint, place integer) RETURNS text LANGUAGE sql AS $$
    SELECT h.old_value || ' -> ' || h.new_value FROM device_action_history h
    WHERE h.tenant_id = t AND h.device_id = device AND h.bulk_change_id = change AND h.entry = place
$$;

SET LOCAL app.tenant_id = '900001';

-- Rev path: what was derived at submission; dated by the start of the day of activation, else now.
DO $$
DECLARE
    t bigint := 900001;
    line device_tenant;
    entry device_bulk_change_log;
    refused boolean := false;
BEGIN
    PERFORM pg_temp.make_change(t, 1, 1, 0, 101, ARRAY[1, 2, 3],
        '{"type":"customer_assignment","rev_customer_id":7001,"site_id":11,'
        '"account_number":"7001","integration_authentication_id":5,"effective_at":null}');
    UPDATE device_change SET status = 'ERROR' WHERE tenant_id = t AND id = 103;
    BEGIN
        PERFORM usp_assign_customer_update_site(t, 1, '7001', 'AltaworxDeviceBulkChange', 101, 103, 2);
    EXCEPTION WHEN SQLSTATE 'LS001' THEN
        refused := true;
    END;
    ASSERT refused, 'another epoch is refused';
    UPDATE device_bulk_change_page SET owner = NULL WHERE tenant_id = t AND bulk_change_id = 1;
    refused := false;
    BEGIN
        PERFORM usp_assign_customer_update_site(t, 1, '7001', 'AltaworxDeviceBulkChange', 101, 103, 3);
    EXCEPTION WHEN SQLSTATE 'LS001' THEN
        refused := true;
    END;
    ASSERT refused, 'a page that was given back is refused';
    UPDATE device_bulk_change_page SET owner = 'worker' WHERE tenant_id = t AND bulk_change_id = 1;

    ASSERT usp_assign_customer_update_site(t, 1, '7001', 'AltaworxDeviceBulkChange', 101, 103, 3, '2026-11-21 10:00Z') = 2,
        'two lines';
    ASSERT usp_assign_customer_update_site(t, 1, '7001', 'AltaworxDeviceBulkChange', 101, 103, 3, '2026-11-21 11:00Z') = 0,
        'already so';
    SELECT dt.* INTO line FROM device_tenant dt WHERE dt.tenant_id = t AND dt.device_id = 1;
    ASSERT (line.rev_customer_id, line.site_id, line.account_number, line.account_number_integration_authentication_id,
        line.is_active,
        line.is_deleted, line.version, line.modified_by) IS NOT DISTINCT FROM (7001, 11, '7001', 5, 1, 0, 2, 'ann'), line::text;
    ASSERT lineshift_moment(line.effective_date) = '2026-11-01 00:00:00-04', 'the first midnight of that day in New York';
    ASSERT (SELECT lineshift_moment(dt.effective_date) = '2026-11-21 10:00Z' FROM device_tenant dt
            WHERE dt.tenant_id = t AND dt.device_id = 2), 'a line that was never activated is dated now';
    ASSERT pg_temp.history(t, 1, 1, 30) =
        '{"rev_customer_id":null,"site_id":null,"account_number":null,"integration_authentication_id":null,"effective_date":null,'
        '"is_active":0,"is_deleted":0} -> {"rev_customer_id":7001,"site_id":11,"account_number":"7001",'
        '"integration_authentication_id":5,"effective_date":1793505600000000,"is_active":1,"is_deleted":0}', pg_temp.history(t,
        1, 1, 30);
    SELECT l.* INTO entry FROM device_bulk_change_log l WHERE l.tenant_id = t AND l.bulk_change_id = 1 AND l.device_change_id
        = 101;
    ASSERT (entry.attempt, entry.entry, entry.month, entry.portal_type, entry.log_entry_description, entry.process_by,
        entry.has_errors,
        entry.response_status) = (1, 30, 202611, 0, 'AMOP Customer Assignment', 'AltaworxDeviceBulkChange', 0, 'PROCESSED'),
        entry::text;
    ASSERT entry.request_text = E'usp_Assign_Customer_Update_Site\ncustomer 7001, site 11, line 890100000000000009000011',
        entry::text;
    ASSERT entry.response_text = 'assigned to customer 7001 at site 11', entry::text;
    ASSERT (SELECT count(*) = 2 FROM device_bulk_change_log l WHERE l.tenant_id = t AND l.bulk_change_id = 1), 'one entry a row';
    ASSERT (SELECT count(*) = 2 FROM device_action_history h WHERE h.tenant_id = t), 'one history row a line';
    ASSERT (SELECT dt.version = 1 FROM device_tenant dt WHERE dt.tenant_id = t AND dt.device_id = 3),
        'a row that ended is left alone';
END
$$;

-- AMOP path, with a date: no customer, no account.
DO $$
DECLARE
    t bigint := 900001;
    line device_tenant;
BEGIN
    PERFORM pg_temp.make_change(t, 2, 1, 0, 201, ARRAY[1, 4],
        '{"type":"customer_assignment","rev_customer_id":null,"site_id":13,'
        '"account_number":null,"integration_authentication_id":null,"effective_at":"2026-11-05T05:00:00Z"}');
    ASSERT usp_devicebulkchange_assign_non_rev_customer(t, 2, 13) = 2, 'two lines';
    SELECT dt.* INTO line FROM device_tenant dt WHERE dt.tenant_id = t AND dt.device_id = 1;
    ASSERT line.rev_customer_id IS NULL AND line.account_number IS NULL
        AND line.account_number_integration_authentication_id IS NULL
        AND line.site_id = 13 AND line.version = 3 AND lineshift_moment(line.effective_date) = '2026-11-05 05:00Z', line::text;
    ASSERT (SELECT l.request_text LIKE E'usp_DeviceBulkChange_Assign_Non_Rev_Customer\nsite 13, line 8901%'
            AND l.log_entry_description = 'AssignNonRevCustomer: Update AMOP'
            FROM device_bulk_change_log l WHERE l.tenant_id = t AND l.bulk_change_id = 2 AND l.device_change_id = 202), 'log';
END
$$;

-- Single lines, without a bulk change: the customer's first active site; held lines are refused.
DO $$
DECLARE
    t bigint := 900001;
    refused boolean := false;
BEGIN
    ASSERT usp_assign_customer_update_site(t, '7001', '890100000000000009000015') = 1, 'one line';
    ASSERT usp_assign_customer_update_site(t, '7001', ARRAY['890100000000000009000015', '890100000000000009000015', 'unknown'])
        = 0,
        'already so';
    ASSERT usp_assign_customer_update_site(t, '7002', ARRAY['890100000000000009000015', '890100000000000009000016',
        '890100000000000009000016']) = 2, 'two lines';
    ASSERT (SELECT dt.site_id = 12 AND dt.version = 3 AND dt.modified_by = session_user FROM device_tenant dt
            WHERE dt.tenant_id = t AND dt.device_id = 5), 'the site of two';
    BEGIN
        PERFORM usp_assign_customer_update_site(t, '7001', '890100000000000009000011');
    EXCEPTION WHEN SQLSTATE 'LS002' THEN
        refused := true;
    END;
    ASSERT refused, 'a held line is refused';
    refused := false;
    BEGIN
        PERFORM usp_assign_customer_update_site(t, '7003', '890100000000000009000015');
    EXCEPTION WHEN foreign_key_violation THEN
        refused := true;
    END;
    ASSERT refused, 'a customer without a site is refused';
END
$$;

-- Plans: null keeps, 0 clears; the canonical text of an allocation; queue entries of others are replaced; rows marked on demand.
DO $$
DECLARE
    t bigint := 900001;
    plans CONSTANT text := '{"type":"customer_rate_plan_change"}';
    refused boolean := false;
BEGIN
    PERFORM pg_temp.make_change(t, 3, 4, 0, 301, ARRAY[1, 2], plans);
    PERFORM pg_temp.make_change(t, 4, 4, 0, 401, ARRAY[1, 2], plans);
    ASSERT usp_devicebulkchange_customerrateplanchange_updatedevices(t, 3, 21, 31, 1500.50, NULL, false, 301, 302, 3) = 2,
        'two lines';
    ASSERT pg_temp.history(t, 2, 3, 40) =
        '{"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null} -> '
        '{"customer_rate_plan_id":21,"customer_rate_pool_id":31,"customer_data_allocation_mb":"1500.5"}', pg_temp.history(t, 2,
        3, 40);
    ASSERT (SELECT l.request_text LIKE E'usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices\nplan 21, pool 31, allocation '
            '1500.5 MB, line 8901%' AND l.response_text = 'now plan 21, pool 31, allocation 1500.5 MB'
            AND l.log_entry_description = 'Change Customer Rate Plan: Update AMOP' AND l.entry = 40
            FROM device_bulk_change_log l WHERE l.tenant_id = t AND l.bulk_change_id = 3 AND l.device_change_id = 301), 'log';
    ASSERT usp_devicebulkchange_customerrateplanchange_updatedevices(t, 3, 21, NULL, 1500.500, NULL, false) = 0, 'already so';
    INSERT INTO customer_rate_plan_device_queue (tenant_id, device_change_id, bulk_change_id, device_id, effective_date,
        portal_type,
            created_by, created_at, is_active, state, attempt)
        VALUES (t, 301, 3, 1, 9, 0, 'x', 0, 1, 'open', 1), (t, 401, 4, 1, 9, 0, 'x', 0, 1, 'open', 1);
    ASSERT usp_devicebulkchange_customerrateplanchange_updatedevices(t, 4, NULL, 0, 0, NULL, true, 401, 402, 3,
        p_replace_scheduled => true) = 2, 'pool and allocation cleared';
    ASSERT (SELECT dt.customer_rate_plan_id = 21 AND dt.customer_rate_pool_id IS NULL AND dt.customer_data_allocation_mb IS NULL
            FROM device_tenant dt WHERE dt.tenant_id = t AND dt.device_id = 1), 'the plan was kept';
    ASSERT (SELECT array_agg(q.state ORDER BY q.device_change_id) = ARRAY['canceled', 'open']
        FROM customer_rate_plan_device_queue q
            WHERE q.tenant_id = t), 'another change''s entry is canceled, its own stays';
    ASSERT (SELECT b.open_count = 0 AND b.processed_count = 2 FROM device_bulk_change b WHERE b.tenant_id = t AND b.id = 4),
        'counts';
    ASSERT (SELECT bool_and(dc.status = 'PROCESSED' AND dc.is_processed = 1 AND dc.holds = 0) FROM device_change dc
            WHERE dc.tenant_id = t AND dc.bulk_change_id = 4), 'rows marked';
    BEGIN
        PERFORM usp_devicebulkchange_customerrateplanchange_updatedevices(t, 3, 22, NULL, NULL, '2999-01-01', false);
    EXCEPTION WHEN invalid_parameter_value THEN
        refused := true;
    END;
    ASSERT refused, 'a later date belongs to the plan queue';
END
$$;

-- By number: all of the rows, some of them, and none whose line has another number by now.
DO $$
DECLARE
    t bigint := 900001;
BEGIN
    PERFORM pg_temp.make_change(t, 5, 4, 2, 501, ARRAY[3, 4, 5], '{"type":"customer_rate_plan_change"}');
    UPDATE device SET subscriber_number = '19990000000' WHERE tenant_id = t AND id = 5;
    ASSERT usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(t, 5, '15550000003', 22, NULL, NULL, NULL) = 1,
        'one';
    ASSERT usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(t, 5, ARRAY['15550000003', '15550000004'], 22, NULL,
        NULL,
        NULL) = 1, 'one more';
    ASSERT usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(t, 5, NULL::text[], 22, NULL, NULL, NULL, 501, 503,
        3) = 0,
        'line 5 has another number';
    ASSERT (SELECT l.request_text
        = E'usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDeviceByNumber\nplan 22, pool kept, allocation '
            'kept, line 15550000003' AND l.portal_type = 2
            FROM device_bulk_change_log l WHERE l.tenant_id = t AND l.bulk_change_id = 5 AND l.device_change_id = 501), 'log';
END
$$;

-- Services and products: stored once, found by ICCID or number, told in the history of the line.
DO $$
DECLARE
    t bigint := 900001;
    first bigint;
    refused boolean := false;
BEGIN
    ASSERT usp_revservice_create_service(t, ARRAY[7001, 7001, 7002, 7001]::bigint[], ARRAY['15550000002', NULL, '15550000003',
        'x'],
        ARRAY[10, 10, 11, 12]::bigint[], ARRAY[1, NULL, 1, 1]::bigint[], ARRAY['2026-11-01', NULL, NULL, NULL]::date[],
        ARRAY[2, 3, NULL, NULL]::bigint[], NULL, 301, 302, 3, '2026-11-21 10:00Z',
        p_has_package => ARRAY[true, true, false, false], p_device_change_id => ARRAY[302, NULL, NULL, NULL]::bigint[]) = 3,
        'three';
    ASSERT (SELECT s.device_id = 2 AND s.rev_provider_id = 3 AND s.rev_service_type_id = 1 AND s.has_package = 1
            AND lineshift_moment(s.activated_date) = '2026-11-01 00:00Z' AND s.stored_at IS NOT NULL
            FROM rev_service s WHERE s.tenant_id = t AND s.rev_service_id = 10), 'one row of two, found by number';
    ASSERT (SELECT s.device_id IS NULL AND s.stored_at IS NULL FROM rev_service s WHERE s.tenant_id = t AND s.rev_service_id
        = 12),
        'a number that no line has';
    ASSERT pg_temp.history(t, 2, 3, 20) = 'null -> {"rev_service_id":10,"rev_customer_id":7001}', pg_temp.history(t, 2, 3, 20);
    SELECT s.id INTO first FROM rev_service s WHERE s.tenant_id = t AND s.rev_service_id = 10;
    ASSERT usp_revservice_create_service(t, 7001, NULL, 10, NULL, NULL, NULL, NULL) = 0, 'the same service';
    ASSERT (SELECT s.id = first AND s.number = '15550000002' AND s.device_id = 2 FROM rev_service s
            WHERE s.tenant_id = t AND s.rev_service_id = 10), 'what is not said stays';
    ASSERT usp_revservice_create_serviceproduct(t, ARRAY[7001, 7001, 7001]::bigint[], ARRAY[100, 100, 101]::bigint[],
        ARRAY[50, 50, 50]::bigint[], ARRAY[10, 10, 99]::bigint[], ARRAY[9.990, NULL, 1], ARRAY['a', NULL, 'b'],
        ARRAY['ACTIVE', 'ACTIVE', 'ACTIVE'], NULL, p_quantity => ARRAY[1.0, 2, 1]) = 1, 'one without a service is left out';
    ASSERT (SELECT p.rate = '9.99' AND p.quantity = '2' AND p.description = 'a' AND p.rev_service_id = first
            FROM rev_service_product p WHERE p.tenant_id = t AND p.rev_service_product_id = 100), 'product';
    BEGIN
        PERFORM usp_revservice_create_service(t, ARRAY[7001]::bigint[], NULL, ARRAY[13]::bigint[], NULL, NULL, NULL, NULL, 301,
            302, 2);
    EXCEPTION WHEN SQLSTATE 'LS001' THEN
        refused := true;
    END;
    ASSERT refused, 'another epoch is refused';
END
$$;

-- Rows marked by the result of a call; only those of the portal; a stuck step keeps its line.
DO $$
DECLARE
    t bigint := 900001;
BEGIN
    PERFORM pg_temp.make_change(t, 6, 1, 0, 601, ARRAY[1, 2, 3, 4], '{"type":"customer_assignment"}');
    UPDATE device_change SET status = 'PENDING', next_check_at = 5 WHERE tenant_id = t AND id = 602;
    INSERT INTO device_change_step (tenant_id, device_change_id, step, part, state, attempt, at)
        VALUES (t, 603, 'rev_service', 0, 'stuck', 1, 0);
    ASSERT usp_devicebulkchange_revservice_updatemobilitychange(t, ARRAY[601, 602]::bigint[], ARRAY[true, true], NULL) = 0,
        'of M2M';
    ASSERT usp_devicebulkchange_revservice_updatem2mchange(t, ARRAY[601, 602, 603, 101]::bigint[], ARRAY[true, true, false,
        true],
        ARRAY['done', NULL, 'not found', NULL]) = 4, 'open rows of two changes';
    ASSERT usp_devicebulkchange_revservice_updatem2mchange(t, 601, false, 'late') = 0, 'a row ends once';
    ASSERT (SELECT (b.open_count, b.processed_count, b.error_count) = (1, 2, 1) FROM device_bulk_change b
            WHERE b.tenant_id = t AND b.id = 6), 'counts';
    ASSERT (SELECT (dc.status, dc.error_kind, dc.error_code, dc.status_details, dc.holds) =
                ('ERROR', 'INTEGRATION', 'billing_refused', 'not found', 5) FROM device_change dc
            WHERE dc.tenant_id = t AND dc.id = 603), 'the stuck one';
    ASSERT (SELECT dc.status = 'PROCESSED' AND dc.next_check_at IS NULL AND dc.holds = 0 FROM device_change dc
            WHERE dc.tenant_id = t AND dc.id = 602), 'the pending one';
    ASSERT (SELECT l.error_text = 'billing_refused: not found' AND l.response_status = 'ERROR' FROM device_bulk_change_log l
            WHERE l.tenant_id = t AND l.bulk_change_id = 6 AND l.device_change_id = 603), 'log';
END
$$;

-- Completion: history rows follow each other, links follow the customer; what stood so already is left out; a second call does
-- nothing.
DO $$
DECLARE
    t bigint := 900001;
BEGIN
    PERFORM pg_temp.make_change(t, 7, 1, 0, 701, ARRAY[2, 3], '{"type":"customer_assignment"}');
    UPDATE device_change SET status = 'PROCESSED', status_details = 'already so' WHERE tenant_id = t AND id = 702;
    UPDATE device_change SET status = 'ERROR', set_steps_done = 1 WHERE tenant_id = t AND id = 701;
    ASSERT usp_updatecrossproviderdevicehistory(t, 7, '2026-11-01', 701, 702, 3, '2026-11-21') = 1, 'one opened';
    ASSERT usp_updatecrossproviderdevicehistory(t, 7, '2026-11-01', 701, 702, 3, '2026-11-21') = 0, 'once';
    ASSERT usp_update_device_rev_service_links(t, 7, 701, 702, 3) = 1, 'linked';
    ASSERT usp_update_device_rev_service_links(t, 7) = 0, 'linked already';
    ASSERT (SELECT s.rev_service_id = 10 AND dt.version = 4 FROM device_tenant dt
            JOIN rev_service s ON s.tenant_id = dt.tenant_id AND s.id = dt.rev_service_id
            WHERE dt.tenant_id = t AND dt.device_id = 2), 'the customer''s service';
    PERFORM pg_temp.make_change(t, 8, 1, 0, 801, ARRAY[2], '{"type":"customer_assignment"}');
    UPDATE device_change SET status = 'PROCESSED' WHERE tenant_id = t AND id = 801;
    ASSERT usp_updatecrossproviderdevicehistory(t, 8, NULL, p_at => '2026-11-22') = 1, 'one opened';
    ASSERT (SELECT array_agg((h.bulk_change_id, lineshift_moment(h.valid_from),
        lineshift_moment(h.valid_to))::text ORDER BY h.valid_from)
            = ARRAY[(7::bigint, '2026-11-01'::timestamptz, '2026-11-22'::timestamptz)::text,
                    (8::bigint, '2026-11-22'::timestamptz, NULL::timestamptz)::text]
            FROM cross_provider_device_history h WHERE h.tenant_id = t AND h.device_id = 2), 'one after the other';
END
$$;

-- The views show the tenant's rows, as people read them.
DO $$
BEGIN
    ASSERT (SELECT count(*) = 16 FROM m2m_devicechange), (SELECT count(*)::text FROM m2m_devicechange);
    ASSERT (SELECT count(*) = 3 FROM mobility_devicechange) AND NOT EXISTS (SELECT FROM lnp_devicechange), 'by portal';
    ASSERT (SELECT b.status = 'PROCESSED' FROM devicebulkchange b WHERE b.id = 4), 'status';
    ASSERT (SELECT b.status = 'PROCESSING' FROM devicebulkchange b WHERE b.id = 6), 'status';
    ASSERT (SELECT q.effective_date = '1970-01-01 00:00:00.000009Z' FROM device_customerrateplanorratepool_queue q WHERE q.id
        = 401), 'queue';
    ASSERT (SELECT l.process_date = '2026-11-21 10:00Z' AND NOT l.has_errors FROM m2m_devicebulkchangelog l
            WHERE l.bulk_change_id = 1 AND l.m2m_device_change_id = 101), 'log';
    ASSERT EXISTS (SELECT FROM mobility_devicebulkchangelog) AND NOT EXISTS (SELECT FROM lnp_devicebulkchangelog),
        'logs by portal';
    ASSERT (SELECT d.rev_service_id IS NOT NULL AND d.is_active FROM m2m_device d WHERE d.id = 2), 'line';
    ASSERT (SELECT p.rate = 9.99 FROM revserviceproduct p), 'product';
    ASSERT (SELECT s.activated_date = '2026-11-01' FROM revservice s WHERE s.rev_service_id = 10), 'service';
    ASSERT (SELECT count(*) = 3 FROM revcustomer) AND EXISTS (SELECT FROM deviceactionhistory) AND EXISTS (SELECT
        FROM customerrateplandevicequeue)
        AND EXISTS (SELECT FROM crossproviderdevicehistory), 'the others';
END
$$;

-- Under another tenant, and under none: nothing is seen, nothing is changed, whatever tenant is named.
DO $$
DECLARE
    setting text;
    refused boolean;
BEGIN
    FOREACH setting IN ARRAY ARRAY['900002', ''] LOOP
        EXECUTE format('SET LOCAL app.tenant_id = %L', setting);
        refused := false;
        BEGIN
            PERFORM usp_assign_customer_update_site(900001, 3, '7002', 'AltaworxDeviceBulkChange');
        EXCEPTION WHEN foreign_key_violation THEN
            refused := true;
        END;
        ASSERT refused, 'the other tenant''s customer is unknown';
        ASSERT usp_devicebulkchange_assign_non_rev_customer(900001, 3, 13) = 0, setting;
        ASSERT usp_devicebulkchange_customerrateplanchange_updatedevices(900001, 3, 22, 0, 7, NULL, true) = 0, setting;
        ASSERT usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(900001, 5, NULL::text[], 21, 0, NULL, 7) = 0,
            setting;
        ASSERT usp_devicebulkchange_revservice_updatem2mchange(900001, 301, true, NULL) = 0, setting;
        ASSERT usp_update_device_rev_service_links(900001, 7) = 0, setting;
        ASSERT usp_updatecrossproviderdevicehistory(900001, 7, NULL) = 0, setting;
        refused := false;
        BEGIN
            PERFORM usp_revservice_create_service(900001, 7001, NULL, 20, NULL, NULL, NULL, NULL);
        EXCEPTION WHEN insufficient_privilege THEN
            refused := true;
        END;
        ASSERT refused, 'no row of another tenant can be made';
        ASSERT NOT EXISTS (SELECT FROM devicebulkchange) AND NOT EXISTS (SELECT FROM m2m_devicechange)
            AND NOT EXISTS (SELECT FROM m2m_devicebulkchangelog) AND NOT EXISTS (SELECT FROM deviceactionhistory), setting;
    END LOOP;
    SET LOCAL app.tenant_id = '900002';
    ASSERT (SELECT bool_and(dt.version = 1) FROM device_tenant dt), 'the neighbour''s lines are as they were';
END
$$;

ROLLBACK;
