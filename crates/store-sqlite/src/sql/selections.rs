//! Selections: sets of thousands of lines, each looked at for whether it is within reach. Every statement takes `$1` tenant; all but the
//! searches take `$2` user, `$3` portal. Reach comes as customers, sites and providers, each the word "any" where it does not limit.

use super::within::{among, assigned_within, line_within};

/// That the selection is not too old to count: a row by its primary key, looked at once.
macro_rules! is_kept {
    ($since:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM selection AS kept WHERE kept.tenant_id = $1 AND kept.user_id = $2 AND kept.portal_type = $3
               AND kept.touched_at >= ",
            $since,
            ")"
        )
    };
}

/// Whether a chosen line `d` is reached. Whose reach is not limited needs no look at its assignment: every line has one.
macro_rules! chosen_within {
    ($customers:literal, $sites:literal, $providers:literal) => {
        concat!(
            "(",
            $customers,
            " = 'any' AND ",
            $sites,
            " = 'any' AND ",
            $providers,
            " = 'any' OR EXISTS (SELECT 1 FROM device_tenant AS dt WHERE dt.tenant_id = $1 AND dt.device_id = d.id AND ",
            line_within!($customers, $sites, $providers),
            "))"
        )
    };
}

lineshift_store::statements! {
    /// The lines within reach that have these ICCIDs: the place in the array, and the line. `$2` ICCIDs as a JSON array, `$3` customers,
    /// `$4` sites, `$5` service providers.
    ///
    /// Rows: up to 5,000. Indexes: device_by_iccid, then primary keys. Locks: none, a read. Tuned: CROSS JOIN keeps SQLite from walking
    /// a table and searching the array.
    FIND_BY_ICCID = concat!(
        "SELECT line.key, d.id FROM json_each($2) AS line
         CROSS JOIN device AS d ON d.tenant_id = $1 AND d.iccid = line.value
         CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
         WHERE ", line_within!("$3", "$4", "$5")
    );
    /// The same by subscriber number (device_by_number); several lines may have one number, then each is answered.
    FIND_BY_NUMBER = concat!(
        "SELECT line.key, d.id FROM json_each($2) AS line
         CROSS JOIN device AS d INDEXED BY device_by_number ON d.tenant_id = $1 AND d.subscriber_number = line.value
         CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
         WHERE ", line_within!("$3", "$4", "$5")
    );
    /// Adds lines that are there, within reach and not chosen yet; answers which. `$4` ids as a JSON array, `$5` customers, `$6` sites,
    /// `$7` service providers, `$8` how many at most.
    ///
    /// Rows: up to 5,000, each by primary keys. Locks: the database, for one short transaction.
    INSERT_LINES = concat!(
        "INSERT INTO selection_line (tenant_id, user_id, portal_type, device_id)
         SELECT d.tenant_id, $2, $3, d.id FROM json_each($4) AS line
         CROSS JOIN device AS d ON d.tenant_id = $1 AND d.id = line.value
         CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
         WHERE ", line_within!("$5", "$6", "$7"), "
           AND NOT EXISTS (SELECT 1 FROM selection_line AS s
               WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.portal_type = $3 AND s.device_id = d.id)
         LIMIT $8 RETURNING device_id"
    );
    /// Which of these lines are chosen. `$4` ids as a JSON array, `$5` since when a selection counts. Rows: a page's, each by primary key.
    FIND_LINES = concat!(
        "SELECT s.device_id FROM json_each($4) AS line
         CROSS JOIN selection_line AS s
            ON s.tenant_id = $1 AND s.user_id = $2 AND s.portal_type = $3 AND s.device_id = line.value
         WHERE ", is_kept!("$5")
    );
    /// Takes lines out. `$4` ids as a JSON array. Rows: up to 5,000, each by primary key.
    DELETE_LINES = "DELETE FROM selection_line WHERE tenant_id = $1 AND user_id = $2 AND portal_type = $3
        AND device_id IN (SELECT value FROM json_each($4))";
    /// How many lines within reach of each service provider. `$4` customers, `$5` sites, `$6` service providers, `$7` since when a
    /// selection counts. Rows: all that are chosen, each with its line by primary keys; a handful is answered.
    COUNT_BY_PROVIDER = concat!(
        "SELECT d.service_provider_id, count(*) FROM selection_line AS s
         CROSS JOIN device AS d ON d.tenant_id = $1 AND d.id = s.device_id
         WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.portal_type = $3 AND ", chosen_within!("$4", "$5", "$6"), "
           AND ", is_kept!("$7"), "
         GROUP BY d.service_provider_id ORDER BY d.service_provider_id"
    );
    /// Lines within reach by id. `$4` the id before the first, `$5` how many, `$6` the service provider or 0, `$7` customers, `$8` sites,
    /// `$9` service providers, `$10` since when a selection counts, `$11` the last id.
    ///
    /// Rows: as many as are asked for, and those passed over that are of others; by primary keys.
    LIST_LINES = concat!(
        "SELECT d.id, d.iccid, d.subscriber_number, d.service_provider_id FROM selection_line AS s
         CROSS JOIN device AS d ON d.tenant_id = $1 AND d.id = s.device_id
         WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.portal_type = $3 AND s.device_id > $4 AND s.device_id <= $11
           AND ($6 = 0 OR d.service_provider_id = $6) AND ", chosen_within!("$7", "$8", "$9"), "
           AND ", is_kept!("$10"), "
         ORDER BY s.device_id LIMIT $5"
    );
}
