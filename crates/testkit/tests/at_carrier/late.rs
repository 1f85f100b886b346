//! Calls that their carrier works off only after their caller gave them up: no other order may come in between and be overwritten
//! (B4.6 rule 6, B7.3).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, Effect};
use lineshift_domain::terms::OnPartialFailure;
use lineshift_engine::{Boundary, Clock as _, WorkerOptions};
use lineshift_simulators::jasper::{Fault, Status};
use lineshift_simulators::pond::PackageStatus;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, PLAN, to_plan, to_status, with_carrier_plan};
use lineshift_testkit::operator::iccid;
use tokio::time::sleep;

use crate::assignment::run_closed_meanwhile;
use crate::situation::{ADD, ASSIGN, SET_SERVICES, Situation, calls};

/// What works late does so a minute after its caller has given up.
async fn situation() -> Situation {
    let late = || Duration::from_secs(88)..=Duration::from_secs(90);
    let limits = Limits::default();
    let world = CarrierWorld::with(1, limits, |options| options.late_after = late(), |options| options.late_after = late()).await;
    world.set_billing_account().await;
    Situation::of(world)
}

async fn order(situation: &mut Situation, at_pond: bool, effect: Effect) -> BulkChangeId {
    if at_pond { situation.pond(1, effect).await } else { situation.jasper(1, effect).await }
}

/// Orders `then` again and again while a process works, until the line is free for it. Answers how often it was not.
async fn order_as_soon_as_possible(situation: &mut Situation, at_pond: bool, then: &Effect) -> u32 {
    let worker = situation.start("works on");
    let mut refused = 0;
    loop {
        sleep(Duration::from_secs(10)).await;
        let id = order(situation, at_pond, then.clone()).await;
        if situation.world.operator.outcomes(id).await != ["change_in_progress"] {
            // A worker of these tests looks every half minute.
            sleep(Duration::from_secs(35)).await;
            assert_eq!(situation.world.operator.outcomes(id).await, ["PROCESSED"]);
            break;
        }
        refused += 1;
        assert!(refused < 100, "the line never comes free");
    }
    worker.abort();
    refused
}

/// The first call for `effect` works late; `then` is ordered as soon as that is possible. Ten minutes later both are long done. Answers
/// how often the line was held for `then`.
async fn overtaken(situation: &mut Situation, at_pond: bool, effect: Effect, then: Effect) -> u32 {
    let id = order(situation, at_pond, effect).await;
    let refused = order_as_soon_as_possible(situation, at_pond, &then).await;
    assert_eq!(situation.world.operator.outcomes(id).await, ["PROCESSED"]);
    sleep(Duration::from_secs(600)).await;
    refused
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_jasper_sets_late_does_not_overwrite_the_next_order() {
    let mut situation = situation().await;
    situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksLate);
    let held = overtaken(&mut situation, false, to_plan(OTHER_PLAN), to_plan(PLAN)).await;
    assert_eq!(situation.plan(1), PLAN);
    assert_eq!(situation.world.operator.device(1).await.carrier_rate_plan.as_deref(), Some(PLAN));
    assert_eq!(calls(&situation.at_jasper(), ASSIGN), 3, "sent, sent again, and the next order's");
    assert!(held > 5, "held for {held} looks");
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_the_line_had_at_jasper_already_is_no_sign_that_the_call_has_worked() {
    let mut situation = situation().await;
    situation.world.jasper.change_device(&iccid(1), |device| device.rate_plan = Some(OTHER_PLAN.to_owned()));
    situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksLate);
    let held = overtaken(&mut situation, false, to_plan(OTHER_PLAN), to_plan(PLAN)).await;
    assert_eq!(situation.plan(1), PLAN);
    assert_eq!(calls(&situation.at_jasper(), ASSIGN), 2, "sent, and the next order's");
    assert!(held > 5, "held for {held} looks");
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_status_that_jasper_sets_late_does_not_overwrite_the_next_order() {
    let mut situation = situation().await;
    situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksLate);
    let held = overtaken(&mut situation, false, to_status("DEACTIVATED"), to_status("ACTIVATED")).await;
    assert_eq!(situation.world.jasper.ledger().device(&iccid(1)).expect("there").status, Status::Activated);
    assert_eq!(situation.world.operator.device(1).await.status, "ACTIVATED");
    assert!(held > 5, "held for {held} looks");
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_status_that_pond_sets_late_does_not_overwrite_the_next_order() {
    let mut situation = situation().await;
    situation.world.pond.meet_next_on(SET_SERVICES, Fault::WorksLate);
    let held = overtaken(&mut situation, true, to_status("Out-of-Service"), to_status("In-Service")).await;
    assert_eq!(situation.world.operator.device(situation.world.first_pond_line).await.status, "In-Service");
    assert!(held > 5, "held for {held} looks");
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_held_line_says_so_and_ends_as_it_stands_whatever_is_lost_meanwhile() {
    let mut situation = situation().await;
    situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksLate);
    let id = situation.jasper(1, to_plan(OTHER_PLAN)).await;
    let worker = situation.start("works on");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(situation.world.operator.outcomes(id).await, ["outcome_unknown"]);
    let text = situation.text(id).await;
    assert!(text.contains("the line is held until"), "{text}");
    let line = situation.world.operator.device(1).await;
    assert_eq!(line.carrier_rate_plan.as_deref(), Some(OTHER_PLAN), "that it was moved is said at once");
    situation.world.set_jasper_account(|account| account.write_enabled = false).await;
    situation.world.set_plan_active(OTHER_PLAN, false).await;
    worker.abort();
    assert_eq!(situation.finish(id).await, ["PROCESSED"]);
    assert_eq!(situation.world.operator.history(1).await.len(), 1, "it was moved once");
    assert_eq!(calls(&situation.at_jasper(), ASSIGN), 2);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_refused_when_it_was_sent_again_is_looked_for_until_it_cannot_work_any_more() {
    for (fault, ends, plan) in [(Fault::WorksLate, "PROCESSED", OTHER_PLAN), (Fault::Silence, "carrier_refused", PLAN)] {
        let mut situation = situation().await;
        situation.world.jasper.meet_next_on(ASSIGN, fault);
        let id = situation.jasper(1, to_plan(OTHER_PLAN)).await;
        let worker = situation.start("hears nothing");
        sleep(Duration::from_secs(10)).await;
        situation.world.refuse_next("/devices/", "");
        sleep(Duration::from_secs(40)).await;
        assert_eq!(situation.world.operator.outcomes(id).await, ["outcome_unknown"], "{fault:?}");
        worker.abort();
        assert_eq!(situation.finish(id).await, [ends], "{fault:?}: {}", situation.text(id).await);
        assert_eq!(situation.plan(1), plan, "{fault:?}");
        assert_eq!(situation.world.operator.device(1).await.carrier_rate_plan.as_deref(), Some(plan), "{fault:?}");
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn neither_a_call_nor_its_undo_works_late_once_the_line_is_free() {
    // The call itself, and the call that puts the line back.
    for late_before in [0, 1] {
        let mut situation = situation().await;
        let asked = with_carrier_plan(situation.world.assignment(), OTHER_PLAN);
        let assignment = AssignmentOrder { on_partial_failure: OnPartialFailure::Compensate, ..asked };
        for _ in 0..late_before {
            // A search that lags is a call that goes well.
            situation.world.jasper.meet_next_on(ASSIGN, Fault::SearchLags);
        }
        situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksLate);
        let begun = situation.world.operator.clock.now();
        let id = situation.submit(situation.world.jasper_order([1], Effect::CustomerAssignment(assignment))).await;
        run_closed_meanwhile(&situation, id).await;
        let took = situation.world.operator.clock.now() - begun;
        assert!(took > situation.world.operator.engine.limits().settle_after(), "{late_before}: the line was free after {took}");
        let text = situation.text(id).await;
        assert!(text.contains("put back"), "{late_before}: {text}");
        situation.right().await;
        assert_eq!(situation.plan(1), PLAN, "{late_before}");
        assert_eq!(calls(&situation.at_jasper(), ASSIGN), 3, "{late_before}: one of the two was sent again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_was_taken_and_does_not_show_is_read_until_no_call_for_it_can_work_late() {
    for works_late in [true, false] {
        let mut situation = situation().await;
        situation.world.jasper.meet_next_on(ASSIGN, if works_late { Fault::WorksLate } else { Fault::Silence });
        let id = situation.jasper(1, to_status("DEACTIVATED")).await;
        let (jasper, answered) = (Arc::clone(&situation.world.jasper), Arc::new(AtomicUsize::new(0)));
        let engine = situation.world.another_engine().with_boundaries(Arc::new(move |boundary, _| {
            if boundary == Boundary::Answered && answered.fetch_add(1, Ordering::Relaxed) == 1 {
                // Sent again it works, and somebody else turns it back at once.
                jasper.change_device(&iccid(1), |device| device.status = Status::Activated);
            }
            Box::pin(async {})
        }));
        let worker = tokio::spawn(async move {
            let (_stop, stopped) = lineshift_engine::shutdown();
            engine.run_worker(WorkerOptions { owner: "meddled with".to_owned() }, stopped).await;
        });
        sleep(Duration::from_secs(60)).await;
        assert_eq!(situation.world.operator.outcomes(id).await, ["outcome_unknown"]);
        worker.abort();
        let ends = if works_late { "PROCESSED" } else { "carrier_refused" };
        assert_eq!(situation.finish(id).await, [ends], "{}", situation.text(id).await);
        let there = situation.world.jasper.ledger().device(&iccid(1)).expect("there").status;
        assert_eq!(situation.world.operator.device(1).await.status, there.name());
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_whose_change_is_canceled_while_it_is_held_is_carried_to_its_end() {
    let mut situation = situation().await;
    situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksLate);
    let id = situation.jasper(1, to_status("DEACTIVATED")).await;
    let worker = situation.start("works");
    sleep(Duration::from_secs(40)).await;
    let operator = &situation.world.operator;
    operator.engine.cancel(&operator.caller, id).await.expect("canceled");
    sleep(Duration::from_secs(60)).await;
    worker.abort();
    assert_eq!(situation.finish(id).await, ["PROCESSED"]);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_package_that_somebody_else_added_is_no_sign_that_the_call_has_worked() {
    let mut situation = situation().await;
    situation.world.pond.meet_next_on(ADD, Fault::WorksLate);
    let begun = situation.world.operator.clock.now();
    let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
    let worker = situation.start("hears nothing");
    sleep(Duration::from_secs(20)).await;
    let theirs = situation.world.pond.add_package(&situation.sim(1), OTHER_PACKAGE_TYPE, PackageStatus::Added);
    situation.ordered.packages_before.insert(theirs);
    worker.abort();
    assert_eq!(situation.finish(id).await, ["PROCESSED"]);
    let took = situation.world.operator.clock.now() - begun;
    assert!(took > situation.world.operator.engine.limits().settle_after(), "the line was free after {took}");
    assert_eq!(calls(&situation.at_pond(), ADD), 1);
    assert_eq!(situation.packages(1).0, [OTHER_PACKAGE_TYPE], "one package is active");
}
