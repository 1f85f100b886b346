//! Bringing in rows.

use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, PrincipalId, RevCustomerId, ServiceProviderId, SiteId,
};
use lineshift_domain::order::Setting;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{BulkChangeStatus, LineIdentifier, PlanQueueState, PortalType};
use rust_decimal::Decimal;

use super::devices::{PLAN_CHANGE, digits};
use super::fixture::{self, BY, Fixture, at, iccid, number};
use crate::Store;
use crate::catalogue::{CustomerRatePlan, CustomerRatePool, RevCustomer, Site};
use crate::import::{
    IMPORT_ROWS, ImportAssignment, ImportDevice, ImportQueueEntry, ImportRevProduct, ImportRevService, Imported,
};
use crate::plan_queue::PlanQueueFilter;

fn counts(imported: &Imported) -> (u64, u64, Vec<usize>) {
    (imported.created, imported.updated, imported.refused.iter().map(|(place, _)| *place).collect())
}

/// New ones get an empty assignment, known ones keep theirs; one of an unknown provider is refused.
pub async fn lines_are_brought_in_and_replaced<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "lines are brought in").await;
    let tenant = fixture.tenant;
    let unknown = ImportDevice { service_provider_id: ServiceProviderId(i64::MAX), ..fixture.line(1) };
    // The third names the first line again: the last mention stands.
    let renamed = ImportDevice { status: "TEST_READY".to_owned(), ..fixture.line(0) };
    let imported = store.import_devices(tenant, &[fixture.line(0), unknown, renamed], BY, at(1)).await.expect("lines");
    assert_eq!(counts(&imported), (1, 1, vec![1]));
    assert_eq!(imported.refused[0].1, format!("service provider {} does not exist", i64::MAX));
    let line = fixture.find(&iccid(0)).await;
    assert_eq!((line.status.as_str(), line.version, line.is_active, line.modified_by.as_str()), ("TEST_READY", 1, false, BY));

    fixture.assign(&[fixture.assignment(0)]).await;
    let again = [ImportDevice { subscriber_number: None, ..fixture.line(0) }, fixture.line(2)];
    assert_eq!(counts(&store.import_devices(tenant, &again, BY, at(2)).await.expect("lines")), (1, 1, vec![]));
    let replaced = fixture.find(&iccid(0)).await;
    assert_eq!((replaced.id, replaced.subscriber_number, replaced.status.as_str()), (line.id, None, "ACTIVATED"));
    assert_eq!((replaced.version, replaced.site_id), (2, Some(fixture.site)));

    let elsewhere = store.import_devices(fixture.other, &[fixture.line(0)], BY, at(3)).await.expect("nothing");
    assert_eq!(counts(&elsewhere), (0, 0, vec![0]));
}

/// Customers, sites, plans and pools by their ids; what they refer to must be there.
pub async fn reference_rows_are_brought_in_and_replaced<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "reference rows").await;
    let (tenant, other) = (fixture.tenant, fixture.other);
    let customer = |id: i64, authentication| RevCustomer {
        id: RevCustomerId(id),
        name: format!("customer {id}"),
        integration_authentication_id: authentication,
        is_active: false,
    };
    let missing = IntegrationAuthenticationId(i64::MAX);
    let rows =
        [customer(2_001, fixture.authentication), customer(2_002, missing), customer(fixture.customer.0, fixture.authentication)];
    let imported = store.import_customers(tenant, &rows, at(1)).await.expect("customers");
    assert_eq!(counts(&imported), (1, 1, vec![1]));
    assert_eq!(store.get_rev_customer(tenant, fixture.customer).await.expect("replaced"), rows[2]);
    assert_eq!(store.get_rev_customer(tenant, RevCustomerId(2_001)).await.expect("created"), rows[0]);

    let site = |id: i64, customer| Site { id: SiteId(id), ..fixture::site("brought in", customer) };
    let rows = [site(900_001, Some(RevCustomerId(2_001))), site(900_002, Some(RevCustomerId(2_002))), site(fixture.site.0, None)];
    assert_eq!(counts(&store.import_sites(tenant, &rows, at(1)).await.expect("sites")), (1, 1, vec![1]));
    assert_eq!(store.get_site(tenant, fixture.site).await.expect("replaced"), rows[2]);

    let plan = |id: i64| CustomerRatePlan { id: CustomerRatePlanId(id), ..fixture::plan("brought in", Some(9)) };
    let rows = [plan(900_001), plan(fixture.plan.0), plan(900_001)];
    assert_eq!(counts(&store.import_plans(tenant, &rows, at(1)).await.expect("plans")), (1, 2, vec![]));
    assert_eq!(store.get_customer_rate_plan(tenant, fixture.plan).await.expect("replaced"), rows[1]);

    let pool = |id: i64| CustomerRatePool { id: CustomerRatePoolId(id), ..fixture::pool("brought in") };
    let rows = [pool(900_001), pool(fixture.pool.0)];
    assert_eq!(counts(&store.import_pools(tenant, &rows, at(1)).await.expect("pools")), (1, 1, vec![]));
    assert_eq!(store.get_customer_rate_pool(tenant, CustomerRatePoolId(900_001)).await.expect("created"), rows[0]);

    // The same ids elsewhere are other things.
    assert_eq!(counts(&store.import_pools(other, &rows, at(1)).await.expect("pools")), (2, 0, vec![]));
    let refused = store.import_customers(other, &[customer(2_001, fixture.authentication)], at(1)).await.expect("customers");
    assert_eq!(counts(&refused), (0, 0, vec![0]));
}

/// So that a thing made by hand never meets one brought in.
pub async fn ids_made_later_lie_after_those_brought_in<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "ids made later").await;
    let tenant = fixture.tenant;
    let (site, plan, pool) = (
        Site { id: SiteId(5_000_000), ..fixture::site("brought in", None) },
        CustomerRatePlan { id: CustomerRatePlanId(5_000_000), ..fixture::plan("brought in", None) },
        CustomerRatePool { id: CustomerRatePoolId(5_000_000), ..fixture::pool("brought in") },
    );
    store.import_sites(tenant, &[site], at(1)).await.expect("a site");
    store.import_plans(tenant, &[plan], at(1)).await.expect("a plan");
    store.import_pools(tenant, &[pool], at(1)).await.expect("a pool");
    assert!(store.create_site(tenant, &fixture::site("made", None), at(2)).await.expect("a site").0 > 5_000_000);
    assert!(store.create_customer_rate_plan(tenant, &fixture::plan("made", None), at(2)).await.expect("a plan").0 > 5_000_000);
    assert!(store.create_customer_rate_pool(tenant, &fixture::pool("made"), at(2)).await.expect("a pool").0 > 5_000_000);
}

/// Customer, site, plan, pool and allocation raise it; the date does not, and what stands so is left alone.
pub async fn assignments_raise_the_version_only_where_they_differ<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "versions").await;
    let tenant = fixture.tenant;
    fixture.lines(1).await;
    let first = fixture.assignment(0);
    let imported = store.import_assignments(tenant, std::slice::from_ref(&first), BY, at(1)).await.expect("an assignment");
    assert_eq!(counts(&imported), (1, 0, vec![]));

    let amop = ImportAssignment { rev_customer_id: None, site_id: fixture.amop_site, ..first.clone() };
    let steps = [
        (first.clone(), 2, at(1)),
        (ImportAssignment { effective_date: Some(at(0)), ..first.clone() }, 2, at(3)),
        (ImportAssignment { customer_rate_plan_id: Some(fixture.bounded_plan), ..first.clone() }, 3, at(4)),
        (ImportAssignment { customer_rate_pool_id: Some(fixture.pool), ..first.clone() }, 4, at(5)),
        (ImportAssignment { customer_data_allocation_mb: Some(Decimal::from(7)), ..first.clone() }, 5, at(6)),
        (amop, 6, at(7)),
    ];
    for (nth, (row, version, modified_at)) in steps.into_iter().enumerate() {
        let now = at(2 + i64::try_from(nth).expect("a few steps"));
        let imported = store.import_assignments(tenant, std::slice::from_ref(&row), BY, now).await.expect("an assignment");
        assert_eq!(counts(&imported), (0, 1, vec![]));
        let line = fixture.find(&iccid(0)).await;
        assert_eq!((line.version, line.modified_at), (version, modified_at), "{row:?}");
        assert_eq!((line.rev_customer_id, line.customer_rate_plan_id), (row.rev_customer_id, row.customer_rate_plan_id));
    }
    let line = fixture.find(&iccid(0)).await;
    assert_eq!((line.account_number, line.integration_authentication_id, line.is_active), (None, None, true));
}

/// Each for its own reason; the others are stored.
pub async fn assignments_of_what_is_missing_are_refused<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "what is missing").await;
    fixture.lines(2).await;
    let good = fixture.assignment(0);
    let rows = [
        ImportAssignment { iccid: iccid(9), ..good.clone() },
        ImportAssignment { rev_customer_id: Some(RevCustomerId(77)), ..good.clone() },
        ImportAssignment { site_id: SiteId(i64::MAX), ..good.clone() },
        ImportAssignment { customer_rate_plan_id: Some(CustomerRatePlanId(i64::MAX)), ..good.clone() },
        ImportAssignment { customer_rate_pool_id: Some(CustomerRatePoolId(i64::MAX)), ..good.clone() },
        ImportAssignment { site_id: fixture.amop_site, ..good.clone() },
        good,
    ];
    let imported = store.import_assignments(fixture.tenant, &rows, BY, at(1)).await.expect("assignments");
    let expected = [
        format!("no line has the ICCID {}", iccid(9)),
        "customer 77 does not exist".to_owned(),
        format!("site {} does not exist", i64::MAX),
        format!("customer rate plan {} does not exist", i64::MAX),
        format!("customer rate pool {} does not exist", i64::MAX),
        format!("site {} does not belong to customer {}", fixture.amop_site, fixture.customer),
    ];
    assert_eq!(imported.refused.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(counts(&imported), (1, 0, (0..6).collect()));
    let elsewhere = store.import_assignments(fixture.other, &rows, BY, at(2)).await.expect("nothing");
    assert_eq!(counts(&elsewhere), (0, 0, (0..7).collect()));
}

/// By customer and Rev.io's id; the line by its ICCID, or by a number that only one line has.
pub async fn rev_services_are_brought_in_and_replaced<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "rev services").await;
    let tenant = fixture.tenant;
    fixture.lines(2).await;
    let product = |status: &str| ImportRevProduct {
        rev_service_product_id: 11,
        rev_product_id: 5,
        rate: Some(Decimal::new(1_250, 2)),
        quantity: Some(Decimal::ONE),
        status: status.to_owned(),
        description: Some("data".to_owned()),
    };
    let by_number = ImportRevService {
        rev_customer_id: fixture.customer,
        rev_service_id: 1,
        iccid: None,
        number: Some(number(1)),
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: None,
        disconnected_date: None,
        has_package: false,
        products: vec![product("ACTIVE")],
    };
    let rows = [
        by_number.clone(),
        ImportRevService { rev_service_id: 2, number: Some(number(8)), products: vec![], ..by_number.clone() },
        ImportRevService { rev_service_id: 3, iccid: Some(iccid(9)), ..by_number.clone() },
        ImportRevService { rev_customer_id: RevCustomerId(77), ..by_number.clone() },
    ];
    let imported = store.import_rev_services(tenant, &rows, at(1)).await.expect("services");
    assert_eq!(counts(&imported), (2, 0, vec![2, 3]));
    assert_eq!(billed(&fixture).await, [false, true]);

    // Moved to the other line, then its product disconnected.
    let moved = ImportRevService { iccid: Some(iccid(0)), ..by_number };
    assert_eq!(
        counts(&store.import_rev_services(tenant, std::slice::from_ref(&moved), at(2)).await.expect("moved")),
        (0, 1, vec![])
    );
    assert_eq!(billed(&fixture).await, [true, false]);
    let ended = ImportRevService { products: vec![product("DISCONNECTED")], ..moved };
    assert_eq!(
        counts(&store.import_rev_services(tenant, std::slice::from_ref(&ended), at(3)).await.expect("ended")),
        (0, 1, vec![])
    );
    assert_eq!(billed(&fixture).await, [false, false]);
    assert_eq!(counts(&store.import_rev_services(fixture.other, &[ended], at(3)).await.expect("nothing")), (0, 0, vec![0]));
}

async fn billed<S: Store>(fixture: &Fixture<'_, S>) -> Vec<bool> {
    let asked = digits(LineIdentifier::Iccid, &[iccid(0), iccid(1)]);
    let found = fixture.store.look_up_lines(fixture.tenant, LineIdentifier::Iccid, &asked, PLAN_CHANGE).await;
    let mut found = found.expect("a look-up");
    found.sort_by_key(|line| line.index);
    found.iter().map(|line| line.facts.billed_to_other).collect()
}

/// Under a finished change "Imported"; what waits with the same values already is not stored again.
pub async fn queue_entries_are_brought_in_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "queue entries").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(2).await;
    fixture.assign(&[fixture.assignment(0)]).await;
    let full = ImportQueueEntry {
        customer_rate_pool_id: Some(0),
        customer_data_allocation_mb: Some(Decimal::new(250, 1)),
        portal: PortalType::Mobility,
        ..fixture.entry(0, 500)
    };
    let rows = [
        full.clone(),
        ImportQueueEntry { iccid: iccid(9), ..full.clone() },
        ImportQueueEntry { customer_rate_plan_id: Some(i64::MAX), ..full.clone() },
        ImportQueueEntry { customer_rate_pool_id: Some(i64::MAX), ..full.clone() },
        full.clone(),
    ];
    let imported = store.import_queue_entries(tenant, &rows, BY, at(5)).await.expect("entries");
    assert_eq!(counts(&imported), (1, 1, vec![1, 2, 3]));

    let open = fixture.open_entries().await;
    assert_eq!(open.len(), 1);
    let entry = &open[0];
    assert_eq!((entry.device_id, entry.iccid.clone(), entry.effective_date), (lines[0], iccid(0), at(500)));
    assert_eq!((entry.rev_customer_id, entry.site_id), (Some(fixture.customer), Some(fixture.site)));
    assert_eq!(entry.values.plan, Setting::Set(fixture.bounded_plan));
    assert_eq!((entry.values.pool, entry.values.allocation_mb), (Setting::Clear, Setting::Set(Decimal::from(25))));
    assert_eq!((entry.portal, entry.state, entry.created_at), (PortalType::Mobility, PlanQueueState::Open, at(5)));

    let change = store.get_bulk_change(tenant, PrincipalId(0), entry.bulk_change_id).await.expect("its change");
    assert_eq!(
        (change.name.as_deref(), change.status(), change.counts.total),
        (Some("Imported"), BulkChangeStatus::Processed, 1)
    );
    assert_eq!((change.created_by.as_str(), change.processed_at), (BY, Some(at(5))));
    assert_eq!(store.recount(tenant, change.id).await.expect("counts"), change.counts);
    let rows_of = store.list_device_changes(tenant, change.id, Default::default(), None, 10).await.expect("rows").items;
    assert_eq!(rows_of.len(), 1);
    assert_eq!((rows_of[0].id, rows_of[0].device_id), (entry.id, Some(lines[0])));
    assert!(rows_of[0].status_details.as_deref().is_some_and(|details| details.starts_with("scheduled for 2026-")));

    let again = store.import_queue_entries(tenant, std::slice::from_ref(&full), BY, at(6)).await.expect("entries");
    assert_eq!(counts(&again), (0, 1, vec![]));
    let other_date = ImportQueueEntry { effective_date: at(400), ..full };
    assert_eq!(counts(&store.import_queue_entries(tenant, &[other_date], BY, at(7)).await.expect("entries")), (1, 0, vec![]));
    assert_eq!(fixture.open_entries().await.len(), 2);
    let elsewhere = store.import_queue_entries(fixture.other, &rows, BY, at(8)).await.expect("nothing");
    assert_eq!(counts(&elsewhere), (0, 0, (0..5).collect()));
}

/// A change is of one carrier account and one portal; rule 3 holds for its entries as for any order's.
pub async fn queue_entries_stand_under_one_change_a_carrier_account<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a carrier account").await;
    let tenant = fixture.tenant;
    let second = store.create_service_provider(tenant, &fixture::provider("Second"), at(0)).await.expect("a provider");
    fixture.lines(4).await;
    let moved = [ImportDevice { service_provider_id: second, ..fixture.line(1) }];
    store.import_devices(tenant, &moved, BY, at(1)).await.expect("moved to the second provider");
    let by_number = ImportQueueEntry { portal: PortalType::Lnp, ..fixture.entry(3, 10) };
    let open = fixture.schedule(&[fixture.entry(2, 10), fixture.entry(1, 10), fixture.entry(0, 10), by_number]).await;

    let change_of = |nth: usize| open.iter().find(|entry| entry.iccid == iccid(nth)).expect("an entry").bulk_change_id;
    assert_eq!(change_of(0), change_of(2));
    assert!(change_of(1) != change_of(0) && change_of(3) != change_of(0) && change_of(1) != change_of(3));
    let provider = store.get_bulk_change(tenant, PrincipalId(0), change_of(1)).await.expect("the change").service_provider_id;
    assert_eq!(provider, second);
    let filter = PlanQueueFilter::OfChange(change_of(0), PlanQueueState::Open);
    let listed = store.list_queue_entries(tenant, &Reach::Everything, filter, None, 10).await.expect("a list").items;
    // In device order, whatever the order of the call.
    assert_eq!(listed.iter().map(|entry| entry.iccid.clone()).collect::<Vec<_>>(), [iccid(0), iccid(2)]);
}

/// More than [`IMPORT_ROWS`] are an error, and nothing is stored.
pub async fn a_call_takes_so_many_rows<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "so many rows").await;
    let rows: Vec<ImportDevice> = (0..=IMPORT_ROWS).map(|nth| fixture.line(nth)).collect();
    assert!(store.import_devices(fixture.tenant, &rows, BY, at(1)).await.is_err());
    assert_eq!(
        store.list_devices(fixture.tenant, &Reach::Everything, &Default::default(), None, 10).await.expect("a list").items,
        vec![]
    );
    let imported = store.import_devices(fixture.tenant, &rows[1..], BY, at(1)).await.expect("lines");
    assert_eq!(counts(&imported), (IMPORT_ROWS as u64, 0, vec![]));
}
