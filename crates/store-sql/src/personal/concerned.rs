//! What is stored of a customer, table by table, and which of it is personal.
//!
//! A row concerns a customer by ids alone, never by a text that could be erased: what was begun can be begun again. `$1` is the tenant,
//! `$2` the customer.

/// What stands where something was that nobody may have left out.
pub const ERASED: &str = "(erased)";

/// Rows of a table that concern a customer.
#[derive(Debug, Clone, Copy)]
pub struct Concerned {
    /// The table.
    pub table: &'static str,
    /// Its columns that are exported, in this order.
    pub columns: &'static [&'static str],
    /// Those of them that are personal.
    pub personal: &'static [&'static str],
    /// Reads the columns of every row.
    pub select: &'static str,
    /// Blanks what is personal in those rows where something is left of it; none: nothing of it is personal.
    pub erase: Option<&'static str>,
}

macro_rules! sites {
    () => {
        "SELECT s.id FROM site s WHERE s.tenant_id = $1 AND s.rev_customer_id = $2"
    };
}

/// Its lines as they are assigned now.
macro_rules! lines {
    () => {
        concat!(
            "SELECT l.device_id FROM device_tenant l WHERE l.tenant_id = $1 AND (l.rev_customer_id = $2 OR l.site_id IN (",
            sites!(),
            "))"
        )
    };
}

/// Bulk changes that were ordered for it.
macro_rules! changes {
    () => {
        concat!(
            "SELECT b.id FROM device_bulk_change b WHERE b.tenant_id = $1 AND (b.rev_customer_id = $2 OR b.site_id IN (",
            sites!(),
            "))"
        )
    };
}

/// Bulk changes about it: these, and those that name nobody and have a row about one of its lines, as changes of plans have.
macro_rules! about {
    () => {
        concat!(
            changes!(),
            " UNION SELECT b.id FROM device_change c JOIN device_bulk_change b ON b.tenant_id = $1 AND b.id = c.bulk_change_id
              WHERE c.tenant_id = $1 AND b.rev_customer_id IS NULL AND b.site_id IS NULL AND c.device_id IN (",
            lines!(),
            ")"
        )
    };
}

/// Rows of its bulk changes, and of others about its lines.
macro_rules! rows {
    () => {
        concat!(
            "SELECT c.id FROM device_change c WHERE c.tenant_id = $1 AND (c.bulk_change_id IN (",
            changes!(),
            ") OR c.device_id IN (",
            lines!(),
            "))"
        )
    };
}

/// What the audit log calls all of these.
macro_rules! targets {
    () => {
        concat!(
            "SELECT 'customers/' || CAST(CAST($2 AS BIGINT) AS TEXT)",
            " UNION ALL SELECT 'sites/' || CAST(x.id AS TEXT) FROM (",
            sites!(),
            ") x",
            " UNION ALL SELECT 'bulk-changes/' || CAST(x.id AS TEXT) FROM (",
            about!(),
            ") x",
            " UNION ALL SELECT 'device-changes/' || CAST(x.id AS TEXT) FROM (",
            rows!(),
            ") x",
            " UNION ALL SELECT 'plan-queue/' || CAST(x.id AS TEXT) FROM (",
            rows!(),
            ") x"
        )
    };
}

/// Entries about any of it; what its erasure itself wrote stays.
macro_rules! entries {
    () => {
        concat!(
            "t.actor <> 'system' AND (t.target IN (",
            targets!(),
            ") OR (t.month, t.at, t.request_id) IN (
                SELECT o.month, o.at, o.request_id FROM audit_outcome o WHERE o.tenant_id = $1 AND o.made IN (",
            targets!(),
            ")))"
        )
    };
}

macro_rules! list {
    ($first:ident $(, $more:ident)*) => {
        concat!("t.", stringify!($first) $(, ", t.", stringify!($more))*)
    };
}

/// `column = what stands there then`, and where that is not so yet.
macro_rules! blank {
    ($first:ident = $as:expr $(, $more:ident = $mores:expr)*) => {
        concat!(stringify!($first), " = ", $as $(, ", ", stringify!($more), " = ", $mores)*)
    };
}

macro_rules! left {
    ($first:ident = $as:expr $(, $more:ident = $mores:expr)*) => {
        concat!("coalesce(t.", stringify!($first), ", '') <> coalesce(", $as, ", '')"
            $(, " OR coalesce(t.", stringify!($more), ", '') <> coalesce(", $mores, ", '')")*)
    };
}

macro_rules! concerned {
    ($($table:ident ($($column:ident),*) where $which:expr; erase $($blank:ident = $as:expr),*;)*) => {
        /// Every table with rows that concern a customer. Those that are read to find others come last.
        pub const CONCERNED: &[Concerned] = &[$(Concerned {
            table: stringify!($table),
            columns: &[$(stringify!($column)),*],
            personal: &[$(stringify!($blank)),*],
            select: concat!("SELECT ", list!($($column),*), " FROM ", stringify!($table), " t WHERE t.tenant_id = $1 AND (", $which, ")"),
            erase: concerned!(@erase $table, $which; $($blank = $as),*),
        },)*];
    };
    (@erase $table:ident, $which:expr;) => {
        None
    };
    (@erase $table:ident, $which:expr; $($blank:ident = $as:expr),+) => {
        Some(concat!("UPDATE ", stringify!($table), " AS t SET ", blank!($($blank = $as),+), " WHERE t.tenant_id = $1 AND (", $which,
            ") AND (", left!($($blank = $as),+), ")"))
    };
}

macro_rules! nothing {
    () => {
        "CAST(NULL AS TEXT)"
    };
}

macro_rules! erased {
    () => {
        "'(erased)'"
    };
}

concerned! {
    device_change_step (device_change_id, step, part, state, request_key, external_id, outcome, at)
        where concat!("t.device_change_id IN (", rows!(), ")");
        erase outcome = nothing!();
    device_bulk_change_log (bulk_change_id, device_change_id, attempt, entry, log_entry_description, process_by, processed_at,
        request_text, response_text, error_text, response_status)
        where concat!("t.bulk_change_id IN (", changes!(), ") OR t.device_change_id IN (", rows!(), ")
            OR (t.device_change_id = 0 AND t.bulk_change_id IN (", about!(), "))");
        erase log_entry_description = erased!(), process_by = erased!(), request_text = nothing!(), response_text = nothing!(),
            error_text = nothing!();
    customer_rate_plan_device_queue (device_change_id, bulk_change_id, device_id, customer_rate_plan_id, effective_date, state,
        created_by, created_at, modified_by, modified_at, status_details)
        where concat!("t.rev_customer_id = $2 OR t.device_change_id IN (", rows!(), ")");
        erase created_by = erased!(), modified_by = nothing!(), status_details = nothing!();
    device_action_history (device_id, at, bulk_change_id, action, old_value, new_value, changed_by)
        where concat!("t.device_id IN (", lines!(), ") OR (t.bulk_change_id > 0 AND t.bulk_change_id IN (", changes!(), "))");
        erase changed_by = erased!();
    cross_provider_device_history (device_id, bulk_change_id, service_provider_id, valid_from, valid_to, site_id, account_number)
        where "t.rev_customer_id = $2";
        erase;
    sync_finding (sync_run_id, kind, subject, subject_id, device_id, line, here, there, at)
        where concat!("t.rev_customer_id = $2 OR t.device_id IN (", lines!(), ")");
        erase line = nothing!(), here = nothing!(), there = nothing!();
    rev_service (id, number, iccid, rev_service_id, activated_date, disconnected_date, device_id)
        where concat!("t.rev_customer_id = $2 OR t.device_id IN (", lines!(), ")");
        erase number = nothing!();
    rev_service_product (id, rev_service_product_id, rev_product_id, rate, quantity, status, description)
        where "t.rev_customer_id = $2";
        erase;
    telegence_new_service_activation_staging (id, subscriber_number, iccid, imei, service_zip_code, single_user_code, username)
        where concat!("t.iccid IN (SELECT d.iccid FROM device d WHERE d.tenant_id = $1 AND d.id IN (", lines!(), "))");
        erase subscriber_number = nothing!(), imei = nothing!(), service_zip_code = nothing!(), single_user_code = nothing!(), username = nothing!();
    audit_entry (at, request_id, actor, principal_id, who, address, agent, action, target)
        where entries!();
        erase who = erased!(), address = nothing!(), agent = nothing!();
    device_change (id, bulk_change_id, request_position, device_id, iccid, number, status, error_code, status_details, processed_at)
        where concat!("t.bulk_change_id IN (", changes!(), ") OR t.device_id IN (", lines!(), ")");
        erase number = nothing!(), status_details = nothing!();
    device_bulk_change (id, change_request_type_id, name, reason, created_by, created_at, canceled_by, processed_by, order_json)
        where concat!("t.id IN (", about!(), ")");
        erase name = nothing!(), reason = nothing!(), created_by = erased!(), canceled_by = nothing!(), processed_by = nothing!();
    device (id, iccid, subscriber_number, imei, status, ip_address)
        where concat!("t.id IN (", lines!(), ")");
        erase subscriber_number = nothing!(), imei = nothing!(), ip_address = nothing!();
    device_tenant (device_id, site_id, account_number, customer_rate_plan_id, customer_rate_pool_id, effective_date, modified_by)
        where concat!("t.rev_customer_id = $2 OR t.site_id IN (", sites!(), ")");
        erase modified_by = erased!();
    site (id, name, created_at, modified_at)
        where "t.rev_customer_id = $2";
        erase name = erased!();
    rev_customer (id, name, is_active, created_at, modified_at)
        where "t.id = $2";
        erase name = erased!();
}

/// What of it is still under way: rows that are not final, and plan changes that wait for their date.
pub(super) const COUNT_OPEN: &str = concat!(
    "SELECT (SELECT count(*) FROM device_change t WHERE t.tenant_id = $1 AND t.status IN ('NEW', 'PROCESSING', 'PENDING') AND t.id IN (",
    rows!(),
    ")) + (SELECT count(*) FROM customer_rate_plan_device_queue t WHERE t.tenant_id = $1 AND t.state = 'open' AND (t.rev_customer_id = $2
        OR t.device_change_id IN (",
    rows!(),
    ")))"
);

/// How many lines are its own now.
pub(super) const COUNT_LINES: &str = concat!("SELECT count(*) FROM (", lines!(), ") x");
