//! Workers that die or freeze at a boundary of a page that calls outside: each has an engine of its own, as a process would.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_engine::{AtBoundary, Boundary, Engine, WorkerOptions, shutdown};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::billing::BillingWorld;
use crate::crash::look;
use crate::store::TestStore;

/// What happens to a worker, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doom {
    /// The boundary.
    pub at: Boundary,
    /// At which of its passings of that boundary, from 1.
    pub nth: u64,
    /// What.
    pub fate: Fate,
}

/// What happens to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is gone from one moment to the next.
    Dies,
    /// Nothing of it moves, heartbeats included, for that long; then it goes on as if nothing had happened.
    Freezes(Duration),
}

/// How a worker takes its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// One after the other; it can be frozen.
    InTurn,
    /// As a real one, some beside each other; it can only die.
    Beside,
}

/// What a worker and its boundaries know of each other.
struct Life {
    doom: Option<Doom>,
    passed: AtomicU64,
    is_dead: watch::Sender<bool>,
    frozen_until: watch::Sender<Option<Instant>>,
}

impl Life {
    fn new(doom: Option<Doom>) -> Arc<Self> {
        let (is_dead, frozen_until) = (watch::Sender::new(false), watch::Sender::new(None));
        Arc::new(Self { doom, passed: AtomicU64::new(0), is_dead, frozen_until })
    }

    async fn pass(&self, boundary: Boundary) {
        if let Some(doom) = self.doom.filter(|doom| doom.at == boundary)
            && self.passed.fetch_add(1, Ordering::Relaxed) + 1 == doom.nth
        {
            match doom.fate {
                Fate::Dies => drop(self.is_dead.send_replace(true)),
                Fate::Freezes(pause) => drop(self.frozen_until.send_replace(Some(Instant::now() + pause))),
            }
        }
        // The other lines of the same worker stop at their next boundary, too.
        if *self.is_dead.borrow() {
            pending::<()>().await;
        }
        let mut frozen = self.frozen_until.subscribe();
        drop(frozen.wait_for(Option::is_none).await);
    }

    fn boundaries(self: &Arc<Self>) -> Arc<AtBoundary> {
        let life = Arc::clone(self);
        Arc::new(move |boundary, _| {
            let life = Arc::clone(&life);
            Box::pin(async move { life.pass(boundary).await })
        })
    }
}

/// Starts a worker; its task ends when it dies, else never.
pub fn start(world: &BillingWorld, name: String, manner: Manner, doom: Option<Doom>) -> JoinHandle<()> {
    start_engine(world.another_engine(), world.operator.stored.clone(), name, manner, doom)
}

/// The same with that engine over that store.
pub fn start_engine(engine: Engine, store: TestStore, name: String, manner: Manner, doom: Option<Doom>) -> JoinHandle<()> {
    let life = Life::new(doom);
    let engine = engine.with_boundaries(life.boundaries());
    tokio::spawn(async move {
        let mut death = life.is_dead.subscribe();
        let work: Pin<Box<dyn Future<Output = ()> + Send>> = match manner {
            Manner::InTurn => Box::pin(work_in_turn(engine, store, name)),
            Manner::Beside => Box::pin(async move {
                let (stop, stopped) = shutdown();
                engine.run_worker(WorkerOptions { owner: name }, stopped).await;
                drop(stop);
            }),
        };
        tokio::select! {
            biased;
            _ = death.wait_for(|dead| *dead) => {}
            () = Freezable { inner: work, life: Arc::clone(&life), thaw: None } => {}
        }
    })
}

/// Runs what is claimable, then waits until something may be; for ever.
pub async fn work_in_turn(engine: Engine, store: TestStore, owner: String) {
    let options = WorkerOptions { owner };
    loop {
        engine.run_pages_until_idle(&options).await.expect("pages run");
        sleep(until_next_look(&engine, &store).await).await;
    }
}

/// As long as nothing can be due: rows wait until a moment that they say, pages in other hands until their leases run out.
async fn until_next_look(engine: &Engine, store: &TestStore) -> Duration {
    let next = look(store, "SELECT min(lease_until) FROM device_bulk_change_page WHERE state <> 'completed'").await;
    let at = next.first().and_then(|micros| micros.parse().ok()).and_then(chrono::DateTime::from_timestamp_micros);
    let pause = at.map_or(LONGEST_PAUSE, |at| at - engine.clock().now());
    pause.clamp(TimeDelta::seconds(1), LONGEST_PAUSE).to_std().expect("it is positive")
}

/// Something may be ordered meanwhile.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// Work that is not looked at while its worker is frozen.
struct Freezable<F: ?Sized> {
    inner: Pin<Box<F>>,
    life: Arc<Life>,
    thaw: Option<Pin<Box<Sleep>>>,
}

impl<F: Future<Output = ()> + ?Sized> Future for Freezable<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(thaw) = &mut self.thaw {
                ready!(thaw.as_mut().poll(context));
                self.thaw = None;
                self.life.frozen_until.send_replace(None);
            }
            if self.inner.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let Some(until) = *self.life.frozen_until.borrow() else { return Poll::Pending };
            self.thaw = Some(Box::pin(sleep_until(until)));
        }
    }
}
