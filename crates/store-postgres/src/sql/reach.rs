//! Lists for those who are limited to customers, sites or service providers ([`lineshift_domain::reach::Reach`]).
//!
//! What is named comes as JSON arrays of ids, 500 together at most. Of each named thing an index answers, in order, as many rows as a page
//! holds; the page is then the least of these. So page 10,000 costs what page 1 costs, and what others own is never walked.

use lineshift_store::{device_columns, entry_columns};

use super::within::{among, assigned_within, entry_within, line_within};

/// Lines within reach for which all holds that is sought, of each named thing as many as a page holds.
macro_rules! reached_and_sought {
    ($beyond:literal, $order:literal) => {
        concat!(
            "WITH reached (id) AS (",
            reached_of!(
                "$4",
                "device_tenant AS x JOIN device AS xd ON xd.tenant_id = $1 AND xd.id = x.device_id WHERE x.tenant_id = $1
                AND x.rev_customer_id = named.value",
                "x.device_id",
                $beyond,
                $order
            ),
            " UNION ",
            reached_of!(
                "$5",
                "device_tenant AS x JOIN device AS xd ON xd.tenant_id = $1 AND xd.id = x.device_id WHERE x.tenant_id = $1
                AND x.site_id = named.value",
                "x.device_id",
                $beyond,
                $order
            ),
            " UNION ",
            reached_of!(
                "$7",
                "device AS xd JOIN device_tenant AS x ON x.tenant_id = $1 AND x.device_id = xd.id WHERE xd.tenant_id = $1
                AND xd.service_provider_id = named.value",
                "xd.id",
                $beyond,
                $order
            ),
            ") "
        )
    };
}

/// Of each thing named in an array.
macro_rules! reached_of {
    ($named:literal, $lines:literal, $id:literal, $beyond:literal, $order:literal) => {
        concat!(
            "SELECT found.id FROM unnest(string_to_array(translate((SELECT ", $named, "::text), '[] ', ''), ',')::bigint[]) AS named (value)
             CROSS JOIN LATERAL (SELECT ", $id, " AS id FROM ", $lines, " AND ", $id, " ", $beyond, " $2
                AND (CAST($6 AS TEXT) = '[]'
                    OR xd.service_provider_id IN (SELECT unnest(string_to_array(translate((SELECT $6::text), '[] ', ''), ',')::bigint[])))
                AND (CAST($8 AS BIGINT) = 0 OR x.rev_customer_id = $8) AND (CAST($9 AS BIGINT) = 0 OR x.site_id = $9)
                AND (CAST($10 AS BIGINT) = 0 OR xd.service_provider_id = $10)
                AND (CAST($11 AS BIGINT) = 0 OR x.customer_rate_plan_id = $11)
                AND (CAST($12 AS BIGINT) = 0 OR x.customer_rate_pool_id = $12)
                AND (CAST($13 AS TEXT) = '' OR xd.status = $13) AND (CAST($14 AS TEXT) = '' OR xd.carrier_rate_plan = $14)
                AND (CAST($15 AS TEXT) = '' OR (xd.iccid >= $15 AND xd.iccid < $16))
                ORDER BY ", $id, $order, " LIMIT $3) AS found"
        )
    };
}

/// The lines themselves.
macro_rules! of_reached {
    () => {
        " FROM reached JOIN device AS d ON d.tenant_id = $1 AND d.id = reached.id
          JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id"
    };
}

lineshift_store::statements! {
    /// Lines within reach by id. `$1` tenant, `$2` the id before the first, `$3` how many; `$4` customers, `$5` sites, `$6` the service
    /// providers to which these are limited, `$7` the service providers all of whose lines are reached; `$8` to `$11` the customer,
    /// site, service provider and rate plan that are sought, 0 for any.
    ///
    /// Rows: as many as a page holds for each thing named. Indexes: device_tenant_by_customer, device_tenant_by_site,
    /// device_by_provider, each beyond `$2`; then primary keys. Locks: none.
    /// Tuned: LATERAL, so that each index is walked only as far as a page goes.
    LIST_DEVICES = concat!(
        "WITH reached (id) AS (
            SELECT found.device_id FROM unnest(string_to_array(translate((SELECT $4::text), '[] ', ''), ',')::bigint[]) AS named (value) CROSS JOIN LATERAL (
                SELECT x.device_id FROM device_tenant AS x
                JOIN device AS xd ON xd.tenant_id = $1 AND xd.id = x.device_id
                WHERE x.tenant_id = $1 AND x.rev_customer_id = named.value AND x.device_id > $2 AND (CAST($6 AS TEXT) = '[]' OR xd.service_provider_id IN (SELECT unnest(string_to_array(translate((SELECT $6::text), '[] ', ''), ',')::bigint[])))
            AND ($8 = 0 OR x.rev_customer_id = $8) AND ($9 = 0 OR x.site_id = $9) AND ($10 = 0 OR xd.service_provider_id = $10)
            AND ($11 = 0 OR x.customer_rate_plan_id = $11)
                ORDER BY x.device_id LIMIT $3) AS found
            UNION
            SELECT found.device_id FROM unnest(string_to_array(translate((SELECT $5::text), '[] ', ''), ',')::bigint[]) AS named (value) CROSS JOIN LATERAL (
                SELECT x.device_id FROM device_tenant AS x
                JOIN device AS xd ON xd.tenant_id = $1 AND xd.id = x.device_id
                WHERE x.tenant_id = $1 AND x.site_id = named.value AND x.device_id > $2 AND (CAST($6 AS TEXT) = '[]' OR xd.service_provider_id IN (SELECT unnest(string_to_array(translate((SELECT $6::text), '[] ', ''), ',')::bigint[])))
            AND ($8 = 0 OR x.rev_customer_id = $8) AND ($9 = 0 OR x.site_id = $9) AND ($10 = 0 OR xd.service_provider_id = $10)
            AND ($11 = 0 OR x.customer_rate_plan_id = $11)
                ORDER BY x.device_id LIMIT $3) AS found
            UNION
            SELECT found.id FROM unnest(string_to_array(translate((SELECT $7::text), '[] ', ''), ',')::bigint[]) AS named (value) CROSS JOIN LATERAL (
                SELECT xd.id FROM device AS xd
                JOIN device_tenant AS x ON x.tenant_id = $1 AND x.device_id = xd.id
                WHERE xd.tenant_id = $1 AND xd.service_provider_id = named.value AND xd.id > $2 AND (CAST($6 AS TEXT) = '[]' OR xd.service_provider_id IN (SELECT unnest(string_to_array(translate((SELECT $6::text), '[] ', ''), ',')::bigint[])))
            AND ($8 = 0 OR x.rev_customer_id = $8) AND ($9 = 0 OR x.site_id = $9) AND ($10 = 0 OR xd.service_provider_id = $10)
            AND ($11 = 0 OR x.customer_rate_plan_id = $11)
                ORDER BY xd.id LIMIT $3) AS found
        ) ",
        device_columns!(),
        " FROM reached JOIN device AS d ON d.tenant_id = $1 AND d.id = reached.id
          JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id ORDER BY d.id LIMIT $3"
    );
    /// Lines within reach that are sought by several things at once, by id. `$1` tenant, `$2` the id before the first, `$3` how many; `$4` to
    /// `$7` as for `LIST_DEVICES`; `$8` customer, `$9` site, `$10` service provider, `$11` customer rate plan, `$12` pool, 0 for any; `$13`
    /// status and `$14` carrier rate plan, empty for any; from `$15` on before `$16` lie their ICCIDs, empty for any.
    ///
    /// Rows, indexes, locks: as for `LIST_DEVICES`.
    SEEK_LINES = concat!(reached_and_sought!(">", ""), device_columns!(), of_reached!(), " ORDER BY d.id LIMIT $3");
    /// Newest first.
    SEEK_LINES_NEWEST = concat!(reached_and_sought!("<", " DESC"), device_columns!(), of_reached!(), " ORDER BY d.id DESC LIMIT $3");
    /// How many, up to `$3`.
    COUNT_SOUGHT_LINES = concat!(reached_and_sought!(">", ""), "SELECT count(*) FROM (SELECT id FROM reached LIMIT $3) AS found");
    /// Open entries within reach by date. `$1` tenant, `$2` and `$3` date and id before the first, `$4` how many; `$5` customers,
    /// `$6` sites, `$7` service providers, each the word "any" where it does not limit.
    ///
    /// Rows: open entries from there on until the page is full (customer_rate_plan_device_queue_due), each with its line by primary
    /// keys. Locks: none.
    LIST_OPEN_ENTRIES = concat!(
        entry_columns!("JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id"),
        "AND q.state = 'open' AND (q.effective_date, q.device_change_id) > ($2, $3) AND ",
        entry_within!("$5", "$6", "$7"),
        " ORDER BY q.effective_date, q.device_change_id LIMIT $4"
    );
    /// The same of one line, `$8` (customer_rate_plan_device_queue_device).
    LIST_OPEN_ENTRIES_OF_DEVICE = concat!(
        entry_columns!("JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id"),
        "AND q.device_id = $8 AND q.state = 'open' AND (q.effective_date, q.device_change_id) > ($2, $3) AND ",
        entry_within!("$5", "$6", "$7"),
        " ORDER BY q.effective_date, q.device_change_id LIMIT $4"
    );
    /// Open entries within reach that are sought, by date. `$1` tenant, `$2` and `$3` date and id before the first, `$4` how many; `$5`
    /// customers, `$6` sites, `$7` service providers, each the word "any" where it does not limit; `$8` the portal, -1 for any, `$9` until
    /// when, `$10` customer, `$11` site, `$12` plan, 0 for any.
    ///
    /// Rows: open entries from there on until the page is full (customer_rate_plan_device_queue_due), each with its line by primary
    /// keys. Locks: none.
    LIST_DUE_ENTRIES = concat!(
        entry_columns!("JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id"),
        "AND q.state = 'open' AND (q.effective_date, q.device_change_id) > ($2, $3) AND q.effective_date < $9
           AND (CAST($8 AS BIGINT) = -1 OR q.portal_type = $8) AND (CAST($10 AS BIGINT) = 0 OR q.rev_customer_id = $10)
           AND (CAST($11 AS BIGINT) = 0 OR q.site_id = $11) AND (CAST($12 AS BIGINT) = 0 OR q.customer_rate_plan_id = $12) AND ",
        entry_within!("$5", "$6", "$7"),
        " ORDER BY q.effective_date, q.device_change_id LIMIT $4"
    );
    /// How many of them fall due by portal and quarter of an hour since 1970. `$2` from, `$3` until, `$4` customers, `$5` sites, `$6` service
    /// providers as above, `$7` customer, `$8` site, `$9` plan, 0 for any.
    ///
    /// Rows: open entries of that time (customer_rate_plan_device_queue_due), each with its line by primary keys. Locks: none.
    COUNT_DUE_ENTRIES = concat!(
        "SELECT q.portal_type, q.effective_date / 900000000, count(*)
           FROM customer_rate_plan_device_queue AS q
           JOIN device AS d ON d.tenant_id = $1 AND d.id = q.device_id
           JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id
          WHERE q.tenant_id = $1 AND q.state = 'open' AND q.effective_date >= $2 AND q.effective_date < $3
            AND (CAST($7 AS BIGINT) = 0 OR q.rev_customer_id = $7) AND (CAST($8 AS BIGINT) = 0 OR q.site_id = $8)
            AND (CAST($9 AS BIGINT) = 0 OR q.customer_rate_plan_id = $9) AND ",
        entry_within!("$4", "$5", "$6"),
        " GROUP BY q.portal_type, q.effective_date / 900000000"
    );
    /// How many lines within reach have customer, site (where there is no customer), plan and status in common. `$1` tenant, `$2`
    /// customers, `$3` sites, `$4` the service providers to which these are limited, `$5` the service providers all of whose lines are
    /// reached.
    ///
    /// Rows: all lines within reach, by device_tenant_by_customer, device_tenant_by_site, device_by_provider; then primary keys. Kept for a
    /// while by whoever asks. Locks: none. Tuned: OFFSET 0 keeps PostgreSQL from reading the tenant's lines and looking each up.
    COUNT_LINES = "WITH reached (id) AS (
            SELECT x.device_id FROM unnest(string_to_array(translate((SELECT $2::text), '[] ', ''), ',')::bigint[]) AS named (value) JOIN device_tenant AS x ON x.tenant_id = $1 AND x.rev_customer_id = named.value
            UNION SELECT x.device_id FROM unnest(string_to_array(translate((SELECT $3::text), '[] ', ''), ',')::bigint[]) AS named (value) JOIN device_tenant AS x ON x.tenant_id = $1 AND x.site_id = named.value
            UNION SELECT xd.id FROM unnest(string_to_array(translate((SELECT $5::text), '[] ', ''), ',')::bigint[]) AS named (value) JOIN device AS xd ON xd.tenant_id = $1 AND xd.service_provider_id = named.value)
        SELECT dt.rev_customer_id, CASE WHEN dt.rev_customer_id IS NULL THEN dt.site_id END, dt.customer_rate_plan_id, d.status, count(*)
          FROM reached
          CROSS JOIN LATERAL (SELECT xd.status, xd.service_provider_id FROM device AS xd
              WHERE xd.tenant_id = $1 AND xd.id = reached.id OFFSET 0) AS d
          CROSS JOIN LATERAL (SELECT x.rev_customer_id, x.site_id, x.customer_rate_plan_id FROM device_tenant AS x
              WHERE x.tenant_id = $1 AND x.device_id = reached.id OFFSET 0) AS dt
         WHERE CAST($4 AS TEXT) = '[]' OR d.service_provider_id IN (SELECT unnest(string_to_array(translate((SELECT $4::text), '[] ', ''), ',')::bigint[]))
         GROUP BY 1, 2, 3, 4";
    /// Entries within reach of one change in one state by id (customer_rate_plan_device_queue_change). `$1` tenant, `$2` the id before
    /// the first, `$3` how many, `$4` change, `$5` state; `$6` customers, `$7` sites, `$8` service providers.
    LIST_ENTRIES_OF_CHANGE = concat!(
        entry_columns!("JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = q.device_id"),
        "AND q.bulk_change_id = $4 AND q.state = $5 AND q.device_change_id > $2 AND ",
        entry_within!("$6", "$7", "$8"),
        " ORDER BY q.device_change_id LIMIT $3"
    );
    /// Of which lines rows are, and whose these lines are now; null where the line is no more. `$1` tenant, `$2` ids of rows, a page at
    /// most. Indexes: primary keys.
    LIST_LINES_OF_ROWS = "SELECT dc.id, dc.device_id, d.service_provider_id, dt.rev_customer_id, dt.site_id
        FROM unnest(string_to_array(translate((SELECT $2::text), '[] ', ''), ',')::bigint[]) AS named (value)
        CROSS JOIN LATERAL (SELECT dc.id, dc.device_id FROM device_change AS dc
            WHERE dc.tenant_id = $1 AND dc.id = named.value AND dc.device_id IS NOT NULL OFFSET 0) AS dc
        LEFT JOIN LATERAL (SELECT d.service_provider_id FROM device AS d
            WHERE d.tenant_id = $1 AND d.id = dc.device_id OFFSET 0) AS d ON true
        LEFT JOIN LATERAL (SELECT dt.rev_customer_id, dt.site_id FROM device_tenant AS dt
            WHERE dt.tenant_id = $1 AND dt.device_id = dc.device_id OFFSET 0) AS dt ON true";
    /// The customers named, by id. `$1` tenant, `$2` the id before the first, `$3` how many, `$4` customers. Rows: 500 by primary key.
    LIST_CUSTOMERS = "SELECT k.id, k.name, k.integration_authentication_id, k.is_active FROM unnest(string_to_array(translate((SELECT $4::text), '[] ', ''), ',')::bigint[]) AS named (value)
        JOIN rev_customer AS k ON k.tenant_id = $1 AND k.id = named.value AND k.id > $2 ORDER BY k.id LIMIT $3";
    /// The sites named and those of the customers named, by id. `$1` tenant, `$2` the id before the first, `$3` how many, `$4` customers,
    /// `$5` sites. Rows: 500 by primary key, and the sites of each customer by site_by_customer.
    LIST_SITES = "WITH reached (id) AS (
            SELECT s.id FROM unnest(string_to_array(translate((SELECT $4::text), '[] ', ''), ',')::bigint[]) AS named (value) JOIN site AS s ON s.tenant_id = $1 AND s.rev_customer_id = named.value
            UNION SELECT s.id FROM unnest(string_to_array(translate((SELECT $5::text), '[] ', ''), ',')::bigint[]) AS named (value) JOIN site AS s ON s.tenant_id = $1 AND s.id = named.value)
        SELECT s.id, s.name, s.rev_customer_id, s.is_active FROM reached
        JOIN site AS s ON s.tenant_id = $1 AND s.id = reached.id WHERE s.id > $2 ORDER BY s.id LIMIT $3";
    /// The service providers named, by id. `$1` tenant, `$2` the id before the first, `$3` how many, `$4` service providers.
    LIST_SERVICE_PROVIDERS = "SELECT p.id, p.name, p.integration_kind, p.integration_authentication_id, p.write_enabled, p.is_active
        FROM unnest(string_to_array(translate((SELECT $4::text), '[] ', ''), ',')::bigint[]) AS named (value) JOIN service_provider AS p ON p.tenant_id = $1 AND p.id = named.value AND p.id > $2
        ORDER BY p.id LIMIT $3";
}
