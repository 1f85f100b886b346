//! The set steps and procedures: each is a function of that name in the database, which writes its log entries itself.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_domain::log_text::PROCESS_BY;
use lineshift_store::billing::{RevServiceProductRow, RevServiceRow};
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

const CREATE_SERVICES: &str = "SELECT usp_revservice_create_service($1, $2::text::bigint[], $3::text::text[], $4::text::bigint[],
    $5::text::bigint[], $6::text::date[], $7::text::bigint[], $8::text::bigint[], NULL, NULL, NULL, $9, $10::text::text[],
    $11::text::date[], $12::text::boolean[], $13::text::bigint[])";
const CREATE_PRODUCTS: &str = "SELECT usp_revservice_create_serviceproduct($1, $2::text::bigint[], $3::text::bigint[],
    $4::text::bigint[], $5::text::bigint[], $6::text::numeric[], $7::text::text[], $8::text::text[], $9::text::bigint[], NULL, NULL,
    NULL, $10, $11::text::numeric[])";

/// An array as PostgreSQL reads it. Every element is quoted, so that none is taken for the word that stands for none.
fn array<T: ToString>(elements: impl Iterator<Item = Option<T>>) -> String {
    let mut text = String::from("{");
    for element in elements {
        if text.len() > 1 {
            text.push(',');
        }
        let Some(element) = element else {
            text.push_str("NULL");
            continue;
        };
        text.push('"');
        for character in element.to_string().chars() {
            if matches!(character, '"' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        text.push('"');
    }
    text.push('}');
    text
}

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

    fn create_services(&self, sql: &Sql<'_>, tenant: TenantId, rows: &[RevServiceRow], now: DateTime<Utc>) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let by = rows.iter().any(|row| row.by.is_some()).then(|| array(rows.iter().map(|row| row.by.map(|id| id.0))));
        let parameters: [&dyn Parameter; 13] = [
            &tenant.0,
            &array(rows.iter().map(|row| Some(row.rev_customer_id.0))),
            &array(rows.iter().map(|row| row.number.as_deref())),
            &array(rows.iter().map(|row| Some(row.rev_service_id.0))),
            &array(rows.iter().map(|row| row.rev_service_type_id)),
            &array(rows.iter().map(|row| row.activated_date)),
            &array(rows.iter().map(|row| row.rev_provider_id)),
            &array(rows.iter().map(|row| row.device_id.map(|id| id.0))),
            &micros(now),
            &array(rows.iter().map(|row| row.iccid.as_deref())),
            &array(rows.iter().map(|row| row.disconnected_date)),
            &array(rows.iter().map(|row| Some(row.has_package))),
            &by,
        ];
        Ok(call(sql, CREATE_SERVICES, &parameters)? as u64)
    }

    fn create_products(
        &self,
        sql: &Sql<'_>,
        tenant: TenantId,
        rows: &[RevServiceProductRow],
        stored_at: Option<DateTime<Utc>>,
    ) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let parameters: [&dyn Parameter; 11] = [
            &tenant.0,
            &array(rows.iter().map(|row| Some(row.rev_customer_id.0))),
            &array(rows.iter().map(|row| Some(row.rev_service_product_id.0))),
            &array(rows.iter().map(|row| Some(row.rev_product_id))),
            &array(rows.iter().map(|row| Some(row.rev_service_id.0))),
            &array(rows.iter().map(|row| row.rate)),
            &array(rows.iter().map(|row| row.description.as_deref())),
            &array(rows.iter().map(|row| Some(row.status.as_str()))),
            &array(rows.iter().map(|row| row.package_id)),
            &stored_at.map(micros),
            &array(rows.iter().map(|row| row.quantity)),
        ];
        Ok(call(sql, CREATE_PRODUCTS, &parameters)? as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::array;

    #[test]
    fn an_array_holds_any_text() {
        let texts = [Some("NULL"), None, Some(""), Some("a \"b\" \\ {c}, d")];
        assert_eq!(array(texts.into_iter()), r#"{"NULL",NULL,"","a \"b\" \\ {c}, d"}"#);
        assert_eq!(array([Some(-1_i64), None].into_iter()), r#"{"-1",NULL}"#);
        assert_eq!(array(std::iter::empty::<Option<i64>>()), "{}");
    }
}
