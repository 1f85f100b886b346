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
--     entry for each row; what was written already is not written again. They answer how many lines they changed. Of two who call
--     one for the same lines at once, without a claim, the second may be refused (40001, 23505) and calls it again.
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

-- A step finds the lines that it writes by the place at which it locked them, whatever the planner thinks of the tenant's size. A
-- line that was being changed while the step came to it has another place by then, which the statement does not see: who locked
-- the lines before, as the engine does, never meets that.
CREATE FUNCTION lineshift_check_written(p_written bigint, p_differing bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_written <> p_differing THEN
        RAISE EXCEPTION '% of % lines were being changed by others; call it again',  p_differing - p_written, p_differing
            USING ERRCODE = 'serialization_failure';
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

