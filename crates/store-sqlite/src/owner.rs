//! What the owner of the store does and the product does not: changing and taking away what was audited.

use async_trait::async_trait;
use lineshift_domain::ids::TenantId;
use lineshift_store::Result;
use lineshift_store_sql::personal::OwnerEngine;
use lineshift_store_sql::{Engine, Scope, Sql};

use crate::Sqlite;

/// The triggers that keep what was audited as it is.
const KEEPERS: &str =
    "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN ('audit_entry', 'audit_outcome')";

#[async_trait]
impl OwnerEngine for Sqlite {
    /// Takes the triggers away and makes them anew within the transaction: nobody ever sees the tables without them.
    async fn write_as_owner<T, W>(&self, _tenant: TenantId, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        self.write_with(move |writer| {
            let keepers: Vec<(String, String)> = writer.sql().query(KEEPERS, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for (name, _) in &keepers {
                writer.batch(&format!("DROP TRIGGER {name}"))?;
            }
            let answer = work(&writer.sql())?;
            for (_, text) in &keepers {
                writer.batch(text)?;
            }
            Ok(answer)
        })
        .await
    }
}

impl Sqlite {
    /// How many entries and outcomes of the months before that one (202611) there are, or takes them away and answers how many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn audit_before(&self, before_month: u32, delete: bool) -> Result<[(&'static str, u64); 2]> {
        let found = if delete {
            // The tenant says nothing here: the file is its owner's as a whole.
            self.write_as_owner(TenantId(0), move |sql| {
                let drop = |text: &'static str| sql.execute(text, &[&before_month]).map(|rows| rows as u64);
                Ok([drop("DELETE FROM audit_entry WHERE month < $1")?, drop("DELETE FROM audit_outcome WHERE month < $1")?])
            })
            .await?
        } else {
            self.read(Scope::Across, move |sql| {
                let count =
                    |text: &'static str| sql.find(text, &[&before_month], |row| row.get::<u64>(0)).map(Option::unwrap_or_default);
                Ok([
                    count("SELECT count(*) FROM audit_entry WHERE month < $1")?,
                    count("SELECT count(*) FROM audit_outcome WHERE month < $1")?,
                ])
            })
            .await?
        };
        Ok([("audit_entry", found[0]), ("audit_outcome", found[1])])
    }
}
