//! What a seed makes happen where several processes share a PostgreSQL database: orders of every kind by two tenants, and workers
//! whose connections end, whose transactions the database undoes, who have too few connections, die or freeze.

mod faults;
mod workers;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, Effect, EffectiveDate};
use lineshift_engine::{Clock as _, Submission};
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_sqlite::Options;
use tokio::time::{Instant, sleep, sleep_until};

use self::faults::Fault;
use self::workers::{Manner, Process};
use crate::billing::{BillingWorld, OTHER_PRODUCT, PASSWORD, PRODUCT, product};
use crate::billing_checks::{Ordered, check_books};
use crate::clock::TestClock;
use crate::crash::{Chance, broken_rules, look, reopen_nth};
use crate::operator::{BEGINNING, Operator, iccid};
use crate::store::TestStore;

/// Lines of each tenant.
const LINES: u64 = 6;

/// How long faults happen, in virtual seconds.
const TURMOIL: u64 = 240;

/// Longer than any line may stay open after that.
const LONGEST: Duration = Duration::from_secs(86_400);

/// A database before anything was ordered, copied for each seed.
pub struct MixedTemplate(Arc<TestDatabase>);

impl MixedTemplate {
    /// Two tenants with their lines. In a runtime whose clock is paused.
    pub async fn new() -> Self {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let stored = TestStore::in_database(TestDatabase::new().await, Options::default()).await;
        let operator = Operator::in_store(Arc::clone(&clock), LINES, Limits::default(), stored.clone()).await;
        operator.beside("Another operator", LINES).await;
        BillingWorld::over(operator, clock, |_| {}).store_credentials(PASSWORD).await;
        let TestStore::Postgres(_, database) = stored else { unreachable!("it was made in a database") };
        database.execute(faults::UNDOING).await.expect("what undoes transactions is made");
        Self(database)
    }
}

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    PlanNow,
    /// In so many seconds.
    PlanLater(u64),
    Amop,
    Rev,
    /// By the first tenant only, who has a billing account. With a second product.
    RevService(bool),
}

#[derive(Debug)]
struct Ordering {
    at: u64,
    /// 0 or 1.
    tenant: usize,
    kind: Kind,
    lines: std::ops::RangeInclusive<u64>,
    /// When it is canceled, or what is in error is tried again.
    canceled: Option<u64>,
    retried: Option<u64>,
}

/// What a seed says.
#[derive(Debug)]
struct Story {
    page_lines: usize,
    orders: Vec<Ordering>,
    workers: Vec<(u64, Manner, usize)>,
    faults: Vec<(u64, Fault)>,
}

impl Story {
    fn of(seed: u64) -> Self {
        let chance = &mut Chance::new(seed ^ 0x05EE_D5EE);
        let workers: Vec<_> = (0..chance.between(2, 3)).map(|_| workers::draw(chance)).collect();
        let orders = (0..chance.between(3, 6)).map(|_| ordering(chance)).collect();
        let faults =
            (0..chance.between(1, 5)).map(|_| (chance.between(0, TURMOIL), Fault::draw(chance, workers.len()))).collect();
        Self { page_lines: usize::try_from(chance.between(1, 4)).expect("a few"), orders, workers, faults }
    }
}

fn ordering(chance: &mut Chance) -> Ordering {
    let first = chance.between(1, LINES);
    let lines = first..=chance.between(first, LINES);
    let tenant = usize::from(chance.once_in(3));
    let kind = match chance.between(0, 5) {
        0 => Kind::PlanNow,
        1 => Kind::PlanLater(chance.between(1, TURMOIL)),
        2 => Kind::Amop,
        3 => Kind::Rev,
        _ if tenant == 0 => Kind::RevService(chance.once_in(2)),
        _ => Kind::PlanLater(chance.between(1, TURMOIL)),
    };
    let at = chance.between(0, TURMOIL / 2);
    let later = |chance: &mut Chance, of| chance.once_in(of).then(|| at + chance.between(0, TURMOIL / 2));
    Ordering { at, tenant, kind, lines, canceled: later(chance, 5), retried: later(chance, 3) }
}

/// Something that happens at a moment of a story.
enum Moment {
    Worker(usize),
    Order(usize),
    Cancel(usize),
    Retry(usize),
    Fault(Fault),
}

impl Story {
    fn moments(&self) -> Vec<(u64, Moment)> {
        let mut moments = Vec::new();
        for (nth, (at, ..)) in self.workers.iter().enumerate() {
            moments.push((*at, Moment::Worker(nth)));
        }
        for (nth, order) in self.orders.iter().enumerate() {
            moments.push((order.at, Moment::Order(nth)));
            moments.extend(order.canceled.map(|at| (at, Moment::Cancel(nth))));
            moments.extend(order.retried.map(|at| (at, Moment::Retry(nth))));
        }
        moments.extend(self.faults.iter().map(|(at, fault)| (*at, Moment::Fault(*fault))));
        moments.sort_by_key(|(at, _)| *at);
        moments
    }
}

/// A world of two tenants in one database.
struct World {
    /// The first tenant's, with its billing system.
    billing: Arc<BillingWorld>,
    second: Operator,
    database: Arc<TestDatabase>,
    ids: Vec<Option<BulkChangeId>>,
}

impl World {
    async fn new(template: &MixedTemplate, story: &Story, seed: u64) -> Self {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let stored = TestStore::in_database(template.0.copy().await, Options::default()).await;
        let TestStore::Postgres(_, database) = &stored else { unreachable!("it was made in a database") };
        let database = Arc::clone(database);
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let limits = Limits { page_lines: story.page_lines, ..Limits::default() };
        let second = reopen_nth(1, Arc::clone(&clock), stored.clone(), Arc::clone(&directory), limits).await;
        let first = reopen_nth(0, Arc::clone(&clock), stored, directory, limits).await;
        let billing = BillingWorld::over(first, clock, |options| {
            options.seed = seed;
            options.latency = Duration::from_millis(50);
            options.jitter = Duration::from_millis(200);
        });
        let billing = Arc::new(billing);
        Self { billing, second, database, ids: vec![None; story.orders.len()] }
    }

    fn operator(&self, tenant: usize) -> &Operator {
        if tenant == 0 { &self.billing.operator } else { &self.second }
    }

    async fn order(&mut self, story: &Story, nth: usize) {
        let Ordering { tenant, kind, lines, .. } = &story.orders[nth];
        let operator = self.operator(*tenant);
        let order = operator.order(lines.clone().map(iccid), self.effect(operator, *kind));
        // What could not be stored was refused or may be ordered again: it is not there.
        if let Ok(Submission::Stored(stored)) = operator.engine.submit(&operator.caller, order, None).await {
            self.ids[nth] = Some(stored.id);
        }
    }

    fn effect(&self, operator: &Operator, kind: Kind) -> Effect {
        match kind {
            Kind::PlanNow => operator.plan_change(operator.plan),
            Kind::PlanLater(seconds) => {
                let at = operator.clock.now() + TimeDelta::seconds(i64::try_from(seconds).expect("minutes"));
                let mut order = operator.plan_order(operator.other_plan);
                order.effective_date = Some(EffectiveDate::Instant(at));
                Effect::CustomerRatePlanChange(order)
            }
            Kind::Amop => operator.amop_assignment(),
            Kind::Rev => Effect::CustomerAssignment(operator.rev_assignment()),
            Kind::RevService(two) => Effect::CustomerAssignment(self.service(two)),
        }
    }

    fn service(&self, two: bool) -> AssignmentOrder {
        let products = [PRODUCT, OTHER_PRODUCT].into_iter().take(1 + usize::from(two)).map(product).collect();
        self.billing.assignment_with(lineshift_domain::order::RevCharge::Products(products))
    }

    async fn steer(&self, story: &Story, nth: usize, cancel: bool) {
        let Some(id) = self.ids[nth] else { return };
        let operator = self.operator(story.orders[nth].tenant);
        // There may be nothing to cancel or to retry, and where the database gave way an operator may ask again.
        if cancel {
            drop(operator.engine.cancel(&operator.caller, id).await);
        } else {
            drop(operator.engine.retry(&operator.caller, id, &[]).await);
        }
    }
}

/// Runs what a seed says, then lets a worker that nobody disturbs and time do the rest, and checks what must hold.
///
/// # Panics
/// When something does not hold.
pub async fn run_seed(template: &MixedTemplate, seed: u64) {
    let story = Story::of(seed);
    let mut world = World::new(template, &story, seed).await;
    let begun = Instant::now();
    let mut processes: Vec<Option<Process>> = story.workers.iter().map(|_| None).collect();
    for (at, moment) in story.moments() {
        sleep_until(begun + Duration::from_secs(at)).await;
        match moment {
            Moment::Worker(nth) => {
                let (_, manner, connections) = story.workers[nth];
                processes[nth] = Some(Process::start(&world.billing, &world.database, nth, manner, connections));
            }
            Moment::Order(nth) => world.order(&story, nth).await,
            Moment::Cancel(nth) => world.steer(&story, nth, true).await,
            Moment::Retry(nth) => world.steer(&story, nth, false).await,
            Moment::Fault(fault) => fault.happen(&world.database, &mut processes).await,
        }
    }
    sleep_until(begun + Duration::from_secs(TURMOIL + 10)).await;
    for process in processes.into_iter().flatten() {
        process.kill().await;
    }
    faults::end(&world.database).await;
    until_nothing_is_open(&world, &story, seed).await;
    let broken = broken(&world, &story).await;
    assert!(broken.is_empty(), "seed {seed}:\n{}\n{story:#?}", broken.join("\n"));
}

async fn until_nothing_is_open(world: &World, story: &Story, seed: u64) {
    let survivor = Process::start(&world.billing, &world.database, 99, Manner::Beside, 8);
    let open = "SELECT 'change', id FROM device_bulk_change WHERE processed_at IS NULL
        UNION ALL SELECT 'entry', device_change_id FROM customer_rate_plan_device_queue WHERE state = 'open'
        UNION ALL SELECT 'message', id FROM outbox";
    let begun = Instant::now();
    loop {
        let left = look(&world.second.stored, open).await;
        if left.is_empty() {
            break;
        }
        assert!(begun.elapsed() < LONGEST, "seed {seed}: open for ever: {left:?}\n{story:#?}");
        sleep(Duration::from_secs(5)).await;
    }
    // Whatever the dead left under way at the billing system arrives, and every place of theirs comes free.
    sleep(Duration::from_secs(120)).await;
    survivor.kill().await;
}

async fn broken(world: &World, story: &Story) -> Vec<String> {
    let with_service = story.orders.iter().zip(&world.ids).filter_map(|(order, id)| match order.kind {
        Kind::RevService(two) => id.map(|id| (id, world.service(two))),
        _ => None,
    });
    let ordered = Ordered { changes: with_service.collect(), services_before: BTreeSet::new(), products_before: BTreeSet::new() };
    let mut broken = check_books(&world.billing, &ordered).await;
    for (order, id) in story.orders.iter().zip(&world.ids) {
        if let Some(id) = id {
            // It recounts.
            world.operator(order.tenant).change(*id).await;
        }
    }
    broken.extend(broken_rules(&world.second.stored, &faults::NOT_WITH_SERVICES).await);
    for (rule, query) in faults::NEVER {
        broken.extend(look(&world.second.stored, query).await.into_iter().map(|row| format!("{rule}: {row}")));
    }
    broken
}
