//! A scenario killed at every statement that it writes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use lineshift_domain::limits::Limits;
use lineshift_engine::{WorkerOptions, shutdown};
use tempfile::TempDir;

use super::process::{Child, Ended, Running, arm, child, say_statements, strike};
use super::reopen::{open_options, reopen};
use super::seeds::{replay_statement, statements_to_try};
use super::standing::{Standing, check_invariants};
use crate::operator::{BEGINNING, Operator};
use crate::store::FILE;

/// When the survivors look: a minute later, past every lease.
pub const AFTER: &str = "2026-12-01T09:01:00Z";

/// Something that is done to a store, disturbed at any point, and made good.
pub trait Scenario: Sync {
    /// The test's name within its binary; a child runs it again.
    const TEST: &'static str;

    /// Pages of four lines, so that few lines make several.
    fn limits(&self) -> Limits {
        Limits { page_lines: 4, ..Limits::default() }
    }

    /// When it is done, and when the survivors look.
    fn moments(&self) -> (&'static str, &'static str) {
        (BEGINNING, AFTER)
    }

    /// What is there before, on a store with reference data and no lines.
    fn prepare(&self, operator: &Operator) -> impl Future<Output = ()>;

    /// What is done, in a process that may be killed.
    fn act(&self, operator: &Operator, task: &str) -> impl Future<Output = ()>;

    /// What the survivors do about it; they go on until nothing is left to do.
    fn recover(&self, operator: &Operator) -> impl Future<Output = ()> {
        settle(operator)
    }

    /// What must be the same after every run.
    fn standing(&self, operator: &Operator) -> impl Future<Output = Standing> {
        Standing::of(&operator.stored)
    }

    /// What an undisturbed run leaves, looked at for itself.
    fn check(&self, operator: &Operator, standing: &Standing) -> impl Future<Output = ()>;
}

/// Runs the scheduler, then all pages, then the scheduler again, as a process does that was just started: the scheduler
/// first, because nothing promises that a worker is faster.
pub async fn settle(operator: &Operator) {
    tick(operator).await;
    operator.engine.run_pages_until_idle(&WorkerOptions { owner: "survivor".to_owned() }).await.expect("pages run");
    tick(operator).await;
}

/// One round of the scheduler.
async fn tick(operator: &Operator) {
    let (stop, stopped) = shutdown();
    // The scheduler is polled first: it has begun its round when it hears that this is the last.
    tokio::join!(operator.engine.run_scheduler(stopped), async { stop.stop() });
}

/// Runs async code on a runtime of its own.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// What a child process does: the scenario's part, and dies where it was told to.
pub fn run_child(scenario: &impl Scenario, child: &Child) {
    arm(child.kill_at);
    block_on(async {
        let beside = child.store.parent().expect("the store lies in a folder");
        let directory = tempfile::tempdir_in(beside).expect("a temporary folder");
        let options = open_options(Some(strike));
        let operator = reopen(&child.store, directory, scenario.moments().0, scenario.limits(), options).await;
        scenario.act(&operator, &child.task).await;
        say_statements();
    });
}

/// A store from which every run starts.
pub struct Template {
    directory: TempDir,
}

impl Template {
    /// A store on which the scenario was prepared.
    pub fn prepare(scenario: &impl Scenario) -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        block_on(async {
            let operator = Operator::with(0, scenario.limits(), open_options(None)).await;
            scenario.prepare(&operator).await;
            operator.stored.sqlite().back_up(&store_in(directory.path()), |_, _| {}).await.expect("the store is copied");
        });
        Self { directory }
    }

    /// A copy in a folder of its own.
    #[must_use]
    pub fn copy(&self) -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let store = store_in(directory.path());
        std::fs::copy(store_in(self.directory.path()), &store).expect("the store is copied");
        (directory, store)
    }
}

fn store_in(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// What is done after, in this process; answers what stands in the end. `undisturbed`: nobody was killed before.
pub fn survive<S: Scenario>(scenario: &S, store: &Path, directory: TempDir, undisturbed: bool) -> Standing {
    block_on(async {
        let operator = reopen(store, directory, scenario.moments().1, scenario.limits(), open_options(None)).await;
        scenario.recover(&operator).await;
        let standing = scenario.standing(&operator).await;
        check_invariants(&operator.stored).await;
        if undisturbed {
            scenario.check(&operator, &standing).await;
        }
        standing
    })
}

/// One run: a child that is killed before that statement (0: lives), and survivors.
fn run<S: Scenario>(scenario: &S, template: &Template, kill_at: u64) -> (Ended, Standing) {
    let (directory, store) = template.copy();
    let ended = Running::spawn(S::TEST, kill_at, "", &store).wait();
    (ended, survive(scenario, &store, directory, kill_at == 0))
}

/// An undisturbed run: how many statements it wrote, and what stands in the end.
pub fn undisturbed<S: Scenario>(scenario: &S, template: &Template) -> (u64, Standing) {
    let (ended, standing) = run(scenario, template, 0);
    let Ended::Done { statements, .. } = ended else { panic!("nobody killed it, yet it was killed") };
    (statements, standing)
}

/// Kills the scenario before each statement that it writes, one after the other; each time all must end as if nothing
/// had happened. `LINESHIFT_KILL_AT` tries one statement only.
pub fn sweep<S: Scenario>(scenario: &S) {
    if let Some(child) = child() {
        return run_child(scenario, &child);
    }
    let template = Template::prepare(scenario);
    let (statements, reference) = undisturbed(scenario, &template);
    let numbers = statements_to_try(statements);
    assert!(!numbers.is_empty(), "nothing was written");
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
            let hint = replay_statement(S::TEST, *number);
            let (ended, standing) = run(scenario, &template, *number);
            assert_eq!(ended, Ended::Killed, "statement {number} was to be the last");
            standing.assert_same(&reference, &format!("killed before statement {number} of {statements}"));
            hint.passed();
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    // One past the end lives: the sweep left out nothing.
    if numbers.len() > 1 {
        let (ended, standing) = run(scenario, &template, statements + 1);
        assert!(matches!(ended, Ended::Done { .. }), "statement {} was sent", statements + 1);
        standing.assert_same(&reference, "not killed");
    }
}
