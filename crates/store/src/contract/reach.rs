//! Lists for those who are limited to customers, sites or service providers.

use lineshift_domain::ids::{DeviceId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::PlanQueueState;
use rust_decimal::Decimal;

use super::devices::service;
use super::fixture::{self, BY, Fixture, at, iccid};
use crate::Store;
use crate::catalogue::RevCustomer;
use crate::devices::DeviceFilter;
use crate::import::{ImportAssignment, ImportDevice, ImportRevService};
use crate::plan_queue::PlanQueueFilter;

/// Two customers, a site of neither, and two service providers, with lines of each.
struct World<'s, S> {
    fixture: Fixture<'s, S>,
    lines: Vec<DeviceId>,
    second_provider: ServiceProviderId,
    second_customer: RevCustomerId,
    second_site: SiteId,
}

impl<'s, S: Store> World<'s, S> {
    /// Lines 0 and 1 are the customer's, the second of the second provider; 2 and 3 the second customer's; 4 the AMOP customer's; 5
    /// and 6 nobody's, 6 of the second provider; 5 has the number of 3.
    async fn new(store: &'s S, name: &str) -> Self {
        let fixture = Fixture::new(store, name).await;
        let second_provider =
            store.create_service_provider(fixture.tenant, &fixture::provider("Second"), at(0)).await.expect("one");
        let second = RevCustomer {
            id: RevCustomerId(1_002),
            name: "Bolt".to_owned(),
            integration_authentication_id: fixture.authentication,
            is_active: true,
        };
        let second_customer = store.create_rev_customer(fixture.tenant, &second, at(0)).await.expect("a customer");
        let second_site = fixture::site("Bolt, Salem", Some(second_customer));
        let second_site = store.create_site(fixture.tenant, &second_site, at(0)).await.expect("a site");
        let lines = fixture.lines(7).await;
        let mut moved: Vec<ImportDevice> =
            [1, 6].map(|nth| ImportDevice { service_provider_id: second_provider, ..fixture.line(nth) }).into();
        moved.push(ImportDevice { subscriber_number: Some(fixture::number(3)), ..fixture.line(5) });
        store.import_devices(fixture.tenant, &moved, BY, at(1)).await.expect("moved");
        let bolt =
            |nth| ImportAssignment { rev_customer_id: Some(second_customer), site_id: second_site, ..fixture.assignment(nth) };
        let amop = ImportAssignment { rev_customer_id: None, site_id: fixture.amop_site, ..fixture.assignment(4) };
        fixture.assign(&[fixture.assignment(0), fixture.assignment(1), bolt(2), bolt(3), amop]).await;
        Self { fixture, lines, second_provider, second_customer, second_site }
    }

    /// A reach by its text; `C`, `D`, `S`, `T`, `A`, `P`, `Q` stand for the ids of the customers, sites and providers.
    fn reach(&self, text: &str) -> Reach {
        let ids = [
            ("C", self.fixture.customer.0),
            ("D", self.second_customer.0),
            ("S", self.fixture.site.0),
            ("T", self.second_site.0),
            ("A", self.fixture.amop_site.0),
            ("P", self.fixture.provider.0),
            ("Q", self.second_provider.0),
        ];
        ids.iter().fold(text.to_owned(), |text, (letter, id)| text.replace(letter, &id.to_string())).parse().expect("a reach")
    }

    async fn listed(&self, reach: &Reach, filter: &DeviceFilter) -> Vec<usize> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.fixture.store.list_devices(self.fixture.tenant, reach, filter, after, 2).await.expect("a page");
            assert!(page.items.len() <= 2);
            found.extend(page.items.iter().map(|line| self.lines.iter().position(|id| *id == line.id).expect("a line of ours")));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }
}

/// By id, in pages, each line once; alone and together with each filter.
pub async fn lines_within_reach_are_listed<S: Store>(store: &S) {
    let world = World::new(store, "lines within reach").await;
    for (reach, expected) in [
        ("*", &[0, 1, 2, 3, 4, 5, 6][..]),
        ("", &[]),
        ("customer:C", &[0, 1]),
        ("customer:C customer:D", &[0, 1, 2, 3]),
        ("customer:C site:S", &[0, 1]),
        ("customer:D site:A", &[2, 3, 4]),
        ("site:T site:A", &[2, 3, 4]),
        ("service_provider:Q", &[1, 6]),
        ("service_provider:P service_provider:Q", &[0, 1, 2, 3, 4, 5, 6]),
        ("service_provider:Q customer:C", &[1]),
        ("service_provider:Q customer:D", &[]),
    ] {
        let reach = world.reach(reach);
        assert_eq!(world.listed(&reach, &DeviceFilter::All).await, expected, "{reach}");
        let fixture = &world.fixture;
        for (filter, matching) in [
            (DeviceFilter::Customer(fixture.customer), &[0, 1][..]),
            (DeviceFilter::Site(world.second_site), &[2, 3]),
            (DeviceFilter::ServiceProvider(world.second_provider), &[1, 6]),
            (DeviceFilter::CustomerRatePlan(fixture.plan), &[0, 1, 2, 3, 4]),
            (DeviceFilter::Iccid(iccid(3)), &[3]),
            (DeviceFilter::Number(fixture::number(3)), &[3, 5]),
            (DeviceFilter::Number(fixture::number(6)), &[6]),
        ] {
            let both: Vec<usize> = matching.iter().copied().filter(|line| expected.contains(line)).collect();
            assert_eq!(world.listed(&reach, &filter).await, both, "{reach} and {filter:?}");
        }
        if !expected.contains(&3) {
            let number = DeviceFilter::Number(fixture::number(3));
            let page = store.list_devices(fixture.tenant, &reach, &number, None, 1).await.expect("a page");
            assert_eq!((page.items, page.next), (vec![], None), "not even that there is more");
        }
        let elsewhere = store.list_devices(fixture.other, &reach, &DeviceFilter::All, None, 9).await.expect("a page");
        assert_eq!(elsewhere.items, []);
    }
}

/// Open entries of lines within reach, by date.
pub async fn open_entries_within_reach_are_listed<S: Store>(store: &S) {
    let world = World::new(store, "entries within reach").await;
    let fixture = &world.fixture;
    fixture.schedule(&[0, 1, 2, 3, 4].map(|nth| fixture.entry(nth, 100 - i64::try_from(nth).expect("small")))).await;
    for (reach, expected) in [
        ("*", &[4, 3, 2, 1, 0][..]),
        ("", &[]),
        ("customer:C", &[1, 0]),
        ("customer:D site:A", &[4, 3, 2]),
        ("service_provider:Q", &[1]),
        ("service_provider:P customer:C", &[0]),
    ] {
        let reach = world.reach(reach);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.list_queue_entries(fixture.tenant, &reach, PlanQueueFilter::Open, after, 2).await.expect("a page");
            found.extend(page.items.iter().map(|entry| world.lines.iter().position(|id| *id == entry.device_id).expect("ours")));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{reach}");
    }
}

/// Entries are within reach when both are: whose the line was when they were ordered, and whose it is. By each filter, and when they are
/// canceled. Rows are beyond it as their lines stand.
pub async fn entries_are_reached_as_ordered_and_as_lines_stand<S: Store>(store: &S) {
    let world = World::new(store, "entries of lines that moved").await;
    let fixture = &world.fixture;
    let open = fixture.schedule(&[0, 2, 3].map(|nth| fixture.entry(nth, 100))).await;
    // From the second customer to the first.
    fixture.assign(&[fixture.assignment(2)]).await;
    let change = open[0].bulk_change_id;
    let rows: Vec<_> = open.iter().map(|entry| entry.id).collect();
    let nth = |device: DeviceId| world.lines.iter().position(|id| *id == device).expect("ours");
    for (reach, seen, rows_beyond) in [
        ("*", &[0, 2, 3][..], &[][..]),
        ("", &[], &[0, 2, 3]),
        ("customer:C", &[0], &[3]),
        ("site:S", &[0], &[3]),
        ("customer:D", &[3], &[0, 2]),
        ("customer:C customer:D", &[0, 2, 3], &[]),
        ("customer:C site:T", &[0, 2, 3], &[]),
        ("service_provider:P", &[0, 2, 3], &[]),
        ("service_provider:Q", &[], &[0, 2, 3]),
        ("service_provider:Q customer:C", &[], &[0, 2, 3]),
    ] {
        let reach = world.reach(reach);
        for filter in [PlanQueueFilter::Open, PlanQueueFilter::OfChange(change, PlanQueueState::Open)] {
            let page = store.list_queue_entries(fixture.tenant, &reach, filter, None, 3).await.expect("a page");
            let found: Vec<usize> = page.items.iter().map(|entry| nth(entry.device_id)).collect();
            assert_eq!((found.as_slice(), page.next), (seen, None), "{reach} {filter:?}");
        }
        for line in [0, 2, 3] {
            let filter = PlanQueueFilter::OpenOfDevice(world.lines[line]);
            let page = store.list_queue_entries(fixture.tenant, &reach, filter, None, 3).await.expect("a page");
            assert_eq!(page.items.len(), usize::from(seen.contains(&line)), "{reach} {filter:?}");
        }
        let beyond = store.find_rows_beyond(fixture.tenant, &reach, &rows).await.expect("found");
        let mut beyond: Vec<usize> =
            open.iter().filter(|entry| beyond.contains(&entry.id)).map(|entry| nth(entry.device_id)).collect();
        beyond.sort_unstable();
        assert_eq!(beyond, rows_beyond, "{reach}");
    }
    let cancel = async |reach: &str| {
        let canceled =
            store.cancel_queue_entries(fixture.tenant, change, BY, &world.reach(reach), at(20)).await.expect("canceled");
        (canceled, fixture.open_entries().await.iter().map(|entry| nth(entry.device_id)).collect::<Vec<_>>())
    };
    assert_eq!(cancel("").await, (0, vec![0, 2, 3]));
    assert_eq!(cancel("customer:D").await, (1, vec![0, 2]));
    assert_eq!(cancel("service_provider:Q customer:C").await, (0, vec![0, 2]));
    assert_eq!(cancel("customer:C").await, (1, vec![2]));
    assert_eq!(cancel("customer:C customer:D").await, (1, vec![]));
}

/// Customers, sites and service providers that are named, and the sites of customers that are; all of a kind that does not limit.
pub async fn reference_data_within_reach_is_listed<S: Store>(store: &S) {
    let world = World::new(store, "reference data within reach").await;
    let fixture = &world.fixture;
    let (c, d) = (fixture.customer.0, world.second_customer.0);
    let (s, t, a) = (fixture.site.0, world.second_site.0, fixture.amop_site.0);
    let (p, q) = (fixture.provider.0, world.second_provider.0);
    for (reach, customers, sites, providers) in [
        ("*", vec![c, d], vec![s, a, t], vec![p, q]),
        ("", vec![], vec![], vec![]),
        ("customer:D", vec![d], vec![t], vec![p, q]),
        ("site:A customer:C", vec![c], vec![s, a], vec![p, q]),
        ("service_provider:Q", vec![c, d], vec![s, a, t], vec![q]),
        ("service_provider:Q site:S", vec![], vec![s], vec![q]),
    ] {
        let reach = world.reach(reach);
        let found = store.list_rev_customers(fixture.tenant, &reach, None, 9).await.expect("customers").items;
        assert_eq!(found.iter().map(|customer| customer.id.0).collect::<Vec<_>>(), customers, "{reach}");
        let mut found = store.list_sites(fixture.tenant, &reach, None, 1).await.expect("sites");
        let mut listed = Vec::new();
        loop {
            listed.extend(found.items.iter().map(|site| site.id.0));
            let Some(after) = found.next else { break };
            found = store.list_sites(fixture.tenant, &reach, Some(after), 1).await.expect("sites");
        }
        assert_eq!(listed, sites, "{reach}");
        let found = store.list_service_providers(fixture.tenant, &reach, None, 9).await.expect("providers").items;
        assert_eq!(found.iter().map(|provider| provider.id.0).collect::<Vec<_>>(), providers, "{reach}");
    }
}

/// Whoever is limited counts what is within reach alone, also when other lines are asked for: no entry that was ordered for others, and no
/// service of others.
pub async fn entries_and_charges_within_reach_are_counted<S: Store>(store: &S) {
    let world = World::new(store, "figures within reach").await;
    let fixture = &world.fixture;
    fixture.schedule(&[0, 1, 2, 3, 4].map(|nth| fixture.entry(nth, 100))).await;
    let of_second = |nth: usize| ImportRevService {
        rev_customer_id: world.second_customer,
        ..service(fixture, nth, 10 + i64::try_from(nth).expect("small"), Some("ACTIVE"))
    };
    let services = [
        service(fixture, 0, 1, Some("ACTIVE")),
        service(fixture, 1, 2, Some("ACTIVE")),
        of_second(2),
        of_second(3),
        service(fixture, 4, 3, Some("ACTIVE")),
    ];
    let imported = store.import_rev_services(fixture.tenant, &services, at(3)).await.expect("services");
    assert_eq!((imported.created, imported.refused), (5, vec![]));
    // From the second customer to the first, which neither takes along what was scheduled for the second, nor what it pays.
    fixture.assign(&[fixture.assignment(2)]).await;
    for (reach, entries, charges) in [
        ("*", 5, 5),
        ("", 0, 0),
        ("customer:C", 2, 2),
        ("site:S", 2, 2),
        ("customer:D", 1, 1),
        ("customer:C customer:D", 4, 4),
        // A line of a site is billed to a customer of others.
        ("site:A", 1, 0),
        ("service_provider:P", 4, 4),
        ("service_provider:Q", 1, 1),
        ("service_provider:Q customer:C", 1, 1),
        ("service_provider:Q customer:D", 0, 0),
    ] {
        let reach = world.reach(reach);
        let found = store.count_open_entries(fixture.tenant, &reach, &world.lines, None).await.expect("counted");
        assert_eq!((found.count, found.later), (entries, entries), "{reach}");
        assert_eq!((found.last_id == 0, found.dates), (entries == 0, entries * at(100).timestamp()), "{reach}");
        let charged = store.sum_up_charges(fixture.tenant, &reach, &world.lines).await.expect("a sum");
        assert_eq!((charged.known, charged.unknown), (Decimal::new(995, 2) * Decimal::from(charges), 0), "{reach}");
        let elsewhere = store.count_open_entries(fixture.other, &reach, &world.lines, None).await.expect("counted");
        assert_eq!(elsewhere.count, 0);
    }
}
