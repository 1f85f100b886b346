//! Transactions that PostgreSQL itself undoes, because they wait for each other or because somebody changed the same rows: what they
//! were to do is done by whoever comes next, once.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{Effect, EffectiveDate};
use lineshift_engine::{Clock as _, Engine};
use lineshift_store::StoreError;
use lineshift_store_postgres::testing::{OpenSession, TestDatabase};
use lineshift_store_sqlite::Options;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::crash::{Chance, block_on, check_invariants, look, seeds};
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use lineshift_testkit::store::TestStore;

use crate::wire::Wire;
use crate::world::{ALL_ENDED, Workers, until};

const LINES: u64 = 6;

/// Short leases, so that a page that was given up is taken soon.
fn limits() -> Limits {
    Limits { lease_seconds: 3, heartbeat_seconds: 1, ..Limits::default() }
}

/// What is undone.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// A page of an assignment.
    Page,
    /// Queue entries that fall due.
    Due,
}

/// Work over all lines that waits for workers, and a wire through which they will see the database.
async fn waiting(work: Work) -> (Operator, Wire) {
    let database = TestDatabase::new().await;
    // Those who wait find out soon that they wait for each other, but not before it is so.
    let soon = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''500ms''', current_database()); END $$";
    database.execute(soon).await.expect("set");
    let stored = TestStore::in_database(database, Options::default()).await;
    let operator = Operator::in_store(Arc::new(TestClock::going_from(BEGINNING)), LINES, limits(), stored).await;
    let lines = (1..=LINES).map(iccid);
    match work {
        Work::Page => drop(operator.submit(operator.order(lines, operator.amop_assignment())).await),
        Work::Due => {
            let mut order = operator.plan_order(operator.plan);
            order.effective_date = Some(EffectiveDate::Instant(operator.clock.now() + TimeDelta::hours(1)));
            operator.run(operator.order(lines, Effect::CustomerRatePlanChange(order))).await;
            assert_eq!(operator.count("SELECT count(*) FROM customer_rate_plan_device_queue WHERE state = 'open'").await, 6);
            operator.clock.advance(TimeDelta::hours(1));
        }
    }
    let wire = Wire::to(operator.stored.database().expect("it is PostgreSQL"));
    (operator, wire)
}

/// Two processes beyond the wire.
async fn workers(operator: &Operator, wire: &Wire) -> Workers {
    let mut engines = Vec::new();
    for name in ["one", "two"] {
        let options = lineshift_store_postgres::Options { connections: 4, ..Default::default() };
        let store = lineshift_store_postgres::connect(&wire.url_of(name), options).await.expect("the store opens");
        engines.push(Engine::new(Arc::new(store), Arc::clone(&operator.clock) as _, limits()));
    }
    Workers::start(engines)
}

/// Somebody else at work on the same lines.
struct Rival(OpenSession);

impl Rival {
    /// In a transaction that gives way later than any other.
    async fn begin(operator: &Operator) -> Self {
        let session = operator.stored.database().expect("it is PostgreSQL").session().await;
        session.send("BEGIN; SET LOCAL deadlock_timeout = '5s'").await.expect("it begins");
        Self(session)
    }

    async fn lock(&self, line: u64) -> Result<(), StoreError> {
        let line = format!("SELECT id FROM device WHERE iccid = '{}'", iccid(line));
        self.0.send(&format!("SELECT FROM device_tenant WHERE device_id = ({line}) FOR UPDATE")).await.map(drop)
    }

    /// Writes a line anew, as it is.
    async fn change(&self, line: u64) {
        let line = format!("SELECT id FROM device WHERE iccid = '{}'", iccid(line));
        let text = format!("UPDATE device_tenant SET modified_at = modified_at WHERE device_id = ({line})");
        self.0.send(&text).await.expect("nobody has it");
    }

    async fn until_somebody_waits(&self) {
        let query = "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))";
        let asked = async {
            let mut looks = tokio::time::interval(Duration::from_millis(5));
            while self.0.send(query).await.expect("it answers").is_empty() {
                looks.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), asked).await.expect("somebody wants the same line");
    }

    async fn commit(self) {
        self.0.send("COMMIT").await.expect("it commits");
    }
}

/// Everything must have ended, each line once.
async fn ends_well(operator: &Operator, workers: Workers, what: &str) {
    until(operator, ALL_ENDED).await;
    workers.end().await;
    check_invariants(&operator.stored).await;
    let changed = look(&operator.stored, "SELECT version, count(*) FROM device_tenant GROUP BY version").await;
    assert_eq!(changed, [format!("2 | {LINES}")], "{what}: each line is changed once");
    assert_eq!(look(&operator.stored, "SELECT id FROM device_change WHERE status <> 'PROCESSED'").await, [""; 0], "{what}");
    let open = "SELECT device_id FROM customer_rate_plan_device_queue WHERE state <> 'applied'";
    assert_eq!(look(&operator.stored, open).await, [""; 0], "{what}");
}

fn seen(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn draw(seed: u64, times: RangeInclusive<u64>) -> (Chance, u64) {
    let mut chance = Chance::new(seed);
    let times = chance.between(*times.start(), *times.end());
    (chance, times)
}

/// A rival has a line that the product will want, waits until it does, and wants one that the product has already: neither can go on. The
/// rival's patience is longer, so that the product's transaction is undone; again and again, as the rival goes on towards the first line.
async fn deadlocks(seed: u64) {
    let (mut chance, times) = draw(seed, 1..=3);
    let (operator, wire) = waiting(Work::Page).await;
    let rival = Rival::begin(&operator).await;
    let mut line = chance.between(times + 1, LINES);
    rival.lock(line).await.expect("nobody has it");
    let workers = workers(&operator, &wire).await;
    let mut rival_gave_way = false;
    for left in (0..times).rev() {
        rival.until_somebody_waits().await;
        line = chance.between(left + 1, line - 1);
        if let Err(error) = rival.lock(line).await {
            // Where the machine stood still for half a second, the rival is the one who gives way.
            assert!(matches!(error, StoreError::Unavailable(_)), "seed {seed}: {error}");
            rival_gave_way = true;
            break;
        }
    }
    rival.commit().await;
    let what = format!("seed {seed}, {times} deadlocks");
    ends_well(&operator, workers, &what).await;
    assert!(rival_gave_way || seen(&wire.seen.deadlocks) >= 1, "{what}: nobody of ours gave way");
}

#[test]
fn work_that_is_undone_by_deadlocks_is_done_once() {
    seeds(4).try_each("undone::work_that_is_undone_by_deadlocks_is_done_once", |seed| block_on(deadlocks(seed)));
}

/// Rivals have changed lines, one after the other, and commit when the product waits for them: under one snapshot its transaction is
/// undone each time.
async fn serialization_failures(seed: u64) {
    let (mut chance, times) = draw(seed, 1..=3);
    let (operator, wire) = waiting(Work::Page).await;
    wire.seen.strict.store(true, Ordering::Relaxed);
    let (mut rivals, mut line) = (Vec::new(), 0);
    for left in (0..times).rev() {
        line = chance.between(line + 1, LINES - left);
        let rival = Rival::begin(&operator).await;
        rival.change(line).await;
        rivals.push(rival);
    }
    let workers = workers(&operator, &wire).await;
    for rival in rivals {
        rival.until_somebody_waits().await;
        rival.commit().await;
    }
    let what = format!("seed {seed}, {times} rivals");
    ends_well(&operator, workers, &what).await;
    assert!(seen(&wire.seen.serialization_failures) >= times, "{what}: nobody of ours gave way");
}

#[test]
fn work_that_is_undone_because_rows_were_changed_is_done_once() {
    let test = "undone::work_that_is_undone_because_rows_were_changed_is_done_once";
    seeds(4).try_each(test, |seed| block_on(serialization_failures(seed)));
}

/// Queue entries fall due while somebody has one of their lines: the others are applied meanwhile, that one afterwards, and nobody waits
/// for anybody.
async fn passed_over(seed: u64) {
    let mut chance = Chance::new(seed);
    let (operator, wire) = waiting(Work::Due).await;
    let rival = Rival::begin(&operator).await;
    rival.lock(chance.between(1, LINES)).await.expect("nobody has it");
    let workers = workers(&operator, &wire).await;
    until(&operator, "SELECT (count(*) = 1)::int FROM customer_rate_plan_device_queue WHERE state = 'open'").await;
    rival.commit().await;
    let what = format!("seed {seed}");
    ends_well(&operator, workers, &what).await;
    assert_eq!((seen(&wire.seen.deadlocks), seen(&wire.seen.serialization_failures)), (0, 0), "{what}");
}

#[test]
fn due_entries_whose_line_others_have_are_left_for_the_next_time() {
    let test = "undone::due_entries_whose_line_others_have_are_left_for_the_next_time";
    seeds(2).try_each(test, |seed| block_on(passed_over(seed)));
}
