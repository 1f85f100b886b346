//! The set steps and procedures: on one engine a few statements each, on the other a function of that name.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_domain::log_text::entry;
use lineshift_domain::order::{PlanValues, Setting, StoredAssignment};
use lineshift_store::Result;
use lineshift_store::billing::{RevServiceProductRow, RevServiceRow};
use lineshift_store::work::StepLog;

use crate::billing::services;
use crate::engine::Sql;
use crate::row::{decimal_text, micros, month};
use crate::sql::by_statements::{completion, pages as text};

/// The page on whose open, accepted rows a procedure acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRange {
    /// Tenant.
    pub tenant: i64,
    /// Bulk change.
    pub change: i64,
    /// First device change.
    pub from: i64,
    /// Last device change.
    pub to: i64,
    /// The claim's epoch.
    pub epoch: i64,
    /// Who ordered it: stands in the history.
    pub by: String,
    /// When.
    pub now: DateTime<Utc>,
}

/// What a set step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Lines changed.
    pub changed: usize,
    /// Whether it wrote its log entries itself; else they are written with the end of the page.
    pub logged: bool,
}

/// What an assignment becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// Customer, site, account number, authentication, date.
    pub asked: StoredAssignment,
    /// The tenant's zone, for lines dated by their activation (B6.4).
    pub zone: &'static str,
    /// The log entry.
    pub log: StepLog,
}

/// Plan, pool and allocation as the procedures take them: null keeps, 0 clears (B8.4, B8.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredValues {
    /// Customer rate plan.
    pub plan: Option<i64>,
    /// Customer rate pool.
    pub pool: Option<i64>,
    /// Allocation in megabytes.
    pub allocation: Option<String>,
}

impl StoredValues {
    /// Those of an order.
    #[must_use]
    pub fn of(values: &PlanValues) -> Self {
        fn parameter<T, P>(setting: Setting<T>, zero: P, value: impl Fn(T) -> P) -> Option<P> {
            match setting {
                Setting::Keep => None,
                Setting::Clear => Some(zero),
                Setting::Set(set) => Some(value(set)),
            }
        }
        Self {
            plan: parameter(values.plan, 0, |id| id.0),
            pool: parameter(values.pool, 0, |id| id.0),
            allocation: parameter(values.allocation_mb, "0".to_owned(), decimal_text),
        }
    }
}

/// What a plan change writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Plan, pool, allocation.
    pub values: StoredValues,
    /// Whether lines are found by the number that the row names.
    pub by_number: bool,
    /// The log entry.
    pub log: StepLog,
}

/// The set steps and procedures of an engine. Each runs within the page's transaction and commits nothing.
pub trait Procedures: Sync {
    /// `usp_assign_customer_update_site`, or on the AMOP path `usp_devicebulkchange_assign_non_rev_customer`: history of the lines whose
    /// assignment differs, then their assignment.
    fn assign(&self, sql: &Sql<'_>, page: &PageRange, assigned: &Assigned) -> Result<Done>;
    /// `usp_devicebulkchange_customerrateplanchange_updatedevices`, or `..._updatedevicebynumber`.
    fn change_plan(&self, sql: &Sql<'_>, page: &PageRange, planned: &Planned) -> Result<Done>;
    /// `usp_updatecrossproviderdevicehistory`: closes the present history row of each line that this attempt changed, and opens one
    /// with its assignment of now. Rows whose details are `already_so` are left out.
    fn update_cross_provider_history(
        &self,
        sql: &Sql<'_>,
        page: &PageRange,
        attempt: i64,
        already_so: &str,
        valid_from: i64,
    ) -> Result<()>;
    /// `usp_update_device_rev_service_links`: links each line that this attempt changed to its customer's connected Rev service, or
    /// to none.
    fn update_service_links(&self, sql: &Sql<'_>, page: &PageRange, attempt: i64, already_so: &str) -> Result<()>;
    /// `usp_revservice_create_service`: stores services, each once, with the line that each is for, and says so in the line's history
    /// where a row brought it about (B11.2). Answers how many are new.
    fn create_services(&self, sql: &Sql<'_>, tenant: TenantId, rows: &[RevServiceRow], now: DateTime<Utc>) -> Result<u64>;
    /// `usp_revservice_create_serviceproduct`: stores service products under their services, each once; one whose service is not stored
    /// is left out. `stored_at`: when they were created or adopted here; none for those that were only read. Answers how many are new.
    fn create_products(
        &self,
        sql: &Sql<'_>,
        tenant: TenantId,
        rows: &[RevServiceProductRow],
        stored_at: Option<DateTime<Utc>>,
    ) -> Result<u64>;
}

/// Each procedure as a few statements.
#[derive(Debug, Clone, Copy)]
pub struct ByStatements;

impl Procedures for ByStatements {
    fn assign(&self, sql: &Sql<'_>, page: &PageRange, assigned: &Assigned) -> Result<Done> {
        let PageRange { tenant, change, from, to, by, .. } = page;
        let asked = &assigned.asked;
        let customer = asked.rev_customer_id.map(|id| id.0);
        let authentication = asked.integration_authentication_id.map(|id| id.0);
        let effective = asked.effective_at.map(micros);
        let (site, account, zone, at) = (asked.site_id.0, &asked.account_number, assigned.zone, micros(page.now));
        sql.execute(
            text::HISTORY_OF_ASSIGNMENT,
            &[
                tenant,
                change,
                from,
                to,
                &customer,
                &site,
                account,
                &authentication,
                &effective,
                &zone,
                &at,
                &month(page.now),
                &entry::ASSIGNMENT,
                by,
            ],
        )?;
        let changed = sql.execute(
            text::UPDATE_ASSIGNMENT,
            &[tenant, change, from, to, &customer, &site, account, &authentication, &effective, &zone, &at, by],
        )?;
        Ok(Done { changed, logged: false })
    }

    fn change_plan(&self, sql: &Sql<'_>, page: &PageRange, planned: &Planned) -> Result<Done> {
        let PageRange { tenant, change, from, to, by, .. } = page;
        let StoredValues { plan, pool, allocation } = &planned.values;
        let at = micros(page.now);
        let (history, update) = if planned.by_number {
            (text::HISTORY_OF_PLAN_BY_NUMBER, text::UPDATE_PLAN_BY_NUMBER)
        } else {
            (text::HISTORY_OF_PLAN, text::UPDATE_PLAN)
        };
        sql.execute(
            history,
            &[tenant, change, from, to, plan, pool, allocation, &at, &month(page.now), &entry::CUSTOMER_RATE_PLAN, by],
        )?;
        let changed = sql.execute(update, &[tenant, change, from, to, plan, pool, allocation, &at, by])?;
        Ok(Done { changed, logged: false })
    }

    fn update_cross_provider_history(
        &self,
        sql: &Sql<'_>,
        page: &PageRange,
        attempt: i64,
        already_so: &str,
        valid_from: i64,
    ) -> Result<()> {
        let PageRange { tenant, change, from, to, .. } = page;
        sql.execute(completion::CLOSE_HISTORY, &[tenant, change, from, to, &attempt, &already_so, &valid_from])?;
        let opened: [&dyn crate::Parameter; 8] =
            [tenant, change, from, to, &attempt, &already_so, &valid_from, &entry::COMPLETED];
        sql.execute(completion::OPEN_HISTORY, &opened)?;
        Ok(())
    }

    fn update_service_links(&self, sql: &Sql<'_>, page: &PageRange, attempt: i64, already_so: &str) -> Result<()> {
        let PageRange { tenant, change, from, to, .. } = page;
        sql.execute(completion::LINK_SERVICES, &[tenant, change, from, to, &attempt, &already_so])?;
        Ok(())
    }

    fn create_services(&self, sql: &Sql<'_>, tenant: TenantId, rows: &[RevServiceRow], now: DateTime<Utc>) -> Result<u64> {
        services::store_services(sql, tenant, rows, now)
    }

    fn create_products(
        &self,
        sql: &Sql<'_>,
        tenant: TenantId,
        rows: &[RevServiceProductRow],
        stored_at: Option<DateTime<Utc>>,
    ) -> Result<u64> {
        services::store_products(sql, tenant, rows, stored_at)
    }
}
