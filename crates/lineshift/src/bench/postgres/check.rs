//! What a leg left behind: its row counts, and a digest of the rows themselves without times. Legs of one group must agree.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use tokio_postgres::Client;

use crate::bench::check::{COUNTS, Counts, ROWS};

/// What a leg left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    /// Row counts.
    pub(super) counts: Counts,
    /// A digest of each table's rows.
    digests: BTreeMap<&'static str, String>,
}

impl Left {
    /// Reads what a leg left in the database of that connection.
    pub(super) async fn read(client: &Client) -> Result<Self> {
        client.batch_execute("SET work_mem = '256MB'; SET enable_nestloop = off").await?;
        let mut counts = Counts::new();
        for (table, query) in COUNTS {
            let counted = format!("SELECT name::text, rows::bigint FROM ({query}) AS counted (name, rows)");
            for row in client.query(&counted, &[]).await.with_context(|| format!("counting {table}"))? {
                counts.insert(format!("{table} {}", row.get::<_, &str>(0)), row.get::<_, Option<i64>>(1).unwrap_or(0));
            }
        }
        let mut digests = BTreeMap::new();
        for (table, query) in ROWS {
            // The rows of a table in an order of their own: two tables with the same rows read the same.
            let digest = format!("SELECT md5(string_agg(md5(r::text), '' ORDER BY md5(r::text))) FROM ({query}) AS r");
            let digest: Option<String> = client.query_one(&digest, &[]).await.with_context(|| format!("reading {table}"))?.get(0);
            digests.insert(table, digest.unwrap_or_default());
        }
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
