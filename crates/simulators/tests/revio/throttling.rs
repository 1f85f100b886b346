//! Calls a minute and a day, credentials, breakdowns and latency. All on a paused clock.

use std::time::Duration;

use tokio::time::{Instant, advance};

use crate::caller::{get, options, react, request, simulator};
use lineshift_simulators::Reaction;
use lineshift_simulators::revio::{Fault, Faults, RevioLimits};

#[tokio::test(start_paused = true)]
async fn calls_beyond_the_limit_wait_as_long_as_they_are_told() {
    let mut options = options();
    options.limits = RevioLimits { a_minute: Some(3), a_day: Some(5) };
    let simulator = simulator(options);
    for _ in 0..3 {
        get(&simulator, "/SystemStatus").await.expect(200);
        advance(Duration::from_secs(10)).await;
    }
    let refused = get(&simulator, "/SystemStatus").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("30")));
    advance(Duration::from_secs(30)).await;
    get(&simulator, "/SystemStatus").await.expect(200);
    get(&simulator, "/SystemStatus").await.expect(429);
    advance(Duration::from_secs(60)).await;
    get(&simulator, "/SystemStatus").await.expect(200);

    let refused = get(&simulator, "/SystemStatus").await;
    let wait: u64 = refused.header("retry-after").expect("a header").parse().expect("seconds");
    assert_eq!(wait, 86_400 - 120, "the day's quota is used up");
    simulator.adjust(|options| options.limits.a_day = Some(6));
    get(&simulator, "/SystemStatus").await.expect(200);
    let summary = simulator.ledger().summary();
    assert_eq!((summary.statuses["200"], summary.statuses["429"], summary.most_a_minute), (6, 3, 3));
}

#[tokio::test(start_paused = true)]
async fn how_long_to_wait_may_stand_in_the_message_only() {
    let mut options = options();
    options.limits.a_minute = Some(0);
    options.faults = Faults::all(0.5);
    let simulator = simulator(options);
    let (mut in_header, mut in_words) = (0, 0);
    for _ in 0..50 {
        let refused = get(&simulator, "/SystemStatus").await;
        assert_eq!(refused.status, 429);
        match refused.header("retry-after") {
            Some(seconds) => in_header += u32::from(seconds == "60"),
            None => in_words += u32::from(refused.text().contains("Try again in 60 seconds")),
        }
    }
    assert!(in_header > 10 && in_words > 10 && in_header + in_words == 50, "{in_header} and {in_words}");
}

#[tokio::test(start_paused = true)]
async fn a_fault_throttles_one_call() {
    let simulator = simulator(options());
    simulator.meet_next(Fault::Throttled).meet_next(Fault::ThrottledInWords);
    let refused = get(&simulator, "/SystemStatus").await;
    assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()));
    let refused = get(&simulator, "/SystemStatus").await;
    assert_eq!(refused.header("retry-after"), None);
    let message = refused.refusal(429);
    let number: String = message.chars().skip_while(|one| !one.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    assert!((1..=5).contains(&number.parse::<u32>().expect("seconds")), "{message}");
    get(&simulator, "/SystemStatus").await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn credentials_are_refused_and_everything_breaks_on_order() {
    let simulator = simulator(options());
    simulator.refuse_credentials(true);
    get(&simulator, "/SystemStatus").await.expect(401);
    simulator.refuse_credentials(false).break_down(true);
    get(&simulator, "/SystemStatus").await.expect(500);
    simulator.break_down(false);
    get(&simulator, "/SystemStatus").await.expect(200);
    assert_eq!(simulator.ledger().summary().wrong_requests, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_as_long_as_it_was_told_to() {
    let mut options = options();
    options.latency = Duration::from_millis(50);
    options.jitter = Duration::from_millis(20);
    let simulator = simulator(options);
    let start = Instant::now();
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let simulator = simulator.clone();
            tokio::spawn(async move { react(&simulator, request("GET", "/SystemStatus", None)).await })
        })
        .collect();
    for call in calls {
        assert!(matches!(call.await.expect("it ends"), Reaction::Answer { status: 200, .. }));
    }
    let took = start.elapsed();
    assert!((50..=71).contains(&took.as_millis()), "{took:?}");
    assert_eq!(simulator.ledger().summary().most_at_once, 32);
}
