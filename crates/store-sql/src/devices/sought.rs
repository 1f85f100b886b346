//! Lines that are sought by several things at once: which index serves, and how far it is walked.

use lineshift_domain::ids::{DeviceId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_store::Result;
use lineshift_store::devices::{CountedLines, DeviceFilter, DeviceView, LOOKED_AT, LineFilter, LineOrder, SoughtLines};
use lineshift_store::sql::line_numbers as text;

use super::{prefix, read_device};
use crate::engine::{Engine, Sql, SqlStore};
use crate::reach;
use crate::sql::lines as tuned;
use crate::statement::Statement;
use crate::value::{OwnedValue, Parameter};

/// The statements of one index.
struct Served {
    list: [Statement; 2],
    count: Statement,
    /// How many, where the index serves all that is sought.
    number: &'static str,
    end: [Statement; 2],
    by: Option<OwnedValue>,
    /// Whether the index serves all that is sought.
    is_all: bool,
}

impl Served {
    /// How many lines of the index are looked at.
    const fn window(&self) -> i64 {
        if self.is_all { i64::MAX } else { LOOKED_AT as i64 }
    }
}

macro_rules! served {
    ($list:ident $newest:ident $count:ident $number:ident $end:ident $end_newest:ident, $by:expr, $sought:expr) => {{
        let by: Option<OwnedValue> = $by;
        Served {
            list: [tuned::$list, tuned::$newest],
            count: tuned::$count,
            number: text::$number,
            end: [tuned::$end, tuned::$end_newest],
            is_all: $sought == usize::from(by.is_some()),
            by,
        }
    }};
}

/// The index on what few lines have in common: a site before a customer, a pool before a plan, and those before what most of them share.
fn served(filter: &LineFilter) -> Served {
    let sought = filter.count();
    if let Some(id) = filter.site_id {
        return served!(LIST_BY_SITE LIST_BY_SITE_NEWEST COUNT_BY_SITE NUMBER_BY_SITE END_BY_SITE END_BY_SITE_NEWEST, Some(id.0.into()), sought);
    }
    if let Some(id) = filter.rev_customer_id {
        let by = Some(id.0.into());
        return served!(LIST_BY_CUSTOMER LIST_BY_CUSTOMER_NEWEST COUNT_BY_CUSTOMER NUMBER_BY_CUSTOMER END_BY_CUSTOMER END_BY_CUSTOMER_NEWEST, by, sought);
    }
    if let Some(id) = filter.customer_rate_pool_id {
        return served!(LIST_BY_POOL LIST_BY_POOL_NEWEST COUNT_BY_POOL NUMBER_BY_POOL END_BY_POOL END_BY_POOL_NEWEST, Some(id.0.into()), sought);
    }
    if let Some(id) = filter.customer_rate_plan_id {
        return served!(LIST_BY_PLAN LIST_BY_PLAN_NEWEST COUNT_BY_PLAN NUMBER_BY_PLAN END_BY_PLAN END_BY_PLAN_NEWEST, Some(id.0.into()), sought);
    }
    if let Some(plan) = &filter.carrier_rate_plan {
        let by = Some(plan.clone().into());
        return served!(
            LIST_BY_CARRIER_PLAN LIST_BY_CARRIER_PLAN_NEWEST COUNT_BY_CARRIER_PLAN NUMBER_BY_CARRIER_PLAN END_BY_CARRIER_PLAN END_BY_CARRIER_PLAN_NEWEST,
            by,
            sought
        );
    }
    if let Some(status) = &filter.status {
        let by = Some(status.clone().into());
        return served!(LIST_BY_STATUS LIST_BY_STATUS_NEWEST COUNT_BY_STATUS NUMBER_BY_STATUS END_BY_STATUS END_BY_STATUS_NEWEST, by, sought);
    }
    if let Some(id) = filter.service_provider_id {
        let by = Some(id.0.into());
        return served!(LIST_BY_PROVIDER LIST_BY_PROVIDER_NEWEST COUNT_BY_PROVIDER NUMBER_BY_PROVIDER END_BY_PROVIDER END_BY_PROVIDER_NEWEST, by, sought);
    }
    served!(LIST_BY_ALL LIST_BY_ALL_NEWEST COUNT_BY_ALL NUMBER_BY_ALL END_BY_ALL END_BY_ALL_NEWEST, None, sought)
}

/// What is sought, as the statements take it.
pub(crate) struct Sought {
    pub(crate) provider: i64,
    pub(crate) status: String,
    pub(crate) carrier_plan: String,
    pub(crate) customer: i64,
    pub(crate) site: i64,
    pub(crate) plan: i64,
    pub(crate) pool: i64,
    /// From where on ICCIDs lie, empty for any, and before where.
    pub(crate) iccids: [String; 2],
}

impl Sought {
    pub(crate) fn of(filter: &LineFilter) -> Self {
        let prefix = filter.iccid_prefix.clone().unwrap_or_default();
        Self {
            provider: filter.service_provider_id.map_or(0, |id| id.0),
            status: filter.status.clone().unwrap_or_default(),
            carrier_plan: filter.carrier_rate_plan.clone().unwrap_or_default(),
            customer: filter.rev_customer_id.map_or(0, |id| id.0),
            site: filter.site_id.map_or(0, |id| id.0),
            plan: filter.customer_rate_plan_id.map_or(0, |id| id.0),
            pool: filter.customer_rate_pool_id.map_or(0, |id| id.0),
            iccids: [prefix.clone(), prefix::end_of(&prefix)],
        }
    }

    /// With how many lines a window has.
    fn parameters<'a>(&'a self, window: &'a i64) -> [&'a dyn Parameter; 10] {
        let Self { provider, status, carrier_plan, customer, site, plan, pool, iccids: [from, before] } = self;
        [provider, status, carrier_plan, customer, site, plan, pool, window, from, before]
    }
}

/// Before the first line in that order, and after the last.
const fn edges(order: LineOrder) -> (i64, i64) {
    match order {
        LineOrder::OldestFirst => (i64::MIN, i64::MAX),
        LineOrder::NewestFirst => (i64::MAX, i64::MIN),
    }
}

impl<E: Engine> SqlStore<E> {
    /// Lines within reach that a filter finds, as many as are asked for.
    pub(crate) async fn seek_lines(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &LineFilter,
        order: LineOrder,
        after: Option<DeviceId>,
        limit: usize,
    ) -> Result<SoughtLines> {
        if let Some(items) = self.named_lines(tenant, reach, filter).await? {
            return Ok(page_of_named(items, order, after, limit));
        }
        if filter.is_by_iccid() && reach.is_everything() {
            let filter = filter.clone();
            return self.engine.read(tenant, move |sql| prefix::list(sql, tenant, &filter, order, after, limit)).await;
        }
        let surplus = limit as i64 + 1;
        let (filter, named) = (filter.clone(), reach.clone());
        let (before_first, _) = edges(order);
        let beyond = after.map_or(before_first, |id| id.0);
        let (mut items, end) = self
            .engine
            .read(tenant, move |sql| match &named {
                Reach::Named(named) => Ok((reach::seek_lines(sql, tenant, named, &filter, order, beyond, surplus)?, None)),
                Reach::Everything => list_window(sql, tenant, &filter, order, beyond, surplus),
            })
            .await?;
        let is_full = items.len() > limit;
        items.truncate(limit);
        let next = if is_full { items.last().map(|line| line.id) } else { end };
        Ok(SoughtLines { next, is_cut: !is_full && next.is_some(), items })
    }

    /// How many lines within reach a filter finds.
    pub(crate) async fn number_of_lines(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &LineFilter,
        most: usize,
    ) -> Result<CountedLines> {
        if let Some(items) = self.named_lines(tenant, reach, filter).await? {
            return Ok(CountedLines { lines: items.len().min(most) as i64, is_all: items.len() <= most });
        }
        let (filter, reach, most) = (filter.clone(), reach.clone(), most as i64);
        let (counted, is_whole) = self
            .engine
            .read(tenant, move |sql| match &reach {
                Reach::Named(named) => Ok((reach::count_lines(sql, tenant, named, &filter, most + 1)?, true)),
                Reach::Everything if filter.is_by_iccid() => prefix::count(sql, tenant, &filter, most + 1),
                Reach::Everything => count_window(sql, tenant, &filter, most + 1),
            })
            .await?;
        Ok(CountedLines { lines: counted.min(most), is_all: is_whole && counted <= most })
    }

    /// The few lines that an ICCID or a number names, or all that are within reach of those whose ICCIDs begin alike, as far as the rest of the
    /// filter holds for them; none: none of these is sought, or too many lines begin so.
    async fn named_lines(&self, tenant: TenantId, reach: &Reach, filter: &LineFilter) -> Result<Option<Vec<DeviceView>>> {
        let exact = match (&filter.iccid, &filter.number) {
            (Some(iccid), _) => DeviceFilter::Iccid(iccid.clone()),
            (None, Some(number)) => DeviceFilter::Number(number.clone()),
            (None, None) if filter.iccid_prefix.is_some() && !reach.is_everything() => {
                let (reach, filter) = (reach.clone(), filter.clone());
                return self.engine.read(tenant, move |sql| prefix::within(sql, tenant, &reach, &filter)).await;
            }
            (None, None) => return Ok(None),
        };
        let found = self.find_devices(tenant, reach, &exact, None, super::EXACT_LINES as usize).await?;
        Ok(Some(found.items.into_iter().filter(|line| holds(filter, line)).collect()))
    }
}

/// Whether all that is sought holds for a line.
pub(super) fn holds(filter: &LineFilter, line: &DeviceView) -> bool {
    fn is_or_any<T: PartialEq>(sought: Option<&T>, found: Option<&T>) -> bool {
        sought.is_none_or(|sought| found == Some(sought))
    }
    is_or_any(filter.iccid.as_ref(), Some(&line.iccid))
        && filter.iccid_prefix.as_ref().is_none_or(|prefix| line.iccid.starts_with(prefix))
        && is_or_any(filter.number.as_ref(), line.subscriber_number.as_ref())
        && is_or_any(filter.rev_customer_id.as_ref(), line.rev_customer_id.as_ref())
        && is_or_any(filter.site_id.as_ref(), line.site_id.as_ref())
        && is_or_any(filter.service_provider_id.as_ref(), Some(&line.service_provider_id))
        && is_or_any(filter.status.as_ref(), Some(&line.status))
        && is_or_any(filter.customer_rate_plan_id.as_ref(), line.customer_rate_plan_id.as_ref())
        && is_or_any(filter.customer_rate_pool_id.as_ref(), line.customer_rate_pool_id.as_ref())
        && is_or_any(filter.carrier_rate_plan.as_ref(), line.carrier_rate_plan.as_ref())
}

fn page_of_named(mut items: Vec<DeviceView>, order: LineOrder, after: Option<DeviceId>, limit: usize) -> SoughtLines {
    items.sort_by_key(|line| line.id);
    if order == LineOrder::NewestFirst {
        items.reverse();
    }
    if let Some(after) = after {
        items.retain(|line| if order == LineOrder::NewestFirst { line.id < after } else { line.id > after });
    }
    let are_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| are_more).map(|line| line.id);
    SoughtLines { items, next, is_cut: false }
}

/// The lines of a window, and where it ends if there may be more behind it.
fn list_window(
    sql: &Sql<'_>,
    tenant: TenantId,
    filter: &LineFilter,
    order: LineOrder,
    beyond: i64,
    surplus: i64,
) -> Result<(Vec<DeviceView>, Option<DeviceId>)> {
    let served = served(filter);
    let newest = usize::from(order == LineOrder::NewestFirst);
    let end = window_end(sql, tenant, &served, newest, beyond)?;
    let last = end.unwrap_or(edges(order).1);
    let (sought, window) = (Sought::of(filter), served.window());
    let mut parameters: Vec<&dyn Parameter> = vec![&tenant.0, &beyond, &surplus, &last];
    parameters.extend(sought.parameters(&window));
    Ok((sql.query(served.list[newest], &parameters, read_device)?, end.map(DeviceId)))
}

/// How many lines of the first window, and whether it is the only one.
fn count_window(sql: &Sql<'_>, tenant: TenantId, filter: &LineFilter, most: i64) -> Result<(i64, bool)> {
    let served = served(filter);
    if served.is_all {
        let mut parameters: Vec<&dyn Parameter> = vec![&tenant.0, &most];
        parameters.extend(served.by.as_ref().map(|by| by as &dyn Parameter));
        return Ok((sql.find(served.number, &parameters, |row| row.get::<i64>(0))?.unwrap_or_default(), true));
    }
    let (beyond, _) = edges(LineOrder::OldestFirst);
    let end = window_end(sql, tenant, &served, 0, beyond)?;
    let last = end.unwrap_or(i64::MAX);
    let (sought, window) = (Sought::of(filter), served.window());
    let mut parameters: Vec<&dyn Parameter> = vec![&tenant.0, &beyond, &most, &last];
    parameters.extend(sought.parameters(&window));
    let counted = sql.find(served.count, &parameters, |row| row.get::<i64>(0))?.unwrap_or_default();
    Ok((counted, end.is_none()))
}

/// The last line of a window; none: the index serves everything, or the window reaches its end.
fn window_end(sql: &Sql<'_>, tenant: TenantId, served: &Served, newest: usize, beyond: i64) -> Result<Option<i64>> {
    if served.is_all {
        return Ok(None);
    }
    let offset = LOOKED_AT as i64 - 1;
    let mut parameters: Vec<&dyn Parameter> = vec![&tenant.0, &beyond, &offset];
    parameters.extend(served.by.as_ref().map(|by| by as &dyn Parameter));
    sql.find(served.end[newest], &parameters, |row| row.get::<i64>(0))
}
