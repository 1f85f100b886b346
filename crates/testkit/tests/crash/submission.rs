//! Killed while an order is stored (B4.5, B4.7): afterwards it is there whole, or nothing of it is, and the same request
//! under the same key never makes two changes.

use lineshift_engine::Clock as _;
use lineshift_store::bulk_changes::{Idempotency, NewBulkChange, NewDeviceChange};
use lineshift_testkit::crash::{AFTER, Scenario, Standing, look, settle, sweep};
use lineshift_testkit::operator::Operator;

use crate::orders::{assignment_with_plan, key, latest, submit_with_key};

/// What a change leaves when it is gone.
const LEFT: &str = "SELECT (SELECT count(*) FROM device_bulk_change) + (SELECT count(*) FROM device_bulk_change_page)
    + (SELECT count(*) FROM device_change) + (SELECT count(*) FROM device_bulk_change_log) + (SELECT count(*) FROM idempotency_key)
    + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM tenant_work)";

/// Right after the crash.
const AT_ONCE: &str = "2026-12-01T09:00:01Z";

/// The client repeats its request, at once, and again when every lease has run out, and once more.
async fn repeat(operator: &Operator, order: impl Fn() -> lineshift_domain::order::Order) {
    operator.clock.set(AT_ONCE);
    let early = submit_with_key(operator, order()).await;
    if let Err(code) = &early {
        assert_eq!(code, "idempotency_key_running");
    }
    operator.clock.set(AFTER);
    settle(operator).await;
    if early.is_err() {
        // What had been received is dropped with its lease, and its key with it.
        assert!(latest(operator).await.is_none(), "a change without an answer is left");
        let left = look(&operator.stored, LEFT).await;
        // A key that was claimed for a change that never began stays until it is claimed again.
        let keys = look(&operator.stored, "SELECT count(*) FROM idempotency_key WHERE bulk_change_id IS NULL").await;
        assert_eq!(left, keys, "something of the change is left");
    }
    let late = submit_with_key(operator, order()).await.expect("it is stored by now, or was before");
    if let Ok(early) = early {
        assert_eq!(late, early, "the same request was answered otherwise");
    }
    assert_eq!(submit_with_key(operator, order()).await, Ok(late));
    settle(operator).await;
}

/// Three lines, the last unknown: one transaction.
struct Small;

impl Scenario for Small {
    const TEST: &'static str = "submission::one_transaction_killed_at_every_statement";

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=2).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        submit_with_key(operator, assignment_with_plan(operator, 1..=3)).await.expect("it is stored");
    }

    async fn recover(&self, operator: &Operator) {
        repeat(operator, || assignment_with_plan(operator, 1..=3)).await;
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        let counts = operator.change(latest(operator).await.expect("it was ordered").id).await.counts;
        assert_eq!((counts.total, counts.processed, counts.error), (3, 2, 1));
        assert_eq!((standing.part("changes").len(), standing.part("keys").len()), (1, 1));
    }
}

#[test]
fn one_transaction_killed_at_every_statement() {
    sweep(&Small);
}

/// Ten lines in three pages, two unknown, one named twice: RECEIVING.
struct Received;

impl Received {
    fn lines() -> impl Iterator<Item = u64> {
        (1..=10).chain([3])
    }
}

impl Scenario for Received {
    const TEST: &'static str = "submission::receiving_killed_at_every_statement";

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=8).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        submit_with_key(operator, assignment_with_plan(operator, Self::lines())).await.expect("it is stored");
    }

    async fn recover(&self, operator: &Operator) {
        repeat(operator, || assignment_with_plan(operator, Self::lines())).await;
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        let change = operator.change(latest(operator).await.expect("it was ordered").id).await;
        assert_eq!((change.counts.total, change.counts.processed, change.rejected, change.duplicates), (10, 8, 2, 1));
        assert_eq!((standing.part("changes").len(), standing.part("pages").len()), (1, 3));
    }
}

#[test]
fn receiving_killed_at_every_statement() {
    sweep(&Received);
}

/// A submission that was given up while it was received, and is being dropped.
struct Dropped;

impl Scenario for Dropped {
    const TEST: &'static str = "submission::dropping_killed_at_every_statement";

    fn moments(&self) -> (&'static str, &'static str) {
        (AFTER, "2026-12-01T09:02:00Z")
    }

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=8).await;
        let (tenant, now) = (operator.tenant(), operator.clock.now());
        let until = now + operator.engine.limits().lease();
        let claim = key(operator);
        let claimed = operator.store.claim_idempotency_key(tenant, &claim, until, now, now).await.expect("a claim");
        assert_eq!(claimed, Idempotency::Claimed);
        // The order of a whole change, which then goes, so that two of its three pages can be stored by hand.
        let id = operator.submit(assignment_with_plan(operator, 1..=10)).await.id;
        let view = operator.change(id).await;
        operator.run_until_idle().await;
        let change = NewBulkChange {
            order: view.order,
            portal: view.portal,
            service_provider_id: view.service_provider_id,
            identifier: view.identifier,
            name: None,
            reason: None,
            orderer: operator.caller.orderer(),
            created_at: now,
            process_changes: true,
            holds: lineshift_domain::facts::Holds::CUSTOMER_AND_PLAN,
            rows: 10,
            duplicates: 0,
            page_lines: 4,
            accounts: lineshift_store::work::CalledAccounts::NONE,
        };
        let id = operator.store.begin_receiving(tenant, &change, until, Some(&claim)).await.expect("it begins");
        for page in 0..2 {
            let row = |position: u32| NewDeviceChange {
                request_position: position,
                line: lineshift_testkit::operator::iccid(u64::from(position)),
                device: None,
                refused: Some(lineshift_domain::judge::Reason::new(lineshift_domain::codes::Code::DeviceNotFound, "unknown")),
            };
            let rows = (0..4).map(row).collect();
            operator.store.append_received(tenant, id, &change, page, rows, until).await.expect("a page is stored");
        }
    }

    async fn act(&self, operator: &Operator, _: &str) {
        assert_eq!(operator.engine.drop_abandoned_submissions().await.expect("it is dropped"), 1);
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        assert_eq!((standing.part("changes").len(), standing.part("pages").len(), standing.part("rows").len()), (1, 3, 10));
        assert_eq!(standing.part("keys").len(), 0, "the key is free");
        let answer = submit_with_key(operator, assignment_with_plan(operator, 1..=10)).await;
        assert!(answer.is_ok(), "{answer:?}");
    }
}

#[test]
fn dropping_killed_at_every_statement() {
    sweep(&Dropped);
}

/// While it is received only its submitter sees it (B4.7); once its lease has run out nobody does.
#[test]
fn a_change_being_received_is_seen_by_its_submitter_only() {
    lineshift_testkit::crash::block_on(async {
        let operator = Operator::with(0, Dropped.limits(), lineshift_testkit::crash::open_options(None)).await;
        Dropped.prepare(&operator).await;
        let other = operator.key("other", "m2m:view").await;
        let seen = |key| operator.store.list_bulk_changes(operator.tenant(), key, None, 10);
        assert_eq!(seen(operator.caller.principal).await.expect("changes").items.len(), 2);
        assert_eq!(seen(other.principal).await.expect("changes").items.len(), 1);
        operator.clock.set(AFTER);
        settle(&operator).await;
        assert_eq!(seen(operator.caller.principal).await.expect("changes").items.len(), 1);
    });
}
