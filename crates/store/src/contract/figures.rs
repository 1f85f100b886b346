//! Figures: lines by what they have in common, changes and entries by time, lists of what goes on and what failed.

use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::PrincipalId;
use lineshift_domain::reach::{Named, Reach};
use lineshift_domain::terms::{BulkChangeStatus, PortalType};

use super::bulk_changes::{KEY, accepted, amop, change, finished, plan_change, refused, stored};
use super::fixture::{Fixture, at};
use crate::Store;
use crate::bulk_changes::{BulkChangeFilter, Orderer};
use crate::figures::{LineCustomer, LineFigures};
use crate::import::ImportAssignment;
use crate::plan_queue::EntryFilter;

fn sorted(mut figures: LineFigures) -> LineFigures {
    figures.by_customer.sort_unstable();
    figures.by_plan.sort_unstable();
    figures.by_status.sort_unstable();
    figures
}

/// By customer, AMOP customers among them, by plan and by status; within a reach those of it, as a recount of the lines says.
pub async fn lines_are_counted_within_reach<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "lines are counted").await;
    fixture.lines(6).await;
    let amop = ImportAssignment {
        rev_customer_id: None,
        site_id: fixture.amop_site,
        customer_rate_plan_id: None,
        ..fixture.assignment(2)
    };
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1), amop]).await;
    let count = async |reach: &Reach| sorted(store.count_lines(fixture.tenant, reach).await.expect("counted"));
    let all = count(&Reach::Everything).await;
    let (rev, site) = (LineCustomer::Rev(fixture.customer), LineCustomer::Amop(fixture.amop_site));
    assert_eq!(all.total, 6);
    assert_eq!(all.by_customer, [(rev, 2), (site, 1)]);
    assert_eq!(all.by_plan, [(fixture.plan, 2)]);
    assert_eq!(all.by_status, [("ACTIVATED".to_owned(), 6)]);

    let named = |customers: bool, sites: bool, providers: bool| {
        Reach::Named(Named {
            customers: customers.then_some(fixture.customer).into_iter().collect(),
            sites: sites.then_some(fixture.amop_site).into_iter().collect(),
            service_providers: providers.then_some(fixture.provider).into_iter().collect(),
        })
    };
    let of_customer = count(&named(true, false, false)).await;
    assert_eq!((of_customer.total, of_customer.by_customer, of_customer.by_plan), (2, vec![(rev, 2)], vec![(fixture.plan, 2)]));
    let of_site = count(&named(false, true, true)).await;
    assert_eq!((of_site.total, of_site.by_customer, of_site.by_plan), (1, vec![(site, 1)], vec![]));
    assert_eq!(count(&named(true, true, false)).await.total, 3);
    assert_eq!(count(&named(false, false, true)).await, all, "all lines are of that provider");
    assert_eq!(count(&Reach::nothing()).await, LineFigures::default());
    assert_eq!(store.count_lines(fixture.other, &Reach::Everything).await.expect("counted"), LineFigures::default());
}

/// By the quarter of an hour in which they were ordered; those of one principal on their own; and which go on, and which failed.
pub async fn changes_are_counted_by_time<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "changes are counted").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(3).await;
    let mut rows = accepted(&lines[..1]);
    rows.push(refused(1, Code::DeviceNotFound));
    let failed = stored(&fixture, amop(&fixture), rows).await;
    finished(&fixture, failed, 10).await;
    let somebody = Orderer { name: "somebody".to_owned(), principal: PrincipalId(77) };
    let later = crate::bulk_changes::NewBulkChange {
        orderer: somebody,
        created_at: at(3_600),
        portal: PortalType::Mobility,
        ..change(&fixture, plan_change(&fixture), 1)
    };
    let open = store.store_bulk_change(tenant, &later, accepted(&lines[1..2]), None).await.expect("stored").id;

    let count = async |whose, since| {
        let mut counted = store.count_bulk_changes(tenant, whose, at(since)).await.expect("counted");
        counted.sort_unstable_by_key(|counted| counted.from);
        counted
            .into_iter()
            .map(|counted| (counted.portal, counted.from, counted.changes, counted.processed, counted.error))
            .collect::<Vec<_>>()
    };
    // The body begins with an hour.
    let both = [(PortalType::M2M, at(0), 1, 1, 1), (PortalType::Mobility, at(3_600), 1, 0, 0)];
    assert_eq!(count(None, 0).await, both);
    assert_eq!(count(None, 6).await, both[1..]);
    assert_eq!(count(Some(PrincipalId(77)), 0).await, both[1..]);
    assert_eq!(store.count_bulk_changes(fixture.other, None, at(0)).await.expect("counted"), []);

    let ids = |changes: Vec<crate::bulk_changes::BulkChangeView>| changes.into_iter().map(|change| change.id).collect::<Vec<_>>();
    let unfinished = async |whose| ids(store.list_unfinished(tenant, PortalType::ALL, whose, 10).await.expect("listed"));
    assert_eq!((unfinished(None).await, unfinished(Some(KEY)).await), (vec![open], vec![]));
    let with_failures =
        async |whose, since| ids(store.list_failed(tenant, PortalType::ALL, whose, at(since), 10).await.expect("listed"));
    assert_eq!(with_failures(None, 10).await, [failed]);
    assert_eq!(with_failures(None, 11).await, []);
    assert_eq!(with_failures(Some(PrincipalId(77)), 0).await, []);
    assert_eq!(ids(store.list_failed(fixture.other, PortalType::ALL, None, at(0), 10).await.expect("listed")), []);
    // Of one of two, that of the portal which is asked for, although the other is newer.
    for (portals, goes_on, fails) in [
        (&[PortalType::Mobility][..], vec![open], vec![]),
        (&[PortalType::M2M, PortalType::Lnp], vec![], vec![failed]),
        (&[], vec![], vec![]),
    ] {
        assert_eq!(ids(store.list_unfinished(tenant, portals, None, 1).await.expect("listed")), goes_on, "{portals:?}");
        assert_eq!(ids(store.list_failed(tenant, portals, None, at(0), 1).await.expect("listed")), fails, "{portals:?}");
    }
}

/// A change of which nothing failed when it ran fails on the day on which what it scheduled is refused, and counts so where it was ordered.
pub async fn scheduled_changes_that_fail_are_found<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "scheduled changes fail").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(3).await;
    let mut rows = accepted(&lines[2..]);
    rows.push(refused(1, Code::DeviceNotFound));
    let earlier = stored(&fixture, amop(&fixture), rows).await;
    finished(&fixture, earlier, 40).await;
    let open = fixture.schedule(&[fixture.entry(0, 50), fixture.entry(1, 60)]).await;
    let change = open[0].bulk_change_id;
    let failed = async |whose, portals: &[PortalType], since| -> Vec<_> {
        let listed = store.list_failed(tenant, portals, whose, at(since), 10).await.expect("listed");
        listed.into_iter().map(|change| change.id).collect()
    };
    assert_eq!(failed(None, PortalType::ALL, 0).await, [earlier]);
    fixture.run_due(55, &[open[0].id]).await;
    assert_eq!(failed(None, PortalType::ALL, 0).await, [change, earlier], "the latest first");
    assert_eq!(failed(None, PortalType::ALL, 55).await, [change]);
    assert_eq!(failed(None, PortalType::ALL, 56).await, [], "that was before");
    fixture.run_due(60, &[open[1].id]).await;
    assert_eq!(failed(None, PortalType::ALL, 56).await, [change], "once, however many of it are refused");
    assert_eq!(failed(None, &[PortalType::Lnp], 0).await, [], "of another portal");
    assert_eq!(failed(Some(PrincipalId(77)), PortalType::ALL, 0).await, [], "ordered by others");
    assert_eq!(store.list_failed(fixture.other, PortalType::ALL, None, at(0), 10).await.expect("listed"), []);
    let counted = store.count_bulk_changes(tenant, None, at(0)).await.expect("counted");
    assert_eq!(counted.iter().map(|counted| counted.scheduled_failed).sum::<i64>(), 2);
}

/// By portal, status and who ordered them, page by page; each status is found as it is derived.
pub async fn changes_are_listed_by_what_is_sought<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "changes are sought").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(6).await;
    let mut ids = Vec::new();
    for nth in 0..2 {
        let mut rows = accepted(&lines[nth..=nth]);
        if nth == 1 {
            rows.push(refused(1, Code::DeviceNotFound));
        }
        let id = stored(&fixture, amop(&fixture), rows).await;
        finished(&fixture, id, 10).await;
        ids.push(id);
    }
    let nothing = stored(&fixture, amop(&fixture), vec![refused(0, Code::DeviceNotFound)]).await;
    finished(&fixture, nothing, 10).await;
    ids.push(nothing);
    ids.push(stored(&fixture, amop(&fixture), accepted(&lines[3..4])).await);
    let somebody = Orderer { name: "somebody".to_owned(), principal: PrincipalId(77) };
    let elsewhere = crate::bulk_changes::NewBulkChange {
        orderer: somebody,
        portal: PortalType::Mobility,
        ..change(&fixture, amop(&fixture), 1)
    };
    let of_mobility = store.store_bulk_change(tenant, &elsewhere, accepted(&lines[4..5]), None).await.expect("stored").id;
    store.begin_receiving(tenant, &change(&fixture, amop(&fixture), 2), at(500), None).await.expect("begun");

    let any = BulkChangeFilter { portal: PortalType::M2M, status: None, created_by: None, ordered_by: None };
    let listed = async |caller, filter: &BulkChangeFilter| {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = store.list_bulk_changes_by(tenant, caller, filter, before, 2).await.expect("a page");
            found.extend(page.items);
            before = page.next;
            if before.is_none() {
                return found;
            }
        }
    };
    let others = PrincipalId(5);
    let found: Vec<_> = listed(others, &any).await.iter().map(|change| change.id).collect();
    assert_eq!(found, ids.iter().rev().copied().collect::<Vec<_>>(), "without the one that still arrives");
    assert_eq!(listed(KEY, &any).await.len(), 5, "which its submitter sees");
    for change in listed(KEY, &any).await {
        let so = BulkChangeFilter { status: Some(change.status()), ..any.clone() };
        let of_status: Vec<_> = listed(KEY, &so).await.iter().map(|change| change.id).collect();
        assert_eq!(of_status, [change.id], "{}", change.status());
    }
    let canceled = BulkChangeFilter { status: Some(BulkChangeStatus::Canceled), ..any.clone() };
    assert_eq!(listed(KEY, &canceled).await, []);
    let named = |name: &str| BulkChangeFilter { created_by: Some(name.to_owned()), ..any.clone() };
    assert_eq!(listed(others, &named("orderer")).await.len(), 4);
    assert_eq!(listed(others, &named("somebody")).await, []);
    let mobility = BulkChangeFilter { portal: PortalType::Mobility, ..named("somebody") };
    assert_eq!(listed(others, &mobility).await[0].id, of_mobility);
    let own = |principal| BulkChangeFilter { ordered_by: Some(principal), ..any.clone() };
    assert_eq!((listed(KEY, &own(KEY)).await.len(), listed(others, &own(others)).await.len()), (5, 0));
    assert_eq!(store.list_bulk_changes_by(fixture.other, KEY, &any, None, 10).await.expect("a page").items, []);
}

/// By time, portal, customer, site and plan, and by quarters of an hour, within reach.
pub async fn due_entries_are_sought_and_counted<S: Store>(store: &S) {
    const DAY: i64 = 86_400;
    let fixture = Fixture::new(store, "due entries").await;
    let tenant = fixture.tenant;
    fixture.lines(4).await;
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1)]).await;
    let rows = [fixture.entry(0, 0), fixture.entry(1, DAY + 899), fixture.entry(2, DAY + 900), fixture.entry(0, 3 * DAY)];
    let mobility = crate::import::ImportQueueEntry { portal: PortalType::Mobility, ..fixture.entry(3, DAY) };
    let open = fixture.schedule(&[rows.as_slice(), &[mobility]].concat()).await;
    let between = |from: i64, until: i64| EntryFilter { from: at(from), until: at(until), ..EntryFilter::ALL };
    let due = |filter: EntryFilter| -> Vec<DateTime<Utc>> {
        let sought = open.iter().filter(|entry| entry.effective_date >= filter.from && entry.effective_date < filter.until);
        let sought = sought.filter(|entry| filter.portal.is_none_or(|portal| entry.portal == portal));
        let sought = sought.filter(|entry| filter.customer.is_none_or(|customer| entry.rev_customer_id == Some(customer)));
        sought.map(|entry| entry.effective_date).collect()
    };
    let m2m = EntryFilter { portal: Some(PortalType::M2M), ..between(0, 3 * DAY) };
    let of_customer = EntryFilter { customer: Some(fixture.customer), ..EntryFilter::ALL };
    assert_eq!(due(of_customer).len(), 3);
    for filter in [EntryFilter::ALL, between(DAY, 2 * DAY), between(1, DAY), m2m, of_customer, between(DAY, DAY)] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.list_due_entries(tenant, &Reach::Everything, &filter, after, 2).await.expect("a page");
            found.extend(page.items.iter().map(|entry| entry.effective_date));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, due(filter), "{filter:?}");
        let counted = store.count_due_entries(tenant, &Reach::Everything, &filter).await.expect("counted");
        assert_eq!(counted.iter().map(|quarter| quarter.entries).sum::<i64>(), found.len() as i64, "{filter:?}");
        for quarter in counted {
            let within = found.iter().filter(|at| (0..900).contains(&(**at - quarter.from).num_seconds())).count() as i64;
            assert!(quarter.entries <= within, "{filter:?}: {quarter:?}");
        }
    }
    let list = async |reach: &Reach, filter: &EntryFilter| {
        let listed = store.list_due_entries(tenant, reach, filter, None, 10).await.expect("a page").items.len() as i64;
        let counted = store.count_due_entries(tenant, reach, filter).await.expect("counted");
        assert_eq!(counted.iter().map(|quarter| quarter.entries).sum::<i64>(), listed, "{filter:?}");
        listed
    };
    let everything = Reach::Everything;
    let none = EntryFilter { plan: Some(fixture.plan), ..EntryFilter::ALL };
    assert_eq!(
        (list(&everything, &none).await, list(&everything, &EntryFilter { site: Some(fixture.site), ..EntryFilter::ALL }).await),
        (0, 3)
    );
    assert_eq!(list(&everything, &EntryFilter { plan: Some(fixture.bounded_plan), ..EntryFilter::ALL }).await, 5);
    let reach = Reach::Named(Named { customers: [fixture.customer].into(), ..Named::default() });
    assert_eq!((list(&reach, &EntryFilter::ALL).await, list(&Reach::nothing(), &EntryFilter::ALL).await), (3, 0));
    assert_eq!(store.list_due_entries(fixture.other, &everything, &EntryFilter::ALL, None, 10).await.expect("a page").items, []);
    assert_eq!(store.count_due_entries(fixture.other, &everything, &EntryFilter::ALL).await.expect("counted"), []);
}
