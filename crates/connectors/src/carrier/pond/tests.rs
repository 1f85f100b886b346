//! POND against a script, on tokio's paused clock.

mod as_carrier;
mod refusals;

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::CallError;
use crate::http::test_kit::{Does, Script, account, limits};
use crate::http::{AccountLimits, HeaderName};

const ICCID: &str = "89012603142146561234";

fn iccid() -> IccId {
    ICCID.parse().expect("an ICCID")
}

fn gold() -> PackageTypeId {
    "GOLD-1".parse().expect("an id")
}

fn credentials(header: &str) -> PondCredentials {
    PondCredentials {
        api_key: SecretString::from("pond/key-1"),
        header: HeaderName::find(header).expect("a header's name"),
        distributor_id: "d-1".parse().expect("an id"),
        inventory_id: None,
    }
}

fn client(script: &Arc<Script>) -> PondClient {
    client_that_tries(1, script)
}

fn client_that_tries(attempts: u32, script: &Arc<Script>) -> PondClient {
    let (account, _) = account(AccountLimits { attempts, ..limits() }, script);
    PondClient::new(account, "https://billing.example/v1/", credentials("X-Api-Key"))
}

fn answers(bodies: &[Value]) -> Arc<Script> {
    Script::new(bodies.iter().map(|body| Does::answer(200, &body.to_string())), Does::answer(500, "the script is at its end"))
}

fn list(total: usize, offset: usize, elements: &[Value]) -> Value {
    json!({ "total": total, "offset": offset, "count": elements.len(), "elements": elements })
}

async fn permit(client: &PondClient) -> Permit {
    client.account().permit().await.expect("nothing speaks against it")
}

async fn add(client: &PondClient) -> Called<PondPackage> {
    client.add_package(permit(client).await, &iccid(), &gold()).await
}

#[tokio::test(start_paused = true)]
async fn a_sim_is_read_below_the_distributor_with_the_key_in_its_header() {
    let sim = json!({
        "iccid": ICCID, "status": "In-Service", "simDataServiceStatus": "ENABLED", "simVoiceServiceStatus": "disabled",
        "msisdn": 15551230000_u64, "imsi": "310410000000001", "label": null
    });
    let script = answers(&[sim.clone(), sim, json!({ "iccid": ICCID })]);
    let called = client(&script).find_sim(&iccid()).await;
    let expected = PondSim {
        iccid: iccid(),
        status: Some("In-Service".to_owned()),
        data: Some(ServiceStatus::Enabled),
        voice: Some(ServiceStatus::Disabled),
        sms: None,
        msisdn: Some("15551230000".to_owned()),
        imsi: Some("310410000000001".to_owned()),
        imei: None,
    };
    assert_eq!(called.result, Ok(Some(expected)));
    assert_eq!(called.exchange.request, format!("GET /v1/d-1/sim/{ICCID}"));
    let (account, _) = account(limits(), &script);
    let other = PondClient::new(account, "https://billing.example/v1", credentials("X-Pond-Token"));
    assert!(other.find_sim(&iccid()).await.result.is_ok());
    let headers = script.seen().into_iter().map(|seen| seen.headers);
    for (headers, name) in headers.zip(["x-api-key", "x-pond-token"]) {
        let keys: Vec<_> = headers.iter().filter(|(_, value)| value == "pond/key-1").map(|(name, _)| *name).collect();
        assert_eq!(keys, [name]);
    }
    assert!(other.find_sim(&iccid()).await.result.expect("an ICCID is enough").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_sim_that_is_not_that_sim_is_no_answer() {
    for (body, expected) in [
        (json!({ "status": "In-Service" }), "missing field `iccid`"),
        (json!({ "iccid": "89012603142146561235" }), "it answers 89012603142146561235"),
        (json!({ "iccid": 7 }), "an ICCID is 18 to 22 digits"),
        (json!({ "iccid": ICCID, "simDataServiceStatus": "PAUSED" }), "expected ENABLED or DISABLED"),
        (json!({ "iccid": ICCID, "msisdn": "1".repeat(256) }), "more than 255 characters"),
        (json!([{ "iccid": ICCID }]), "answered 200 that cannot be used"),
    ] {
        let called = client(&answers(&[body])).find_sim(&iccid()).await;
        let Err(CallError::Unavailable(text)) = &called.result else { panic!("{expected}: {:?}", called.result) };
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_set_is_sent_whole_and_done_is_204() {
    let script = Script::new([], Does::answer(204, ""));
    let client = client(&script);
    let services = PondServices { data: ServiceStatus::Enabled, ..PondServices::all(ServiceStatus::Disabled) };
    assert_eq!(client.set_services(permit(&client).await, &iccid(), services).await.result, Ok(()));
    let package: PackageId = "p-7".parse().expect("an id");
    for status in [PackageStatus::Active, PackageStatus::Terminated] {
        assert_eq!(client.set_package_status(permit(&client).await, &package, status).await.result, Ok(()));
    }
    let seen: Vec<_> = script.seen().into_iter().map(|seen| (seen.line, seen.body.expect("a body"))).collect();
    let services = r#"{"simDataServiceStatus":"ENABLED","simVoiceServiceStatus":"DISABLED","simSmsServiceStatus":"DISABLED"}"#;
    let expected = [
        (format!("POST /d-1/sim/{ICCID}/status"), services.to_owned()),
        ("POST /d-1/package/p-7/status".to_owned(), r#"{"packageStatus":"ACTIVE"}"#.to_owned()),
        ("POST /d-1/package/p-7/status".to_owned(), r#"{"packageStatus":"TERMINATED"}"#.to_owned()),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test(start_paused = true)]
async fn an_added_package_is_read_under_either_name() {
    for (status, body) in [
        (200, json!({ "packageId": "p-7", "packageTypeId": "GOLD-1", "packageStatus": "INACTIVE", "iccid": ICCID })),
        (201, json!({ "id": "p-7", "packageType": { "id": "GOLD-1", "name": "Gold" }, "status": "INACTIVE", "price": 1.5 })),
    ] {
        let script = Script::new([], Does::answer(status, &body.to_string()));
        let added = add(&client(&script)).await.result.expect("a package");
        assert_eq!((added.id.as_str(), added.package_type_id.as_ref(), added.is_active()), ("p-7", Some(&gold()), false));
        assert_eq!(script.lines(), [format!("POST /d-1/sim/{ICCID}/addPackage")]);
        assert_eq!(script.seen()[0].body.as_deref(), Some(r#"{"packageTypeId":"GOLD-1"}"#));
    }
}

#[tokio::test(start_paused = true)]
async fn packages_of_a_sim_are_read_to_the_end_and_each_once() {
    let package = |id: u32, status: &str| json!({ "packageId": id, "packageTypeId": "GOLD-1", "packageStatus": status });
    let first: Vec<Value> = (0..100).map(|id| package(100 + id, "TERMINATED")).collect();
    let second = [package(199, "TERMINATED"), package(200, "active"), package(201, "SUSPENDED")];
    let script = answers(&[list(103, 0, &first), list(103, 100, &second), list(0, 0, &[])]);
    let client = client(&script);
    let called = client.list_packages(&iccid()).await;
    let packages = called.result.expect("two pages").expect("the SIM is there");
    let active: Vec<&str> = packages.iter().filter(|package| package.is_active()).map(|package| package.id.as_str()).collect();
    assert_eq!((packages.len(), active), (102, vec!["200"]));
    assert_eq!(called.exchange.request.lines().count(), 2, "both calls are in the log");
    assert_eq!(client.list_packages(&iccid()).await.result, Ok(Some(Vec::new())));
    script.rest(Does::answer(404, r#"{"status":404,"code":"E1","message":"no such SIM"}"#));
    assert_eq!(client.list_packages(&iccid()).await.result, Ok(None));
    let path = format!("GET /d-1/sim/{ICCID}/package/infos?offset=");
    assert_eq!(script.lines()[..2], [format!("{path}0&count=100"), format!("{path}100&count=100")]);
}

#[tokio::test(start_paused = true)]
async fn hostile_packages_and_pages_are_no_answer() {
    let fine = json!({ "packageId": "p-1", "packageStatus": "ACTIVE" });
    for (body, expected) in [
        (list(1, 0, &[json!({ "packageStatus": "ACTIVE" })]), "missing field `packageId`"),
        (list(1, 0, &[json!({ "packageId": "../p", "packageStatus": "ACTIVE" })]), "packageId: an id at POND"),
        (list(1, 0, &[json!({ "packageId": "p-1", "packageTypeId": "a b" })]), "packageTypeId: an id at POND"),
        (list(1, 0, &[json!({ "packageId": "p-1", "id": "p-2" })]), "packageId and id differ"),
        (list(1, 0, &[json!({ "packageId": "p-1", "packageStatus": "ACTIVE", "status": "TERMINATED" })]), "differ"),
        (list(1, 0, &[json!({ "packageId": "p-1", "iccid": "89012603142146561235" })]), "it answers 89012603142146561235"),
        (list(9, 0, &[]), "an empty page is not the end of 9"),
        (list(9, 7, std::slice::from_ref(&fine)), "it answers offset 7"),
        (list(101, 0, &vec![fine.clone(); 101]), "101 elements where 100 were asked for"),
        (json!({ "elements": [] }), "missing field `total`"),
        (json!({ "total": 0 }), "missing field `elements`"),
        (json!({ "total": -1, "elements": [] }), "total"),
        (json!({ "total": 1, "elements": {} }), "elements"),
        (json!([fine]), "expected an object"),
    ] {
        let called = client(&answers(&[body])).list_packages(&iccid()).await;
        let Err(CallError::Unavailable(text)) = &called.result else { panic!("{expected}: {:?}", called.result) };
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

/// Other answers to what is not known.
struct OneByOne;

impl OpenPoints for OneByOne {
    fn sims_path(&self) -> &str {
        "/inventory/i-1/sims"
    }

    fn page_size(&self) -> usize {
        1
    }
}

#[tokio::test(start_paused = true)]
async fn sims_are_listed_from_an_offset_and_open_points_can_be_replaced() {
    let sim = json!({ "iccid": ICCID, "status": "In-Service" });
    let script = answers(&[list(3, 1, std::slice::from_ref(&sim)), list(3, 2, std::slice::from_ref(&sim))]);
    let by_default = client(&script);
    let batch = by_default.list_sims(1).await.result.expect("a page");
    assert_eq!((batch.records.len(), batch.has_more), (1, true));
    let replaced = client(&script).with_open_points(Arc::new(OneByOne));
    assert!(!replaced.list_sims(2).await.result.expect("a page").has_more);
    assert_eq!(script.lines(), ["GET /d-1/sim?offset=1&count=100", "GET /d-1/inventory/i-1/sims?offset=2&count=1"]);
}

#[tokio::test(start_paused = true)]
async fn package_types_are_read_to_the_end() {
    let first = json!({ "packageTypeId": "GOLD-1", "name": "Gold" });
    let second = json!({ "id": 17 });
    let script = answers(&[list(2, 0, &[first]), list(2, 1, &[second]), list(1, 0, &[json!({ "name": "Gold" })])]);
    let client = client(&script);
    let inventory: InventoryId = "i-1".parse().expect("an id");
    let types = client.list_package_types(&inventory).await.result.expect("two pages");
    let told: Vec<_> = types.iter().map(|package_type| (package_type.id.as_str(), package_type.name.as_deref())).collect();
    assert_eq!(told, [("GOLD-1", Some("Gold")), ("17", None)]);
    let path = "GET /d-1/inventory/i-1/packageTypes?offset=";
    assert_eq!(script.lines(), [format!("{path}0&count=100"), format!("{path}1&count=100")]);
    let called = client.list_package_types(&inventory).await;
    assert!(matches!(&called.result, Err(CallError::Unavailable(text)) if text.contains("missing field `packageTypeId`")));
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_is_given_up() {
    let mut offset = 0;
    let pages = std::iter::from_fn(|| {
        let page = list(usize::MAX, offset, &[json!({ "id": offset })]);
        offset += 1;
        Some(Does::answer(200, &page.to_string()))
    });
    let script = Script::new(pages.take(1_001), Does::answer(500, "the script is at its end"));
    let (account, _) = account(AccountLimits { calls_a_minute: 1_000_000, ..limits() }, &script);
    let client = PondClient::new(account, "https://billing.example/v1", credentials("x-api-key"));
    let called = client.list_package_types(&"i-1".parse().expect("an id")).await;
    assert!(matches!(&called.result, Err(CallError::Unavailable(text)) if text.contains("goes on")), "{:?}", called.result);
    assert_eq!(script.seen().len(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_tested_with_a_page_of_sims() {
    let script = answers(&[list(0, 0, &[])]);
    let client = client(&script);
    assert_eq!(client.test_connection().await.result, Ok(()));
    assert_eq!(script.lines(), ["GET /d-1/sim?offset=0&count=100"]);
    script.rest(Does::answer(200, r#"{"status":401,"code":"E2","message":"who?"}"#));
    assert!(matches!(client.test_connection().await.result, Err(CallError::Unauthorized { .. })));
    script.rest(Does::answer(403, ""));
    assert!(matches!(client.test_connection().await.result, Err(CallError::Unauthorized { status: 403, .. })));
}
