-- The step customer_rate_plan, now: one statement locks the lines, writes log, history and lines; one more each cancels what the
-- plan queue has for the lines and ends the rows, where that is asked for.
CREATE FUNCTION lineshift_change_plan(p_tenant_id bigint, p_bulk_change_id bigint, p_from_id bigint, p_to_id bigint,
    p_by_number boolean, p_subscriber_number text[], p_customer_rate_plan_id bigint, p_customer_rate_pool_id bigint,
    p_customer_data_allocation_mb numeric, p_effective_date timestamptz, p_need_to_mark_processed boolean, p_at timestamptz,
    p_request text, p_response text, p_description text, p_replace_scheduled boolean)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_change record;
    v_at bigint := lineshift_micros(p_at);
    v_month integer := lineshift_month(p_at);
    v_from bigint;
    v_to bigint;
    -- The canonical text of a decimal has no zeros at its end.
    v_allocation text := trim_scale(p_customer_data_allocation_mb)::text;
    v_values text := concat(
        CASE p_customer_rate_plan_id WHEN 0 THEN 'plan none' ELSE coalesce('plan ' || p_customer_rate_plan_id, 'plan kept') END,
        CASE p_customer_rate_pool_id WHEN 0 THEN ', pool none'
            ELSE coalesce(', pool ' || p_customer_rate_pool_id, ', pool kept') END,
        CASE v_allocation WHEN '0' THEN ', allocation none'
            ELSE coalesce(', allocation ' || v_allocation || ' MB', ', allocation kept') END);
    v_description text := p_description;
    v_request text := p_request;
    v_response text := p_response;
    v_logged boolean;
    v_differing bigint;
    v_changed bigint;
    v_marked bigint;
BEGIN
    IF p_effective_date > p_at THEN
        RAISE EXCEPTION 'a plan change for % waits in the plan queue until then; this applies it now', p_effective_date
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT b.attempt, b.change_request_type_id, b.portal_type, b.created_by, b.first_device_change_id, b.last_device_change_id
    INTO v_change FROM device_bulk_change b WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id;
    v_from := coalesce(p_from_id, v_change.first_device_change_id);
    v_to := coalesce(p_to_id, v_change.last_device_change_id);
    v_description := coalesce(v_description, CASE v_change.change_request_type_id
        WHEN 1 THEN 'Associate Customer: Update Customer Rate Plan' ELSE 'Change Customer Rate Plan: Update AMOP' END);
    v_request := coalesce(v_request, format(E'usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevice%s\n%s, line ',
        CASE WHEN p_by_number THEN 'ByNumber' ELSE 's' END, v_values));
    v_response := coalesce(v_response, 'now ' || v_values || CASE WHEN p_replace_scheduled THEN ', open entries canceled'
        ELSE '' END);
    v_logged := EXISTS (SELECT FROM device_bulk_change_log g
        WHERE g.tenant_id = p_tenant_id AND g.bulk_change_id = p_bulk_change_id AND g.device_change_id BETWEEN v_from AND v_to
          AND g.attempt = v_change.attempt AND g.entry = 40);
    WITH line AS MATERIALIZED (
        SELECT found.*, (found.new_plan IS DISTINCT FROM found.customer_rate_plan_id
                OR found.new_pool IS DISTINCT FROM found.customer_rate_pool_id
                OR found.new_allocation IS DISTINCT FROM found.customer_data_allocation_mb) AS differs
        FROM (
            SELECT dt.ctid AS place, dt.tenant_id, dt.device_id, dt.version, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
                dt.customer_data_allocation_mb, dc.id AS device_change_id, dc.attempt, coalesce(dc.iccid, dc.number) AS identifier,
                CASE WHEN p_customer_rate_plan_id IS NULL THEN dt.customer_rate_plan_id
                    WHEN p_customer_rate_plan_id = 0 THEN NULL ELSE p_customer_rate_plan_id END AS new_plan,
                CASE WHEN p_customer_rate_pool_id IS NULL THEN dt.customer_rate_pool_id
                    WHEN p_customer_rate_pool_id = 0 THEN NULL ELSE p_customer_rate_pool_id END AS new_pool,
                CASE WHEN v_allocation IS NULL THEN dt.customer_data_allocation_mb
                    WHEN v_allocation = '0' THEN NULL ELSE v_allocation END AS new_allocation
            FROM device_change dc
            JOIN device_tenant dt ON dt.tenant_id = p_tenant_id AND dt.tenant_id = dc.tenant_id AND dt.device_id = dc.device_id
            WHERE dc.tenant_id = p_tenant_id AND dc.bulk_change_id = p_bulk_change_id AND dc.id BETWEEN v_from AND v_to
              AND dc.status IN ('NEW', 'PROCESSING')
              AND (NOT p_by_number OR EXISTS (SELECT FROM device d WHERE d.tenant_id = p_tenant_id AND d.id = dt.device_id
                                                 AND d.subscriber_number = dc.number))
              AND (p_subscriber_number IS NULL OR dc.number IN (SELECT unnest(p_subscriber_number)))
            ORDER BY dt.device_id
            FOR NO KEY UPDATE OF dt) AS found
    ), log AS (
        INSERT INTO device_bulk_change_log (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type,
            log_entry_description, process_by, processed_at, request_text, response_text, error_text, has_errors, response_status)
        SELECT l.tenant_id, p_bulk_change_id, l.device_change_id, l.attempt, 40, v_month, v_change.portal_type,
            v_description, 'AltaworxDeviceBulkChange', v_at, v_request || l.identifier, v_response, NULL, 0, 'PROCESSED'
        FROM line l
        WHERE NOT v_logged OR NOT EXISTS (
            SELECT FROM device_bulk_change_log g
            WHERE g.tenant_id = p_tenant_id AND g.bulk_change_id = p_bulk_change_id
              AND g.device_change_id = l.device_change_id AND g.attempt = l.attempt AND g.entry = 40)
    ), history AS (
        INSERT INTO device_action_history (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value,
            new_value, changed_by)
        SELECT l.tenant_id, l.device_id, v_at, p_bulk_change_id, l.attempt, 40, v_month, 'customer_rate_plan',
            lineshift_plan_json(l.customer_rate_plan_id, l.customer_rate_pool_id, l.customer_data_allocation_mb),
            lineshift_plan_json(l.new_plan, l.new_pool, l.new_allocation), v_change.created_by
        FROM line l WHERE l.differs
    ), written AS (
        UPDATE device_tenant dt SET
            customer_rate_plan_id = l.new_plan, customer_rate_pool_id = l.new_pool, customer_data_allocation_mb = l.new_allocation,
            version = l.version + 1, modified_by = v_change.created_by, modified_at = v_at
        FROM line l
        WHERE dt.tenant_id = p_tenant_id AND dt.tenant_id = l.tenant_id AND dt.ctid = l.place AND l.differs
        RETURNING dt.device_id
    )
    SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM line l WHERE l.differs) INTO v_changed, v_differing;
    PERFORM lineshift_check_written(v_changed, v_differing);
    IF p_replace_scheduled THEN
        UPDATE customer_rate_plan_device_queue q SET
            state = 'canceled', is_active = 0, modified_by = v_change.created_by, modified_at = v_at,
            status_details = 'replaced by bulk change ' || p_bulk_change_id
        FROM (SELECT o.tenant_id, o.device_change_id
              FROM device_change dc
              JOIN customer_rate_plan_device_queue o
                ON o.tenant_id = p_tenant_id AND o.tenant_id = dc.tenant_id AND o.device_id = dc.device_id AND o.state = 'open'
               AND o.bulk_change_id <> p_bulk_change_id
              WHERE dc.tenant_id = p_tenant_id AND dc.bulk_change_id = p_bulk_change_id AND dc.id BETWEEN v_from AND v_to
                AND dc.status IN ('NEW', 'PROCESSING')
                AND (p_subscriber_number IS NULL OR dc.number IN (SELECT unnest(p_subscriber_number)))
              ORDER BY o.device_id, o.device_change_id
              FOR NO KEY UPDATE OF o) AS replaced
        WHERE q.tenant_id = p_tenant_id AND q.tenant_id = replaced.tenant_id AND q.device_change_id = replaced.device_change_id;
    END IF;
    IF p_need_to_mark_processed THEN
        UPDATE device_change dc SET
            status = 'PROCESSED', error_kind = NULL, error_code = NULL, status_details = NULL, is_processed = 1,
            processed_at = v_at, holds = 0, next_check_at = NULL
        WHERE dc.tenant_id = p_tenant_id AND dc.bulk_change_id = p_bulk_change_id AND dc.id BETWEEN v_from AND v_to
          AND dc.status IN ('NEW', 'PROCESSING');
        GET DIAGNOSTICS v_marked = ROW_COUNT;
        UPDATE device_bulk_change b SET open_count = b.open_count - v_marked, processed_count = b.processed_count + v_marked
        WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id;
    END IF;
    RETURN v_changed;
END
$$;

CREATE FUNCTION usp_devicebulkchange_customerrateplanchange_updatedevices(p_tenant_id bigint, p_bulk_change_id bigint,
    p_customer_rate_plan_id bigint, p_customer_rate_pool_id bigint, p_customer_data_allocation_mb numeric,
    p_effective_date timestamptz, p_need_to_mark_processed boolean, p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL,
    p_epoch bigint DEFAULT NULL, p_at timestamptz DEFAULT now(), p_request text DEFAULT NULL, p_response text DEFAULT NULL,
    p_description text DEFAULT NULL, p_replace_scheduled boolean DEFAULT false)
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    PERFORM lineshift_check_claim(p_tenant_id, p_bulk_change_id, p_from_id, p_epoch);
    RETURN lineshift_change_plan(p_tenant_id, p_bulk_change_id, p_from_id, p_to_id, false, NULL, p_customer_rate_plan_id,
        p_customer_rate_pool_id, p_customer_data_allocation_mb, p_effective_date, p_need_to_mark_processed, p_at, p_request,
        p_response, p_description, p_replace_scheduled);
END
$$;
COMMENT ON FUNCTION usp_devicebulkchange_customerrateplanchange_updatedevices(bigint, bigint, bigint, bigint, numeric,
    timestamptz, boolean, bigint, bigint, bigint, timestamptz, text, text, text, boolean) IS
    'Plan, pool and allocation of the lines of a bulk change, now: null keeps, 0 clears; answers how many lines changed';

CREATE FUNCTION usp_devicebulkchange_customerrateplanchange_updatedevicebynumbe(p_tenant_id bigint, p_bulk_change_id bigint,
    p_subscriber_number text[], p_customer_rate_plan_id bigint, p_customer_rate_pool_id bigint, p_effective_date timestamptz,
    p_customer_data_allocation_mb numeric, p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL,
        p_epoch bigint DEFAULT NULL,
    p_at timestamptz DEFAULT now(), p_request text DEFAULT NULL, p_response text DEFAULT NULL, p_description text DEFAULT NULL,
    p_replace_scheduled boolean DEFAULT false)
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    PERFORM lineshift_check_claim(p_tenant_id, p_bulk_change_id, p_from_id, p_epoch);
    RETURN lineshift_change_plan(p_tenant_id, p_bulk_change_id, p_from_id, p_to_id, true, p_subscriber_number,
        p_customer_rate_plan_id, p_customer_rate_pool_id, p_customer_data_allocation_mb, p_effective_date, false, p_at, p_request,
        p_response, p_description, p_replace_scheduled);
END
$$;
COMMENT ON FUNCTION usp_devicebulkchange_customerrateplanchange_updatedevicebynumbe(bigint, bigint, text[], bigint, bigint,
    timestamptz, numeric, bigint, bigint, bigint, timestamptz, text, text, text, boolean) IS
    'The same for rows that name their line by number, these numbers or (null) all; the line must have the number still';

CREATE FUNCTION usp_devicebulkchange_customerrateplanchange_updatedevicebynumbe(p_tenant_id bigint, p_bulk_change_id bigint,
    p_subscriber_number text, p_customer_rate_plan_id bigint, p_customer_rate_pool_id bigint, p_effective_date timestamptz,
    p_customer_data_allocation_mb numeric, p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL,
        p_epoch bigint DEFAULT NULL,
    p_at timestamptz DEFAULT now(), p_request text DEFAULT NULL, p_response text DEFAULT NULL, p_description text DEFAULT NULL,
    p_replace_scheduled boolean DEFAULT false)
RETURNS bigint LANGUAGE sql AS $$
    SELECT usp_devicebulkchange_customerrateplanchange_updatedevicebynumbe(p_tenant_id, p_bulk_change_id,
        ARRAY[p_subscriber_number], p_customer_rate_plan_id, p_customer_rate_pool_id, p_effective_date,
        p_customer_data_allocation_mb, p_from_id, p_to_id, p_epoch, p_at, p_request, p_response, p_description,
            p_replace_scheduled)
$$;
COMMENT ON FUNCTION usp_devicebulkchange_customerrateplanchange_updatedevicebynumbe(bigint, bigint, text, bigint, bigint,
    timestamptz, numeric, bigint, bigint, bigint, timestamptz, text, text, text, boolean) IS 'The same for one number';

