//! Every table with its columns, in an order in which what is referred to comes first; a test compares this with both databases.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Whole numbers.
    Integers,
    /// Texts.
    Texts,
    /// Bytes.
    Bytes,
}

impl Holds {
    /// The type of an array of such values.
    pub(crate) const fn array(self) -> &'static str {
        match self {
            Self::Integers => "bigint[]",
            Self::Texts => "text[]",
            Self::Bytes => "bytea[]",
        }
    }
}

/// A table that is taken over.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How many of its columns are its primary key: the first ones. A table that a tenant owns begins with `tenant_id`.
    pub keys: usize,
    /// Its columns.
    pub columns: &'static [(&'static str, Holds)],
}

impl Table {
    /// Whether its rows belong to a tenant.
    #[must_use]
    pub fn is_owned(&self) -> bool {
        self.columns[0].0 == "tenant_id"
    }
}

macro_rules! holds {
    (int) => {
        Holds::Integers
    };
    (text) => {
        Holds::Texts
    };
    (bytes) => {
        Holds::Bytes
    };
}

/// Declares tables: name, key, other columns.
macro_rules! tables {
    ($($table:ident ($($key:ident: $held:ident),*) $($column:ident: $holds:ident),*;)*) => {
        /// Every table but those that each database keeps for itself: its migrations and its counters of ids.
        pub const TABLES: &[Table] = &[$(Table {
            name: stringify!($table),
            keys: [$(stringify!($key)),*].len(),
            columns: &[$((stringify!($key), holds!($held)),)* $((stringify!($column), holds!($holds)),)*],
        },)*];
    };
}

tables! {
    tenant (id: int) name: text, time_zone: text, created_at: int;
    tenant_work (tenant_id: int, kind: text) next_due: int;
    api_key (tenant_id: int, id: int)
        name: text, secret_hash: bytes, scopes: text, reach: text, created_at: int, expires_at: int, last_used_at: int,
        revoked_at: int;
    users (id: int)
        email: text, display_name: text, password_hash: text, password_changed_at: int, signed_out_at: int,
        totp_secret_encrypted: bytes, totp_last_step: int, invitation_hash: bytes, invitation_ends_at: int, oidc_issuer: text,
        oidc_subject: text, is_active: int, created_at: int;
    user_tenant (user_id: int, tenant: int) accepted_at: int, entered_at: int;
    sign_in_failure (subject_hash: bytes) failures: int, last_at: int;
    role (tenant_id: int, id: int) name: text, scopes: text;
    member (tenant_id: int, id: int)
        user_id: int, reach: text, is_active: int, created_at: int, is_pending: int, invited_as: text, invitation_hash: bytes,
        invitation_ends_at: int;
    member_role (tenant_id: int, member_id: int, role_id: int);
    session (tenant_id: int, token_hash: bytes)
        member_id: int, created_at: int, seen_at: int, ends_at: int, address: text, agent: text;
    selection (tenant_id: int, user_id: int, portal_type: int) line_count: int, touched_at: int;
    selection_line (tenant_id: int, user_id: int, portal_type: int, device_id: int);
    audit_entry (tenant_id: int, month: int, at: int, request_id: text)
        actor: text, principal_id: int, who: text, address: text, agent: text, action: text, target: text;
    audit_outcome (tenant_id: int, month: int, at: int, request_id: text)
        finished_at: int, result: text, status: int, devices: int, made: text, problem_codes: text, body_hash: bytes, note: text;
    device_status (integration_kind: text, status: text) is_active_status: int;
    integration_authentication (tenant_id: int, id: int)
        name: text, integration_kind: text, base_address: text, secret_encrypted: bytes, is_active: int,
        created_at: int, write_enabled: int, is_local: int, version: int, refused_at: int, refused_text: text,
        concurrency: int, calls_a_minute: int, calls_a_day: int;
    service_provider (tenant_id: int, id: int)
        name: text, integration_kind: text, integration_authentication_id: int, write_enabled: int, is_active: int,
        created_at: int, modified_at: int, callback_secret_encrypted: bytes;
    rev_customer (tenant_id: int, id: int)
        name: text, integration_authentication_id: int, is_active: int, created_at: int, modified_at: int,
        seen_in_run: int, updated_there: int, closed_there: int;
    site (tenant_id: int, id: int) name: text, rev_customer_id: int, is_active: int, created_at: int, modified_at: int;
    customer_rate_plan (tenant_id: int, id: int)
        name: text, monthly_price: text, allocation_default_mb: text, allocation_bound_mb: text, rev_product_id: int,
        is_active: int, created_at: int, modified_at: int;
    customer_rate_pool (tenant_id: int, id: int) name: text, is_active: int, created_at: int, modified_at: int;
    carrier_rate_plan (tenant_id: int, id: int) service_provider_id: int, code: text, name: text, is_active: int;
    device (tenant_id: int, id: int)
        service_provider_id: int, iccid: text, subscriber_number: text, imei: text, status: text, is_archived: int,
        is_deleted: int, activated_at: int, carrier_rate_plan: text, communication_plan: text, ip_address: text,
        carrier_device_id: text, created_at: int, modified_at: int, seen_in_run: int, gone_at: int;
    rev_service (tenant_id: int, id: int)
        rev_customer_id: int, number: text, iccid: text, rev_service_id: int, rev_service_type_id: int,
        activated_date: int, rev_provider_id: int, customer_rate_plan_id: int, customer_rate_pool_id: int,
        disconnected_date: int, device_id: int, has_package: int, stored_at: int, seen_in_run: int;
    rev_service_product (tenant_id: int, id: int)
        rev_service_id: int, rev_customer_id: int, rev_service_product_id: int, rev_product_id: int, package_id: int,
        rate: text, quantity: text, status: text, description: text, seen_in_run: int, stored_at: int;
    device_tenant (tenant_id: int, device_id: int)
        rev_customer_id: int, site_id: int, account_number: text, account_number_integration_authentication_id: int,
        customer_rate_plan_id: int, customer_rate_pool_id: int, customer_data_allocation_mb: text,
        rev_service_id: int, effective_date: int, is_active: int, is_deleted: int, version: int, modified_by: text,
        modified_at: int;
    device_action_history (tenant_id: int, device_id: int, at: int, bulk_change_id: int, attempt: int, entry: int, month: int)
        action: text, old_value: text, new_value: text, changed_by: text;
    cross_provider_device_history (tenant_id: int, device_id: int, bulk_change_id: int, attempt: int, entry: int)
        service_provider_id: int, valid_from: int, valid_to: int, rev_customer_id: int, site_id: int,
        account_number: text, customer_rate_plan_id: int, customer_rate_pool_id: int,
        customer_data_allocation_mb: text;
    telegence_new_service_activation_staging (tenant_id: int, id: int)
        service_provider_id: int, foundation_account: text, billing_account: text, subscriber_number: text,
        activated_date: int, number_status: text, single_user_code: text, service_zip_code: text, iccid: text,
        imei: text, carrier_rate_pool: text, data_group: text, username: text;
    device_bulk_change (tenant_id: int, id: int)
        change_request_type_id: int, portal_type: int, service_provider_id: int, identifier: text, order_json: text,
        rev_customer_id: int, site_id: int, customer_rate_plan_id: int, customer_rate_pool_id: int, name: text,
        reason: text, created_by: text, created_by_id: int, runs_as_id: int, created_at: int,
        receiving_until: int, stored_order: int, started_at: int, begun_at: int, canceled_at: int, canceled_by: text,
        canceled_reach: text, processed_by: text, processed_at: int, attempt: int, reopening_until: int,
        first_device_change_id: int, last_device_change_id: int, total_count: int, open_count: int, processed_count: int,
        error_count: int, canceled_count: int, rejected_count: int, duplicate_count: int, scheduled_failed_count: int,
        integration_authentication_id: int, carrier_authentication_id: int;
    device_bulk_change_page (tenant_id: int, bulk_change_id: int, page: int)
        from_id: int, to_id: int, state: text, epoch: int, lease_until: int, owner: text, failures: int,
        lost_lease_until: int;
    device_change (tenant_id: int, id: int)
        bulk_change_id: int, request_position: int, device_id: int, iccid: text, number: text, per_device: text,
        judged_version: int, holds: int, status: text, error_kind: text, error_code: text, status_details: text,
        is_processed: int, processed_at: int, attempt: int, next_check_at: int, set_steps_done: int;
    device_change_step (tenant_id: int, device_change_id: int, step: text, part: int)
        state: text, attempt: int, request_key: text, external_id: text, outcome: text, at: int, calls: int,
        adopted: int, error_code: text, unknown_since: int, before_rate_plan: text, before_comm_plan: text;
    customer_rate_plan_device_queue (tenant_id: int, device_change_id: int)
        bulk_change_id: int, device_id: int, rev_customer_id: int, site_id: int, customer_rate_plan_id: int,
        customer_rate_pool_id: int, customer_data_allocation_mb: text, effective_date: int, portal_type: int,
        created_by: text, created_at: int, modified_by: text, modified_at: int, is_active: int, state: text,
        attempt: int, error_code: text, status_details: text;
    device_bulk_change_log (tenant_id: int, bulk_change_id: int, device_change_id: int, attempt: int, entry: int, month: int)
        portal_type: int, log_entry_description: text, process_by: text, processed_at: int, request_text: text,
        response_text: text, error_text: text, has_errors: int, response_status: text;
    idempotency_key (tenant_id: int, caller: int, idempotency_key: text)
        body_hash: bytes, running_until: int, bulk_change_id: int, answer_json: text, created_at: int;
    outbox (tenant_id: int, id: int) kind: text, message_version: int, bulk_change_id: int, created_at: int;
    outside_call_window (tenant_id: int, integration_authentication_id: int, span: text, bucket: int) calls: int;
    sync_run (tenant_id: int, id: int)
        integration_authentication_id: int, with_customers: int, with_services: int, is_full: int, since: int,
        state: text, phase: text, page: int, after_id: int, read_count: int, new_count: int, changed_count: int,
        unchanged_count: int, left_out_count: int, gone_count: int, billed_not_assigned_count: int,
        assigned_not_billed_count: int, ordered_by: text, started_at: int, ended_at: int, due_at: int, epoch: int,
        failures: int, note: text, service_provider_id: int, with_carrier_plans: int, with_devices: int, with_usage: int,
        changed_since: int, usage_lines: int, used_count: int;
    sync_run_line (tenant_id: int, sync_run_id: int, device_id: int);
    device_usage (tenant_id: int, device_id: int) data_bytes: int, sms_count: int, voice_seconds: int, at: int;
    sync_finding (tenant_id: int, sync_run_id: int, kind: text, subject: text, subject_id: int)
        rev_customer_id: int, rev_service_id: int, device_id: int, line: text, here: text, there: text, at: int;
    outside_call_place (tenant_id: int, integration_authentication_id: int, holder: text)
        places: int, wanted: int, since: int, lease_until: int;
}
