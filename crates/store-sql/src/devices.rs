//! Lines: lists, one line, its history, and the look-up of what an order names.

mod events;
mod history;
pub(crate) mod prefix;
mod services;
pub(crate) mod sought;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, DeviceId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId,
    TenantId,
};
use lineshift_domain::lines::Digits;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::LineIdentifier;
use lineshift_store::devices::{
    Charges, CountedLines, DeviceFilter, DeviceStore, DeviceUsage, DeviceView, FactsQuery, FoundLine, HistoryEntry, HistoryKey,
    LineEvent, LineEventFilter, LineEventKey, LineFilter, LineOrder, LineService, LineValue, OpenEntries, SoughtLines,
};
use lineshift_store::paging::Listed;
use lineshift_store::sql::devices as text;
use lineshift_store::{Result, StoreError};

use crate::engine::Sql;
use crate::engine::{Engine, SqlStore};
use crate::facts::read_facts;
use crate::json::json;
use crate::reach;
use crate::row::{Row, micros, page_limit};
use crate::sql::devices as tuned;
use crate::value::{OwnedValue, Parameter};
use rust_decimal::Decimal;

/// More lines than have one number.
const EXACT_LINES: i64 = 1_001;

#[async_trait]
impl<E: Engine> DeviceStore for SqlStore<E> {
    async fn list_devices(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &DeviceFilter,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Listed<DeviceView, DeviceId>> {
        self.find_devices(tenant, reach, filter, after, page_limit(limit).0).await
    }

    async fn find_lines(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &LineFilter,
        order: LineOrder,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<SoughtLines> {
        self.seek_lines(tenant, reach, filter, order, after, page_limit(limit).0).await
    }

    async fn count_sought(&self, tenant: TenantId, reach: &Reach, filter: &LineFilter, most: usize) -> Result<CountedLines> {
        self.number_of_lines(tenant, reach, filter, most).await
    }

    async fn list_line_values(&self, tenant: TenantId, of: LineValue, most: usize) -> Result<Vec<String>> {
        let (statement, most) = match of {
            LineValue::Status => (text::LIST_STATUSES, page_limit(most).0),
            LineValue::CarrierRatePlan => (text::LIST_CARRIER_PLANS, page_limit(most).0),
        };
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.engine.read(tenant, move |sql| sql.query(statement, &[&tenant.0, &most], |row| row.get(0))).await
    }

    async fn get_device(&self, tenant: TenantId, id: DeviceId) -> Result<DeviceView> {
        let found = self.engine.read(tenant, move |sql| sql.find(text::GET_DEVICE, &[&tenant.0, &id.0], read_device)).await?;
        found.ok_or_else(|| StoreError::not_found("device", id))
    }

    async fn find_device_usage(&self, tenant: TenantId, id: DeviceId) -> Result<Option<DeviceUsage>> {
        let found = self.engine.read(tenant, move |sql| sql.find(text::GET_USAGE, &[&tenant.0, &id.0], read_usage)).await?;
        found.ok_or_else(|| StoreError::not_found("device", id))
    }

    async fn list_line_services(&self, tenant: TenantId, id: DeviceId) -> Result<Vec<LineService>> {
        self.engine.read(tenant, move |sql| services::list(sql, tenant, id)).await
    }

    async fn list_device_history(
        &self,
        tenant: TenantId,
        reach: &Reach,
        device: DeviceId,
        before: Option<HistoryKey>,
        limit: usize,
    ) -> Result<Listed<HistoryEntry, HistoryKey>> {
        let reach = reach.clone();
        self.engine.read(tenant, move |sql| history::list(sql, tenant, &reach, device, before, limit)).await
    }

    async fn list_line_events(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &LineEventFilter,
        device: DeviceId,
        before: Option<LineEventKey>,
        limit: usize,
    ) -> Result<Listed<LineEvent, LineEventKey>> {
        let (reach, filter) = (reach.clone(), filter.clone());
        self.engine.read(tenant, move |sql| events::list(sql, tenant, &reach, &filter, (device, before), limit)).await
    }

    async fn look_up_lines(
        &self,
        tenant: TenantId,
        identifier: LineIdentifier,
        lines: &[Digits],
        query: FactsQuery,
    ) -> Result<Vec<FoundLine>> {
        let lines = lines.to_vec();
        self.engine.read(tenant, move |sql| look_up(sql, tenant, identifier, &lines, query, Seen::BY_EVERYONE)).await
    }

    async fn count_open_entries(
        &self,
        tenant: TenantId,
        reach: &Reach,
        lines: &[DeviceId],
        later_than: Option<DateTime<Utc>>,
    ) -> Result<OpenEntries> {
        if lines.is_empty() {
            return Ok(OpenEntries::default());
        }
        let (ids, limits, from) = (json_of_ids(lines)?, reach::limits(reach), later_than.map_or(i64::MIN, micros));
        self.engine.read(tenant, move |sql| count_open_entries(sql, tenant, &ids, from, &limits)).await
    }

    async fn sum_up_charges(&self, tenant: TenantId, reach: &Reach, lines: &[DeviceId]) -> Result<Charges> {
        if lines.is_empty() {
            return Ok(Charges::default());
        }
        let (ids, limits) = (json_of_ids(lines)?, reach::limits(reach));
        self.engine.read(tenant, move |sql| sum_up_charges(sql, tenant, &ids, &limits)).await
    }
}

impl<E: Engine> SqlStore<E> {
    /// Lines within reach that a filter finds, by id, as many as are asked for.
    pub(crate) async fn find_devices(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &DeviceFilter,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<Listed<DeviceView, DeviceId>> {
        let surplus = limit as i64 + 1;
        let is_exact = matches!(filter, DeviceFilter::Iccid(_) | DeviceFilter::Number(_));
        if let Reach::Named(named) = reach
            && !is_exact
        {
            let (named, filter) = (named.clone(), filter.clone());
            let items =
                self.engine.read(tenant, move |sql| reach::list_devices(sql, tenant, &named, &filter, after, surplus)).await?;
            return Ok(Listed::from_surplus(items, limit, |device| device.id));
        }
        let (statement, sought) = list_statement(filter);
        // An ICCID or number names a few lines: all are read, so that not even the end of the page tells of those beyond reach.
        let surplus = if reach.is_everything() { surplus } else { EXACT_LINES };
        let after = after.map_or(i64::MIN, |id| id.0);
        let items = self
            .engine
            .read(tenant, move |sql| match &sought {
                None => sql.query(statement, &[&tenant.0, &after, &surplus], read_device),
                Some(sought) => sql.query(statement, &[&tenant.0, &after, &surplus, sought as &dyn Parameter], read_device),
            })
            .await?;
        let within = |line: &DeviceView| reach.reaches_line(line.service_provider_id, line.rev_customer_id, line.site_id);
        let items = items.into_iter().filter(within).collect();
        Ok(Listed::from_surplus(items, limit, |device| device.id))
    }
}

/// From whose point of view holds are looked at (rule 6).
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    /// Only changes that were stored before this place count.
    pub(crate) before: i64,
    /// The change that does not count.
    pub(crate) by: i64,
}

impl Seen {
    /// At submission every stored change counts.
    const BY_EVERYONE: Self = Self { before: i64::MAX, by: 0 };
}

/// Looks up lines on an open connection.
pub(crate) fn look_up(
    sql: &Sql<'_>,
    tenant: TenantId,
    identifier: LineIdentifier,
    lines: &[Digits],
    query: FactsQuery,
    seen: Seen,
) -> Result<Vec<FoundLine>> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let statement = match identifier {
        LineIdentifier::Iccid => tuned::LOOK_UP_BY_ICCID,
        LineIdentifier::Number => tuned::LOOK_UP_BY_NUMBER,
    };
    let (mask, customer) = (query.mask(), query.customer());
    let parameters: [&dyn Parameter; 6] = [&tenant.0, &mask, &customer, &seen.before, &seen.by, &json_of_digits(lines)];
    sql.query(statement, &parameters, |row| Ok(FoundLine { index: row.get(0)?, facts: read_facts(row, 1)? }))
}

fn json_of_ids(lines: &[DeviceId]) -> Result<String> {
    json(&lines.iter().map(|id| id.0).collect::<Vec<i64>>())
}

fn count_open_entries(
    sql: &Sql<'_>,
    tenant: TenantId,
    ids: &str,
    from: i64,
    [customers, sites, providers]: &[String; 3],
) -> Result<OpenEntries> {
    let parameters: [&dyn Parameter; 6] = [&tenant.0, &ids, &from, customers, sites, providers];
    let counted = sql.query(tuned::COUNT_OPEN_ENTRIES, &parameters, |row| {
        Ok(OpenEntries { count: row.get(0)?, later: row.get(1)?, last_id: row.get(2)?, dates: row.get(3)? })
    })?;
    Ok(counted.into_iter().next().unwrap_or_default())
}

fn sum_up_charges(sql: &Sql<'_>, tenant: TenantId, ids: &str, [customers, sites, providers]: &[String; 3]) -> Result<Charges> {
    let mut sum = Charges::default();
    let parameters: [&dyn Parameter; 5] = [&tenant.0, &ids, customers, sites, providers];
    let charges = sql.query(tuned::LIST_CHARGES, &parameters, |row| {
        Ok((row.get::<bool>(0)?, row.get::<bool>(1)?, row.maybe_decimal(2)?, row.maybe_decimal(3)?))
    })?;
    for (has_package, has_product, rate, quantity) in charges {
        match rate {
            Some(rate) => {
                let each = rate.checked_mul(quantity.unwrap_or(Decimal::ONE)).unwrap_or(Decimal::MAX);
                sum.known = sum.known.saturating_add(each);
            }
            None if has_product || has_package => sum.unknown += 1,
            // A service on which nothing is charged.
            None => {}
        }
    }
    Ok(sum)
}

fn list_statement(filter: &DeviceFilter) -> (&'static str, Option<OwnedValue>) {
    match filter {
        DeviceFilter::All => (text::LIST_DEVICES, None),
        DeviceFilter::Iccid(iccid) => (text::LIST_DEVICES_BY_ICCID, Some(OwnedValue::Text(iccid.clone()))),
        DeviceFilter::Number(number) => (text::LIST_DEVICES_BY_NUMBER, Some(OwnedValue::Text(number.clone()))),
        DeviceFilter::ServiceProvider(id) => (text::LIST_DEVICES_BY_PROVIDER, Some(OwnedValue::Integer(id.0))),
        DeviceFilter::Customer(id) => (text::LIST_DEVICES_BY_CUSTOMER, Some(OwnedValue::Integer(id.0))),
        DeviceFilter::Site(id) => (text::LIST_DEVICES_BY_SITE, Some(OwnedValue::Integer(id.0))),
        DeviceFilter::CustomerRatePlan(id) => (text::LIST_DEVICES_BY_PLAN, Some(OwnedValue::Integer(id.0))),
    }
}

/// `["8901...","8902..."]`: digits need no escaping, so that 5,000 of them are written in one pass.
pub(crate) fn json_of_digits(lines: &[Digits]) -> String {
    let mut json = String::with_capacity(lines.len() * 25 + 2);
    for (nth, line) in lines.iter().enumerate() {
        json.push_str(if nth == 0 { "[\"" } else { ",\"" });
        line.write_to(&mut json);
        json.push('"');
    }
    json.push(']');
    json
}

/// What a line used; none: it was not read.
fn read_usage(row: &Row<'_>) -> Result<Option<DeviceUsage>> {
    let Some(at) = row.maybe_time(3)? else { return Ok(None) };
    Ok(Some(DeviceUsage { data_bytes: row.get(0)?, sms_count: row.get(1)?, voice_seconds: row.get(2)?, at }))
}

pub(crate) fn read_device(row: &Row<'_>) -> Result<DeviceView> {
    Ok(DeviceView {
        id: DeviceId(row.get(0)?),
        service_provider_id: ServiceProviderId(row.get(1)?),
        iccid: row.get(2)?,
        subscriber_number: row.get(3)?,
        imei: row.get(4)?,
        status: row.get(5)?,
        is_archived: row.get(6)?,
        activated_at: row.maybe_time(7)?,
        carrier_rate_plan: row.get(8)?,
        rev_customer_id: row.get::<Option<i64>>(9)?.map(RevCustomerId),
        site_id: row.get::<Option<i64>>(10)?.map(SiteId),
        account_number: row.get(11)?,
        integration_authentication_id: row.get::<Option<i64>>(12)?.map(IntegrationAuthenticationId),
        customer_rate_plan_id: row.get::<Option<i64>>(13)?.map(CustomerRatePlanId),
        customer_rate_pool_id: row.get::<Option<i64>>(14)?.map(CustomerRatePoolId),
        customer_data_allocation_mb: row.maybe_decimal(15)?,
        effective_date: row.maybe_time(16)?,
        is_active: row.get(17)?,
        version: row.get(18)?,
        modified_by: row.get(19)?,
        modified_at: row.time(20)?,
    })
}
