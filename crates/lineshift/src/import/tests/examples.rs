//! The examples, and a generated fleet, are taken as they are.

use lineshift_domain::reach::Reach;
use std::path::Path;

use lineshift_store::bulk_changes::BulkChangeStore as _;
use lineshift_store::catalogue::CatalogueStore as _;
use lineshift_store::plan_queue::{PlanQueueFilter, PlanQueueStore as _};

use super::*;
use crate::fleet::{Fleet, files};

const ORDER: [(FileKind, &str); 10] = [
    (FileKind::Authentications, "authentications.csv"),
    (FileKind::Providers, "providers.csv"),
    (FileKind::Customers, "customers.csv"),
    (FileKind::Sites, "sites.csv"),
    (FileKind::Plans, "plans.csv"),
    (FileKind::Pools, "pools.csv"),
    (FileKind::Devices, "devices.csv"),
    (FileKind::Assignments, "assignments.csv"),
    (FileKind::RevServices, "rev-services.csv"),
    (FileKind::PlanQueue, "plan-queue.csv"),
];

async fn import_all(fixture: &Fixture, dir: &Path) -> Vec<(u64, u64, u64)> {
    let mut counts = Vec::new();
    for (kind, file) in ORDER {
        let bytes = std::fs::read(dir.join(file)).expect("the file is there");
        let report = fixture.run(kind, &bytes, false).await.expect("it is read");
        assert_eq!(problems(&report), Vec::<String>::new(), "{file}");
        counts.push((report.rows, report.created, report.updated));
    }
    counts
}

#[tokio::test]
async fn the_examples_are_taken_and_may_be_taken_again() {
    let fixture = Fixture::new().await;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let first = import_all(&fixture, &examples).await;
    assert_eq!(first[0], (1, 1, 0), "authentications");
    assert_eq!(first[1], (5, 5, 0), "providers");
    assert_eq!(first[6], (100, 100, 0), "devices");
    assert_eq!(first[9], (2, 2, 0), "plan queue");
    let ids: Vec<i64> = {
        let listed =
            fixture.store.list_service_providers(fixture.tenant.id, &Reach::Everything, None, 10).await.expect("providers");
        listed.items.iter().map(|provider| provider.id.0).collect()
    };
    assert_eq!(ids, [1, 2, 3, 4, 5], "the orders of the examples name carrier accounts by these ids");

    let again = import_all(&fixture, &examples).await;
    assert_eq!(again[6], (100, 0, 100), "devices are replaced");
    assert_eq!(again[8].1, 0, "no Rev service is there twice");
    assert_eq!(fixture.devices().await.len(), 100);
}

#[tokio::test]
async fn open_entries_wait_for_the_start_of_their_day() {
    let fixture = Fixture::new().await;
    let dir = tempfile::tempdir().expect("a directory");
    files::write(&Fleet::new(300, 9), dir.path()).expect("written");
    import_all(&fixture, dir.path()).await;
    let tenant = fixture.tenant.id;
    let open = fixture
        .store
        .list_queue_entries(tenant, &Reach::Everything, PlanQueueFilter::Open, None, 100)
        .await
        .expect("entries")
        .items;
    assert!(!open.is_empty());
    for entry in &open {
        assert_eq!(entry.effective_date.to_rfc3339(), "2027-06-01T04:00:00+00:00", "midnight in New York");
    }
    let states = fixture.store.count_scheduled(tenant, open[0].bulk_change_id).await.expect("counts");
    assert_eq!(states.len(), 1);
}

#[tokio::test]
async fn a_file_of_many_chunks_is_taken_as_a_whole_or_not_at_all() {
    let fixture = Fixture::new().await;
    let dir = tempfile::tempdir().expect("a directory");
    files::write(&Fleet::new(12_001, 2), dir.path()).expect("written");
    for (kind, file) in &ORDER[..6] {
        let bytes = std::fs::read(dir.path().join(file)).expect("the file is there");
        fixture.run(*kind, &bytes, false).await.expect("it is read");
    }
    let good = std::fs::read_to_string(dir.path().join("devices.csv")).expect("the file is there");
    let bad = format!("{good}1,ThingSpace,active,,,false,,,\n");
    let found = fixture.refused(FileKind::Devices, &bad).await;
    assert_eq!(found, ["line 12003, column 1 (iccid): found \"1\", expected 18 to 22 digits"]);
    assert!(fixture.devices().await.is_empty(), "not even the first chunk is there");

    let report = fixture.run(FileKind::Devices, bad.as_bytes(), true).await.expect("it is read");
    assert_eq!((report.rows, report.created, report.bad_rows), (12_002, 12_001, 1));
}
