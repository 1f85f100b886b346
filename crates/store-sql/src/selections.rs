//! Selections: what users have chosen, changed in sets of thousands.
//!
//! Each change is a short transaction that holds the selection's own row: of two at once the second waits, and the count stays right.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{DeviceId, ServiceProviderId, TenantId, UserId};
use lineshift_domain::lines::Digits;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_store::devices::{LineFilter, LineOrder};
use lineshift_store::selections::{
    SELECTED_AT_ONCE, SelectedLine, SelectedMatching, SelectedPart, Selecting, Selection, SelectionKey, SelectionStore,
    SelectionWindow, Written,
};
use lineshift_store::sql::selections as text;
use lineshift_store::{Result, StoreError};

use crate::devices::json_of_digits;
use crate::engine::{Engine, Sql, SqlStore};
use crate::json::json;
use crate::reach::limits;
use crate::row::{Row, micros};
use crate::sql::selections as tuned;

/// Lines that are taken out in one transaction when a selection is cleared.
const CLEARED_AT_ONCE: i64 = 10_000;

#[async_trait]
impl<E: Engine> SelectionStore for SqlStore<E> {
    async fn find_selection(&self, tenant: TenantId, key: &SelectionKey, reach: &Reach) -> Result<Option<Selection>> {
        let (key, reach) = (*key, reach.clone());
        let found = self.engine.read(tenant, move |sql| {
            let Some(mut selection) = find_kept(sql, tenant, key)? else { return Ok(None) };
            if !reach.is_everything() {
                selection.lines = count_by_provider(sql, tenant, key, &reach)?.iter().map(|(_, count)| count).sum();
            }
            Ok(Some(selection))
        });
        Ok(found.await?.filter(|selection| selection.lines > 0))
    }

    async fn select_lines(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        reach: &Reach,
        lines: &[DeviceId],
        selecting: Selecting,
    ) -> Result<i64> {
        Ok(self.add(tenant, *key, reach, lines, selecting).await?.ids.len() as i64)
    }

    async fn unselect_lines(&self, tenant: TenantId, key: &SelectionKey, lines: &[DeviceId], now: DateTime<Utc>) -> Result<i64> {
        let (key, lines) = (*key, ids_of(lines)?);
        self.engine.write(tenant, move |sql| remove(sql, tenant, key, &lines, now)).await
    }

    async fn select_matching(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        reach: &Reach,
        filter: &LineFilter,
        window: SelectionWindow,
        selecting: Selecting,
    ) -> Result<SelectedMatching> {
        let (after, limit) = (window.after, window.limit.clamp(1, SELECTED_AT_ONCE));
        // Looked up outside of the writing transaction: what is no more there, or left meanwhile, is not added all the same.
        let listed = self.seek_lines(tenant, reach, filter, LineOrder::OldestFirst, after, limit).await?;
        let ids: Vec<DeviceId> = listed.items.iter().map(|line| line.id).collect();
        let added = self.add(tenant, *key, reach, &ids, selecting).await?;
        // What was chosen before takes no room: where nothing else matches, all of it is chosen all the same.
        let left_out = added.is_full && {
            let chosen: HashSet<DeviceId> = self.find_selected(tenant, key, &ids).await?.into_iter().collect();
            ids.iter().any(|id| !chosen.contains(id))
        };
        let last = listed.next.filter(|_| !left_out);
        Ok(SelectedMatching { selected: added.ids.len() as i64, last, left_out })
    }

    async fn select_written(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        reach: &Reach,
        identifier: LineIdentifier,
        written: &[Digits],
        selecting: Selecting,
    ) -> Result<Vec<Written>> {
        if written.is_empty() {
            return Ok(Vec::new());
        }
        let (sought, [customers, sites, providers]) = (json_of_digits(at_most(written)?), limits(reach));
        let statement = match identifier {
            LineIdentifier::Iccid => tuned::FIND_BY_ICCID,
            LineIdentifier::Number => tuned::FIND_BY_NUMBER,
        };
        let found: Vec<(usize, DeviceId)> = self
            .engine
            .read(tenant, move |sql| {
                let parameters = [&tenant.0 as _, &sought as _, &customers as _, &sites as _, &providers as _];
                sql.query(statement, &parameters, |row| Ok((row.place(0)?, DeviceId(row.get(1)?))))
            })
            .await?;
        let mut outcomes = vec![Written::NotFound; written.len()];
        let mut lines: HashMap<usize, DeviceId> = HashMap::with_capacity(found.len());
        for (place, line) in found {
            if lines.insert(place, line).is_some() {
                outcomes[place] = Written::Ambiguous;
            } else {
                outcomes[place] = Written::AlreadyChosen;
            }
        }
        lines.retain(|place, _| outcomes[*place] == Written::AlreadyChosen);
        let mut places: Vec<(usize, DeviceId)> = lines.into_iter().collect();
        places.sort_unstable();
        let ids: Vec<DeviceId> = places.iter().map(|(_, line)| *line).collect();
        let added = self.add(tenant, *key, reach, &ids, selecting).await?;
        let missing = if added.is_full { self.find_selected(tenant, key, &ids).await? } else { ids };
        let (mut new, chosen) = (added.ids, missing.into_iter().collect::<HashSet<_>>());
        for (place, line) in places {
            if new.remove(&line) {
                outcomes[place] = Written::Added;
            } else if !chosen.contains(&line) {
                outcomes[place] = Written::Full;
            }
        }
        Ok(outcomes)
    }

    async fn count_selected(&self, tenant: TenantId, key: &SelectionKey, reach: &Reach) -> Result<Vec<(ServiceProviderId, i64)>> {
        let (key, reach) = (*key, reach.clone());
        self.engine.read(tenant, move |sql| count_by_provider(sql, tenant, key, &reach)).await
    }

    async fn list_selected(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        reach: &Reach,
        service_provider: Option<ServiceProviderId>,
        part: SelectedPart,
    ) -> Result<Vec<SelectedLine>> {
        let (key, [customers, sites, providers]) = (*key, limits(reach));
        let limit = part.limit.clamp(1, SELECTED_AT_ONCE) as i64;
        let (after, through) = (part.after.map_or(i64::MIN, |id| id.0), part.through.map_or(i64::MAX, |id| id.0));
        let provider = service_provider.map_or(0, |id| id.0);
        self.engine
            .read(tenant, move |sql| {
                let ([user, portal], since) = (of(key), micros(key.since));
                let parameters = [
                    &tenant.0 as _,
                    &user as _,
                    &portal as _,
                    &after as _,
                    &limit as _,
                    &provider as _,
                    &customers as _,
                    &sites as _,
                    &providers as _,
                    &since as _,
                    &through as _,
                ];
                sql.query(tuned::LIST_LINES, &parameters, read_line)
            })
            .await
    }

    async fn find_selected_end(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        after: Option<DeviceId>,
        lines: usize,
    ) -> Result<Option<DeviceId>> {
        let Some(passed) = lines.checked_sub(1) else { return Ok(after) };
        let ([user, portal], after, passed) = (of(*key), after.map_or(i64::MIN, |id| id.0), passed as i64);
        self.engine
            .read(tenant, move |sql| {
                sql.find(text::END_OF_CHUNK, &[&tenant.0, &user, &portal, &after, &passed], |row| Ok(DeviceId(row.get(0)?)))
            })
            .await
    }

    async fn find_selected(&self, tenant: TenantId, key: &SelectionKey, lines: &[DeviceId]) -> Result<Vec<DeviceId>> {
        let (key, lines) = (*key, ids_of(lines)?);
        self.engine
            .read(tenant, move |sql| {
                let ([user, portal], since) = (of(key), micros(key.since));
                let parameters = [&tenant.0 as _, &user as _, &portal as _, &lines as _, &since as _];
                sql.query(tuned::FIND_LINES, &parameters, |row| Ok(DeviceId(row.get(0)?)))
            })
            .await
    }

    async fn clear_selection(
        &self,
        tenant: TenantId,
        key: &SelectionKey,
        service_provider: Option<ServiceProviderId>,
    ) -> Result<()> {
        let key = *key;
        if service_provider.is_none() {
            return self.clear(tenant, key, None).await;
        }
        // Those beyond reach go as well: what is left of a selection is of other service providers.
        let mut after = None;
        loop {
            let part = SelectedPart::after(after, SELECTED_AT_ONCE);
            let lines = self.list_selected(tenant, &key, &Reach::Everything, service_provider, part).await?;
            let ids: Vec<DeviceId> = lines.iter().map(|line| line.device_id).collect();
            let Some(last) = ids.last().copied() else { break };
            let sent = ids_of(&ids)?;
            self.engine.write(tenant, move |sql| take_out(sql, tenant, key, &sent)).await?;
            after = Some(last);
        }
        let [user, portal] = of(key);
        self.engine.write(tenant, move |sql| sql.execute(text::DELETE_EMPTY, &[&tenant.0, &user, &portal]).map(|_| ())).await
    }

    async fn drop_untouched_selections(&self, tenant: TenantId, before: DateTime<Utc>) -> Result<usize> {
        let untouched = self.engine.read(tenant, move |sql| {
            sql.query(text::LIST_UNTOUCHED, &[&tenant.0, &micros(before)], |row| {
                let portal = PortalType::from_number(row.get(1)?).map_err(|error| crate::row::not_a_term(1, error))?;
                Ok(SelectionKey { user: UserId(row.get(0)?), portal, since: before })
            })
        });
        let untouched = untouched.await?;
        for key in &untouched {
            self.clear(tenant, *key, Some(before)).await?;
        }
        Ok(untouched.len())
    }
}

/// What adding lines came to.
struct Added {
    ids: HashSet<DeviceId>,
    is_full: bool,
}

impl<E: Engine> SqlStore<E> {
    /// Takes all lines out; those of a selection that was touched since then stay.
    async fn clear(&self, tenant: TenantId, key: SelectionKey, untouched_since: Option<DateTime<Utc>>) -> Result<()> {
        while self.engine.write(tenant, move |sql| clear_some(sql, tenant, key, untouched_since)).await? {}
        Ok(())
    }

    /// Adds lines that are within reach and not chosen yet. What was chosen too long ago goes first.
    async fn add(
        &self,
        tenant: TenantId,
        key: SelectionKey,
        reach: &Reach,
        lines: &[DeviceId],
        selecting: Selecting,
    ) -> Result<Added> {
        if lines.is_empty() {
            return Ok(Added { ids: HashSet::new(), is_full: false });
        }
        let (sent, limits) = (ids_of(lines)?, limits(reach));
        loop {
            let (sent, limits) = (sent.clone(), limits.clone());
            let added = self.engine.write(tenant, move |sql| add(sql, tenant, key, &sent, &limits, selecting)).await?;
            match added {
                Some(added) => return Ok(added),
                // Of two that begin anew at once the second finds what the first has begun, and leaves it alone.
                None => self.clear(tenant, key, Some(key.since)).await?,
            }
        }
    }
}

/// None: the selection is too old to be added to.
fn add(
    sql: &Sql<'_>,
    tenant: TenantId,
    key: SelectionKey,
    lines: &str,
    limits: &[String; 3],
    selecting: Selecting,
) -> Result<Option<Added>> {
    let [user, portal] = of(key);
    if find(sql, tenant, key)?.is_some_and(|selection| selection.touched_at < key.since) {
        return Ok(None);
    }
    sql.execute(text::TOUCH, &[&tenant.0, &user, &portal, &micros(selecting.now)])?;
    // Read anew: the row is held now.
    let chosen = find(sql, tenant, key)?.map_or(0, |selection| selection.lines);
    let room = i64::try_from(selecting.most).unwrap_or(i64::MAX).saturating_sub(chosen).max(0);
    let [customers, sites, providers] = limits;
    let parameters =
        [&tenant.0 as _, &user as _, &portal as _, &lines as _, customers as _, sites as _, providers as _, &room as _];
    let ids = sql.query(tuned::INSERT_LINES, &parameters, |row| Ok(DeviceId(row.get(0)?)))?;
    let ids: HashSet<DeviceId> = ids.into_iter().collect();
    let added = ids.len() as i64;
    if added > 0 {
        sql.execute(text::COUNT_UP, &[&tenant.0, &user, &portal, &added])?;
    }
    Ok(Some(Added { ids, is_full: added == room }))
}

fn remove(sql: &Sql<'_>, tenant: TenantId, key: SelectionKey, lines: &str, now: DateTime<Utc>) -> Result<i64> {
    let [user, portal] = of(key);
    // One that is forgotten is not taken up again by it.
    if find_kept(sql, tenant, key)?.is_none() {
        return Ok(0);
    }
    sql.execute(text::TOUCH, &[&tenant.0, &user, &portal, &micros(now)])?;
    take_out(sql, tenant, key, lines)
}

/// Takes lines out of a selection that is held from the first of these statements on.
fn take_out(sql: &Sql<'_>, tenant: TenantId, key: SelectionKey, lines: &str) -> Result<i64> {
    let [user, portal] = of(key);
    sql.execute(text::COUNT_UP, &[&tenant.0, &user, &portal, &0_i64])?;
    let removed = sql.execute(tuned::DELETE_LINES, &[&tenant.0, &user, &portal, &lines])? as i64;
    sql.execute(text::COUNT_UP, &[&tenant.0, &user, &portal, &-removed])?;
    Ok(removed)
}

/// Takes the first lines out, or the selection when there are none; says whether there may be more. Nothing is taken out of one that was
/// touched since then.
fn clear_some(sql: &Sql<'_>, tenant: TenantId, key: SelectionKey, untouched_since: Option<DateTime<Utc>>) -> Result<bool> {
    let [user, portal] = of(key);
    if sql.execute(text::COUNT_UP, &[&tenant.0, &user, &portal, &0_i64])? == 0 {
        return Ok(false);
    }
    // Its row is held now: nobody touches it any more.
    let touched_at = find(sql, tenant, key)?.map(|selection| selection.touched_at);
    if untouched_since.zip(touched_at).is_some_and(|(since, touched_at)| touched_at >= since) {
        return Ok(false);
    }
    let chunk = [&tenant.0 as _, &user as _, &portal as _, &i64::MIN as _, &(CLEARED_AT_ONCE - 1) as _];
    let end = sql.find(text::END_OF_CHUNK, &chunk, |row| row.get::<i64>(0))?;
    let last = end.unwrap_or(i64::MAX);
    let removed = sql.execute(text::DELETE_RANGE, &[&tenant.0, &user, &portal, &i64::MIN, &last])? as i64;
    sql.execute(text::COUNT_UP, &[&tenant.0, &user, &portal, &-removed])?;
    if end.is_none() {
        sql.execute(text::DELETE_EMPTY, &[&tenant.0, &user, &portal])?;
    }
    Ok(end.is_some())
}

fn find(sql: &Sql<'_>, tenant: TenantId, key: SelectionKey) -> Result<Option<Selection>> {
    let [user, portal] = of(key);
    sql.find(text::FIND, &[&tenant.0, &user, &portal], |row| Ok(Selection { lines: row.get(0)?, touched_at: row.time(1)? }))
}

/// The selection, unless it is forgotten.
fn find_kept(sql: &Sql<'_>, tenant: TenantId, key: SelectionKey) -> Result<Option<Selection>> {
    Ok(find(sql, tenant, key)?.filter(|selection| selection.touched_at >= key.since))
}

fn count_by_provider(sql: &Sql<'_>, tenant: TenantId, key: SelectionKey, reach: &Reach) -> Result<Vec<(ServiceProviderId, i64)>> {
    let ([user, portal], [customers, sites, providers], since) = (of(key), limits(reach), micros(key.since));
    let parameters = [&tenant.0 as _, &user as _, &portal as _, &customers as _, &sites as _, &providers as _, &since as _];
    sql.query(tuned::COUNT_BY_PROVIDER, &parameters, |row| Ok((ServiceProviderId(row.get(0)?), row.get(1)?)))
}

fn read_line(row: &Row<'_>) -> Result<SelectedLine> {
    Ok(SelectedLine {
        device_id: DeviceId(row.get(0)?),
        iccid: row.get(1)?,
        subscriber_number: row.get(2)?,
        service_provider_id: ServiceProviderId(row.get(3)?),
    })
}

/// User and portal as they are stored.
const fn of(key: SelectionKey) -> [i64; 2] {
    [key.user.0, key.portal.number()]
}

/// Ids as one parameter, in order, so that neighbours share pages of the tree.
fn ids_of(lines: &[DeviceId]) -> Result<String> {
    let mut ids: Vec<i64> = at_most(lines)?.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    json(&ids)
}

/// Refuses more than one transaction is made for.
fn at_most<T>(lines: &[T]) -> Result<&[T]> {
    if lines.len() > SELECTED_AT_ONCE {
        return Err(StoreError::internal(format!("{} lines at once; {SELECTED_AT_ONCE} are the most", lines.len())));
    }
    Ok(lines)
}
