//! Selections: sets of thousands of lines, each looked at for whether it is within reach. Every statement takes `$1` tenant; all but the
//! searches take `$2` user, `$3` portal. Reach comes as customers, sites and providers, each the word "any" where it does not limit.

use super::within::{among, assigned_within, line_within};

/// Ids from a JSON array, selected so that the planner does not count them.
macro_rules! ids {
    ($array:literal) => {
        concat!("unnest(string_to_array(translate((SELECT ", $array, "::text), '[] ', ''), ',')::bigint[]) AS line (value)")
    };
}

/// Identifiers in their order: digits alone, so that the array is taken apart at its commas.
macro_rules! named {
    ($array:literal) => {
        concat!(
            "unnest(string_to_array(translate((SELECT ",
            $array,
            "::text), '[]\" ', ''), ',')) WITH ORDINALITY AS line (value, place)"
        )
    };
}

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
    /// Rows: up to 5,000. Indexes: device_by_iccid, then primary keys. Locks: none, a read.
    FIND_BY_ICCID = concat!(
        "SELECT line.place - 1, d.id FROM ", named!("$2"), "
         JOIN device AS d ON d.tenant_id = $1 AND d.iccid = line.value
         JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
         WHERE ", line_within!("$3", "$4", "$5")
    );
    /// The same by subscriber number (device_by_number); several lines may have one number, then each is answered.
    FIND_BY_NUMBER = concat!(
        "SELECT line.place - 1, d.id FROM ", named!("$2"), "
         JOIN device AS d ON d.tenant_id = $1 AND d.subscriber_number = line.value
         JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
         WHERE ", line_within!("$3", "$4", "$5")
    );
    /// Adds lines that are there, within reach and not chosen yet; answers which. `$4` ids as a JSON array, `$5` customers, `$6` sites,
    /// `$7` service providers, `$8` how many at most.
    ///
    /// Rows: up to 5,000, each by primary keys. Locks: the rows it adds; the selection's own row is held already.
    INSERT_LINES = concat!(
        "INSERT INTO selection_line (tenant_id, user_id, portal_type, device_id)
         SELECT d.tenant_id, $2, $3, d.id FROM ", ids!("$4"), "
         JOIN device AS d ON d.tenant_id = $1 AND d.id = line.value
         JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
         WHERE ", line_within!("$5", "$6", "$7"), "
           AND NOT EXISTS (SELECT 1 FROM selection_line AS s
               WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.portal_type = $3 AND s.device_id = d.id)
         LIMIT $8 RETURNING device_id"
    );
    /// Which of these lines are chosen. `$4` ids as a JSON array, `$5` since when a selection counts. Rows: a page's, each by primary key.
    FIND_LINES = concat!(
        "SELECT s.device_id FROM ", ids!("$4"), "
         JOIN selection_line AS s
            ON s.tenant_id = $1 AND s.user_id = $2 AND s.portal_type = $3 AND s.device_id = line.value
         WHERE ", is_kept!("$5")
    );
    /// Takes lines out. `$4` ids as a JSON array. Rows: up to 5,000, each by primary key.
    DELETE_LINES = concat!(
        "DELETE FROM selection_line AS s USING ", ids!("$4"), "
         WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.portal_type = $3 AND s.device_id = line.value"
    );
    /// How many lines within reach of each service provider. `$4` customers, `$5` sites, `$6` service providers, `$7` since when a
    /// selection counts. Rows: all that are chosen, each with its line by primary keys; a handful is answered.
    COUNT_BY_PROVIDER = concat!(
        "SELECT d.service_provider_id, count(*) FROM selection_line AS s
         JOIN device AS d ON d.tenant_id = $1 AND d.id = s.device_id
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
         JOIN device AS d ON d.tenant_id = $1 AND d.id = s.device_id
         WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.portal_type = $3 AND s.device_id > $4 AND s.device_id <= $11
           AND ($6::bigint = 0 OR d.service_provider_id = $6) AND ", chosen_within!("$7", "$8", "$9"), "
           AND ", is_kept!("$10"), "
         ORDER BY s.device_id LIMIT $5"
    );
}
