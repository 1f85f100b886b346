//! Bringing files in: what is taken, what is refused and in which words.

mod examples;
mod rows;

use lineshift_domain::reach::Reach;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use lineshift_store::access::{AccessStore as _, Tenant};
use lineshift_store::devices::{DeviceFilter, DeviceStore as _, DeviceView};
use lineshift_store_sqlite::{Options, SqliteStore};

use super::kinds::FileKind;
use super::{Report, Target};

/// A store with one tenant in New York.
struct Fixture {
    dir: tempfile::TempDir,
    store: SqliteStore,
    tenant: Tenant,
}

fn now() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a moment")
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = lineshift_store_sqlite::open(&dir.path().join("store.sqlite3"), Options::default()).await.expect("a store");
        let id = store.create_tenant("Test", Tz::America__New_York, now()).await.expect("a tenant");
        let tenant = store.get_tenant(id).await.expect("the tenant");
        Self { dir, store, tenant }
    }

    /// With a carrier account, customers, sites, plans and pools.
    async fn with_catalogue() -> Self {
        let fixture = Self::new().await;
        fixture.take(FileKind::Authentications, "name,integration\nBilling,Rev.io\n").await;
        fixture.take(FileKind::Providers, "name,integration\nPod,Jasper\nOther pod,Jasper\n").await;
        fixture.take(FileKind::Customers, "id,name,authentication\n501,North,Billing\n502,South,Billing\n").await;
        fixture.take(FileKind::Sites, "id,name,customer_id\n1,Yard,501\n2,Depot,502\n3,Meters,\n").await;
        fixture.take(FileKind::Plans, "id,name,allocation_bound_mb\n11,Small,100\n").await;
        fixture.take(FileKind::Pools, "id,name\n21,Pool\n").await;
        fixture
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join("rows.csv");
        std::fs::write(&path, bytes).expect("the file is written");
        path
    }

    async fn run(&self, kind: FileKind, bytes: &[u8], take_good: bool) -> anyhow::Result<Report> {
        let file = self.file(bytes);
        let target = Target { store: &self.store, tenant: &self.tenant, by: "test", now: now() };
        kind.import(&target, &file, take_good, &|_, _| {}).await
    }

    /// Brings in a file that is good.
    async fn take(&self, kind: FileKind, text: &str) -> Report {
        let report = self.run(kind, text.as_bytes(), false).await.expect("it is read");
        assert_eq!(problems(&report), Vec::<String>::new());
        report
    }

    /// The problems of a file that is bad, of which nothing is stored.
    async fn refused(&self, kind: FileKind, bytes: impl AsRef<[u8]>) -> Vec<String> {
        let report = self.run(kind, bytes.as_ref(), false).await.expect("it is read");
        assert_eq!(report.created + report.updated, 0, "nothing is stored of a file with bad rows");
        problems(&report)
    }

    async fn devices(&self) -> Vec<DeviceView> {
        self.store
            .list_devices(self.tenant.id, &Reach::Everything, &DeviceFilter::All, None, 1_000)
            .await
            .expect("the lines")
            .items
    }
}

fn problems(report: &Report) -> Vec<String> {
    report.problems.iter().map(ToString::to_string).collect()
}
