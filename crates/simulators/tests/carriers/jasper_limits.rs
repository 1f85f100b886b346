//! Jasper: one call at a time and five a second; credentials and breakdowns. All on a paused clock.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::advance;

use crate::caller::{get, jasper, put};
use lineshift_simulators::jasper::{Fault, Faults};

#[tokio::test(start_paused = true)]
async fn the_sixth_call_of_a_second_is_refused() {
    let (simulator, _) = jasper(|options| options.calls_a_second = Some(5));
    for _ in 0..5 {
        get(&simulator, "/rateplans").await.expect(200);
    }
    let refused = get(&simulator, "/rateplans").await;
    assert_eq!(refused.header("retry-after"), None, "there are no rate headers");
    assert_eq!(refused.expect(429)["errorCode"], "40000029");
    advance(Duration::from_secs(1)).await;
    get(&simulator, "/rateplans").await.expect(200);
    let traffic = simulator.ledger().summary().traffic;
    assert_eq!((traffic.throttled, traffic.statuses["200"], traffic.statuses["429"]), (1, 6, 1));
}

#[tokio::test(start_paused = true)]
async fn a_second_call_at_the_same_time_is_refused() {
    let (simulator, _) = jasper(|options| {
        options.latency = Duration::from_millis(50);
        options.calls_at_once = Some(1);
    });
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let simulator = Arc::clone(&simulator);
            tokio::spawn(async move { put(&simulator, &json!({ "ratePlan": "Tracker" })).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.expect("it ends"));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429, 429]);
    put(&simulator, &json!({ "ratePlan": "Tracker" })).await.expect(200);
    let summary = simulator.ledger().summary();
    assert_eq!((summary.traffic.most_at_once, summary.assignments), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn throttling_is_told_by_the_status_that_was_chosen_and_always_by_its_code() {
    for (throttled_status, status) in [(429, 429), (400, 400), (200, 200)] {
        let (simulator, _) = jasper(|options| {
            options.calls_a_second = Some(0);
            options.throttled_status = throttled_status;
            options.faults = Faults::of_carrier(0.5);
            options.codes_missing = if throttled_status == 429 { 0.0 } else { 1.0 };
        });
        let mut with_code = 0;
        for _ in 0..30 {
            let told = put(&simulator, &json!({ "ratePlan": "Tracker" })).await;
            assert_eq!(told.status, status);
            with_code += u32::from(told.text().contains("40000029"));
        }
        assert!(if throttled_status == 429 { with_code > 0 } else { with_code == 30 }, "{throttled_status}: {with_code}");
        assert_eq!(simulator.ledger().summary().assignments, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_are_refused_and_everything_breaks_on_order() {
    let (simulator, _) = jasper(|_| {});
    simulator.refuse_credentials(true);
    assert_eq!(get(&simulator, "/rateplans").await.expect(401)["errorCode"], "10000001");
    simulator.refuse_credentials(false).break_down(true);
    assert_eq!(get(&simulator, "/rateplans").await.expect(500)["errorCode"], "30000001");
    simulator.break_down(false).meet_next_on("PUT /devices/{iccid}", Fault::Throttled);
    get(&simulator, "/rateplans").await.expect(200);
    let told = put(&simulator, &json!({ "ratePlan": "Tracker" })).await;
    assert_eq!(told.expect(429)["errorCode"], "40000029");
    assert!(told.header("retry-after").is_some());
    simulator.adjust(|options| options.login.api_key = "another".to_owned());
    assert_eq!(get(&simulator, "/rateplans").await.expect(401)["errorCode"], "10000001");
    assert_eq!(simulator.ledger().summary().traffic.wrong_requests, 0, "wrong credentials are no wrong request");
}
