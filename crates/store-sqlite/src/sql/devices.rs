//! Looking up lines by what an order names.

use super::facts::fact_columns;

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
}
