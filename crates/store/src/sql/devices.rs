//! Lines and their history. Every list takes `$1` tenant, `$2` the id before the first, `$3` how many, `$4` what is sought,
//! and is served in order by the index that its doc names, so that page 10,000 costs what page 1 costs.

/// The columns of a line, with its device as `d` and its assignment as `dt`.
#[macro_export]
macro_rules! device_columns {
    () => {
        "SELECT d.id, d.service_provider_id, d.iccid, d.subscriber_number, d.imei, d.status, d.is_archived | d.is_deleted,
                d.activated_at, d.carrier_rate_plan, dt.rev_customer_id, dt.site_id, dt.account_number,
                dt.account_number_integration_authentication_id, dt.customer_rate_plan_id, dt.customer_rate_pool_id,
                dt.customer_data_allocation_mb, dt.effective_date, dt.is_active, dt.version, dt.modified_by, dt.modified_at"
    };
}

macro_rules! list_by_device {
    ($condition:literal) => {
        concat!(
            device_columns!(),
            " FROM device AS d JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id WHERE d.tenant_id = $1 ",
            $condition,
            " AND d.id > $2 ORDER BY d.id LIMIT $3"
        )
    };
}

macro_rules! list_by_assignment {
    ($condition:literal) => {
        concat!(
            device_columns!(),
            " FROM device_tenant AS dt JOIN device AS d ON d.tenant_id = $1 AND d.id = dt.device_id WHERE dt.tenant_id = $1 ",
            $condition,
            " AND dt.device_id > $2 ORDER BY dt.device_id LIMIT $3"
        )
    };
}

/// Each value of a column once, in order: every step goes into an index behind the value before.
macro_rules! values_of {
    ($column:literal) => {
        concat!(
            "WITH RECURSIVE found (value) AS (SELECT min(",
            $column,
            ") FROM device WHERE tenant_id = $1 AND ",
            $column,
            " > '' UNION ALL SELECT (SELECT min(d.",
            $column,
            ") FROM device AS d WHERE d.tenant_id = $1 AND d.",
            $column,
            " > found.value) FROM found WHERE found.value IS NOT NULL)
            SELECT value FROM found WHERE value IS NOT NULL LIMIT $2"
        )
    };
}

/// Lines whose ICCIDs lie from `$2` on before `$3`.
macro_rules! of_iccids {
    () => {
        " FROM device AS d JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
          WHERE d.tenant_id = $1 AND d.iccid >= $2 AND d.iccid < $3"
    };
}

crate::statements! {
    /// One line. `$1` tenant, `$2` id.
    GET_DEVICE = concat!(
        device_columns!(),
        " FROM device AS d JOIN device_tenant AS dt ON dt.tenant_id = $1 AND dt.device_id = d.id
         WHERE d.tenant_id = $1 AND d.id = $2"
    );
    /// In which statuses lines are, by `device_by_status`. Rows: as many. `$1` tenant, `$2` how many at most.
    LIST_STATUSES = values_of!("status");
    /// On which plans of the carrier lines are, by `device_by_carrier_plan`. Likewise.
    LIST_CARRIER_PLANS = values_of!("carrier_rate_plan");
    /// Whether the line is there, and what it used: one row by primary keys. `$1` tenant, `$2` id.
    GET_USAGE = "SELECT u.data_bytes, u.sms_count, u.voice_seconds, u.at FROM device AS d
        LEFT JOIN device_usage AS u ON u.tenant_id = $1 AND u.device_id = d.id WHERE d.tenant_id = $1 AND d.id = $2";
    /// customer, service, type, activated, has package, then product, package, rate, quantity, status, description; in no order. The few
    /// services of the line by `rev_service_connected`, their products by `rev_service_product_charged`. `$1` tenant, `$2` line.
    LIST_SERVICES = "SELECT s.rev_customer_id, s.rev_service_id, s.rev_service_type_id, s.activated_date, s.has_package,
            p.rev_product_id, p.package_id, p.rate, p.quantity, p.status, p.description
        FROM rev_service AS s LEFT JOIN rev_service_product AS p
            ON p.tenant_id = $1 AND p.rev_service_id = s.id AND p.status IN ('PENDING', 'ACTIVE')
        WHERE s.tenant_id = $1 AND s.device_id = $2 AND s.disconnected_date IS NULL";
    /// Primary key of `device`.
    LIST_DEVICES = list_by_device!("");
    /// `device_by_iccid`.
    LIST_DEVICES_BY_ICCID = list_by_device!("AND d.iccid = $4");
    /// `device_by_number`.
    LIST_DEVICES_BY_NUMBER = list_by_device!("AND d.subscriber_number = $4");
    /// `device_by_provider`.
    LIST_DEVICES_BY_PROVIDER = list_by_device!("AND d.service_provider_id = $4");
    /// `device_tenant_by_customer`.
    LIST_DEVICES_BY_CUSTOMER = list_by_assignment!("AND dt.rev_customer_id = $4");
    /// `device_tenant_by_site`.
    LIST_DEVICES_BY_SITE = list_by_assignment!("AND dt.site_id = $4");
    /// `device_tenant_by_plan`.
    LIST_DEVICES_BY_PLAN = list_by_assignment!("AND dt.customer_rate_plan_id = $4");

    /// Where a key comes from outside it may be any number: the casts let it be wider than its column.
    /// at, bulk change, attempt, entry, action, old value, new value, changed by; newest first, by the primary key.
    /// `$1` tenant, `$2` device, `$3` to `$6` the key after the first, `$7` how many.
    LIST_DEVICE_HISTORY = "SELECT at, bulk_change_id, attempt, entry, action, old_value, new_value, changed_by
        FROM device_action_history
        WHERE tenant_id = $1 AND device_id = $2 AND (at, bulk_change_id, attempt, entry) < ($3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT))
        ORDER BY at DESC, bulk_change_id DESC, attempt DESC, entry DESC LIMIT $7";

    /// The assignments among them, with the same columns and parameters.
    LIST_ASSIGNMENT_HISTORY = "SELECT at, bulk_change_id, attempt, entry, action, old_value, new_value, changed_by
        FROM device_action_history
        WHERE tenant_id = $1 AND device_id = $2 AND (at, bulk_change_id, attempt, entry) < ($3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT))
          AND action = 'assignment'
        ORDER BY at DESC, bulk_change_id DESC, attempt DESC, entry DESC LIMIT $7";

    /// What was asked for a line and not done, newest first: moment, row, change, kind of change, portal, who ordered it, their id,
    /// status, code, details, who canceled. By `device_change_undone`, each with its change by primary key. `$1` tenant, `$2` line, `$3`
    /// and `$4` moment and row after the first, `$5` how many, `$6` after when, `$7` to `$9` portals, -1 where there are fewer, `$10` who
    /// ordered it, 0 for anybody.
    LIST_UNDONE_OF_LINE = "SELECT dc.processed_at, dc.id, dc.bulk_change_id, b.change_request_type_id, b.portal_type, b.created_by,
            b.created_by_id, dc.status, dc.error_code, dc.status_details, b.canceled_by
        FROM device_change AS dc
        JOIN device_bulk_change AS b ON b.tenant_id = $1 AND b.id = dc.bulk_change_id
        WHERE dc.tenant_id = $1 AND dc.device_id = $2 AND dc.status IN ('ERROR', 'CANCELED') AND dc.device_id IS NOT NULL
          AND (dc.processed_at, dc.id) < ($3, $4) AND dc.processed_at > $6
          AND b.receiving_until IS NULL AND b.portal_type IN ($7, $8, $9) AND (CAST($10 AS BIGINT) = 0 OR b.created_by_id = $10)
        ORDER BY dc.processed_at DESC, dc.id DESC LIMIT $5";
    /// What was scheduled for a line, newest first by when that was, with who ordered it and their id. By
    /// `customer_rate_plan_device_queue_line`. Parameters as before, without the last.
    LIST_SCHEDULED_OF_LINE = concat!(
        crate::entry_columns!(
            ", b.created_by, b.created_by_id",
            "JOIN device_bulk_change AS b ON b.tenant_id = $1 AND b.id = q.bulk_change_id"
        ),
        "AND q.device_id = $2 AND (q.created_at, q.device_change_id) < ($3, $4) AND q.created_at > $6 AND q.portal_type IN ($7, $8, $9)
         ORDER BY q.created_at DESC, q.device_change_id DESC LIMIT $5"
    );
    /// What of it was canceled or refused, newest first by when that was. By `customer_rate_plan_device_queue_ended`. What was scheduled
    /// before `$6` is left out with it.
    LIST_UNSCHEDULED_OF_LINE = concat!(
        crate::entry_columns!(
            ", b.created_by, b.created_by_id",
            "JOIN device_bulk_change AS b ON b.tenant_id = $1 AND b.id = q.bulk_change_id"
        ),
        "AND q.device_id = $2 AND q.state IN ('canceled', 'failed') AND (q.modified_at, q.device_change_id) < ($3, $4)
         AND q.created_at > $6 AND q.portal_type IN ($7, $8, $9)
         ORDER BY q.modified_at DESC, q.device_change_id DESC LIMIT $5"
    );

    /// Lines whose ICCIDs lie from `$2` on before `$3`, by `device_by_iccid` in its order. `$1` tenant, `$4` how many.
    LIST_BY_ICCID_PREFIX = concat!(device_columns!(), of_iccids!(), " ORDER BY d.iccid LIMIT $4");
    /// The same against its order.
    LIST_BY_ICCID_PREFIX_NEWEST = concat!(device_columns!(), of_iccids!(), " ORDER BY d.iccid DESC LIMIT $4");
    /// How many, up to `$4`, by `device_by_iccid` alone.
    COUNT_BY_ICCID_PREFIX = "SELECT count(*) FROM (SELECT 1 FROM device WHERE tenant_id = $1 AND iccid >= $2 AND iccid < $3 LIMIT $4) AS found";
}
