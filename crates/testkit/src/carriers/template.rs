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

impl CarrierTemplate {
    /// With that many lines at each carrier. In a runtime whose clock is paused.
    pub async fn with_lines(lines: u64) -> Self {
        let world = CarrierWorld::with_lines(lines).await;
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

    /// A copy of the file in a folder of its own.
    ///
    /// # Panics
    /// On PostgreSQL.
    #[must_use]
    pub fn copy(&self) -> (TempDir, PathBuf) {
        let Origin::File(original) = &self.origin else { panic!("there is no file to copy on PostgreSQL") };
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = directory.path().join(FILE);
        std::fs::copy(original.path().join(FILE), &store).expect("the store is copied");
        (directory, store)
    }

    /// An operator on a copy of its own.
    pub async fn operator(&self, limits: Limits) -> Operator {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        match &self.origin {
            Origin::File(_) => {
                let (directory, store) = self.copy();
                reopen_on(clock, &store, directory, limits, on_one_thread()).await
            }
            Origin::Database(database) => {
                let stored = TestStore::in_database(database.copy().await, on_one_thread()).await;
                reopen_stored(clock, stored, tempfile::tempdir().expect("a temporary directory"), limits).await
            }
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
