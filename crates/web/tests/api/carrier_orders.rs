//! Orders at carriers: placed, looked at, exported, and what each line came to.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::carriers::{API_KEY, CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, PLAN, POND_KEY};
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::iccid;
use serde_json::{Value, json};

struct Orders {
    app: TestApp,
    orderer: HttpCaller,
    pond: i64,
}

impl Orders {
    /// Two lines each at Jasper (1 and 2) and POND (3 and 4).
    async fn new() -> Self {
        let world = CarrierWorld::with_lines(2).await;
        let pond = world.pond_provider.0;
        let app = TestApp::sealing(world.operator).await;
        let orderer = app.orderer().await;
        Self { app, orderer, pond }
    }

    /// Orders, runs, and shows the change.
    async fn run(&self, path: &str, body: &Value) -> Value {
        let answer = self.orderer.post(path, body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let id = answer.json()["BulkChangeId"].clone();
        self.app.operator.run_until_idle().await;
        self.orderer.read(&format!("/api/v1/bulk-changes/{id}")).await
    }

    async fn rows(&self, change: &Value) -> Value {
        self.orderer.read(&format!("/api/v1/bulk-changes/{}/devices?include=steps", change["id"])).await
    }
}

#[tokio::test]
async fn a_carrier_rate_plan_change_is_shown_logged_exported_and_kept_in_history() {
    let orders = Orders::new().await;
    let body = json!({
        "ServiceProviderId": orders.app.operator.jasper.0, "ChangeType": 7, "Devices": [iccid(1), iccid(2), iccid(9)],
        "CarrierRatePlanUpdate": {"CarrierRatePlan": OTHER_PLAN},
    });
    let validated = orders.orderer.post("/M2M/ValidateBulkChange", &body).await.json();
    assert_eq!((&validated["Accepted"], &validated["Devices"][2]["Code"]), (&json!(2), &json!("device_not_found")));
    let change = orders.run("/M2M/BulkChange", &body).await;
    assert_eq!(
        (&change["change_type_name"], &change["status"]),
        (&json!("CarrierRatePlanChange"), &json!("PARTIAL")),
        "{change}"
    );
    assert_eq!((&change["counts"]["processed"], &change["counts"]["error"]), (&json!(2), &json!(1)));
    assert_eq!(
        change["order"]["carrier_rate_plan"],
        json!({"carrier_rate_plan": OTHER_PLAN, "comm_plan": null, "effective_date": null})
    );
    let listed = orders.orderer.read("/api/v1/bulk-changes").await;
    assert_eq!(listed["items"][0]["change_type_name"], "CarrierRatePlanChange");

    let rows = orders.rows(&change).await;
    let step = &rows["items"][0]["steps"][0];
    assert_eq!(
        (&step["step"], &step["part"], &step["state"]),
        (&json!("carrier_rate_plan"), &json!(0), &json!("done")),
        "{rows}"
    );
    let log = orders.orderer.read("/api/v1/bulk-changes/1/log").await.to_string();
    assert!(log.contains("Update Jasper Rate Plan: Jasper API") && log.contains("Update Jasper Rate Plan: AMOP Update"), "{log}");
    let export = orders.orderer.get("/api/v1/bulk-changes/1/export").await.text();
    assert_eq!(export.lines().count(), 4, "{export}");
    assert!(export.contains(&iccid(1)) && export.contains("device_not_found"), "{export}");
    let history = orders.orderer.read("/api/v1/devices/1/history").await;
    let entry = &history["items"][0];
    assert_eq!(entry["action"], "carrier_rate_plan", "{history}");
    let told = [entry["old_value"].to_string(), entry["new_value"].to_string()];
    assert!(told[0].contains(PLAN) && told[1].contains(OTHER_PLAN), "{told:?}");
    assert_eq!(orders.orderer.read("/api/v1/devices/1").await["carrier_rate_plan"], OTHER_PLAN);
    let all = [change.to_string(), rows.to_string(), log, export, history.to_string()].concat();
    assert!(!all.contains(API_KEY) && !all.contains(POND_KEY), "{all}");
}

#[tokio::test]
async fn a_status_update_and_packages_are_shown_step_by_step() {
    let orders = Orders::new().await;
    let status = json!({
        "ServiceProviderId": orders.app.operator.jasper.0, "ChangeType": 2, "Devices": [iccid(1)],
        "StatusUpdate": {"TargetStatus": "deactivated"},
    });
    let change = orders.run("/M2M/BulkChange", &status).await;
    assert_eq!((&change["change_type_name"], &change["status"]), (&json!("StatusUpdate"), &json!("PROCESSED")), "{change}");
    assert_eq!(change["order"]["status"], json!({"target_status": "DEACTIVATED", "reason_code": null}));
    assert_eq!(orders.rows(&change).await["items"][0]["steps"][0]["step"], "carrier_status");
    assert_eq!(orders.orderer.read("/api/v1/devices/1").await["status"], "DEACTIVATED");
    assert_eq!(orders.orderer.read("/api/v1/devices/1/history").await["items"][0]["action"], "status");

    let package = json!({
        "ServiceProviderId": orders.pond, "ChangeType": 7, "Devices": [iccid(3)],
        "CarrierRatePlanUpdate": {"CarrierRatePlan": format!("Plan {OTHER_PACKAGE_TYPE}")},
    });
    let change = orders.run("/M2M/BulkChange", &package).await;
    assert_eq!(change["status"], "PROCESSED", "{change}");
    assert_eq!(change["order"]["carrier_rate_plan"]["carrier_rate_plan"], OTHER_PACKAGE_TYPE, "the name stands for its code");
    let rows = orders.rows(&change).await;
    let steps = rows["items"][0]["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 4, "add, activate, terminate, and what it all came to: {steps:?}");
    assert_eq!(steps[3]["outcome"], "it stands as asked");
    assert!(steps.iter().all(|step| step["state"] == "done"), "{steps:?}");
    assert!(steps[0]["external_text"].as_str().is_some_and(|id| !id.is_empty()), "{steps:?}");
}

#[tokio::test]
async fn an_assignment_may_move_the_line_to_another_carrier_rate_plan() {
    let orders = Orders::new().await;
    let site = orders.app.operator.amop_site.0;
    let body = json!({
        "ServiceProviderId": orders.app.operator.jasper.0, "Devices": [iccid(1)], "RevCustomerId": "", "SiteId": site,
        "AddCarrierRatePlan": true, "CarrierRatePlan": OTHER_PLAN,
    });
    let change = orders.run("/M2M/AssociateCustomer", &body).await;
    assert_eq!(change["status"], "PROCESSED", "{change}");
    assert_eq!(change["order"]["assignment"]["carrier_rate_plan"]["carrier_rate_plan"], OTHER_PLAN);
    let device = orders.orderer.read("/api/v1/devices/1").await;
    assert_eq!((&device["carrier_rate_plan"], &device["assignment"]["site_id"]), (&json!(OTHER_PLAN), &json!(site)), "{device}");
}
