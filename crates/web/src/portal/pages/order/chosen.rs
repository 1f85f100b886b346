//! The chosen lines, as orders take them.

use lineshift_domain::ids::{DeviceId, ServiceProviderId};
use lineshift_domain::lines::LineList;
use lineshift_domain::order::Order;
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_store::StoreError;
use lineshift_store::catalogue::ServiceProvider;
use lineshift_store::selections::{SELECTED_AT_ONCE, SelectedLine, SelectionKey};

use crate::portal::viewer::Viewer;

/// Lines of one service provider that are chosen.
pub(super) struct OfProvider {
    pub(super) provider: ServiceProvider,
    pub(super) count: i64,
}

/// The lines of an order that a selection makes, in the order of their ids.
pub(super) struct ChosenLines {
    pub(super) ids: Vec<DeviceId>,
    pub(super) written: LineList,
}

impl ChosenLines {
    /// Those of a page, from that place on.
    pub(super) fn page(&self, from: usize, count: usize) -> LineList {
        (from..self.ids.len().min(from.saturating_add(count))).filter_map(|place| self.written.get(place)).collect()
    }
}

pub(super) fn key(viewer: &Viewer, portal: PortalType) -> SelectionKey {
    SelectionKey { user: viewer.person.signed_in.user, portal }
}

/// By what a portal's orders name lines: by ICCID, which is one line's alone, where the portal knows lines by it.
pub(super) fn identifier(portal: PortalType) -> LineIdentifier {
    if portal.knows_lines_by(LineIdentifier::Iccid) { LineIdentifier::Iccid } else { LineIdentifier::Number }
}

/// How a chosen line is named in an order. One without a number has an empty one, and is refused by rule 1.
pub(super) fn named(line: &SelectedLine, by: LineIdentifier) -> &str {
    match by {
        LineIdentifier::Iccid => &line.iccid,
        LineIdentifier::Number => line.subscriber_number.as_deref().unwrap_or_default(),
    }
}

/// What is chosen, by service provider: an order is for the lines of one.
pub(super) async fn by_provider(viewer: &Viewer, portal: PortalType) -> Result<Vec<OfProvider>, StoreError> {
    let store = viewer.web.engine.store();
    let (tenant, reach) = (viewer.caller.tenant, &viewer.caller.rights.reach);
    let counted = store.count_selected(tenant, &key(viewer, portal), reach).await?;
    let mut chosen = Vec::with_capacity(counted.len());
    for (id, count) in counted.into_iter().filter(|(_, count)| *count > 0) {
        chosen.push(OfProvider { provider: store.get_service_provider(tenant, id).await?, count });
    }
    Ok(chosen)
}

/// All chosen lines of a service provider.
pub(super) async fn lines(viewer: &Viewer, portal: PortalType, provider: ServiceProviderId) -> Result<ChosenLines, StoreError> {
    let store = viewer.web.engine.store();
    let (tenant, reach, key, by) = (viewer.caller.tenant, &viewer.caller.rights.reach, key(viewer, portal), identifier(portal));
    let mut chosen = ChosenLines { ids: Vec::new(), written: LineList::default() };
    loop {
        let after = chosen.ids.last().copied();
        let listed = store.list_selected(tenant, &key, reach, Some(provider), after, SELECTED_AT_ONCE).await?;
        let is_last = listed.len() < SELECTED_AT_ONCE;
        for line in &listed {
            chosen.ids.push(line.device_id);
            chosen.written.push(named(line, by));
        }
        if is_last {
            return Ok(chosen);
        }
    }
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
