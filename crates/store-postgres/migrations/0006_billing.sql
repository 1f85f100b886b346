-- Billing: how accounts are called, what was sent for which row, which rows wait, and what nobody knows.

ALTER TABLE integration_authentication ADD COLUMN write_enabled smallint NOT NULL DEFAULT 1;
-- Whether calls may go without TLS (B7.5).
ALTER TABLE integration_authentication ADD COLUMN is_local smallint NOT NULL DEFAULT 0;
-- Rises with every change of address, credentials and limits.
ALTER TABLE integration_authentication ADD COLUMN version bigint NOT NULL DEFAULT 1;
-- Since when the credentials are refused, and what the other side said (B5.3).
ALTER TABLE integration_authentication ADD COLUMN refused_at bigint;
ALTER TABLE integration_authentication ADD COLUMN refused_text text;
-- Null: the configured default.
ALTER TABLE integration_authentication ADD COLUMN concurrency integer;
ALTER TABLE integration_authentication ADD COLUMN calls_a_minute integer;
ALTER TABLE integration_authentication ADD COLUMN calls_a_day integer;

-- Calls taken out of the sliding windows of an account (B7.4): a bucket of the span 'minute' is a second, one of the span
-- 'day' a minute, counted from 1970.
CREATE TABLE outside_call_window (
    tenant_id                     bigint NOT NULL,
    integration_authentication_id bigint NOT NULL,
    span                          text COLLATE "C" NOT NULL,
    bucket                        bigint NOT NULL,
    calls                         integer NOT NULL,
    PRIMARY KEY (tenant_id, integration_authentication_id, span, bucket),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
);

-- The account that the pages of the change call; null: nobody outside is called.
ALTER TABLE device_bulk_change ADD COLUMN integration_authentication_id bigint;

-- When the lease of one who held the page and did not give it back ran out; null once a later one has taken that into
-- account (B7.3).
ALTER TABLE device_bulk_change_page ADD COLUMN lost_lease_until bigint;

-- Whether a row that ended in ERROR did its set steps all the same (B6.2), so that history and links are owed (B11.3).
ALTER TABLE device_change ADD COLUMN set_steps_done smallint NOT NULL DEFAULT 0;

ALTER TABLE device_change_step ADD COLUMN calls integer NOT NULL DEFAULT 0;
ALTER TABLE device_change_step ADD COLUMN adopted smallint NOT NULL DEFAULT 0;
ALTER TABLE device_change_step ADD COLUMN error_code text;
ALTER TABLE device_change_step ADD COLUMN unknown_since bigint;

-- When the service was created or adopted here; null when it was brought in.
ALTER TABLE rev_service ADD COLUMN stored_at bigint;

-- The rows that ended with something unknown or stuck and wait for a person: those that hold their line by 4 (B4.6 rule 6).
-- It takes the place of an index over stuck steps, which knew nothing of those that nobody could find out about.
CREATE INDEX device_change_unsettled ON device_change (tenant_id, id) WHERE holds >= 4;
DROP INDEX device_change_step_stuck;

SELECT lineshift_own_by_tenant('outside_call_window');
GRANT SELECT, INSERT, UPDATE, DELETE ON outside_call_window TO lineshift_app;
COMMENT ON TABLE outside_call_window IS 'Calls taken out of the sliding windows of an account (B7.4)';
