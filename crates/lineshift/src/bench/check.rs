//! What a leg left behind: its row counts, and a digest of the rows themselves without times. Legs of one group must agree.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest as _, Sha256};

use super::script;

/// Rows by what is counted.
pub(super) type Counts = BTreeMap<String, i64>;

/// What a leg left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    /// Row counts.
    pub(super) counts: Counts,
    /// A digest of each table's rows.
    digests: BTreeMap<&'static str, String>,
}

/// A name, and a query that answers names and counts.
pub(super) const COUNTS: [(&str, &str); 6] = [
    ("device_change", "SELECT coalesce(status || ' ' || error_code, status), count(*) FROM device_change GROUP BY 1"),
    ("device_action_history", "SELECT action, count(*) FROM device_action_history GROUP BY 1"),
    ("device_bulk_change_log", "SELECT log_entry_description, count(*) FROM device_bulk_change_log GROUP BY 1"),
    ("cross_provider_device_history", "SELECT 'rows', count(*) FROM cross_provider_device_history"),
    ("device_bulk_change_page", "SELECT state, count(*) FROM device_bulk_change_page GROUP BY 1"),
    (
        "device_tenant",
        "SELECT 'versions', sum(dt.version) FROM device_change dc JOIN device_tenant dt
             ON dt.tenant_id = dc.tenant_id AND dt.device_id = dc.device_id",
    ),
];

/// Rows in the order of their lines, so that it does not matter how the rows of a change are numbered.
pub(super) const ROWS: [(&str, &str); 6] = [
    (
        "device_bulk_change",
        "SELECT order_json, total_count, open_count, processed_count, error_count, canceled_count, rejected_count,
             receiving_until, stored_order, attempt, processed_by, processed_at IS NULL, begun_at IS NULL, started_at IS NULL
         FROM device_bulk_change",
    ),
    (
        "device_change",
        "SELECT device_id, bulk_change_id, request_position, iccid, number, judged_version, holds, status, error_kind, error_code,
             status_details, is_processed, processed_at IS NULL, attempt, next_check_at
         FROM device_change ORDER BY device_id",
    ),
    (
        "device_bulk_change_log",
        "SELECT dc.device_id, l.attempt, l.entry, l.month, l.portal_type, l.log_entry_description, l.process_by, l.request_text,
             l.response_text, l.error_text, l.has_errors, l.response_status
         FROM device_change dc JOIN device_bulk_change_log l
             ON l.tenant_id = dc.tenant_id AND l.bulk_change_id = dc.bulk_change_id AND l.device_change_id = dc.id
         ORDER BY dc.device_id",
    ),
    (
        "device_action_history",
        "SELECT device_id, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by
         FROM device_action_history",
    ),
    (
        "cross_provider_device_history",
        "SELECT device_id, bulk_change_id, attempt, entry, service_provider_id, valid_to, rev_customer_id, site_id, account_number,
             customer_rate_plan_id, customer_rate_pool_id, customer_data_allocation_mb
         FROM cross_provider_device_history",
    ),
    (
        "device_tenant",
        "SELECT dt.device_id, rev_customer_id, site_id, account_number, account_number_integration_authentication_id,
             customer_rate_plan_id, customer_rate_pool_id, customer_data_allocation_mb, rev_service_id, effective_date, is_active,
             is_deleted, version, modified_by
         FROM device_change dc JOIN device_tenant dt ON dt.tenant_id = dc.tenant_id AND dt.device_id = dc.device_id
         ORDER BY dt.device_id",
    ),
];

impl Left {
    /// Reads what a leg left in its database.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let connection = script::open(file)?;
        let mut counts = Counts::new();
        for (table, query) in COUNTS {
            let mut statement = connection.prepare(query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                counts.insert(format!("{table} {}", row.get::<_, String>(0)?), row.get::<_, Option<i64>>(1)?.unwrap_or(0));
            }
        }
        let digest = |(table, query): (&'static str, &str)| Ok((table, digest(&connection, query)?));
        let digests = ROWS.into_iter().map(digest).collect::<Result<_>>()?;
        Ok(Self { counts, digests })
    }

    /// Fails unless another leg left the same.
    pub(super) fn require_same(&self, other: &Self) -> Result<()> {
        ensure!(self.counts == other.counts, "row counts differ: {:?} and {:?}", self.counts, other.counts);
        for (table, digest) in &self.digests {
            let same = other.digests.get(table).is_some_and(|of_other| of_other == digest);
            ensure!(same, "the rows of {table} differ although there are as many");
        }
        Ok(())
    }
}

fn digest(connection: &Connection, query: &str) -> Result<String> {
    let mut statement = connection.prepare(query).with_context(|| format!("preparing {query}"))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut digest = Sha256::new();
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            // The kind goes before the value and its length before a text, so that no two rows read the same.
            match row.get_ref(column)? {
                ValueRef::Null => digest.update([0]),
                ValueRef::Integer(number) => {
                    digest.update([1]);
                    digest.update(number.to_le_bytes());
                }
                ValueRef::Real(number) => {
                    digest.update([2]);
                    digest.update(number.to_le_bytes());
                }
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    digest.update([3]);
                    digest.update(bytes.len().to_le_bytes());
                    digest.update(bytes);
                }
            }
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "INSERT INTO device_change (tenant_id, id, bulk_change_id, request_position, device_id, holds, status,
        is_processed, attempt) VALUES (1, 1, 1, 0, 1, 0, 'NEW', 0, 1)";

    #[tokio::test]
    async fn rows_too_few_and_rows_that_differ_are_noticed() {
        let dir = tempfile::tempdir().expect("a directory");
        let [one, other] = ["one.db", "other.db"].map(|name| dir.path().join(name));
        for file in [&one, &other] {
            drop(super::super::prepare::open_store(file).await.expect("a store"));
        }
        let change = |file: &Path, sql: &str| script::open(file).and_then(|store| Ok(store.execute(sql, [])?)).expect("changed");
        let compare = || Left::read(&one).expect("read").require_same(&Left::read(&other).expect("read"));
        compare().expect("both are empty");
        change(&one, ROW);
        assert!(compare().expect_err("one more").to_string().contains("row counts differ"));
        change(&other, ROW);
        change(&other, "UPDATE device_change SET holds = 1");
        assert_eq!(compare().expect_err("another").to_string(), "the rows of device_change differ although there are as many");
        change(&one, "UPDATE device_change SET holds = 1");
        compare().expect("the same again");
    }
}
