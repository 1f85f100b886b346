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
          AND (dt.rev_customer_id IS NOT NULL OR dt.rev_service_id IS NOT NULL)
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
    v_present tid[];
    v_own boolean;
    v_again boolean := false;
    v_opened bigint;
BEGIN
    PERFORM lineshift_check_claim(p_tenant_id, p_bulk_change_id, p_from_id, p_epoch);
    SELECT b.attempt, b.service_provider_id, b.first_device_change_id, b.last_device_change_id
    INTO v_change FROM device_bulk_change b WHERE b.tenant_id = p_tenant_id AND b.id = p_bulk_change_id;
    v_from := coalesce(p_from_id, v_change.first_device_change_id);
    v_to := coalesce(p_to_id, v_change.last_device_change_id);
    -- A second call does nothing: lines that have this attempt's entry are left out. They are looked for only when something tells of
    -- them, one that is open or one in the way. The lock within the subquery holds the planner to looking each line's history up,
    -- also while it believes that there is none.
    LOOP
        BEGIN
            SELECT array_agg(present.place) FILTER (WHERE NOT present.own), coalesce(bool_or(present.own), false)
            INTO v_present, v_own
            FROM (SELECT dc.tenant_id, dc.device_id, dc.bulk_change_id, dc.attempt
                  FROM device_change dc
                  WHERE dc.tenant_id = p_tenant_id AND dc.bulk_change_id = p_bulk_change_id AND dc.attempt = v_change.attempt
                    AND dc.id BETWEEN v_from AND v_to
                    AND (dc.status = 'PROCESSED' OR dc.set_steps_done = 1) AND dc.status_details IS DISTINCT FROM 'already so'
                    AND (NOT v_again OR NOT EXISTS (
                        SELECT FROM cross_provider_device_history h
                        WHERE h.tenant_id = p_tenant_id AND h.tenant_id = dc.tenant_id AND h.device_id = dc.device_id
                          AND h.bulk_change_id = dc.bulk_change_id AND h.attempt = dc.attempt AND h.entry = 90))
                  ORDER BY dc.device_id) AS line
            CROSS JOIN LATERAL (
                  SELECT h.ctid AS place, (h.bulk_change_id, h.attempt, h.entry) = (line.bulk_change_id, line.attempt, 90) AS own
                  FROM cross_provider_device_history h
                  WHERE h.tenant_id = p_tenant_id AND h.tenant_id = line.tenant_id AND h.device_id = line.device_id AND h.valid_to IS NULL
                  FOR NO KEY UPDATE) AS present;
            IF v_own AND NOT v_again THEN
                v_again := true;
                CONTINUE;
            END IF;
            UPDATE cross_provider_device_history h SET valid_to = greatest(h.valid_from, v_valid_from)
            WHERE h.tenant_id = p_tenant_id AND h.ctid = ANY (v_present) AND h.valid_to IS NULL;
            INSERT INTO cross_provider_device_history (tenant_id, device_id, bulk_change_id, attempt, entry, service_provider_id,
                valid_from, valid_to, rev_customer_id, site_id, account_number, customer_rate_plan_id, customer_rate_pool_id,
                customer_data_allocation_mb)
            SELECT dt.tenant_id, dt.device_id, dc.bulk_change_id, dc.attempt, 90, v_change.service_provider_id, v_valid_from, NULL,
                dt.rev_customer_id, dt.site_id, dt.account_number, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
                dt.customer_data_allocation_mb
            FROM device_change dc
            JOIN device_tenant dt ON dt.tenant_id = p_tenant_id AND dt.tenant_id = dc.tenant_id AND dt.device_id = dc.device_id
            WHERE dc.tenant_id = p_tenant_id AND dc.bulk_change_id = p_bulk_change_id AND dc.attempt = v_change.attempt
              AND dc.id BETWEEN v_from AND v_to
              AND (dc.status = 'PROCESSED' OR dc.set_steps_done = 1) AND dc.status_details IS DISTINCT FROM 'already so'
              AND (NOT v_again OR NOT EXISTS (
                  SELECT FROM cross_provider_device_history h
                  WHERE h.tenant_id = p_tenant_id AND h.tenant_id = dc.tenant_id AND h.device_id = dc.device_id
                    AND h.bulk_change_id = dc.bulk_change_id AND h.attempt = dc.attempt AND h.entry = 90))
            ORDER BY dt.device_id;
            GET DIAGNOSTICS v_opened = ROW_COUNT;
            RETURN v_opened;
        EXCEPTION WHEN unique_violation THEN
            IF v_again THEN
                RAISE;
            END IF;
            v_again := true;
        END;
    END LOOP;
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
            'lineshift_check_claim', 'lineshift_check_rows', 'lineshift_check_written', 'lineshift_assignment_json', 'lineshift_plan_json',
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
COMMENT ON FUNCTION lineshift_check_written(bigint, bigint) IS 'Refuses with 40001 when not every line was written';
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

