//! Whatever goes wrong at a carrier: no package is added twice, no line is lost, and what is called done stands there.

use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::terms::DeviceChangeStatus;
use lineshift_simulators::pond::PackageStatus;
use lineshift_simulators::{jasper, pond};
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, to_plan, to_status};
use lineshift_testkit::operator::iccid;
use lineshift_testkit::store::on_postgres;

const LINES: u64 = 12;

/// As long as a change may take before its last read-back is given up, and some more.
const LONG: Duration = Duration::from_secs(120_000);

async fn world(seed: u64) -> CarrierWorld {
    // What works late has done so a minute after its call timed out; each virtual second in which a line is held costs a look.
    let limits = Limits { settle_after_seconds: 120, ..Limits::default() };
    CarrierWorld::with(
        LINES,
        limits,
        |options| {
            options.seed = seed;
            options.latency = Duration::from_millis(50);
            options.faults = jasper::Faults::of_carrier(0.2);
            options.codes_missing = 0.1;
            options.throttled_status = if seed.is_multiple_of(2) { 200 } else { 429 };
        },
        |options| {
            options.seed = seed;
            options.latency = Duration::from_millis(50);
            options.faults = pond::Faults::of_carrier(0.2);
            options.settle_lag = Duration::from_secs(2);
            options.errors_inside_successes = seed.is_multiple_of(2);
        },
    )
    .await
}

/// The lines of rows that ended so.
async fn ended(world: &CarrierWorld, id: BulkChangeId, status: DeviceChangeStatus) -> Vec<u64> {
    let rows = world.operator.rows(id).await;
    let line = |text: &str| (1..=2 * LINES).find(|line| iccid(*line) == text).expect("a line of the world");
    rows.iter().filter(|row| row.status == status).map(|row| line(row.iccid.as_deref().expect("ordered by ICCID"))).collect()
}

fn active(world: &CarrierWorld, line: u64) -> Vec<String> {
    let packages = world.pond.ledger().packages_of(&iccid(line));
    packages.into_iter().filter(|it| it.status == PackageStatus::Active).map(|it| it.package_type_id).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_called_done_stands_there_and_nothing_is_added_twice() {
    for seed in 1..=if on_postgres() { 1 } else { 20 } {
        let world = world(seed).await;
        let plans = world.operator.submit(world.jasper_order(1..=LINES, to_plan(OTHER_PLAN))).await.id;
        world.work_until(plans, LONG).await;
        let statuses = world.operator.submit(world.jasper_order(1..=LINES, to_status("DEACTIVATED"))).await.id;
        world.work_until(statuses, LONG).await;
        let packages = world.operator.submit(world.pond_order(1..=LINES, to_plan(OTHER_PACKAGE_TYPE))).await.id;
        world.work_until(packages, LONG).await;
        for id in [plans, statuses, packages] {
            assert_eq!(world.operator.change(id).await.counts.open, 0, "seed {seed}: bulk change {id}");
        }
        for line in ended(&world, plans, DeviceChangeStatus::Processed).await {
            let device = world.jasper.ledger().device(&iccid(line)).expect("there");
            assert_eq!(device.rate_plan.as_deref(), Some(OTHER_PLAN), "seed {seed}, line {line}");
            assert_eq!(world.operator.device(line).await.carrier_rate_plan.as_deref(), Some(OTHER_PLAN));
        }
        for line in ended(&world, statuses, DeviceChangeStatus::Processed).await {
            assert_eq!(world.operator.device(line).await.status, "DEACTIVATED", "seed {seed}, line {line}");
        }
        let (jasper, pond) = (world.jasper.ledger().summary(), world.pond.ledger().summary());
        assert_eq!(pond.duplicate_packages, 0, "seed {seed}");
        assert_eq!(jasper.traffic.wrong_requests + pond.traffic.wrong_requests, 0, "seed {seed}");
        for line in ended(&world, packages, DeviceChangeStatus::Processed).await {
            assert_eq!(active(&world, line), [OTHER_PACKAGE_TYPE], "seed {seed}, line {line}");
            assert_eq!(world.operator.device(line).await.carrier_rate_plan.as_deref(), Some(OTHER_PACKAGE_TYPE));
        }
        // What failed is tried again once all is well, and then stands.
        world.jasper.adjust(|options| options.faults = jasper::Faults::none());
        world.pond.adjust(|options| options.faults = pond::Faults::none());
        for id in [plans, statuses, packages] {
            if world.operator.change(id).await.counts.error > 0 {
                world.operator.engine.retry(&world.operator.caller, id, &[]).await.expect("opened again");
                world.work_until(id, LONG).await;
            }
            let change = world.operator.change(id).await;
            let failed: Vec<_> = world.operator.rows(id).await.into_iter().filter(|row| row.error_code.is_some()).collect();
            assert_eq!(change.counts.error, 0, "seed {seed}: {failed:#?}");
        }
        for line in 1..=LINES {
            assert_eq!(active(&world, LINES + line), [OTHER_PACKAGE_TYPE], "seed {seed}, line {line}");
        }
        assert_eq!(world.pond.ledger().summary().duplicate_packages, 0, "seed {seed}");
    }
}
