//! Every line that is refused alone (B4.6): its row in ERROR with the reason, a log entry, and the others go on.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::RevCustomerId;
use lineshift_engine::Clock as _;
use lineshift_store::catalogue::RevCustomer;
use lineshift_store::import::{ImportDevice, ImportRevProduct, ImportRevService};
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::{Operator, iccid, number};
use serde_json::{Value, json};

/// Lines 1 and 2 are good; 3 is archived, 4 not active, 5 at another carrier, 6 billed to another customer; 7 and 8 share
/// a number.
async fn fleet() -> TestApp {
    let app = TestApp::with_lines(8).await;
    let operator = &app.operator;
    let archived = ImportDevice { is_archived: true, ..operator.line(operator.jasper, 3, "ACTIVATED") };
    let inactive = operator.line(operator.jasper, 4, "DEACTIVATED");
    let elsewhere = operator.line(operator.telegence, 5, "A");
    let twin = ImportDevice { subscriber_number: Some(number(7)), ..operator.line(operator.jasper, 8, "ACTIVATED") };
    operator.import(&[archived, inactive, elsewhere, twin]).await;
    bill_to_other(operator, 6).await;
    app
}

async fn bill_to_other(operator: &Operator, line: u64) {
    let other = RevCustomer {
        id: RevCustomerId(4_712),
        name: "Other Fleet".to_owned(),
        integration_authentication_id: operator.authentication,
        is_active: true,
    };
    operator.store.create_rev_customer(operator.tenant(), &other, operator.clock.now()).await.expect("a customer");
    let service = ImportRevService {
        rev_customer_id: other.id,
        rev_service_id: 77,
        iccid: Some(iccid(line)),
        number: Some(number(line)),
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: "2025-03-15T00:00:00Z".parse::<DateTime<Utc>>().ok(),
        disconnected_date: None,
        has_package: false,
        products: vec![ImportRevProduct {
            rev_service_product_id: 78,
            rev_product_id: 5,
            rate: None,
            quantity: None,
            status: "ACTIVE".to_owned(),
            description: None,
        }],
    };
    let done = operator.store.import_rev_services(operator.tenant(), &[service], operator.clock.now()).await.expect("imported");
    assert!(done.refused.is_empty(), "{:?}", done.refused);
}

/// One line a row: the line, its status, and why.
fn shown(rows: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let row = |row: &Value| {
        let line = if row["iccid"].is_null() { &row["number"] } else { &row["iccid"] };
        format!(
            "{} {} {} {} {}",
            row["request_position"],
            text(line),
            text(&row["status"]),
            text(&row["error_kind"]),
            text(&row["error_code"])
        )
    };
    rows["items"].as_array().expect("rows").iter().map(row).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn each_rule_refuses_its_lines_and_the_others_go_on() {
    let app = fleet().await;
    let orderer = app.orderer().await;
    let mut devices: Vec<String> = (1..=6).map(iccid).collect();
    devices.extend(["8944".to_owned(), iccid(99)]);
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": devices, "RevCustomerId": "4711"});
    let answer = orderer.post("/M2M/AssociateCustomer", &body).await;
    insta::assert_snapshot!(answer.text(), @r#"{"Success":true,"BulkChangeId":1,"Accepted":2,"Rejected":6,"Duplicates":0}"#);
    app.operator.run_until_idle().await;
    insta::assert_snapshot!(shown(&orderer.read("/api/v1/bulk-changes/1/devices").await), @r#"
    0 89445000000000000017 PROCESSED - -
    1 89445000000000000027 PROCESSED - -
    2 89445000000000000037 ERROR ELIGIBILITY device_archived
    3 89445000000000000047 ERROR ELIGIBILITY device_not_active
    4 89445000000000000057 ERROR ELIGIBILITY wrong_service_provider
    5 89445000000000000067 ERROR CONFLICT active_service_line
    6 8944 ERROR VALIDATION invalid_iccid
    7 89445000000000000997 ERROR ELIGIBILITY device_not_found
    "#);
    insta::assert_json_snapshot!(orderer.read("/api/v1/bulk-changes/1").await["errors"], @r#"
    [
      {
        "code": "active_service_line",
        "count": 1,
        "kind": "CONFLICT"
      },
      {
        "code": "device_archived",
        "count": 1,
        "kind": "ELIGIBILITY"
      },
      {
        "code": "device_not_active",
        "count": 1,
        "kind": "ELIGIBILITY"
      },
      {
        "code": "device_not_found",
        "count": 1,
        "kind": "ELIGIBILITY"
      },
      {
        "code": "invalid_iccid",
        "count": 1,
        "kind": "VALIDATION"
      },
      {
        "code": "wrong_service_provider",
        "count": 1,
        "kind": "ELIGIBILITY"
      }
    ]
    "#);

    let refused = orderer.read("/api/v1/bulk-changes/1/devices?code=device_archived").await;
    let row = refused["items"][0]["id"].as_i64().expect("an id");
    let log = orderer.read(&format!("/api/v1/bulk-changes/1/log?device_change_id={row}")).await;
    assert_eq!(log["items"].as_array().map(Vec::len), Some(1), "a refused line has its log entry");
    assert_eq!(log["items"][0]["has_errors"], true);
}

#[tokio::test]
async fn numbers_are_judged_too() {
    let app = fleet().await;
    let orderer = app.orderer().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Numbers": [number(1), number(7), "12345", number(99)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    assert_eq!(orderer.post("/Mobility/BulkChange", &body).await.status, 202);
    app.operator.run_until_idle().await;
    insta::assert_snapshot!(shown(&orderer.read("/api/v1/bulk-changes/1/devices").await), @r#"
    0 89445000000000000017 PROCESSED - -
    1 15550000007 ERROR ELIGIBILITY number_ambiguous
    2 12345 ERROR VALIDATION invalid_number
    3 15550000099 ERROR ELIGIBILITY device_not_found
    "#);
}

#[tokio::test]
async fn of_two_orders_the_later_finds_the_line_held() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "ChangeType": 4, "ProcessChanges": false,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    assert_eq!(orderer.post("/M2M/BulkChange", &body).await.json()["Accepted"], 1);
    let second = orderer.post("/M2M/BulkChange", &body).await.json();
    assert_eq!((&second["Accepted"], &second["Rejected"]), (&json!(0), &json!(1)));
    let rows = orderer.read("/api/v1/bulk-changes/2/devices").await;
    assert_eq!(rows["items"][0]["error_code"], "change_in_progress");
    assert_eq!(orderer.read("/api/v1/bulk-changes/2").await["status"], "ERROR");
}

#[tokio::test]
async fn an_allocation_is_checked_against_the_plan_of_the_line() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    let order = |devices: Value, update: Value| json!({"ServiceProviderId": app.operator.jasper.0, "Devices": devices, "ChangeType": 4, "CustomerRatePlanUpdate": update});
    orderer.post("/M2M/BulkChange", &order(json!([iccid(1)]), json!({"CustomerRatePlanId": app.operator.plan.0}))).await;
    app.operator.run_until_idle().await;
    let body = order(json!([iccid(1), iccid(2)]), json!({"CustomerDataAllocationMB": 5000}));
    assert_eq!(orderer.post("/M2M/BulkChange", &body).await.json()["Rejected"], 1);
    let rows = orderer.read("/api/v1/bulk-changes/2/devices?status=ERROR").await;
    assert_eq!(
        (&rows["items"][0]["iccid"], &rows["items"][0]["error_code"]),
        (&json!(iccid(1)), &json!("allocation_over_bound"))
    );
}

#[tokio::test]
async fn a_line_that_stands_as_asked_is_done_without_history() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": app.operator.amop_site.0});
    for _ in 0..2 {
        orderer.post("/M2M/AssociateCustomer", &body).await;
        app.operator.run_until_idle().await;
    }
    let rows = orderer.read("/api/v1/bulk-changes/2/devices").await;
    assert_eq!(rows["items"][0]["status"], "PROCESSED");
    assert_eq!(orderer.read("/api/v1/devices/1/history").await["items"].as_array().map(Vec::len), Some(1));
    let valid = json!({
        "ServiceProviderId": app.operator.jasper.0, "ChangeType": 1, "Devices": [iccid(1)],
        "AssociateCustomerRequest": {"SiteId": app.operator.amop_site.0},
    });
    assert_eq!(orderer.post("/M2M/ValidateBulkChange", &valid).await.json()["Devices"][0]["Verdict"], "already_so");
}

#[tokio::test]
async fn lines_are_read_through_blanks_separators_and_marks_but_not_through_lost_digits() {
    let app = TestApp::with_lines(4).await;
    let orderer = app.orderer().await;
    let spaced = |line: u64| iccid(line).chars().map(|digit| format!("{digit} ")).collect::<String>();
    let devices = json!([
        format!("\u{feff}{}", iccid(1)),
        spaced(2),
        format!(" {}\u{a0}\t", iccid(3)),
        format!("'{}'", iccid(4)),
        "8.94450E+19",
        "8.9445e19",
        "",
        "89445000000000000017x",
        iccid(1),
    ]);
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": devices, "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    let answer = orderer.post("/M2M/BulkChange", &body).await;
    insta::assert_snapshot!(answer.text(), @r#"{"Success":true,"BulkChangeId":1,"Accepted":4,"Rejected":4,"Duplicates":1}"#);
    app.operator.run_until_idle().await;
    insta::assert_snapshot!(shown(&orderer.read("/api/v1/bulk-changes/1/devices").await), @r#"
    0 89445000000000000017 PROCESSED - -
    1 89445000000000000027 PROCESSED - -
    2 89445000000000000037 PROCESSED - -
    3 89445000000000000047 PROCESSED - -
    4 8.94450E+19 ERROR VALIDATION invalid_iccid
    5 8.9445e19 ERROR VALIDATION invalid_iccid
    6  ERROR VALIDATION invalid_iccid
    7 89445000000000000017x ERROR VALIDATION invalid_iccid
    "#);
}

#[tokio::test]
async fn a_million_lines_are_judged_in_one_request() {
    let app = TestApp::with_lines(1_000).await;
    let orderer = app.orderer().await;
    let devices: Vec<String> = (0..1_000_000).map(iccid).collect();
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": devices, "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    let answer = orderer.post("/M2M/ValidateBulkChange", &body).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().starts_with(r#"{"Success":true,"Accepted":1000,"Rejected":999000,"Duplicates":0,"Devices":[{"#));
    assert!(answer.text().ends_with("}]}"));
}

#[tokio::test]
async fn the_same_line_many_times_counts_once() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let devices = vec![iccid(1); 1_000_000];
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": devices, "SiteId": app.operator.amop_site.0});
    let answer = orderer.post("/M2M/AssociateCustomer", &body).await;
    assert_eq!(answer.json(), json!({"Success": true, "BulkChangeId": 1, "Accepted": 1, "Rejected": 0, "Duplicates": 999_999}));
}
