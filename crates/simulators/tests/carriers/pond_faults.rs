//! Every kind of fault at POND: what its caller hears, and what was done. All on a paused clock.

use std::time::Duration;

use lineshift_simulators::Reaction;
use lineshift_simulators::pond::{Fault, Faults, answer_misfits};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::caller::{SIM, get_pond, pond, to_pond};

fn works(fault: Fault) -> bool {
    !matches!(
        fault,
        Fault::WorksLate
            | Fault::Silence
            | Fault::Fails500
            | Fault::Fails502
            | Fault::Fails503
            | Fault::Fails504
            | Fault::Reset
            | Fault::Throttled
            | Fault::ThrottledInWords
            | Fault::FailsInside
    )
}

#[tokio::test(start_paused = true)]
async fn each_fault_adds_a_package_or_does_not() {
    for fault in Fault::ALL.into_iter().chain(Fault::OF_CARRIERS) {
        let simulator = pond(|_| {});
        simulator.meet_next_on("POST /{distributorId}/sim/{iccid}/addPackage", fault);
        get_pond(&simulator, "/sim").await.expect(200);
        let request = to_pond("POST", &format!("/sim/{SIM}/addPackage"), Some(&json!({ "packageTypeId": "102" })));
        let reaction = simulator.react(request).await;
        let summary = simulator.ledger().summary();
        assert_eq!(summary.added_packages, usize::from(works(fault)), "{fault:?}");
        assert_eq!(summary.traffic.faults.get(fault.name()), Some(&1), "{fault:?}");
        if fault == Fault::FailsInside {
            let Reaction::Answer { status: 200, body, .. } = reaction else { panic!("{reaction:?}") };
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(body["status"], 500);
        }
        sleep(Duration::from_secs(100)).await;
        let added = simulator.ledger().summary().added_packages;
        assert_eq!(added, usize::from(works(fault) || fault == Fault::WorksLate), "{fault:?} in the end");
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_without_a_body_breaks_off_or_gets_one() {
    for (fault, hears) in [
        (Fault::WorksThenCut, "reset"),
        (Fault::WorksThenEmpty, "200"),
        (Fault::WorksThenHtml, "200"),
        (Fault::WorksThenXml, "200"),
        (Fault::WorksThenUnreadable, "200"),
    ] {
        let simulator = pond(|_| {});
        simulator.meet_next(fault);
        let request = to_pond("POST", "/package/700001/status", Some(&json!({ "packageStatus": "TERMINATED" })));
        let reaction = simulator.react(request.clone()).await;
        let summary = simulator.ledger().summary();
        assert_eq!((summary.traffic.statuses.get(hears), summary.terminated_packages), (Some(&1), 1), "{fault:?}");
        let is_answer = matches!(reaction, Reaction::Answer { .. });
        assert_eq!(!answer_misfits(&request, &reaction).is_empty(), is_answer, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_calls_meet_the_same_faults() {
    let mut heard = Vec::new();
    for seed in [5, 5, 6] {
        let simulator = pond(|options| {
            options.seed = seed;
            options.errors_inside_successes = true;
            options.faults = Faults::of_carrier(0.5);
        });
        let mut reactions = Vec::new();
        for _ in 0..100 {
            let request = to_pond("POST", &format!("/sim/{SIM}/addPackage"), Some(&json!({ "packageTypeId": "102" })));
            reactions.push(simulator.react(request).await);
        }
        sleep(Duration::from_secs(100)).await;
        let summary = simulator.ledger().summary();
        assert_eq!((summary.traffic.outstanding, summary.traffic.wrong_requests), (0, 0), "seed {seed}");
        heard.push((reactions, summary.traffic.faults, summary.added_packages));
    }
    assert_eq!(heard[0], heard[1]);
    assert_ne!(heard[0], heard[2]);
}

#[tokio::test(start_paused = true)]
async fn answers_under_faults_fit_the_description_unless_spoiled_on_purpose() {
    let spoiling = [Fault::WorksThenUnreadable, Fault::WorksThenEmpty, Fault::WorksThenHtml, Fault::WorksThenXml];
    let faults = spoiling.into_iter().fold(Faults::of_carrier(0.6), |faults, fault| faults.with(fault, 0.0));
    let simulator = pond(|options| options.faults = faults);
    let requests = [
        to_pond("POST", &format!("/sim/{SIM}/addPackage"), Some(&json!({ "packageTypeId": "102" }))),
        to_pond("POST", "/package/700001/status", Some(&json!({ "packageStatus": "ACTIVE" }))),
        to_pond("GET", &format!("/sim/{SIM}/package/infos"), None),
    ];
    for number in 0..300 {
        let request = &requests[number % 3];
        let reaction = simulator.react(request.clone()).await;
        let misfits = answer_misfits(request, &reaction);
        assert!(misfits.is_empty(), "{misfits:?} in {reaction:?}");
    }
    assert!(simulator.ledger().summary().traffic.faults.len() > 10);
}
