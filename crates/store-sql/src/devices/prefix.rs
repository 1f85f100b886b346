//! Lines whose ICCIDs begin alike: a range of the index by ICCID, in its order. What else is sought is looked at line by line, for a page of at
//! most [`LOOKED_AT`] lines, as where another index serves.

use lineshift_domain::ids::{DeviceId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_store::Result;
use lineshift_store::devices::{DeviceView, LOOKED_AT, LineFilter, LineOrder, SoughtLines};
use lineshift_store::sql::devices as text;

use super::read_device;
use super::sought::holds;
use crate::engine::Sql;

/// Lines that are read at a time where more than the beginning is sought.
const CHUNK: usize = 1_000;

/// The least text behind all that begin so; of digits, there always is one.
pub(crate) fn end_of(prefix: &str) -> String {
    let mut end = prefix.to_owned();
    if let Some(last) = end.pop() {
        end.push(char::from_u32(u32::from(last) + 1).unwrap_or(char::MAX));
    }
    end
}

/// The least text behind an ICCID, before whichever digits might follow it.
fn behind(iccid: &str) -> String {
    format!("{iccid}!")
}

/// A page of them after a line, and where it ends if there may be more.
pub(super) fn list(
    sql: &Sql<'_>,
    tenant: TenantId,
    filter: &LineFilter,
    order: LineOrder,
    after: Option<DeviceId>,
    limit: usize,
) -> Result<SoughtLines> {
    let prefix = filter.iccid_prefix.as_deref().unwrap_or_default();
    let (mut low, mut high) = (prefix.to_owned(), end_of(prefix));
    let mut goes_on = |iccid: &str| match order {
        LineOrder::OldestFirst => low = behind(iccid),
        LineOrder::NewestFirst => iccid.clone_into(&mut high),
    };
    if let Some(after) = after {
        // A cursor of another list may name any line.
        match sql.find(text::GET_DEVICE, &[&tenant.0, &after.0], read_device)?.filter(|line| line.iccid.starts_with(prefix)) {
            Some(line) => goes_on(&line.iccid),
            None => return Ok(SoughtLines::default()),
        }
    }
    let statement = match order {
        LineOrder::OldestFirst => text::LIST_BY_ICCID_PREFIX,
        LineOrder::NewestFirst => text::LIST_BY_ICCID_PREFIX_NEWEST,
    };
    let chunk = if filter.count() == 1 { limit + 1 } else { CHUNK };
    let (mut found, mut looked_at) = (SoughtLines::default(), 0);
    loop {
        let lines = sql.query(statement, &[&tenant.0, &low, &high, &(chunk as i64)], read_device)?;
        let (read, last) = (lines.len(), lines.last().map(|line| (line.id, line.iccid.clone())));
        for line in lines.into_iter().filter(|line| holds(filter, line)) {
            if found.items.len() == limit {
                found.next = found.items.last().map(|line| line.id);
                return Ok(found);
            }
            found.items.push(line);
        }
        looked_at += read;
        let Some((id, iccid)) = last.filter(|_| read == chunk) else { return Ok(found) };
        if looked_at >= LOOKED_AT {
            return Ok(SoughtLines { next: Some(id), is_cut: true, ..found });
        }
        match order {
            LineOrder::OldestFirst => low = behind(&iccid),
            LineOrder::NewestFirst => high = iccid,
        }
    }
}

/// All of them within reach, for whoever sees only some; none: more than [`LOOKED_AT`] lines begin so. They are looked at to the last one, so
/// that no page ends because of lines beyond reach.
pub(super) fn within(sql: &Sql<'_>, tenant: TenantId, reach: &Reach, filter: &LineFilter) -> Result<Option<Vec<DeviceView>>> {
    let prefix = filter.iccid_prefix.as_deref().unwrap_or_default();
    let (mut low, high, most) = (prefix.to_owned(), end_of(prefix), LOOKED_AT as i64 + 1);
    let counted = sql.find(text::COUNT_BY_ICCID_PREFIX, &[&tenant.0, &low, &high, &most], |row| row.get::<i64>(0))?;
    if counted.unwrap_or_default() >= most {
        return Ok(None);
    }
    let mut found = Vec::new();
    loop {
        let lines = sql.query(text::LIST_BY_ICCID_PREFIX, &[&tenant.0, &low, &high, &(CHUNK as i64)], read_device)?;
        let last = lines.last().filter(|_| lines.len() == CHUNK).map(|line| behind(&line.iccid));
        let is_reached = |line: &DeviceView| reach.reaches_line(line.service_provider_id, line.rev_customer_id, line.site_id);
        found.extend(lines.into_iter().filter(|line| is_reached(line) && holds(filter, line)));
        let Some(last) = last else { return Ok(Some(found)) };
        low = last;
    }
}

/// How many of them there are, at most `most`, and whether all of them were looked at.
pub(super) fn count(sql: &Sql<'_>, tenant: TenantId, filter: &LineFilter, most: i64) -> Result<(i64, bool)> {
    let prefix = filter.iccid_prefix.as_deref().unwrap_or_default();
    if filter.count() == 1 {
        let parameters: [&dyn crate::value::Parameter; 4] = [&tenant.0, &prefix, &end_of(prefix), &most];
        let counted = sql.find(text::COUNT_BY_ICCID_PREFIX, &parameters, |row| row.get::<i64>(0))?;
        return Ok((counted.unwrap_or_default(), true));
    }
    let all = list(sql, tenant, filter, LineOrder::OldestFirst, None, usize::try_from(most).unwrap_or(usize::MAX))?;
    Ok((all.items.len() as i64, !all.is_cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_lies_behind_all_that_begin_so() {
        for (prefix, end) in [("8901", "8902"), ("8909", "890:")] {
            assert_eq!(end_of(prefix), end);
            assert!(*format!("{prefix}9999") < *end && end > prefix);
            assert!(*behind(prefix) > *prefix && behind(prefix) < format!("{prefix}0"));
        }
    }
}
