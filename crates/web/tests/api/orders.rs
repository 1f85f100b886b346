//! Orders that are accepted, on every path and portal (section 4).

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::{iccid, number};
use serde_json::json;

/// Orders an assignment of two lines, one of them named twice, and one that is not there.
async fn order_an_assignment(app: &TestApp, orderer: &HttpCaller) {
    let devices = [iccid(1), iccid(2), iccid(2), iccid(99)];
    let (provider, site) = (app.operator.jasper.0, app.operator.amop_site.0);
    let body = json!({"ServiceProviderId": provider, "Devices": devices, "SiteId": site, "Name": "December", "Reason": "moved"});
    let answer = orderer.post("/M2M/AssociateCustomer", &body).await;
    let headers = ["content-type", "location", "idempotency-replayed"].map(|name| answer.header(name));
    assert_eq!((answer.status, headers), (202, ["application/json", "/api/v1/bulk-changes/1", ""]));
    insta::assert_snapshot!(answer.text(), @r#"{"Success":true,"BulkChangeId":1,"Accepted":2,"Rejected":1,"Duplicates":1}"#);
}

#[tokio::test]
async fn an_assignment_is_stored_run_and_shown() {
    let app = TestApp::with_lines(3).await;
    let orderer = app.orderer().await;
    order_an_assignment(&app, &orderer).await;
    app.operator.run_until_idle().await;
    insta::assert_json_snapshot!(orderer.read("/api/v1/bulk-changes/1").await, @r#"
    {
      "attempt": 1,
      "begun_at": "2026-12-01T09:00:00Z",
      "canceled_at": null,
      "change_type": 1,
      "change_type_name": "CustomerAssignment",
      "counts": {
        "canceled": 0,
        "duplicates": 1,
        "error": 1,
        "open": 0,
        "processed": 2,
        "rejected": 1,
        "scheduled_failed": 0,
        "total": 3
      },
      "created_at": "2026-12-01T09:00:00Z",
      "created_by": "orderer",
      "errors": [
        {
          "code": "device_not_found",
          "count": 1,
          "kind": "ELIGIBILITY"
        }
      ],
      "estimate": null,
      "held": false,
      "id": 1,
      "identifier": "iccid",
      "name": "December",
      "order": {
        "assignment": {
          "account_number": null,
          "carrier_rate_plan": null,
          "customer_rate_plan": null,
          "effective_date": null,
          "integration_authentication_id": null,
          "on_partial_failure": "keep",
          "on_rev_service_failure": "skip",
          "rev_customer_id": null,
          "rev_service": null,
          "site_id": 2
        },
        "carrier_rate_plan": null,
        "customer_rate_plan": null,
        "status": null
      },
      "portal": "M2M",
      "processed_at": "2026-12-01T09:00:00Z",
      "reason": "moved",
      "scheduled": {
        "applied": 0,
        "canceled": 0,
        "failed": 0,
        "open": 0
      },
      "service_provider_id": 1,
      "started_at": "2026-12-01T09:00:00Z",
      "status": "PARTIAL",
      "waiting": []
    }
    "#);
}

#[tokio::test]
async fn the_rows_of_an_assignment_say_what_became_of_each_line() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(99), iccid(1)], "SiteId": app.operator.amop_site.0,
    });
    assert_eq!(orderer.post("/M2M/AssociateCustomer", &body).await.status, 202);
    app.operator.run_until_idle().await;
    let rows = orderer.read("/api/v1/bulk-changes/1/devices").await;
    insta::assert_json_snapshot!(rows["items"][0], @r#"
    {
      "attempt": 1,
      "device_id": 1,
      "error_code": null,
      "error_kind": null,
      "iccid": "89445000000000000017",
      "id": 1,
      "next_check_at": null,
      "number": "15550000001",
      "processed_at": "2026-12-01T09:00:00Z",
      "request_position": 1,
      "status": "PROCESSED",
      "status_details": null
    }
    "#);
    insta::assert_json_snapshot!(rows["items"][1], @r#"
    {
      "attempt": 1,
      "device_id": null,
      "error_code": "device_not_found",
      "error_kind": "ELIGIBILITY",
      "iccid": "89445000000000000997",
      "id": 2,
      "next_check_at": null,
      "number": null,
      "processed_at": "2026-12-01T09:00:00Z",
      "request_position": 0,
      "status": "ERROR",
      "status_details": "no line of the inventory has this iccid"
    }
    "#);
}

#[tokio::test]
async fn a_rev_customer_takes_lines_with_a_plan_from_a_date() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    let body = json!({
        "serviceproviderid": app.operator.jasper.0, "devices": [iccid(1)], "revCustomerID": "4711",
        "AddCustomerRatePlan": true, "CustomerRatePlan": app.operator.plan.0, "CustomerRatePool": app.operator.pool.0,
        "EffectiveDate": "2026-12-24", "ReplaceScheduled": true,
    });
    let answer = orderer.post("/M2M/AssociateCustomer", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    app.operator.run_until_idle().await;
    let change = orderer.read("/api/v1/bulk-changes/1").await;
    insta::assert_json_snapshot!(change["order"], @r#"
    {
      "assignment": {
        "account_number": "4711",
        "carrier_rate_plan": null,
        "customer_rate_plan": {
          "customer_data_allocation_mb": "500",
          "customer_rate_plan_id": 1,
          "customer_rate_pool_id": 1,
          "effective_date": {
            "local": "2026-12-24T00:00:00-06:00",
            "utc": "2026-12-24T06:00:00Z"
          },
          "queued": true,
          "replace_scheduled": true
        },
        "effective_date": {
          "local": "2026-12-24T00:00:00-06:00",
          "utc": "2026-12-24T06:00:00Z"
        },
        "integration_authentication_id": 1,
        "on_partial_failure": "keep",
        "on_rev_service_failure": "skip",
        "rev_customer_id": 4711,
        "rev_service": null,
        "site_id": 1
      },
      "carrier_rate_plan": null,
      "customer_rate_plan": null,
      "status": null
    }
    "#);
    assert_eq!(change["status"], "PROCESSED");
    assert_eq!(change["scheduled"], json!({"open": 1, "applied": 0, "canceled": 0, "failed": 0}));
    shows_the_rev_customer(&orderer.read("/api/v1/devices/1").await);
}

fn shows_the_rev_customer(device: &serde_json::Value) {
    insta::assert_json_snapshot!(device, @r#"
    {
      "activated_at": "2025-03-15T18:30:00Z",
      "assignment": {
        "account_number": "4711",
        "customer_data_allocation_mb": null,
        "customer_rate_plan_id": null,
        "customer_rate_pool_id": null,
        "effective_date": {
          "local": "2026-12-24T00:00:00-06:00",
          "utc": "2026-12-24T06:00:00Z"
        },
        "integration_authentication_id": 1,
        "is_active": true,
        "modified_at": "2026-12-01T09:00:00Z",
        "modified_by": "orderer",
        "rev_customer_id": 4711,
        "site_id": 1,
        "version": 2
      },
      "carrier_rate_plan": null,
      "iccid": "89445000000000000017",
      "id": 1,
      "imei": null,
      "is_archived": false,
      "service_provider_id": 1,
      "status": "ACTIVATED",
      "subscriber_number": "15550000001"
    }
    "#);
}

#[tokio::test]
async fn a_plan_change_by_number_goes_through_mobility_and_lnp() {
    let app = TestApp::with_lines(4).await;
    let orderer = app.orderer().await;
    for (portal, line) in [("Mobility", 1), ("LNP", 2)] {
        let body = json!({
            "ServiceProviderId": app.operator.jasper.0, "ChangeType": 4, "Numbers": [number(line)],
            "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "CustomerDataAllocationMB": 250.5},
        });
        let answer = orderer.post(&format!("/{portal}/BulkChange"), &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        app.operator.run_until_idle().await;
        let location = answer.header("location").to_owned();
        let change = orderer.read(&location).await;
        assert_eq!(
            (&change["status"], &change["portal"], &change["identifier"]),
            (&json!("PROCESSED"), &json!(portal), &json!("number"))
        );
        let device = orderer.read(&format!("/api/v1/devices/{line}")).await;
        assert_eq!(device["assignment"]["customer_rate_plan_id"], app.operator.plan.0);
        assert_eq!(device["assignment"]["customer_data_allocation_mb"], "250.5");
    }
}

#[tokio::test]
async fn an_assignment_inside_a_bulk_change_may_name_one_device_as_the_seeds_do() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "ChangeType": 1,
        "AssociateCustomerRequest": {"ICCID": iccid(1), "RevCustomerId": "", "SiteId": app.operator.amop_site.0},
    });
    let answer = orderer.post("/M2M/BulkChange", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    app.operator.run_until_idle().await;
    assert_eq!(orderer.read("/api/v1/devices/1").await["assignment"]["site_id"], app.operator.amop_site.0);
}

#[tokio::test]
async fn a_line_shows_what_happened_to_it() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "ChangeType": 4, "Devices": [iccid(1)],
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    orderer.post("/M2M/BulkChange", &body).await;
    app.operator.run_until_idle().await;
    let history = orderer.read("/api/v1/devices/1/history").await;
    insta::assert_json_snapshot!(history, @r#"
    {
      "items": [
        {
          "action": "customer_rate_plan",
          "at": "2026-12-01T09:00:00Z",
          "attempt": 1,
          "bulk_change_id": 1,
          "changed_by": "orderer",
          "new_value": {
            "customer_data_allocation_mb": "500",
            "customer_rate_plan_id": 1,
            "customer_rate_pool_id": null
          },
          "old_value": {
            "customer_data_allocation_mb": null,
            "customer_rate_plan_id": null,
            "customer_rate_pool_id": null
          }
        }
      ],
      "next": null
    }
    "#);
    let log = orderer.read("/api/v1/bulk-changes/1/log").await;
    insta::assert_json_snapshot!(log["items"], @r#"
    [
      {
        "attempt": 1,
        "device_change_id": null,
        "entry": 90,
        "error_text": null,
        "has_errors": false,
        "log_entry_description": "Bulk Change Completed",
        "portal": "M2M",
        "process_by": "AltaworxDeviceBulkChange",
        "processed_at": "2026-12-01T09:00:00Z",
        "request_text": null,
        "response_status": "PROCESSED",
        "response_text": "{\"status\":\"PROCESSED\",\"total\":1,\"processed\":1,\"error\":0,\"canceled\":0,\"rejected\":0,\"seconds\":0.000}"
      },
      {
        "attempt": 1,
        "device_change_id": 1,
        "entry": 40,
        "error_text": null,
        "has_errors": false,
        "log_entry_description": "Change Customer Rate Plan: Update AMOP",
        "portal": "M2M",
        "process_by": "AltaworxDeviceBulkChange",
        "processed_at": "2026-12-01T09:00:00Z",
        "request_text": "usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices\nplan 1, pool kept, allocation 500 MB, line 89445000000000000017",
        "response_status": "PROCESSED",
        "response_text": "now plan 1, pool kept, allocation 500 MB"
      }
    ]
    "#);
    let row = log["items"][1]["device_change_id"].as_i64().expect("a row's entry");
    let of_row = orderer.read(&format!("/api/v1/bulk-changes/1/log?device_change_id={row}")).await;
    assert_eq!(of_row["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn validating_says_what_would_happen_and_stores_nothing() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "ChangeType": 4, "Devices": [iccid(99), iccid(1), iccid(1), "x"],
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    let answer = orderer.post("/M2M/ValidateBulkChange", &body).await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(answer.json(), @r#"
    {
      "Accepted": 1,
      "Devices": [
        {
          "Code": "device_not_found",
          "ErrorKind": "ELIGIBILITY",
          "Line": "89445000000000000997",
          "Message": "no line of the inventory has this iccid",
          "Position": 0,
          "Verdict": "rejected"
        },
        {
          "Code": null,
          "ErrorKind": null,
          "Line": "89445000000000000017",
          "Message": null,
          "Position": 1,
          "Verdict": "accepted"
        },
        {
          "Code": "invalid_iccid",
          "ErrorKind": "VALIDATION",
          "Line": "x",
          "Message": "\"x\" is no ICCID of 18 to 22 digits",
          "Position": 3,
          "Verdict": "rejected"
        }
      ],
      "Duplicates": 1,
      "Rejected": 2,
      "Success": true
    }
    "#);
    assert_eq!(orderer.read("/api/v1/bulk-changes").await["items"], json!([]));
}
