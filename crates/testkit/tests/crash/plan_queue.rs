//! Killed while the plan queue is filled and applied (B8.2, B8.3): each entry takes effect once, none is lost.

use lineshift_domain::ids::BulkChangeId;
use lineshift_testkit::crash::{Scenario, Standing, look, settle, sweep};
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};

use crate::orders::{LONG_PAST_DUE, PAST_DUE, assignment_with_plan, latest, scheduled};

/// Nine entries fall due, in pages of four, four and one: line 1 is on the plan already, line 2 was deactivated meanwhile,
/// line 3 has another customer.
async fn check(operator: &Operator, standing: &Standing) {
    let change = operator.change(BulkChangeId(2)).await;
    assert_eq!((change.counts.processed, change.scheduled_failed), (9, 2));
    let queue = standing.part("queue");
    let count = |word: &str| queue.iter().filter(|entry| entry.contains(word)).count();
    assert_eq!((count("| applied |"), count("| failed |"), count("| open |")), (7, 2, 0));
    let by_queue = standing.part("history").iter().filter(|entry| entry.contains("| 1000 |")).count();
    assert_eq!(by_queue, 6);
}

async fn order(operator: &Operator) {
    operator.add_lines(operator.jasper, 1..=9).await;
    operator.run(operator.order([iccid(1)], operator.plan_change(operator.plan))).await;
    operator.submit(scheduled(operator, 1..=9)).await;
}

async fn meanwhile(operator: &Operator) {
    operator.import(&[operator.line(operator.jasper, 2, "DEACTIVATED")]).await;
    let order = operator.order([iccid(3)], operator.amop_assignment());
    operator.run(order).await;
}

/// Killed while entries are applied.
struct Applied;

impl Scenario for Applied {
    const TEST: &'static str = "plan_queue::due_entries_killed_at_every_statement";

    fn moments(&self) -> (&'static str, &'static str) {
        (PAST_DUE, LONG_PAST_DUE)
    }

    async fn prepare(&self, operator: &Operator) {
        order(operator).await;
        operator.run_until_idle().await;
        meanwhile(operator).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        settle(operator).await;
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        check(operator, standing).await;
    }
}

#[test]
fn due_entries_killed_at_every_statement() {
    sweep(&Applied);
}

/// Killed while entries are made; the next process begins after they fell due, and its scheduler looks first.
struct Made;

impl Scenario for Made {
    const TEST: &'static str = "plan_queue::scheduling_killed_at_every_statement";

    fn moments(&self) -> (&'static str, &'static str) {
        (BEGINNING, PAST_DUE)
    }

    async fn prepare(&self, operator: &Operator) {
        order(operator).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        settle(operator).await;
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        let change = operator.change(latest(operator).await.expect("it was ordered").id).await;
        assert_eq!((change.counts.processed, change.scheduled_failed), (9, 0));
        assert!(standing.part("queue").iter().all(|entry| entry.contains("| applied |")), "{:?}", standing.part("queue"));
    }
}

#[test]
fn scheduling_killed_at_every_statement() {
    sweep(&Made);
}

/// An assignment now with a plan later: both histories of each line.
struct Both;

impl Scenario for Both {
    const TEST: &'static str = "plan_queue::an_assignment_with_a_later_plan_killed_at_every_statement";

    fn moments(&self) -> (&'static str, &'static str) {
        (BEGINNING, PAST_DUE)
    }

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=5).await;
        let mut order = assignment_with_plan(operator, 1..=5);
        if let lineshift_domain::order::Effect::CustomerAssignment(assignment) = &mut order.effect {
            let due = crate::orders::DUE.parse().expect("a moment");
            assignment.effective_date = Some(lineshift_domain::order::EffectiveDate::Instant(due));
        }
        operator.submit(order).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        settle(operator).await;
    }

    /// Cross-provider history is written when its page is completed, with the assignment as it is then (B11.3): where an
    /// entry fell due before, its row comes first and is closed at once. The rules about it hold all the same.
    async fn standing(&self, operator: &Operator) -> Standing {
        Standing::of(&operator.stored).await.without(&["cross_provider_history"])
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        assert_eq!(operator.change(latest(operator).await.expect("it was ordered").id).await.counts.processed, 5);
        assert_eq!(standing.part("history").len(), 10);
        let crossed = look(&operator.stored, "SELECT count(*), sum(valid_to IS NULL) FROM cross_provider_device_history").await;
        assert_eq!(crossed, ["10 | 5"]);
    }
}

#[test]
fn an_assignment_with_a_later_plan_killed_at_every_statement() {
    sweep(&Both);
}
