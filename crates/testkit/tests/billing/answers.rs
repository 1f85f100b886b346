//! No answer of the API tells what the billing system repeated of the credentials (B7.5).

use lineshift_engine::WorkerOptions;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::BillingWorld;
use lineshift_testkit::billing_secrets::{everything_stored, secrets_in};
use lineshift_web::ROUTES;

use crate::situation::submit;

#[tokio::test]
async fn no_answer_tells_a_credential_that_the_other_side_repeats() {
    let mut world = BillingWorld::with_lines(3).await;
    world.repeats = true;
    let first = submit(&world, 2, world.assignment()).await;
    world.simulator.refuse_credentials(true);
    let engine = world.another_engine();
    engine.run_pages_until_idle(&WorkerOptions { owner: "worker".to_owned() }).await.expect("pages run");
    assert_eq!(world.operator.outcomes(first).await, ["credentials_refused"; 2]);
    let stored = everything_stored(&world.operator.stored).await;
    assert!(stored.contains("not as ***"), "what the other side said is kept, without the secrets");
    assert_eq!(secrets_in(&stored), [""; 0]);

    let (app, _) = TestApp::billing(world).await;
    let mut asked = 0;
    for caller in [app.orderer().await, app.admin().await] {
        // A stream of events does not end.
        for route in ROUTES.iter().filter(|route| route.method == "get" && !route.path.ends_with("/events")) {
            let text = caller.get(&route.path.replace("{id}", "1")).await.text();
            assert_eq!(secrets_in(&text), [""; 0], "{}", route.path);
            asked += usize::from(text.contains("***"));
        }
    }
    assert!(asked > 0, "some answer repeats what the other side said");
}
