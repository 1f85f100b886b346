//! The set steps and procedures: each is a function of that name in the database, which writes its log entries itself.

use lineshift_domain::log_text::PROCESS_BY;
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::procedures::{Assigned, Done, PageRange, Planned, Procedures, StoredValues};
use lineshift_store_sql::{Parameter, Sql, micros};

/// One call, alone in its statement, the tenant first: so that a cluster may run it where the tenant's rows are. Moments are bound as
/// microseconds, decimals as their texts.
const ASSIGN_CUSTOMER: &str =
    "SELECT usp_assign_customer_update_site($1, $2, $3::text, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const ASSIGN_SITE: &str = "SELECT usp_devicebulkchange_assign_non_rev_customer($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const CHANGE_PLAN: &str = "SELECT usp_devicebulkchange_customerrateplanchange_updatedevices(
    $1, $2, $3, $4, $5::text::numeric, NULL, false, $6, $7, $8, $9, $10, $11, $12)";
// PostgreSQL keeps 63 characters of a name; the function's has one more.
const CHANGE_PLAN_BY_NUMBER: &str = "SELECT usp_devicebulkchange_customerrateplanchange_updatedevicebynumbe(
    $1, $2, NULL::text[], $3, $4, NULL, $5::text::numeric, $6, $7, $8, $9, $10, $11, $12)";
const UPDATE_HISTORY: &str = "SELECT usp_updatecrossproviderdevicehistory($1, $2, $3, $4, $5, NULL, $6)";
const UPDATE_LINKS: &str = "SELECT usp_update_device_rev_service_links($1, $2, $3, $4)";

/// Calls the functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Functions;

fn call(sql: &Sql<'_>, text: &'static str, parameters: &[&dyn Parameter]) -> Result<usize> {
    let changed = sql.find(text, parameters, |row| row.get::<usize>(0))?;
    changed.ok_or_else(|| StoreError::internal("a function answered nothing"))
}

impl Procedures for Functions {
    fn assign(&self, sql: &Sql<'_>, page: &PageRange, assigned: &Assigned) -> Result<Done> {
        let PageRange { tenant, change, from, to, epoch, now, .. } = page;
        let (at, effective) = (micros(*now), assigned.asked.effective_at.map(micros));
        let (site, request, response) = (assigned.asked.site_id.0, &assigned.log.request, &assigned.log.response);
        let changed = match assigned.asked.rev_customer_id {
            Some(customer) => {
                let authentication = assigned.asked.integration_authentication_id.map(|id| id.0);
                let (customer, by) = (customer.to_string(), PROCESS_BY);
                let parameters: [&dyn Parameter; 13] =
                    [tenant, change, &customer, &by, from, to, epoch, &at, request, response, &site, &authentication, &effective];
                call(sql, ASSIGN_CUSTOMER, &parameters)?
            }
            None => {
                let parameters: [&dyn Parameter; 10] =
                    [tenant, change, &site, from, to, epoch, &at, request, response, &effective];
                call(sql, ASSIGN_SITE, &parameters)?
            }
        };
        Ok(Done { changed, logged: true })
    }

    fn change_plan(&self, sql: &Sql<'_>, page: &PageRange, planned: &Planned) -> Result<Done> {
        let PageRange { tenant, change, from, to, epoch, now, .. } = page;
        let StoredValues { plan, pool, allocation } = &planned.values;
        let (at, text) = (micros(*now), if planned.by_number { CHANGE_PLAN_BY_NUMBER } else { CHANGE_PLAN });
        let (request, response, description) = (&planned.log.request, &planned.log.response, planned.log.text.as_str());
        let parameters: [&dyn Parameter; 12] =
            [tenant, change, plan, pool, allocation, from, to, epoch, &at, request, response, &description];
        Ok(Done { changed: call(sql, text, &parameters)?, logged: true })
    }

    /// The page is closed by then, under its epoch: that said already that it was ours. The functions know by themselves which attempt
    /// counts and how a row says that it stood so already.
    fn update_cross_provider_history(
        &self,
        sql: &Sql<'_>,
        page: &PageRange,
        _attempt: i64,
        _already_so: &str,
        valid_from: i64,
    ) -> Result<()> {
        let PageRange { tenant, change, from, to, now, .. } = page;
        call(sql, UPDATE_HISTORY, &[tenant, change, &valid_from, from, to, &micros(*now)]).map(|_| ())
    }

    fn update_service_links(&self, sql: &Sql<'_>, page: &PageRange, _attempt: i64, _already_so: &str) -> Result<()> {
        let PageRange { tenant, change, from, to, .. } = page;
        call(sql, UPDATE_LINKS, &[tenant, change, from, to]).map(|_| ())
    }
}
