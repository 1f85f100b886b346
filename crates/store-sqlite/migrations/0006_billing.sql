-- Billing: how accounts are called, what was sent for which row, which rows wait, and what nobody knows.

ALTER TABLE integration_authentication ADD COLUMN write_enabled INTEGER NOT NULL DEFAULT 1;
-- Whether calls may go without TLS (B7.5).
ALTER TABLE integration_authentication ADD COLUMN is_local INTEGER NOT NULL DEFAULT 0;
-- Rises with every change of address, credentials and limits.
ALTER TABLE integration_authentication ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
-- Since when the credentials are refused, and what the other side said (B5.3).
ALTER TABLE integration_authentication ADD COLUMN refused_at INTEGER;
ALTER TABLE integration_authentication ADD COLUMN refused_text TEXT;
-- Null: the configured default.
ALTER TABLE integration_authentication ADD COLUMN concurrency INTEGER;
ALTER TABLE integration_authentication ADD COLUMN calls_a_minute INTEGER;
ALTER TABLE integration_authentication ADD COLUMN calls_a_day INTEGER;

-- Calls taken out of the sliding windows of an account (B7.4): a bucket of the span 'minute' is a second, one of the span
-- 'day' a minute, counted from 1970.
CREATE TABLE outside_call_window (
    tenant_id                     INTEGER NOT NULL,
    integration_authentication_id INTEGER NOT NULL,
    span                          TEXT    NOT NULL,
    bucket                        INTEGER NOT NULL,
    calls                         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, integration_authentication_id, span, bucket),
    FOREIGN KEY (tenant_id, integration_authentication_id) REFERENCES integration_authentication (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The account that the pages of the change call; null: nobody outside is called.
ALTER TABLE device_bulk_change ADD COLUMN integration_authentication_id INTEGER;

-- When the lease of one who held the page and did not give it back ran out; null once a later one has taken that into
-- account (B7.3).
ALTER TABLE device_bulk_change_page ADD COLUMN lost_lease_until INTEGER;

-- Whether a row that ended in ERROR did its set steps all the same (B6.2), so that history and links are owed (B11.3).
ALTER TABLE device_change ADD COLUMN set_steps_done INTEGER NOT NULL DEFAULT 0;

ALTER TABLE device_change_step ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device_change_step ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device_change_step ADD COLUMN error_code TEXT;
ALTER TABLE device_change_step ADD COLUMN unknown_since INTEGER;

-- When the service was created or adopted here; null when it was brought in.
ALTER TABLE rev_service ADD COLUMN stored_at INTEGER;

-- The rows that ended with something unknown or stuck and wait for a person: those that hold their line by 4 (B4.6 rule 6).
-- It takes the place of an index over stuck steps, which knew nothing of those that nobody could find out about.
CREATE INDEX device_change_unsettled ON device_change (tenant_id, id) WHERE holds >= 4;
DROP INDEX device_change_step_stuck;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('device_change', 'device_change_unsettled', '10000 10 1'),
    ('outside_call_window', 'outside_call_window', '2000000 2000 1500 750 1');

-- Makes this connection read them; the others read them with the schema.
ANALYZE sqlite_schema;
