//! Lines that are booked out of the orderer's reach while their page calls outside (B5.3).

use std::str::FromStr as _;
use std::sync::Arc;

use lineshift_domain::ids::SiteId;
use lineshift_domain::order::Effect;
use lineshift_domain::reach::Reach;
use lineshift_domain::rights::Rights;
use lineshift_domain::scopes::Scopes;
use lineshift_engine::{Boundary, Caller, Clock as _, Submission, WorkerOptions};
use lineshift_store::access::NewApiKey;
use lineshift_store::billing::AccountSettings;
use lineshift_store::catalogue::{CarrierRatePlan, Site};
use lineshift_store::import::ImportAssignment;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PLAN, with_carrier_plan};
use lineshift_testkit::operator::iccid;

use crate::situation::Situation;

/// Why the carrier may not be called any more, once every call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoCalls {
    PlanInactive,
    WritesDisabled,
}

fn booking(site_id: SiteId) -> ImportAssignment {
    ImportAssignment {
        iccid: iccid(1),
        rev_customer_id: None,
        site_id,
        customer_rate_plan_id: None,
        customer_rate_pool_id: None,
        customer_data_allocation_mb: None,
        effective_date: None,
    }
}

/// A key that reaches the operator's customer and own site.
async fn guest(situation: &Situation) -> Caller {
    let operator = &situation.world.operator;
    let (tenant, now) = (operator.tenant(), operator.clock.now());
    let reach = Reach::from_str(&format!("customer:{} site:{}", operator.rev_customer.0, operator.amop_site.0)).expect("a reach");
    let scopes: Scopes = "m2m:create".parse().expect("scopes");
    let name = "guest".to_owned();
    let key =
        NewApiKey { name: name.clone(), secret_hash: [3; 32], scopes: scopes.clone(), reach: reach.clone(), expires_at: None };
    let principal = operator.store.create_api_key(tenant, &key, now).await.expect("a key");
    Caller { tenant, principal, name, rights: Rights { reach, ..Rights::unlimited(scopes) } }
}

/// How an assignment ends whose line is booked out of reach once every call was made, then where the line is booked.
async fn booked_out_of_reach(no_calls: Option<NoCalls>) -> (Vec<&'static str>, bool) {
    let world = CarrierWorld::with_lines(1).await;
    world.set_billing_account().await;
    let mut situation = Situation::of(world);
    let operator = &situation.world.operator;
    let (tenant, now) = (operator.tenant(), operator.clock.now());
    let site = Site { id: SiteId(0), name: "Elsewhere".to_owned(), rev_customer_id: None, is_active: true };
    let elsewhere = operator.store.create_site(tenant, &site, now).await.expect("a site");
    operator.store.import_assignments(tenant, &[booking(operator.amop_site)], "before", now).await.expect("booked");
    let guest = guest(&situation).await;
    let effect = Effect::CustomerAssignment(with_carrier_plan(situation.world.assignment(), OTHER_PLAN));
    let order = situation.world.jasper_order([1], effect.clone());
    let submission = situation.world.operator.engine.submit(&guest, order, None).await.expect("submitted");
    let Submission::Stored(submitted) = submission else { panic!("stored: {submission:?}") };
    situation.ordered.add(submitted.id, &effect);
    let (store, jasper) = (Arc::clone(&situation.world.operator.store), situation.world.operator.jasper);
    let account = situation.world.jasper_account;
    let engine = situation.world.another_engine().with_boundaries(Arc::new(move |boundary, _| {
        let store = Arc::clone(&store);
        Box::pin(async move {
            if boundary != Boundary::Called {
                return;
            }
            store.import_assignments(tenant, &[booking(elsewhere)], "elsewhere", now).await.expect("booked");
            match no_calls {
                Some(NoCalls::PlanInactive) => {
                    let plan = CarrierRatePlan { code: OTHER_PLAN.to_owned(), name: "Gone".to_owned(), is_active: false };
                    store.upsert_carrier_rate_plans(tenant, jasper, &[plan]).await.expect("stored");
                }
                Some(NoCalls::WritesDisabled) => {
                    let settings = AccountSettings {
                        base_address: "https://jasper.example/rws/api/v1".to_owned(),
                        secret_encrypted: None,
                        is_local: false,
                        write_enabled: false,
                        concurrency: None,
                        calls_a_minute: None,
                        calls_a_day: None,
                    };
                    store.set_account(tenant, account, &settings, now).await.expect("disabled");
                }
                None => {}
            }
        })
    }));
    engine.run_pages_until_idle(&WorkerOptions { owner: "meddled with".to_owned() }).await.expect("pages run");
    let codes = situation.finish(submitted.id).await;
    let device = situation.world.operator.device(1).await;
    (codes, device.site_id == Some(elsewhere) && device.rev_customer_id.is_none())
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_booked_out_of_reach_is_left_there_whatever_is_said_of_plan_and_account() {
    for no_calls in [None, Some(NoCalls::PlanInactive), Some(NoCalls::WritesDisabled)] {
        assert_eq!(booked_out_of_reach(no_calls).await, (vec!["rights_lost"], true), "{no_calls:?}");
    }
}
