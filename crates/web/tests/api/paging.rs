//! Lists are paged by limit and cursor: every item once, in order, and nonsense is refused.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::iccid;
use serde_json::{Value, json};

/// Reads a list page by page and answers the values of one field.
async fn read_all(caller: &HttpCaller, path: &str, cursor: &str, field: &str) -> Vec<Value> {
    let mut values = Vec::new();
    let mut address = path.to_owned();
    loop {
        let page = caller.read(&address).await;
        let items = page["items"].as_array().expect("items");
        values.extend(items.iter().map(|item| item[field].clone()));
        let Some(next) = page["next"].as_str() else { return values };
        assert!(!items.is_empty(), "a page that has a next one is not empty");
        address = format!("{path}&{cursor}={next}");
    }
}

#[tokio::test]
async fn every_item_comes_once_and_in_order() {
    let app = TestApp::with_lines(7).await;
    let admin = app.admin().await;
    for plan in [app.operator.plan, app.operator.other_plan, app.operator.plan] {
        let mut devices: Vec<String> = (1..=7).map(iccid).collect();
        devices.extend((0..5).map(|nth| format!("bad {nth}")));
        let body = json!({
            "ServiceProviderId": app.operator.jasper.0, "Devices": devices, "ChangeType": 4,
            "CustomerRatePlanUpdate": {"CustomerRatePlanId": plan.0},
        });
        assert_eq!(admin.post("/M2M/BulkChange", &body).await.status, 202);
        app.operator.run_until_idle().await;
    }
    let ids = |range: std::ops::RangeInclusive<i64>| range.map(Value::from).collect::<Vec<_>>();
    for limit in [1, 2, 3, 7, 100] {
        let all = async |path: &str, field| read_all(&admin, &format!("{path}limit={limit}"), "after", field).await;
        assert_eq!(all("/api/v1/devices?", "id").await, ids(1..=7));
        assert_eq!(all("/api/v1/devices?service_provider_id=1&", "id").await, ids(1..=7));
        assert_eq!(all("/api/v1/devices?customer_rate_plan_id=1&", "id").await, ids(1..=7));
        assert_eq!(all("/api/v1/sites?", "id").await, ids(1..=2));
        assert_eq!(all("/api/v1/bulk-changes/2/devices?", "request_position").await, ids(0..=11));
        assert_eq!(all("/api/v1/bulk-changes/2/devices?status=ERROR&", "request_position").await, ids(7..=11));
        assert_eq!(all("/api/v1/bulk-changes/2/devices?code=invalid_iccid&", "request_position").await, ids(7..=11));
        assert_eq!(all("/api/v1/bulk-changes/2/devices?status=PROCESSED&", "request_position").await, ids(0..=6));
        assert_eq!(all("/api/v1/bulk-changes/2/log?", "entry").await.len(), 13, "a line each, and the change as a whole");
        let history = all("/api/v1/devices/3/history?", "bulk_change_id").await;
        assert_eq!(history, [3, 2, 1].map(Value::from), "newest first");
        let newest_first = read_all(&admin, &format!("/api/v1/bulk-changes?limit={limit}"), "before", "id").await;
        assert_eq!(newest_first, [3, 2, 1].map(Value::from));
    }
}

#[tokio::test]
async fn the_queue_of_a_change_is_paged_by_id() {
    let app = TestApp::with_lines(5).await;
    let admin = app.admin().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": (1..=5).map(iccid).collect::<Vec<_>>(), "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"},
    });
    assert_eq!(admin.post("/M2M/BulkChange", &body).await.status, 202);
    app.operator.run_until_idle().await;
    for limit in [1, 2, 5] {
        let devices = read_all(&admin, &format!("/api/v1/plan-queue?bulk_change_id=1&limit={limit}"), "after", "device_id").await;
        assert_eq!(devices, [1, 2, 3, 4, 5].map(Value::from), "pages of {limit}");
        let of_line = read_all(&admin, &format!("/api/v1/plan-queue?device_id=3&limit={limit}"), "after", "device_id").await;
        assert_eq!(of_line, [3].map(Value::from));
    }
}

#[tokio::test]
async fn the_queue_is_paged_by_date() {
    let app = TestApp::with_lines(6).await;
    let admin = app.admin().await;
    for (line, day) in [(1, 20), (2, 10), (3, 20), (4, 5), (5, 10), (6, 30)] {
        let body = json!({
            "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(line)], "ChangeType": 4,
            "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": format!("2026-12-{day:02}")},
        });
        assert_eq!(admin.post("/M2M/BulkChange", &body).await.status, 202);
    }
    app.operator.run_until_idle().await;
    for limit in [1, 2, 5, 6] {
        let devices = read_all(&admin, &format!("/api/v1/plan-queue?limit={limit}"), "after", "device_id").await;
        assert_eq!(devices, [4, 2, 5, 1, 3, 6].map(Value::from), "pages of {limit}");
    }
    let first = admin.read("/api/v1/plan-queue?limit=1").await;
    let cursor = first["next"].as_str().expect("there are six");
    let other = admin.get(&format!("/api/v1/plan-queue?bulk_change_id=1&after={cursor}")).await;
    assert_eq!(other.problems(), ["after conflicting_fields"], "a cursor goes with its filter");
}

#[tokio::test]
async fn what_is_no_page_is_refused_all_at_once() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    let refused = admin.get("/api/v1/devices?limit=0&after=nonsense&iccid=12&colour=red&limit=5").await;
    assert_eq!(refused.status, 422);
    insta::assert_snapshot!(refused.problems().join("\n"), @r#"
    iccid wrong_form
    limit repeated_field
    limit wrong_form
    after wrong_form
    colour unknown_field
    "#);
    let sites = admin.read("/api/v1/sites?limit=1").await;
    let cursor = sites["next"].as_str().expect("there are two sites");
    assert_eq!(admin.get(&format!("/api/v1/devices?after={cursor}")).await.problems(), ["after wrong_form"]);
    let order = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": ["1", "2"], "SiteId": app.operator.amop_site.0});
    assert_eq!(admin.post("/M2M/AssociateCustomer", &order).await.status, 202);
    let rows = admin.read("/api/v1/bulk-changes/1/devices?status=ERROR&limit=1").await;
    let cursor = rows["next"].as_str().expect("two rows");
    let other = admin.get(&format!("/api/v1/bulk-changes/1/devices?after={cursor}")).await;
    assert_eq!(other.problems(), ["after conflicting_fields"], "a cursor goes with its filter");
    let other = admin.get("/api/v1/bulk-changes/1/devices?status=NEW&code=device_not_found").await;
    assert_eq!(other.problems(), ["code conflicting_fields"]);
}

#[tokio::test]
async fn unknown_parameters_are_refused_everywhere() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    app.operator.submit(app.operator.order([iccid(1)], app.operator.amop_assignment())).await;
    app.operator.run_until_idle().await;
    // What a carrier puts behind the address of its callbacks is its own affair.
    let takes_none = |path: &str| {
        let for_people = crate::isolation::is_for_people(path);
        !path.contains("plan-queue/{id}") && !path.starts_with("/callbacks/") && !for_people
    };
    for row in lineshift_web::ROUTES.iter().filter(|row| takes_none(row.path)) {
        let path = row.path.replace("{portal}", "M2M").replace("customers/{id}", "customers/4711").replace("{id}", "1");
        let method = reqwest::Method::from_bytes(row.method.to_uppercase().as_bytes()).expect("a method");
        let answer = lineshift_testkit::http::send(admin.request(method, &format!("{path}?colour=red"))).await;
        assert_eq!((answer.status, answer.problems()), (422, vec!["colour unknown_field".to_owned()]), "{} {path}", row.method);
    }
}
