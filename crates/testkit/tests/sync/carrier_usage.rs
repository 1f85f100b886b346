//! What lines used: of chosen lines, one call each, in what bulk changes leave.

use std::time::Duration;

use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{BulkChangeId, PrincipalId};
use lineshift_domain::order::{PlanValues, Setting, StoredOrder, StoredPlan};
use lineshift_domain::sync::{SyncPart, SyncParts, SyncState};
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_engine::SyncOrder;
use lineshift_simulators::jasper::Usage;
use lineshift_store::bulk_changes::{NewBulkChange, NewDeviceChange, Orderer};
use lineshift_store::import::ImportAssignment;
use lineshift_store::work::CalledAccounts;

use crate::carrier_world::{CarrierWorld, DEVICES, device, now};
use crate::world::work_for;

const USAGE: SyncOrder = SyncOrder::of(SyncParts::NONE.and(SyncPart::Usage));

const STORED: &str = "SELECT d.iccid, u.data_bytes, u.sms_count, u.voice_seconds FROM device_usage u
    JOIN device d ON d.tenant_id = u.tenant_id AND d.id = u.device_id ORDER BY d.iccid";

/// A world whose first lines are assigned.
async fn assigned(lines: u32, assigned: u64) -> CarrierWorld {
    let world = CarrierWorld::with_lines(lines).await;
    world.sync(world.jasper_account, DEVICES).await;
    let operator = &world.operator;
    let row = |nth| ImportAssignment {
        iccid: device(nth),
        rev_customer_id: None,
        site_id: operator.amop_site,
        customer_rate_plan_id: None,
        customer_rate_pool_id: None,
        customer_data_allocation_mb: None,
        effective_date: None,
    };
    let rows: Vec<_> = (1..=assigned).map(row).collect();
    let done = operator.store.import_assignments(operator.tenant(), &rows, "test", now(&world)).await.expect("assigned");
    assert_eq!(done.refused, vec![]);
    for nth in 1..=u64::from(lines) {
        world.jasper.use_up(&device(nth), Usage { data_bytes: nth * 1_000, sms: nth, voice_seconds: 0, sessions: 1 });
    }
    world
}

#[tokio::test(start_paused = true)]
async fn usage_is_read_of_assigned_lines_or_of_those_named() {
    let world = assigned(130, 120).await;
    assert_eq!(world.column(STORED).await, Vec::<String>::new(), "off unless it is asked for");
    let run = world.sync(world.jasper_account, USAGE).await;
    assert_eq!((run.counts.used, run.counts.read), (120, 0));
    assert_eq!(world.calls("GET /devices/{iccid}/ctdUsages"), 120, "a call a line");
    let stored = world.column(STORED).await;
    assert_eq!((stored.len(), stored[0].clone()), (120, format!("{} 1000 1 0", device(1))));

    world.jasper.use_up(&device(2), Usage { data_bytes: 7, sms: 0, voice_seconds: 60, sessions: 1 });
    let named = SyncOrder { iccids: vec![device(130), device(2), device(2)], ..USAGE };
    let run = world.sync(world.jasper_account, named).await;
    assert_eq!((run.counts.used, run.usage_lines), (2, 2));
    let stored = world.column(STORED).await;
    assert_eq!((stored.len(), stored[1].clone()), (121, format!("{} 7 0 60", device(2))), "one present row a line");
}

#[tokio::test(start_paused = true)]
async fn usage_that_is_killed_between_calls_comes_to_the_same() {
    let world = assigned(120, 120).await;
    world.jasper.adjust(|options| options.latency = Duration::from_secs(1));
    let operator = &world.operator;
    let begun = operator.engine.begin_sync(&operator.caller, world.jasper_account, USAGE).await.expect("begun");
    for seconds in [70, 80] {
        let engine = world.another_engine();
        let killed = tokio::spawn(async move { engine.run_due_syncs().await });
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        killed.abort();
        drop(killed.await);
        tokio::time::sleep(Duration::from_secs(61)).await;
    }
    let run = work_for(operator, &world.another_engine(), begun.id).await;
    assert_eq!((run.state, run.counts.used), (SyncState::Done, 120));
    assert_eq!(world.column(STORED).await.len(), 120);
}

/// A change whose page calls the Jasper account.
async fn calling(world: &CarrierWorld, nth: u64) -> BulkChangeId {
    let operator = &world.operator;
    let found = format!("SELECT id FROM device WHERE iccid = '{}'", device(nth));
    let line = world.column(&found).await[0].parse().expect("an id");
    let values = PlanValues { plan: Setting::Set(operator.plan), ..PlanValues::default() };
    let change = NewBulkChange {
        order: StoredOrder::CustomerRatePlanChange(StoredPlan {
            values,
            effective_at: None,
            queued: false,
            replace_scheduled: false,
        }),
        portal: PortalType::M2M,
        service_provider_id: operator.jasper,
        identifier: LineIdentifier::Iccid,
        name: None,
        reason: None,
        orderer: Orderer { name: "test".to_owned(), principal: PrincipalId(1) },
        created_at: now(world),
        process_changes: true,
        holds: Holds::CARRIER,
        rows: 1,
        duplicates: 0,
        page_lines: 5_000,
        accounts: CalledAccounts { carrier: Some(world.jasper_account), ..CalledAccounts::NONE },
    };
    let row = NewDeviceChange {
        request_position: 0,
        line: device(nth),
        device: Some((lineshift_domain::ids::DeviceId(line), 1)),
        refused: None,
    };
    operator.store.store_bulk_change(operator.tenant(), &change, vec![row], None).await.expect("stored").id
}

#[tokio::test(start_paused = true)]
async fn a_change_waits_for_one_call_of_usage_at_most() {
    let world = assigned(60, 60).await;
    world.jasper.adjust(|options| options.latency = Duration::from_secs(2));
    let operator = &world.operator;
    let begun = operator.engine.begin_sync(&operator.caller, world.jasper_account, USAGE).await.expect("begun");
    let engine = world.another_engine();
    let reading = tokio::spawn(async move { engine.run_due_syncs().await });
    tokio::time::sleep(Duration::from_secs(21)).await;
    let made = world.calls("GET /devices/{iccid}/ctdUsages");
    assert!(made > 5, "it reads: {made}");
    let change = calling(&world, 1).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(world.calls("GET /devices/{iccid}/ctdUsages"), made, "the call under way was the last");
    reading.abort();
    drop(reading.await);
    let waits = world.look(&begun).await;
    assert!(waits.note.as_deref().is_some_and(|note| note.contains("they go first")), "{:?}", waits.note);
    assert_eq!((waits.state, waits.failures), (SyncState::Running, 0));
    assert_eq!(i64::try_from(made).expect("a few"), waits.counts.used, "what was read before is kept");

    operator.engine.cancel(&operator.caller, change).await.expect("canceled");
    operator.run_until_idle().await;
    let run = work_for(operator, &world.another_engine(), begun.id).await;
    assert_eq!((run.state, run.counts.used), (SyncState::Done, 60));
    assert_eq!(world.calls("GET /devices/{iccid}/ctdUsages"), 60, "no line twice");
}
