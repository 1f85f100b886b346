//! What a carrier's lists bring: first run, second run, lines and plans that differ, are gone, and are back.

use lineshift_domain::sync::{FindingKind, FindingSubject};
use lineshift_engine::SyncOrder;
use lineshift_simulators::jasper::{Device, Status};
use lineshift_simulators::pond::{ServiceStatus, Sim};

use crate::carrier_world::{CarrierWorld, DEVICES, EVERY_DEVICE, device, met, now, sim};

#[tokio::test(start_paused = true)]
async fn a_first_run_brings_plans_and_lines_and_a_second_only_what_changed() {
    let world = CarrierWorld::with_lines(120).await;
    let first = world.sync(world.jasper_account, SyncOrder::ALL).await;
    assert_eq!(met(&first), (123, 123, 0, 0, 0, 0), "three plans and 120 lines");
    assert_eq!((first.changed_since, first.service_provider_id), (None, Some(world.operator.jasper)));
    let lines = "SELECT d.status, count(*), sum(dt.is_active), max(dt.version), max(dt.modified_by) FROM device d
        JOIN device_tenant dt ON dt.tenant_id = d.tenant_id AND dt.device_id = d.id GROUP BY d.status ORDER BY d.status";
    assert_eq!(world.column(lines).await, ["ACTIVATED 108 0 1 synchronisation", "INVENTORY 12 0 1 synchronisation"]);
    let plans = "SELECT code, name, is_active FROM carrier_rate_plan ORDER BY code";
    assert_eq!(world.column(plans).await.len(), 3);

    let second = world.sync(world.jasper_account, SyncOrder::ALL).await;
    assert_eq!(met(&second), (3, 0, 0, 3, 0, 0), "no line changed since an hour before the first began");
    assert_eq!(second.changed_since, Some(first.started_at - chrono::TimeDelta::hours(1)));
    let whole = world.sync(world.jasper_account, EVERY_DEVICE).await;
    assert_eq!(met(&whole), (120, 0, 0, 120, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_written_and_a_status_is_told_in_the_history() {
    let world = CarrierWorld::with_lines(60).await;
    world.sync(world.jasper_account, DEVICES).await;
    world.jasper.change_device(&device(1), |device| device.status = Status::Deactivated);
    world.jasper.change_device(&device(2), |device| {
        device.rate_plan = Some("Tracker".to_owned());
        device.communication_plan = Some("Data and SMS".to_owned());
    });
    let run = world.sync(world.jasper_account, DEVICES).await;
    assert_eq!(met(&run), (2, 0, 2, 0, 0, 0));
    let changed = world.found(&run, FindingKind::Changed).await;
    let said: Vec<_> = changed.iter().map(|one| (one.line.as_deref(), one.here.as_deref(), one.there.as_deref())).collect();
    assert_eq!(
        said,
        [
            (Some(&*device(1)), Some("status ACTIVATED"), Some("status DEACTIVATED")),
            (
                Some(&*device(2)),
                Some("rate plan Sensor 50 MB, communication plan Data only"),
                Some("rate plan Tracker, communication plan Data and SMS"),
            ),
        ]
    );
    let history = "SELECT action, old_value, new_value, changed_by, bulk_change_id FROM device_action_history";
    assert_eq!(world.column(history).await, [r#"status {"status":"ACTIVATED"} {"status":"DEACTIVATED"} synchronisation 0"#]);
    let again = world.sync(world.jasper_account, DEVICES).await;
    assert_eq!(met(&again), (2, 0, 0, 2, 0, 0), "what changed within the hour before is read again");
}

#[tokio::test(start_paused = true)]
async fn lines_are_gone_when_a_read_of_each_says_so() {
    let world = CarrierWorld::with_lines(60).await;
    world.sync(world.jasper_account, DEVICES).await;
    world.jasper.remove_device(&device(7)).remove_device(&device(51));
    let part = world.sync(world.jasper_account, DEVICES).await;
    assert_eq!(part.counts.gone, 0, "a list of what changed says nothing of the others");
    let before = world.calls("GET /devices/{iccid}");
    let whole = world.sync(world.jasper_account, EVERY_DEVICE).await;
    assert_eq!(met(&whole), (58, 0, 0, 58, 0, 2));
    assert_eq!(world.calls("GET /devices/{iccid}") - before, 2, "each was asked for, and nobody else");
    let gone: Vec<_> = world.found(&whole, FindingKind::Gone).await.into_iter().map(|one| one.line).collect();
    assert_eq!(gone, [Some(device(7)), Some(device(51))]);
    let archived = "SELECT iccid FROM device WHERE is_archived = 1 AND is_deleted = 0 ORDER BY iccid";
    assert_eq!(world.column(archived).await, [device(7), device(51)]);
    assert_eq!(world.sync(world.jasper_account, EVERY_DEVICE).await.counts.gone, 0, "once");

    world.jasper.with_device_record(Device::new(&device(7), "Tracker", now(&world)));
    let back = world.sync(world.jasper_account, DEVICES).await;
    assert_eq!(met(&back), (1, 0, 1, 0, 0, 0));
    assert_eq!(world.column(archived).await, [device(51)]);
}

#[tokio::test(start_paused = true)]
async fn a_carrier_without_dates_is_listed_whole_each_time() {
    let world = CarrierWorld::with_lines(230).await;
    let first = world.sync(world.pond_account, SyncOrder::ALL).await;
    assert_eq!(met(&first), (233, 233, 0, 0, 0, 0));
    let provider = format!("SELECT count(*) FROM device WHERE service_provider_id = {}", world.pond_provider);
    assert_eq!(world.column(&provider).await, ["230"]);
    let off = ServiceStatus::Disabled;
    world.pond.with_sim(Sim { data: off, voice: off, sms: off, ..Sim::new(&sim(3)) }).remove_sim(&sim(200));
    world.pond.with_sim(Sim::new(&sim(999))).with_package_type("main", "104", "Tracker plus").remove_package_type("102");
    let second = world.sync(world.pond_account, SyncOrder::ALL).await;
    assert_eq!(met(&second), (233, 2, 1, 230, 0, 2), "a line and a plan are new, one of each is gone");
    let statuses = "SELECT status, count(*) FROM device WHERE is_archived = 0 GROUP BY status ORDER BY status";
    assert_eq!(world.column(statuses).await, ["In-Service 229", "Out-of-Service 1"]);
    let gone: Vec<_> = world.found(&second, FindingKind::Gone).await.into_iter().map(|one| one.subject).collect();
    assert_eq!(gone, [FindingSubject::CarrierPlan, FindingSubject::Line]);
    let plans = "SELECT code, is_active FROM carrier_rate_plan ORDER BY code";
    assert_eq!(world.column(plans).await, ["101 1", "102 0", "103 1", "104 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_role_without_plans_still_reads_lines() {
    let world = CarrierWorld::with_lines(10).await;
    world.jasper.adjust(|options| options.is_admin = false);
    let run = world.sync(world.jasper_account, SyncOrder::ALL).await;
    assert_eq!(met(&run), (11, 10, 0, 0, 1, 0));
    let left_out = world.found(&run, FindingKind::LeftOut).await;
    assert_eq!(left_out[0].subject, FindingSubject::CarrierPlan);
    assert!(left_out[0].there.as_deref().is_some_and(|there| there.contains("10000030")), "{left_out:?}");
    let account = world.operator.store.get_account(world.operator.tenant(), world.jasper_account).await.expect("there");
    assert!(account.refused_at.is_none(), "changes go on calling it");
}

#[tokio::test(start_paused = true)]
async fn a_page_costs_the_same_number_of_statements_on_250_pages() {
    /// The most statements of a page, with those of its permit, its claim and its transaction.
    const MOST: u64 = 24;
    const PAGES: u64 = 250;
    let lines = 50 * PAGES;
    let world = CarrierWorld::with_lines(u32::try_from(lines).expect("a few")).await;
    for (round, new) in [(1, true), (2, false)] {
        let (calls, sent) = (world.calls("GET /devices"), world.operator.stored.statements_sent());
        let run = world.sync(world.jasper_account, EVERY_DEVICE).await;
        let count = i64::try_from(lines).expect("a few");
        assert_eq!((run.counts.read, run.counts.new, run.counts.gone), (count, if new { count } else { 0 }, 0));
        assert_eq!(world.calls("GET /devices") - calls, PAGES);
        let listing = run.counts.new.unsigned_abs() / 1_000 * 4 + 20;
        let statements = world.operator.stored.statements_sent() - sent - listing;
        println!("round {round}: {statements} statements, {} a page", statements / PAGES);
        assert!(statements <= MOST * PAGES, "round {round}: {statements} statements for {PAGES} pages");
    }
}
