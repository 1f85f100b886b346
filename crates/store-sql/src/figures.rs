//! Figures for people.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{CustomerRatePlanId, PrincipalId, RevCustomerId, SiteId, TenantId};
use lineshift_domain::reach::{Named, Reach};
use lineshift_domain::terms::PortalType;
use lineshift_store::Result;
use lineshift_store::bulk_changes::BulkChangeView;
use lineshift_store::figures::{ChangeFigures, EntryFigures, FigureStore, LineCustomer, LineFigures};
use lineshift_store::plan_queue::EntryFilter;
use lineshift_store::sql::figures as text;

use crate::bulk_changes::read_change;
use crate::engine::{Engine, Sql, SqlStore};
use crate::plan_queue::Sought;
use crate::reach::{Lists, limits};
use crate::row::{Row, micros, not_a_term, page_limit};
use crate::sql::reach as reached;
use crate::value::Parameter;

/// Microseconds of a quarter of an hour.
const QUARTER: i64 = 900_000_000;

#[async_trait]
impl<E: Engine> FigureStore for SqlStore<E> {
    async fn count_lines(&self, tenant: TenantId, reach: &Reach) -> Result<LineFigures> {
        let reach = reach.clone();
        self.engine
            .read(tenant, move |sql| match &reach {
                Reach::Everything => count_all(sql, tenant),
                Reach::Named(named) => count_within(sql, tenant, named),
            })
            .await
    }

    async fn count_bulk_changes(
        &self,
        tenant: TenantId,
        ordered_by: Option<PrincipalId>,
        since: DateTime<Utc>,
    ) -> Result<Vec<ChangeFigures>> {
        let (whose, since) = (whose(ordered_by), micros(since));
        self.engine.read(tenant, move |sql| sql.query(text::COUNT_CHANGES, &[&tenant.0, &since, &whose], read_changes)).await
    }

    async fn count_due_entries(&self, tenant: TenantId, reach: &Reach, filter: &EntryFilter) -> Result<Vec<EntryFigures>> {
        let (filter, limits) = (*filter, limits(reach));
        let by_index_alone = reach.is_everything() && !filter.is_by_values();
        let mut counted = self
            .engine
            .read(tenant, move |sql| {
                let Sought { from, until, customer, site, plan, .. } = Sought::of(&filter);
                if by_index_alone {
                    return sql.query(text::COUNT_ENTRIES, &[&tenant.0, &from, &until], read_entries);
                }
                let [customers, sites, providers] = &limits;
                let keys: [&dyn Parameter; 9] = [&tenant.0, &from, &until, customers, sites, providers, &customer, &site, &plan];
                sql.query(reached::COUNT_DUE_ENTRIES, &keys, read_entries)
            })
            .await?;
        counted.retain(|counted| filter.portal.is_none_or(|portal| portal == counted.portal));
        Ok(counted)
    }

    async fn list_unfinished(
        &self,
        tenant: TenantId,
        portals: &[PortalType],
        ordered_by: Option<PrincipalId>,
        limit: usize,
    ) -> Result<Vec<BulkChangeView>> {
        let (whose, (limit, _), [one, two, three]) = (whose(ordered_by), page_limit(limit), numbers(portals));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.engine
            .read(tenant, move |sql| {
                sql.query(text::LIST_UNFINISHED, &[&tenant.0, &whose, &limit, &one, &two, &three], read_change)
            })
            .await
    }

    async fn list_failed(
        &self,
        tenant: TenantId,
        portals: &[PortalType],
        ordered_by: Option<PrincipalId>,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<BulkChangeView>> {
        let (whose, since, (limit, _)) = (whose(ordered_by), micros(since), page_limit(limit));
        let (limit, [one, two, three]) = (i64::try_from(limit).unwrap_or(i64::MAX), numbers(portals));
        self.engine
            .read(tenant, move |sql| {
                sql.query(text::LIST_FAILED, &[&tenant.0, &since, &whose, &limit, &one, &two, &three], read_change)
            })
            .await
    }
}

/// 0: everybody's.
fn whose(ordered_by: Option<PrincipalId>) -> i64 {
    ordered_by.map_or(0, |principal| principal.0)
}

/// The portals by number, and -1, which none has, where there are fewer.
fn numbers(portals: &[PortalType]) -> [i64; 3] {
    let mut numbers = [-1; 3];
    for (number, portal) in numbers.iter_mut().zip(portals) {
        *number = portal.number();
    }
    numbers
}

fn count_all(sql: &Sql<'_>, tenant: TenantId) -> Result<LineFigures> {
    let counted = |statement: &'static str| -> Result<Vec<(i64, i64)>> {
        sql.query(statement, &[&tenant.0], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let customers =
        counted(text::COUNT_LINES_BY_CUSTOMER)?.into_iter().map(|(id, lines)| (LineCustomer::Rev(RevCustomerId(id)), lines));
    let sites = counted(text::COUNT_LINES_BY_SITE)?.into_iter().map(|(id, lines)| (LineCustomer::Amop(SiteId(id)), lines));
    let plans = counted(text::COUNT_LINES_BY_PLAN)?.into_iter().map(|(id, lines)| (CustomerRatePlanId(id), lines));
    let by_status: Vec<(String, i64)> =
        sql.query(text::COUNT_LINES_BY_STATUS, &[&tenant.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(LineFigures {
        total: by_status.iter().map(|(_, lines)| lines).sum(),
        by_customer: customers.chain(sites.filter(|(_, lines)| *lines > 0)).collect(),
        by_plan: plans.collect(),
        by_status,
    })
}

/// Those within reach: what lines have in common is counted at once, and added up here.
fn count_within(sql: &Sql<'_>, tenant: TenantId, named: &Named) -> Result<LineFigures> {
    let lists = Lists::of(named);
    let [limiting, reaching] = lists.limiting_and_reaching();
    let keys: [&dyn Parameter; 5] = [&tenant.0, &lists.customers, &lists.sites, &limiting, &reaching];
    let (mut customers, mut plans, mut statuses, mut total) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), 0);
    let counted = sql.query(reached::COUNT_LINES, &keys, |row| {
        let customer = row.get::<Option<i64>>(0)?.map(|id| LineCustomer::Rev(RevCustomerId(id)));
        let site = row.get::<Option<i64>>(1)?.map(|id| LineCustomer::Amop(SiteId(id)));
        let plan = row.get::<Option<i64>>(2)?.map(CustomerRatePlanId);
        Ok((customer.or(site), plan, row.get::<String>(3)?, row.get::<i64>(4)?))
    })?;
    for (customer, plan, status, lines) in counted {
        total += lines;
        if let Some(customer) = customer {
            *customers.entry(customer).or_insert(0) += lines;
        }
        if let Some(plan) = plan {
            *plans.entry(plan).or_insert(0) += lines;
        }
        *statuses.entry(status).or_insert(0) += lines;
    }
    let (by_customer, by_plan) = (customers.into_iter().collect(), plans.into_iter().collect());
    Ok(LineFigures { total, by_customer, by_plan, by_status: statuses.into_iter().collect() })
}

fn portal_and_quarter(row: &Row<'_>) -> Result<(PortalType, DateTime<Utc>)> {
    let portal = PortalType::from_number(row.get(0)?).map_err(|error| not_a_term(0, error))?;
    let from = DateTime::from_timestamp_micros(row.get::<i64>(1)?.saturating_mul(QUARTER)).unwrap_or(DateTime::UNIX_EPOCH);
    Ok((portal, from))
}

fn read_changes(row: &Row<'_>) -> Result<ChangeFigures> {
    let (portal, from) = portal_and_quarter(row)?;
    Ok(ChangeFigures {
        portal,
        from,
        changes: row.get(2)?,
        processed: row.get(3)?,
        error: row.get(4)?,
        canceled: row.get(5)?,
        scheduled_failed: row.get(6)?,
    })
}

fn read_entries(row: &Row<'_>) -> Result<EntryFigures> {
    let (portal, from) = portal_and_quarter(row)?;
    Ok(EntryFigures { portal, from, entries: row.get(2)? })
}
