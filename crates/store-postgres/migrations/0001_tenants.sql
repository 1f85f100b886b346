-- Tenants, who calls for them, and what is to be done for them.
-- Times are microseconds since 1970 UTC everywhere; yes and no are 1 and 0; decimals are their canonical texts.
-- Columns have the names, the order and the meaning that they have on every engine.
--
-- Migrations run as lineshift_owner, who owns the database; the product works as a member of lineshift_app: see
-- deploy/postgres/roles.sql.
-- Texts that stand in keys are compared by their bytes (COLLATE "C"), whatever the language of the database: that is
-- faster, means the same on every engine, and no index is ruined by a new version of the system's collations.

-- Made by the program before the first migration; also here, so that the files alone make the whole schema.
CREATE TABLE IF NOT EXISTS schema_migration (number bigint NOT NULL PRIMARY KEY, name text NOT NULL);

GRANT USAGE ON SCHEMA public TO lineshift_app;

-- Sets a table's tenants apart from each other, for the owner also, and has statements planned alike for each of them: every
-- migration that makes a table with a tenant_id passes it here. Without a tenant nothing is seen and nothing can be written: the setting is then absent or empty, hence null, and
-- nothing equals null. It is the second net, not the filter: every statement names the tenant as well.
CREATE FUNCTION lineshift_own_by_tenant(p_table regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table);
    -- Every statement names one tenant and searches within it, by an index that begins with the tenant. Of a tenant that came after
    -- the last analyze, figures would have the planner believe that it has one row: any index then seems as good as the right one,
    -- and each search reads all of the tenant's rows. Without figures it takes every tenant for a two hundredth of the table.
    EXECUTE format('ALTER TABLE %s ALTER COLUMN tenant_id SET STATISTICS 0', p_table);
    EXECUTE format($policy$
        CREATE POLICY own_tenant ON %s
            USING (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::bigint)
            WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::bigint)
        $policy$, p_table);
END
$$;
REVOKE ALL ON FUNCTION lineshift_own_by_tenant(regclass) FROM PUBLIC;
COMMENT ON FUNCTION lineshift_own_by_tenant(regclass) IS
    'Turns on and forces row level security by tenant on a table, and keeps no figures of its tenants; for migrations';

-- Makes the partitions of p_months months from p_from_month (202611) on, of every table that is partitioned by month, and
-- answers how many it made. What is there already is left as it is. Rows that came to the default partition because their
-- month had none are moved to it, tenant by tenant as row level security has it; nobody is shown any of them.
-- A partition is made apart and then attached, so that reading and writing the table go on meanwhile; the lock lets two
-- callers make a partition one after the other. Partitions carry no rights: their rows are reached through the table.
CREATE FUNCTION lineshift_ensure_partitions(p_from_month integer, p_months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    v_first date := make_date(p_from_month / 100, p_from_month % 100, 1);
    v_table name;
    v_partition text;
    v_month integer;
    v_tenant bigint;
    v_before text := coalesce(current_setting('app.tenant_id', true), '');
    v_made integer := 0;
BEGIN
    IF p_months NOT BETWEEN 0 AND 36 THEN
        RAISE EXCEPTION 'partitions for % months were asked for, expected 0 to 36', p_months
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR v_table, v_month IN
        SELECT c.relname, to_char(v_first + make_interval(months => ahead), 'YYYYMM')
        FROM pg_partitioned_table p
        JOIN pg_class c ON c.oid = p.partrelid AND c.relnamespace = 'public'::regnamespace AND c.relowner = current_user::regrole
        CROSS JOIN generate_series(0, p_months - 1) AS ahead
        ORDER BY c.relname, ahead
    LOOP
        v_partition := v_table || '_' || v_month;
        CONTINUE WHEN to_regclass(v_partition) IS NOT NULL;
        EXECUTE format('LOCK TABLE %I IN SHARE UPDATE EXCLUSIVE MODE', v_table);
        CONTINUE WHEN to_regclass(v_partition) IS NOT NULL;
        -- Rows only ever come to these tables: an early visit by vacuum marks pages as visible to all, and keeps the
        -- one before transaction ids run out short.
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) WITH (autovacuum_vacuum_insert_scale_factor = 0.05,
            autovacuum_analyze_scale_factor = 0.02)', v_partition, v_table);
        PERFORM lineshift_own_by_tenant(v_partition::regclass);
        BEGIN
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                v_table, v_partition, v_month, v_month + 1);
        EXCEPTION WHEN check_violation THEN
            -- No more of them may come between.
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', v_table || '_default');
            FOR v_tenant IN SELECT id FROM tenant LOOP
                EXECUTE format('SET LOCAL app.tenant_id = %L', v_tenant);
                EXECUTE format('WITH moved AS (DELETE FROM %I WHERE tenant_id = $1 AND month = $2 RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', v_table || '_default', v_partition) USING v_tenant, v_month;
            END LOOP;
            EXECUTE format('SET LOCAL app.tenant_id = %L', v_before);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                v_table, v_partition, v_month, v_month + 1);
        END;
        v_made := v_made + 1;
    END LOOP;
    RETURN v_made;
END
$$;
REVOKE ALL ON FUNCTION lineshift_ensure_partitions(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lineshift_ensure_partitions(integer, integer) TO lineshift_app;
COMMENT ON FUNCTION lineshift_ensure_partitions(integer, integer) IS
    'Makes month partitions ahead: p_months months from p_from_month (202611) on; answers how many were made';

-- Retention: drops the partitions of the months before p_before_month (202611) of one table, and answers how many. Runs with the
-- rights of its caller, who must be the owner. It waits for nobody longer than its lock_timeout: try again then.
CREATE FUNCTION lineshift_drop_partitions(p_table regclass, p_before_month integer) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
    v_partition regclass;
    v_dropped integer := 0;
BEGIN
    FOR v_partition IN
        SELECT c.oid
        FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class t ON t.oid = i.inhparent AND t.relkind = 'p'
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = p_table AND substring(c.relname FROM '_([0-9]{6})$')::integer < p_before_month
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', v_partition);
        v_dropped := v_dropped + 1;
    END LOOP;
    RETURN v_dropped;
END
$$;
REVOKE ALL ON FUNCTION lineshift_drop_partitions(regclass, integer) FROM PUBLIC;
COMMENT ON FUNCTION lineshift_drop_partitions(regclass, integer) IS
    'Retention, for the owner: drops the month partitions of one table before p_before_month (202611); answers how many';

-- Ids are reserved in blocks from here, in the transaction that uses them. Each tenant has its own, so that tenants
-- neither wait for each other's reservations nor need one node for them all.
CREATE TABLE id_counter (
    tenant_id bigint NOT NULL,
    name      text COLLATE "C" NOT NULL,
    next_id   bigint NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

CREATE TABLE tenant (
    id         bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    name       text COLLATE "C" NOT NULL UNIQUE,
    time_zone  text NOT NULL,
    created_at bigint NOT NULL
);

-- Which tenants have work of which kind, and when: all that may be read across tenants before one is chosen.
CREATE TABLE tenant_work (
    tenant_id bigint NOT NULL REFERENCES tenant (id),
    kind      text COLLATE "C" NOT NULL,
    next_due  bigint NOT NULL,
    PRIMARY KEY (tenant_id, kind)
);
CREATE INDEX tenant_work_due ON tenant_work (kind, next_due, tenant_id);

-- The secret itself is shown once and never stored; the tenant and the id stand in the key's prefix.
CREATE TABLE api_key (
    tenant_id    bigint NOT NULL REFERENCES tenant (id),
    id           bigint NOT NULL,
    name         text COLLATE "C" NOT NULL,
    secret_hash  bytea NOT NULL,
    scopes       text NOT NULL,
    -- `*`, or the customers, sites and service providers whose lines it sees, as `customer:5 site:7`; empty: none.
    reach        text NOT NULL,
    created_at   bigint NOT NULL,
    expires_at   bigint,
    last_used_at bigint,
    revoked_at   bigint,
    PRIMARY KEY (tenant_id, id)
);

SELECT lineshift_own_by_tenant(name::regclass) FROM unnest(ARRAY[
    'id_counter', 'tenant_work', 'api_key']) AS name;

-- Which tenants have work is read before a tenant is chosen: every row may be seen, only the chosen tenant's may be written.
CREATE POLICY seen_by_all ON tenant_work FOR SELECT USING (true);

GRANT SELECT ON schema_migration TO lineshift_app;
-- It is global, so that no policy keeps a tenant from another's row: nothing of the product changes one.
GRANT SELECT, INSERT ON tenant TO lineshift_app;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE tenant_id_seq TO lineshift_app;
GRANT SELECT, INSERT, UPDATE ON id_counter, api_key TO lineshift_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_work TO lineshift_app;

COMMENT ON TABLE schema_migration IS 'Global: the migrations that were run';
COMMENT ON TABLE id_counter IS 'The next id of each kind, reserved in blocks';
COMMENT ON TABLE tenant IS 'Global: the operators whose rows are kept apart';
COMMENT ON TABLE tenant_work IS 'Which tenants have work of which kind, and when; may be read across tenants';
COMMENT ON TABLE api_key IS 'Who calls: hashes of keys and their scopes';
