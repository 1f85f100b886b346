//! The chosen lines, as orders take them.

use std::collections::HashSet;

use futures::try_join;
use lineshift_domain::ids::{DeviceId, ServiceProviderId};
use lineshift_domain::lines::{Digits, LineList, read_line};
use lineshift_domain::order::Order;
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_store::StoreError;
use lineshift_store::catalogue::ServiceProvider;
use lineshift_store::selections::{SELECTED_AT_ONCE, SelectedLine, SelectedPart};

use crate::portal::choosing::key;
use crate::portal::viewer::Viewer;

/// Lines of one service provider that are chosen.
pub(super) struct OfProvider {
    pub(super) provider: ServiceProvider,
    pub(super) count: i64,
}

/// Examples of lines that are set aside.
const EXAMPLES: usize = 5;

/// The lines of an order that a selection makes, in the order of their ids: each has a row of its own in the bulk change.
#[derive(Default)]
pub(super) struct ChosenLines {
    pub(super) ids: Vec<DeviceId>,
    pub(super) written: LineList,
    /// Those that an order cannot name.
    pub(super) unnamed: SetAside,
    /// Those that an order names already, as another line has the same number.
    pub(super) repeated: SetAside,
}

/// Chosen lines that no order is made of: they stay chosen.
#[derive(Default)]
pub(super) struct SetAside {
    pub(super) ids: Vec<DeviceId>,
    /// The ICCIDs of some of them.
    pub(super) examples: Vec<String>,
}

impl SetAside {
    fn push(&mut self, line: &SelectedLine) {
        self.ids.push(line.device_id);
        if self.examples.len() < EXAMPLES {
            self.examples.push(line.iccid.clone());
        }
    }
}

impl ChosenLines {
    /// Whether nothing at all is chosen.
    pub(super) const fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.unnamed.ids.is_empty() && self.repeated.ids.is_empty()
    }
}

/// The numbers that an order names so far, as the engine tells them apart (B4.6 rule 1).
#[derive(Default)]
struct Named {
    digits: HashSet<Digits>,
    malformed: HashSet<String>,
}

impl Named {
    /// Whether it is the first of its kind. ICCIDs are one line's alone, and not remembered.
    fn is_first(&mut self, text: &str, by: LineIdentifier) -> bool {
        match (by, read_line(by, text)) {
            (LineIdentifier::Iccid, _) => true,
            (LineIdentifier::Number, Ok(digits)) => self.digits.insert(digits),
            (LineIdentifier::Number, Err(_)) => self.malformed.insert(text.trim().to_owned()),
        }
    }
}

/// How a chosen line is named in an order; none: it has no number, and cannot be named.
pub(super) fn named(line: &SelectedLine, by: LineIdentifier) -> Option<&str> {
    match by {
        LineIdentifier::Iccid => Some(&line.iccid),
        LineIdentifier::Number => line.subscriber_number.as_deref().filter(|number| !number.trim().is_empty()),
    }
}

/// What is chosen, by service provider: an order is for the lines of one. As it was counted a moment ago, where that is kept: which lines
/// are ordered for is read line by line in any case.
pub(super) async fn by_provider(viewer: &Viewer, portal: PortalType) -> Result<Vec<OfProvider>, StoreError> {
    let store = viewer.web.engine.store();
    let counted = viewer.web.selection_counts.by_provider(viewer, portal).await?;
    let mut chosen = Vec::with_capacity(counted.len());
    for &(id, count) in counted.iter().filter(|(_, count)| *count > 0) {
        chosen.push(OfProvider { provider: store.get_service_provider(viewer.caller.tenant, id).await?, count });
    }
    Ok(chosen)
}

/// All chosen lines of a service provider: what can be ordered, and what is set aside.
pub(super) async fn lines(viewer: &Viewer, portal: PortalType, provider: ServiceProviderId) -> Result<ChosenLines, StoreError> {
    let store = viewer.web.engine.store();
    let (tenant, reach, key, by) =
        (viewer.caller.tenant, &viewer.caller.rights.reach, key(viewer, portal), portal.first_identifier());
    let (mut chosen, mut named_so_far, mut after) = (ChosenLines::default(), Named::default(), None);
    let listed = |part| store.list_selected(tenant, &key, reach, Some(provider), part);
    loop {
        // Two parts are read side by side: each line is a search of its own, and the store has several readers.
        let middle = store.find_selected_end(tenant, &key, after, SELECTED_AT_ONCE).await?;
        let first = SelectedPart { after, through: middle, limit: SELECTED_AT_ONCE };
        let (lines, is_last) = match middle {
            None => {
                let lines = listed(first).await?;
                // More may have been added since the end was looked for.
                let is_last = lines.len() < SELECTED_AT_ONCE;
                (lines, is_last)
            }
            Some(middle) => {
                let second = SelectedPart::after(Some(middle), SELECTED_AT_ONCE);
                let (first, second) = try_join!(listed(first), listed(second))?;
                joined(first, middle, second)
            }
        };
        for line in &lines {
            match named(line, by) {
                None => chosen.unnamed.push(line),
                Some(name) if named_so_far.is_first(name, by) => {
                    chosen.ids.push(line.device_id);
                    chosen.written.push(name);
                }
                Some(_) => chosen.repeated.push(line),
            }
        }
        after = lines.last().map(|line| line.device_id);
        if is_last {
            return Ok(chosen);
        }
    }
}

/// Two parts that were read side by side, of which the first was to end with that line, and whether they were the last.
fn joined(mut first: Vec<SelectedLine>, end: DeviceId, second: Vec<SelectedLine>) -> (Vec<SelectedLine>, bool) {
    // Where lines were added meanwhile it may end before the second begins, which is read again then.
    if first.len() == SELECTED_AT_ONCE && first.last().is_some_and(|line| line.device_id != end) {
        return (first, false);
    }
    let is_last = second.len() < SELECTED_AT_ONCE;
    first.extend(second);
    (first, is_last)
}

/// A page of the chosen lines of a service provider: those after that one, and whether there are more.
pub(super) async fn page(
    viewer: &Viewer,
    portal: PortalType,
    provider: ServiceProviderId,
    after: Option<DeviceId>,
    count: usize,
) -> Result<(Vec<SelectedLine>, bool), StoreError> {
    let store = viewer.web.engine.store();
    let (tenant, reach) = (viewer.caller.tenant, &viewer.caller.rights.reach);
    let part = SelectedPart::after(after, count + 1);
    let mut listed = store.list_selected(tenant, &key(viewer, portal), reach, Some(provider), part).await?;
    let more = listed.len() > count;
    listed.truncate(count);
    Ok((listed, more))
}

/// Takes lines out of the selection.
pub(super) async fn unselect(viewer: &Viewer, portal: PortalType, lines: &[DeviceId]) -> Result<(), StoreError> {
    let (store, now) = (viewer.web.engine.store(), viewer.web.engine.clock().now());
    for some in lines.chunks(SELECTED_AT_ONCE) {
        store.unselect_lines(viewer.caller.tenant, &key(viewer, portal), some, now).await?;
    }
    Ok(())
}

/// An order for other lines than it was read for.
pub(super) fn with_lines(order: &Order, lines: LineList) -> Order {
    Order { lines, ..order.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(ids: impl Iterator<Item = i64>) -> Vec<SelectedLine> {
        let line = |id| SelectedLine {
            device_id: DeviceId(id),
            iccid: String::new(),
            subscriber_number: None,
            service_provider_id: ServiceProviderId(1),
        };
        ids.map(line).collect()
    }

    #[test]
    fn no_line_is_passed_over_where_two_parts_meet() {
        let full = SELECTED_AT_ONCE as i64;
        let end = DeviceId(full);
        let (all, is_last) = joined(lines(1..=full), end, lines(full + 1..=full + 3));
        assert_eq!((all.len(), is_last), (SELECTED_AT_ONCE + 3, true));
        let (_, is_last) = joined(lines(1..=full), end, lines(full + 1..=2 * full));
        assert!(!is_last, "as many as are read at a time: there may be more");
        // A line was added before the end, which is not among those read any more: one goes on right behind them.
        let (first, is_last) = joined(lines(0..full), end, lines(full + 1..=full + 3));
        assert_eq!(
            (first.last().map(|line| line.device_id), first.len(), is_last),
            (Some(DeviceId(full - 1)), SELECTED_AT_ONCE, false)
        );
        // Fewer of a part are within reach, or of the service provider.
        let (few, is_last) = joined(lines(1..=2), end, lines(full + 1..=full + 1));
        assert_eq!((few.len(), is_last), (3, true));
    }
}
