//! Reference data: create, get, update, list, and what an order finds of it.

use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId,
};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::IntegrationKind;
use rust_decimal::Decimal;

use super::fixture::{self, Fixture, at};
use crate::catalogue::{
    CustomerRatePlan, CustomerRatePool, IntegrationAuthentication, Names, Referenced, References, RevCustomer, ServiceProvider,
    Site, Unnamed,
};
use crate::{Store, StoreError};

/// Declares a body: three things are created, found as created, replaced by an update, listed by id in pages, and not
/// there for another tenant.
macro_rules! kept {
    ($body:ident, $thing:ident, $create:ident, $get:ident, $update:ident, $list:ident,
        $missing:expr, $make:expr, $change:expr) => {
        /// Created, found, replaced, listed in pages, and kept from other tenants.
        pub async fn $body<S: Store>(store: &S) {
            let fixture = Fixture::new(store, stringify!($body)).await;
            let (tenant, other) = (fixture.tenant, fixture.other);
            let before = store.$list(tenant, &Reach::Everything, None, 1_000).await.expect("a list").items.len();
            let mut things: Vec<$thing> = Vec::new();
            for nth in 0..3 {
                let thing: $thing = $make(&fixture, nth);
                let id = store.$create(tenant, &thing, at(1)).await.expect("created");
                things.push($thing { id, ..thing });
            }
            let change: fn(&mut $thing) = $change;
            change(&mut things[1]);
            store.$update(tenant, &things[1], at(2)).await.expect("updated");
            for thing in &things {
                assert_eq!(&store.$get(tenant, thing.id).await.expect("found"), thing);
                let elsewhere = store.$get(other, thing.id).await;
                assert!(matches!(elsewhere, Err(StoreError::NotFound { .. })), "{elsewhere:?}");
                let elsewhere = store.$update(other, thing, at(3)).await;
                assert!(matches!(elsewhere, Err(StoreError::NotFound { .. })), "{elsewhere:?}");
            }
            let missing = store.$get(tenant, $missing).await;
            assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");

            let (mut listed, mut after) = (Vec::new(), None);
            loop {
                let page = store.$list(tenant, &Reach::Everything, after, 2).await.expect("a page");
                assert!(page.items.len() <= 2);
                listed.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(listed.len(), before + 3);
            assert!(listed.is_sorted_by_key(|thing| thing.id));
            assert!(things.iter().all(|thing| listed.contains(thing)), "{listed:?}");
            assert_eq!(store.$list(other, &Reach::Everything, None, 2).await.expect("a list").items, vec![]);
        }
    };
}

kept!(
    integration_authentications_are_kept,
    IntegrationAuthentication,
    create_integration_authentication,
    get_integration_authentication,
    update_integration_authentication,
    list_integration_authentications,
    IntegrationAuthenticationId(i64::MAX),
    |_: &Fixture<'_, S>, nth| fixture::authentication(&format!("account {nth}")),
    |thing| {
        thing.name = "renamed".to_owned();
        thing.is_active = false;
        thing.integration_kind = IntegrationKind::JASPER;
    }
);
kept!(
    service_providers_are_kept,
    ServiceProvider,
    create_service_provider,
    get_service_provider,
    update_service_provider,
    list_service_providers,
    ServiceProviderId(i64::MAX),
    |_: &Fixture<'_, S>, nth| fixture::provider(&format!("carrier {nth}")),
    |thing| {
        thing.name = "renamed".to_owned();
        (thing.write_enabled, thing.is_active) = (false, false);
        thing.integration_kind = IntegrationKind::POND;
    }
);
kept!(
    rev_customers_are_kept,
    RevCustomer,
    create_rev_customer,
    get_rev_customer,
    update_rev_customer,
    list_rev_customers,
    RevCustomerId(i64::MAX),
    |fixture: &Fixture<'_, S>, nth: i64| customer(fixture, 2_000 + nth),
    |thing| {
        thing.name = "renamed".to_owned();
        thing.is_active = false;
    }
);
kept!(
    sites_are_kept,
    Site,
    create_site,
    get_site,
    update_site,
    list_sites,
    SiteId(i64::MAX),
    |fixture: &Fixture<'_, S>, nth: i64| fixture::site(&format!("site {nth}"), (nth != 1).then_some(fixture.customer)),
    |thing| {
        thing.name = "renamed".to_owned();
        thing.is_active = false;
    }
);
kept!(
    customer_rate_plans_are_kept,
    CustomerRatePlan,
    create_customer_rate_plan,
    get_customer_rate_plan,
    update_customer_rate_plan,
    list_customer_rate_plans,
    CustomerRatePlanId(i64::MAX),
    |_: &Fixture<'_, S>, nth: i64| fixture::plan(&format!("plan {nth}"), (nth != 1).then_some(nth + 1)),
    |thing| {
        thing.monthly_price = None;
        thing.allocation_default_mb = Some(Decimal::new(15, 1));
        thing.allocation_bound_mb = Some(Decimal::from(20));
        thing.rev_product_id = Some(77);
        thing.is_active = false;
    }
);
kept!(
    customer_rate_pools_are_kept,
    CustomerRatePool,
    create_customer_rate_pool,
    get_customer_rate_pool,
    update_customer_rate_pool,
    list_customer_rate_pools,
    CustomerRatePoolId(i64::MAX),
    |_: &Fixture<'_, S>, nth| fixture::pool(&format!("pool {nth}")),
    |thing| {
        thing.name = "renamed".to_owned();
        thing.is_active = false;
    }
);

fn customer<S>(fixture: &Fixture<'_, S>, id: i64) -> RevCustomer {
    RevCustomer {
        id: RevCustomerId(id),
        name: format!("customer {id}"),
        integration_authentication_id: fixture.authentication,
        is_active: true,
    }
}

/// Carrier accounts and credentials by name, Rev customers by id; another tenant may use the same.
pub async fn names_and_ids_are_taken_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "names and ids").await;
    let (tenant, other) = (fixture.tenant, fixture.other);
    let taken = [
        store.create_integration_authentication(tenant, &fixture::authentication("Rev.io"), at(1)).await.map(|_| ()),
        store.create_service_provider(tenant, &fixture::provider("Jasper"), at(1)).await.map(|_| ()),
        store.create_rev_customer(tenant, &customer(&fixture, fixture.customer.0), at(1)).await.map(|_| ()),
    ];
    for taken in taken {
        assert!(matches!(taken, Err(StoreError::Conflict { .. })), "{taken:?}");
    }
    store.create_integration_authentication(other, &fixture::authentication("Rev.io"), at(1)).await.expect("free there");
    store.create_service_provider(other, &fixture::provider("Jasper"), at(1)).await.expect("free there");

    let second = store.create_service_provider(tenant, &fixture::provider("Second"), at(1)).await.expect("another");
    let renamed = ServiceProvider { id: second, ..fixture::provider("Jasper") };
    let taken = store.update_service_provider(tenant, &renamed, at(2)).await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })), "{taken:?}");
}

/// What belongs to another tenant is not there.
pub async fn references_must_exist_for_the_tenant<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "references").await;
    let (tenant, other) = (fixture.tenant, fixture.other);
    let of_others = store.create_rev_customer(other, &customer(&fixture, 3_000), at(1)).await;
    assert!(matches!(of_others, Err(StoreError::Conflict { .. })), "{of_others:?}");
    let of_others = store.create_site(other, &fixture::site("theirs", Some(fixture.customer)), at(1)).await;
    assert!(matches!(of_others, Err(StoreError::Conflict { .. })), "{of_others:?}");
    let moved = Site { id: fixture.site, ..fixture::site("moved", Some(RevCustomerId(4_000))) };
    let moved = store.update_site(tenant, &moved, at(2)).await;
    assert!(matches!(moved, Err(StoreError::Conflict { .. })), "{moved:?}");
    assert_eq!(store.get_site(tenant, fixture.site).await.expect("the site").rev_customer_id, Some(fixture.customer));
}

/// B4.6 rule 5.
pub async fn active_statuses_are_those_of_the_carriers<S: Store>(store: &S) {
    let active = store.active_statuses().await.expect("statuses");
    for (kind, status, expected) in [
        (IntegrationKind::JASPER, "ACTIVATED", true),
        (IntegrationKind::JASPER, "TEST_READY", true),
        (IntegrationKind::JASPER, "ACTIVATION_READY", true),
        (IntegrationKind::JASPER, "DEACTIVATED", false),
        (IntegrationKind::THING_SPACE, "active", true),
        (IntegrationKind::TELEGENCE, "A", true),
        (IntegrationKind::TELEGENCE, "ACTIVATED", false),
        (IntegrationKind::POND, "In-Service", true),
    ] {
        assert_eq!(active.contains(kind, status), expected, "{kind} {status}");
    }
}

/// Everything that an order names, or the customer's first active site where it names none; inactive things included.
pub async fn an_order_finds_what_it_refers_to<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "an order finds").await;
    let tenant = fixture.tenant;
    let second = store.create_site(tenant, &fixture::site("Acme, Chicago", Some(fixture.customer)), at(1)).await.expect("a site");
    let all = References {
        service_provider_id: Some(fixture.provider),
        rev_customer_id: Some(fixture.customer),
        site_id: None,
        plan: Some(fixture.plan),
        pool: Some(fixture.pool),
        carrier_rate_plan: None,
    };
    let found = store.find_referenced(tenant, &all).await.expect("found");
    assert_eq!(found.service_provider.expect("the provider").id, fixture.provider);
    assert_eq!(found.rev_customer.expect("the customer").id, fixture.customer);
    assert_eq!(found.site.expect("the first site").id, fixture.site);
    assert_eq!(found.plan.expect("the plan").id, fixture.plan);
    assert_eq!(found.pool.expect("the pool").id, fixture.pool);

    let closed = Site { id: fixture.site, is_active: false, ..fixture::site("Acme, Boston", Some(fixture.customer)) };
    store.update_site(tenant, &closed, at(2)).await.expect("closed");
    let found = store.find_referenced(tenant, &all).await.expect("found");
    assert_eq!(found.site.expect("the next active site").id, second);
    let named = References { site_id: Some(fixture.site), ..all.clone() };
    assert_eq!(store.find_referenced(tenant, &named).await.expect("found").site, Some(closed));

    assert_eq!(store.find_referenced(fixture.other, &all).await.expect("found"), Referenced::default());
    let nothing = References { rev_customer_id: Some(RevCustomerId(9_999)), ..References::default() };
    assert_eq!(store.find_referenced(tenant, &nothing).await.expect("found"), Referenced::default());
}

/// A page names what it shows in one question; another tenant's things, and what is not there, have no name.
pub async fn things_are_named_at_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "things are named").await;
    let unnamed = Unnamed {
        rev_customers: [fixture.customer, RevCustomerId(9_999)].into(),
        sites: [fixture.site].into(),
        service_providers: [fixture.provider].into(),
        customer_rate_plans: [fixture.plan].into(),
        customer_rate_pools: [fixture.pool].into(),
    };
    let names = store.find_names(fixture.tenant, &unnamed).await.expect("names");
    let (customer, site) =
        (store.get_rev_customer(fixture.tenant, fixture.customer), store.get_site(fixture.tenant, fixture.site));
    let expected = Names {
        rev_customers: [(fixture.customer, customer.await.expect("there").name)].into(),
        sites: [(fixture.site, site.await.expect("there").name)].into(),
        service_providers: [(
            fixture.provider,
            store.get_service_provider(fixture.tenant, fixture.provider).await.expect("there").name,
        )]
        .into(),
        customer_rate_plans: [(
            fixture.plan,
            store.get_customer_rate_plan(fixture.tenant, fixture.plan).await.expect("there").name,
        )]
        .into(),
        customer_rate_pools: [(
            fixture.pool,
            store.get_customer_rate_pool(fixture.tenant, fixture.pool).await.expect("there").name,
        )]
        .into(),
    };
    assert_eq!(names, expected);
    assert_eq!(store.find_names(fixture.other, &unnamed).await.expect("names"), Names::default());
    assert_eq!(store.find_names(fixture.tenant, &Unnamed::default()).await.expect("names"), Names::default());
}

/// By number, by how their names begin, by what stands in them; of those within reach.
pub async fn customers_are_found_by_name_and_number<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "customers are found").await;
    let tenant = fixture.tenant;
    let customer = |id: i64, name: &str| RevCustomer {
        id: RevCustomerId(id),
        name: name.to_owned(),
        integration_authentication_id: fixture.authentication,
        is_active: true,
    };
    for made in [
        customer(2_001, "Zenith Acmeists"),
        customer(2_002, "ACME Boston"),
        customer(2_003, "100% Fish_Market"),
        RevCustomer { is_active: false, ..customer(2_004, "Acme, closed") },
    ] {
        store.create_rev_customer(tenant, &made, at(1)).await.expect("a customer");
    }
    let corner = store.create_site(tenant, &fixture::site("Acme Corner", None), at(1)).await.expect("a site");
    let of_customer = fixture::site("Acme, Salem", Some(fixture.customer));
    let of_customer = store.create_site(tenant, &of_customer, at(1)).await.expect("a site");
    let everything = Reach::Everything;
    let found = async |reach: &Reach, text: &str, limit: usize| {
        let found = store.find_customers(tenant, reach, text, limit).await.expect("found");
        let names: Vec<String> = found.customers.iter().map(|customer| customer.name.clone()).collect();
        assert!(!found.stopped, "{text}");
        (names.join("; "), found.more)
    };
    for (text, expected) in [
        ("acme", "Acme; ACME Boston; Acme Corner; Zenith Acmeists"),
        ("  ACME b ", "ACME Boston"),
        ("2002", "ACME Boston"),
        ("bost", "ACME Boston"),
        ("0% fish_m", "100% Fish_Market"),
        ("%", "100% Fish_Market"),
        ("_", "100% Fish_Market"),
        ("nobody", ""),
        ("a\0cme b", "ACME Boston"),
    ] {
        assert_eq!(found(&everything, text, 10).await, (expected.to_owned(), false), "{text:?}");
    }
    assert_eq!(found(&everything, &corner.0.to_string(), 10).await.0, "Acme Corner");
    assert_eq!(found(&everything, "acme", 2).await, ("Acme; ACME Boston".to_owned(), true));
    assert_eq!(found(&everything, "", 2).await, ("100% Fish_Market; Acme".to_owned(), true));
    let by_site = store.find_customers(tenant, &everything, "acme corner", 10).await.expect("found").customers;
    assert_eq!((by_site[0].rev_customer_id, by_site[0].site_id), (None, Some(corner)));

    let reach = |text: String| text.parse::<Reach>().expect("a reach");
    assert_eq!(found(&reach("customer:2002".to_owned()), "acme", 10).await.0, "ACME Boston");
    let sites = reach(format!("site:{corner} site:{of_customer}"));
    assert_eq!(found(&sites, "acme", 10).await.0, "Acme Corner; Acme, Salem");
    assert_eq!(found(&Reach::nothing(), "", 10).await.0, "");
    assert_eq!(found(&reach(format!("service_provider:{}", fixture.provider)), "zenith", 10).await.0, "Zenith Acmeists");
    let elsewhere = store.find_customers(fixture.other, &everything, "acme", 10).await.expect("found");
    assert_eq!(elsewhere.customers, []);

    // A name that is changed is found by the new one.
    store.update_rev_customer(tenant, &customer(2_002, "Bolt Boston"), at(2)).await.expect("updated");
    assert_eq!(found(&everything, "acme b", 10).await.0, "");
    assert_eq!(found(&everything, "bolt b", 10).await.0, "Bolt Boston");

    let sites_of = async |reach: &Reach| {
        let listed = store.list_sites_of_customer(tenant, reach, fixture.customer, None, 10).await.expect("sites");
        listed.items.into_iter().map(|site| site.id).collect::<Vec<_>>()
    };
    assert_eq!(sites_of(&everything).await, [fixture.site, of_customer]);
    assert_eq!(sites_of(&sites).await, [of_customer]);
    let first = store.list_sites_of_customer(tenant, &everything, fixture.customer, None, 1).await.expect("sites");
    assert_eq!(first.next, Some(fixture.site));
}
