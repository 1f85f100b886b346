//! Runs of synchronisation and their findings. `$1` is the tenant.

/// The columns of a run.
macro_rules! run {
    () => {
        "id, integration_authentication_id, with_customers, with_services, is_full, since, state, phase, page, after_id, read_count,
        new_count, changed_count, unchanged_count, left_out_count, gone_count, billed_not_assigned_count,
        assigned_not_billed_count, ordered_by, started_at, ended_at, due_at, failures, note, service_provider_id,
        with_carrier_plans, with_devices, with_usage, changed_since, usage_lines, used_count"
    };
}

/// The columns of a finding.
macro_rules! finding {
    () => {
        "kind, subject, subject_id, rev_customer_id, rev_service_id, device_id, line, here, there, at"
    };
}

crate::statements! {
    /// One run of the account that goes on, by `sync_run_running`: at most one row.
    FIND_RUNNING = "SELECT id FROM sync_run WHERE tenant_id = $1 AND integration_authentication_id = $2 AND state = 'running'";
    /// When the last run began that read customers of the account and came to its end: by `sync_run_of_account`, backwards.
    LAST_OF_CUSTOMERS = "SELECT started_at FROM sync_run
        WHERE tenant_id = $1 AND integration_authentication_id = $2 AND state = 'done' AND with_customers = 1
        ORDER BY id DESC LIMIT 1";
    /// When the last run began that read lines of the service provider `$3` and came to its end: by `sync_run_of_account`, backwards.
    LAST_OF_LINES = "SELECT started_at FROM sync_run
        WHERE tenant_id = $1 AND integration_authentication_id = $2 AND state = 'done' AND with_devices = 1
          AND service_provider_id = $3
        ORDER BY id DESC LIMIT 1";
    /// `$2` id, `$3` account, `$4` customers, `$5` services, `$6` full, `$7` since, `$8` phase, `$9` who, `$10` now, `$11` provider,
    /// `$12` carrier plans, `$13` devices, `$14` usage, `$15` changed since, `$16` lines of which usage is read.
    INSERT_RUN = "INSERT INTO sync_run (
            tenant_id, id, integration_authentication_id, with_customers, with_services, is_full, since, state, phase, page, after_id,
            read_count, new_count, changed_count, unchanged_count, left_out_count, gone_count, billed_not_assigned_count,
            assigned_not_billed_count, ordered_by, started_at, due_at, epoch, failures, service_provider_id, with_carrier_plans,
            with_devices, with_usage, changed_since, usage_lines, used_count)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, $9, $10, $10, 0, 0, $11, $12, $13, $14, $15,
            $16, 0)";
    /// One row by primary key.
    GET_RUN = concat!("SELECT ", run!(), " FROM sync_run WHERE tenant_id = $1 AND id = $2");
    /// `$2` before, `$3` limit. By primary key, backwards.
    LIST_RUNS = concat!("SELECT ", run!(), " FROM sync_run WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
    /// `$2` run, `$3` kind, `$4` subject, `$5` id, `$6` limit. By the primary key's range.
    LIST_FINDINGS = concat!("SELECT ", finding!(), " FROM sync_finding
        WHERE tenant_id = $1 AND sync_run_id = $2 AND (kind, subject, subject_id) > ($3, $4, $5)
        ORDER BY kind, subject, subject_id LIMIT $6");
    /// `$2` run, `$3` kind, `$4` subject, `$5` id, `$6` limit. By the primary key's range.
    LIST_FINDINGS_OF_KIND = concat!("SELECT ", finding!(), " FROM sync_finding
        WHERE tenant_id = $1 AND sync_run_id = $2 AND kind = $3 AND (subject, subject_id) > ($4, $5)
        ORDER BY subject, subject_id LIMIT $6");
    /// `$2` began after, `$3` kind of account. A tenant has a handful of accounts; the runs of each by `sync_run_running` and
    /// `sync_run_of_account`.
    LIST_ACCOUNTS_TO_SYNC = "SELECT a.id FROM integration_authentication a
        WHERE a.tenant_id = $1 AND a.integration_kind = $3 AND a.is_active = 1 AND a.secret_encrypted IS NOT NULL
          AND a.base_address IS NOT NULL AND a.refused_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM sync_run r
                WHERE r.tenant_id = $1 AND r.integration_authentication_id = a.id AND r.state = 'running')
          AND NOT EXISTS (SELECT 1 FROM sync_run r
                WHERE r.tenant_id = $1 AND r.integration_authentication_id = a.id AND r.started_at > $2)";
    /// The same of the service providers on the kind of carrier `$3`: account, provider. A tenant has a handful of either.
    LIST_CARRIERS_TO_SYNC = "SELECT a.id, p.id FROM service_provider p
        JOIN integration_authentication a ON a.tenant_id = $1 AND a.id = p.integration_authentication_id
        WHERE p.tenant_id = $1 AND p.is_active = 1 AND p.integration_kind = $3 AND a.integration_kind = $3
          AND a.is_active = 1 AND a.secret_encrypted IS NOT NULL AND a.base_address IS NOT NULL AND a.refused_at IS NULL
          AND NOT EXISTS (SELECT 1 FROM sync_run r
                WHERE r.tenant_id = $1 AND r.integration_authentication_id = a.id AND r.state = 'running')
          AND NOT EXISTS (SELECT 1 FROM sync_run r
                WHERE r.tenant_id = $1 AND r.integration_authentication_id = a.id AND r.service_provider_id = p.id
                  AND r.started_at > $2)";
    /// `$2` account. A tenant has a handful of service providers.
    LIST_PROVIDERS_OF = "SELECT id FROM service_provider
        WHERE tenant_id = $1 AND integration_authentication_id = $2 AND is_active = 1 ORDER BY id LIMIT 100";
    /// Whether a page of an unfinished change that calls account `$2` is at work, or may be claimed at `$3`: a tenant has a handful of
    /// unfinished changes, by `device_bulk_change_unfinished`; their pages by `device_bulk_change_page_state`. What waits for a moment
    /// to come has no owner and a lease that runs on.
    IS_ACCOUNT_WANTED = "SELECT 1 FROM device_bulk_change b
        WHERE b.tenant_id = $1 AND b.processed_at IS NULL AND b.receiving_until IS NULL
          AND (b.started_at IS NOT NULL OR b.canceled_at IS NOT NULL)
          AND (b.integration_authentication_id = $2 OR b.carrier_authentication_id = $2)
          AND EXISTS (SELECT 1 FROM device_bulk_change_page p
                WHERE p.tenant_id = $1 AND p.bulk_change_id = b.id AND p.state = 'ready'
                  AND (p.lease_until IS NULL OR p.lease_until <= $3 OR p.owner IS NOT NULL))
        LIMIT 1";
    /// The rate plans of service provider `$2`: id, code, name, active. By the unique index of their codes.
    LIST_PLANS = "SELECT id, code, name, is_active FROM carrier_rate_plan
        WHERE tenant_id = $1 AND service_provider_id = $2 ORDER BY code";
    /// `$2` now, `$3` limit. By `sync_run_due`.
    LIST_DUE = "SELECT id, due_at FROM sync_run WHERE tenant_id = $1 AND state = 'running' AND due_at <= $2 ORDER BY due_at, id LIMIT $3";
    /// `$2` id, `$3` until, `$4` now. One row by primary key.
    CLAIM = "UPDATE sync_run SET epoch = epoch + 1, due_at = $3
        WHERE tenant_id = $1 AND id = $2 AND state = 'running' AND due_at <= $4 RETURNING epoch";
    /// `$2` id, `$3` epoch, `$4` until. One row by primary key.
    RENEW = "UPDATE sync_run SET due_at = $4 WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running'";
    /// `$2` id, `$3` epoch, `$4` until, `$5` failures, `$6` note. The claim ends with it: a heartbeat that is under way finds nothing
    /// to renew. One row by primary key.
    PUT_OFF = "UPDATE sync_run SET due_at = $4, failures = $5, note = $6, epoch = epoch + 1
        WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running'";
    /// `$2` id, `$3` epoch, `$4` note, `$5` now. One row by primary key.
    FAIL = "UPDATE sync_run SET state = 'failed', ended_at = $5, note = $4
        WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running'";
    /// Takes the note away that the tenant has runs that go on, when none is left.
    FORGET_WORK = "DELETE FROM tenant_work WHERE tenant_id = $1 AND kind = 'sync'
        AND NOT EXISTS (SELECT 1 FROM sync_run r WHERE r.tenant_id = $1 AND r.state = 'running')";
    /// `$2` id, `$3` epoch, `$4` state, `$5` phase, `$6` page, `$7` after, `$8` ended, `$9` read, `$10` new, `$11` changed,
    /// `$12` unchanged, `$13` left out, `$14` gone, `$15` billed not assigned, `$16` assigned not billed, `$17` used. One row by primary
    /// key.
    ADVANCE = "UPDATE sync_run SET
            state = $4, phase = $5, page = $6, after_id = $7, ended_at = $8, read_count = read_count + $9,
            new_count = new_count + $10, changed_count = changed_count + $11, unchanged_count = unchanged_count + $12,
            left_out_count = left_out_count + $13, gone_count = gone_count + $14,
            billed_not_assigned_count = billed_not_assigned_count + $15,
            assigned_not_billed_count = assigned_not_billed_count + $16, used_count = used_count + $17,
            failures = 0, note = NULL
        WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running'";
}
