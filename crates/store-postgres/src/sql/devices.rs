//! Looking up lines by what an order names.

use super::facts::fact_columns;
use super::within::{among, assigned_within, entry_within, line_within};

/// What an order names, in its order from 0. The array holds digits alone (`json_of_digits`), so that it is taken apart at its
/// commas: four times as fast as reading it as JSON. It is selected, so that the planner does not count it: for the few executions that
/// it plans for what they are given, it would rather hash all of the tenant's lines than search for some thousands.
macro_rules! named {
    () => {
        "unnest(string_to_array(translate((SELECT $6::text), '[]\" ', ''), ',')) WITH ORDINALITY AS line (value, place)"
    };
}

lineshift_store::statements! {
    /// `$1` to `$5` as in `fact_columns`, `$6` ICCIDs as a JSON array. Answers the place in the array, then the facts.
    ///
    /// Rows: up to 5,000, one a line found. Indexes: device_by_iccid, then the primary key of device_tenant, then
    /// those named in `fact_columns`. Locks: none, a read; lines that a page looks up here are
    /// locked by `RECORD_JUDGED`.
    LOOK_UP_BY_ICCID = concat!(
        "SELECT line.place - 1, ", fact_columns!("d", "dt"), " FROM ", named!(), "
          JOIN device AS d ON d.tenant_id = $1 AND d.iccid = line.value
          JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id"
    );

    /// The same by subscriber number (device_by_number); several lines may have one number, then each is answered.
    LOOK_UP_BY_NUMBER = concat!(
        "SELECT line.place - 1, ", fact_columns!("d", "dt"), " FROM ", named!(), "
          JOIN device AS d ON d.tenant_id = $1 AND d.subscriber_number = line.value
          JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id"
    );

    /// How many plan queue entries of lines are open within reach, how many of those from a date on, the last of their ids, and their dates
    /// in seconds added up. `$1` tenant, `$2` ids of lines as a JSON array, `$3` the date; `$4` customers, `$5` sites, `$6` service
    /// providers, each the word "any" where it does not limit.
    ///
    /// Index: customer_rate_plan_device_queue_line, then primary keys for lines that have an entry. Locks: none, a read. Tuned: OFFSET 0
    /// has each line's entries looked up by their index, whatever the planner thinks of reading all that is open; and the blank text keeps
    /// it from the indexes of what is open, of which it takes the one by date where the table was never analyzed: all of the tenant's
    /// entries for each line, 8.5 s instead of 0.05 s for 5,000 lines with an open entry each.
    COUNT_OPEN_ENTRIES = concat!(
        "SELECT count(*), coalesce(sum(CASE WHEN q.effective_date >= $3::bigint THEN 1 ELSE 0 END), 0)::bigint,
            coalesce(max(q.device_change_id), 0), coalesce(sum(q.effective_date / 1000000), 0)::bigint
        FROM (SELECT value::bigint AS id FROM json_array_elements_text($2::json)) AS line
        CROSS JOIN LATERAL (SELECT x.device_change_id, x.effective_date, x.rev_customer_id, x.site_id
            FROM customer_rate_plan_device_queue AS x
            WHERE x.tenant_id = $1 AND x.device_id = line.id AND x.state || '' = 'open' OFFSET 0) AS q
        CROSS JOIN LATERAL (SELECT x.service_provider_id FROM device AS x
            WHERE x.tenant_id = $1 AND x.id = line.id OFFSET 0) AS d
        CROSS JOIN LATERAL (SELECT x.rev_customer_id, x.site_id FROM device_tenant AS x
            WHERE x.tenant_id = $1 AND x.device_id = line.id OFFSET 0) AS dt
        WHERE ", entry_within!("$4", "$5", "$6")
    );

    /// What is charged for lines within reach: of each service that is not disconnected, of the line's own customer or of one within reach,
    /// and each of its PENDING or ACTIVE products whether the service has a package, whether there is a product, its rate, its quantity.
    /// `$1` tenant, `$2` ids of lines as a JSON array; `$3` customers, `$4` sites, `$5` service providers as above.
    ///
    /// Rows: a few a line. Indexes: rev_service_connected, rev_service_product_charged, primary keys. Locks: none, a read. Tuned likewise.
    LIST_CHARGES = concat!(
        "SELECT service.has_package, product.id IS NOT NULL, product.rate, product.quantity
        FROM (SELECT value::bigint AS id FROM json_array_elements_text($2::json)) AS line
        CROSS JOIN LATERAL (SELECT s.id, s.has_package, s.rev_customer_id FROM rev_service AS s
            WHERE s.tenant_id = $1 AND s.device_id = line.id AND s.disconnected_date IS NULL OFFSET 0) AS service
        CROSS JOIN LATERAL (SELECT x.service_provider_id FROM device AS x
            WHERE x.tenant_id = $1 AND x.id = line.id OFFSET 0) AS d
        CROSS JOIN LATERAL (SELECT x.rev_customer_id, x.site_id FROM device_tenant AS x
            WHERE x.tenant_id = $1 AND x.device_id = line.id OFFSET 0) AS dt
        LEFT JOIN LATERAL (SELECT p.id, p.rate, p.quantity FROM rev_service_product AS p
            WHERE p.tenant_id = $1 AND p.rev_service_id = service.id AND p.status IN ('PENDING', 'ACTIVE') OFFSET 0) AS product ON true
        WHERE ", line_within!("$3", "$4", "$5"), "
          AND ($3::text = 'any' OR service.rev_customer_id = dt.rev_customer_id OR ", among!("service.rev_customer_id", "$3"), ")"
    );
}
