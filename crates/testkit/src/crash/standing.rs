//! What stands in a store once all is done: as texts to compare with another run, and as rules that hold after any run.

use std::collections::BTreeMap;

use crate::store::TestStore;

/// All that a store holds about lines and changes but times, epochs and ids: changes are counted, lines named by ICCID.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing(BTreeMap<&'static str, Vec<String>>);

/// Name and query of each part. `NTH(x)` stands for the place of a change among all.
const PARTS: &[(&str, &str)] = &[
    (
        "changes",
        "SELECT NTH(b.id), b.change_request_type_id, b.portal_type, b.identifier, b.order_json, b.name, b.created_by, b.canceled_by,
            b.canceled_reach, b.processed_by, b.attempt, b.total_count, b.open_count, b.processed_count, b.error_count, b.canceled_count,
            b.rejected_count, b.duplicate_count, b.scheduled_failed_count, b.receiving_until IS NULL, b.started_at IS NULL,
            b.begun_at IS NULL, b.canceled_at IS NULL, b.processed_at IS NULL, b.reopening_until IS NULL,
            b.last_device_change_id - b.first_device_change_id + 1
        FROM device_bulk_change b ORDER BY b.id",
    ),
    (
        "pages",
        "SELECT NTH(p.bulk_change_id), p.page, p.from_id - b.first_device_change_id, p.to_id - p.from_id + 1, p.state,
            p.lease_until, p.owner, p.failures
        FROM device_bulk_change_page p JOIN device_bulk_change b ON b.id = p.bulk_change_id ORDER BY p.bulk_change_id, p.page",
    ),
    (
        "rows",
        "SELECT NTH(dc.bulk_change_id), dc.request_position, dc.iccid, dc.number, d.iccid, dc.judged_version, dc.holds, dc.status,
            dc.error_kind, dc.error_code, dc.status_details, dc.is_processed, dc.attempt, dc.processed_at IS NULL, dc.next_check_at
        FROM device_change dc LEFT JOIN device d ON d.id = dc.device_id ORDER BY dc.id",
    ),
    (
        "lines",
        "SELECT d.iccid, d.subscriber_number, d.status, d.is_archived, d.is_deleted, dt.rev_customer_id, dt.site_id,
            dt.account_number, dt.account_number_integration_authentication_id, dt.customer_rate_plan_id,
            dt.customer_rate_pool_id, dt.customer_data_allocation_mb, dt.rev_service_id, dt.effective_date, dt.is_active,
            dt.is_deleted, dt.version, dt.modified_by
        FROM device d LEFT JOIN device_tenant dt ON dt.device_id = d.id ORDER BY d.iccid",
    ),
    (
        "history",
        "SELECT d.iccid, NTH(h.bulk_change_id), h.attempt, h.entry, h.action, h.old_value, h.new_value, h.changed_by
        FROM device_action_history h JOIN device d ON d.id = h.device_id ORDER BY d.iccid, h.bulk_change_id, h.attempt, h.entry",
    ),
    (
        "cross_provider_history",
        "SELECT d.iccid, NTH(h.bulk_change_id), h.attempt, h.entry, h.service_provider_id, h.valid_to IS NULL, h.rev_customer_id,
            h.site_id, h.account_number, h.customer_rate_plan_id, h.customer_rate_pool_id, h.customer_data_allocation_mb
        FROM cross_provider_device_history h JOIN device d ON d.id = h.device_id
        ORDER BY d.iccid, h.bulk_change_id, h.attempt, h.entry",
    ),
    (
        "queue",
        "SELECT d.iccid, NTH(q.bulk_change_id), q.rev_customer_id, q.site_id, q.customer_rate_plan_id, q.customer_rate_pool_id,
            q.customer_data_allocation_mb, q.effective_date, q.portal_type, q.created_by, q.modified_by, q.is_active, q.state,
            q.attempt, q.error_code, q.status_details
        FROM customer_rate_plan_device_queue q JOIN device d ON d.id = q.device_id ORDER BY d.iccid, q.bulk_change_id",
    ),
    (
        "log",
        "SELECT NTH(l.bulk_change_id), dc.request_position, l.attempt, l.entry, l.portal_type, l.log_entry_description, l.process_by,
            l.request_text,
            CASE WHEN l.device_change_id = 0 THEN json_remove(l.response_text, '$.seconds') ELSE l.response_text END,
            l.error_text, l.has_errors, l.response_status
        FROM device_bulk_change_log l LEFT JOIN device_change dc ON dc.id = l.device_change_id
        ORDER BY l.bulk_change_id, l.device_change_id, l.attempt, l.entry",
    ),
    ("keys", "SELECT k.idempotency_key, NTH(k.bulk_change_id), k.answer_json IS NULL, k.running_until FROM idempotency_key k"),
];

impl Standing {
    /// What stands in the store now.
    pub async fn of(store: &TestStore) -> Self {
        let mut parts = BTreeMap::new();
        for (name, query) in PARTS {
            parts.insert(*name, look(store, &counted(query)).await);
        }
        Self(parts)
    }

    /// The same without some of its parts.
    #[must_use]
    pub fn without(mut self, parts: &[&'static str]) -> Self {
        for part in parts {
            assert!(self.0.remove(part).is_some(), "there is no part {part}");
        }
        self
    }

    /// One part, row by row.
    #[must_use]
    pub fn part(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_else(|| panic!("there is no part {name}"))
    }

    /// Panics, with the rows that differ, unless this is what the other is.
    pub fn assert_same(&self, reference: &Self, what: &str) {
        let mut differences = Vec::new();
        for (name, expected) in &reference.0 {
            let found = self.part(name);
            let only = |these: &[String], others: &[String], word: &str| -> Vec<String> {
                these.iter().filter(|row| !others.contains(row)).map(|row| format!("{name}: {word} {row}")).collect()
            };
            if found != expected.as_slice() {
                differences.push(format!("{name}: {} rows, {} expected", found.len(), expected.len()));
                differences.extend(only(found, expected, "found"));
                differences.extend(only(expected, found, "expected"));
            }
        }
        assert!(
            differences.is_empty(),
            "{what}, this stands otherwise than after an undisturbed run:\n{}",
            differences.join("\n")
        );
    }
}

/// What a query answers, one text a row.
pub async fn look(store: &TestStore, query: &str) -> Vec<String> {
    let rows = store.inspect(query).await.unwrap_or_else(|error| panic!("{error:?}: {query}"));
    rows.into_iter().map(|row| row.join(" | ")).collect()
}

/// Puts the count in for `NTH(x)`.
fn counted(query: &str) -> String {
    let mut text = String::new();
    let mut rest = query;
    while let Some((before, after)) = rest.split_once("NTH(") {
        let (id, after) = after.split_once(')').expect("NTH takes a column");
        text.push_str(&format!("{before}(SELECT count(*) FROM device_bulk_change n WHERE n.id <= {id})"));
        rest = after;
    }
    text + rest
}

/// What never holds once all is done; each query answers the rows that break the rule.
const NEVER: &[(&str, &str)] = &[
    (
        "counts are not those of the rows",
        "SELECT b.id, b.total_count, b.open_count, b.processed_count, b.error_count, b.canceled_count FROM device_bulk_change b
        WHERE (b.total_count, b.open_count, b.processed_count, b.error_count, b.canceled_count) <> (
            SELECT count(*), count(*) FILTER (WHERE status IN ('NEW', 'PROCESSING', 'PENDING')),
                count(*) FILTER (WHERE status = 'PROCESSED'), count(*) FILTER (WHERE status = 'ERROR'),
                count(*) FILTER (WHERE status = 'CANCELED')
            FROM device_change dc WHERE dc.bulk_change_id = b.id)",
    ),
    (
        "a row or page is missing or too many",
        "SELECT b.id FROM device_bulk_change b
        WHERE b.total_count <> b.last_device_change_id - b.first_device_change_id + 1
           OR (SELECT sum(to_id - from_id + 1) FROM device_bulk_change_page p WHERE p.bulk_change_id = b.id) IS DISTINCT FROM b.total_count
              AND b.name IS DISTINCT FROM 'Imported'",
    ),
    ("a change is not completed", "SELECT id FROM device_bulk_change WHERE processed_at IS NULL OR receiving_until IS NOT NULL"),
    ("a row is not final", "SELECT id, status FROM device_change WHERE status NOT IN ('PROCESSED', 'ERROR', 'CANCELED')"),
    ("a row holds its line", "SELECT id, holds FROM device_change WHERE holds <> 0"),
    (
        "a page is left",
        "SELECT bulk_change_id, page, state FROM device_bulk_change_page
        WHERE state <> 'completed' OR lease_until IS NOT NULL OR owner IS NOT NULL",
    ),
    (
        "something is left of a dropped change",
        "SELECT 'row', bulk_change_id FROM device_change UNION ALL SELECT 'page', bulk_change_id FROM device_bulk_change_page
        UNION ALL SELECT 'log', bulk_change_id FROM device_bulk_change_log
        UNION ALL SELECT 'queue', bulk_change_id FROM customer_rate_plan_device_queue
        EXCEPT SELECT kind, id FROM device_bulk_change, (SELECT 'row' AS kind UNION SELECT 'page' UNION SELECT 'log' UNION SELECT 'queue') AS kinds",
    ),
    (
        "an action stands twice in a line's history",
        "SELECT device_id, bulk_change_id, action, count(*) FROM device_action_history
        GROUP BY device_id, bulk_change_id, action HAVING count(*) > 1",
    ),
    (
        "history and row do not agree",
        "SELECT dc.id, dc.status, dc.status_details, q.state FROM device_change dc
        LEFT JOIN customer_rate_plan_device_queue q ON q.device_change_id = dc.id
        WHERE (dc.status = 'PROCESSED' AND coalesce(dc.status_details, '') NOT LIKE 'scheduled for%' AND dc.status_details IS DISTINCT FROM 'already so'
               OR q.state = 'applied' AND EXISTS (SELECT 1 FROM device_bulk_change_log l WHERE l.device_change_id = dc.id
                                                  AND l.entry = 2000 AND l.response_text = 'applied'))
           <> EXISTS (SELECT 1 FROM device_action_history h WHERE h.device_id = dc.device_id AND h.bulk_change_id = dc.bulk_change_id)",
    ),
    (
        "the version was not raised once an action",
        "SELECT dt.device_id, dt.version FROM device_tenant dt WHERE dt.modified_by <> 'import' AND dt.version - 1
        <> (SELECT count(*) FROM device_action_history h WHERE h.device_id = dt.device_id)",
    ),
    ("a line has no assignment row", "SELECT id FROM device WHERE id NOT IN (SELECT device_id FROM device_tenant)"),
    (
        // A service line is no assignment: it may be all that is kept of a row that was refused after it was opened.
        "what changed a line left no cross-provider history, or more than one",
        "SELECT DISTINCT device_id, bulk_change_id, attempt, entry >= 1000 FROM device_action_history WHERE action <> 'service_line'
        EXCEPT SELECT device_id, bulk_change_id, attempt, entry >= 1000 FROM cross_provider_device_history",
    ),
    (
        "cross-provider history of what changed nothing",
        "SELECT device_id, bulk_change_id, attempt, entry >= 1000 FROM cross_provider_device_history
        EXCEPT SELECT device_id, bulk_change_id, attempt, entry >= 1000 FROM device_action_history",
    ),
    (
        "a line has not one present row, or a gap or overlap",
        "SELECT h.device_id, count(*), count(*) FILTER (WHERE h.valid_to IS NULL) FROM cross_provider_device_history h GROUP BY h.device_id
        HAVING count(*) FILTER (WHERE h.valid_to IS NULL) <> 1
            OR count(*) FILTER (WHERE h.valid_from > coalesce(h.valid_to, h.valid_from)) > 0
            OR count(*) - 1 <> (SELECT count(*) FROM cross_provider_device_history a WHERE a.device_id = h.device_id AND EXISTS (
                SELECT 1 FROM cross_provider_device_history z WHERE z.device_id = a.device_id AND z.valid_from = a.valid_to
                   AND (z.bulk_change_id, z.attempt, z.entry) <> (a.bulk_change_id, a.attempt, a.entry)))",
    ),
    (
        "a log entry stands twice",
        "SELECT device_change_id, attempt, entry, count(*) FROM device_bulk_change_log
        GROUP BY bulk_change_id, device_change_id, attempt, entry HAVING count(*) > 1",
    ),
    (
        "a row's last attempt has neither one outcome nor its steps in the log",
        "SELECT dc.id, dc.status FROM device_change dc JOIN device_bulk_change b ON b.id = dc.bulk_change_id
        WHERE b.name IS DISTINCT FROM 'Imported' AND
            (SELECT sum(CASE l.entry WHEN 0 THEN 10 WHEN 30 THEN 1 WHEN 40 THEN 1 ELSE 0 END) FROM device_bulk_change_log l
             WHERE l.bulk_change_id = b.id AND l.device_change_id = dc.id AND l.attempt = dc.attempt)
        IS DISTINCT FROM CASE WHEN dc.status = 'PROCESSED' AND dc.status_details IS DISTINCT FROM 'already so'
            THEN CASE WHEN b.order_json LIKE '%\"customer_rate_plan\":{%' THEN 2 ELSE 1 END ELSE 10 END",
    ),
    (
        "a change was not completed once an attempt",
        "SELECT b.id, b.attempt FROM device_bulk_change b WHERE b.name IS DISTINCT FROM 'Imported' AND b.attempt
        <> (SELECT count(*) FROM device_bulk_change_log l WHERE l.bulk_change_id = b.id AND l.device_change_id = 0 AND l.entry = 90)",
    ),
    (
        "an entry that fell due has not one log entry",
        "SELECT q.device_change_id, q.state FROM customer_rate_plan_device_queue q WHERE q.state IN ('applied', 'failed')
        AND 1 <> (SELECT count(*) FROM device_bulk_change_log l WHERE l.device_change_id = q.device_change_id AND l.entry = 2000)",
    ),
    ("work is still announced", "SELECT kind, next_due FROM tenant_work WHERE kind = 'bulk_change'"),
    (
        "open entries are not announced, or others are",
        "SELECT min(effective_date) FROM customer_rate_plan_device_queue WHERE state = 'open' HAVING count(*) > 0
        EXCEPT SELECT next_due FROM tenant_work WHERE kind = 'plan_queue'",
    ),
    ("a message waits", "SELECT id, kind FROM outbox"),
    ("an idempotency key is taken without an answer", "SELECT idempotency_key FROM idempotency_key WHERE answer_json IS NULL"),
];

/// Panics unless every rule holds; to be called when all changes have ended and the scheduler ran.
pub async fn check_invariants(store: &TestStore) {
    let broken = broken_rules(store, &[]).await;
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Every rule that is broken, one text for each row; those named are not looked at.
pub async fn broken_rules(store: &TestStore, left_out: &[&str]) -> Vec<String> {
    let known = |name: &&str| NEVER.iter().any(|(rule, _)| rule == name);
    assert!(left_out.iter().all(known), "a rule of {left_out:?} is not known");
    let mut broken = damage(store).await;
    for (rule, query) in NEVER.iter().filter(|(rule, _)| !left_out.contains(rule)) {
        let rows = look(store, query).await;
        broken.extend(rows.iter().map(|row| format!("{rule}: {row}")));
    }
    broken
}

/// What is damaged in a file. PostgreSQL looks after itself.
pub async fn damage(store: &TestStore) -> Vec<String> {
    let mut broken = Vec::new();
    if matches!(store, TestStore::Sqlite(_)) {
        broken.extend(look(store, "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'").await);
        broken.extend(look(store, "SELECT * FROM pragma_foreign_key_check").await);
    }
    broken
}
