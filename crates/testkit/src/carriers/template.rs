//! A world of carriers that is made once and copied for each run.

use std::path::PathBuf;
use std::sync::Arc;

use lineshift_domain::limits::Limits;
use lineshift_store_postgres::testing::TestDatabase;
use tempfile::TempDir;

use super::{CarrierWorld, Ids, Simulators};
use crate::billing::on_one_thread;
use crate::clock::TestClock;
use crate::crash::{reopen_on, reopen_stored};
use crate::operator::{BEGINNING, Operator};
use crate::store::{FILE, TestStore};

/// A world before anything was ordered, its accounts set.
pub struct CarrierTemplate {
    origin: Origin,
    ids: Ids,
    lines: u64,
}

/// What is copied.
enum Origin {
    File(TempDir),
    Database(Arc<TestDatabase>),
}

/// A copy of the template's store, which several processes may open.
pub enum Copied {
    /// A file in a folder of its own.
    File(TempDir),
    /// A database.
    Database(Arc<TestDatabase>),
}

impl Copied {
    /// As a child process is told of it: its path, or its URL.
    #[must_use]
    pub fn told(&self) -> PathBuf {
        match self {
            Self::File(directory) => directory.path().join(FILE),
            Self::Database(database) => PathBuf::from(database.app_url_of("killed")),
        }
    }

    /// Opens it.
    pub async fn open(&self) -> TestStore {
        match self {
            Self::File(_) => {
                let store = lineshift_store_sqlite::open(&self.told(), on_one_thread()).await;
                TestStore::Sqlite(store.expect("the store opens again"))
            }
            Self::Database(database) => TestStore::process(database, "survivor", 4).await.expect("the store opens again"),
        }
    }
}

impl CarrierTemplate {
    /// With that many lines at each carrier. In a runtime whose clock is paused.
    pub async fn with_lines(lines: u64) -> Self {
        Self::of(CarrierWorld::with_lines(lines).await, lines).await
    }

    /// The same on PostgreSQL, whatever other tests run on.
    pub async fn in_database(lines: u64) -> Self {
        let stored = TestStore::in_database(TestDatabase::new().await, on_one_thread()).await;
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let operator = Operator::in_store(clock, lines, Limits::default(), stored).await;
        let world = CarrierWorld::over(operator, lines, |_| {}, |_| {}).await;
        Self::of(world, lines).await
    }

    async fn of(world: CarrierWorld, lines: u64) -> Self {
        world.set_billing_account().await;
        let CarrierWorld { pond_provider, jasper_account, pond_account, operator, .. } = world;
        let origin = match &operator.stored {
            TestStore::Sqlite(store) => {
                store.checkpoint().await.expect("all is in the file");
                let directory = tempfile::tempdir().expect("a temporary directory");
                std::fs::copy(store.path(), directory.path().join(FILE)).expect("the store is copied");
                Origin::File(directory)
            }
            TestStore::Postgres(_, database) => Origin::Database(Arc::clone(database)),
        };
        Self { origin, ids: Ids { pond_provider, jasper_account, pond_account }, lines }
    }

    /// A copy of its own.
    pub async fn copy(&self) -> Copied {
        match &self.origin {
            Origin::File(original) => {
                let directory = tempfile::tempdir().expect("a temporary directory");
                std::fs::copy(original.path().join(FILE), directory.path().join(FILE)).expect("the store is copied");
                Copied::File(directory)
            }
            Origin::Database(database) => Copied::Database(Arc::new(database.copy().await)),
        }
    }

    /// An operator on a copy of its own.
    pub async fn operator(&self, limits: Limits) -> Operator {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let directory = tempfile::tempdir().expect("a temporary directory");
        match self.copy().await {
            // The file goes with the operator.
            Copied::File(copied) => {
                let store = copied.path().join(FILE);
                reopen_on(clock, &store, copied, limits, on_one_thread()).await
            }
            copied @ Copied::Database(_) => reopen_stored(clock, copied.open().await, directory, limits).await,
        }
    }

    /// That operator, whose carriers and billing system are those simulators, as they stand.
    #[must_use]
    pub fn beside(&self, operator: Operator, simulators: Simulators) -> CarrierWorld {
        CarrierWorld::beside(operator, simulators, self.ids, self.lines)
    }

    /// The same, and nothing has happened at the simulators: each carrier has its lines and plans.
    #[must_use]
    pub fn begin(&self, operator: Operator, simulators: Simulators) -> CarrierWorld {
        let world = self.beside(operator, simulators);
        world.fill(self.lines);
        world
    }
}
