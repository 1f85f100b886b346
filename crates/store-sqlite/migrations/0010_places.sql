-- Places of accounts: calls that each process may have under way, leased (B7.4).

CREATE TABLE outside_call_place (
    tenant_id                     INTEGER NOT NULL,
    integration_authentication_id INTEGER NOT NULL,
    -- The process, and which version of the account it calls.
    holder                        TEXT    NOT NULL,
    -- None: it waits for some.
    places                        INTEGER NOT NULL,
    wanted                        INTEGER NOT NULL,
    -- Since when it has places, or waits.
    since                         INTEGER NOT NULL,
    lease_until                   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, integration_authentication_id, holder),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
) STRICT, WITHOUT ROWID;
