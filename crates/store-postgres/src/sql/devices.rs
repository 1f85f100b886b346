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
}
