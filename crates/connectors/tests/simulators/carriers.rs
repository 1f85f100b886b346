//! Jasper and POND.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lineshift_connectors::CallError;
use lineshift_connectors::carrier::IccId;
use lineshift_connectors::carrier::jasper::{JasperAssignment, JasperClient, JasperCredentials, JasperStatus, STATED_LIMITS};
use lineshift_connectors::carrier::pond::{
    DEFAULT_HEADER, PackageStatus, PondClient, PondCredentials, PondPackage, PondServices, ServiceStatus,
};
use lineshift_connectors::http::Permit;
use lineshift_simulators::Fault;
use lineshift_simulators::jasper::{JasperOptions, JasperSimulator};
use lineshift_simulators::pond::{PondOptions, PondSimulator};
use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::{ADDRESS, account_of, clock};

fn iccid(text: &str) -> IccId {
    text.parse().expect("an ICCID")
}

fn device() -> IccId {
    iccid("8901000000000000001")
}

fn sim() -> IccId {
    iccid("8944000000000000001")
}

fn jasper() -> (Arc<JasperSimulator>, JasperClient) {
    let clock = clock();
    let simulator = JasperSimulator::new(JasperOptions::new("user", "key").with_stated_limits(), Arc::clone(&clock));
    simulator.with_examples(120);
    let account = account_of(&simulator, &clock, STATED_LIMITS.concurrency);
    let account = account.with_calls_a_second(STATED_LIMITS.calls_a_second.expect("it is stated"));
    let credentials = JasperCredentials { user: "user".to_owned(), api_key: SecretString::from("key") };
    (simulator, JasperClient::new(account, &format!("{ADDRESS}/rws/api/v1"), credentials))
}

fn pond() -> (Arc<PondSimulator>, PondClient) {
    let clock = clock();
    let simulator = PondSimulator::new(PondOptions::new("42", "0123456789abcdef"), Arc::clone(&clock));
    simulator.with_examples(230);
    let credentials = PondCredentials {
        api_key: SecretString::from("0123456789abcdef"),
        header: DEFAULT_HEADER,
        distributor_id: "42".parse().expect("an id"),
        inventory_id: None,
    };
    let account = account_of(&simulator, &clock, 10);
    (simulator, PondClient::new(account, ADDRESS, credentials))
}

async fn granted(account: &lineshift_connectors::http::Account) -> Permit {
    account.permit().await.expect("nothing speaks against it")
}

#[tokio::test(start_paused = true)]
async fn every_call_to_jasper_fits_its_description() {
    let (simulator, client) = jasper();
    client.test_connection().await.result.expect("the credentials work");
    let plans = client.list_rate_plans().await.result.expect("plans");
    assert!(plans.iter().any(|plan| plan.name == "Tracker"), "{plans:?}");
    let to_tracker = JasperAssignment::to_rate_plan("Tracker");
    client.assign(granted(client.account()).await, &device(), &to_tracker).await.result.expect("assigned");
    let stop = JasperAssignment::to_status(JasperStatus::Deactivated);
    client.assign(granted(client.account()).await, &device(), &stop).await.result.expect("assigned");
    let found = client.find_device(&device()).await.result.expect("read").expect("it is there");
    assert_eq!(
        (found.rate_plan.as_deref(), JasperStatus::find(&found.status)),
        (Some("Tracker"), Some(JasperStatus::Deactivated))
    );
    let trail = client.list_audit_trail(&device(), 1).await.result.expect("read").expect("it is there");
    assert_eq!(trail.len(), 2, "{trail:?}");
    client.find_usage(&device()).await.result.expect("read").expect("it is there");
    assert_eq!(client.find_device(&iccid("8901999999999999999")).await.result, Ok(None));
    let since: DateTime<Utc> = "2026-10-01T00:00:00Z".parse().expect("a moment");
    let (mut page, mut listed) = (1, 0);
    loop {
        let batch = client.list_devices(since, page).await.result.expect("a page");
        listed += batch.records.len();
        if !batch.has_more {
            break;
        }
        page += 1;
    }
    assert_eq!((listed, page), (120, 3));
    let traffic = simulator.ledger().summary().traffic;
    assert_eq!((traffic.wrong_requests, traffic.throttled, traffic.most_at_once), (0, 0, 1), "{:?}", traffic.wrong_texts);
}

#[tokio::test(start_paused = true)]
async fn jasper_is_called_five_times_a_second_and_no_more() {
    let (simulator, client) = jasper();
    simulator.adjust(|options| options.latency = Duration::from_millis(50));
    let (client, started) = (Arc::new(client), Instant::now());
    let mut calls = JoinSet::new();
    for number in 1..=100 {
        let (client, iccid) = (Arc::clone(&client), iccid(&(8_901_000_000_000_000_000_u64 + number).to_string()));
        calls.spawn(async move { client.find_device(&iccid).await.result.expect("read").expect("it is there") });
    }
    assert_eq!(calls.join_all().await.len(), 100);
    let rate = 100.0 / started.elapsed().as_secs_f64();
    assert!((4.5..=5.1).contains(&rate), "{rate} calls a second");
    assert_eq!(simulator.ledger().summary().traffic.throttled, 0);
}

#[tokio::test(start_paused = true)]
async fn an_assignment_of_which_nobody_heard_may_be_sent_again() {
    for fault in
        [Fault::WorksThenSilence, Fault::WorksThenReset, Fault::WorksThenEmpty, Fault::WorksThenHtml, Fault::WorksThenXml]
    {
        let (simulator, client) = jasper();
        simulator.meet_next(fault);
        let to_tracker = JasperAssignment::to_rate_plan("Tracker");
        let told = client.assign(granted(client.account()).await, &device(), &to_tracker).await.result;
        assert!(matches!(told, Err(CallError::Ambiguous(_))), "{fault:?}: {told:?}");
        client.assign(granted(client.account()).await, &device(), &to_tracker).await.result.expect("assigned");
        let found = client.find_device(&device()).await.result.expect("read").expect("it is there");
        assert_eq!(found.rate_plan.as_deref(), Some("Tracker"), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn jasper_throttles_by_its_code_whatever_the_status() {
    for status in [429, 400, 200] {
        let (simulator, client) = jasper();
        simulator.adjust(|options| options.throttled_status = status).meet_next(Fault::Throttled);
        let to_tracker = JasperAssignment::to_rate_plan("Tracker");
        let told = client.assign(granted(client.account()).await, &device(), &to_tracker).await.result;
        assert!(matches!(told, Err(CallError::NotNow(_))), "{status}: {told:?}");
        assert_eq!(simulator.ledger().summary().assignments, 0, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn jasper_refuses_an_unknown_plan_and_wrong_credentials_clearly() {
    let (simulator, client) = jasper();
    let to_nobodys = JasperAssignment::to_rate_plan("Nobody's");
    let told = client.assign(granted(client.account()).await, &device(), &to_nobodys).await.result;
    assert!(matches!(told, Err(CallError::Rejected { .. })), "{told:?}");
    simulator.refuse_credentials(true);
    let told = client.find_device(&device()).await.result;
    assert!(matches!(told, Err(CallError::Unauthorized { .. })), "{told:?}");
}

/// The way of a carrier plan change: read, add, activate, terminate the old one.
#[tokio::test(start_paused = true)]
async fn every_call_to_pond_fits_its_description() {
    let (simulator, client) = pond();
    client.test_connection().await.result.expect("the credentials work");
    let types = client.list_package_types(&"main".parse().expect("an id")).await.result.expect("types");
    let tracker = types.iter().find(|kind| kind.name.as_deref() == Some("Tracker")).expect("it is there").id.clone();
    let before = packages(&client).await;
    let added = client.add_package(granted(client.account()).await, &sim(), &tracker).await.result.expect("added");
    for (package, status) in [(&added, PackageStatus::Active), (&before[0], PackageStatus::Terminated)] {
        client.set_package_status(granted(client.account()).await, &package.id, status).await.result.expect("set");
    }
    let active: Vec<_> = packages(&client).await.into_iter().filter(PondPackage::is_active).map(|package| package.id).collect();
    assert_eq!(active, [added.id]);
    let disabled = PondServices::all(ServiceStatus::Disabled);
    client.set_services(granted(client.account()).await, &sim(), disabled).await.result.expect("set");
    let found = client.find_sim(&sim()).await.result.expect("read").expect("it is there");
    assert_eq!((found.data, found.sms), (Some(ServiceStatus::Disabled), Some(ServiceStatus::Disabled)));
    assert_eq!(client.find_sim(&iccid("8944999999999999999")).await.result, Ok(None));
    let mut listed = 0;
    loop {
        let batch = client.list_sims(listed).await.result.expect("a page");
        listed += batch.records.len();
        if !batch.has_more {
            break;
        }
    }
    assert_eq!(listed, 230);
    let traffic = simulator.ledger().summary().traffic;
    assert_eq!(traffic.wrong_requests, 0, "{:?}", traffic.wrong_texts);
}

async fn packages(client: &PondClient) -> Vec<PondPackage> {
    client.list_packages(&sim()).await.result.expect("read").expect("it is there")
}

/// `addPackage` makes one each time: what nobody heard of is never taken for a failure or a success (B7.3).
#[tokio::test(start_paused = true)]
async fn a_package_of_which_nobody_heard_is_ambiguous_and_found_by_reading() {
    for fault in
        [Fault::WorksThenSilence, Fault::WorksThenReset, Fault::WorksThenEmpty, Fault::WorksThenHtml, Fault::WorksThenXml]
    {
        let (simulator, client) = pond();
        let before = packages(&client).await.len();
        simulator.meet_next(fault);
        let tracker = "103".parse().expect("an id");
        let told = client.add_package(granted(client.account()).await, &sim(), &tracker).await.result;
        assert!(matches!(told, Err(CallError::Ambiguous(_))), "{fault:?}: {told:?}");
        let now = packages(&client).await;
        assert_eq!((now.len(), &now[before].package_type_id), (before + 1, &Some(tracker)), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_inside_a_success_of_pond_is_that_error() {
    let (simulator, client) = pond();
    simulator.adjust(|options| options.errors_inside_successes = true);
    let told = client.add_package(granted(client.account()).await, &sim(), &"999".parse().expect("an id")).await.result;
    assert!(matches!(told, Err(CallError::Rejected { .. } | CallError::NotFound { .. })), "{told:?}");
    assert_eq!(simulator.ledger().summary().added_packages, 0);
}

#[tokio::test(start_paused = true)]
async fn what_pond_failed_at_is_never_taken_for_success() {
    for fault in [Fault::Fails500, Fault::Fails503, Fault::FailsInside, Fault::WorksThenUnreadable, Fault::WorksThenCut] {
        let (simulator, client) = pond();
        simulator.meet_next(fault);
        let told = client.add_package(granted(client.account()).await, &sim(), &"103".parse().expect("an id")).await.result;
        assert!(told.is_err(), "{fault:?}: {told:?}");
    }
}
