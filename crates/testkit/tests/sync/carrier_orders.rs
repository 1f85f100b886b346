//! What can be ordered of a carrier's account, and what is refused by name.

use chrono::TimeDelta;
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId};
use lineshift_domain::sync::{SyncPart, SyncParts};
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Clock as _, EngineError, SyncOrder};
use lineshift_store::StoreError;
use lineshift_store::catalogue::ServiceProvider;
use secrecy::SecretString;

use crate::carrier_world::{CarrierWorld, DEVICES, account, device, met, now};

/// Field and code of the refusal.
async fn refused(world: &CarrierWorld, account: IntegrationAuthenticationId, order: SyncOrder) -> (String, String) {
    let operator = &world.operator;
    match operator.engine.begin_sync(&operator.caller, account, order).await {
        Err(EngineError::Refused(refusal)) => {
            let problem = &refusal.problems[0];
            (problem.field.clone(), problem.code.clone())
        }
        other => panic!("{other:?}"),
    }
}

fn part(part: SyncPart) -> SyncOrder {
    SyncOrder::of(SyncParts::NONE.and(part))
}

fn said(field: &str, code: &str) -> (String, String) {
    (field.to_owned(), code.to_owned())
}

#[tokio::test(start_paused = true)]
async fn what_a_carrier_does_not_have_is_refused_by_name() {
    let world = CarrierWorld::with_lines(3).await;
    let (jasper, pond) = (world.jasper_account, world.pond_account);
    assert_eq!(refused(&world, jasper, part(SyncPart::Services)).await, said("what", "not_of_this_integration"));
    assert_eq!(refused(&world, pond, part(SyncPart::Usage)).await, said("what", "usage_not_told"));
    let lines = SyncOrder { iccids: vec![device(1)], ..DEVICES };
    assert_eq!(refused(&world, jasper, lines).await, said("iccids", "not_with_what"));
    let unknown = SyncOrder { iccids: vec![device(1), "no number".to_owned()], ..part(SyncPart::Usage) };
    assert_eq!(refused(&world, jasper, unknown).await, said("iccids", "device_not_found"), "no line is here yet");
    let many = SyncOrder { iccids: vec![device(1); SyncOrder::MOST_LINES + 1], ..part(SyncPart::Usage) };
    assert_eq!(refused(&world, jasper, many).await, said("iccids", "too_many_lines"));
    let other = SyncOrder { service_provider: Some(world.pond_provider), ..DEVICES };
    assert_eq!(refused(&world, jasper, other).await, said("service_provider_id", "not_of_this_integration"));
    let nowhere = account(&world.operator, IntegrationKind::TELEGENCE, "https://x.example", &SecretString::from("{}")).await;
    assert_eq!(refused(&world, nowhere, DEVICES).await, said("", "not_synchronised"));
    let billing = world.operator.authentication;
    assert_eq!(refused(&world, billing, SyncOrder::ALL).await, said("", "credentials_missing"));
}

#[tokio::test(start_paused = true)]
async fn of_several_service_providers_with_one_account_one_is_named() {
    let world = CarrierWorld::with_lines(3).await;
    let operator = &world.operator;
    let provider = operator.store.get_service_provider(operator.tenant(), operator.jasper).await.expect("there");
    let second = ServiceProvider { id: ServiceProviderId(0), name: "Second".to_owned(), ..provider };
    let second = operator.store.create_service_provider(operator.tenant(), &second, now(&world)).await.expect("another");
    let several = said("service_provider_id", "several_service_providers");
    assert_eq!(refused(&world, world.jasper_account, DEVICES).await, several);
    let named = SyncOrder { service_provider: Some(second), ..DEVICES };
    assert_eq!(met(&world.sync(world.jasper_account, named).await), (3, 3, 0, 0, 0, 0));
    let first = SyncOrder { service_provider: Some(operator.jasper), ..DEVICES };
    let run = world.sync(world.jasper_account, first).await;
    assert_eq!(met(&run), (3, 0, 0, 0, 3, 0), "the lines are the other's, and are not moved");
    let idle = operator.store.get_service_provider(operator.tenant(), second).await.expect("there");
    for id in [operator.jasper, second] {
        let idle = ServiceProvider { id, is_active: false, name: format!("idle {id}"), ..idle.clone() };
        operator.store.update_service_provider(operator.tenant(), &idle, now(&world)).await.expect("updated");
    }
    assert_eq!(refused(&world, world.jasper_account, DEVICES).await, said("", "no_service_provider"));
}

#[tokio::test(start_paused = true)]
async fn runs_of_carriers_begin_by_themselves() {
    let world = CarrierWorld::with_lines(3).await;
    let engine = world.another_engine().syncing_every(TimeDelta::hours(6));
    assert_eq!(engine.begin_scheduled_syncs().await.expect("begun"), 2, "Jasper's and POND's");
    engine.run_due_syncs().await.expect("they run");
    tokio::time::sleep(std::time::Duration::from_secs(5 * 3_600)).await;
    assert_eq!(engine.begin_scheduled_syncs().await.expect("not due"), 0);
    tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
    assert_eq!(engine.begin_scheduled_syncs().await.expect("due"), 2);
    let runs = world.operator.store.list_sync_runs(world.operator.tenant(), None, 10).await.expect("a list").items;
    assert!(runs.iter().all(|run| run.ordered_by == "schedule" && run.what == SyncParts::CARRIER), "{runs:?}");
    assert_eq!(world.column("SELECT count(*) FROM device").await, ["6"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_another_tenant_is_seen_or_touched() {
    let world = CarrierWorld::with_lines(5).await;
    let other = world.operator.beside("Another operator", 0).await;
    // The other has a line with the ICCID of one of these.
    let mut line = other.line(other.jasper, 1, "ACTIVATED");
    line.iccid = device(1);
    other.import(&[line]).await;
    world.jasper.change_device(&device(1), |device| device.status = lineshift_simulators::jasper::Status::Retired);
    let run = world.sync(world.jasper_account, SyncOrder::ALL).await;
    assert_eq!(met(&run), (8, 8, 0, 0, 0, 0));
    let theirs = format!("SELECT status, is_archived FROM device WHERE tenant_id = {}", other.tenant());
    assert_eq!(world.column(&theirs).await, ["ACTIVATED 0"]);
    let plans = format!("SELECT count(*) FROM carrier_rate_plan WHERE tenant_id = {}", other.tenant());
    assert_eq!(world.column(&plans).await, ["0"]);
    assert!(matches!(other.store.get_sync_run(other.tenant(), run.id).await, Err(StoreError::NotFound { .. })));
    let begun = other.engine.begin_sync(&other.caller, world.jasper_account, SyncOrder::ALL).await;
    assert!(matches!(begun, Err(EngineError::Store(StoreError::NotFound { .. }))), "{begun:?}");
    assert!(other.clock.now() > run.started_at);
}
