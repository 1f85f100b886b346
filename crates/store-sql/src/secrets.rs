//! What is sealed, read and replaced when a key takes another's place.

use async_trait::async_trait;
use lineshift_domain::ids::{TenantId, UserId};
use lineshift_store::Result;
use lineshift_store::paging::Listed;
use lineshift_store::secrets::{Resealed, SealedColumn, SealedRow, SealedText, SecretStore};
use lineshift_store::sql::secrets as text;

use crate::engine::{Engine, Scope, Sql, SqlStore};
use crate::row::page_limit;

#[async_trait]
impl<E: Engine> SecretStore for SqlStore<E> {
    async fn list_sealed(
        &self,
        tenant: TenantId,
        column: SealedColumn,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Listed<SealedText, i64>> {
        let (limit, surplus) = page_limit(limit);
        let statement = match column {
            SealedColumn::Accounts => text::LIST_SEALED_ACCOUNTS,
            SealedColumn::Callbacks => text::LIST_SEALED_CALLBACKS,
        };
        // Ids begin at 1.
        let after = after.unwrap_or(0);
        let texts = self.engine.read(tenant, move |sql| {
            sql.query(statement, &[&tenant.0, &after, &surplus], |row| {
                Ok(SealedText { row: column.row(row.get(0)?), name: row.get(1)?, sealed: row.get(2)? })
            })
        });
        Ok(Listed::from_surplus(texts.await?, limit, |text| text.row.id()))
    }

    async fn replace_sealed(&self, tenant: TenantId, texts: &[Resealed]) -> Result<u64> {
        let texts = texts.to_vec();
        self.engine.write(tenant, move |sql| replace(sql, tenant, &texts)).await
    }

    async fn list_sealed_of_users(&self, after: Option<i64>, limit: usize) -> Result<Listed<SealedText, i64>> {
        let (limit, surplus) = page_limit(limit);
        let after = after.unwrap_or(0);
        let texts = self.engine.read(Scope::Across, move |sql| {
            sql.query(text::LIST_SEALED_OF_USERS, &[&after, &surplus], |row| {
                Ok(SealedText { row: SealedRow::OneTimePasswords(UserId(row.get(0)?)), name: row.get(1)?, sealed: row.get(2)? })
            })
        });
        Ok(Listed::from_surplus(texts.await?, limit, |text| text.row.id()))
    }

    async fn replace_sealed_of_users(&self, texts: &[Resealed]) -> Result<u64> {
        let texts = texts.to_vec();
        self.engine.write(Scope::Across, move |sql| replace_of_users(sql, &texts)).await
    }
}

/// A statement a row: a tenant has a handful of accounts, and the key changes once a year.
fn replace(sql: &Sql<'_>, tenant: TenantId, texts: &[Resealed]) -> Result<u64> {
    let mut replaced = 0;
    for Resealed { row, before, after } in texts {
        let statement = match row {
            SealedRow::Account(_) => text::REPLACE_SEALED_ACCOUNT,
            SealedRow::Callbacks(_) => text::REPLACE_SEALED_CALLBACKS,
            SealedRow::OneTimePasswords(_) => continue,
        };
        replaced += sql.execute(statement, &[&tenant.0, &row.id(), before, after])? as u64;
    }
    Ok(replaced)
}

fn replace_of_users(sql: &Sql<'_>, texts: &[Resealed]) -> Result<u64> {
    let mut replaced = 0;
    for Resealed { row, before, after } in texts {
        if let SealedRow::OneTimePasswords(user) = row {
            replaced += sql.execute(text::REPLACE_SEALED_OF_USER, &[&user.0, before, after])? as u64;
        }
    }
    Ok(replaced)
}
