//! Selections: what users have chosen.

use std::collections::BTreeSet;

use lineshift_domain::ids::{DeviceId, TenantId, UserId};
use lineshift_domain::lines::Digits;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{LineIdentifier, PortalType};

use super::devices::digits;
use super::fixture::{self, BY, Fixture, at, iccid, number};
use super::people::member;
use crate::Store;
use crate::devices::LineFilter;
use crate::import::{ImportAssignment, ImportDevice};
use crate::selections::{KEPT, SelectedMatching, SelectedPart, Selecting, Selection, SelectionKey, SelectionWindow, Written};

const EVERYTHING: &Reach = &Reach::Everything;

fn selecting(seconds: i64) -> Selecting {
    Selecting { now: at(seconds), most: 1_000 }
}

const fn window(after: Option<DeviceId>, limit: usize) -> SelectionWindow {
    SelectionWindow { after, limit }
}

fn of(user: UserId, portal: PortalType) -> SelectionKey {
    SelectionKey::at(user, portal, at(0))
}

async fn user<S: Store>(store: &S, tenant: TenantId, name: &str) -> UserId {
    member(store, tenant, name, "m2m:view").await.1
}

async fn chosen<S: Store>(store: &S, tenant: TenantId, key: &SelectionKey, reach: &Reach) -> Vec<DeviceId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let lines = store.list_selected(tenant, key, reach, None, SelectedPart::after(after, 2)).await.expect("a list");
        assert!(lines.len() <= 2);
        after = lines.last().map(|line| line.device_id);
        ids.extend(lines.iter().map(|line| line.device_id));
        if after.is_none() {
            break;
        }
    }
    let counted: i64 = store.count_selected(tenant, key, reach).await.expect("counts").iter().map(|(_, count)| count).sum();
    let found = store.find_selection(tenant, key, reach).await.expect("a look").map_or(0, |selection| selection.lines);
    assert_eq!((counted, found), (ids.len() as i64, ids.len() as i64), "counted, kept");
    ids
}

/// Lines are added once and taken out once, for one user and portal of one tenant.
pub async fn a_selection_is_ones_own<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a selection is ones own").await;
    let (tenant, other) = (fixture.tenant, fixture.other);
    let lines = fixture.lines(5).await;
    let (ann, ben) = (user(store, tenant, "selecting ann").await, user(store, tenant, "selecting ben").await);
    let mine = of(ann, PortalType::M2M);
    assert_eq!(store.find_selection(tenant, &mine, EVERYTHING).await.expect("a look"), None);
    assert_eq!(store.select_lines(tenant, &mine, EVERYTHING, &lines[..3], selecting(10)).await.expect("added"), 3);
    let again = [lines[2], lines[3], lines[3], DeviceId(i64::MAX)];
    assert_eq!(store.select_lines(tenant, &mine, EVERYTHING, &again, selecting(20)).await.expect("added"), 1);
    assert_eq!(chosen(store, tenant, &mine, EVERYTHING).await, lines[..4]);
    assert_eq!(
        store.find_selection(tenant, &mine, EVERYTHING).await.expect("a look"),
        Some(Selection { lines: 4, touched_at: at(20) })
    );
    let found: BTreeSet<_> =
        store.find_selected(tenant, &mine, &[lines[0], lines[4]]).await.expect("a look").into_iter().collect();
    assert_eq!(found, [lines[0]].into());

    for (tenant, key) in [(tenant, of(ben, PortalType::M2M)), (tenant, of(ann, PortalType::Lnp)), (other, mine)] {
        assert_eq!(chosen(store, tenant, &key, EVERYTHING).await, []);
        assert_eq!(store.unselect_lines(tenant, &key, &lines, at(30)).await.expect("none there"), 0);
        assert_eq!(store.find_selected(tenant, &key, &lines).await.expect("a look"), []);
        store.clear_selection(tenant, &key, None).await.expect("nothing to clear");
    }
    assert_eq!(store.unselect_lines(tenant, &mine, &[lines[0], lines[4]], at(40)).await.expect("taken out"), 1);
    assert_eq!(chosen(store, tenant, &mine, EVERYTHING).await, lines[1..4]);
    store.clear_selection(tenant, &mine, None).await.expect("cleared");
    assert_eq!(chosen(store, tenant, &mine, EVERYTHING).await, []);
    assert_eq!(store.select_lines(tenant, &mine, EVERYTHING, &lines[4..], selecting(50)).await.expect("added"), 1);
    assert_eq!(chosen(store, tenant, &mine, EVERYTHING).await, lines[4..]);
}

/// What somebody may not see is not added, and what left their reach is not shown.
pub async fn a_selection_keeps_to_reach<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a selection keeps to reach").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(4).await;
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1)]).await;
    let key = of(user(store, tenant, "reaching").await, PortalType::M2M);
    let reach: Reach = format!("customer:{}", fixture.customer).parse().expect("a reach");
    assert_eq!(store.select_lines(tenant, &key, &reach, &lines, selecting(0)).await.expect("added"), 2);
    let written = digits(LineIdentifier::Iccid, &[iccid(0), iccid(3)]);
    let outcomes = store.select_written(tenant, &key, &reach, LineIdentifier::Iccid, &written, selecting(0)).await;
    assert_eq!(outcomes.expect("looked up"), [Written::AlreadyChosen, Written::NotFound]);
    let matching = store.select_matching(tenant, &key, &reach, &LineFilter::default(), window(None, 10), selecting(0)).await;
    assert_eq!(matching.expect("looked up"), SelectedMatching::default());
    assert_eq!(chosen(store, tenant, &key, &reach).await, lines[..2]);

    let away = ImportAssignment { rev_customer_id: None, site_id: fixture.amop_site, ..fixture.assignment(1) };
    fixture.assign(&[away]).await;
    assert_eq!(chosen(store, tenant, &key, &reach).await, lines[..1]);
    assert_eq!(chosen(store, tenant, &key, &Reach::nothing()).await, []);
    assert_eq!(chosen(store, tenant, &key, EVERYTHING).await, lines[..2]);
    // A service provider alone, and one of which a customer's lines are.
    let other = store.create_service_provider(tenant, &fixture::provider("Another"), at(0)).await.expect("a provider");
    let (own, customer) = (fixture.provider, fixture.customer);
    for (reach, reached) in [
        (format!("service_provider:{own}"), &lines[..2]),
        (format!("service_provider:{own} customer:{customer}"), &lines[..1]),
        (format!("service_provider:{other}"), &[]),
        (format!("service_provider:{other} customer:{customer}"), &[]),
    ] {
        assert_eq!(chosen(store, tenant, &key, &reach.parse().expect("a reach")).await, reached, "{reach}");
    }
}

/// Window by window, those that are chosen already passed over.
pub async fn what_a_filter_finds_is_chosen<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "what a filter finds").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(5).await;
    fixture.assign(&[fixture.assignment(0), fixture.assignment(2), fixture.assignment(3)]).await;
    let key = of(user(store, tenant, "filtering").await, PortalType::M2M);
    store.select_lines(tenant, &key, EVERYTHING, &lines[2..3], selecting(0)).await.expect("added");
    let filter = LineFilter { rev_customer_id: Some(fixture.customer), ..LineFilter::default() };
    let first = store.select_matching(tenant, &key, EVERYTHING, &filter, window(None, 2), selecting(0)).await.expect("added");
    assert_eq!(first, SelectedMatching { selected: 1, last: Some(lines[2]), left_out: false });
    let rest =
        store.select_matching(tenant, &key, EVERYTHING, &filter, window(first.last, 2), selecting(0)).await.expect("added");
    assert_eq!(rest, SelectedMatching { selected: 1, last: None, left_out: false });
    assert_eq!(chosen(store, tenant, &key, EVERYTHING).await, [lines[0], lines[2], lines[3]]);
}

/// Each identifier is told what became of it, in order.
pub async fn what_is_written_is_chosen<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "what is written").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(4).await;
    let shared = ImportDevice { subscriber_number: Some(number(0)), ..fixture.line(1) };
    store.import_devices(tenant, &[shared], BY, at(1)).await.expect("one number, two lines");
    let key = of(user(store, tenant, "writing").await, PortalType::Mobility);
    store.select_lines(tenant, &key, EVERYTHING, &lines[2..3], selecting(0)).await.expect("added");
    let written = async |identifier, texts: &[String]| {
        let written: Vec<Digits> = digits(identifier, texts);
        store.select_written(tenant, &key, EVERYTHING, identifier, &written, selecting(0)).await.expect("looked up")
    };
    let numbers = [number(77), number(3), number(0), number(2), number(3)];
    assert_eq!(
        written(LineIdentifier::Number, &numbers).await,
        [Written::NotFound, Written::Added, Written::Ambiguous, Written::AlreadyChosen, Written::AlreadyChosen]
    );
    assert_eq!(written(LineIdentifier::Iccid, &[iccid(1), iccid(77)]).await, [Written::Added, Written::NotFound]);
    assert_eq!(written(LineIdentifier::Iccid, &[]).await, []);
    assert_eq!(chosen(store, tenant, &key, EVERYTHING).await, lines[1..]);

    let full = Selecting { most: 3, ..selecting(0) };
    let sought = digits(LineIdentifier::Iccid, &[iccid(0), iccid(1)]);
    let outcomes = store.select_written(tenant, &key, EVERYTHING, LineIdentifier::Iccid, &sought, full).await;
    assert_eq!(outcomes.expect("looked up"), [Written::Full, Written::AlreadyChosen]);
    assert_eq!(store.select_lines(tenant, &key, EVERYTHING, &lines, full).await.expect("no room"), 0);
    let matching = store.select_matching(tenant, &key, EVERYTHING, &LineFilter::default(), window(None, 2), full).await;
    assert_eq!(matching.expect("no room"), SelectedMatching { selected: 0, last: None, left_out: true });
    // What is chosen already needs no room: where nothing else matches, nothing is left out.
    let behind = store.select_matching(tenant, &key, EVERYTHING, &LineFilter::default(), window(Some(lines[0]), 2), full).await;
    assert_eq!(behind.expect("chosen"), SelectedMatching { selected: 0, last: Some(lines[2]), left_out: false });
}

/// They are counted, listed and cleared one by one.
pub async fn a_selection_is_divided_by_service_provider<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "divided by service provider").await;
    let tenant = fixture.tenant;
    let second = store.create_service_provider(tenant, &fixture::provider("Second"), at(0)).await.expect("a provider");
    let lines = fixture.lines(3).await;
    let elsewhere = [ImportDevice { service_provider_id: second, ..fixture.line(1) }];
    store.import_devices(tenant, &elsewhere, BY, at(1)).await.expect("moved to the second provider");
    let key = of(user(store, tenant, "dividing").await, PortalType::M2M);
    store.select_lines(tenant, &key, EVERYTHING, &lines, selecting(0)).await.expect("added");
    let counts = store.count_selected(tenant, &key, EVERYTHING).await.expect("counts");
    assert_eq!(counts, [(fixture.provider, 2), (second, 1)]);
    let listed =
        store.list_selected(tenant, &key, EVERYTHING, Some(second), SelectedPart::after(None, 10)).await.expect("a list");
    let line = &listed[0];
    assert_eq!((listed.len(), line.device_id, line.service_provider_id), (1, lines[1], second));
    assert_eq!((line.iccid.as_str(), line.subscriber_number.as_deref()), (iccid(1).as_str(), Some(number(1).as_str())));
    store.clear_selection(tenant, &key, Some(fixture.provider)).await.expect("cleared");
    assert_eq!(chosen(store, tenant, &key, EVERYTHING).await, lines[1..2]);
    store.clear_selection(tenant, &key, Some(second)).await.expect("cleared");
    assert_eq!(store.find_selection(tenant, &key, EVERYTHING).await.expect("a look"), None);
}

/// Whoever reads two parts side by side learns where the first ends.
pub async fn a_selection_is_read_in_parts<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "read in parts").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(3).await);
    let key = of(user(store, tenant, "parting").await, PortalType::M2M);
    store.select_lines(tenant, &key, EVERYTHING, &lines, selecting(0)).await.expect("added");
    let second = SelectedPart { after: Some(lines[0]), through: Some(lines[1]), limit: 10 };
    let part = store.list_selected(tenant, &key, EVERYTHING, None, second).await.expect("a part");
    assert_eq!(part.iter().map(|line| line.device_id).collect::<Vec<_>>(), lines[1..2]);
    let end = async |after, count| store.find_selected_end(tenant, &key, after, count).await.expect("an end");
    assert_eq!([end(None, 2).await, end(Some(lines[0]), 2).await], [Some(lines[1]), Some(lines[2])]);
    assert_eq!([end(None, 4).await, end(Some(lines[0]), 0).await], [None, Some(lines[0])], "there are three; none is passed");
    let other = of(user(store, tenant, "parting too").await, PortalType::M2M);
    assert_eq!(store.find_selected_end(tenant, &other, None, 1).await.expect("an end"), None, "it is nobody else's");
}

/// What nobody touched for as long as selections are kept counts as nothing, whether it is dropped already or not: it is not read, not taken
/// up again, and begun anew by whoever adds to it. A member's go with them.
pub async fn an_old_selection_is_forgotten<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "an old selection").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(3).await;
    let (leaver, ann) = member(store, tenant, "forgetting ann", "m2m:view").await;
    let (ben, cem) = (user(store, tenant, "forgetting ben").await, user(store, tenant, "forgetting cem").await);
    let key = |user, now| SelectionKey::at(user, PortalType::M2M, now);
    for user in [ann, ben, cem] {
        store.select_lines(tenant, &key(user, at(0)), EVERYTHING, &lines[..2], selecting(0)).await.expect("added");
    }
    assert_eq!(chosen(store, tenant, &key(ann, at(0) + KEPT), EVERYTHING).await, lines[..2], "they are kept so long");
    let later = Selecting { now: at(1) + KEPT, most: 2 };
    let reach: Reach = format!("service_provider:{}", fixture.provider).parse().expect("a reach");
    for reach in [EVERYTHING, &reach] {
        assert_eq!(chosen(store, tenant, &key(ann, later.now), reach).await, []);
    }
    assert_eq!(store.find_selected(tenant, &key(ann, later.now), &lines).await.expect("a look"), []);

    let (anns, bens, cems) = (key(ann, later.now), key(ben, later.now), key(cem, later.now));
    assert_eq!(store.unselect_lines(tenant, &bens, &lines[..1], later.now).await.expect("none there"), 0);
    assert_eq!(chosen(store, tenant, &bens, EVERYTHING).await, [], "nobody takes it up by taking out of it");
    assert_eq!(store.select_lines(tenant, &anns, EVERYTHING, &lines[1..], later).await.expect("added"), 2);
    assert_eq!(chosen(store, tenant, &anns, EVERYTHING).await, lines[1..]);
    let written = digits(LineIdentifier::Iccid, &[iccid(0), iccid(1)]);
    let outcomes = store.select_written(tenant, &cems, EVERYTHING, LineIdentifier::Iccid, &written, later).await;
    assert_eq!(outcomes.expect("looked up"), [Written::Added, Written::Added], "what was chosen long ago is not there");

    assert_eq!(store.drop_untouched_selections(fixture.other, at(1)).await.expect("none there"), 0);
    assert_eq!(store.drop_untouched_selections(tenant, at(0)).await.expect("none yet"), 0);
    assert_eq!(store.drop_untouched_selections(tenant, anns.since).await.expect("dropped"), 1);
    assert_eq!(chosen(store, tenant, &key(ben, at(0)), EVERYTHING).await, []);
    assert_eq!(chosen(store, tenant, &anns, EVERYTHING).await, lines[1..]);
    store.remove_member(tenant, leaver).await.expect("removed");
    assert_eq!(chosen(store, tenant, &anns, EVERYTHING).await, []);
}
