//! Rev.io.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use lineshift_connectors::billing::revio::{RevioBilling, RevioCredentials};
use lineshift_connectors::billing::{Billing, NewService, NewServiceProduct};
use lineshift_connectors::{CallError, Called};
use lineshift_domain::ids::{RevCustomerId, RevServiceId};
use lineshift_simulators::revio::{Fault, NumberFilter, RevioOptions, RevioSimulator, Service};
use secrecy::SecretString;

use crate::{ADDRESS, account_of, clock};

const PASSWORD: &str = "p4ss/w\"rd";

fn connected() -> (Arc<RevioSimulator>, RevioBilling) {
    let clock = clock();
    let mut options = RevioOptions::new("apiuser", "acme", PASSWORD);
    options.login.subscription_key = Some("subscription-key".to_owned());
    let simulator = RevioSimulator::new(options, Arc::clone(&clock));
    simulator.with_customer(5, "Acme").with_provider(7, "Carrier").with_service_type(8, "Line");
    simulator.with_product(11, "Data").with_product(12, "Gone").deactivate_product(12);
    simulator.with_package(3, "Bundle", &[(11, "1.5".parse().expect("money"))]);
    let account = account_of(&simulator, &clock, 32);
    let credentials = RevioCredentials {
        user: "apiuser".to_owned(),
        client_code: "acme".to_owned(),
        password: SecretString::from(PASSWORD),
        subscription_key: Some(SecretString::from("subscription-key")),
    };
    (simulator, RevioBilling::new(account, &format!("{ADDRESS}/v1"), credentials))
}

fn today() -> NaiveDate {
    "2026-11-21".parse().expect("a day")
}

async fn create(billing: &RevioBilling, package_id: Option<i64>) -> Called<RevServiceId> {
    let service = NewService {
        customer_id: RevCustomerId(5),
        provider_id: 7,
        service_type_id: 8,
        package_id,
        usage_plan_group_id: None,
        number: "15551230000".to_owned(),
        number2: "89012345678901234567".to_owned(),
        description: Some("Line of Ann".to_owned()),
        activated_date: today(),
        effective_date: Some(today()),
    };
    let permit = billing.account().permit().await.expect("nothing speaks against it");
    billing.create_service(permit, &service).await
}

fn product(service_id: RevServiceId, product_id: i64) -> NewServiceProduct {
    NewServiceProduct {
        customer_id: RevCustomerId(5),
        service_id,
        product_id,
        generate_proration: false,
        rate: "24.9900000001".parse().expect("money"),
        quantity: "2".parse().expect("a number"),
        activated_date: today(),
        effective_date: None,
        description: None,
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_fits_the_description() {
    let (simulator, billing) = connected();
    assert_eq!(billing.test_connection().await.result, Ok(()));
    let service = create(&billing, None).await.result.expect("created");
    let permit = billing.account().permit().await.expect("nothing speaks against it");
    let created = billing.create_service_product(permit, &product(service, 11)).await.result.expect("created");
    let products = billing.list_products_of(service).await.result.expect("a list");
    assert_eq!((products.len(), products[0].id, products[0].rate), (1, created, Some(product(service, 11).rate)));
    let found = billing.find_services(RevCustomerId(5), &["15551230000".to_owned()]).await.result.expect("a list");
    assert_eq!((found.len(), found[0].id, found[0].activated_date), (1, service, Some(today())));

    let bundled = create(&billing, Some(3)).await.result.expect("created");
    assert_eq!(billing.list_products_of(bundled).await.result.expect("a list")[0].package_id, Some(3));

    let permit = billing.account().permit().await.expect("nothing speaks against it");
    assert_eq!(billing.disconnect_service_product(permit, created, today()).await.result, Ok(()));
    let permit = billing.account().permit().await.expect("nothing speaks against it");
    assert_eq!(billing.disconnect_service(permit, service, today()).await.result, Ok(()));
    let gone = billing.find_service(service).await.result.expect("an answer").expect("it is there");
    assert!(gone.disconnected_date.is_some());
    assert_eq!(billing.find_service(RevServiceId(999_999)).await.result, Ok(None));

    assert_eq!(billing.find_customer(RevCustomerId(5)).await.result.expect("a list").expect("it is there").name, "Acme");
    assert!(!billing.find_product(12).await.result.expect("a list").expect("it is there").is_active);
    assert_eq!(billing.find_package(3).await.result.expect("a list").expect("it is there").products, 1);
    assert!(billing.find_provider(7).await.result.expect("a list").is_some());
    assert!(billing.find_service_type(8).await.result.expect("a list").is_some());
    assert_eq!(billing.list_customers(Some(today()), 1).await.result.expect("a page").records.len(), 1);
    assert_eq!(billing.list_services(1).await.result.expect("a page").records.len(), 2);
    assert!(!billing.list_service_products(1).await.result.expect("a page").has_more);
    let summary = simulator.ledger().summary();
    assert_eq!((summary.wrong_requests, summary.wrong_texts), (0, Vec::<String>::new()));
}

#[tokio::test(start_paused = true)]
async fn filters_that_match_in_part_find_the_whole_number_alone() {
    let (simulator, billing) = connected();
    simulator.adjust(|options| options.open_parts.number_filter = NumberFilter::Part);
    for number in ["100", "1001", "2100"] {
        simulator.add_service(Service::new(5, number, ""));
    }
    let found = billing.find_services(RevCustomerId(5), &["100".to_owned()]).await.result.expect("a list");
    assert_eq!(found.iter().map(|service| service.number.as_deref()).collect::<Vec<_>>(), [Some("100")]);
}

#[tokio::test(start_paused = true)]
async fn what_a_create_says_is_never_more_than_the_ledger_holds() {
    for fault in Fault::ALL {
        let (simulator, billing) = connected();
        simulator.meet_next_on("POST /Services", fault);
        let result = create(&billing, None).await.result;
        // Until all that works late has worked.
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let in_ledger = simulator.ledger().summary().services;
        match result {
            Ok(_) => assert_eq!(in_ledger, 1, "{fault:?}"),
            Err(CallError::Ambiguous(_)) => assert!(in_ledger <= 1, "{fault:?}"),
            Err(CallError::NotNow(_)) => assert_eq!(in_ledger, 0, "{fault:?}"),
            Err(error) => panic!("{fault:?}: {error}"),
        }
        let is_throttling = matches!(fault, Fault::Throttled | Fault::ThrottledInWords);
        assert_eq!(matches!(result, Err(CallError::NotNow(_))), is_throttling, "{fault:?}: {result:?}");
        assert_eq!(result.is_ok(), fault == Fault::SearchLags, "{fault:?}: {result:?}");
        // A read gets through every one of them.
        simulator.meet_next(fault);
        assert!(billing.find_services(RevCustomerId(5), &["15551230000".to_owned()]).await.result.is_ok(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_apart() {
    let (simulator, billing) = connected();
    let service = create(&billing, None).await.result.expect("created");
    let permit = billing.account().permit().await.expect("nothing speaks against it");
    let inactive = billing.create_service_product(permit, &product(service, 12)).await.result;
    // Some of its refusals say nothing, and are then none.
    assert!(matches!(inactive, Err(CallError::Rejected { status: 400, .. }) | Err(CallError::Ambiguous(_))), "{inactive:?}");
    simulator.refuse_credentials(true);
    assert!(matches!(billing.test_connection().await.result, Err(CallError::Unauthorized { status: 401, .. })));
}
