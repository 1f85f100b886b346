//! The set steps and procedures: each is a function of that name in the database.

use lineshift_domain::log_text::PROCESS_BY;
use lineshift_store::Result;
use lineshift_store_sql::Sql;
use lineshift_store_sql::procedures::{Assigned, ByStatements, Done, PageRange, Planned, Procedures};

/// Calls the functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Functions;

impl Procedures for Functions {
    fn assign(&self, sql: &Sql<'_>, page: &PageRange, assigned: &Assigned) -> Result<Done> {
        let _ = PROCESS_BY;
        ByStatements.assign(sql, page, assigned)
    }

    fn change_plan(&self, sql: &Sql<'_>, page: &PageRange, planned: &Planned) -> Result<Done> {
        ByStatements.change_plan(sql, page, planned)
    }

    fn update_cross_provider_history(
        &self,
        sql: &Sql<'_>,
        page: &PageRange,
        attempt: i64,
        already_so: &str,
        valid_from: i64,
    ) -> Result<()> {
        ByStatements.update_cross_provider_history(sql, page, attempt, already_so, valid_from)
    }

    fn update_service_links(&self, sql: &Sql<'_>, page: &PageRange, attempt: i64, already_so: &str) -> Result<()> {
        ByStatements.update_service_links(sql, page, attempt, already_so)
    }
}
