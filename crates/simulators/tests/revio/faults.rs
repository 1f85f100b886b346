//! Every kind of fault within the process: what its caller hears, and what was done. All on a paused clock.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::caller::{create_service, new_service, options, react, request, simulator};
use lineshift_simulators::Reaction;
use lineshift_simulators::revio::{Fault, Faults, answer_misfits};

/// What the caller hears (a status, or `cut`, `reset`, `silence`), and whether the service is there at once.
const OUTCOMES: [(Fault, &str, bool); 17] = [
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
    (Fault::WorksThenUnreadable, "201", true),
    (Fault::SearchLags, "201", true),
    (Fault::Throttled, "429", false),
    (Fault::ThrottledInWords, "429", false),
];

#[tokio::test(start_paused = true)]
async fn each_fault_does_what_it_says() {
    assert!(Fault::ALL.iter().all(|fault| OUTCOMES.iter().any(|(listed, ..)| listed == fault)));
    for (fault, hears, works) in OUTCOMES {
        let simulator = simulator(options());
        simulator.meet_next(fault);
        simulator.react(request("POST", "/Services", Some(&new_service(1, "1")))).await;
        let summary = simulator.ledger().summary();
        assert_eq!(summary.services, usize::from(works), "{fault:?}");
        assert_eq!(summary.statuses.get(hears), Some(&1), "{fault:?}: {:?}", summary.statuses);
        assert_eq!(summary.faults.get(fault.name()), Some(&1), "{fault:?}");
        assert_eq!(summary.outstanding, usize::from(fault == Fault::WorksLate));
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_call_works_though_its_caller_is_gone() {
    let simulator = simulator(options());
    simulator.meet_next(Fault::WorksLate);
    simulator.react(request("POST", "/Services", Some(&new_service(1, "1")))).await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(simulator.ledger().summary().services, 0, "the caller still waits");
    sleep(Duration::from_secs(61)).await;
    let summary = simulator.ledger().summary();
    assert_eq!((summary.services, summary.outstanding), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_received_goes_on_when_the_caller_gives_up() {
    let mut options = options();
    options.latency = Duration::from_secs(2);
    let simulator = simulator(options);
    let call = simulator.react(request("POST", "/Services", Some(&new_service(1, "1"))));
    timeout(Duration::from_secs(1), call).await.expect_err("it takes longer");
    assert_eq!(simulator.ledger().summary().services, 0);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(simulator.ledger().summary().services, 1);
}

#[tokio::test(start_paused = true)]
async fn a_success_that_cannot_be_read_is_none() {
    let mut bodies = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let mut options = options();
        options.seed = seed;
        let simulator = simulator(options);
        simulator.meet_next(Fault::WorksThenUnreadable);
        let create = request("POST", "/Services", Some(&new_service(1, "1")));
        let reaction = simulator.react(create.clone()).await;
        assert!(!answer_misfits(&create, &reaction).is_empty(), "seed {seed}: {reaction:?}");
        let Reaction::Answer { status: 201, body, .. } = reaction else { panic!("seed {seed}: {reaction:?}") };
        assert!(serde_json::from_slice::<Value>(&body).is_err(), "seed {seed}");
        bodies.insert(body);
    }
    assert_eq!(bodies.len(), 4, "empty, HTML, no text, half of it");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_calls_meet_the_same_faults() {
    let mut heard = Vec::new();
    for seed in [5, 5, 6] {
        let mut options = options();
        options.seed = seed;
        options.faults = Faults::all(0.5);
        let simulator = simulator(options);
        let mut reactions = Vec::new();
        for number in 0..100 {
            let create = request("POST", "/Services", Some(&new_service(1, &number.to_string())));
            reactions.push(simulator.react(create).await);
        }
        sleep(Duration::from_secs(100)).await;
        let summary = simulator.ledger().summary();
        assert_eq!((summary.outstanding, summary.duplicate_services, summary.wrong_requests), (0, 0, 0), "seed {seed}");
        heard.push((reactions, summary.faults));
    }
    assert_eq!(heard[0], heard[1]);
    assert_ne!(heard[0], heard[2]);
}

#[tokio::test(start_paused = true)]
async fn answers_under_faults_fit_the_description_unless_spoiled_on_purpose() {
    let mut options = options();
    options.faults = Faults::all(0.6).with(Fault::WorksThenUnreadable, 0.0);
    let simulator = simulator(options);
    for number in 0..300 {
        react(&simulator, request("POST", "/Services", Some(&new_service(number % 7, &number.to_string())))).await;
        react(&simulator, request("GET", &format!("/Services?number={number}"), None)).await;
    }
    simulator.adjust(|options| options.faults = Faults::none());
    create_service(&simulator, 1, "after all").await;
}
