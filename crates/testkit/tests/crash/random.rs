//! Several kills in a row of the same run, at random statements, with random sizes: `just soak` for many seeds.

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{Effect, Order};
use lineshift_engine::EngineError;
use lineshift_store::bulk_changes::IdempotencyClaim;
use lineshift_testkit::crash::{Chance, Ended, Running, Scenario, Standing, Template, child, run_child, seeds, settle, survive};
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};

use crate::orders::{LONG_PAST_DUE, assignment_with_plan, scheduled};

const TEST: &str = "random::a_run_killed_again_and_again";

/// What a seed makes of a run.
struct Story {
    seed: u64,
    page_lines: u64,
    lines: u64,
    /// Lines that are not active.
    bad: Vec<u64>,
    /// What is ordered: kind, first line, last line.
    orders: Vec<(u64, u64, u64)>,
    /// Whether the orders are over different lines: then each ends the same whenever it runs.
    apart: bool,
}

impl Story {
    fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let lines = chance.between(1, 40);
        let page_lines = chance.between(1, 9);
        let bad = (1..=lines).filter(|_| chance.once_in(6)).collect();
        let apart = lines >= 3 && chance.once_in(2);
        let count = chance.between(1, 3);
        let orders = (0..count)
            .map(|nth| {
                let kind = chance.between(0, 3);
                // Apart: a third of the lines each, and one or two beyond the last that nobody has.
                let (first, last) = if apart { (nth * lines / 3 + 1, (nth + 1) * lines / 3) } else { (1, lines) };
                let first = if apart { first } else { chance.between(first, last) };
                (kind, first, last.max(first) + if nth + 1 == count { chance.between(0, 2) } else { 0 })
            })
            .collect();
        Self { seed, page_lines, lines, bad, orders, apart }
    }

    fn order(operator: &Operator, (kind, first, last): (u64, u64, u64)) -> Order {
        let lines = first..=last;
        match kind {
            0 => assignment_with_plan(operator, lines),
            1 => scheduled(operator, lines),
            2 => operator.order(lines.map(iccid), operator.plan_change(operator.other_plan)),
            _ => operator.order(lines.map(iccid), Effect::CustomerAssignment(operator.rev_assignment())),
        }
    }

    /// Submits every order under its key: a second time it is answered, unless the first is still running.
    async fn submit_all(&self, operator: &Operator) {
        for (nth, order) in (0_u8..).zip(&self.orders) {
            let claim = IdempotencyClaim { caller: operator.caller.principal, key: format!("order-{nth}"), body_hash: [nth; 32] };
            match operator.engine.submit(&operator.caller, Self::order(operator, *order), Some(claim)).await {
                Ok(_) => {}
                Err(EngineError::Refused(refusal)) => panic!("{refusal}"),
                Err(EngineError::Store(error)) => panic!("{error:?}"),
            }
        }
    }

    /// How many kills, and at which statement each.
    fn kills(&self) -> Vec<u64> {
        let mut chance = Chance::new(!self.seed);
        let count = chance.between(1, 5);
        (0..count).map(|_| chance.between(1, 120)).collect()
    }
}

impl Scenario for Story {
    const TEST: &'static str = TEST;

    fn limits(&self) -> Limits {
        Limits { page_lines: usize::try_from(self.page_lines).expect("a few lines"), ..Limits::default() }
    }

    fn moments(&self) -> (&'static str, &'static str) {
        (BEGINNING, LONG_PAST_DUE)
    }

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=self.lines).await;
        let bad: Vec<_> = self.bad.iter().map(|line| operator.line(operator.jasper, *line, "RETIRED")).collect();
        operator.import(&bad).await;
    }

    async fn act(&self, operator: &Operator, task: &str) {
        let (_, minutes) = task_of(task);
        operator.clock.advance(TimeDelta::minutes(minutes));
        self.submit_all(operator).await;
        settle(operator).await;
    }

    /// The orders are sent again; what was due is applied, late.
    async fn recover(&self, operator: &Operator) {
        operator.clock.set("2026-12-01T12:00:00Z");
        settle(operator).await;
        self.submit_all(operator).await;
        settle(operator).await;
        operator.clock.set(LONG_PAST_DUE);
        settle(operator).await;
    }

    async fn check(&self, _: &Operator, standing: &Standing) {
        assert_eq!(standing.part("changes").len(), self.orders.len());
        assert_eq!(standing.part("lines").len() as u64, self.lines);
    }
}

/// A task is the seed and how many minutes later it is.
fn task_of(task: &str) -> (u64, i64) {
    let (seed, minutes) = task.split_once(' ').expect("SEED MINUTES");
    (seed.parse().expect("a number"), minutes.parse().expect("a number"))
}

#[test]
fn a_run_killed_again_and_again() {
    if let Some(child) = child() {
        return run_child(&Story::of(task_of(&child.task).0), &child);
    }
    seeds(12).try_each(TEST, |seed| {
        let story = Story::of(seed);
        let template = Template::prepare(&story);
        let (directory, store) = template.copy();
        let kills = story.kills();
        for (nth, kill_at) in (0_u64..).zip(&kills) {
            // A run that has less left to write than that ends by itself.
            let ended = Running::spawn(TEST, *kill_at, &format!("{seed} {}", nth * 2), &store).wait();
            assert!(matches!(ended, Ended::Killed | Ended::Done { .. }));
        }
        let standing = survive(&story, &store, directory, true);
        if story.apart {
            let (directory, store) = template.copy();
            let reference = survive(&story, &store, directory, true);
            standing.assert_same(&reference, &format!("seed {seed}, killed before statements {kills:?}"));
        }
    });
}
