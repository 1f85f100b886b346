-- Places of accounts: calls that each process may have under way, leased (B7.4).

CREATE TABLE outside_call_place (
    tenant_id                     bigint NOT NULL,
    integration_authentication_id bigint NOT NULL,
    -- The process, and which version of the account it calls.
    holder                        text COLLATE "C" NOT NULL,
    -- None: it waits for some.
    places                        integer NOT NULL,
    wanted                        integer NOT NULL,
    -- Since when it has places, or waits.
    since                         bigint NOT NULL,
    lease_until                   bigint NOT NULL,
    PRIMARY KEY (tenant_id, integration_authentication_id, holder),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
);

SELECT lineshift_own_by_tenant('outside_call_place');
GRANT SELECT, INSERT, UPDATE, DELETE ON outside_call_place TO lineshift_app;
COMMENT ON TABLE outside_call_place IS 'Calls that each process may have under way at an account (B7.4)';
