//! What those who are limited see and cancel of lines that came within their reach, or left it.

use lineshift_domain::ids::{BulkChangeId, RevCustomerId};
use lineshift_domain::limits::Limits;
use lineshift_engine::Clock as _;
use lineshift_store::import::ImportAssignment;
use lineshift_store::work::RunnableChange;
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::{iccid, number};
use serde_json::{Value, json};

use crate::reach::{World, ids, same_as_missing};

const DATE: Option<&str> = Some("2026-12-24");

fn customer(id: RevCustomerId) -> String {
    format!("customer:{id}")
}

async fn ordered(caller: &HttpCaller, world: &World, lines: &[u64], date: Option<&str>) -> i64 {
    let answer = caller.post("/M2M/BulkChange", &world.plan_change(lines, date)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    world.app.operator.run_until_idle().await;
    answer.json()["BulkChangeId"].as_i64().expect("an id")
}

/// A plan queue entry is its line's and that one's for whom it was ordered: neither alone sees, moves or cancels it, in lists or by its id.
#[tokio::test]
async fn an_entry_is_within_reach_for_whom_it_was_ordered_and_as_its_line_stands() {
    let world = World::new().await;
    let (own, other) = (world.app.operator.rev_customer, world.other_customer);
    let admin = world.app.admin().await;
    ordered(&admin, &world, &[1, 2, 3], DATE).await;
    world.assign(other, &[1]).await;
    let entries = admin.read("/api/v1/plan-queue").await;
    let entry = ids(&entries)[0];
    assert_eq!(entries["items"][0]["device_id"], 1);

    for (reach, seen, sees_line) in [
        (customer(own), vec![2], false),
        (customer(other), vec![3], true),
        (format!("{} {}", customer(own), customer(other)), vec![1, 2, 3], true),
        (format!("service_provider:{}", world.app.operator.jasper), vec![1, 2, 3], true),
    ] {
        let caller = world.limited(&reach).await;
        let listed = caller.read("/api/v1/plan-queue").await;
        let devices: Vec<_> =
            listed["items"].as_array().expect("entries").iter().map(|entry| entry["device_id"].clone()).collect();
        assert_eq!(devices, seen, "{reach}");
        let first = caller.read("/api/v1/plan-queue?limit=1").await;
        assert_eq!(first["next"].is_null(), seen.len() == 1, "not even that there is more: {reach}");
        if sees_line {
            let of_line = caller.read("/api/v1/plan-queue?device_id=1").await;
            assert_eq!(ids(&of_line).len(), usize::from(seen.contains(&1)), "{reach}");
        }
        let path = format!("/api/v1/plan-queue/{entry}");
        if seen.contains(&1) {
            assert_eq!(caller.get(&path).await.status, 200, "{reach}");
            continue;
        }
        same_as_missing(&caller, &path, "/api/v1/plan-queue/999").await;
        assert_eq!(caller.post(&format!("{path}/cancel"), &json!({})).await.status, 404, "{reach}");
        let moved = caller.patch(&path, &json!({"effective_date": "2026-12-25"})).await;
        assert_eq!(moved.status, 404, "{reach}");
    }
    assert_eq!(admin.read(&format!("/api/v1/plan-queue/{entry}")).await["state"], "open");
}

/// What was before a line came within reach is not shown, by whatever cursor; nor from where and by whom it came.
#[tokio::test]
async fn the_history_of_a_line_begins_where_it_came_within_reach() {
    let world = World::new().await;
    let (own, other) = (world.app.operator.rev_customer, world.other_customer);
    let admin = world.app.admin().await;
    ordered(&admin, &world, &[3], None).await;
    world.assign(own, &[3]).await;
    let caller = world.limited(&customer(own)).await;
    let history = "/api/v1/devices/3/history";
    let actions = |page: &Value| -> Vec<(String, bool, String)> {
        let shown = |entry: &Value| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            (text("action"), entry["old_value"].is_null(), text("changed_by"))
        };
        page["items"].as_array().expect("entries").iter().map(shown).collect()
    };
    let came = ("assignment".to_owned(), true, String::new());
    assert_eq!(actions(&caller.read(history).await), std::slice::from_ref(&came));
    assert_eq!(actions(&admin.read(history).await).len(), 3, "all of it");

    let mut plan = world.plan_change(&[3], None);
    plan["CustomerRatePlanUpdate"]["CustomerRatePlanId"] = json!(world.app.operator.other_plan.0);
    assert_eq!(caller.post("/M2M/BulkChange", &plan).await.status, 202);
    world.app.operator.run_until_idle().await;
    let shown = caller.read(history).await;
    let changed = ("customer_rate_plan".to_owned(), false, "limited".to_owned());
    assert_eq!(actions(&shown), [changed.clone(), came.clone()]);
    let first = caller.read(&format!("{history}?limit=1")).await;
    let second = caller.read(&format!("{history}?limit=1&after={}", first["next"].as_str().expect("more"))).await;
    assert_eq!((actions(&first), actions(&second), &second["next"]), (vec![changed], vec![came.clone()], &Value::Null));
    let beyond = admin.read(&format!("{history}?limit=2")).await["next"].as_str().expect("more").to_owned();
    let asked = caller.read(&format!("{history}?after={beyond}")).await;
    assert_eq!((&asked["items"], &asked["next"]), (&json!([]), &Value::Null));

    // Gone and back again: what was in between is not theirs, and what was before is over.
    world.assign(other, &[3]).await;
    same_as_missing(&caller, history, "/api/v1/devices/999/history").await;
    world.assign(own, &[3]).await;
    assert_eq!(actions(&caller.read(history).await), [came]);
    let everybody = world.limited(&format!("{} {}", customer(own), customer(other))).await;
    let since = actions(&everybody.read(history).await);
    assert_eq!(since.len(), actions(&admin.read(history).await).len(), "nobody had the line before these two");
}

/// Of what they ordered themselves, rows of lines that left say by what they were ordered and what became of it, and nothing of the
/// lines; and canceling touches nothing of them.
#[tokio::test]
async fn what_one_ordered_shows_and_cancels_nothing_of_lines_that_left() {
    let world = World::new().await;
    let admin = world.app.admin().await;
    let caller = world.limited(&world.own()).await;
    let id = ordered(&caller, &world, &[1, 2], DATE).await;
    let before = caller.read(&format!("/api/v1/bulk-changes/{id}/devices")).await;
    assert_eq!(before["items"][0]["number"], number(1), "{before}");
    world.assign(world.other_customer, &[1]).await;

    let rows = caller.read(&format!("/api/v1/bulk-changes/{id}/devices?include=steps")).await;
    let (left, stayed) = (&rows["items"][0], &rows["items"][1]);
    assert_eq!((&left["iccid"], &left["status"]), (&json!(iccid(1)), &json!("PROCESSED")), "{rows}");
    for hidden in ["device_id", "number", "status_details"] {
        assert!(left[hidden].is_null() && !stayed[hidden].is_null(), "{hidden}: {rows}");
    }
    let export = caller.get(&format!("/api/v1/bulk-changes/{id}/export")).await.text();
    assert!(export.contains(&iccid(1)) && !export.contains(&number(1)) && export.contains(&number(2)), "{export}");
    let log = caller.read(&format!("/api/v1/bulk-changes/{id}/log")).await;
    let log = log["items"].as_array().expect("a log").clone();
    for (row, hidden) in [(left, true), (stayed, false)] {
        let of_row: Vec<_> = log.iter().filter(|entry| entry["device_change_id"] == row["id"]).collect();
        assert!(!of_row.is_empty(), "{log:?}");
        for entry in of_row {
            assert_eq!(entry["request_text"].is_null() && entry["response_text"].is_null(), hidden, "{entry}");
        }
    }
    let entries = format!("/api/v1/plan-queue?bulk_change_id={id}");
    assert_eq!(ids(&caller.read(&entries).await).len(), 1);
    assert_eq!(ids(&admin.read(&entries).await).len(), 2);

    let cancel = format!("/api/v1/bulk-changes/{id}/cancel");
    assert_eq!(caller.post(&cancel, &json!({})).await.status, 200);
    let open = admin.read(&entries).await;
    assert_eq!(open["items"].as_array().map(Vec::len), Some(1), "{open}");
    assert_eq!(open["items"][0]["device_id"], 1);
    assert_eq!(caller.post(&cancel, &json!({})).await.status, 409, "nothing of theirs is left");
    assert_eq!(admin.post(&cancel, &json!({})).await.status, 200);
    assert_eq!(admin.read(&entries).await["items"], json!([]));
}

/// A change that is canceled while it runs has its entries canceled when it is completed: by whoever canceled it, and no further.
#[tokio::test]
async fn completing_what_was_canceled_reaches_no_further_than_whoever_canceled_it() {
    let world = World::with(Limits { page_lines: 1, ..Limits::default() }).await;
    let operator = &world.app.operator;
    let (store, tenant, now) = (&operator.store, operator.tenant(), operator.clock.now());
    let caller = world.limited(&world.own()).await;
    let answer = caller.post("/M2M/BulkChange", &world.plan_change(&[1, 2], DATE)).await;
    let id = answer.json()["BulkChangeId"].as_i64().expect("an id");
    let this = RunnableChange { tenant_id: tenant, bulk_change_id: BulkChangeId(id) };
    let until = now + chrono::TimeDelta::seconds(30);
    let first = store.claim_page(this, "worker", until, now).await.expect("claimed").expect("a page");
    operator.engine.run_page(&first).await.expect("run");
    store.complete_page(&first.to_complete(), now).await.expect("completed");
    let line = operator.device(1).await;
    let elsewhere = ImportAssignment {
        iccid: iccid(1),
        rev_customer_id: Some(world.other_customer),
        site_id: world.other_site,
        customer_rate_plan_id: line.customer_rate_plan_id,
        customer_rate_pool_id: None,
        customer_data_allocation_mb: None,
        effective_date: None,
    };
    store.import_assignments(tenant, &[elsewhere], "test", now).await.expect("moved");

    let canceled = caller.post(&format!("/api/v1/bulk-changes/{id}/cancel"), &json!({})).await;
    assert_eq!(canceled.status, 200, "{}", canceled.text());
    operator.run_until_idle().await;
    let change = operator.change(BulkChangeId(id)).await;
    assert_eq!((change.counts.canceled, change.processed_at.is_some()), (1, true), "{change:?}");
    let open = world.app.admin().await.read(&format!("/api/v1/plan-queue?bulk_change_id={id}")).await;
    assert_eq!(open["items"].as_array().map(Vec::len), Some(1), "{open}");
    assert_eq!(open["items"][0]["device_id"], 1, "{open}");
}
