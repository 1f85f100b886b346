//! Looking up lines by what an order names.

use super::facts::fact_columns;
use super::within::{among, assigned_within, entry_within, line_within};

lineshift_store::statements! {
    /// `$1` to `$5` as in `fact_columns`, `$6` ICCIDs as a JSON array. Answers the place in the array, then the facts.
    ///
    /// Rows: up to 5,000, one a line found. Indexes: device_by_iccid, then the primary keys of device_tenant and
    /// customer_rate_plan, then those named in `fact_columns`. Locks: none, a read. Tuned: one statement instead of one a
    /// line; CROSS JOIN keeps SQLite from walking a table and searching the array.
    LOOK_UP_BY_ICCID = concat!(
        "SELECT line.key, ", fact_columns!(),
        " FROM json_each($6) AS line
          CROSS JOIN device AS d ON d.tenant_id = $1 AND d.iccid = line.value
          CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
          LEFT JOIN customer_rate_plan AS plan ON plan.tenant_id = $1 AND plan.id = dt.customer_rate_plan_id"
    );

    /// The same by subscriber number (device_by_number); several lines may have one number, then each is answered.
    LOOK_UP_BY_NUMBER = concat!(
        "SELECT line.key, ", fact_columns!(),
        " FROM json_each($6) AS line
          CROSS JOIN device AS d INDEXED BY device_by_number ON d.tenant_id = $1 AND d.subscriber_number = line.value
          CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
          LEFT JOIN customer_rate_plan AS plan ON plan.tenant_id = $1 AND plan.id = dt.customer_rate_plan_id"
    );

    /// How many plan queue entries of lines are open within reach, how many of those from a date on, the last of their ids, and their dates
    /// in seconds added up. `$1` tenant, `$2` ids of lines as a JSON array, `$3` the date; `$4` customers, `$5` sites, `$6` service
    /// providers, each the word "any" where it does not limit.
    ///
    /// Index: customer_rate_plan_device_queue_device, which answers all for whoever is not limited; for others primary keys of lines that
    /// have an entry. Locks: none, a read. Tuned: CROSS JOIN keeps SQLite from walking all that is open. 5,000 lines with an entry each take
    /// 4.6 ms, and took 8.6 ms when every line was looked up; within a limited reach 10 ms, and 8.7 ms.
    COUNT_OPEN_ENTRIES = concat!(
        "SELECT count(*), coalesce(sum(q.effective_date >= $3), 0), coalesce(max(q.device_change_id), 0),
            coalesce(sum(q.effective_date / 1000000), 0)
        FROM json_each($2) AS line
        CROSS JOIN customer_rate_plan_device_queue AS q INDEXED BY customer_rate_plan_device_queue_device
           ON q.tenant_id = $1 AND q.device_id = line.value AND q.state = 'open'
        WHERE $4 = 'any' AND $5 = 'any' AND $6 = 'any' OR EXISTS (
            SELECT 1 FROM device AS d
            CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
            WHERE d.tenant_id = $1 AND d.id = q.device_id AND ", entry_within!("$4", "$5", "$6"), ")"
    );

    /// What is charged for lines within reach: of each service that is not disconnected, of the line's own customer or of one within reach,
    /// and each of its PENDING or ACTIVE products whether the service has a package, whether there is a product, its rate, its quantity.
    /// `$1` tenant, `$2` ids of lines as a JSON array; `$3` customers, `$4` sites, `$5` service providers as above.
    ///
    /// Rows: a few a line. Indexes: rev_service_connected, rev_service_product_charged, primary keys. Locks: none, a read. Tuned likewise.
    LIST_CHARGES = concat!(
        "SELECT s.has_package, p.id IS NOT NULL, p.rate, p.quantity
        FROM json_each($2) AS line
        CROSS JOIN rev_service AS s INDEXED BY rev_service_connected
           ON s.tenant_id = $1 AND s.device_id = line.value AND s.disconnected_date IS NULL
        CROSS JOIN device AS d ON d.tenant_id = $1 AND d.id = line.value
        CROSS JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = line.value
        LEFT JOIN rev_service_product AS p
           ON p.tenant_id = $1 AND p.rev_service_id = s.id AND p.status IN ('PENDING', 'ACTIVE')
        WHERE ", line_within!("$3", "$4", "$5"), "
          AND ($3 = 'any' OR s.rev_customer_id = dt.rev_customer_id OR ", among!("s.rev_customer_id", "$3"), ")"
    );
}
