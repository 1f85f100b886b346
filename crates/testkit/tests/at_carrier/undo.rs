//! What an undo puts back at a carrier, and what is said of it (B6.3).

use std::sync::Arc;
use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::order::{AssignmentOrder, Effect};
use lineshift_domain::terms::OnPartialFailure;
use lineshift_engine::{Boundary, Clock as _, WorkerOptions};
use lineshift_simulators::jasper::Fault;
use lineshift_store::catalogue::{CarrierRatePlan, RevCustomer};
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PLAN, PLAN, to_plan, with_carrier_plan};
use tokio::time::sleep;

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

/// A worker by which the customer is closed once the calls of a page are made.
fn closes_the_customer(situation: &Situation) -> tokio::task::JoinHandle<()> {
    let operator = &situation.world.operator;
    let (store, tenant, customer) = (Arc::clone(&operator.store), operator.tenant(), operator.rev_customer);
    let clock = Arc::clone(&operator.clock);
    let engine = situation.world.another_engine().with_boundaries(Arc::new(move |boundary, _| {
        let (store, clock) = (Arc::clone(&store), Arc::clone(&clock));
        Box::pin(async move {
            if boundary == Boundary::Called {
                let present = store.get_rev_customer(tenant, customer).await.expect("a customer");
                store
                    .update_rev_customer(tenant, &RevCustomer { is_active: false, ..present }, clock.now())
                    .await
                    .expect("changed");
            }
        })
    }));
    tokio::spawn(async move {
        let (_stop, stopped) = lineshift_engine::shutdown();
        engine.run_worker(WorkerOptions { owner: "meddled with".to_owned() }, stopped).await;
    })
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_stands_and_is_held_is_said_to_stand_though_credentials_are_lost_meanwhile() {
    let mut situation = situation().await;
    // The call goes well; the one that puts the line back is not heard of.
    situation.world.jasper.meet_next_on(ASSIGN, Fault::SearchLags).meet_next_on(ASSIGN, Fault::WorksThenSilence);
    let id = compensated(&mut situation).await;
    let worker = closes_the_customer(&situation);
    sleep(Duration::from_secs(120)).await;
    worker.abort();
    assert_eq!(situation.plan(1), PLAN);
    let here = situation.world.operator.device(1).await.carrier_rate_plan;
    assert_eq!(here.as_deref(), Some(PLAN), "that it was put back is said at once");
    assert_eq!(situation.world.operator.outcomes(id).await, ["outcome_unknown"], "the line is held");
    situation.world.set_jasper_account(|account| account.secret_encrypted = Some(Vec::new())).await;
    assert_eq!(situation.finish(id).await, ["customer_inactive"]);
    let text = situation.text(id).await;
    assert!(text.contains("put back") && !text.contains("could not be undone"), "{text}");
    situation.right().await;
}
