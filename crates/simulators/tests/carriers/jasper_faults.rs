//! Every kind of fault at Jasper: what its caller hears, and what was done. All on a paused clock.

use std::time::Duration;

use lineshift_simulators::Reaction;
use lineshift_simulators::jasper::{Fault, Faults, answer_misfits};
use serde_json::json;
use tokio::time::sleep;

use crate::caller::{ICCID, jasper, to_jasper};

/// What the caller hears, and whether the device is changed at once.
const OUTCOMES: [(Fault, &str, bool); 21] = [
    (Fault::WorksThenSilence, "silence", true),
    (Fault::WorksLate, "silence", false),
    (Fault::Silence, "silence", false),
    (Fault::Works500, "500", true),
    (Fault::Works502, "502", true),
    (Fault::Works504, "504", true),
    (Fault::Fails500, "500", false),
    (Fault::Fails502, "502", false),
    (Fault::Fails503, "503", false),
    (Fault::Fails504, "504", false),
    (Fault::Reset, "reset", false),
    (Fault::WorksThenReset, "reset", true),
    (Fault::WorksThenCut, "cut", true),
    (Fault::WorksThenUnreadable, "200", true),
    (Fault::SearchLags, "200", true),
    (Fault::Throttled, "429", false),
    (Fault::ThrottledInWords, "429", false),
    (Fault::WorksThenEmpty, "200", true),
    (Fault::WorksThenHtml, "200", true),
    (Fault::WorksThenXml, "200", true),
    (Fault::FailsInside, "200", false),
];

#[tokio::test(start_paused = true)]
async fn each_fault_does_what_it_says() {
    let mut all = Fault::ALL.into_iter().chain(Fault::OF_CARRIERS);
    assert!(all.all(|fault| OUTCOMES.iter().any(|(listed, ..)| *listed == fault)));
    for (fault, hears, works) in OUTCOMES {
        let (simulator, _) = jasper(|_| {});
        simulator.meet_next(fault);
        let request = to_jasper("PUT", &format!("/devices/{ICCID}"), Some(&json!({ "ratePlan": "Tracker" })));
        let reaction = simulator.react(request).await;
        let summary = simulator.ledger().summary();
        assert_eq!(summary.changed_fields, usize::from(works), "{fault:?}");
        assert_eq!(summary.traffic.statuses.get(hears), Some(&1), "{fault:?}: {:?}", summary.traffic.statuses);
        assert_eq!(summary.traffic.faults.get(fault.name()), Some(&1), "{fault:?}");
        assert_eq!(summary.traffic.outstanding, usize::from(fault == Fault::WorksLate));
        let Reaction::Answer { status: 200, body, .. } = reaction else { continue };
        let says = String::from_utf8_lossy(&body).into_owned();
        match fault {
            Fault::WorksThenEmpty => assert_eq!(says, ""),
            Fault::WorksThenHtml => assert!(says.starts_with("<html>"), "{says}"),
            Fault::WorksThenXml => assert!(says.starts_with("<?xml"), "{says}"),
            Fault::FailsInside => assert!(says.contains(r#""errorCode":"40000029""#), "{says}"),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_change_is_made_though_its_caller_is_gone() {
    let (simulator, _) = jasper(|_| {});
    simulator.meet_next(Fault::WorksLate);
    simulator.react(to_jasper("PUT", &format!("/devices/{ICCID}"), Some(&json!({ "ratePlan": "Tracker" })))).await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(simulator.ledger().summary().changed_fields, 0, "the caller still waits");
    sleep(Duration::from_secs(61)).await;
    let summary = simulator.ledger().summary();
    assert_eq!((summary.changed_fields, summary.traffic.outstanding), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_calls_meet_the_same_faults_and_answers_fit_unless_spoiled() {
    let mut heard = Vec::new();
    for seed in [5, 5, 6] {
        let (simulator, _) = jasper(|options| {
            options.seed = seed;
            options.codes_missing = 0.3;
            options.faults = Faults::of_carrier(0.6);
        });
        let mut reactions = Vec::new();
        let mut spoiled = 0;
        for number in 0..200 {
            let plan = ["Tracker", "Sensor 250 MB", "Nobody's"][number % 3];
            let request = to_jasper("PUT", &format!("/devices/{ICCID}"), Some(&json!({ "ratePlan": plan })));
            let reaction = simulator.react(request.clone()).await;
            spoiled += u64::from(!answer_misfits(&request, &reaction).is_empty());
            reactions.push(reaction);
        }
        sleep(Duration::from_secs(100)).await;
        let traffic = simulator.ledger().summary().traffic;
        let count = |fault: Fault| traffic.faults.get(fault.name()).copied().unwrap_or(0);
        let garbage = [Fault::WorksThenUnreadable, Fault::WorksThenEmpty, Fault::WorksThenHtml, Fault::WorksThenXml];
        assert!(spoiled > 0 && spoiled <= garbage.into_iter().map(count).sum(), "seed {seed}: {spoiled} {traffic:?}");
        assert_eq!((traffic.outstanding, traffic.wrong_requests), (0, 0), "seed {seed}");
        heard.push((reactions, traffic.faults));
    }
    assert_eq!(heard[0], heard[1]);
    assert_ne!(heard[0], heard[2]);
}
