//! Killed between the claim of the first page and the completion of the change, at every statement (B5.4).

use lineshift_domain::terms::BulkChangeStatus;
use lineshift_store::import::ImportAssignment;
use lineshift_testkit::crash::{Scenario, Standing, settle, sweep};
use lineshift_testkit::operator::{Operator, iccid};

use crate::orders::{assignment_with_plan, latest};

/// Eleven lines, a page of four, four and three: in each lines to change, and beside them all that may become of a line.
struct AmopAssignment;

/// Line 1 stands as asked, 2 is changed by another order meanwhile, 3 is deactivated meanwhile, 4 was never active,
/// 12 does not exist.
const LINES: [u64; 11] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12];

impl Scenario for AmopAssignment {
    const TEST: &'static str = "pages::an_assignment_killed_at_every_statement";

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=10).await;
        operator.import(&[operator.line(operator.jasper, 4, "RETIRED")]).await;
        operator.run(assignment_with_plan(operator, [1])).await;
        operator.submit(assignment_with_plan(operator, LINES)).await;
        let moved = ImportAssignment {
            iccid: iccid(2),
            rev_customer_id: Some(operator.rev_customer),
            site_id: operator.rev_site,
            customer_rate_plan_id: None,
            customer_rate_pool_id: None,
            customer_data_allocation_mb: None,
            effective_date: None,
        };
        let now = lineshift_engine::Clock::now(&*operator.clock);
        operator.store.import_assignments(operator.tenant(), &[moved], "import", now).await.expect("the line is moved");
        operator.import(&[operator.line(operator.jasper, 3, "DEACTIVATED")]).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        operator.run_until_idle().await;
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        let change = operator.change(latest(operator).await.expect("it was ordered").id).await;
        assert_eq!(change.status(), BulkChangeStatus::Partial);
        let counts = change.counts;
        assert_eq!((counts.total, counts.processed, counts.error, change.rejected), (11, 7, 4, 2));
        assert_eq!(standing.part("pages").len(), 1 + 3);
        // Two actions for each line that was changed, the one of the first order included.
        assert_eq!(standing.part("history").len(), 2 * (1 + 6));
        assert_eq!(standing.part("cross_provider_history").len(), 1 + 6);
        // Two steps a changed line, one outcome for each of the five others, and the completions.
        assert_eq!(standing.part("log").len(), 2 * (1 + 6) + 5 + 2);
    }
}

#[test]
fn an_assignment_killed_at_every_statement() {
    sweep(&AmopAssignment);
}

/// A page that is killed again and again is run by whoever comes next; nothing is counted against it.
struct ByNumber;

impl Scenario for ByNumber {
    const TEST: &'static str = "pages::a_plan_change_by_number_killed_at_every_statement";

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=6).await;
        let mut order = operator.order((1..=7).map(lineshift_testkit::operator::number), operator.plan_change(operator.plan));
        order.identifier = lineshift_domain::terms::LineIdentifier::Number;
        operator.submit(order).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        operator.run_until_idle().await;
    }

    async fn recover(&self, operator: &Operator) {
        settle(operator).await;
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        let counts = operator.change(latest(operator).await.expect("it was ordered").id).await.counts;
        assert_eq!((counts.total, counts.processed, counts.error), (7, 6, 1));
        assert_eq!(standing.part("history").len(), 6);
        assert!(standing.part("pages").iter().all(|page| page.ends_with("| 0")), "failures: {:?}", standing.part("pages"));
    }
}

#[test]
fn a_plan_change_by_number_killed_at_every_statement() {
    sweep(&ByNumber);
}
