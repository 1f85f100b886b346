//! What an undo puts back at a carrier, and what is said of it (B6.3).

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::order::{AssignmentOrder, Effect};
use lineshift_domain::terms::OnPartialFailure;
use lineshift_simulators::jasper::Fault;
use lineshift_store::catalogue::CarrierRatePlan;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PLAN, PLAN, to_plan, with_carrier_plan};

use crate::assignment::run_closed_meanwhile;
use crate::situation::{ASSIGN, Situation};

async fn situation() -> Situation {
    let world = CarrierWorld::with_lines(1).await;
    world.set_billing_account().await;
    Situation::of(world)
}

/// An assignment of the first line of Jasper that is undone when it fails.
async fn compensated(situation: &mut Situation) -> BulkChangeId {
    let asked = with_carrier_plan(situation.world.assignment(), OTHER_PLAN);
    let asked = AssignmentOrder { on_partial_failure: OnPartialFailure::Compensate, ..asked };
    situation.jasper(1, Effect::CustomerAssignment(asked)).await
}

#[tokio::test(start_paused = true)]
async fn an_undo_of_a_retry_puts_back_what_was_there_before_the_retry() {
    for fault in [None, Some(Fault::WorksThenSilence)] {
        let mut situation = situation().await;
        situation.world.jasper.with_rate_plan("Third");
        let operator = &situation.world.operator;
        let plan = CarrierRatePlan { code: "Third".to_owned(), name: "Third".to_owned(), is_active: true };
        operator.store.upsert_carrier_rate_plans(operator.tenant(), operator.jasper, &[plan]).await.expect("stored");
        let id = compensated(&mut situation).await;
        run_closed_meanwhile(&situation, id).await;
        assert_eq!(situation.plan(1), PLAN);
        let third = situation.jasper(1, to_plan("Third")).await;
        assert_eq!(situation.finish(third).await, ["PROCESSED"]);
        let operator = &situation.world.operator;
        operator.engine.retry(&operator.caller, id, &[]).await.expect("there is something to retry");
        if let Some(fault) = fault {
            situation.world.jasper.meet_next_on(ASSIGN, fault);
        }
        run_closed_meanwhile(&situation, id).await;
        assert_eq!(situation.plan(1), "Third", "{fault:?}: {}", situation.text(id).await);
        assert_eq!(situation.world.operator.device(1).await.carrier_rate_plan.as_deref(), Some("Third"), "{fault:?}");
    }
}
