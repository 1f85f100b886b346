//! A tenant with something of every kind, in a store of its own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use lineshift::import::Target;
use lineshift::import::kinds::FileKind;
use lineshift_domain::limits::Limits;
use lineshift_engine::{Clock, Engine};
use lineshift_store::access::{AccessStore as _, Tenant};
use lineshift_store_sqlite::{Options, SqliteStore};
use tokio::runtime::Runtime;

/// What is there: what files of a kind hold that others refer to.
const THERE: [(FileKind, &str); 7] = [
    (FileKind::Authentications, "name,integration\nBilling,Rev.io\n"),
    (FileKind::Providers, "name,integration\nPod,Jasper\n"),
    (FileKind::Customers, "id,name,authentication\n501,North,Billing\n"),
    (FileKind::Sites, "id,name,customer_id\n1,Yard,501\n3,Meters,\n"),
    (FileKind::Plans, "id,name,allocation_bound_mb\n11,Small,100\n"),
    (FileKind::Pools, "id,name\n21,Pool\n"),
    (FileKind::Devices, "iccid,provider,status\n8901260000000000001,Pod,ACTIVATED\n"),
];

/// The store, and what waits for it. The directory goes away with it.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    store: SqliteStore,
    tenant: Tenant,
    directory: tempfile::TempDir,
}

/// Every input meets the same moment.
struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a moment")
}

impl World {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (store, tenant) = runtime.block_on(async {
            let path = directory.path().join("store.sqlite3");
            let store = lineshift_store_sqlite::open(&path, Options::default()).await.expect("a store");
            let id = store.create_tenant("Fuzzed", chrono_tz::America::New_York, now()).await.expect("a tenant");
            let tenant = store.get_tenant(id).await.expect("the tenant");
            (store, tenant)
        });
        let world = Self { runtime, store, tenant, directory };
        for (kind, text) in THERE {
            let file = world.directory.path().join("there.csv");
            std::fs::write(&file, text).expect("a file");
            let report = world.runtime.block_on(kind.import(&world.target(), &file, false, &|_, _| ())).expect("a good file");
            assert_eq!(report.bad_rows, 0, "{:?}", report.problems);
        }
        world
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::new(Arc::new(self.store.clone()), Arc::new(Still), Limits::default())
    }

    pub(crate) fn target(&self) -> Target<'_> {
        Target { store: &self.store, tenant: &self.tenant, by: "fuzzer", now: now() }
    }
}
