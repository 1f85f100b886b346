//! What a seed makes happen at carriers: orders of every kind at both, with and without billing, faults, workers that die or freeze, and
//! an operator who cancels, retries and meddles.

mod story;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{Effect, Order};
use lineshift_engine::{Clock as _, EngineError, Submission};
use lineshift_simulators::{jasper, pond, revio};
use tokio::time::{Instant, sleep, sleep_until};

use self::story::{Action, Asked, At, Story};
use crate::billing_checks::{Ordered, check_books_of};
use crate::billing_workers::{Manner, start_engine};
use crate::carrier_checks::{OrderedThere, check};
use crate::carriers::{CarrierTemplate, CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, Simulators};
use crate::crash::look;

/// Lines in the template of the seeds, at each carrier.
pub const CARRIER_SEED_LINES: u64 = 4;

/// How long what a seed does goes on, in virtual seconds; after that all is put right, as far as it can be, and time passes.
const TURMOIL: u64 = 900;

/// Longer than any line may stay open: a day of reading back, and what comes after it.
const LONGEST: Duration = Duration::from_secs(3 * 86_400);

/// Longer than a simulated call takes that works late.
const LATE: Duration = Duration::from_secs(120);

/// A seed under way.
struct Seed {
    world: CarrierWorld,
    story: Story,
    number: u64,
    ids: Vec<Option<BulkChangeId>>,
    there: OrderedThere,
    billed: Ordered,
}

/// Runs what a seed says, then lets time pass until nothing is open, and checks what must hold; then all that is in ERROR is tried again
/// while nothing goes wrong any more, and it is checked again.
///
/// # Panics
/// When something does not hold.
pub async fn run_carrier_seed(template: &CarrierTemplate, number: u64) {
    let story = Story::of(number);
    let operator = template.operator(Limits { page_lines: story.page_lines, ..Limits::default() }).await;
    let clock = Arc::clone(&operator.clock);
    let simulators = Simulators::new(
        clock,
        |options| story.jasper(number, options),
        |options| story.pond(number, options),
        |options| {
            story.revio(number, options);
        },
    );
    let world = template.begin(operator, simulators);
    world.set_pond_account(|account| account.concurrency = Some(story.concurrency)).await;
    let there = OrderedThere::on(&world);
    let billed = Ordered { changes: Vec::new(), services_before: BTreeSet::new(), products_before: BTreeSet::new() };
    let ids = vec![None; story.orders.len()];
    let mut seed = Seed { world, story, number, ids, there, billed };
    seed.live_through().await;
    seed.until_nothing_is_open().await;
    seed.check("after the turmoil").await;
    let Simulators { jasper, pond, revio } = seed.world.simulators();
    jasper.adjust(|options| options.faults = jasper::Faults::none());
    pond.adjust(|options| options.faults = pond::Faults::none());
    revio.adjust(|options| options.faults = revio::Faults::none());
    for nth in 0..seed.ids.len() {
        seed.act(Action::Retry(nth)).await;
        seed.until_nothing_is_open().await;
    }
    seed.check("after the retries").await;
}

enum Moment {
    Order(usize),
    Worker(usize),
    Action(Action),
}

impl Seed {
    async fn live_through(&mut self) {
        let begun = Instant::now();
        let mut moments: Vec<(u64, Moment)> = Vec::new();
        moments.extend(self.story.orders.iter().enumerate().map(|(nth, order)| (order.at, Moment::Order(nth))));
        moments.extend(self.story.workers.iter().enumerate().map(|(nth, (at, ..))| (*at, Moment::Worker(nth))));
        moments.extend(self.story.actions.iter().map(|(at, action)| (*at, Moment::Action(*action))));
        moments.sort_by_key(|(at, _)| *at);
        let mut workers = Vec::new();
        for (at, moment) in moments {
            sleep_until(begun + Duration::from_secs(at)).await;
            match moment {
                Moment::Order(nth) => self.order(nth).await,
                Moment::Worker(nth) => {
                    let (_, manner, doom) = self.story.workers[nth];
                    let (engine, store) = (self.world.another_engine(), self.world.operator.stored.clone());
                    workers.push(start_engine(engine, store, format!("worker {nth}"), manner, doom));
                }
                Moment::Action(action) => self.act(action).await,
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
    }

    fn written(&self, nth: usize) -> Order {
        let asked = &self.story.orders[nth];
        let effect = match &asked.asked {
            Asked::Carrier(effect) => effect.clone(),
            Asked::Assignment(choices) => Effect::CustomerAssignment(choices.written(&self.world)),
        };
        match asked.carrier {
            At::Jasper => self.world.jasper_order(asked.lines.clone(), effect),
            At::Pond => self.world.pond_order(asked.lines.clone(), effect),
        }
    }

    async fn order(&mut self, nth: usize) {
        let (order, operator) = (self.written(nth), &self.world.operator);
        let effect = order.effect.clone();
        // It may be refused as a whole: writes are disabled, say.
        if let Ok(Submission::Stored(stored)) = operator.engine.submit(&operator.caller, order, None).await {
            self.ids[nth] = Some(stored.id);
            self.there.add(stored.id, &effect);
            if let Effect::CustomerAssignment(assignment) = effect
                && assignment.rev_service.is_some()
            {
                self.billed.changes.push((stored.id, assignment));
            }
        }
    }

    async fn act(&self, action: Action) {
        let (world, operator) = (&self.world, &self.world.operator);
        let done = |answer: Result<(), EngineError>| match answer {
            // There may be nothing to cancel or to retry.
            Ok(()) | Err(EngineError::Refused(_)) => {}
            Err(error) => panic!("{action:?}: {error}"),
        };
        match action {
            Action::Cancel(nth) => {
                if let Some(id) = self.ids[nth] {
                    done(operator.engine.cancel(&operator.caller, id).await.map(|_| ()));
                }
            }
            Action::Retry(nth) => {
                if let Some(id) = self.ids[nth] {
                    done(operator.engine.retry(&operator.caller, id, &[]).await.map(|_| ()));
                }
            }
            Action::RefuseCredentials => {
                world.jasper.refuse_credentials(true);
                world.pond.refuse_credentials(true);
            }
            Action::PutRight => self.put_right().await,
            Action::BreakDown => {
                world.jasper.break_down(true);
                world.pond.break_down(true);
            }
            Action::CutQuota => {
                world.set_jasper_account(|account| account.calls_a_day = Some(5)).await;
                world.set_pond_account(|account| account.calls_a_day = Some(30)).await;
            }
            Action::DisableWrites => {
                world.set_jasper_account(|account| account.write_enabled = false).await;
                world.set_pond_account(|account| account.write_enabled = false).await;
            }
            Action::MoveLine(line) => operator.book([line], operator.amop_site, None).await,
            Action::CloseCustomerInRev => {
                world.revio.close_customer(operator.rev_customer.0, operator.clock.now().date_naive());
            }
            Action::RefuseNext(path, body) => world.refuse_next(path, body),
            Action::MakePlansInactive => self.set_plans_active(false).await,
        }
    }

    async fn set_plans_active(&self, are_active: bool) {
        for plan in [OTHER_PLAN, OTHER_PACKAGE_TYPE] {
            self.world.set_plan_active(plan, are_active).await;
        }
    }

    /// Everybody can be called again, and every plan ordered.
    async fn put_right(&self) {
        self.set_plans_active(true).await;
        self.world.jasper.refuse_credentials(false).break_down(false);
        self.world.pond.refuse_credentials(false).break_down(false);
        self.world.set_jasper_account(|_| {}).await;
        self.world.set_pond_account(|account| account.concurrency = Some(self.story.concurrency)).await;
    }

    /// Puts right what can be, and lets one worker work and time pass.
    async fn until_nothing_is_open(&self) {
        let (operator, number) = (&self.world.operator, self.number);
        self.put_right().await;
        let (engine, store) = (self.world.another_engine(), operator.stored.clone());
        let worker = start_engine(engine, store, "survivor".to_owned(), Manner::InTurn, None);
        let begun = Instant::now();
        let open = "SELECT id FROM device_bulk_change WHERE processed_at IS NULL";
        while !look(&operator.stored, open).await.is_empty() {
            assert!(!worker.is_finished(), "seed {number}: the worker ended");
            if begun.elapsed() > LONGEST {
                let open = "SELECT id, status, error_code, status_details, next_check_at FROM device_change
                    WHERE status NOT IN ('PROCESSED', 'ERROR', 'CANCELED')";
                panic!("seed {number}: {:?} are open for ever\n{:#?}", look(&operator.stored, open).await, self.story);
            }
            sleep(Duration::from_secs(20)).await;
        }
        worker.abort();
        sleep(LATE).await;
    }

    async fn check(&self, when: &str) {
        let mut broken = check(&self.world, &self.there).await;
        broken.extend(check_books_of(&self.world.operator, &self.world.revio, &self.billed).await);
        assert!(broken.is_empty(), "seed {}, {when}:\n{}\n{:#?}", self.number, broken.join("\n"), self.story);
    }
}
