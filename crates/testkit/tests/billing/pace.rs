//! How fast services are opened: what the account allows, what the estimate says, and what an account that does not answer costs others.

use std::time::Duration;

use lineshift_domain::limits::Limits;
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_engine::Clock as _;
use lineshift_simulators::revio::RevioLimits;
use lineshift_testkit::billing::BillingWorld;
use lineshift_testkit::operator::iccid;

use crate::flows::{order, work_until};

/// A call as long as the example of the specification.
const LATENCY: Duration = Duration::from_millis(50);

#[tokio::test(start_paused = true)]
async fn with_the_real_limits_it_takes_as_long_as_the_estimate_says() {
    for lines in [100_u64, 700, 2_000] {
        let world = BillingWorld::with(lines, Limits::default(), |options| {
            options.latency = LATENCY;
            options.limits = RevioLimits::stated();
        })
        .await;
        let submitted = world.operator.submit(order(&world, lines, world.assignment())).await;
        let change = world.operator.change(submitted.id).await;
        let estimate = world.operator.engine.estimate(world.operator.tenant(), &change).await.expect("an estimate");
        let estimate = estimate.expect("it calls outside");
        let begun = world.operator.clock.now();
        work_until(&world, submitted.id, Duration::from_secs(7_200)).await;
        let change = world.operator.change(submitted.id).await;
        assert_eq!(change.status(), BulkChangeStatus::Processed);
        let took = (change.processed_at.expect("completed") - begun).as_seconds_f64();
        let ledger = world.simulator.ledger().summary();
        let calls: u64 = ledger.calls.values().sum();
        println!(
            "{lines} lines: estimated {} s and {} calls, took {took:.1} s and {calls} calls",
            estimate.seconds, estimate.calls
        );
        assert_eq!(ledger.statuses.get("429"), None, "the account was never asked for more than it allows");
        assert!(calls as f64 <= 2.2 * lines as f64, "{calls} calls for {lines} lines");
        // A change that fits into one window is over in seconds, where ten percent means nothing.
        let allowed = (estimate.seconds as f64 * 0.1).max(5.0);
        assert!((took - estimate.seconds as f64).abs() <= allowed, "{lines} lines took {took} s, estimated {}", estimate.seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_does_not_answer_delays_no_change_of_another() {
    let world = BillingWorld::with_lines(60).await;
    world.simulator.adjust(|options| options.latency = Duration::from_secs(3_600));
    let billed = world.operator.submit(order(&world, 30, world.assignment())).await;
    let plan = world.operator.order((31..=60).map(iccid), world.operator.plan_change(world.operator.plan));
    let begun = world.operator.clock.now();
    let (stop, stopped) = lineshift_engine::shutdown();
    let engine = world.operator.engine.clone();
    let options = lineshift_engine::WorkerOptions { owner: "test".to_owned() };
    let worker = tokio::spawn(async move { engine.run_worker(options, stopped).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let planned = world.operator.submit(plan).await;
    let amop = world.operator.order([iccid(60)], world.operator.amop_assignment());
    while world.operator.change(planned.id).await.processed_at.is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let assigned = world.operator.submit(amop).await;
    while world.operator.change(assigned.id).await.processed_at.is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = world.operator.clock.now() - begun;
    assert!(took < chrono::TimeDelta::seconds(5), "two changes that call nobody took {took}");
    assert_eq!(world.operator.change(billed.id).await.counts.processed, 0, "the other account has not answered");
    stop.stop();
    worker.await.expect("the worker does not panic");
}
