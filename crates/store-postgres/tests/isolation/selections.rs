//! Selections: what a tenant's users have chosen.

use lineshift_domain::lines::read_line;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_store::devices::LineFilter;
use lineshift_store::selections::{SelectedPart, Selecting, SelectionKey, SelectionStore, SelectionWindow, Written};
use lineshift_store_postgres::PostgresStore;

use crate::filled::{Filled, Reference};
use crate::orders::{at, iccid};
use crate::tried::{Tried, try_it};

const SELECTING: fn() -> Selecting = || Selecting { now: at(60), most: 100 };

const WINDOW: SelectionWindow = SelectionWindow { after: None, limit: 5 };

fn key(of: &Reference) -> SelectionKey {
    SelectionKey::at(of.people.user, PortalType::M2M, at(60))
}

/// Chooses two lines.
pub(crate) async fn choose(store: &PostgresStore, of: &Reference) {
    let added = store.select_lines(of.tenant, &key(of), &Reach::Everything, &of.lines[..2], SELECTING()).await;
    assert_eq!(added.expect("chosen"), 2);
}

pub(crate) async fn try_selections(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, key, all) = (of.tenant, key(of), Reach::Everything);
    try_it!(tried, SelectionStore.find_selection(tenant, &key, &all));
    try_it!(tried, SelectionStore.count_selected(tenant, &key, &all));
    try_it!(tried, SelectionStore.list_selected(tenant, &key, &all, Some(of.provider), SelectedPart::after(None, 10)));
    try_it!(tried, SelectionStore.find_selected_end(tenant, &key, None, 2));
    try_it!(tried, SelectionStore.find_selected(tenant, &key, &of.lines));
    try_it!(tried, SelectionStore.select_lines(tenant, &key, &all, &of.lines[2..3], SELECTING()));
    try_it!(tried, SelectionStore.select_matching(tenant, &key, &all, &LineFilter::default(), WINDOW, SELECTING()));
    let sought = [read_line(LineIdentifier::Iccid, &iccid(7)).expect("well-formed")];
    let written = tried.store.select_written(tenant, &key, &all, LineIdentifier::Iccid, &sought, SELECTING()).await;
    let told: lineshift_store::Result<Vec<Written>> =
        written.map(|written| written.into_iter().filter(|became| *became != Written::NotFound).collect());
    tried.note("SelectionStore::select_written", told).await;
    try_it!(tried, SelectionStore.unselect_lines(tenant, &key, &of.lines[..1], at(60)));
    try_it!(tried, SelectionStore.clear_selection(tenant, &key, Some(of.provider)));
    try_it!(tried, SelectionStore.drop_untouched_selections(tenant, at(0)));
}
