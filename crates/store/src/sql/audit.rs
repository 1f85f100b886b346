//! What was asked of the product and what came of it. A key is (month, at, request): newest first is backwards by any index.

macro_rules! columns {
    () => {
        "SELECT e.at, e.request_id, e.actor, e.principal_id, e.who, e.address, e.agent, e.action, e.target,
            o.finished_at, o.result, o.status, o.devices, o.made, o.problem_codes, o.body_hash, o.note "
    };
}

/// Entries with their outcomes.
macro_rules! entries {
    () => {
        concat!(
            columns!(),
            "FROM audit_entry e
            LEFT JOIN audit_outcome o ON o.tenant_id = $1 AND o.month = e.month AND o.at = e.at AND o.request_id = e.request_id
            WHERE e.tenant_id = $1 AND (CAST($7 AS BIGINT) = 0 OR o.request_id IS NULL) "
        )
    };
}

/// Between two keys, newest first: before `$2` month, `$3` moment, `$4` request; from `$5` month, `$6` moment. `$8` how many.
macro_rules! between {
    ($of:literal) => {
        concat!(
            "AND (",
            $of,
            ".month, ",
            $of,
            ".at, ",
            $of,
            ".request_id) < (CAST($2 AS BIGINT), CAST($3 AS BIGINT), $4)
            AND (",
            $of,
            ".month, ",
            $of,
            ".at) >= (CAST($5 AS BIGINT), CAST($6 AS BIGINT))
            ORDER BY ",
            $of,
            ".month DESC, ",
            $of,
            ".at DESC, ",
            $of,
            ".request_id DESC LIMIT $8"
        )
    };
}

crate::statements! {
    /// `$1` tenant, `$2` month, `$3` moment, `$4` request, `$5` kind of caller, `$6` principal, `$7` who, `$8` address, `$9` agent,
    /// `$10` action, `$11` target.
    RECORD_ENTRY = "INSERT INTO audit_entry (tenant_id, month, at, request_id, actor, principal_id, who, address, agent, action, target)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    /// `$1` tenant, `$2` month, `$3` moment, `$4` request, `$5` end, `$6` result, `$7` status, `$8` devices, `$9` made, `$10` codes,
    /// `$11` hash, `$12` note.
    RECORD_OUTCOME = "INSERT INTO audit_outcome (tenant_id, month, at, request_id, finished_at, result, status, devices, made,
            problem_codes, body_hash, note)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

    /// By primary key; with `$7` those without an outcome, each of which is looked for by its primary key.
    LIST = concat!(entries!(), between!("e"));
    /// By `audit_entry_by_action`. `$9` action.
    LIST_BY_ACTION = concat!(entries!(), "AND e.action = $9 ", between!("e"));
    /// By `audit_entry_by_principal`; other actions are passed over. `$9` principal, `$10` action.
    LIST_BY_PRINCIPAL = concat!(entries!(), "AND e.principal_id = $9 AND (CAST($10 AS TEXT) IS NULL OR e.action = $10) ", between!("e"));
    /// By `audit_entry_by_target`: few for each. `$9` target, `$10` action, `$11` principal.
    LIST_BY_TARGET = concat!(
        entries!(),
        "AND e.target = $9 AND (CAST($10 AS TEXT) IS NULL OR e.action = $10)
        AND (CAST($11 AS BIGINT) IS NULL OR e.principal_id = $11) ",
        between!("e")
    );
    /// By `audit_outcome_by_made`: one for each, as a rule. What has an outcome is not unfinished. `$7` to `$11` as before.
    LIST_BY_MADE = concat!(
        columns!(),
        "FROM audit_outcome o
        JOIN audit_entry e ON e.tenant_id = $1 AND e.month = o.month AND e.at = o.at AND e.request_id = o.request_id
            AND (CAST($10 AS TEXT) IS NULL OR e.action = $10) AND (CAST($11 AS BIGINT) IS NULL OR e.principal_id = $11)
        WHERE o.tenant_id = $1 AND o.made = $9 AND CAST($7 AS BIGINT) = 0 ",
        between!("o")
    );
}
