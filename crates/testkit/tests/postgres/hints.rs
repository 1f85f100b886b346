//! What one process announces never comes to the others, or their listening connections end, on a virtual clock: work and what falls due
//! are found by looking, a few seconds later.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{Effect, EffectiveDate};
use lineshift_engine::{Clock as _, Engine};
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_sqlite::Options;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::crash::{Chance, check_invariants, look, seeds};
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use lineshift_testkit::store::TestStore;
use tokio::time::sleep;

use crate::wire::Wire;
use crate::world::Workers;

const LINES: u64 = 8;

/// Longer than anybody waits before it looks by itself, with what it does then.
const SOON: Duration = Duration::from_secs(8);

const LISTENS: &str = "query LIKE 'LISTEN%' AND pid <> pg_backend_pid()";

/// Waits, in real time, until so many listen; virtual time stands still while the database is asked.
async fn until_listening(operator: &Operator, processes: usize) {
    let query = format!("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {LISTENS}");
    for _ in 0..100_000 {
        if look(&operator.stored, &query).await.len() == processes {
            return;
        }
    }
    panic!("not all {processes} listen");
}

async fn run(seed: u64) {
    let chance = &mut Chance::new(seed);
    let stored = TestStore::in_database(TestDatabase::new().await, Options::default()).await;
    let operator = Operator::in_store(Arc::new(TestClock::going_from(BEGINNING)), LINES, Limits::default(), stored).await;
    let database = operator.stored.database().expect("it is PostgreSQL");
    let wire = Wire::to(database);
    let mut engines = Vec::new();
    for name in ["one", "two"] {
        let store = lineshift_store_postgres::connect(&wire.url_of(name), Default::default()).await.expect("the store opens");
        engines.push(Engine::new(Arc::new(store), Arc::clone(&operator.clock) as _, Limits::default()));
    }
    let workers = Workers::start(engines);
    let (mut silent, mut planned) = (0, 0);
    for line in 1..=LINES {
        until_listening(&operator, 2).await;
        // Whoever hears, and had nothing to do for a while, looks seldom.
        sleep(Duration::from_secs(chance.between(0, 90))).await;
        let is_silent = chance.once_in(2);
        wire.seen.silent.store(is_silent, Ordering::Relaxed);
        silent += u64::from(is_silent);
        if !is_silent {
            database.cut_off(LISTENS).await;
        }
        let lines = [iccid(line)];
        if chance.once_in(2) {
            operator.submit(operator.order(lines, operator.amop_assignment())).await;
        } else {
            let wait = chance.between(1, 120);
            let mut order = operator.plan_order(operator.plan);
            let at = operator.clock.now() + TimeDelta::seconds(i64::try_from(wait).expect("minutes"));
            order.effective_date = Some(EffectiveDate::Instant(at));
            operator.submit(operator.order(lines, Effect::CustomerRatePlanChange(order))).await;
            planned += 1;
            sleep(Duration::from_secs(wait)).await;
        }
        sleep(SOON).await;
        let open = "SELECT id FROM device_bulk_change WHERE processed_at IS NULL
            UNION ALL SELECT device_change_id FROM customer_rate_plan_device_queue WHERE state <> 'applied'
            UNION ALL SELECT id FROM outbox";
        assert_eq!(look(&operator.stored, open).await, [""; 0], "seed {seed}, line {line}: still open after {SOON:?}");
    }
    workers.end().await;
    assert!(wire.seen.lost.load(Ordering::Relaxed) >= silent, "seed {seed}: nothing was lost");
    check_invariants(&operator.stored).await;
    let entries = operator.count("SELECT count(*) FROM customer_rate_plan_device_queue WHERE state = 'applied'").await;
    assert_eq!(entries, planned, "seed {seed}");
}

#[test]
fn what_nobody_hears_of_is_done_a_few_seconds_later() {
    let paused = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    seeds(4).try_each("hints::what_nobody_hears_of_is_done_a_few_seconds_later", |seed| paused().block_on(run(seed)));
}
