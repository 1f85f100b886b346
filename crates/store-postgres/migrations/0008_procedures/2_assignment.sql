-- The step assignment, on either path: one statement locks the lines and writes log, history and lines.
CREATE FUNCTION lineshift_assign(p_tenant_id bigint, p_bulk_change_id bigint, p_from_id bigint, p_to_id bigint,
    p_rev_customer_id bigint, p_site_id bigint, p_account_number text, p_integration_authentication_id bigint,
    p_effective_date timestamptz, p_process_by text, p_at timestamptz, p_description text, p_request text, p_response text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_change record;
    v_at bigint := lineshift_micros(p_at);
    v_month integer := lineshift_month(p_at);
    v_effective bigint := lineshift_micros(p_effective_date);
    -- The same for all lines but the date. No text within a JSON text looks like what the date takes the place of.
    v_became text := lineshift_assignment_json(p_rev_customer_id, p_site_id, p_account_number, p_integration_authentication_id,
        NULL, 1::smallint, 0::smallint);
    v_from bigint;
    v_to bigint;
    v_zone text;
    v_logged boolean;
    v_differing bigint;
    v_changed bigint;
BEGIN
    SELECT b.attempt, b.portal_type, b.created_by, b.first_device_change_id, b.last_device_change_id
    INTO v_change FROM device_bulk_change b WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id;
    v_from := coalesce(p_from_id, v_change.first_device_change_id);
    v_to := coalesce(p_to_id, v_change.last_device_change_id);
    SELECT t.time_zone INTO v_zone FROM tenant t WHERE t.id = p_tenant_id;
    v_logged := EXISTS (SELECT FROM device_bulk_change_log g
        WHERE g.tenant_id = p_tenant_id AND g.bulk_change_id = p_bulk_change_id AND g.device_change_id BETWEEN v_from AND v_to
          AND g.attempt = v_change.attempt AND g.entry = 30);
    WITH line AS MATERIALIZED (
        SELECT dt.ctid AS place, dt.tenant_id, dt.device_id, dt.version, dt.rev_customer_id, dt.site_id, dt.account_number,
            dt.account_number_integration_authentication_id, dt.effective_date, dt.is_active, dt.is_deleted,
            dc.id AS device_change_id, dc.attempt, coalesce(dc.iccid, dc.number) AS identifier,
            (dt.rev_customer_id IS DISTINCT FROM p_rev_customer_id OR dt.site_id IS DISTINCT FROM p_site_id
                OR dt.account_number_integration_authentication_id IS DISTINCT FROM p_integration_authentication_id
                OR dt.account_number IS DISTINCT FROM p_account_number OR dt.is_active = 0 OR dt.is_deleted = 1) AS differs,
            coalesce(v_effective, (SELECT start_of_day(d.activated_at, v_zone) FROM device d
                                   WHERE d.tenant_id = p_tenant_id AND d.id = dt.device_id), v_at) AS new_effective_date
        FROM device_change dc
        JOIN device_tenant dt ON dt.tenant_id = p_tenant_id AND dt.tenant_id = dc.tenant_id AND dt.device_id = dc.device_id
        WHERE dc.tenant_id = p_tenant_id AND dc.bulk_change_id = p_bulk_change_id AND dc.status IN ('NEW', 'PROCESSING')
          AND dc.id BETWEEN v_from AND v_to
        ORDER BY dt.device_id
        FOR NO KEY UPDATE OF dt
    ), log AS (
        INSERT INTO device_bulk_change_log (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type,
            log_entry_description, process_by, processed_at, request_text, response_text, error_text, has_errors, response_status)
        SELECT l.tenant_id, p_bulk_change_id, l.device_change_id, l.attempt, 30, v_month, v_change.portal_type,
            p_description, p_process_by, v_at, p_request || l.identifier, p_response, NULL, 0, 'PROCESSED'
        FROM line l
        WHERE NOT v_logged OR NOT EXISTS (
            SELECT FROM device_bulk_change_log g
            WHERE g.tenant_id = p_tenant_id AND g.bulk_change_id = p_bulk_change_id
              AND g.device_change_id = l.device_change_id AND g.attempt = l.attempt AND g.entry = 30)
    ), history AS (
        INSERT INTO device_action_history (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value,
            new_value, changed_by)
        SELECT l.tenant_id, l.device_id, v_at, p_bulk_change_id, l.attempt, 30, v_month, 'assignment',
            lineshift_assignment_json(l.rev_customer_id, l.site_id, l.account_number,
                l.account_number_integration_authentication_id, l.effective_date, l.is_active, l.is_deleted),
            replace(v_became, '"effective_date":null', '"effective_date":' || l.new_effective_date), v_change.created_by
        FROM line l WHERE l.differs
    ), written AS (
        UPDATE device_tenant dt SET
            rev_customer_id = p_rev_customer_id, site_id = p_site_id, account_number = p_account_number,
            account_number_integration_authentication_id = p_integration_authentication_id, effective_date = l.new_effective_date,
            is_active = 1, is_deleted = 0, version = l.version + 1, modified_by = v_change.created_by, modified_at = v_at
        FROM line l
        WHERE dt.tenant_id = p_tenant_id AND dt.tenant_id = l.tenant_id AND dt.ctid = l.place AND l.differs
        RETURNING dt.device_id
    )
    SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM line l WHERE l.differs) INTO v_changed, v_differing;
    PERFORM lineshift_check_written(v_changed, v_differing);
    RETURN v_changed;
END
$$;

CREATE FUNCTION usp_assign_customer_update_site(p_tenant_id bigint, p_bulk_change_id bigint, p_rev_customer_id text,
    p_process_by text, p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL, p_epoch bigint DEFAULT NULL,
    p_at timestamptz DEFAULT now(), p_request text DEFAULT NULL, p_response text DEFAULT NULL, p_site_id bigint DEFAULT NULL,
    p_integration_authentication_id bigint DEFAULT NULL, p_effective_date timestamptz DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_customer record;
    v_order jsonb;
    v_site_id bigint := p_site_id;
BEGIN
    PERFORM lineshift_check_claim(p_tenant_id, p_bulk_change_id, p_from_id, p_epoch);
    SELECT c.id, c.integration_authentication_id INTO v_customer FROM rev_customer c
    WHERE c.tenant_id = p_tenant_id AND c.id = p_rev_customer_id::bigint;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'customer % is unknown', p_rev_customer_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    SELECT b.order_json::jsonb INTO v_order FROM device_bulk_change b WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id;
    -- What was derived at submission (B4.8) is what counts, as long as it was derived for this customer.
    IF (v_order ->> 'rev_customer_id')::bigint IS DISTINCT FROM v_customer.id THEN
        v_order := v_order - 'site_id' - 'integration_authentication_id';
    END IF;
    v_site_id := coalesce(v_site_id, (v_order ->> 'site_id')::bigint, (
        SELECT min(s.id) FROM site s
        WHERE s.tenant_id = p_tenant_id AND s.rev_customer_id = v_customer.id AND s.is_active = 1));
    IF v_site_id IS NULL THEN
        RAISE EXCEPTION 'customer % has no active site', p_rev_customer_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN lineshift_assign(p_tenant_id, p_bulk_change_id, p_from_id, p_to_id, v_customer.id, v_site_id, v_customer.id::text,
        coalesce(p_integration_authentication_id, (v_order ->> 'integration_authentication_id')::bigint,
            v_customer.integration_authentication_id),
        coalesce(p_effective_date, (v_order ->> 'effective_at')::timestamptz),
        p_process_by, p_at, 'AMOP Customer Assignment',
        coalesce(p_request, format(E'usp_Assign_Customer_Update_Site\ncustomer %s, site %s, line ', v_customer.id, v_site_id)),
        coalesce(p_response, format('assigned to customer %s at site %s', v_customer.id, v_site_id)));
END
$$;
COMMENT ON FUNCTION usp_assign_customer_update_site(bigint, bigint, text, text, bigint, bigint, bigint, timestamptz, text, text,
    bigint, bigint, timestamptz) IS
    'Rev path: customer, site, account number, authentication, active flags of a change''s lines; answers how many changed';

-- Lines by ICCID, without a bulk change: for a person with SQL. A line that an open change holds is refused (LS002, B4.6 rule 6).
-- The history has them under bulk change 0, with the line's version for an attempt.
CREATE FUNCTION usp_assign_customer_update_site(p_tenant_id bigint, p_rev_customer_id text, p_iccid text[],
    p_at timestamptz DEFAULT now())
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_at bigint := lineshift_micros(p_at);
    v_month integer := lineshift_month(p_at);
    v_customer record;
    v_account text;
    v_site_id bigint;
    v_zone text;
    v_held record;
    v_changed bigint;
BEGIN
    SELECT c.id, c.integration_authentication_id INTO v_customer FROM rev_customer c
    WHERE c.tenant_id = p_tenant_id AND c.id = p_rev_customer_id::bigint;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'customer % is unknown', p_rev_customer_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    SELECT min(s.id) INTO v_site_id FROM site s
    WHERE s.tenant_id = p_tenant_id AND s.rev_customer_id = v_customer.id AND s.is_active = 1;
    IF v_site_id IS NULL THEN
        RAISE EXCEPTION 'customer % has no active site', p_rev_customer_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    SELECT t.time_zone INTO v_zone FROM tenant t WHERE t.id = p_tenant_id;
    v_account := v_customer.id::text;
    SELECT d.iccid, dc.bulk_change_id INTO v_held
    FROM unnest(p_iccid) AS given (iccid)
    JOIN device d ON d.tenant_id = p_tenant_id AND d.iccid = given.iccid
    JOIN device_change dc ON dc.tenant_id = p_tenant_id AND dc.tenant_id = d.tenant_id AND dc.device_id = d.id
    WHERE dc.holds <> 0
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'line % is held by bulk change %', v_held.iccid, v_held.bulk_change_id USING ERRCODE = 'LS002';
    END IF;
    WITH line AS MATERIALIZED (
        SELECT dt.tenant_id, dt.device_id, dt.version, dt.rev_customer_id, dt.site_id, dt.account_number,
            dt.account_number_integration_authentication_id, dt.effective_date, dt.is_active, dt.is_deleted,
            coalesce(start_of_day(d.activated_at, v_zone), v_at) AS new_effective_date
        FROM unnest(p_iccid) AS given (iccid)
        JOIN device d ON d.tenant_id = p_tenant_id AND d.iccid = given.iccid AND d.is_archived = 0 AND d.is_deleted = 0
        JOIN device_tenant dt ON dt.tenant_id = p_tenant_id AND dt.tenant_id = d.tenant_id AND dt.device_id = d.id
        WHERE dt.rev_customer_id IS DISTINCT FROM v_customer.id OR dt.site_id IS DISTINCT FROM v_site_id
           OR dt.account_number_integration_authentication_id IS DISTINCT FROM v_customer.integration_authentication_id
           OR dt.account_number IS DISTINCT FROM v_account OR dt.is_active = 0 OR dt.is_deleted = 1
        ORDER BY dt.device_id
        FOR NO KEY UPDATE OF dt
    ), history AS (
        INSERT INTO device_action_history (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value,
            new_value, changed_by)
        SELECT DISTINCT ON (l.device_id) l.tenant_id, l.device_id, v_at, 0, l.version::integer, 30, v_month, 'assignment',
            lineshift_assignment_json(l.rev_customer_id, l.site_id, l.account_number,
                l.account_number_integration_authentication_id, l.effective_date, l.is_active, l.is_deleted),
            lineshift_assignment_json(v_customer.id, v_site_id, v_account, v_customer.integration_authentication_id,
                l.new_effective_date, 1::smallint, 0::smallint),
            session_user::text
        FROM line l
        ORDER BY l.device_id
    )
    UPDATE device_tenant dt SET
        rev_customer_id = v_customer.id, site_id = v_site_id, account_number = v_account,
        account_number_integration_authentication_id = v_customer.integration_authentication_id,
        effective_date = l.new_effective_date, is_active = 1, is_deleted = 0, version = l.version + 1,
        modified_by = session_user::text, modified_at = v_at
    FROM line l
    WHERE dt.tenant_id = p_tenant_id AND dt.tenant_id = l.tenant_id AND dt.device_id = l.device_id;
    GET DIAGNOSTICS v_changed = ROW_COUNT;
    RETURN v_changed;
END
$$;
COMMENT ON FUNCTION usp_assign_customer_update_site(bigint, text, text[], timestamptz) IS
    'Rev path for lines by ICCID, at once, without a bulk change, at the customer''s first active site; answers how many changed';

CREATE FUNCTION usp_assign_customer_update_site(p_tenant_id bigint, p_rev_customer_id text, p_iccid text,
    p_at timestamptz DEFAULT now())
RETURNS bigint LANGUAGE sql AS $$ SELECT usp_assign_customer_update_site(p_tenant_id, p_rev_customer_id, ARRAY[p_iccid], p_at) $$;
COMMENT ON FUNCTION usp_assign_customer_update_site(bigint, text, text, timestamptz) IS
    'Rev path for one line by ICCID, at once and without a bulk change';

CREATE FUNCTION usp_devicebulkchange_assign_non_rev_customer(p_tenant_id bigint, p_bulk_change_id bigint, p_site_id bigint,
    p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL, p_epoch bigint DEFAULT NULL, p_at timestamptz DEFAULT now(),
    p_request text DEFAULT NULL, p_response text DEFAULT NULL, p_effective_date timestamptz DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    PERFORM lineshift_check_claim(p_tenant_id, p_bulk_change_id, p_from_id, p_epoch);
    RETURN lineshift_assign(p_tenant_id, p_bulk_change_id, p_from_id, p_to_id, NULL, p_site_id, NULL, NULL,
        coalesce(p_effective_date, (SELECT (b.order_json::jsonb ->> 'effective_at')::timestamptz FROM device_bulk_change b
                                    WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id)),
        'AltaworxDeviceBulkChange', p_at, 'AssignNonRevCustomer: Update AMOP',
        coalesce(p_request, format(E'usp_DeviceBulkChange_Assign_Non_Rev_Customer\nsite %s, line ', p_site_id)),
        coalesce(p_response, format('assigned to site %s', p_site_id)));
END
$$;
COMMENT ON FUNCTION usp_devicebulkchange_assign_non_rev_customer(bigint, bigint, bigint, bigint, bigint, bigint, timestamptz,
    text,
    text, timestamptz) IS 'AMOP path: the site of the lines of a bulk change, without a Rev customer; answers how many changed';

