//! Lines that are sought by several things at once.

use lineshift_domain::ids::{DeviceId, ServiceProviderId};
use lineshift_domain::reach::Reach;

use super::fixture::{self, BY, Fixture, at, iccid, number};
use crate::Store;
use crate::devices::{CountedLines, LOOKED_AT, LineFilter, LineOrder, LineValue};
use crate::import::{ImportAssignment, ImportDevice};

/// Seven lines: of the first service provider but for the last two; the first four of the customer, of these two in the pool and two
/// deactivated; the fifth of an AMOP customer.
struct World<'s, S> {
    fixture: Fixture<'s, S>,
    second: ServiceProviderId,
    lines: Vec<DeviceId>,
}

impl<'s, S: Store> World<'s, S> {
    async fn new(store: &'s S, name: &str) -> Self {
        let fixture = Fixture::new(store, name).await;
        let second = store.create_service_provider(fixture.tenant, &fixture::provider("Second"), at(0)).await.expect("one");
        let lines = fixture.lines(7).await;
        let of = |nth, provider, status: &str, plan: Option<&str>| ImportDevice {
            service_provider_id: provider,
            status: status.to_owned(),
            carrier_rate_plan: plan.map(str::to_owned),
            ..fixture.line(nth)
        };
        let rows = [
            of(1, fixture.provider, "DEACTIVATED", Some("flat")),
            of(3, fixture.provider, "DEACTIVATED", None),
            of(5, second, "ACTIVATED", Some("flat")),
            of(6, second, "DEACTIVATED", Some("flat")),
        ];
        store.import_devices(fixture.tenant, &rows, BY, at(1)).await.expect("changed");
        let pooled = |nth| ImportAssignment { customer_rate_pool_id: Some(fixture.pool), ..fixture.assignment(nth) };
        let amop = ImportAssignment {
            rev_customer_id: None,
            site_id: fixture.amop_site,
            customer_rate_plan_id: Some(fixture.bounded_plan),
            ..fixture.assignment(4)
        };
        fixture.assign(&[pooled(0), pooled(1), fixture.assignment(2), fixture.assignment(3), amop]).await;
        Self { fixture, second, lines }
    }

    async fn found(&self, reach: &Reach, filter: &LineFilter, order: LineOrder) -> Vec<usize> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (store, tenant) = (self.fixture.store, self.fixture.tenant);
            let page = store.find_lines(tenant, reach, filter, order, after, 2).await.expect("a page");
            assert!(page.items.len() <= 2 && !page.is_cut, "{filter:?}");
            found.extend(page.items.iter().map(|line| self.lines.iter().position(|id| *id == line.id).expect("ours")));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }
}

/// Whatever is sought together with whatever else, in both orders, for those who see everything and for those who do not.
pub async fn lines_are_sought_by_several_things<S: Store>(store: &S) {
    let world = World::new(store, "lines are sought").await;
    let fixture = &world.fixture;
    let any = LineFilter::default;
    let customer = || LineFilter { rev_customer_id: Some(fixture.customer), ..any() };
    let deactivated = || LineFilter { status: Some("DEACTIVATED".to_owned()), ..any() };
    let flat = || LineFilter { carrier_rate_plan: Some("flat".to_owned()), ..any() };
    let reaches: [Reach; 4] = [
        Reach::Everything,
        format!("customer:{}", fixture.customer).parse().expect("a reach"),
        format!("service_provider:{}", world.second).parse().expect("a reach"),
        Reach::nothing(),
    ];
    let visible: [&[usize]; 4] = [&[0, 1, 2, 3, 4, 5, 6], &[0, 1, 2, 3], &[5, 6], &[]];
    for (filter, matching) in [
        (any(), &[0, 1, 2, 3, 4, 5, 6][..]),
        (customer(), &[0, 1, 2, 3]),
        (deactivated(), &[1, 3, 6]),
        (flat(), &[1, 5, 6]),
        (LineFilter { service_provider_id: Some(world.second), ..any() }, &[5, 6]),
        (LineFilter { site_id: Some(fixture.amop_site), ..any() }, &[4]),
        (LineFilter { customer_rate_plan_id: Some(fixture.bounded_plan), ..any() }, &[4]),
        (LineFilter { customer_rate_pool_id: Some(fixture.pool), ..any() }, &[0, 1]),
        (LineFilter { rev_customer_id: Some(fixture.customer), ..deactivated() }, &[1, 3]),
        (LineFilter { customer_rate_pool_id: Some(fixture.pool), ..deactivated() }, &[1]),
        (LineFilter { service_provider_id: Some(world.second), ..deactivated() }, &[6]),
        (LineFilter { service_provider_id: Some(world.second), ..customer() }, &[]),
        (LineFilter { status: Some("DEACTIVATED".to_owned()), ..flat() }, &[1, 6]),
        (LineFilter { site_id: Some(fixture.site), customer_rate_plan_id: Some(fixture.plan), ..flat() }, &[1]),
        (LineFilter { iccid: Some(iccid(3)), ..any() }, &[3]),
        (LineFilter { iccid: Some(iccid(3)), number: Some(number(3)), ..deactivated() }, &[3]),
        (LineFilter { iccid: Some(iccid(3)), ..flat() }, &[]),
        (LineFilter { iccid_prefix: Some("890126".to_owned()), ..any() }, &[0, 1, 2, 3, 4, 5, 6]),
        (LineFilter { iccid_prefix: Some(iccid(3)[..19].to_owned()), ..deactivated() }, &[1, 3, 6]),
        (LineFilter { iccid_prefix: Some(iccid(4)), ..any() }, &[4]),
        (LineFilter { iccid_prefix: Some("890127".to_owned()), ..any() }, &[]),
        (LineFilter { iccid_prefix: Some("890126".to_owned()), ..customer() }, &[0, 1, 2, 3]),
        (LineFilter { iccid_prefix: Some(iccid(3)), ..customer() }, &[3]),
        (LineFilter { iccid_prefix: Some(iccid(4)), ..customer() }, &[]),
        (LineFilter { iccid_prefix: Some("890126".to_owned()), number: Some(number(6)), ..any() }, &[6]),
        (LineFilter { number: Some(number(6)), ..any() }, &[6]),
        (LineFilter { status: Some("deactivated".to_owned()), ..any() }, &[]),
    ] {
        for (reach, visible) in reaches.iter().zip(visible) {
            let mut expected: Vec<usize> = matching.iter().copied().filter(|line| visible.contains(line)).collect();
            assert_eq!(world.found(reach, &filter, LineOrder::OldestFirst).await, expected, "{reach} and {filter:?}");
            let counted = store.count_sought(fixture.tenant, reach, &filter, 100).await.expect("counted");
            assert_eq!(counted, CountedLines { lines: expected.len() as i64, is_all: true }, "{reach} and {filter:?}");
            expected.reverse();
            assert_eq!(world.found(reach, &filter, LineOrder::NewestFirst).await, expected, "{reach} and {filter:?}");
        }
        let elsewhere = store.find_lines(fixture.other, &Reach::Everything, &filter, LineOrder::OldestFirst, None, 9).await;
        assert_eq!(elsewhere.expect("a page").items, vec![]);
    }
    let values = async |tenant, of, most| store.list_line_values(tenant, of, most).await.expect("listed");
    assert_eq!(values(fixture.tenant, LineValue::Status, 100).await, ["ACTIVATED", "DEACTIVATED"]);
    assert_eq!(values(fixture.tenant, LineValue::Status, 1).await, ["ACTIVATED"]);
    assert_eq!(values(fixture.tenant, LineValue::CarrierRatePlan, 100).await, ["carrier plan", "flat"]);
    assert_eq!(values(fixture.other, LineValue::Status, 100).await, Vec::<String>::new());
    let few = store.count_sought(fixture.tenant, &Reach::Everything, &any(), 5).await.expect("counted");
    assert_eq!(few, CountedLines { lines: 5, is_all: false });
}

/// More lines than a page looks at begin alike; six more came last, the greatest ICCID first. The last one has another customer.
async fn many_alike<'s, S: Store>(store: &'s S, name: &str) -> (Fixture<'s, S>, Vec<usize>) {
    let fixture = Fixture::new(store, name).await;
    let last: Vec<usize> = (0..6).map(|nth| 9_000_000 - nth).collect();
    let all: Vec<ImportDevice> = (0..LOOKED_AT).chain(last.iter().copied()).map(|nth| fixture.line(nth)).collect();
    for some in all.chunks(5_000) {
        let imported = store.import_devices(fixture.tenant, some, BY, at(0)).await.expect("lines");
        assert_eq!(imported.created, some.len() as u64);
    }
    let amop = ImportAssignment {
        rev_customer_id: None,
        site_id: fixture.amop_site,
        customer_rate_plan_id: Some(fixture.bounded_plan),
        ..fixture.assignment(last[5])
    };
    let mut rows: Vec<ImportAssignment> = last[..5].iter().map(|nth| fixture.assignment(*nth)).collect();
    rows.push(amop);
    fixture.assign(&rows).await;
    (fixture, last)
}

/// A site's few lines are found at once, however many others of the tenant begin as they do, and in the usual order.
pub async fn a_site_is_not_sought_among_all_that_begin_alike<S: Store>(store: &S) {
    let (fixture, last) = many_alike(store, "lines that begin alike").await;
    let alike = || LineFilter { iccid_prefix: Some("890126".to_owned()), ..LineFilter::default() };
    let everything = Reach::Everything;
    for (filter, expected) in [
        (LineFilter { site_id: Some(fixture.site), ..alike() }, &last[..5]),
        (LineFilter { rev_customer_id: Some(fixture.customer), ..alike() }, &last[..5]),
        (LineFilter { customer_rate_plan_id: Some(fixture.bounded_plan), ..alike() }, &last[5..]),
    ] {
        assert!(!filter.is_by_iccid(), "{filter:?}");
        let page =
            store.find_lines(fixture.tenant, &everything, &filter, LineOrder::OldestFirst, None, 10).await.expect("a page");
        let found: Vec<String> = page.items.iter().map(|line| line.iccid.clone()).collect();
        assert_eq!(found, expected.iter().map(|nth| iccid(*nth)).collect::<Vec<_>>(), "{filter:?}");
        assert!(page.next.is_none() && !page.is_cut, "{filter:?}");
        let counted = store.count_sought(fixture.tenant, &everything, &filter, 100).await.expect("counted");
        assert_eq!(counted, CountedLines { lines: expected.len() as i64, is_all: true }, "{filter:?}");
    }
    // Where the beginning serves, its order holds: of the last ones that of greatest ICCID came first.
    let filter = LineFilter { iccid_prefix: Some(iccid(last[5])[..16].to_owned()), ..LineFilter::default() };
    let page = store.find_lines(fixture.tenant, &everything, &filter, LineOrder::OldestFirst, None, 10).await.expect("a page");
    let found: Vec<String> = page.items.iter().map(|line| line.iccid.clone()).collect();
    assert!(filter.is_by_iccid());
    assert_eq!(found, last[1..].iter().rev().map(|nth| iccid(*nth)).collect::<Vec<_>>());
}

/// Whoever sees only some lines gets these, whether few of the tenant's lines begin so or many; and no page ends earlier for the sake of others'.
pub async fn what_begins_alike_is_found_within_reach<S: Store>(store: &S) {
    let (fixture, last) = many_alike(store, "lines that begin alike within reach").await;
    let begins = |prefix: &str| LineFilter { iccid_prefix: Some(prefix.to_owned()), ..LineFilter::default() };
    let reaches: [(Reach, &[usize]); 3] = [
        (format!("customer:{}", fixture.customer).parse().expect("a reach"), &last[..5]),
        (format!("site:{}", fixture.amop_site).parse().expect("a reach"), &last[5..]),
        (Reach::nothing(), &[]),
    ];
    // All of the tenant's lines; the first 10,000 and none of theirs; four of theirs and one of another's; one of theirs; none at all.
    for prefix in ["890126", "8901260000000000", "8901260000000899", &iccid(last[1]), "999999"] {
        for (reach, theirs) in &reaches {
            let mut expected: Vec<String> =
                theirs.iter().map(|nth| iccid(*nth)).filter(|iccid| iccid.starts_with(prefix)).collect();
            for order in [LineOrder::OldestFirst, LineOrder::NewestFirst] {
                let (mut found, mut after) = (Vec::new(), None);
                loop {
                    let page = store.find_lines(fixture.tenant, reach, &begins(prefix), order, after, 2).await.expect("a page");
                    found.extend(page.items.iter().map(|line| line.iccid.clone()));
                    assert!(!page.is_cut && page.next.is_none_or(|next| page.items.get(1).is_some_and(|line| line.id == next)));
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(found, expected, "{prefix} within {reach}, {order:?}");
                expected.reverse();
            }
            let all = store.count_sought(fixture.tenant, reach, &begins(prefix), 100).await.expect("counted");
            assert_eq!(all, CountedLines { lines: expected.len() as i64, is_all: true }, "{prefix} within {reach}");
            let few = store.count_sought(fixture.tenant, reach, &begins(prefix), 1).await.expect("counted");
            assert_eq!(
                few,
                CountedLines { lines: expected.len().min(1) as i64, is_all: expected.len() <= 1 },
                "{prefix} within {reach}"
            );
        }
    }
}
