//! Killed while a change is canceled or retried (B10.1, B10.2); who did it does it again, and it ends right.

use lineshift_domain::terms::BulkChangeStatus;
use lineshift_engine::{Clock as _, EngineError};
use lineshift_store::work::RunnableChange;
use lineshift_testkit::crash::{Scenario, Standing, look, settle, sweep};
use lineshift_testkit::operator::{Operator, iccid};

use crate::orders::{assignment_with_plan, latest, refused, scheduled};

/// Of three pages the first made its queue entries, the others wait.
async fn begin_scheduled(operator: &Operator) {
    operator.add_lines(operator.jasper, 1..=12).await;
    let id = operator.submit(scheduled(operator, 1..=12)).await.id;
    let change = RunnableChange { tenant_id: operator.tenant(), bulk_change_id: id };
    let now = operator.clock.now();
    for seconds in [1, 9, 9] {
        let until = now + chrono::TimeDelta::seconds(seconds);
        assert!(operator.store.claim_page(change, "somebody", until, now).await.expect("a claim").is_some());
    }
    operator.clock.advance(chrono::TimeDelta::seconds(2));
    operator.run_until_idle().await;
    assert_eq!(operator.change(id).await.counts.open, 8, "two pages are left");
}

/// Half a minute later the leases of those who began have run out.
const LATER: &str = "2026-12-01T09:00:30Z";
const STILL_LATER: &str = "2026-12-01T09:02:00Z";

struct Canceled;

impl Scenario for Canceled {
    const TEST: &'static str = "control::a_cancel_killed_at_every_statement";

    fn moments(&self) -> (&'static str, &'static str) {
        (LATER, STILL_LATER)
    }

    async fn prepare(&self, operator: &Operator) {
        begin_scheduled(operator).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        let id = latest(operator).await.expect("it was ordered").id;
        operator.engine.cancel(&operator.caller, id).await.expect("it is canceled");
        settle(operator).await;
    }

    /// A cancel that was taken in ends as one even if nobody repeats it; the other is repeated before anything is run.
    async fn recover(&self, operator: &Operator) {
        let change = latest(operator).await.expect("it was ordered");
        if change.canceled_at.is_some() {
            settle(operator).await;
            let ended = Standing::of(&operator.stored).await;
            let again = refused(operator.engine.cancel(&operator.caller, change.id).await);
            assert_eq!(again.as_deref(), Some("nothing_to_cancel"));
            Standing::of(&operator.stored).await.assert_same(&ended, "canceled again");
        } else {
            operator.engine.cancel(&operator.caller, change.id).await.expect("it is canceled");
            settle(operator).await;
        }
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        let change = operator.change(latest(operator).await.expect("it was ordered").id).await;
        assert_eq!((change.counts.processed, change.counts.canceled), (4, 8));
        assert_eq!(change.status(), BulkChangeStatus::Partial);
        assert!(standing.part("queue").iter().all(|entry| entry.contains("| canceled |")), "{:?}", standing.part("queue"));
        assert_eq!((standing.part("queue").len(), standing.part("history").len()), (4, 0));
    }
}

#[test]
fn a_cancel_killed_at_every_statement() {
    sweep(&Canceled);
}

/// Of twelve lines in three pages five were refused, and would be taken now.
async fn refused_and_mended(operator: &Operator) {
    operator.add_lines(operator.jasper, 1..=12).await;
    let bad = [1, 2, 5, 9, 12];
    operator.import(&bad.map(|line| operator.line(operator.jasper, line, "RETIRED"))).await;
    operator.submit(assignment_with_plan(operator, 1..=12)).await;
    operator.import(&bad.map(|line| operator.line(operator.jasper, line, "ACTIVATED"))).await;
}

/// Retries until nothing is in ERROR any more; each time all that can be run is run.
async fn retry_until_done(operator: &Operator) {
    let id = latest(operator).await.expect("it was ordered").id;
    loop {
        match operator.engine.retry(&operator.caller, id, &[]).await {
            Ok(retried) => assert!(retried.rows > 0),
            Err(EngineError::Refused(refusal)) => match refusal.problems[0].code.as_str() {
                "nothing_to_retry" => return,
                "not_finished" => {}
                other => panic!("{other}"),
            },
            Err(EngineError::Store(error)) => panic!("{error:?}"),
        }
        settle(operator).await;
    }
}

/// What a retry may leave otherwise when it was cut off: it went on under a further attempt.
const BY_ATTEMPT: [&str; 5] = ["changes", "rows", "history", "cross_provider_history", "log"];

async fn check_retried(operator: &Operator) {
    let change = operator.change(latest(operator).await.expect("it was ordered").id).await;
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, 12));
    let retried = "SELECT d.iccid, count(*) FROM device_bulk_change_log l JOIN device_change dc ON dc.id = l.device_change_id
        JOIN device d ON d.id = dc.device_id WHERE l.entry = 80 GROUP BY d.iccid ORDER BY d.iccid";
    let retried = look(&operator.stored, retried).await;
    let expected: Vec<String> = [1, 2, 5, 9, 12].map(|line| format!("{} | 1", iccid(line))).to_vec();
    assert_eq!(retried, expected, "each refused line is opened again once");
    let histories = look(&operator.stored, "SELECT count(*) FROM device_action_history").await;
    assert_eq!(histories, ["24"], "two actions a line");
}

/// Killed while rows are opened again, and while they are run.
struct Retried;

impl Scenario for Retried {
    const TEST: &'static str = "control::a_retry_killed_at_every_statement";

    async fn prepare(&self, operator: &Operator) {
        refused_and_mended(operator).await;
        operator.run_until_idle().await;
        settle(operator).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        let id = latest(operator).await.expect("it was ordered").id;
        assert_eq!(operator.engine.retry(&operator.caller, id, &[]).await.expect("it is retried").rows, 5);
        settle(operator).await;
    }

    async fn recover(&self, operator: &Operator) {
        settle(operator).await;
        retry_until_done(operator).await;
        check_retried(operator).await;
    }

    async fn standing(&self, operator: &Operator) -> Standing {
        Standing::of(&operator.stored).await.without(&BY_ATTEMPT)
    }

    async fn check(&self, _: &Operator, standing: &Standing) {
        assert_eq!((standing.part("pages").len(), standing.part("lines").len()), (3, 12));
    }
}

#[test]
fn a_retry_killed_at_every_statement() {
    sweep(&Retried);
}

/// Killed while the change runs for the first time; the first thing that anybody does is to retry it.
struct RetriedFirst;

impl Scenario for RetriedFirst {
    const TEST: &'static str = "control::a_retry_right_after_a_kill";

    async fn prepare(&self, operator: &Operator) {
        refused_and_mended(operator).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        operator.run_until_idle().await;
    }

    async fn recover(&self, operator: &Operator) {
        retry_until_done(operator).await;
        check_retried(operator).await;
    }

    async fn standing(&self, operator: &Operator) -> Standing {
        Standing::of(&operator.stored).await.without(&BY_ATTEMPT)
    }

    async fn check(&self, _: &Operator, standing: &Standing) {
        assert_eq!((standing.part("pages").len(), standing.part("lines").len()), (3, 12));
    }
}

#[test]
fn a_retry_right_after_a_kill() {
    sweep(&RetriedFirst);
}
