//! Lines: lists, one line, its history, and the facts by which orders are judged.

use lineshift_domain::facts::{Holds, LineFacts};
use lineshift_domain::ids::{DeviceId, RevCustomerId, TenantId};
use lineshift_domain::lines::{Digits, read_line};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::LineIdentifier;
use rust_decimal::Decimal;

use super::fixture::{self, BY, Fixture, at, iccid, number};
use crate::devices::{Charges, DeviceFilter, FactsQuery, FoundLine, OpenEntries};
use crate::import::{ImportAssignment, ImportDevice, ImportRevProduct, ImportRevService};
use crate::{Store, StoreError};

/// Reads well-formed ICCIDs or numbers.
pub(super) fn digits(identifier: LineIdentifier, lines: &[String]) -> Vec<Digits> {
    lines.iter().map(|line| read_line(identifier, line).expect("well-formed")).collect()
}

/// What a plan change on its own asks for.
pub(super) const PLAN_CHANGE: FactsQuery = FactsQuery::all(Holds::CUSTOMER_AND_PLAN, None);

async fn listed<S: Store>(store: &S, tenant: TenantId, filter: DeviceFilter) -> Vec<DeviceId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_devices(tenant, &Reach::Everything, &filter, after, 2).await.expect("a page");
        assert!(page.items.len() <= 2, "{filter:?}");
        ids.extend(page.items.iter().map(|line| line.id));
        after = page.next;
        if after.is_none() {
            return ids;
        }
    }
}

/// By id, in pages, each filter alone, only of the tenant.
pub async fn lines_are_listed_by_each_filter<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "lines are listed").await;
    let tenant = fixture.tenant;
    let second = store.create_service_provider(tenant, &fixture::provider("Second"), at(0)).await.expect("a provider");
    let lines = fixture.lines(5).await;
    let elsewhere = [ImportDevice { service_provider_id: second, ..fixture.line(4) }];
    store.import_devices(tenant, &elsewhere, BY, at(1)).await.expect("moved to the second provider");
    let bolt = ImportAssignment {
        rev_customer_id: None,
        site_id: fixture.amop_site,
        customer_rate_plan_id: None,
        ..fixture.assignment(3)
    };
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1), fixture.assignment(2), bolt]).await;

    for (filter, expected) in [
        (DeviceFilter::All, &lines[..]),
        (DeviceFilter::Iccid(iccid(2)), &lines[2..3]),
        (DeviceFilter::Number(number(3)), &lines[3..4]),
        (DeviceFilter::ServiceProvider(fixture.provider), &lines[..4]),
        (DeviceFilter::ServiceProvider(second), &lines[4..]),
        (DeviceFilter::Site(fixture.site), &lines[..3]),
        (DeviceFilter::Site(fixture.amop_site), &lines[3..4]),
        (DeviceFilter::CustomerRatePlan(fixture.plan), &lines[..3]),
        (DeviceFilter::CustomerRatePlan(fixture.bounded_plan), &[]),
    ] {
        assert_eq!(listed(store, tenant, filter.clone()).await, expected, "{filter:?}");
        assert_eq!(listed(store, fixture.other, filter).await, []);
    }
}

/// The whole line; for another tenant it is not there.
pub async fn a_line_is_shown_with_its_assignment<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a line is shown").await;
    let id = fixture.lines(1).await[0];
    let fresh = store.get_device(fixture.tenant, id).await.expect("the line");
    assert_eq!((fresh.version, fresh.is_active, fresh.site_id, fresh.rev_customer_id), (1, false, None, None));

    let allocation = Some(Decimal::new(125, 1));
    let assignment = ImportAssignment {
        customer_rate_pool_id: Some(fixture.pool),
        customer_data_allocation_mb: allocation,
        ..fixture.assignment(0)
    };
    fixture.assign(&[assignment]).await;
    let line = store.get_device(fixture.tenant, id).await.expect("the line");
    assert_eq!(
        (line.iccid.as_str(), line.subscriber_number.as_deref(), line.imei, line.status.as_str(), line.is_archived),
        (iccid(0).as_str(), Some(number(0).as_str()), None, "ACTIVATED", false)
    );
    assert_eq!((line.service_provider_id, line.activated_at), (fixture.provider, Some(at(-86_400))));
    assert_eq!((line.rev_customer_id, line.site_id), (Some(fixture.customer), Some(fixture.site)));
    assert_eq!(
        (line.account_number.as_deref(), line.integration_authentication_id),
        (Some("1001"), Some(fixture.authentication))
    );
    assert_eq!((line.customer_rate_plan_id, line.customer_rate_pool_id), (Some(fixture.plan), Some(fixture.pool)));
    assert_eq!((line.customer_data_allocation_mb, line.effective_date), (allocation, Some(at(-3_600))));
    assert_eq!((line.is_active, line.version, line.modified_by.as_str(), line.modified_at), (true, 2, BY, at(1)));

    for (tenant, id) in [(fixture.other, id), (fixture.tenant, DeviceId(i64::MAX))] {
        let missing = store.get_device(tenant, id).await;
        assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
    }
}

/// In pages from the newest to the oldest, only of the line and the tenant.
pub async fn history_is_listed_newest_first<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "history is listed").await;
    let lines = fixture.lines(2).await;
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1)]).await;
    // The bounded plan, back to the first one, and the bounded one again.
    let mut entries: Vec<_> = (0..3).map(|nth| fixture.entry(0, 10 + nth)).collect();
    entries[1].customer_rate_plan_id = Some(fixture.plan.0);
    fixture.schedule(&entries).await;
    for now in 20..23 {
        assert_eq!(fixture.run_due(now, &[]).await.map(|done| done.applied), Some(1));
    }

    let (mut times, mut before) = (Vec::new(), None);
    loop {
        let page = store.list_device_history(fixture.tenant, &Reach::Everything, lines[0], before, 2).await.expect("a page");
        assert!(page.items.iter().all(|entry| entry.action == "customer_rate_plan" && entry.changed_by == BY));
        times.extend(page.items.iter().map(|entry| entry.at));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(times, [at(22), at(21), at(20)]);
    assert_eq!(fixture.history(lines[1]).await, vec![]);
    let elsewhere = store.list_device_history(fixture.other, &Reach::Everything, lines[0], None, 2).await.expect("a page");
    assert_eq!(elsewhere.items, vec![]);
}

/// Each by its place in the list; what is not there is left out.
pub async fn lines_are_looked_up_by_iccid<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "looked up by iccid").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(3).await;
    let allocation = Some(Decimal::from(40));
    let assignment = ImportAssignment {
        customer_rate_plan_id: Some(fixture.bounded_plan),
        customer_rate_pool_id: Some(fixture.pool),
        customer_data_allocation_mb: allocation,
        ..fixture.assignment(2)
    };
    fixture.assign(&[assignment]).await;
    let archived = ImportDevice { is_archived: true, subscriber_number: None, imei: Some("35".to_owned()), ..fixture.line(0) };
    store.import_devices(tenant, &[archived], BY, at(2)).await.expect("archived");

    let asked = digits(LineIdentifier::Iccid, &[iccid(2), iccid(77), iccid(0)]);
    let mut found = store.look_up_lines(tenant, LineIdentifier::Iccid, &asked, PLAN_CHANGE).await.expect("a look-up");
    found.sort_by_key(|line| line.index);
    assert_eq!(found.iter().map(|line| (line.index, line.facts.device_id)).collect::<Vec<_>>(), [(0, lines[2]), (2, lines[0])]);

    let facts = &found[0].facts;
    assert_eq!((facts.service_provider_id, &*facts.status, facts.is_archived), (fixture.provider, "ACTIVATED", false));
    assert_eq!((facts.has_subscriber_number, facts.has_imei, facts.version), (true, false, 2));
    let line = &facts.assignment;
    assert_eq!((line.rev_customer_id, line.site_id, line.is_active), (Some(fixture.customer), Some(fixture.site), true));
    assert_eq!(line.integration_authentication_id, Some(fixture.authentication));
    assert_eq!((line.plan, line.pool, line.allocation_mb), (Some(fixture.bounded_plan), Some(fixture.pool), allocation));
    assert_eq!(line.plan_allocation_bound_mb, Some(Decimal::from(500)));
    assert_eq!((facts.held_by, facts.billed_to_customer, facts.billed_to_other), (None, false, false));

    let archived = &found[1].facts;
    assert_eq!((archived.is_archived, archived.has_subscriber_number, archived.has_imei), (true, false, true));
    assert_eq!((archived.assignment.site_id, archived.assignment.is_active, archived.version), (None, false, 1));

    let elsewhere = store.look_up_lines(fixture.other, LineIdentifier::Iccid, &asked, PLAN_CHANGE).await;
    assert_eq!(elsewhere.expect("a look-up"), vec![]);
    let none = store.look_up_lines(tenant, LineIdentifier::Iccid, &[], PLAN_CHANGE).await;
    assert_eq!(none.expect("a look-up"), vec![]);
}

/// Rule 2: a number that several lines have finds each of them.
pub async fn a_number_may_name_several_lines<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "several lines").await;
    let lines = fixture.lines(3).await;
    let shared = ImportDevice { subscriber_number: Some(number(0)), ..fixture.line(1) };
    store.import_devices(fixture.tenant, &[shared], BY, at(1)).await.expect("one number, two lines");

    let asked = digits(LineIdentifier::Number, &[number(2), number(0), number(1)]);
    let found = store.look_up_lines(fixture.tenant, LineIdentifier::Number, &asked, PLAN_CHANGE).await.expect("a look-up");
    let mut found: Vec<_> = found.iter().map(|line| (line.index, line.facts.device_id)).collect();
    found.sort_unstable();
    assert_eq!(found, [(0, lines[2]), (1, lines[0]), (1, lines[1])]);
    let elsewhere = store.look_up_lines(fixture.other, LineIdentifier::Number, &asked, PLAN_CHANGE).await;
    assert_eq!(elsewhere.expect("a look-up"), vec![]);
}

pub(super) fn service<S>(fixture: &Fixture<'_, S>, nth: usize, id: i64, status: Option<&str>) -> ImportRevService {
    let product = |status: &str| ImportRevProduct {
        rev_service_product_id: id * 10,
        rev_product_id: 5,
        rate: Some(Decimal::new(995, 2)),
        quantity: Some(Decimal::ONE),
        status: status.to_owned(),
        description: None,
    };
    ImportRevService {
        rev_customer_id: fixture.customer,
        rev_service_id: id,
        iccid: Some(iccid(nth)),
        number: Some(number(nth)),
        rev_service_type_id: Some(3),
        rev_provider_id: None,
        activated_date: Some(at(-100)),
        disconnected_date: None,
        has_package: false,
        products: status.into_iter().map(product).collect(),
    }
}

/// Rules 7 and 8: an undisconnected service with a package, or with a product that is PENDING or ACTIVE.
pub async fn facts_say_who_is_billed<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "who is billed").await;
    fixture.lines(6).await;
    let services = [
        service(&fixture, 0, 1, Some("ACTIVE")),
        service(&fixture, 1, 2, Some("PENDING")),
        ImportRevService { has_package: true, ..service(&fixture, 2, 3, None) },
        service(&fixture, 3, 4, Some("DISCONNECTED")),
        ImportRevService { disconnected_date: Some(at(-1)), ..service(&fixture, 4, 5, Some("ACTIVE")) },
        service(&fixture, 5, 6, None),
    ];
    let imported = store.import_rev_services(fixture.tenant, &services, at(1)).await.expect("services");
    assert_eq!((imported.created, imported.refused), (6, vec![]));

    let asked = digits(LineIdentifier::Iccid, &(0..6).map(iccid).collect::<Vec<_>>());
    for (customer, to_customer) in [(None, false), (Some(fixture.customer), true), (Some(RevCustomerId(5_555)), false)] {
        let query = FactsQuery::all(Holds::NONE, customer);
        let mut found = store.look_up_lines(fixture.tenant, LineIdentifier::Iccid, &asked, query).await.expect("a look-up");
        found.sort_by_key(|line| line.index);
        for FoundLine { index, facts: LineFacts { billed_to_customer, billed_to_other, .. } } in found {
            let charged = index < 3;
            let expected = (charged && to_customer, charged && !to_customer);
            assert_eq!((billed_to_customer, billed_to_other), expected, "line {index} for {customer:?}");
        }
    }
}

/// What is charged for lines, of those asked for alone.
pub async fn charges_of_lines_are_summed_up<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "charges of lines").await;
    let lines = fixture.lines(7).await;
    let unpriced = ImportRevProduct {
        rev_service_product_id: 70,
        rev_product_id: 5,
        rate: None,
        quantity: None,
        status: "ACTIVE".to_owned(),
        description: None,
    };
    let services = [
        service(&fixture, 0, 1, Some("ACTIVE")),
        service(&fixture, 1, 2, Some("PENDING")),
        ImportRevService { has_package: true, ..service(&fixture, 2, 3, None) },
        service(&fixture, 3, 4, Some("DISCONNECTED")),
        ImportRevService { disconnected_date: Some(at(-1)), ..service(&fixture, 4, 5, Some("ACTIVE")) },
        service(&fixture, 5, 6, None),
        ImportRevService { products: vec![unpriced], ..service(&fixture, 6, 7, None) },
    ];
    let imported = store.import_rev_services(fixture.tenant, &services, at(1)).await.expect("services");
    assert_eq!((imported.created, imported.refused), (7, vec![]));

    let everything = Reach::Everything;
    let charged = async |lines: &[DeviceId]| store.sum_up_charges(fixture.tenant, &everything, lines).await.expect("a sum");
    let all = Charges { known: Decimal::new(1_990, 2), unknown: 2 };
    assert_eq!(charged(&lines).await, all);
    let first = Charges { known: Decimal::new(995, 2), unknown: 0 };
    assert_eq!(charged(&lines[..1]).await, first);
    assert_eq!(charged(&lines[1..]).await.and(first), all);
    assert_eq!(charged(&[]).await, Charges::default());
    let elsewhere = store.sum_up_charges(fixture.other, &everything, &lines).await.expect("a sum");
    assert_eq!(elsewhere, Charges::default());
}

/// Those of the lines asked for, with what shows that one came, went, or was moved.
pub async fn open_entries_of_lines_are_counted<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "open entries of lines").await;
    let (lines, everything) = (fixture.lines(3).await, Reach::Everything);
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1)]).await;
    let open = fixture.schedule(&[fixture.entry(0, 30), fixture.entry(1, 10), fixture.entry(0, 20)]).await;
    let counted = async |lines: &[DeviceId], from| {
        store.count_open_entries(fixture.tenant, &everything, lines, from).await.expect("counted")
    };
    let last_id = open.iter().map(|entry| entry.id.0).max().expect("an entry");
    let all = OpenEntries { count: 3, later: 3, last_id, dates: 3 * at(0).timestamp() + 60 };
    assert_eq!(counted(&lines, None).await, all);
    assert_eq!(counted(&lines, Some(at(20))).await, OpenEntries { later: 2, ..all });
    let first = counted(&lines[..1], None).await;
    assert_eq!((first.count, first.dates), (2, 2 * at(0).timestamp() + 50));
    assert_eq!(counted(&lines[1..], None).await.and(first), all);
    assert_eq!((counted(&lines[2..], None).await, counted(&[], None).await), Default::default());
    let elsewhere = store.count_open_entries(fixture.other, &everything, &lines, None).await.expect("counted");
    assert_eq!(elsewhere, OpenEntries::default());

    store.move_queue_entry(fixture.tenant, open[0].id, at(15), BY, at(3)).await.expect("moved");
    assert_eq!(counted(&lines, None).await, OpenEntries { dates: all.dates + 5, ..all });
}

/// Those that are not disconnected, by customer, each with the products that are charged.
pub async fn what_is_billed_for_a_line_is_listed<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "what is billed").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(2).await;
    let product = |id: i64, status: &str| ImportRevProduct {
        rev_service_product_id: id,
        rev_product_id: 100 + id,
        rate: Some(Decimal::new(125, 1)),
        quantity: Some(Decimal::from(2)),
        status: status.to_owned(),
        description: Some("data".to_owned()),
    };
    let service = ImportRevService {
        rev_customer_id: fixture.customer,
        rev_service_id: 1,
        iccid: Some(iccid(0)),
        number: None,
        rev_service_type_id: Some(3),
        rev_provider_id: None,
        activated_date: Some(at(-60)),
        disconnected_date: None,
        has_package: false,
        products: vec![product(2, "PENDING"), product(1, "ACTIVE"), product(3, "DISCONNECTED")],
    };
    let package = ImportRevService { rev_service_id: 2, has_package: true, products: vec![], ..service.clone() };
    let gone = ImportRevService { rev_service_id: 3, disconnected_date: Some(at(0)), products: vec![], ..service.clone() };
    let imported = store.import_rev_services(tenant, &[package, gone, service], at(1)).await.expect("services");
    assert_eq!(imported.created, 3);
    let found = store.list_line_services(tenant, lines[0]).await.expect("a list");
    let shown: Vec<_> = found
        .iter()
        .map(|service| {
            let products: Vec<_> =
                service.products.iter().map(|product| (product.rev_product_id, product.status.as_str())).collect();
            (service.rev_customer_id, service.rev_service_id, service.has_package, products)
        })
        .collect();
    let customer = fixture.customer;
    assert_eq!(shown, [(customer, 1, false, vec![(101, "ACTIVE"), (102, "PENDING")]), (customer, 2, true, vec![])]);
    let first = &found[0];
    assert_eq!((first.rev_service_type_id, first.activated_date), (Some(3), Some(at(-60))));
    let charged = &first.products[0];
    assert_eq!((charged.rate, charged.quantity, charged.package_id), (Some(Decimal::new(125, 1)), Some(Decimal::from(2)), None));
    assert_eq!(store.list_line_services(tenant, lines[1]).await.expect("a list"), []);
    assert_eq!(store.list_line_services(fixture.other, lines[0]).await.expect("a list"), []);
}
