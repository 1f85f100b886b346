//! Looking up lines by what an order names.

use super::facts::fact_columns;

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

    /// How many plan queue entries of lines are open, and how many of those from a date on. `$1` tenant, `$2` ids of lines as a JSON array,
    /// `$3` the date.
    ///
    /// Index: customer_rate_plan_device_queue_device. Locks: none, a read. Tuned: OFFSET 0 has each line's entries looked up by their index,
    /// whatever the planner thinks of reading all that is open.
    COUNT_OPEN_ENTRIES = "SELECT count(*), coalesce(sum(CASE WHEN entry.effective_date >= $3::bigint THEN 1 ELSE 0 END), 0)::bigint
        FROM (SELECT value::bigint AS id FROM json_array_elements_text($2::json)) AS line
        CROSS JOIN LATERAL (SELECT q.effective_date FROM customer_rate_plan_device_queue AS q
            WHERE q.tenant_id = $1 AND q.device_id = line.id AND q.state = 'open' OFFSET 0) AS entry";

    /// What is charged for lines: of each service that is not disconnected and each of its PENDING or ACTIVE products whether the service has
    /// a package, whether there is a product, its rate, its quantity. `$1` tenant, `$2` ids of lines as a JSON array.
    ///
    /// Rows: a few a line. Indexes: rev_service_connected, rev_service_product_charged. Locks: none, a read. Tuned likewise.
    LIST_CHARGES = "SELECT service.has_package, product.id IS NOT NULL, product.rate, product.quantity
        FROM (SELECT value::bigint AS id FROM json_array_elements_text($2::json)) AS line
        CROSS JOIN LATERAL (SELECT s.id, s.has_package FROM rev_service AS s
            WHERE s.tenant_id = $1 AND s.device_id = line.id AND s.disconnected_date IS NULL OFFSET 0) AS service
        LEFT JOIN LATERAL (SELECT p.id, p.rate, p.quantity FROM rev_service_product AS p
            WHERE p.tenant_id = $1 AND p.rev_service_id = service.id AND p.status IN ('PENDING', 'ACTIVE') OFFSET 0) AS product ON true";
}
