//! What a seed makes happen: orders, faults, workers that die or freeze, and an operator who cancels, retries and meddles.

use std::sync::Arc;
use std::time::Duration;

use lineshift_domain::ids::{BulkChangeId, RevCustomerId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, Effect, Order, PlanValues, RevCharge, RevProductOrder, RevServiceOrder, Setting};
use lineshift_domain::terms::{OnPartialFailure, OnRevServiceFailure};
use lineshift_engine::{Boundary, Clock as _, EngineError};
use lineshift_simulators::revio::{ErrorShape, Faults, NumberFilter, RepeatedFilter, RevioOptions, Service, ServiceProduct};
use rust_decimal::Decimal;
use tokio::time::{Instant, sleep, sleep_until};

use crate::billing::{BillingTemplate, BillingWorld, OTHER_PRODUCT, PACKAGE, PASSWORD, PRODUCT, product};
use crate::billing_checks::{Ordered, check, settle_as_it_stands};
use crate::billing_secrets::{Logged, everything_stored, secrets_in};
use crate::billing_workers::{Doom, Fate, Manner, start};
use crate::crash::{Chance, look};
use crate::operator::{iccid, number};

/// Lines in the template of the seeds.
pub const SEED_LINES: u64 = 6;

/// How long what a seed does goes on, in virtual seconds; after that all is put right, as far as it can be, and time passes.
const TURMOIL: u64 = 900;

/// Longer than any line may stay open: a day of reading back, and what comes after it.
const LONGEST: Duration = Duration::from_secs(3 * 86_400);

/// Longer than a simulated call takes that works late.
const LATE: Duration = Duration::from_secs(120);

/// Something that is done to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Cancel(usize),
    Retry(usize),
    RefuseCredentials,
    StoreCredentials,
    BreakDown,
    Mend,
    CutQuota,
    RaiseQuota,
    MoveLine(u64),
    ClosePlan,
    CloseCustomerInRev,
    DeactivateProduct,
    DisableWrites,
}

/// What a seed says.
#[derive(Debug)]
struct Story {
    faults: f64,
    page_lines: usize,
    concurrency: u32,
    number_filter: NumberFilter,
    repeated_filter: RepeatedFilter,
    products_after: u64,
    services_can_be_disconnected: bool,
    settle_lag: u64,
    orders: Vec<(u64, std::ops::RangeInclusive<u64>, AssignmentOrder)>,
    actions: Vec<(u64, Action)>,
    workers: Vec<(u64, Manner, Option<Doom>)>,
}

fn pick<T: Copy>(chance: &mut Chance, of: &[T]) -> T {
    let last = of.len() as u64 - 1;
    of[usize::try_from(chance.between(0, last)).expect("a few")]
}

impl Story {
    fn of(targets: &Targets, seed: u64) -> Self {
        let chance = &mut Chance::new(seed);
        let mut orders = vec![(0, 1..=chance.between(1, SEED_LINES), assignment(targets, chance))];
        if !chance.once_in(3) {
            let first = chance.between(1, SEED_LINES);
            let last = chance.between(first, SEED_LINES);
            orders.push((chance.between(0, 60), first..=last, assignment(targets, chance)));
        }
        let changes = orders.len();
        let workers = (0..chance.between(1, 4)).map(|_| worker(chance)).collect();
        let actions = (0..chance.between(0, 3)).flat_map(|_| action(chance, changes)).collect();
        Self {
            faults: pick(chance, &[0.0, 0.05, 0.15, 0.3, 0.5]),
            page_lines: usize::try_from(chance.between(1, 6)).expect("a few"),
            concurrency: pick(chance, &[1, 2, 4, 32]),
            number_filter: pick(chance, &[NumberFilter::Exact, NumberFilter::Part]),
            repeated_filter: pick(chance, &[RepeatedFilter::Or, RepeatedFilter::Or, RepeatedFilter::LastOnly]),
            products_after: pick(chance, &[0, 0, 20]),
            services_can_be_disconnected: !chance.once_in(5),
            settle_lag: pick(chance, &[0, 0, 5, 20]),
            orders,
            actions,
            workers,
        }
    }

    fn adjust(&self, seed: u64, options: &mut RevioOptions) {
        options.seed = seed;
        options.faults = Faults::all(self.faults).with_shapes(&ErrorShape::ALL);
        options.latency = Duration::from_millis(50);
        options.jitter = Duration::from_millis(200);
        options.settle_lag = Duration::from_secs(self.settle_lag);
        options.open_parts.number_filter = self.number_filter;
        options.open_parts.repeated_filter = self.repeated_filter;
        options.open_parts.package_products_after = Duration::from_secs(self.products_after);
        options.open_parts.delete_disconnects_services = self.services_can_be_disconnected;
    }
}

/// What orders name.
struct Targets {
    customer: RevCustomerId,
    plan: lineshift_domain::ids::CustomerRatePlanId,
}

fn assignment(targets: &Targets, chance: &mut Chance) -> AssignmentOrder {
    let charge = match chance.between(0, 3) {
        0 => RevCharge::Package(PACKAGE),
        1 => RevCharge::Products(vec![product(PRODUCT), product(OTHER_PRODUCT)]),
        2 => RevCharge::Products(vec![RevProductOrder { rate: Decimal::new(995, 2), ..product(OTHER_PRODUCT) }]),
        _ => RevCharge::Products(vec![product(PRODUCT)]),
    };
    let service = RevServiceOrder {
        service_type_id: 6,
        provider_id: 42,
        charge,
        usage_plan_group_id: None,
        prorate: chance.once_in(3),
        description: None,
    };
    let plan = PlanValues { plan: Setting::Set(targets.plan), ..PlanValues::default() };
    AssignmentOrder {
        rev_customer_id: Some(targets.customer),
        rev_service: Some(service),
        customer_rate_plan: chance.once_in(2).then_some(plan),
        on_rev_service_failure: pick(chance, &[OnRevServiceFailure::Skip, OnRevServiceFailure::Continue]),
        on_partial_failure: pick(chance, &[OnPartialFailure::Keep, OnPartialFailure::Compensate]),
        ..AssignmentOrder::default()
    }
}

fn worker(chance: &mut Chance) -> (u64, Manner, Option<Doom>) {
    let at = pick(chance, Boundary::ALL);
    let freezes = chance.once_in(3);
    let pause = Duration::from_secs(pick(chance, &[5, 31, 45, 200]));
    let doom = Doom { at, nth: chance.between(1, 3), fate: if freezes { Fate::Freezes(pause) } else { Fate::Dies } };
    let manner = if freezes || chance.once_in(2) { Manner::InTurn } else { Manner::Beside };
    (chance.between(0, 120), manner, (!chance.once_in(4)).then_some(doom))
}

fn action(chance: &mut Chance, changes: usize) -> Vec<(u64, Action)> {
    let change = usize::try_from(chance.between(0, changes as u64 - 1)).expect("one or two");
    let (at, until) = (chance.between(0, 30), chance.between(60, TURMOIL));
    match chance.between(0, 10) {
        0 => vec![(at, Action::Cancel(change))],
        1 => vec![(at, Action::Cancel(change)), (until, Action::Retry(change))],
        2 => vec![(until, Action::Retry(change))],
        3 => vec![(at, Action::RefuseCredentials), (until, Action::StoreCredentials), (until + 5, Action::Retry(change))],
        4 => vec![(at, Action::BreakDown), (until, Action::Mend)],
        5 => vec![(at, Action::CutQuota), (until, Action::RaiseQuota)],
        6 => vec![(at, Action::MoveLine(chance.between(1, SEED_LINES)))],
        7 => vec![(at, Action::ClosePlan)],
        8 => vec![(at, Action::CloseCustomerInRev)],
        9 => vec![(at, Action::DisableWrites), (until, Action::StoreCredentials)],
        _ => vec![(at, Action::DeactivateProduct)],
    }
}

/// Services that somebody else had opened before.
fn open_services_of_others(world: &BillingWorld, chance: &mut Chance) {
    let customer = world.operator.rev_customer.0;
    for line in 1..=SEED_LINES {
        if !chance.once_in(6) {
            continue;
        }
        let other = iccid(line + 1_000);
        let own = iccid(line);
        let number2 = pick(chance, &[own.as_str(), own.as_str(), "", other.as_str()]);
        let service = world.simulator.add_service(Service::new(customer, &number(line), number2));
        if chance.once_in(2) {
            let rate = pick(chance, &[Decimal::new(495, 2), Decimal::new(999, 2)]);
            let mut charged = ServiceProduct::new(customer, service, PRODUCT);
            charged.rate = Some(rate);
            world.simulator.add_service_product(charged);
        }
    }
}

/// Runs what a seed says, then lets time pass until nothing is open, and checks what must hold; then all that is in ERROR is
/// settled or tried again while nothing goes wrong any more, and it is checked again.
///
/// # Panics
/// When something does not hold.
pub async fn run_seed(template: &BillingTemplate, seed: u64) {
    let targets = Targets { customer: template.customer, plan: template.plan };
    let story = Story::of(&targets, seed);
    let limits = Limits { page_lines: story.page_lines, ..Limits::default() };
    let mut world = template.world(limits, |options| story.adjust(seed, options)).await;
    // One in ten is searched for secrets, and is told them: searching takes longer than living through it.
    world.repeats = seed.is_multiple_of(10);
    let listening = world.repeats.then(Logged::listen);
    let world = Arc::new(world);
    world.set_account(PASSWORD, |account| account.concurrency = Some(story.concurrency)).await;
    let mut chance = Chance::new(seed ^ 0x0DD5);
    open_services_of_others(&world, &mut chance);
    let before = world.simulator.ledger().services().iter().map(|service| service.service_id).collect::<Vec<_>>();
    let products = world.simulator.ledger().service_products().iter().map(|product| product.service_product_id).collect();

    let ids = live_through(&world, &story).await;
    let orders = story.orders.iter().zip(&ids);
    let ordered = Ordered {
        changes: orders.map(|((_, _, assignment), id)| (*id, assignment.clone())).collect(),
        services_before: before.into_iter().collect(),
        products_before: products,
    };
    until_nothing_is_open(&world, &story, seed).await;
    let broken = check(&world, &ordered).await;
    assert!(broken.is_empty(), "seed {seed}, after the turmoil:\n{}\n{story:#?}", broken.join("\n"));

    world.simulator.adjust(|options| options.faults = Faults::none());
    settle_as_it_stands(&world, &mut chance).await;
    for id in &ids {
        act(&world, &ids, Action::Retry(usize::from(id != &ids[0]))).await;
    }
    until_nothing_is_open(&world, &story, seed).await;
    let broken = check(&world, &ordered).await;
    assert!(broken.is_empty(), "seed {seed}, after the retries:\n{}\n{story:#?}", broken.join("\n"));
    if let Some((logged, _guard)) = listening {
        let found = secrets_in(&everything_stored(&world.operator.stored).await);
        assert!(found.is_empty(), "seed {seed}: {found:?} are stored");
        let found = secrets_in(&logged.text());
        assert!(found.is_empty(), "seed {seed}: {found:?} are logged");
    }
}

/// The turmoil; answers the changes.
async fn live_through(world: &Arc<BillingWorld>, story: &Story) -> Vec<BulkChangeId> {
    let begun = Instant::now();
    let mut moments: Vec<(u64, Moment<'_>)> = Vec::new();
    moments.extend(story.orders.iter().enumerate().map(|(nth, (at, ..))| (*at, Moment::Order(nth))));
    moments.extend(story.workers.iter().enumerate().map(|(nth, (at, ..))| (*at, Moment::Worker(nth))));
    moments.extend(story.actions.iter().map(|(at, action)| (*at, Moment::Action(action))));
    moments.sort_by_key(|(at, _)| *at);
    let mut ids = vec![BulkChangeId(0); story.orders.len()];
    let mut workers = Vec::new();
    for (at, moment) in moments {
        sleep_until(begun + Duration::from_secs(at)).await;
        match moment {
            Moment::Order(nth) => {
                let (_, lines, assignment) = &story.orders[nth];
                let order = order(world, lines.clone(), assignment.clone());
                if let Ok(lineshift_engine::Submission::Stored(stored)) =
                    world.operator.engine.submit(&world.operator.caller, order, None).await
                {
                    ids[nth] = stored.id;
                }
            }
            Moment::Worker(nth) => {
                let (_, manner, doom) = story.workers[nth];
                workers.push(start(world, format!("worker {nth}"), manner, doom));
            }
            Moment::Action(action) => act(world, &ids, *action).await,
        }
    }
    sleep_until(begun + Duration::from_secs(TURMOIL + 10)).await;
    for worker in workers {
        worker.abort();
        if let Err(error) = worker.await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
    ids.retain(|id| id.0 != 0);
    ids
}

enum Moment<'s> {
    Order(usize),
    Worker(usize),
    Action(&'s Action),
}

fn order(world: &BillingWorld, lines: std::ops::RangeInclusive<u64>, assignment: AssignmentOrder) -> Order {
    world.operator.order(lines.map(iccid), Effect::CustomerAssignment(assignment))
}

async fn act(world: &BillingWorld, ids: &[BulkChangeId], action: Action) {
    let (operator, simulator) = (&world.operator, &world.simulator);
    let done = |answer: Result<(), EngineError>| match answer {
        // There may be nothing to cancel or to retry.
        Ok(()) | Err(EngineError::Refused(_)) => {}
        Err(error) => panic!("{action:?}: {error}"),
    };
    match action {
        Action::Cancel(nth) | Action::Retry(nth) if ids.get(nth).is_none_or(|id| id.0 == 0) => {}
        Action::Cancel(nth) => done(operator.engine.cancel(&operator.caller, ids[nth]).await.map(|_| ())),
        Action::Retry(nth) => done(operator.engine.retry(&operator.caller, ids[nth], &[]).await.map(|_| ())),
        Action::RefuseCredentials => drop(simulator.refuse_credentials(true)),
        Action::StoreCredentials => {
            simulator.refuse_credentials(false);
            world.store_credentials(PASSWORD).await;
        }
        Action::BreakDown => drop(simulator.break_down(true)),
        Action::Mend => drop(simulator.break_down(false)),
        Action::CutQuota => world.set_account(PASSWORD, |account| account.calls_a_day = Some(12)).await,
        Action::RaiseQuota => world.store_credentials(PASSWORD).await,
        Action::MoveLine(line) => operator.book([line], operator.amop_site, None).await,
        Action::ClosePlan => operator.close_plan(operator.plan).await,
        Action::CloseCustomerInRev => drop(simulator.close_customer(operator.rev_customer.0, operator.clock.now().date_naive())),
        Action::DeactivateProduct => drop(simulator.deactivate_product(OTHER_PRODUCT)),
        Action::DisableWrites => world.set_account(PASSWORD, |account| account.write_enabled = false).await,
    }
}

/// Puts right what can be, and lets one worker work and time pass.
async fn until_nothing_is_open(world: &Arc<BillingWorld>, story: &Story, seed: u64) {
    world.simulator.break_down(false).refuse_credentials(false);
    let stored =
        "SELECT 1 FROM integration_authentication WHERE refused_at IS NOT NULL OR write_enabled = 0 OR calls_a_day IS NOT NULL";
    if !look(&world.operator.stored, stored).await.is_empty() {
        world.store_credentials(PASSWORD).await;
    }
    let worker = start(world, "survivor".to_owned(), Manner::InTurn, None);
    let begun = Instant::now();
    let open = "SELECT id FROM device_bulk_change WHERE processed_at IS NULL";
    while !look(&world.operator.stored, open).await.is_empty() {
        assert!(!worker.is_finished(), "seed {seed}: the worker ended");
        assert!(begun.elapsed() < LONGEST, "seed {seed}: {:?} are open for ever\n{story:#?}", rows_open(world).await);
        sleep(Duration::from_secs(20)).await;
    }
    worker.abort();
    sleep(LATE).await;
}

async fn rows_open(world: &BillingWorld) -> Vec<String> {
    let open = "SELECT id, status, error_code, status_details, next_check_at FROM device_change
        WHERE status NOT IN ('PROCESSED', 'ERROR', 'CANCELED')";
    look(&world.operator.stored, open).await
}
