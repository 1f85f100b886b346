-- The stored procedures, for the engine and for any SQL client with the rights of lineshift_app, and views with the former
-- system's names. Each call belongs into a transaction that has begun with SET LOCAL app.tenant_id = '<the tenant>'.
--
--   usp_assign_customer_update_site(p_tenant_id bigint, p_bulk_change_id bigint, p_rev_customer_id text, p_process_by text,
--       p_from_id bigint = NULL, p_to_id bigint = NULL, p_epoch bigint = NULL, p_at timestamptz = now(), p_request text = NULL,
--       p_response text = NULL, p_site_id bigint = NULL, p_integration_authentication_id bigint = NULL,
--       p_effective_date timestamptz = NULL) RETURNS bigint
--   usp_assign_customer_update_site(p_tenant_id bigint, p_rev_customer_id text, p_iccid text[], p_at timestamptz = now())
--       RETURNS bigint
--   usp_assign_customer_update_site(p_tenant_id bigint, p_rev_customer_id text, p_iccid text, p_at timestamptz = now())
--       RETURNS bigint
--   usp_devicebulkchange_assign_non_rev_customer(p_tenant_id bigint, p_bulk_change_id bigint, p_site_id bigint,
--       p_from_id bigint = NULL, p_to_id bigint = NULL, p_epoch bigint = NULL, p_at timestamptz = now(), p_request text = NULL,
--       p_response text = NULL, p_effective_date timestamptz = NULL) RETURNS bigint
--   usp_devicebulkchange_customerrateplanchange_updatedevices(p_tenant_id bigint, p_bulk_change_id bigint,
--       p_customer_rate_plan_id bigint, p_customer_rate_pool_id bigint, p_customer_data_allocation_mb numeric,
--       p_effective_date timestamptz, p_need_to_mark_processed boolean, p_from_id bigint = NULL, p_to_id bigint = NULL,
--       p_epoch bigint = NULL, p_at timestamptz = now(), p_request text = NULL, p_response text = NULL,
--       p_description text = NULL, p_replace_scheduled boolean = false) RETURNS bigint
--   usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(p_tenant_id bigint, p_bulk_change_id bigint,
--       p_subscriber_number text[], p_customer_rate_plan_id bigint, p_customer_rate_pool_id bigint, p_effective_date timestamptz,
--       p_customer_data_allocation_mb numeric, p_from_id bigint = NULL, p_to_id bigint = NULL, p_epoch bigint = NULL,
--       p_at timestamptz = now(), p_request text = NULL, p_response text = NULL, p_description text = NULL,
--       p_replace_scheduled boolean = false) RETURNS bigint
--   usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(.., p_subscriber_number text, .. as before) RETURNS bigint
--   usp_revservice_create_service(p_tenant_id bigint, p_rev_customer_id bigint[], p_number text[], p_rev_service_id bigint[],
--       p_rev_service_type_id bigint[], p_activated_date date[], p_rev_provider_id bigint[], p_device_id bigint[],
--       p_from_id bigint = NULL, p_to_id bigint = NULL, p_epoch bigint = NULL, p_at timestamptz = now(), p_iccid text[] = NULL,
--       p_disconnected_date date[] = NULL, p_has_package boolean[] = NULL, p_device_change_id bigint[] = NULL) RETURNS bigint
--   usp_revservice_create_service(p_tenant_id bigint, p_rev_customer_id bigint, p_number text, p_rev_service_id bigint,
--       p_rev_service_type_id bigint, p_activated_date date, p_rev_provider_id bigint, p_device_id bigint) RETURNS bigint
--   usp_revservice_create_serviceproduct(p_tenant_id bigint, p_rev_customer_id bigint[], p_rev_service_product_id bigint[],
--       p_rev_product_id bigint[], p_rev_service_id bigint[], p_rate numeric[], p_description text[], p_status text[],
--       p_package_id bigint[], p_from_id bigint = NULL, p_to_id bigint = NULL, p_epoch bigint = NULL, p_at timestamptz = now(),
--       p_quantity numeric[] = NULL) RETURNS bigint
--   usp_devicebulkchange_revservice_updatem2mchange(p_tenant_id bigint, p_change_id bigint[], p_api_call_result boolean[],
--       p_status_details text[], p_from_id bigint = NULL, p_to_id bigint = NULL, p_epoch bigint = NULL, p_at timestamptz = now(),
--       p_error_code text = 'billing_refused', p_error_kind text = 'INTEGRATION') RETURNS bigint
--   usp_devicebulkchange_revservice_updatem2mchange(p_tenant_id bigint, p_change_id bigint, p_api_call_result boolean,
--       p_status_details text) RETURNS bigint
--   usp_devicebulkchange_revservice_updatemobilitychange(.. the same two forms ..) RETURNS bigint
--   usp_update_device_rev_service_links(p_tenant_id bigint, p_bulk_change_id bigint, p_from_id bigint = NULL,
--       p_to_id bigint = NULL, p_epoch bigint = NULL) RETURNS bigint
--   usp_updatecrossproviderdevicehistory(p_tenant_id bigint, p_bulk_change_id bigint, p_effective_date timestamptz,
--       p_from_id bigint = NULL, p_to_id bigint = NULL, p_epoch bigint = NULL, p_at timestamptz = now()) RETURNS bigint
--
-- What they have in common:
--   - They act on the open, accepted rows (NEW or PROCESSING) of the change from p_from_id to p_to_id; or of all of it.
--   - With p_epoch they refuse with SQLSTATE LS001 when the page that begins at p_from_id is another worker's by now, or was
--     given back. The claim is looked at, not locked, so that its holder can go on renewing it: who closes the page looks again.
--   - They lock the lines in device order, write what differs and nothing else, the history from the old values, and one log
--     entry for each row; what was written already is not written again. They answer how many lines they changed.
--   - Null keeps a plan, pool or allocation, 0 clears it (B8.4, B8.5).
--   - p_at is the moment of the change. p_request and p_response are the texts of the log; the line's ICCID or number is put
--     behind p_request. The defaults say what the engine would say.
--   - None commits, notifies, or looks at another tenant.
--   - PostgreSQL keeps 63 characters of a name: ..._updatedevicebynumber, which has 64, is stored without its last letter.
--     Called by its full name it is found all the same, with a notice.
-- Joins by hash and by merging, and sequential scans, are turned off in those that work on a page: a page is looked up line by
-- line through primary keys, and a plan that reads a whole table of a million lines would be wrong however few rows the
-- planner believes that table to have on the day when the plan is made.

-- A page is found by where it begins.
CREATE INDEX device_bulk_change_page_from ON device_bulk_change_page (tenant_id, bulk_change_id, from_id);

-- A moment as it is stored, and back.
CREATE FUNCTION lineshift_micros(p_moment timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT (extract(epoch FROM p_moment) * 1000000)::bigint $$;
CREATE FUNCTION lineshift_moment(p_micros bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT (timestamp 'epoch' + p_micros * interval '1 us') AT TIME ZONE 'UTC' $$;
-- The month by which logs and histories are partitioned: 202611.
CREATE FUNCTION lineshift_month(p_moment timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (extract(year FROM p_moment AT TIME ZONE 'UTC') * 100 + extract(month FROM p_moment AT TIME ZONE 'UTC'))::integer
$$;

-- The next of a tenant's ids of one kind, p_count of them in a row; answers the first (B3.1).
CREATE FUNCTION lineshift_reserve_ids(p_tenant_id bigint, p_name text, p_count bigint) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO id_counter AS c (tenant_id, name, next_id) VALUES (p_tenant_id, p_name, p_count + 1)
    ON CONFLICT (tenant_id, name) DO UPDATE SET next_id = c.next_id + p_count
    RETURNING next_id - p_count
$$;

CREATE FUNCTION lineshift_check_claim(p_tenant_id bigint, p_bulk_change_id bigint, p_from_id bigint, p_epoch bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_epoch IS NOT NULL AND NOT EXISTS (
        SELECT FROM device_bulk_change_page p
        WHERE p.tenant_id = p_tenant_id AND p.bulk_change_id = p_bulk_change_id AND p.from_id = p_from_id
          AND p.epoch = p_epoch AND p.owner IS NOT NULL)
    THEN
        RAISE EXCEPTION 'the page of bulk change % that begins at % is no longer held under epoch %',
            p_bulk_change_id, p_from_id, p_epoch USING ERRCODE = 'LS001';
    END IF;
END
$$;

-- The same where the page is known by its first row alone; rows that are named must lie in the range.
CREATE FUNCTION lineshift_check_rows(p_tenant_id bigint, p_from_id bigint, p_to_id bigint, p_epoch bigint,
    p_device_change_id bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_stray bigint;
BEGIN
    IF p_epoch IS NOT NULL THEN
        PERFORM lineshift_check_claim(p_tenant_id, (SELECT dc.bulk_change_id FROM device_change dc
            WHERE dc.tenant_id = p_tenant_id AND dc.id = p_from_id), p_from_id, p_epoch);
    END IF;
    SELECT min(id) INTO v_stray FROM unnest(p_device_change_id) AS id WHERE id < p_from_id OR id > p_to_id;
    IF v_stray IS NOT NULL THEN
        RAISE EXCEPTION 'row % does not lie between % and %', v_stray, p_from_id, p_to_id
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- What an assignment is, as the history has it. STABLE, as to_json() is: were more promised, the planner would call it row by row
-- instead of putting its text into the statement.
CREATE FUNCTION lineshift_assignment_json(p_rev_customer_id bigint, p_site_id bigint, p_account_number text,
    p_integration_authentication_id bigint, p_effective_date bigint, p_is_active smallint, p_is_deleted smallint) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '{"rev_customer_id":' || coalesce(p_rev_customer_id::text, 'null')
        || ',"site_id":' || coalesce(p_site_id::text, 'null')
        || ',"account_number":' || coalesce(to_json(p_account_number)::text, 'null')
        || ',"integration_authentication_id":' || coalesce(p_integration_authentication_id::text, 'null')
        || ',"effective_date":' || coalesce(p_effective_date::text, 'null')
        || ',"is_active":' || p_is_active || ',"is_deleted":' || p_is_deleted || '}'
$$;

-- What a plan is, as the history has it.
CREATE FUNCTION lineshift_plan_json(p_customer_rate_plan_id bigint, p_customer_rate_pool_id bigint,
    p_customer_data_allocation_mb text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '{"customer_rate_plan_id":' || coalesce(p_customer_rate_plan_id::text, 'null')
        || ',"customer_rate_pool_id":' || coalesce(p_customer_rate_pool_id::text, 'null')
        || ',"customer_data_allocation_mb":' || coalesce(to_json(p_customer_data_allocation_mb)::text, 'null') || '}'
$$;

-- The step assignment, on either path: one statement locks the lines and writes log and history, one writes the lines.
CREATE FUNCTION lineshift_assign(p_tenant_id bigint, p_bulk_change_id bigint, p_from_id bigint, p_to_id bigint,
    p_rev_customer_id bigint, p_site_id bigint, p_account_number text, p_integration_authentication_id bigint,
    p_effective_date timestamptz, p_process_by text, p_at timestamptz, p_description text, p_request text, p_response text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_change record;
    v_at bigint := lineshift_micros(p_at);
    v_month integer := lineshift_month(p_at);
    v_effective bigint := lineshift_micros(p_effective_date);
    v_differing bigint[];
    v_zone text;
    v_changed bigint;
BEGIN
    SELECT b.portal_type, b.created_by, b.first_device_change_id, b.last_device_change_id
    INTO v_change FROM device_bulk_change b WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id;
    SELECT t.time_zone INTO v_zone FROM tenant t WHERE t.id = p_tenant_id;
    WITH line AS MATERIALIZED (
        SELECT dt.tenant_id, dt.device_id, dt.version, dt.rev_customer_id, dt.site_id, dt.account_number,
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
          AND dc.id BETWEEN coalesce(p_from_id, v_change.first_device_change_id)
                        AND coalesce(p_to_id, v_change.last_device_change_id)
        ORDER BY dt.device_id
        FOR NO KEY UPDATE OF dt
    ), log AS (
        INSERT INTO device_bulk_change_log (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type,
            log_entry_description, process_by, processed_at, request_text, response_text, error_text, has_errors, response_status)
        SELECT l.tenant_id, p_bulk_change_id, l.device_change_id, l.attempt, 30, v_month, v_change.portal_type,
            p_description, p_process_by, v_at, p_request || l.identifier, p_response, NULL, 0, 'PROCESSED'
        FROM line l
        ON CONFLICT DO NOTHING
    ), history AS (
        INSERT INTO device_action_history (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value,
            new_value, changed_by)
        SELECT l.tenant_id, l.device_id, v_at, p_bulk_change_id, l.attempt, 30, v_month, 'assignment',
            lineshift_assignment_json(l.rev_customer_id, l.site_id, l.account_number,
                l.account_number_integration_authentication_id, l.effective_date, l.is_active, l.is_deleted),
            lineshift_assignment_json(p_rev_customer_id, p_site_id, p_account_number, p_integration_authentication_id,
                l.new_effective_date, 1::smallint, 0::smallint),
            v_change.created_by
        FROM line l WHERE l.differs
    )
    SELECT array_agg(l.device_id) INTO v_differing FROM line l WHERE l.differs;
    -- Named one by one instead of joined: a planner that believes that the tenant has one line would begin with that one.
    UPDATE device_tenant dt SET
        rev_customer_id = p_rev_customer_id, site_id = p_site_id, account_number = p_account_number,
        account_number_integration_authentication_id = p_integration_authentication_id,
        effective_date = coalesce(v_effective, (SELECT start_of_day(d.activated_at, v_zone) FROM device d
                                                WHERE d.tenant_id = p_tenant_id AND d.id = dt.device_id), v_at),
        is_active = 1, is_deleted = 0, version = dt.version + 1, modified_by = v_change.created_by, modified_at = v_at
    WHERE dt.tenant_id = p_tenant_id AND dt.device_id = ANY (v_differing);
    GET DIAGNOSTICS v_changed = ROW_COUNT;
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

-- The step customer_rate_plan, now: one statement locks the lines and writes log and history, one writes the lines; one more each
-- cancels what the plan queue has for the lines and ends the rows, where that is asked for.
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
    v_differing bigint[];
    v_changed bigint;
    v_marked bigint;
BEGIN
    IF p_effective_date > p_at THEN
        RAISE EXCEPTION 'a plan change for % waits in the plan queue until then; this applies it now', p_effective_date
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT b.change_request_type_id, b.portal_type, b.created_by, b.first_device_change_id, b.last_device_change_id
    INTO v_change FROM device_bulk_change b WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id;
    v_from := coalesce(p_from_id, v_change.first_device_change_id);
    v_to := coalesce(p_to_id, v_change.last_device_change_id);
    v_description := coalesce(v_description, CASE v_change.change_request_type_id
        WHEN 1 THEN 'Associate Customer: Update Customer Rate Plan' ELSE 'Change Customer Rate Plan: Update AMOP' END);
    v_request := coalesce(v_request, format(E'usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevice%s\n%s, line ',
        CASE WHEN p_by_number THEN 'ByNumber' ELSE 's' END, v_values));
    v_response := coalesce(v_response, 'now ' || v_values || CASE WHEN p_replace_scheduled THEN ', open entries canceled'
        ELSE '' END);
    WITH line AS MATERIALIZED (
        SELECT dt.tenant_id, dt.device_id, dt.version, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
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
        FOR NO KEY UPDATE OF dt
    ), log AS (
        INSERT INTO device_bulk_change_log (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type,
            log_entry_description, process_by, processed_at, request_text, response_text, error_text, has_errors, response_status)
        SELECT l.tenant_id, p_bulk_change_id, l.device_change_id, l.attempt, 40, v_month, v_change.portal_type,
            v_description, 'AltaworxDeviceBulkChange', v_at, v_request || l.identifier, v_response, NULL, 0, 'PROCESSED'
        FROM line l
        ON CONFLICT DO NOTHING
    ), history AS (
        INSERT INTO device_action_history (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value,
            new_value, changed_by)
        SELECT l.tenant_id, l.device_id, v_at, p_bulk_change_id, l.attempt, 40, v_month, 'customer_rate_plan',
            lineshift_plan_json(l.customer_rate_plan_id, l.customer_rate_pool_id, l.customer_data_allocation_mb),
            lineshift_plan_json(l.new_plan, l.new_pool, l.new_allocation), v_change.created_by
        FROM line l
        WHERE l.new_plan IS DISTINCT FROM l.customer_rate_plan_id OR l.new_pool IS DISTINCT FROM l.customer_rate_pool_id
           OR l.new_allocation IS DISTINCT FROM l.customer_data_allocation_mb
    )
    SELECT array_agg(l.device_id) INTO v_differing FROM line l
    WHERE l.new_plan IS DISTINCT FROM l.customer_rate_plan_id OR l.new_pool IS DISTINCT FROM l.customer_rate_pool_id
       OR l.new_allocation IS DISTINCT FROM l.customer_data_allocation_mb;
    UPDATE device_tenant dt SET
        customer_rate_plan_id = CASE WHEN p_customer_rate_plan_id IS NULL THEN dt.customer_rate_plan_id
            WHEN p_customer_rate_plan_id = 0 THEN NULL ELSE p_customer_rate_plan_id END,
        customer_rate_pool_id = CASE WHEN p_customer_rate_pool_id IS NULL THEN dt.customer_rate_pool_id
            WHEN p_customer_rate_pool_id = 0 THEN NULL ELSE p_customer_rate_pool_id END,
        customer_data_allocation_mb = CASE WHEN v_allocation IS NULL THEN dt.customer_data_allocation_mb
            WHEN v_allocation = '0' THEN NULL ELSE v_allocation END,
        version = dt.version + 1, modified_by = v_change.created_by, modified_at = v_at
    WHERE dt.tenant_id = p_tenant_id AND dt.device_id = ANY (v_differing);
    GET DIAGNOSTICS v_changed = ROW_COUNT;
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
        JOIN device_change dc ON dc.tenant_id = p_tenant_id AND dc.id = g.by_row
        JOIN device_bulk_change b ON b.tenant_id = p_tenant_id AND b.tenant_id = dc.tenant_id AND b.id = dc.bulk_change_id
        WHERE dc.device_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM device_action_history h
            WHERE h.tenant_id = p_tenant_id AND h.device_id = dc.device_id AND h.bulk_change_id = dc.bulk_change_id
              AND h.entry = 20 AND h.old_value = 'null' AND h.new_value = g.line)
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
        JOIN rev_service s ON s.tenant_id = p_tenant_id AND s.rev_customer_id = o.customer AND s.rev_service_id = o.service
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

-- The lines of a change as completion sees them (B11.3): what this attempt changed, also rows that end in ERROR for another step;
-- those that stood so already are left out. The two functions below say it alike.

CREATE FUNCTION usp_update_device_rev_service_links(p_tenant_id bigint, p_bulk_change_id bigint, p_from_id bigint DEFAULT NULL,
    p_to_id bigint DEFAULT NULL, p_epoch bigint DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_change record;
    v_linked bigint;
BEGIN
    PERFORM lineshift_check_claim(p_tenant_id, p_bulk_change_id, p_from_id, p_epoch);
    SELECT b.attempt, b.first_device_change_id, b.last_device_change_id
    INTO v_change FROM device_bulk_change b WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id;
    -- Only the lines whose link is not right are locked: mostly none.
    WITH line AS MATERIALIZED (
        SELECT dt.tenant_id, dt.device_id, (
            SELECT max(s.id) FROM rev_service s
            WHERE s.tenant_id = p_tenant_id AND s.device_id = dt.device_id AND s.rev_customer_id = dt.rev_customer_id
              AND s.disconnected_date IS NULL) AS rev_service_id
        FROM device_change dc
        JOIN device_tenant dt ON dt.tenant_id = p_tenant_id AND dt.tenant_id = dc.tenant_id AND dt.device_id = dc.device_id
        WHERE dc.tenant_id = p_tenant_id AND dc.bulk_change_id = p_bulk_change_id AND dc.attempt = v_change.attempt
          AND dc.id BETWEEN coalesce(p_from_id, v_change.first_device_change_id)
                        AND coalesce(p_to_id, v_change.last_device_change_id)
          AND (dc.status = 'PROCESSED' OR dc.set_steps_done = 1) AND dc.status_details IS DISTINCT FROM 'already so'
          AND dt.rev_service_id IS DISTINCT FROM (
            SELECT max(s.id) FROM rev_service s
            WHERE s.tenant_id = p_tenant_id AND s.device_id = dt.device_id AND s.rev_customer_id = dt.rev_customer_id
              AND s.disconnected_date IS NULL)
        ORDER BY dt.device_id
        FOR NO KEY UPDATE OF dt
    )
    UPDATE device_tenant dt SET rev_service_id = l.rev_service_id
    FROM line l
    WHERE dt.tenant_id = p_tenant_id AND dt.tenant_id = l.tenant_id AND dt.device_id = l.device_id;
    GET DIAGNOSTICS v_linked = ROW_COUNT;
    RETURN v_linked;
END
$$;
COMMENT ON FUNCTION usp_update_device_rev_service_links(bigint, bigint, bigint, bigint, bigint) IS
    'Links the lines of a bulk change to their customer''s connected Rev service, or to none; answers how many changed';

CREATE FUNCTION usp_updatecrossproviderdevicehistory(p_tenant_id bigint, p_bulk_change_id bigint, p_effective_date timestamptz,
    p_from_id bigint DEFAULT NULL, p_to_id bigint DEFAULT NULL, p_epoch bigint DEFAULT NULL, p_at timestamptz DEFAULT now())
RETURNS bigint LANGUAGE plpgsql SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    v_change record;
    v_valid_from bigint := lineshift_micros(least(p_effective_date, p_at));
    v_from bigint;
    v_to bigint;
    v_present bigint[];
    v_opened bigint;
BEGIN
    PERFORM lineshift_check_claim(p_tenant_id, p_bulk_change_id, p_from_id, p_epoch);
    SELECT b.attempt, b.service_provider_id, b.first_device_change_id, b.last_device_change_id
    INTO v_change FROM device_bulk_change b WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id;
    v_from := coalesce(p_from_id, v_change.first_device_change_id);
    v_to := coalesce(p_to_id, v_change.last_device_change_id);
    -- What this change itself opened stays open, so that a second call does nothing. The lock within the subquery holds the
    -- planner to looking each line's history up, also while it believes that there is none.
    SELECT array_agg(present.device_id) INTO v_present
    FROM (SELECT dc.tenant_id, dc.device_id, dc.bulk_change_id, dc.attempt
          FROM device_change dc
          WHERE dc.tenant_id = p_tenant_id AND dc.bulk_change_id = p_bulk_change_id AND dc.attempt = v_change.attempt
            AND dc.id BETWEEN v_from AND v_to
            AND (dc.status = 'PROCESSED' OR dc.set_steps_done = 1) AND dc.status_details IS DISTINCT FROM 'already so'
          ORDER BY dc.device_id) AS line
    CROSS JOIN LATERAL (
          SELECT h.device_id
          FROM cross_provider_device_history h
          WHERE h.tenant_id = p_tenant_id AND h.tenant_id = line.tenant_id AND h.device_id = line.device_id AND h.valid_to IS NULL
            AND (h.bulk_change_id, h.attempt, h.entry) <> (line.bulk_change_id, line.attempt, 90)
          FOR NO KEY UPDATE) AS present;
    UPDATE cross_provider_device_history h SET valid_to = greatest(h.valid_from, v_valid_from)
    WHERE h.tenant_id = p_tenant_id AND h.device_id = ANY (v_present) AND h.valid_to IS NULL;
    INSERT INTO cross_provider_device_history (tenant_id, device_id, bulk_change_id, attempt, entry, service_provider_id,
        valid_from,
        valid_to, rev_customer_id, site_id, account_number, customer_rate_plan_id, customer_rate_pool_id,
            customer_data_allocation_mb)
    SELECT dt.tenant_id, dt.device_id, dc.bulk_change_id, dc.attempt, 90, v_change.service_provider_id, v_valid_from, NULL,
        dt.rev_customer_id, dt.site_id, dt.account_number, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
        dt.customer_data_allocation_mb
    FROM device_change dc
    JOIN device_tenant dt ON dt.tenant_id = p_tenant_id AND dt.tenant_id = dc.tenant_id AND dt.device_id = dc.device_id
    WHERE dc.tenant_id = p_tenant_id AND dc.bulk_change_id = p_bulk_change_id AND dc.attempt = v_change.attempt
      AND dc.id BETWEEN v_from AND v_to
      AND (dc.status = 'PROCESSED' OR dc.set_steps_done = 1) AND dc.status_details IS DISTINCT FROM 'already so'
    ORDER BY dt.device_id
    ON CONFLICT (tenant_id, device_id, bulk_change_id, attempt, entry) DO NOTHING;
    GET DIAGNOSTICS v_opened = ROW_COUNT;
    RETURN v_opened;
END
$$;
COMMENT ON FUNCTION usp_updatecrossproviderdevicehistory(bigint, bigint, timestamptz, bigint, bigint, bigint, timestamptz) IS
    'Closes the present history row of each line of a bulk change, opens one with its assignment of now; answers how many';

-- Nobody but the product may call them.
DO $$
DECLARE
    v_function regprocedure;
BEGIN
    FOR v_function IN
        SELECT p.oid FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
          AND (p.proname ~ '^usp_' OR p.proname IN ('lineshift_micros', 'lineshift_moment', 'lineshift_month',
              'lineshift_reserve_ids',
            'lineshift_check_claim', 'lineshift_check_rows', 'lineshift_assignment_json', 'lineshift_plan_json',
            'lineshift_assign', 'lineshift_change_plan', 'lineshift_mark_rows'))
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', v_function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO lineshift_app', v_function);
    END LOOP;
END
$$;
COMMENT ON FUNCTION lineshift_micros(timestamptz) IS 'A moment as it is stored: microseconds since 1970 UTC';
COMMENT ON FUNCTION lineshift_moment(bigint) IS 'A stored moment as a timestamptz';
COMMENT ON FUNCTION lineshift_month(timestamptz) IS 'The month (UTC) by which logs and histories are partitioned: 202611';
COMMENT ON FUNCTION lineshift_reserve_ids(bigint, text, bigint) IS
    'Reserves consecutive ids of one kind; answers the first (B3.1)';
COMMENT ON FUNCTION lineshift_check_claim(bigint, bigint, bigint, bigint) IS
    'Refuses with LS001 when the page that begins at p_from_id is not held under p_epoch (B5.1)';
COMMENT ON FUNCTION lineshift_check_rows(bigint, bigint, bigint, bigint, bigint[]) IS
    'The same, the page known by its first row; refuses rows outside of the range';
COMMENT ON FUNCTION lineshift_assignment_json(bigint, bigint, text, bigint, bigint, smallint, smallint) IS
    'An assignment as the history has it (B11.2)';
COMMENT ON FUNCTION lineshift_plan_json(bigint, bigint, text) IS 'Plan, pool and allocation as the history has them (B11.2)';
COMMENT ON FUNCTION lineshift_assign(bigint, bigint, bigint, bigint, bigint, bigint, text, bigint, timestamptz, text,
    timestamptz, text,
    text, text) IS 'The step assignment on either path; called by the usp_ functions';
COMMENT ON FUNCTION lineshift_change_plan(bigint, bigint, bigint, bigint, boolean, text[], bigint, bigint, numeric, timestamptz,
    boolean,
    timestamptz, text, text, text, boolean) IS 'The step customer_rate_plan, now; called by the usp_ functions';
COMMENT ON FUNCTION lineshift_mark_rows(bigint, integer, bigint[], boolean[], text[], bigint, bigint, bigint, timestamptz, text,
    text) IS
    'Ends open rows by the result of a call; called by the usp_ functions';

-- Views with the former system's names, for people and their reports: moments as timestamptz, yes and no as boolean, decimals as
-- numeric. They show what their reader may see (security_invoker), hence nothing without a tenant.

-- The status is computed (B2.1), in the order in which the first that fits counts.
CREATE VIEW devicebulkchange WITH (security_invoker = true) AS
SELECT b.tenant_id, b.id, b.change_request_type_id, b.portal_type, b.service_provider_id,
    CASE WHEN b.receiving_until IS NOT NULL THEN 'RECEIVING'
        WHEN b.open_count > 0 THEN CASE WHEN b.begun_at IS NULL THEN 'NEW' ELSE 'PROCESSING' END
        WHEN b.processed_count = b.total_count THEN 'PROCESSED'
        WHEN b.processed_count > 0 THEN 'PARTIAL'
        WHEN b.canceled_count = b.total_count THEN 'CANCELED'
        ELSE 'ERROR' END AS status,
    b.order_json::jsonb AS change_request, b.rev_customer_id, b.site_id, b.customer_rate_plan_id, b.customer_rate_pool_id,
        b.name, b.reason,
    b.total_count, b.open_count, b.processed_count, b.error_count, b.canceled_count, b.rejected_count, b.duplicate_count,
    b.scheduled_failed_count, b.attempt, b.created_by, lineshift_moment(b.created_at) AS created_date, b.processed_by,
    lineshift_moment(b.processed_at) AS processed_date
FROM device_bulk_change b;
COMMENT ON VIEW devicebulkchange IS 'DeviceBulkChange: orders over many lines, with the status computed from their counts';

CREATE VIEW m2m_devicechange WITH (security_invoker = true) AS
SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.request_position, dc.device_id, dc.iccid, dc.number, dc.status, dc.error_kind,
    dc.error_code, dc.status_details, dc.status = 'ERROR' AS has_errors, dc.is_processed = 1 AS is_processed,
    lineshift_moment(dc.processed_at) AS processed_date, dc.attempt, lineshift_moment(dc.next_check_at) AS next_check_date
FROM device_change dc
JOIN device_bulk_change b ON b.tenant_id = dc.tenant_id AND b.id = dc.bulk_change_id
WHERE b.portal_type = 0;
COMMENT ON VIEW m2m_devicechange IS 'M2M_DeviceChange: the lines of M2M orders';

CREATE VIEW m2m_devicebulkchangelog WITH (security_invoker = true) AS
SELECT l.tenant_id, l.bulk_change_id, NULLIF(l.device_change_id, 0) AS m2m_device_change_id, l.attempt, l.entry,
    l.log_entry_description, l.process_by, lineshift_moment(l.processed_at) AS process_date, l.request_text, l.response_text,
    l.error_text, l.has_errors = 1 AS has_errors, l.response_status
FROM device_bulk_change_log l
WHERE l.portal_type = 0;
COMMENT ON VIEW m2m_devicebulkchangelog IS 'M2MDeviceBulkChangeLog: what each step of M2M orders asked, got and concluded';

CREATE VIEW mobility_devicechange WITH (security_invoker = true) AS
SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.request_position, dc.device_id, dc.iccid, dc.number, dc.status, dc.error_kind,
    dc.error_code, dc.status_details, dc.status = 'ERROR' AS has_errors, dc.is_processed = 1 AS is_processed,
    lineshift_moment(dc.processed_at) AS processed_date, dc.attempt, lineshift_moment(dc.next_check_at) AS next_check_date
FROM device_change dc
JOIN device_bulk_change b ON b.tenant_id = dc.tenant_id AND b.id = dc.bulk_change_id
WHERE b.portal_type = 2;
COMMENT ON VIEW mobility_devicechange IS 'Mobility_DeviceChange: the lines of Mobility orders';

CREATE VIEW mobility_devicebulkchangelog WITH (security_invoker = true) AS
SELECT l.tenant_id, l.bulk_change_id, NULLIF(l.device_change_id, 0) AS mobility_device_change_id, l.attempt, l.entry,
    l.log_entry_description, l.process_by, lineshift_moment(l.processed_at) AS process_date, l.request_text, l.response_text,
    l.error_text, l.has_errors = 1 AS has_errors, l.response_status
FROM device_bulk_change_log l
WHERE l.portal_type = 2;
COMMENT ON VIEW mobility_devicebulkchangelog IS
    'MobilityDeviceBulkChangeLog: what each step of Mobility orders asked, got and concluded';

CREATE VIEW lnp_devicechange WITH (security_invoker = true) AS
SELECT dc.tenant_id, dc.id, dc.bulk_change_id, dc.request_position, dc.device_id, dc.iccid, dc.number, dc.status, dc.error_kind,
    dc.error_code, dc.status_details, dc.status = 'ERROR' AS has_errors, dc.is_processed = 1 AS is_processed,
    lineshift_moment(dc.processed_at) AS processed_date, dc.attempt, lineshift_moment(dc.next_check_at) AS next_check_date
FROM device_change dc
JOIN device_bulk_change b ON b.tenant_id = dc.tenant_id AND b.id = dc.bulk_change_id
WHERE b.portal_type = 1;
COMMENT ON VIEW lnp_devicechange IS 'LNP_DeviceChange: the lines of LNP orders';

CREATE VIEW lnp_devicebulkchangelog WITH (security_invoker = true) AS
SELECT l.tenant_id, l.bulk_change_id, NULLIF(l.device_change_id, 0) AS lnp_device_change_id, l.attempt, l.entry,
    l.log_entry_description, l.process_by, lineshift_moment(l.processed_at) AS process_date, l.request_text, l.response_text,
    l.error_text, l.has_errors = 1 AS has_errors, l.response_status
FROM device_bulk_change_log l
WHERE l.portal_type = 1;
COMMENT ON VIEW lnp_devicebulkchangelog IS 'LNPDeviceBulkChangeLog: what each step of LNP orders asked, got and concluded';

CREATE VIEW device_customerrateplanorratepool_queue WITH (security_invoker = true) AS
SELECT q.tenant_id, q.device_change_id AS id, q.bulk_change_id, q.device_id, q.customer_rate_plan_id, q.customer_rate_pool_id,
    q.customer_data_allocation_mb::numeric AS customer_data_allocation_mb, lineshift_moment(q.effective_date) AS effective_date,
    q.portal_type, q.created_by, lineshift_moment(q.created_at) AS created_date, q.modified_by,
    lineshift_moment(q.modified_at) AS modified_date, q.is_active = 1 AS is_active, q.state, q.error_code, q.status_details
FROM customer_rate_plan_device_queue q;
COMMENT ON VIEW device_customerrateplanorratepool_queue IS
    'Device_CustomerRatePlanOrRatePool_Queue: plan changes that wait for their date';

CREATE VIEW customerrateplandevicequeue WITH (security_invoker = true) AS
SELECT q.tenant_id, q.id, q.bulk_change_id, q.device_id, q.customer_rate_plan_id, q.customer_rate_pool_id,
    q.customer_data_allocation_mb, q.effective_date, q.portal_type, q.created_by, q.created_date, q.modified_by, q.modified_date,
    q.is_active, q.state, q.error_code, q.status_details
FROM device_customerrateplanorratepool_queue q;
COMMENT ON VIEW customerrateplandevicequeue IS 'CustomerRatePlanDeviceQueue: the same by its other name';

CREATE VIEW m2m_device WITH (security_invoker = true) AS
SELECT d.tenant_id, d.id, d.service_provider_id, d.iccid, d.subscriber_number AS msisdn, d.imei, d.status,
    d.is_archived = 1 AS is_archived, d.is_deleted = 1 AS is_deleted, lineshift_moment(d.activated_at) AS activated_date,
    d.carrier_rate_plan, d.communication_plan, d.ip_address, d.carrier_device_id, dt.rev_customer_id, dt.site_id,
        dt.account_number,
    dt.account_number_integration_authentication_id, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
    dt.customer_data_allocation_mb::numeric AS customer_data_allocation_mb, dt.rev_service_id,
    lineshift_moment(dt.effective_date) AS effective_date, dt.is_active = 1 AS is_active, dt.version, dt.modified_by,
    lineshift_moment(dt.modified_at) AS modified_date
FROM device d
JOIN device_tenant dt ON dt.tenant_id = d.tenant_id AND dt.device_id = d.id;
COMMENT ON VIEW m2m_device IS 'M2M_Device with Device_Tenant: lines and what was decided about them';

CREATE VIEW revcustomer WITH (security_invoker = true) AS
SELECT c.tenant_id, c.id, c.name, c.integration_authentication_id, c.is_active = 1 AS is_active,
    lineshift_moment(c.created_at) AS created_date, lineshift_moment(c.modified_at) AS modified_date
FROM rev_customer c;
COMMENT ON VIEW revcustomer IS 'RevCustomer: customers that exist in Rev.io';

CREATE VIEW revservice WITH (security_invoker = true) AS
SELECT s.tenant_id, s.id, s.rev_customer_id, s.number, s.iccid, s.rev_service_id, s.rev_service_type_id,
    (lineshift_moment(s.activated_date) AT TIME ZONE 'UTC')::date AS activated_date, s.rev_provider_id,
    (lineshift_moment(s.disconnected_date) AT TIME ZONE 'UTC')::date AS disconnected_date, s.device_id,
        s.has_package = 1 AS has_package
FROM rev_service s;
COMMENT ON VIEW revservice IS 'RevService: billing services in Rev.io';

CREATE VIEW revserviceproduct WITH (security_invoker = true) AS
SELECT p.tenant_id, p.id, p.rev_service_id, p.rev_customer_id, p.rev_service_product_id, p.rev_product_id, p.package_id,
    p.rate::numeric AS rate, p.quantity::numeric AS quantity, p.status, p.description
FROM rev_service_product p;
COMMENT ON VIEW revserviceproduct IS 'RevServiceProduct: what is charged on a billing service';

CREATE VIEW deviceactionhistory WITH (security_invoker = true) AS
SELECT h.tenant_id, h.device_id, lineshift_moment(h.at) AS date_of_change, NULLIF(h.bulk_change_id, 0) AS bulk_change_id,
    h.attempt,
    h.entry, h.action, h.old_value::jsonb AS old_value, h.new_value::jsonb AS new_value, h.changed_by
FROM device_action_history h;
COMMENT ON VIEW deviceactionhistory IS 'DeviceActionHistory: what was changed of a line, by whom';

CREATE VIEW crossproviderdevicehistory WITH (security_invoker = true) AS
SELECT h.tenant_id, h.device_id, h.bulk_change_id, h.service_provider_id, lineshift_moment(h.valid_from) AS valid_from,
    lineshift_moment(h.valid_to) AS valid_to, h.rev_customer_id, h.site_id, h.account_number, h.customer_rate_plan_id,
    h.customer_rate_pool_id, h.customer_data_allocation_mb::numeric AS customer_data_allocation_mb
FROM cross_provider_device_history h;
COMMENT ON VIEW crossproviderdevicehistory IS 'The assignments of a line over time';

GRANT SELECT ON devicebulkchange, m2m_devicechange, mobility_devicechange, lnp_devicechange, m2m_devicebulkchangelog,
    mobility_devicebulkchangelog, lnp_devicebulkchangelog, device_customerrateplanorratepool_queue, customerrateplandevicequeue,
    m2m_device, revcustomer, revservice, revserviceproduct, deviceactionhistory, crossproviderdevicehistory TO lineshift_app;
