//! The plan queue, as people look at it and change it, and which tenants have entries due.

/// The kind under which `tenant_work` says when a tenant's next entry falls due. A stored name: never rename.
pub const WORK_KIND: &str = "plan_queue";

/// The columns of an entry `q`, with its line as `d`, and what else is joined.
#[macro_export]
macro_rules! entry_columns {
    () => {
        $crate::entry_columns!("")
    };
    ($join:literal) => {
        $crate::entry_columns!("", $join)
    };
    ($more:literal, $join:literal) => {
        concat!(
            "SELECT q.device_change_id, q.bulk_change_id, q.device_id, d.iccid, q.rev_customer_id, q.site_id,
                q.customer_rate_plan_id, q.customer_rate_pool_id, q.customer_data_allocation_mb, q.effective_date,
                q.portal_type, q.state, q.error_code, q.status_details, q.created_by, q.created_at, q.modified_by, q.modified_at,
                d.subscriber_number",
            $more,
            "
           FROM customer_rate_plan_device_queue AS q
           JOIN device AS d ON d.tenant_id = $1 AND d.id = q.device_id ",
            $join,
            " WHERE q.tenant_id = $1 "
        )
    };
}

crate::statements! {
    /// One entry. `$1` tenant, `$2` id.
    GET_ENTRY = concat!(entry_columns!(), "AND q.device_change_id = $2");
    /// Open entries by date (customer_rate_plan_device_queue_due). `$1` tenant, `$2` and `$3` date and id before the first,
    /// `$4` how many.
    LIST_OPEN = concat!(
        entry_columns!(),
        "AND q.state = 'open' AND (q.effective_date, q.device_change_id) > ($2, $3)
         ORDER BY q.effective_date, q.device_change_id LIMIT $4"
    );
    /// The same of one line (customer_rate_plan_device_queue_device). `$5` line.
    LIST_OPEN_OF_DEVICE = concat!(
        entry_columns!(),
        "AND q.device_id = $5 AND q.state = 'open' AND (q.effective_date, q.device_change_id) > ($2, $3)
         ORDER BY q.effective_date, q.device_change_id LIMIT $4"
    );
    /// Entries of one change in one state by id (customer_rate_plan_device_queue_change). `$1` tenant, `$2` the id before
    /// the first, `$3` how many, `$4` change, `$5` state.
    LIST_OF_CHANGE = concat!(
        entry_columns!(),
        "AND q.bulk_change_id = $4 AND q.state = $5 AND q.device_change_id > $2 ORDER BY q.device_change_id LIMIT $3"
    );

    /// `$1` tenant, `$2` id, `$3` date, `$4` who, `$5` now.
    MOVE_ENTRY = "UPDATE customer_rate_plan_device_queue SET effective_date = $3, modified_by = $4, modified_at = $5
        WHERE tenant_id = $1 AND device_change_id = $2 AND state = 'open'";
    /// `$1` tenant, `$2` id, `$3` who, `$4` now.
    CANCEL_ENTRY = "UPDATE customer_rate_plan_device_queue
        SET state = 'canceled', is_active = 0, modified_by = $3, modified_at = $4
        WHERE tenant_id = $1 AND device_change_id = $2 AND state = 'open'";
    /// The last place from `$3` up to, without, `$4` that is taken in the log of this row and attempt. `$1` tenant, `$2` id.
    LAST_MOVE = "SELECT MAX(l.entry) FROM customer_rate_plan_device_queue AS q
        JOIN device_bulk_change_log AS l ON l.tenant_id = $1 AND l.bulk_change_id = q.bulk_change_id
         AND l.device_change_id = q.device_change_id AND l.attempt = q.attempt AND l.entry >= $3 AND l.entry < $4
       WHERE q.tenant_id = $1 AND q.device_change_id = $2";
    /// The log entry of a move or cancel. `$1` tenant, `$2` id, `$3` entry, `$4` month, `$5` description, `$6` process,
    /// `$7` now, `$8` request, `$9` response.
    LOG_ENTRY_CHANGED = "INSERT INTO device_bulk_change_log
        (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
         processed_at, request_text, response_text, error_text, has_errors, response_status)
        SELECT q.tenant_id, q.bulk_change_id, q.device_change_id, q.attempt,
               $3, $4, q.portal_type, $5, $6, $7, $8, $9, NULL, 0, 'PROCESSED'
          FROM customer_rate_plan_device_queue AS q WHERE q.tenant_id = $1 AND q.device_change_id = $2";

    /// When the tenant's next entry falls due; null: none is open. `$1` tenant.
    EARLIEST_OPEN = "SELECT MIN(effective_date) FROM customer_rate_plan_device_queue WHERE tenant_id = $1 AND state = 'open'";
    /// `$1` tenant, `$2` kind, `$3` when.
    SET_WORK = "INSERT INTO tenant_work (tenant_id, kind, next_due) VALUES ($1, $2, $3)
        ON CONFLICT (tenant_id, kind) DO UPDATE SET next_due = excluded.next_due";
    /// `$1` tenant, `$2` kind.
    CLEAR_WORK = "DELETE FROM tenant_work WHERE tenant_id = $1 AND kind = $2";
    /// Across tenants, by tenant_work_due. `$1` kind, `$2` now.
    LIST_TENANTS_WITH_WORK = "SELECT tenant_id FROM tenant_work WHERE kind = $1 AND next_due <= $2 ORDER BY next_due, tenant_id";
    /// Across tenants, by tenant_work_due. `$1` kind.
    NEXT_WORK = "SELECT MIN(next_due) FROM tenant_work WHERE kind = $1";
}
