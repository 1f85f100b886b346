//! What these tests share: services in the ledger, runs carried to their end, and what a run found.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use lineshift_domain::ids::SyncRunId;
use lineshift_domain::sync::{FindingKind, SyncPart, SyncParts, SyncState};
use lineshift_engine::{Engine, SyncOrder};
use lineshift_simulators::revio::{Service, ServiceProduct};
use lineshift_store::sync::{SyncFinding, SyncRun};
use lineshift_testkit::billing::{BillingWorld, PRODUCT};
use lineshift_testkit::operator::{Operator, iccid, number};
use rust_decimal::Decimal;

pub(crate) const SERVICES: SyncOrder = SyncOrder::of(SyncParts::NONE.and(SyncPart::Services));

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// A connected service of the operator's customer for a line, as if somebody else had opened it.
pub(crate) fn service(world: &BillingWorld, line: u64) -> i64 {
    let mut service = Service::new(world.operator.rev_customer.0, &number(line), &iccid(line));
    service.activated_date = Some(day("2026-01-15"));
    world.simulator.add_service(service)
}

/// The same with one product; answers the ids of both.
pub(crate) fn billed(world: &BillingWorld, line: u64) -> (i64, i64) {
    let service = service(world, line);
    (service, world.simulator.add_service_product(product_of(world, service)))
}

/// A product of a service, at 4.95.
pub(crate) fn product_of(world: &BillingWorld, service: i64) -> ServiceProduct {
    let product = ServiceProduct::new(world.operator.rev_customer.0, service, PRODUCT);
    but(product, |product| product.rate = Some(Decimal::new(495, 2)))
}

/// A record with something else in it.
pub(crate) fn but<T>(mut record: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut record);
    record
}

/// Services with a product each for those lines.
pub(crate) fn bill(world: &BillingWorld, lines: std::ops::RangeInclusive<u64>) {
    for line in lines {
        billed(world, line);
    }
}

/// Begins a run.
pub(crate) async fn begin(world: &BillingWorld, order: SyncOrder) -> SyncRunId {
    let operator = &world.operator;
    operator.engine.begin_sync(&operator.caller, operator.authentication, order).await.expect("a run begins").id
}

/// A run as it stands. Its counts add up and agree with its findings.
pub(crate) async fn look(world: &BillingWorld, id: SyncRunId) -> SyncRun {
    look_at(&world.operator, id).await
}

/// The same.
pub(crate) async fn look_at(operator: &Operator, id: SyncRunId) -> SyncRun {
    let run = operator.store.get_sync_run(operator.tenant(), id).await.expect("the run");
    let counts = run.counts;
    assert_eq!(counts.read, counts.new + counts.changed + counts.unchanged + counts.left_out, "{counts:?}");
    let found = kinds(&all_findings(operator, id).await);
    let count = |kind| found.get(&kind).copied().unwrap_or(0);
    assert_eq!(
        (counts.new, counts.changed, counts.gone, counts.left_out, counts.billed_not_assigned, counts.assigned_not_billed),
        (
            count(FindingKind::New),
            count(FindingKind::Changed),
            count(FindingKind::Gone),
            count(FindingKind::LeftOut),
            count(FindingKind::BilledNotAssigned),
            count(FindingKind::AssignedNotBilled),
        )
    );
    run
}

fn kinds(findings: &[SyncFinding]) -> BTreeMap<FindingKind, i64> {
    let mut kinds = BTreeMap::new();
    for finding in findings {
        *kinds.entry(finding.kind).or_default() += 1;
    }
    kinds
}

/// Lets that engine look every second until the run has ended.
pub(crate) async fn work(world: &BillingWorld, engine: &Engine, id: SyncRunId) -> SyncRun {
    work_for(&world.operator, engine, id).await
}

/// The same.
pub(crate) async fn work_for(operator: &Operator, engine: &Engine, id: SyncRunId) -> SyncRun {
    for _ in 0..200_000 {
        engine.run_due_syncs().await.expect("runs are carried on");
        let run = operator.store.get_sync_run(operator.tenant(), id).await.expect("the run");
        if run.state != SyncState::Running {
            return look_at(operator, id).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("the run never ended");
}

/// Synchronises and answers the run at its end.
pub(crate) async fn sync(world: &BillingWorld, order: SyncOrder) -> SyncRun {
    let id = begin(world, order).await;
    let run = work(world, &world.operator.engine, id).await;
    assert_eq!(run.state, SyncState::Done, "{:?}", run.note);
    // The next one begins later.
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    run
}

/// Everything that a run found, page by page.
pub(crate) async fn findings(world: &BillingWorld, id: SyncRunId) -> Vec<SyncFinding> {
    all_findings(&world.operator, id).await
}

/// The same.
pub(crate) async fn all_findings(operator: &Operator, id: SyncRunId) -> Vec<SyncFinding> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = operator.store.list_sync_findings(operator.tenant(), id, None, after, 1_000).await;
        let page = page.expect("a page of findings");
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// What a run found of one kind: id of the subject, what stood here, what stands there.
pub(crate) async fn found(world: &BillingWorld, id: SyncRunId, kind: FindingKind) -> Vec<(i64, String, String)> {
    let all = findings(world, id).await.into_iter().filter(|finding| finding.kind == kind);
    all.map(|finding| (finding.subject_id, finding.here.unwrap_or_default(), finding.there.unwrap_or_default())).collect()
}

/// One column of a query.
pub(crate) async fn column(world: &BillingWorld, query: &str) -> Vec<String> {
    world.operator.stored.inspect(query).await.expect("a query").into_iter().map(|row| row.join(" ")).collect()
}
