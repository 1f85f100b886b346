//! The embedded store's file, which PostgreSQL has none of: a full disk.

use lineshift_domain::limits::Limits;
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::json;

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_the_store_intact() {
    let options = Options { max_pages: Some(160), ..Options::default() };
    let app = TestApp::with(10, Limits::default(), options).await;
    let orderer = app.orderer().await;
    let devices: Vec<String> = (0..4_000).map(|nth| format!("{} {nth}", "9".repeat(60))).collect();
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": devices, "SiteId": app.operator.amop_site.0});
    let answer = orderer.post("/M2M/AssociateCustomer", &body).await;
    assert_eq!(answer.status, 507, "{}", answer.text());
    assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains("disk is full")), "{}", answer.text());
    assert_eq!(orderer.read("/api/v1/bulk-changes").await["items"], json!([]));
    let small = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": app.operator.amop_site.0});
    assert_eq!(orderer.post("/M2M/AssociateCustomer", &small).await.status, 202);
}
