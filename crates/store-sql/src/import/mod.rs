//! Bringing in what another system knows: each call one transaction, set by set.

mod assignments;
mod catalogue;
mod devices;
mod queue_entries;
mod rev_services;

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{DeviceId, RevCustomerId, ServiceProviderId, SiteId, TenantId};
use lineshift_store::catalogue::{CustomerRatePlan, CustomerRatePool, RevCustomer, Site};
use lineshift_store::import::{
    IMPORT_ROWS, ImportAssignment, ImportDevice, ImportQueueEntry, ImportRevService, ImportStore, Imported,
};
use lineshift_store::{Result, StoreError};

use crate::engine::Sql;
use crate::engine::{Engine, SqlStore};
use crate::json::json;
use crate::sql::import as tuned;
use crate::statement::Statement;

/// Implements the trait: each call takes its rows to the writer and runs there as one transaction.
macro_rules! implement {
    ({ $($method:ident, $row:ident, $import:path;)* } by { $($by_method:ident, $by_row:ident, $by_import:path;)* }) => {
        #[async_trait]
        impl<E: Engine> ImportStore for SqlStore<E> {
            $(
                async fn $method(&self, tenant: TenantId, rows: &[$row], now: DateTime<Utc>) -> Result<Imported> {
                    check_count(rows.len())?;
                    let rows = rows.to_vec();
                    self.engine.write(tenant, move |sql| $import(sql, tenant, &rows, now)).await
                }
            )*
            $(
                async fn $by_method(&self, tenant: TenantId, rows: &[$by_row], by: &str, now: DateTime<Utc>) -> Result<Imported> {
                    check_count(rows.len())?;
                    let (rows, by) = (rows.to_vec(), by.to_owned());
                    self.engine.write(tenant, move |sql| $by_import(sql, tenant, &rows, &by, now)).await
                }
            )*
        }
    };
}

implement! {
    {
        import_customers, RevCustomer, catalogue::import_customers;
        import_sites, Site, catalogue::import_sites;
        import_plans, CustomerRatePlan, catalogue::import_plans;
        import_pools, CustomerRatePool, catalogue::import_pools;
        import_rev_services, ImportRevService, rev_services::import;
    } by {
        import_devices, ImportDevice, devices::import;
        import_assignments, ImportAssignment, assignments::import;
        import_queue_entries, ImportQueueEntry, queue_entries::import;
    }
}

fn check_count(rows: usize) -> Result<()> {
    if rows > IMPORT_ROWS {
        return Err(StoreError::internal(format!("{rows} rows were given to one import call, at most {IMPORT_ROWS} are taken")));
    }
    Ok(())
}

/// The ids that exist of those that rows refer to, with one number beside each (0 where the statement answers none).
struct Known(HashMap<i64, i64>);

impl Known {
    fn find(sql: &Sql<'_>, statement: Statement, tenant: TenantId, ids: impl Iterator<Item = i64>) -> Result<Self> {
        let asked: HashSet<i64> = ids.collect();
        if asked.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let asked = json(&asked.into_iter().collect::<Vec<_>>())?;
        let found = sql.query(statement, &[&tenant.0, &asked], |row| {
            let beside = if row.columns() > 1 { row.get(1)? } else { 0 };
            Ok((row.get(0)?, beside))
        })?;
        Ok(Self(found.into_iter().collect()))
    }

    fn get(&self, id: i64) -> Option<i64> {
        self.0.get(&id).copied()
    }

    /// Errors: the text for a row that refers to something that is not there.
    fn require(&self, what: &str, id: Option<i64>) -> std::result::Result<(), String> {
        match id {
            Some(id) if !self.0.contains_key(&id) => Err(format!("{what} {id} does not exist")),
            _ => Ok(()),
        }
    }
}

/// A line that a row names, with its assignment as it stands.
#[derive(Debug, Clone, Copy)]
struct KnownLine {
    id: DeviceId,
    version: i64,
    service_provider_id: ServiceProviderId,
    rev_customer_id: Option<RevCustomerId>,
    site_id: Option<SiteId>,
}

/// The line of each ICCID, by its place in the list; those that are not there are left out.
fn find_lines(sql: &Sql<'_>, tenant: TenantId, iccids: &[&str]) -> Result<HashMap<usize, KnownLine>> {
    let found = sql.query(tuned::FIND_LINES, &[&tenant.0, &json(iccids)?], |row| {
        let line = KnownLine {
            id: DeviceId(row.get(1)?),
            version: row.get(2)?,
            service_provider_id: ServiceProviderId(row.get(3)?),
            rev_customer_id: row.get::<Option<i64>>(4)?.map(RevCustomerId),
            site_id: row.get::<Option<i64>>(5)?.map(SiteId),
        };
        Ok((row.place(0)?, line))
    })?;
    Ok(found.into_iter().collect())
}

fn no_line(iccid: &str) -> String {
    format!("no line has the ICCID {iccid}")
}

/// Counts a key as updated when it is among the known ones or came before in this call, else as created.
fn count<K: Eq + std::hash::Hash>(imported: &mut Imported, known: &mut HashSet<K>, key: K) {
    if known.insert(key) {
        imported.created += 1;
    } else {
        imported.updated += 1;
    }
}
