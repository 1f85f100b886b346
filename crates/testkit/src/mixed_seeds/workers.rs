//! Processes that work beside each other, each with connections of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use lineshift_engine::{AtBoundary, Boundary, Engine, WorkerOptions, shutdown};
use lineshift_store_postgres::testing::TestDatabase;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep};

use crate::billing::BillingWorld;
use crate::crash::Chance;
use crate::store::TestStore;

/// How a process works, and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As a real one, pages beside each other.
    Beside,
    /// Page by page, until it was looked at so many times: it is gone in the midst of whatever it does then.
    UntilLook(u64),
    /// The same, but nothing of it moves for that long; then it goes on as if nothing had happened.
    FrozenAtLook(u64, Duration),
    /// As a real one, until it passes that boundary for the nth time.
    UntilBoundary(Boundary, u64),
}

/// When it starts, how it works, and how many connections it may have.
pub(super) fn draw(chance: &mut Chance) -> (u64, Manner, usize) {
    let look = chance.between(20, 600);
    let manner = match chance.between(0, 4) {
        0 => Manner::UntilLook(look),
        1 => Manner::FrozenAtLook(look, Duration::from_secs(chance.between(5, 90))),
        2 => {
            let last = Boundary::ALL.len() as u64 - 1;
            let at = Boundary::ALL[usize::try_from(chance.between(0, last)).expect("a few")];
            Manner::UntilBoundary(at, chance.between(1, 4))
        }
        _ => Manner::Beside,
    };
    let connections = usize::try_from([1, 2, 2, 8][usize::try_from(chance.between(0, 3)).expect("one of four")]).expect("few");
    (chance.between(0, 60), manner, connections)
}

/// A process of the product.
pub(super) struct Process {
    task: JoinHandle<()>,
    /// By which the database knows its connections.
    pub(super) name: String,
}

impl Process {
    pub(super) fn start(
        world: &Arc<BillingWorld>,
        database: &Arc<TestDatabase>,
        nth: usize,
        manner: Manner,
        connections: usize,
    ) -> Self {
        let name = format!("worker_{nth}");
        let (world, database, owner) = (Arc::clone(world), Arc::clone(database), name.clone());
        let task = tokio::spawn(async move {
            // Where there is no connection to be had it ends, and whoever looks after it starts it again.
            let stored = loop {
                match TestStore::process(&database, &owner, connections).await {
                    Ok(stored) => break stored,
                    Err(_) => sleep(Duration::from_secs(5)).await,
                }
            };
            drop(database);
            live(world.engine_over(stored.store()).named(owner.clone()), manner, owner).await;
        });
        Self { task, name }
    }

    /// It is gone from one moment to the next.
    ///
    /// # Panics
    /// When it had panicked before.
    pub(super) async fn kill(self) {
        self.task.abort();
        if let Err(error) = self.task.await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Works until it dies.
async fn live(engine: Engine, manner: Manner, owner: String) {
    let (dead, mut death) = tokio::sync::watch::channel(false);
    let passed = AtomicU64::new(0);
    let at_boundary: Arc<AtBoundary> = Arc::new(move |boundary, _| {
        if let Manner::UntilBoundary(at, nth) = manner
            && at == boundary
            && passed.fetch_add(1, Ordering::Relaxed) + 1 == nth
        {
            dead.send_replace(true);
        }
        // The other lines of the same worker stop at their next boundary, too.
        let is_dead = *dead.borrow();
        Box::pin(async move {
            if is_dead {
                std::future::pending::<()>().await;
            }
        })
    });
    let engine = engine.with_boundaries(at_boundary);
    let work: Pin<Box<dyn Future<Output = ()> + Send>> = match manner {
        Manner::Beside | Manner::UntilBoundary(..) => Box::pin(beside(engine, owner)),
        Manner::UntilLook(left) => Box::pin(Looked { inner: Box::pin(in_turn(engine, owner)), left, pause: None, thaw: None }),
        Manner::FrozenAtLook(left, pause) => {
            Box::pin(Looked { inner: Box::pin(in_turn(engine, owner)), left, pause: Some(pause), thaw: None })
        }
    };
    tokio::select! {
        biased;
        _ = death.wait_for(|dead| *dead) => {}
        () = work => {}
    }
}

async fn beside(engine: Engine, owner: String) {
    let (stop, stopped) = shutdown();
    tokio::join!(engine.run_worker(WorkerOptions { owner }, stopped.clone()), engine.run_scheduler(stopped));
    drop(stop);
}

async fn in_turn(engine: Engine, owner: String) {
    let options = WorkerOptions { owner };
    loop {
        // Whatever failed is tried again with the next look, as a real one does.
        drop(engine.run_due_entries().await);
        drop(engine.run_pages_until_idle(&options).await);
        sleep(Duration::from_secs(1)).await;
    }
}

/// Work that ends, or stands still for a while, when it was looked at so many times.
struct Looked<F> {
    inner: Pin<Box<F>>,
    left: u64,
    pause: Option<Duration>,
    thaw: Option<Pin<Box<Sleep>>>,
}

impl<F: Future<Output = ()>> Future for Looked<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.left == 0 && self.thaw.is_none() {
            match self.pause.take() {
                Some(pause) => self.thaw = Some(Box::pin(sleep(pause))),
                None => return Poll::Ready(()),
            }
        }
        if let Some(thaw) = &mut self.thaw {
            std::task::ready!(thaw.as_mut().poll(context));
            self.thaw = None;
            self.left = u64::MAX;
        }
        self.left -= 1;
        self.inner.as_mut().poll(context)
    }
}
