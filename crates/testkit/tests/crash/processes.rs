//! Several processes on one store at once (B5.1, B5.4, B8.3, B4.5).

use lineshift_domain::limits::Limits;
use lineshift_engine::WorkerOptions;
use lineshift_testkit::crash::{
    AFTER, Chance, Ended, Running, Scenario, Standing, Template, child, look, run_child, say, seeds, settle, survive,
    undisturbed, wait_for_go,
};
use lineshift_testkit::operator::{BEGINNING, Operator};

use crate::orders::{LONG_PAST_DUE, PAST_DUE, assignment_with_plan, latest, scheduled, submit_with_key};

/// Starts a process for each task, and lets them go when all stand ready; answers how each ended.
fn together<S: Scenario>(store: &std::path::Path, tasks: &[(&str, u64)]) -> Vec<Ended> {
    let mut running: Vec<Running> = tasks.iter().map(|(task, kill_at)| Running::spawn(S::TEST, *kill_at, task, store)).collect();
    running.iter_mut().for_each(Running::wait_until_ready);
    running.iter_mut().for_each(Running::go);
    running.into_iter().map(Running::wait).collect()
}

/// What each process said that was not killed.
fn said(ended: &[Ended]) -> Vec<String> {
    let lines = |ended: &Ended| match ended {
        Ended::Killed => Vec::new(),
        Ended::Done { said, .. } => said.clone(),
    };
    ended.iter().flat_map(lines).filter(|line| !line.starts_with("statements")).collect()
}

/// A change of twenty pages.
struct TwoWorkers;

const LINES: u64 = 1_000;

impl Scenario for TwoWorkers {
    const TEST: &'static str = "processes::two_workers_run_each_page_once";

    fn limits(&self) -> Limits {
        Limits { page_lines: 50, ..Limits::default() }
    }

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=LINES).await;
        operator.submit(assignment_with_plan(operator, 1..=LINES)).await;
    }

    async fn act(&self, operator: &Operator, task: &str) {
        if !task.is_empty() {
            wait_for_go();
        }
        let options = WorkerOptions { owner: format!("worker {task}") };
        let pages = operator.engine.run_pages_until_idle(&options).await.expect("pages run");
        say(&format!("pages {pages}"));
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        let counts = operator.change(latest(operator).await.expect("it was ordered").id).await.counts;
        assert_eq!((counts.total, counts.processed), (1_000, 1_000));
        assert_eq!((standing.part("pages").len(), standing.part("history").len()), (20, 2_000));
    }
}

#[test]
fn two_workers_run_each_page_once() {
    if let Some(child) = child() {
        return run_child(&TwoWorkers, &child);
    }
    let template = Template::prepare(&TwoWorkers);
    let (_, reference) = undisturbed(&TwoWorkers, &template);
    let (directory, store) = template.copy();
    let ended = together::<TwoWorkers>(&store, &[("a", 0), ("b", 0)]);
    let pages: Vec<u64> = said(&ended)
        .iter()
        .filter_map(|line| line.strip_prefix("pages "))
        .map(|pages| pages.parse().expect("a number"))
        .collect();
    // Twenty to run, and the change to complete: none by both.
    assert_eq!((pages.len(), pages.iter().sum::<u64>()), (2, 21), "{pages:?}");
    survive(&TwoWorkers, &store, directory, true).assert_same(&reference, "two workers");
}

/// The same, and one of them is killed somewhere; the other goes on, and takes over the page when its lease has run out.
struct OneOfTwo;

impl Scenario for OneOfTwo {
    const TEST: &'static str = "processes::a_worker_beside_one_that_is_killed";

    fn limits(&self) -> Limits {
        TwoWorkers.limits()
    }

    async fn prepare(&self, operator: &Operator) {
        TwoWorkers.prepare(operator).await;
    }

    async fn act(&self, operator: &Operator, task: &str) {
        TwoWorkers.act(operator, task).await;
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        TwoWorkers.check(operator, standing).await;
    }
}

#[test]
fn a_worker_beside_one_that_is_killed() {
    if let Some(child) = child() {
        return run_child(&OneOfTwo, &child);
    }
    let template = Template::prepare(&OneOfTwo);
    let (_, reference) = undisturbed(&OneOfTwo, &template);
    seeds(9).one_in(3).try_each(OneOfTwo::TEST, |seed| {
        let kill_at = Chance::new(seed).between(5, 120);
        let (standing, _) = kill_one(&OneOfTwo, &template, kill_at);
        standing.assert_same(&reference, &format!("one of two killed before its statement {kill_at}"));
    });
}

/// Two processes, of which the first is killed before that statement: tried again where the second was so much faster that
/// the first had not as many to send.
fn kill_one<S: Scenario>(scenario: &S, template: &Template, kill_at: u64) -> (Standing, Vec<String>) {
    for _ in 0..20 {
        let (directory, store) = template.copy();
        let ended = together::<S>(&store, &[("killed", kill_at), ("lives", 0)]);
        assert!(matches!(ended[1], Ended::Done { .. }), "the second is not to die");
        if ended[0] == Ended::Killed {
            return (survive(scenario, &store, directory, true), said(&ended));
        }
        survive(scenario, &store, directory, true);
    }
    panic!("the second was faster twenty times");
}

/// Ten thousand entries due at once, two schedulers, one of them killed.
struct TwoSchedulers;

const ENTRIES: u64 = 10_000;

impl Scenario for TwoSchedulers {
    const TEST: &'static str = "processes::two_schedulers_apply_each_entry_once_though_one_is_killed";

    fn limits(&self) -> Limits {
        Limits { page_lines: 500, ..Limits::default() }
    }

    fn moments(&self) -> (&'static str, &'static str) {
        (PAST_DUE, LONG_PAST_DUE)
    }

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=ENTRIES).await;
        operator.run(scheduled(operator, 1..=ENTRIES)).await;
        let open = look(&operator.stored, "SELECT count(*) FROM customer_rate_plan_device_queue WHERE state = 'open'").await;
        assert_eq!(open, ["10000"]);
    }

    async fn act(&self, operator: &Operator, _: &str) {
        wait_for_go();
        let done = operator.engine.run_due_entries().await.expect("entries are applied");
        say(&format!("applied {}", done.applied));
    }

    async fn standing(&self, _: &Operator) -> Standing {
        Standing::default()
    }

    async fn check(&self, operator: &Operator, _: &Standing) {
        let queue = look(&operator.stored, "SELECT state, count(*) FROM customer_rate_plan_device_queue GROUP BY state").await;
        assert_eq!(queue, ["applied | 10000"]);
        // The invariants say that each history row raised the version by one and has one log entry and present row.
        let lines =
            look(&operator.stored, "SELECT customer_rate_plan_id, version, count(*) FROM device_tenant GROUP BY 1, 2").await;
        assert_eq!(lines, [format!("{} | 2 | 10000", operator.plan)]);
    }
}

#[test]
fn two_schedulers_apply_each_entry_once_though_one_is_killed() {
    if let Some(child) = child() {
        return run_child(&TwoSchedulers, &child);
    }
    let template = Template::prepare(&TwoSchedulers);
    seeds(20).one_in(10).try_each(TwoSchedulers::TEST, |seed| {
        let kill_at = Chance::new(seed).between(5, 60);
        let (_, said) = kill_one(&TwoSchedulers, &template, kill_at);
        assert_eq!(said.len(), 1, "only the one that lives says what it did: {said:?}");
    });
}

/// The same request, sent by two at once.
struct TwoSubmitters;

impl Scenario for TwoSubmitters {
    const TEST: &'static str = "processes::two_submitters_with_one_key_make_one_change";

    fn moments(&self) -> (&'static str, &'static str) {
        (BEGINNING, AFTER)
    }

    async fn prepare(&self, operator: &Operator) {
        operator.add_lines(operator.jasper, 1..=10).await;
    }

    async fn act(&self, operator: &Operator, _: &str) {
        wait_for_go();
        match submit_with_key(operator, assignment_with_plan(operator, 1..=10)).await {
            Ok(answer) => say(&format!("answer {answer}")),
            Err(code) => say(&format!("refused {code}")),
        }
    }

    async fn recover(&self, operator: &Operator) {
        submit_with_key(operator, assignment_with_plan(operator, 1..=10)).await.expect("it is answered");
        settle(operator).await;
    }

    async fn check(&self, operator: &Operator, standing: &Standing) {
        assert_eq!((standing.part("changes").len(), standing.part("history").len()), (1, 20));
        assert_eq!(operator.change(latest(operator).await.expect("it was ordered").id).await.counts.processed, 10);
    }
}

#[test]
fn two_submitters_with_one_key_make_one_change() {
    if let Some(child) = child() {
        return run_child(&TwoSubmitters, &child);
    }
    let template = Template::prepare(&TwoSubmitters);
    seeds(3).try_each(TwoSubmitters::TEST, |_| {
        let (directory, store) = template.copy();
        let said = said(&together::<TwoSubmitters>(&store, &[("a", 0), ("b", 0), ("c", 0)]));
        let answers: Vec<&String> = said.iter().filter(|line| line.starts_with("answer")).collect();
        assert!(!answers.is_empty() && answers.iter().all(|answer| *answer == answers[0]), "{said:?}");
        let others = said.iter().filter(|line| !line.starts_with("answer"));
        assert_eq!(others.filter(|line| *line != "refused idempotency_key_running").count(), 0, "{said:?}");
        survive(&TwoSubmitters, &store, directory, true);
    });
}
