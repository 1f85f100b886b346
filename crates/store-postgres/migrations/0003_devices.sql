-- Lines, what the tenant decided about them, and what is billed for them.

CREATE TABLE device (
    tenant_id           bigint NOT NULL REFERENCES tenant (id),
    id                  bigint NOT NULL,
    service_provider_id bigint NOT NULL,
    iccid               text COLLATE "C" NOT NULL,
    subscriber_number   text COLLATE "C",
    imei                text,
    status              text NOT NULL,
    is_archived         smallint NOT NULL,
    is_deleted          smallint NOT NULL,
    activated_at        bigint,
    carrier_rate_plan   text,
    communication_plan  text,
    ip_address          text,
    carrier_device_id   text,
    created_at          bigint NOT NULL,
    modified_at         bigint NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, service_provider_id) REFERENCES service_provider (tenant_id, id)
);
CREATE UNIQUE INDEX device_by_iccid ON device (tenant_id, iccid);
CREATE INDEX device_by_number ON device (tenant_id, subscriber_number, id) WHERE subscriber_number IS NOT NULL;
CREATE INDEX device_by_status ON device (tenant_id, status, id);
CREATE INDEX device_by_provider ON device (tenant_id, service_provider_id, id);
CREATE INDEX device_by_carrier_plan ON device (tenant_id, carrier_rate_plan, id) WHERE carrier_rate_plan IS NOT NULL;

CREATE TABLE rev_service (
    tenant_id             bigint NOT NULL REFERENCES tenant (id),
    id                    bigint NOT NULL,
    rev_customer_id       bigint NOT NULL,
    number                text COLLATE "C",
    iccid                 text COLLATE "C",
    rev_service_id        bigint NOT NULL,
    rev_service_type_id   bigint,
    activated_date        bigint,
    rev_provider_id       bigint,
    customer_rate_plan_id bigint,
    customer_rate_pool_id bigint,
    disconnected_date     bigint,
    device_id             bigint,
    has_package           smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, rev_customer_id, rev_service_id),
    FOREIGN KEY (tenant_id, rev_customer_id) REFERENCES rev_customer (tenant_id, id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES device (tenant_id, id)
);
CREATE INDEX rev_service_connected ON rev_service
    (tenant_id, device_id, rev_customer_id, has_package, id) WHERE disconnected_date IS NULL;

CREATE TABLE rev_service_product (
    tenant_id              bigint NOT NULL REFERENCES tenant (id),
    id                     bigint NOT NULL,
    rev_service_id         bigint NOT NULL,
    rev_customer_id        bigint NOT NULL,
    rev_service_product_id bigint NOT NULL,
    rev_product_id         bigint NOT NULL,
    package_id             bigint,
    rate                   text,
    quantity               text,
    status                 text NOT NULL,
    description            text,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, rev_customer_id, rev_service_product_id),
    FOREIGN KEY (tenant_id, rev_service_id) REFERENCES rev_service (tenant_id, id)
);
CREATE INDEX rev_service_product_charged ON rev_service_product (tenant_id, rev_service_id) WHERE status IN ('PENDING', 'ACTIVE');

-- Every device has its row from the start: no customer, no site, not active, version 1.
CREATE TABLE device_tenant (
    tenant_id                                    bigint NOT NULL,
    device_id                                    bigint NOT NULL,
    rev_customer_id                              bigint,
    site_id                                      bigint,
    account_number                               text,
    account_number_integration_authentication_id bigint,
    customer_rate_plan_id                        bigint,
    customer_rate_pool_id                        bigint,
    customer_data_allocation_mb                  text,
    rev_service_id                               bigint,
    effective_date                               bigint,
    is_active                                    smallint NOT NULL,
    is_deleted                                   smallint NOT NULL,
    version                                      bigint NOT NULL,
    modified_by                                  text NOT NULL,
    modified_at                                  bigint NOT NULL,
    PRIMARY KEY (tenant_id, device_id),
    FOREIGN KEY (tenant_id, device_id) REFERENCES device (tenant_id, id),
    FOREIGN KEY (tenant_id, rev_customer_id) REFERENCES rev_customer (tenant_id, id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES site (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_rate_plan_id) REFERENCES customer_rate_plan (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_rate_pool_id) REFERENCES customer_rate_pool (tenant_id, id)
);
CREATE INDEX device_tenant_by_customer ON device_tenant (tenant_id, rev_customer_id, device_id) WHERE rev_customer_id IS NOT NULL;
CREATE INDEX device_tenant_by_site ON device_tenant (tenant_id, site_id, device_id) WHERE site_id IS NOT NULL;
CREATE INDEX device_tenant_by_plan ON device_tenant
    (tenant_id, customer_rate_plan_id, device_id) WHERE customer_rate_plan_id IS NOT NULL;
CREATE INDEX device_tenant_by_pool ON device_tenant
    (tenant_id, customer_rate_pool_id, device_id) WHERE customer_rate_pool_id IS NOT NULL;

-- Append-only, keyed by what happened; no foreign keys (docs/decisions/0003).
CREATE TABLE device_action_history (
    tenant_id      bigint NOT NULL,
    device_id      bigint NOT NULL,
    at             bigint NOT NULL,
    bulk_change_id bigint NOT NULL,
    attempt        integer NOT NULL,
    entry          integer NOT NULL,
    month          integer NOT NULL,
    action         text COLLATE "C" NOT NULL,
    old_value      text NOT NULL,
    new_value      text NOT NULL,
    changed_by     text NOT NULL,
    PRIMARY KEY (tenant_id, device_id, at, bulk_change_id, attempt, entry, month)
) PARTITION BY RANGE (month);
CREATE TABLE device_action_history_default PARTITION OF device_action_history DEFAULT;

CREATE TABLE cross_provider_device_history (
    tenant_id                   bigint NOT NULL,
    device_id                   bigint NOT NULL,
    bulk_change_id              bigint NOT NULL,
    attempt                     integer NOT NULL,
    entry                       integer NOT NULL,
    service_provider_id         bigint NOT NULL,
    valid_from                  bigint NOT NULL,
    valid_to                    bigint,
    rev_customer_id             bigint,
    site_id                     bigint,
    account_number              text,
    customer_rate_plan_id       bigint,
    customer_rate_pool_id       bigint,
    customer_data_allocation_mb text,
    PRIMARY KEY (tenant_id, device_id, bulk_change_id, attempt, entry)
);
CREATE UNIQUE INDEX cross_provider_device_history_present ON cross_provider_device_history
    (tenant_id, device_id) WHERE valid_to IS NULL;

CREATE TABLE telegence_new_service_activation_staging (
    tenant_id           bigint NOT NULL REFERENCES tenant (id),
    id                  bigint NOT NULL,
    service_provider_id bigint NOT NULL,
    foundation_account  text,
    billing_account     text NOT NULL,
    subscriber_number   text COLLATE "C",
    activated_date      bigint,
    number_status       text,
    single_user_code    text,
    service_zip_code    text,
    iccid               text COLLATE "C" NOT NULL,
    imei                text,
    carrier_rate_pool   text,
    data_group          text,
    username            text,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, service_provider_id) REFERENCES service_provider (tenant_id, id)
);

SELECT lineshift_own_by_tenant(name::regclass) FROM unnest(ARRAY[
    'device', 'rev_service', 'rev_service_product', 'device_tenant', 'device_action_history', 'device_action_history_default',
    'cross_provider_device_history', 'telegence_new_service_activation_staging']) AS name;
SELECT lineshift_ensure_partitions(to_char(now() - interval '2 months', 'YYYYMM')::integer, 9);

-- The moment at which the day of p_at began in a zone (B6.4): where midnight does not exist (a clock put forward), the first
-- moment after the gap; where it exists twice, the first. Null for null.
-- AT TIME ZONE takes the second of two midnights, and in a gap counts on from before it. Its answer is therefore believed only
-- when the clock stood the same a day before, which it does but for two days a year.
-- Four zones are also the names of fixed offsets, which PostgreSQL would take; they are asked for by their other names.
CREATE FUNCTION start_of_any_day(p_at bigint, p_zone text) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    v_zone text := CASE p_zone WHEN 'CET' THEN 'Europe/Brussels' WHEN 'MET' THEN 'Europe/Brussels' WHEN 'EET' THEN 'Europe/Athens'
        WHEN 'WET' THEN 'Europe/Lisbon' ELSE p_zone END;
    v_day timestamp := date_trunc('day', (timestamp 'epoch' + p_at * interval '1 us') AT TIME ZONE 'UTC' AT TIME ZONE v_zone);
    v_start timestamptz := v_day AT TIME ZONE v_zone;
    v_before timestamp := (v_start - interval '24 hours') AT TIME ZONE v_zone;
    v_clock timestamp := v_day;
BEGIN
    IF v_before <> v_day - interval '24 hours' THEN
        LOOP
            -- With each of the two offsets around that day: the earlier moment at which the clock shows v_clock, if any does.
            SELECT min(moment) INTO v_start
            FROM (SELECT v_clock AT TIME ZONE 'UTC'
                      - ((around AT TIME ZONE v_zone) - (around AT TIME ZONE 'UTC')) AS moment
                  FROM unnest(ARRAY[v_start - interval '24 hours', v_start + interval '24 hours']) AS around) AS candidate
            WHERE moment AT TIME ZONE v_zone = v_clock;
            EXIT WHEN v_start IS NOT NULL;
            -- Clocks are put forward by full minutes.
            v_clock := v_clock + interval '1 minute';
            v_start := v_day AT TIME ZONE v_zone;
        END LOOP;
    END IF;
    RETURN extract(epoch FROM v_start)::bigint * 1000000;
END
$$;
REVOKE ALL ON FUNCTION start_of_any_day(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION start_of_any_day(bigint, text) TO lineshift_app;
COMMENT ON FUNCTION start_of_any_day(bigint, text) IS 'start_of_day for days on which clocks are put, and for zones with two meanings';

-- The same. For nearly every day it is one expression, which the planner puts into the statement instead of calling a function for each line.
CREATE FUNCTION start_of_day(p_at bigint, p_zone text) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN p_zone NOT IN ('CET', 'MET', 'EET', 'WET')
         AND date_trunc('day', date_trunc('day', timestamptz 'epoch' + p_at * interval '1 us', p_zone) - interval '24 hours', p_zone)
             = date_trunc('day', timestamptz 'epoch' + p_at * interval '1 us', p_zone) - interval '24 hours'
        THEN extract(epoch FROM date_trunc('day', timestamptz 'epoch' + p_at * interval '1 us', p_zone))::bigint * 1000000
        ELSE start_of_any_day(p_at, p_zone)
    END
$$;
REVOKE ALL ON FUNCTION start_of_day(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION start_of_day(bigint, text) TO lineshift_app;
COMMENT ON FUNCTION start_of_day(bigint, text) IS
    'The moment (microseconds since 1970 UTC) at which the day of p_at began in a time zone (B6.4)';

GRANT SELECT, INSERT, UPDATE ON device, rev_service, rev_service_product, device_tenant, cross_provider_device_history
    TO lineshift_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON telegence_new_service_activation_staging TO lineshift_app;
GRANT SELECT, INSERT ON device_action_history TO lineshift_app;

COMMENT ON TABLE device IS 'Lines in the inventory of the carriers';
COMMENT ON TABLE rev_service IS 'Billing services in Rev.io';
COMMENT ON TABLE rev_service_product IS 'What is charged on a billing service';
COMMENT ON TABLE device_tenant IS 'What the tenant decided about each line: customer, site, plan, pool, allocation';
COMMENT ON TABLE device_action_history IS 'What was changed of a line, old and new values as JSON (B11.2), by month';
COMMENT ON TABLE cross_provider_device_history IS 'The assignments of a line over time (B11.3)';
COMMENT ON TABLE telegence_new_service_activation_staging IS
    'Lines that an activation brought, before they are stored as devices';
