-- What belongs to an element is searched for it by itself (LATERAL, OFFSET 0), whatever the planner thinks of the tenant's size.
-- The places of the arrays belong together; p_device_change_id names the row that created or adopted the service. Given the same
-- service more than once, also within one call, there is one row, with what the last one that says something says. Device: as
-- given, else the line with that ICCID, else the only line with that number. Days are stored as their starts in UTC.
CREATE FUNCTION usp_revservice_create_service(p_tenant_id bigint, p_rev_customer_id bigint[], p_number text[],
    p_rev_service_id bigint[], p_rev_service_type_id bigint[], p_activated_date date[], p_rev_provider_id bigint[],
    p_device_id bigint[], p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL, p_epoch bigint DEFAULT NULL,
    p_at timestamptz DEFAULT now(), p_iccid text[] DEFAULT NULL, p_disconnected_date date[] DEFAULT NULL,
    p_has_package boolean[] DEFAULT NULL, p_device_change_id bigint[] DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_at bigint := lineshift_micros(p_at);
    v_first bigint;
    v_new bigint;
BEGIN
    PERFORM lineshift_check_rows(p_tenant_id, p_from_id, p_to_id, p_epoch, p_device_change_id);
    IF coalesce(cardinality(p_rev_service_id), 0) = 0 THEN
        RETURN 0;
    END IF;
    v_first := lineshift_reserve_ids(p_tenant_id, 'rev_service', cardinality(p_rev_service_id));
    WITH given AS (
        SELECT g.customer, g.number, g.service, g.service_type, g.activated, g.provider, g.device, g.iccid, g.disconnected,
            g.has_package, g.by_row, g.place
        FROM unnest(p_rev_customer_id, p_number, p_rev_service_id, p_rev_service_type_id, p_activated_date, p_rev_provider_id,
                p_device_id, p_iccid, p_disconnected_date, p_has_package, p_device_change_id) WITH ORDINALITY
            AS g (customer, number, service, service_type, activated, provider, device, iccid, disconnected, has_package,
                by_row, place)
    ), once AS (
        SELECT g.customer, g.service, max(g.place) AS place,
            (array_agg(g.number ORDER BY g.place DESC) FILTER (WHERE g.number IS NOT NULL))[1] AS number,
            (array_agg(g.iccid ORDER BY g.place DESC) FILTER (WHERE g.iccid IS NOT NULL))[1] AS iccid,
            (array_agg(g.service_type ORDER BY g.place DESC) FILTER (WHERE g.service_type IS NOT NULL))[1] AS service_type,
            (array_agg(g.activated ORDER BY g.place DESC) FILTER (WHERE g.activated IS NOT NULL))[1] AS activated,
            (array_agg(g.provider ORDER BY g.place DESC) FILTER (WHERE g.provider IS NOT NULL))[1] AS provider,
            (array_agg(g.device ORDER BY g.place DESC) FILTER (WHERE g.device IS NOT NULL))[1] AS device,
            (array_agg(g.disconnected ORDER BY g.place DESC))[1] AS disconnected,
            (array_agg(g.has_package ORDER BY g.place DESC))[1] AS has_package,
            bool_or(g.by_row IS NOT NULL) AS ours
        FROM given g GROUP BY g.customer, g.service
    ), stored AS (
        INSERT INTO rev_service AS s (tenant_id, id, rev_customer_id, number, iccid, rev_service_id, rev_service_type_id,
            activated_date, rev_provider_id, disconnected_date, device_id, has_package, stored_at)
        SELECT p_tenant_id, v_first + o.place - 1, o.customer, o.number, o.iccid, o.service, o.service_type,
            extract(epoch FROM o.activated::timestamp)::bigint * 1000000, o.provider,
            extract(epoch FROM o.disconnected::timestamp)::bigint * 1000000,
            coalesce(o.device,
                (SELECT d.id FROM device d WHERE d.tenant_id = p_tenant_id AND d.iccid = o.iccid),
                (SELECT CASE WHEN count(*) = 1 THEN max(d.id) END FROM device d
                 WHERE d.tenant_id = p_tenant_id AND d.subscriber_number = o.number)),
            coalesce(o.has_package, false)::integer, CASE WHEN o.ours THEN v_at END
        FROM once o
        ORDER BY o.customer, o.service
        ON CONFLICT (tenant_id, rev_customer_id, rev_service_id) DO UPDATE SET
            number = coalesce(excluded.number, s.number), iccid = coalesce(excluded.iccid, s.iccid),
            rev_service_type_id = coalesce(excluded.rev_service_type_id, s.rev_service_type_id),
            activated_date = coalesce(excluded.activated_date, s.activated_date),
            rev_provider_id = coalesce(excluded.rev_provider_id, s.rev_provider_id),
            disconnected_date = excluded.disconnected_date, device_id = coalesce(excluded.device_id, s.device_id),
            has_package = excluded.has_package, stored_at = coalesce(excluded.stored_at, s.stored_at)
        RETURNING s.id
    )
    SELECT count(*) INTO v_new FROM stored WHERE stored.id BETWEEN v_first AND v_first + cardinality(p_rev_service_id) - 1;
    IF p_device_change_id IS NOT NULL THEN
        INSERT INTO device_action_history (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value,
            new_value, changed_by)
        SELECT dc.tenant_id, dc.device_id, v_at, dc.bulk_change_id, dc.attempt, 20, lineshift_month(p_at), 'service_line', 'null',
            g.line, b.created_by
        FROM (SELECT x.by_row, format('{"rev_service_id":%s,"rev_customer_id":%s}', x.service, x.customer) AS line
              FROM unnest(p_rev_customer_id, p_rev_service_id, p_device_change_id) AS x (customer, service, by_row)
              WHERE x.by_row IS NOT NULL) AS g
        CROSS JOIN LATERAL (SELECT dc.tenant_id, dc.device_id, dc.bulk_change_id, dc.attempt FROM device_change dc
            WHERE dc.tenant_id = p_tenant_id AND dc.id = g.by_row OFFSET 0) AS dc
        CROSS JOIN LATERAL (SELECT b.created_by FROM device_bulk_change b
            WHERE b.tenant_id = p_tenant_id AND b.id = dc.bulk_change_id OFFSET 0) AS b
        WHERE dc.device_id IS NOT NULL AND (
            SELECT true FROM device_action_history h
            WHERE h.tenant_id = p_tenant_id AND h.device_id = dc.device_id AND h.bulk_change_id = dc.bulk_change_id
              AND h.entry = 20 AND h.old_value = 'null' AND h.new_value = g.line LIMIT 1) IS NULL
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN v_new;
END
$$;
COMMENT ON FUNCTION usp_revservice_create_service(bigint, bigint[], text[], bigint[], bigint[], date[], bigint[], bigint[],
    bigint,
    bigint, bigint, timestamptz, text[], date[], boolean[], bigint[]) IS
    'Stores services created in Rev.io, each once, with the history of their lines; answers how many are new';

CREATE FUNCTION usp_revservice_create_service(p_tenant_id bigint, p_rev_customer_id bigint, p_number text,
    p_rev_service_id bigint,
    p_rev_service_type_id bigint, p_activated_date date, p_rev_provider_id bigint, p_device_id bigint)
RETURNS bigint LANGUAGE sql AS $$
    SELECT usp_revservice_create_service(p_tenant_id, ARRAY[p_rev_customer_id], ARRAY[p_number], ARRAY[p_rev_service_id],
        ARRAY[p_rev_service_type_id], ARRAY[p_activated_date], ARRAY[p_rev_provider_id], ARRAY[p_device_id])
$$;
COMMENT ON FUNCTION usp_revservice_create_service(bigint, bigint, text, bigint, bigint, date, bigint, bigint) IS
    'Stores one service created in Rev.io; answers 1 when it is new';

-- A product whose service is not stored is left out. p_at: when the products were created or adopted here; null for those that
-- were only read.
CREATE FUNCTION usp_revservice_create_serviceproduct(p_tenant_id bigint, p_rev_customer_id bigint[],
    p_rev_service_product_id bigint[], p_rev_product_id bigint[], p_rev_service_id bigint[], p_rate numeric[],
    p_description text[], p_status text[], p_package_id bigint[], p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL,
    p_epoch bigint DEFAULT NULL, p_at timestamptz DEFAULT now(), p_quantity numeric[] DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_first bigint;
    v_new bigint;
BEGIN
    PERFORM lineshift_check_rows(p_tenant_id, p_from_id, p_to_id, p_epoch, NULL);
    IF coalesce(cardinality(p_rev_service_product_id), 0) = 0 THEN
        RETURN 0;
    END IF;
    v_first := lineshift_reserve_ids(p_tenant_id, 'rev_service_product', cardinality(p_rev_service_product_id));
    WITH given AS (
        SELECT g.customer, g.service_product, g.product, g.service, g.rate, g.description, g.status, g.package, g.quantity,
            g.place
        FROM unnest(p_rev_customer_id, p_rev_service_product_id, p_rev_product_id, p_rev_service_id, p_rate, p_description,
            p_status,
                p_package_id, p_quantity) WITH ORDINALITY
            AS g (customer, service_product, product, service, rate, description, status, package, quantity, place)
    ), once AS (
        SELECT g.customer, g.service_product, max(g.place) AS place, (array_agg(g.product ORDER BY g.place DESC))[1] AS product,
            (array_agg(g.service ORDER BY g.place DESC))[1] AS service, (array_agg(g.status ORDER BY g.place DESC))[1] AS status,
            (array_agg(g.rate ORDER BY g.place DESC) FILTER (WHERE g.rate IS NOT NULL))[1] AS rate,
            (array_agg(g.description ORDER BY g.place DESC) FILTER (WHERE g.description IS NOT NULL))[1] AS description,
            (array_agg(g.package ORDER BY g.place DESC) FILTER (WHERE g.package IS NOT NULL))[1] AS package,
            (array_agg(g.quantity ORDER BY g.place DESC) FILTER (WHERE g.quantity IS NOT NULL))[1] AS quantity
        FROM given g GROUP BY g.customer, g.service_product
    ), stored AS (
        INSERT INTO rev_service_product AS p (tenant_id, id, rev_service_id, rev_customer_id, rev_service_product_id,
            rev_product_id,
            package_id, rate, quantity, status, description, stored_at)
        SELECT s.tenant_id, v_first + o.place - 1, s.id, s.rev_customer_id, o.service_product, o.product, o.package,
            trim_scale(o.rate)::text, trim_scale(o.quantity)::text, o.status, o.description, lineshift_micros(p_at)
        FROM once o
        CROSS JOIN LATERAL (SELECT s.tenant_id, s.id, s.rev_customer_id FROM rev_service s
            WHERE s.tenant_id = p_tenant_id AND s.rev_customer_id = o.customer AND s.rev_service_id = o.service OFFSET 0) AS s
        ORDER BY o.customer, o.service_product
        ON CONFLICT (tenant_id, rev_customer_id, rev_service_product_id) DO UPDATE SET
            rev_service_id = excluded.rev_service_id, rev_product_id = excluded.rev_product_id,
            package_id = coalesce(excluded.package_id, p.package_id), rate = coalesce(excluded.rate, p.rate),
            quantity = coalesce(excluded.quantity, p.quantity), status = excluded.status,
            description = coalesce(excluded.description, p.description), stored_at = coalesce(excluded.stored_at, p.stored_at)
        RETURNING p.id
    )
    SELECT count(*) INTO v_new FROM stored
    WHERE stored.id BETWEEN v_first AND v_first + cardinality(p_rev_service_product_id) - 1;
    RETURN v_new;
END
$$;
COMMENT ON FUNCTION usp_revservice_create_serviceproduct(bigint, bigint[], bigint[], bigint[], bigint[], numeric[], text[],
    text[],
    bigint[], bigint, bigint, bigint, timestamptz, numeric[]) IS
    'Stores products created in Rev.io under their services, each once; answers how many are new';

-- Ends open rows (NEW, PROCESSING, PENDING) by what a call came to, logs those in ERROR, and keeps the counts of their changes.
-- A row
-- of which something is unknown or stuck goes on holding its line (B4.6 rule 6). Rows of another portal are left alone.
CREATE FUNCTION lineshift_mark_rows(p_tenant_id bigint, p_portal_type integer, p_change_id bigint[], p_api_call_result boolean[],
    p_status_details text[], p_from_id bigint, p_to_id bigint, p_epoch bigint, p_at timestamptz, p_error_code text,
        p_error_kind text)
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_at bigint := lineshift_micros(p_at);
    v_marked bigint;
BEGIN
    PERFORM lineshift_check_rows(p_tenant_id, p_from_id, p_to_id, p_epoch, p_change_id);
    WITH given AS (
        SELECT DISTINCT ON (g.id) g.id, g.is_done, g.details
        FROM unnest(p_change_id, p_api_call_result, p_status_details) WITH ORDINALITY AS g (id, is_done, details, place)
        ORDER BY g.id, g.place DESC
    ), open AS MATERIALIZED (
        SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.attempt, dc.iccid, dc.number, dc.holds, given.is_done, given.details,
            EXISTS (SELECT FROM device_change_step s
                    WHERE s.tenant_id = p_tenant_id AND s.device_change_id = dc.id
                      AND s.state IN ('intended', 'ambiguous', 'waiting', 'stuck')) AS is_unsettled
        FROM given
        JOIN device_change dc ON dc.tenant_id = p_tenant_id AND dc.id = given.id
        JOIN device_bulk_change b ON b.tenant_id = p_tenant_id AND b.tenant_id = dc.tenant_id AND b.id = dc.bulk_change_id
        WHERE dc.status IN ('NEW', 'PROCESSING', 'PENDING') AND b.portal_type = p_portal_type AND given.is_done IS NOT NULL
        ORDER BY dc.id
        FOR NO KEY UPDATE OF dc
    ), log AS (
        INSERT INTO device_bulk_change_log (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type,
            log_entry_description, process_by, processed_at, request_text, response_text, error_text, has_errors, response_status)
        SELECT o.tenant_id, o.bulk_change_id, o.id, o.attempt, 0, lineshift_month(p_at), p_portal_type, 'Process: Device Refused',
            'AltaworxDeviceBulkChange', v_at, E'Process\n' || coalesce(o.iccid, o.number), NULL,
            concat_ws(': ', p_error_code, o.details), 1, 'ERROR'
        FROM open o WHERE NOT o.is_done
        ON CONFLICT DO NOTHING
    ), marked AS (
        UPDATE device_change dc SET
            status = CASE WHEN o.is_done THEN 'PROCESSED' ELSE 'ERROR' END,
            error_kind = CASE WHEN NOT o.is_done THEN p_error_kind END,
            error_code = CASE WHEN NOT o.is_done THEN p_error_code END,
            status_details = o.details, is_processed = o.is_done::integer, processed_at = v_at, next_check_at = NULL,
            holds = CASE WHEN NOT o.is_done AND o.is_unsettled THEN o.holds | 4 ELSE 0 END
        FROM open o
        WHERE dc.tenant_id = p_tenant_id AND dc.tenant_id = o.tenant_id AND dc.id = o.id
        RETURNING dc.bulk_change_id, dc.status
    ), counted AS (
        SELECT m.bulk_change_id, count(*) FILTER (WHERE m.status = 'PROCESSED') AS processed,
            count(*) FILTER (WHERE m.status = 'ERROR') AS error
        FROM marked m GROUP BY m.bulk_change_id
    ), kept AS (
        UPDATE device_bulk_change b SET open_count = b.open_count - c.processed - c.error,
            processed_count = b.processed_count + c.processed, error_count = b.error_count + c.error
        FROM counted c
        WHERE b.tenant_id = p_tenant_id AND b.id = c.bulk_change_id
    )
    SELECT coalesce(sum(c.processed + c.error), 0) INTO v_marked FROM counted c;
    RETURN v_marked;
END
$$;

CREATE FUNCTION usp_devicebulkchange_revservice_updatem2mchange(p_tenant_id bigint, p_change_id bigint[],
    p_api_call_result boolean[],
    p_status_details text[], p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL, p_epoch bigint DEFAULT NULL,
    p_at timestamptz DEFAULT now(), p_error_code text DEFAULT 'billing_refused', p_error_kind text DEFAULT 'INTEGRATION')
RETURNS bigint LANGUAGE sql AS $$
    SELECT lineshift_mark_rows(p_tenant_id, 0, p_change_id, p_api_call_result, p_status_details, p_from_id, p_to_id, p_epoch,
        p_at,
        p_error_code, p_error_kind)
$$;
COMMENT ON FUNCTION usp_devicebulkchange_revservice_updatem2mchange(bigint, bigint[], boolean[], text[], bigint, bigint, bigint,
    timestamptz, text, text) IS 'Ends open rows of M2M changes PROCESSED or ERROR by the result of a call; answers how many';

CREATE FUNCTION usp_devicebulkchange_revservice_updatem2mchange(p_tenant_id bigint, p_change_id bigint, p_api_call_result boolean,
    p_status_details text)
RETURNS bigint LANGUAGE sql AS $$
    SELECT usp_devicebulkchange_revservice_updatem2mchange(p_tenant_id, ARRAY[p_change_id], ARRAY[p_api_call_result],
        ARRAY[p_status_details])
$$;
COMMENT ON FUNCTION usp_devicebulkchange_revservice_updatem2mchange(bigint, bigint, boolean, text) IS
    'Ends one open row of a M2M change by the result of a call';

CREATE FUNCTION usp_devicebulkchange_revservice_updatemobilitychange(p_tenant_id bigint, p_change_id bigint[],
    p_api_call_result boolean[],
    p_status_details text[], p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL, p_epoch bigint DEFAULT NULL,
    p_at timestamptz DEFAULT now(), p_error_code text DEFAULT 'billing_refused', p_error_kind text DEFAULT 'INTEGRATION')
RETURNS bigint LANGUAGE sql AS $$
    SELECT lineshift_mark_rows(p_tenant_id, 2, p_change_id, p_api_call_result, p_status_details, p_from_id, p_to_id, p_epoch,
        p_at,
        p_error_code, p_error_kind)
$$;
COMMENT ON FUNCTION usp_devicebulkchange_revservice_updatemobilitychange(bigint, bigint[], boolean[], text[], bigint, bigint,
    bigint,
    timestamptz, text, text) IS 'Ends open rows of Mobility changes PROCESSED or ERROR by the result of a call; answers how many';

CREATE FUNCTION usp_devicebulkchange_revservice_updatemobilitychange(p_tenant_id bigint, p_change_id bigint,
    p_api_call_result boolean,
    p_status_details text)
RETURNS bigint LANGUAGE sql AS $$
    SELECT usp_devicebulkchange_revservice_updatemobilitychange(p_tenant_id, ARRAY[p_change_id], ARRAY[p_api_call_result],
        ARRAY[p_status_details])
$$;
COMMENT ON FUNCTION usp_devicebulkchange_revservice_updatemobilitychange(bigint, bigint, boolean, text) IS
    'Ends one open row of a Mobility change by the result of a call';

