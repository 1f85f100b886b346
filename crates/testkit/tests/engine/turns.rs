//! Turns (B5.2): a change of a million lines delays one of ten by one page at most, and tenants alternate.

use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_domain::limits::Limits;
use lineshift_engine::{Changed, WorkerOptions, shutdown};
use lineshift_store_sqlite::Options;
use lineshift_testkit::operator::{Operator, iccid};
use tokio::sync::broadcast::Receiver;

async fn operator(lines: u64) -> Operator {
    Operator::with(lines, Limits { page_lines: 10, ..Limits::default() }, Options::default()).await
}

/// What happened so far: a page of a change for each entry.
fn heard(events: &mut Receiver<Changed>) -> Vec<(TenantId, BulkChangeId)> {
    let mut heard = Vec::new();
    while let Ok(changed) = events.try_recv() {
        heard.push((changed.tenant, changed.bulk_change_id));
    }
    heard
}

#[tokio::test]
async fn ten_lines_submitted_while_a_large_change_runs_wait_for_one_page_at_most() {
    let operator = operator(1_010).await;
    let large = operator.submit(operator.order((1..=1_000).map(iccid), operator.amop_assignment())).await.id;
    let mut events = operator.engine.events().subscribe();
    let (stop, stopped) = shutdown();
    let engine = operator.engine.clone();
    let worker = tokio::spawn(async move { engine.run_worker(WorkerOptions { owner: "worker".to_owned() }, stopped).await });

    // In the middle of the large one.
    for _ in 0..20 {
        assert_eq!(events.recv().await.expect("pages are run").bulk_change_id, large);
    }
    let order = operator.order((1_001..=1_010).map(iccid), operator.amop_assignment());
    let small = operator.submit(order).await.id;
    let mut seen = Vec::new();
    loop {
        seen.push(events.recv().await.expect("pages are run").bulk_change_id);
        if operator.change(small).await.counts.processed == 10 {
            break;
        }
    }
    assert!(operator.change(large).await.counts.open > 0, "the large one was still running: {seen:?}");
    seen.extend(heard(&mut events).into_iter().map(|(_, change)| change));
    stop.stop();
    worker.await.expect("the worker stops");

    // The submission tells of itself; from then on the small one's page comes after one of the large one's at most.
    let submitted = seen.iter().position(|change| *change == small).expect("its submission was told");
    let page = seen[submitted + 1..].iter().position(|change| *change == small).expect("its page was told");
    assert!(page <= 1, "{page} pages of the large change came first: {seen:?}");
}

/// Its page and its completion are one turn.
#[tokio::test]
async fn a_change_of_one_page_is_run_to_its_end_in_one_turn() {
    let operator = operator(109).await;
    let large = operator.submit(operator.order((1..=100).map(iccid), operator.amop_assignment())).await.id;
    let small = operator.submit(operator.order((101..=109).map(iccid), operator.amop_assignment())).await.id;
    let mut events = operator.engine.events().subscribe();
    operator.run_until_idle().await;
    let seen: Vec<_> = heard(&mut events).into_iter().map(|(_, change)| change).collect();
    assert_eq!(seen[..4], [large, small, small, large], "{seen:?}");
}

#[tokio::test]
async fn changes_of_one_tenant_take_turns_page_by_page() {
    let operator = operator(60).await;
    let first = operator.submit(operator.order((1..=30).map(iccid), operator.amop_assignment())).await.id;
    let second = operator.submit(operator.order((31..=60).map(iccid), operator.amop_assignment())).await.id;
    let mut events = operator.engine.events().subscribe();
    operator.run_until_idle().await;
    let pages: Vec<_> = heard(&mut events).into_iter().map(|(_, change)| change).collect();
    assert_eq!(pages[..6], [first, second, first, second, first, second]);
}

#[tokio::test]
async fn two_tenants_alternate_however_many_changes_each_has() {
    let operator = operator(90).await;
    let other = operator.beside("Another operator", 30).await;
    for from in [1, 31, 61] {
        operator.submit(operator.order((from..from + 30).map(iccid), operator.amop_assignment())).await;
    }
    other.submit(other.order((1..=30).map(iccid), other.amop_assignment())).await;
    let mut events = operator.engine.events().subscribe();
    operator.run_until_idle().await;
    let tenants: Vec<_> = heard(&mut events).into_iter().map(|(tenant, _)| tenant).collect();
    let (one, two) = (operator.tenant(), other.tenant());
    assert_eq!(tenants[..6], [one, two, one, two, one, two]);
    for operator in [&operator, &other] {
        let open = format!("SELECT sum(open_count) FROM device_bulk_change WHERE tenant_id = {}", operator.tenant());
        assert_eq!(operator.count(&open).await, 0);
    }
}

#[tokio::test]
async fn a_change_whose_page_is_in_other_hands_delays_nobody() {
    let operator = operator(20).await;
    let first = operator.submit(operator.order((1..=10).map(iccid), operator.amop_assignment())).await.id;
    let second = operator.submit(operator.order((11..=20).map(iccid), operator.amop_assignment())).await.id;
    let claim = operator.claim(first, "a worker that hangs").await.expect("the page");
    operator.run_until_idle().await;
    assert_eq!(operator.change(first).await.counts.open, 10);
    assert!(operator.change(second).await.processed_at.is_some());
    // It wakes up within its lease.
    operator.run_page(&claim).await;
    operator.run_until_idle().await;
    assert!(operator.change(first).await.processed_at.is_some());
}
