//! Assignments whose billing fails at a second look, while their carrier has something of the line, or may have (B6.3, B7.3).

use std::sync::Arc;
use std::time::Duration;

use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, Effect, RevCharge, RevServiceOrder};
use lineshift_domain::terms::OnPartialFailure;
use lineshift_engine::{Boundary, WorkerOptions};
use lineshift_simulators::jasper::Fault;
use lineshift_simulators::revio;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PLAN, PLAN, to_plan, with_carrier_plan};
use tokio::time::sleep;

use crate::situation::{ASSIGN, Situation};

/// What works late does so a minute after its caller has given up.
async fn situation() -> Situation {
    let late = || Duration::from_secs(88)..=Duration::from_secs(90);
    let limits = Limits::default();
    let world = CarrierWorld::with(1, limits, |options| options.late_after = late(), |options| options.late_after = late()).await;
    world.set_billing_account().await;
    Situation::of(world)
}

/// With a package, which is read in Rev.io at every look.
fn package(situation: &Situation, on_partial_failure: OnPartialFailure) -> AssignmentOrder {
    let asked = situation.world.assignment();
    let service = asked.rev_service.clone().expect("a service");
    let service = RevServiceOrder { charge: RevCharge::Package(7), ..service };
    let asked = AssignmentOrder { rev_service: Some(service), on_partial_failure, ..asked };
    with_carrier_plan(asked, OTHER_PLAN)
}

async fn run_at_once(situation: &Situation) {
    let engine = situation.world.another_engine();
    engine.run_pages_until_idle(&WorkerOptions { owner: "at once".to_owned() }).await.expect("pages run");
}

#[tokio::test(start_paused = true)]
async fn a_call_of_which_nobody_heard_is_settled_though_billing_cannot_be_read_meanwhile() {
    let mut situation = situation().await;
    let asked = package(&situation, OnPartialFailure::Keep);
    situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksThenSilence);
    let id = situation.submit(situation.world.jasper_order([1], Effect::CustomerAssignment(asked))).await;
    let worker = situation.start("hears nothing");
    sleep(Duration::from_secs(10)).await;
    situation.world.jasper.break_down(true);
    sleep(Duration::from_secs(25)).await;
    situation.world.revio.break_down(true);
    sleep(Duration::from_secs(300)).await;
    situation.world.jasper.break_down(false);
    situation.world.revio.break_down(false);
    worker.abort();
    sleep(Duration::from_secs(31)).await;
    situation.finish(id).await;
    let here = situation.world.operator.device(1).await.carrier_rate_plan;
    assert_eq!((here.as_deref(), situation.plan(1).as_str()), (Some(OTHER_PLAN), OTHER_PLAN));
    let unknown = "SELECT count(*) FROM device_change_step WHERE state IN ('intended', 'ambiguous', 'waiting', 'stuck')";
    assert_eq!(situation.world.operator.count(unknown).await, 0, "nobody has to look it up");
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_held_line_stays_held_when_its_change_is_canceled_and_billing_cannot_be_read() {
    let mut situation = situation().await;
    let asked = package(&situation, OnPartialFailure::Keep);
    situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksLate);
    let id = situation.submit(situation.world.jasper_order([1], Effect::CustomerAssignment(asked))).await;
    let worker = situation.start("works on");
    sleep(Duration::from_secs(36)).await;
    situation.world.revio.break_down(true);
    let operator = &situation.world.operator;
    operator.engine.cancel(&operator.caller, id).await.expect("canceled");
    worker.abort();
    sleep(Duration::from_secs(31)).await;
    run_at_once(&situation).await;
    let next = situation.jasper(1, to_plan(PLAN)).await;
    run_at_once(&situation).await;
    assert_eq!(situation.world.operator.outcomes(next).await, ["change_in_progress"]);
    sleep(Duration::from_secs(900)).await;
    situation.world.revio.break_down(false);
    situation.finish(id).await;
    assert_eq!(situation.plan(1), OTHER_PLAN, "the late call has overwritten nothing");
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_undone_is_undone_at_the_carrier_too_when_billing_fails_at_a_second_look() {
    for failures in 5..=7 {
        let mut situation = situation().await;
        let asked = package(&situation, OnPartialFailure::Compensate);
        let id = situation.submit(situation.world.jasper_order([1], Effect::CustomerAssignment(asked))).await;
        let engine = situation.world.another_engine().with_boundaries(Arc::new(move |boundary, _| {
            Box::pin(async move {
                if boundary == Boundary::Called {
                    std::future::pending::<()>().await;
                }
            })
        }));
        let worker = tokio::spawn(async move {
            let (_stop, stopped) = lineshift_engine::shutdown();
            engine.run_worker(WorkerOptions { owner: "dies".to_owned() }, stopped).await;
        });
        sleep(Duration::from_secs(20)).await;
        worker.abort();
        for _ in 0..failures {
            situation.world.revio.meet_next_on("GET /ServiceProduct", revio::Fault::Fails500);
        }
        sleep(Duration::from_secs(31)).await;
        let engine = situation.world.another_engine();
        for _ in 0..8 {
            let Some(claim) = situation.world.operator.claim(id, "goes on").await else { break };
            engine.run_page(&claim).await.expect("the page runs");
            sleep(Duration::from_secs(5)).await;
        }
        let open = situation.world.operator.change(id).await.counts.open;
        assert_eq!(open, 0, "{failures}: it never ends: {}", situation.text(id).await);
        situation.finish(id).await;
        situation.right().await;
    }
}
