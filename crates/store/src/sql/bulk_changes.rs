//! Reading bulk changes. Row counts in the comments are those of a page of `limit`; each is one index search.

/// The columns of a bulk change, with the table under the alias `b`.
#[macro_export]
macro_rules! change_columns {
    () => {
        "b.id, b.change_request_type_id, b.portal_type, b.service_provider_id, b.identifier, b.order_json, b.name, b.reason,
        b.created_by, b.created_by_id, b.created_at, b.receiving_until, b.started_at, b.begun_at, b.canceled_at, b.processed_at,
        b.attempt, b.total_count, b.open_count, b.processed_count, b.error_count, b.canceled_count, b.rejected_count,
        b.duplicate_count, b.scheduled_failed_count"
    };
}

macro_rules! row_columns {
    () => {
        "dc.id, dc.request_position, dc.device_id, coalesce(dc.iccid, d.iccid), coalesce(dc.number, d.subscriber_number),
        dc.status, dc.error_kind, dc.error_code, dc.status_details, dc.processed_at, dc.attempt,
        dc.next_check_at
    FROM device_change dc LEFT JOIN device d ON d.tenant_id = $1 AND d.id = dc.device_id
    WHERE dc.tenant_id = $1 AND dc.bulk_change_id = $2"
    };
}

macro_rules! log_columns {
    () => {
        "device_change_id, attempt, entry, portal_type, log_entry_description, process_by, processed_at, request_text,
        response_text, error_text, has_errors, response_status
    FROM device_bulk_change_log WHERE tenant_id = $1 AND bulk_change_id = $2"
    };
}

/// Whether a change is one that is sought: `$3` the caller, `$5` its portal, `$6` its status and `$7` who ordered it, each an empty text
/// for any. The status is derived as everywhere (B2.1).
macro_rules! sought_change {
    () => {
        "b.portal_type = $5 AND b.id < $2 AND (b.receiving_until IS NULL OR b.created_by_id = $3)
        AND (CAST($6 AS TEXT) = '' OR $6 = CASE WHEN b.receiving_until IS NOT NULL THEN 'RECEIVING'
            WHEN b.open_count > 0 AND b.begun_at IS NULL THEN 'NEW' WHEN b.open_count > 0 THEN 'PROCESSING'
            WHEN b.processed_count = b.total_count THEN 'PROCESSED' WHEN b.processed_count > 0 THEN 'PARTIAL'
            WHEN b.canceled_count = b.total_count THEN 'CANCELED' ELSE 'ERROR' END)
        AND (CAST($7 AS TEXT) = '' OR b.created_by = $7)"
    };
}

crate::statements! {
    /// Newest first, by primary key backwards; RECEIVING ones only for `$3`.
    LIST_CHANGES = concat!(
    "SELECT ",
    change_columns!(),
    " FROM device_bulk_change b
    WHERE b.tenant_id = $1 AND b.id < $2 AND (b.receiving_until IS NULL OR b.created_by_id = $3)
    ORDER BY b.id DESC LIMIT $4"
);

    /// What `$3` ordered, newest first, by `device_bulk_change_of` backwards.
    LIST_CHANGES_OF = concat!(
    "SELECT ",
    change_columns!(),
    " FROM device_bulk_change b
    WHERE b.tenant_id = $1 AND b.id < $2 AND b.created_by_id = $3
    ORDER BY b.id DESC LIMIT $4"
);

    /// Those of one portal that are sought, newest first, by `device_bulk_change_by_portal` backwards; others of the portal are passed over.
    LIST_CHANGES_BY = concat!(
    "SELECT ",
    change_columns!(),
    " FROM device_bulk_change b WHERE b.tenant_id = $1 AND ",
    sought_change!(),
    " ORDER BY b.id DESC LIMIT $4"
);

    /// The same of those that `$8` ordered, by `device_bulk_change_of` backwards.
    LIST_CHANGES_BY_OF = concat!(
    "SELECT ",
    change_columns!(),
    " FROM device_bulk_change b WHERE b.tenant_id = $1 AND b.created_by_id = $8 AND ",
    sought_change!(),
    " ORDER BY b.id DESC LIMIT $4"
);

    /// One row by primary key; a RECEIVING one only for `$3`.
    FIND_CHANGE = concat!(
    "SELECT ",
    change_columns!(),
    " FROM device_bulk_change b
    WHERE b.tenant_id = $1 AND b.id = $2 AND (b.receiving_until IS NULL OR b.created_by_id = $3)"
);

    /// One row by primary key.
    FIND_ID_RANGE = "SELECT first_device_change_id, last_device_change_id FROM device_bulk_change WHERE tenant_id = $1 AND id = $2";

    /// By the range of the primary key.
    LIST_ROWS = concat!("SELECT ", row_columns!(), " AND dc.id > $3 AND dc.id <= $4 ORDER BY dc.id LIMIT $5");

    /// By the range of the primary key; rows of other states are passed over, at most as many as the change has.
    LIST_ROWS_BY_STATUS = concat!("SELECT ", row_columns!(), " AND dc.id > $3 AND dc.id <= $4 AND dc.status = $5 ORDER BY dc.id LIMIT $6");

    /// By `device_change_error`.
    LIST_ROWS_BY_CODE = concat!("SELECT ", row_columns!(), " AND dc.status = 'ERROR' AND dc.error_code = $3 AND dc.id > $4 ORDER BY dc.id LIMIT $5");

    /// By `device_change_error`: by code, then in device order.
    LIST_ROWS_IN_ERROR = concat!(
    "SELECT ",
    row_columns!(),
    " AND dc.status = 'ERROR' AND (dc.error_code, dc.id) > ($3, $4) ORDER BY dc.error_code, dc.id LIMIT $5"
);

    /// As many index entries as there are rows in ERROR, by `device_change_error`.
    COUNT_ERRORS = "SELECT error_code, count(*) FROM device_change
    WHERE tenant_id = $1 AND bulk_change_id = $2 AND status = 'ERROR' GROUP BY error_code ORDER BY error_code";

    /// As many index entries as the change has queue entries, by `customer_rate_plan_device_queue_change`.
    COUNT_SCHEDULED = "SELECT state, count(*) FROM customer_rate_plan_device_queue
    WHERE tenant_id = $1 AND bulk_change_id = $2 GROUP BY state ORDER BY state";

    /// Every row of the change, by the range of the primary key: for checks.
    RECOUNT = "SELECT count(*), coalesce(sum(CASE WHEN status IN ('NEW', 'PROCESSING', 'PENDING') THEN 1 ELSE 0 END), 0),
        coalesce(sum(CASE WHEN status = 'PROCESSED' THEN 1 ELSE 0 END), 0),
        coalesce(sum(CASE WHEN status = 'ERROR' THEN 1 ELSE 0 END), 0),
        coalesce(sum(CASE WHEN status = 'CANCELED' THEN 1 ELSE 0 END), 0)
    FROM device_change WHERE tenant_id = $1 AND bulk_change_id = $2 AND id BETWEEN $3 AND $4";

    /// By primary key.
    LIST_LOG = concat!(
    "SELECT ",
    log_columns!(),
    " AND (device_change_id, attempt, entry) > ($3, CAST($4 AS BIGINT), CAST($5 AS BIGINT)) ORDER BY device_change_id, attempt, entry LIMIT $6"
);

    /// By primary key.
    LIST_LOG_OF_ROW = concat!(
    "SELECT ",
    log_columns!(),
    " AND device_change_id = $3 AND (attempt, entry) > (CAST($4 AS BIGINT), CAST($5 AS BIGINT)) ORDER BY attempt, entry LIMIT $6"
);
}
