//! Killed while lines are brought in: a chunk is there whole or not at all, and bringing in all of it again mends it.

use lineshift_engine::Clock as _;
use lineshift_testkit::crash::{Scenario, Standing, look, settle, sweep};
use lineshift_testkit::operator::Operator;

const CHUNK: u64 = 20;

/// Three chunks; the second holds five lines that are there already.
struct Devices;

impl Devices {
    async fn import(operator: &Operator) {
        for first in [1, 1 + CHUNK, 1 + 2 * CHUNK] {
            let rows: Vec<_> = (first..first + CHUNK).map(|line| operator.line(operator.jasper, line, "ACTIVATED")).collect();
            let done = operator.store.import_devices(operator.tenant(), &rows, "import", operator.clock.now()).await;
            assert_eq!(done.expect("lines are imported").refused, []);
        }
    }
}

impl Scenario for Devices {
    const TEST: &'static str = "import::devices_killed_at_every_statement";

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 21..=25).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        Self::import(operator).await;
    }

    async fn recover(&self, operator: &Operator) {
        let count = "SELECT (SELECT count(*) FROM device) || ' ' || (SELECT count(*) FROM device_tenant)";
        let there = look(&operator.stored, count).await.remove(0);
        // None, one, two or three chunks on top of the five lines that were there.
        assert!(["5 5", "25 25", "40 40", "60 60"].contains(&there.as_str()), "a part of a chunk is there: {there}");
        Self::import(operator).await;
        settle(operator).await;
    }

    async fn check(&self, _: &Operator, standing: &Standing) {
        assert_eq!(standing.part("lines").len(), 60);
    }
}

#[test]
fn devices_killed_at_every_statement() {
    sweep(&Devices);
}
