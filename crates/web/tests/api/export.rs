//! The rows of a bulk change as CSV.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::json;

#[tokio::test]
async fn rows_are_exported_as_they_stand() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "SiteId": app.operator.amop_site.0,
        "Devices": [iccid(2), "=cmd|' /C calc'!A0", iccid(1), iccid(9), "a \"b\", c"],
    });
    assert_eq!(orderer.post("/M2M/AssociateCustomer", &body).await.status, 202);
    app.operator.run_until_idle().await;
    let answer = orderer.get("/api/v1/bulk-changes/1/export").await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"bulk-change-1.csv\"");
    assert!(answer.text().ends_with("\r\n"));
    insta::assert_snapshot!(answer.text().replace("\r\n", "\n"), @r#"
    request_position,iccid,number,device_id,status,error_kind,error_code,status_details,processed_at,attempt,next_check_at
    2,89445000000000000017,15550000001,1,PROCESSED,,,,2026-12-01T09:00:00Z,1,
    0,89445000000000000027,15550000002,2,PROCESSED,,,,2026-12-01T09:00:00Z,1,
    1,'=cmd|' /C calc'!A0,,,ERROR,VALIDATION,invalid_iccid,"""=cmd|' /C calc'!A0"" is no ICCID of 18 to 22 digits",2026-12-01T09:00:00Z,1,
    3,89445000000000000097,,,ERROR,ELIGIBILITY,device_not_found,no line of the inventory has this iccid,2026-12-01T09:00:00Z,1,
    4,"a ""b"", c",,,ERROR,VALIDATION,invalid_iccid,"""a \""b\"", c"" is no ICCID of 18 to 22 digits",2026-12-01T09:00:00Z,1,
    "#);

    let errors = orderer.get("/api/v1/bulk-changes/1/export?status=ERROR").await.text();
    assert_eq!(errors.lines().count(), 1 + 3);
    let none = orderer.get("/api/v1/bulk-changes/1/export?status=CANCELED").await.text();
    assert_eq!(none.lines().count(), 1, "the header stands there alone");
    assert_eq!(orderer.get("/api/v1/bulk-changes/1/export?status=done").await.problems(), ["status wrong_form"]);
}

#[tokio::test]
async fn an_export_of_many_pages_holds_every_row_once() {
    let app = TestApp::with_lines(2_500).await;
    let orderer = app.orderer().await;
    let mut devices: Vec<String> = (1..=2_500).map(iccid).collect();
    devices.extend((0..1_200).map(|nth| format!("bad {nth}")));
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": devices, "SiteId": app.operator.amop_site.0});
    assert_eq!(orderer.post("/M2M/AssociateCustomer", &body).await.status, 202);
    app.operator.run_until_idle().await;
    for (query, expected) in [("", 3_700), ("?status=PROCESSED", 2_500), ("?status=ERROR", 1_200)] {
        let text = orderer.get(&format!("/api/v1/bulk-changes/1/export{query}")).await.text();
        let mut positions: Vec<u32> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().and_then(|cell| cell.parse().ok()).expect("a position"))
            .collect();
        positions.sort_unstable();
        positions.dedup();
        assert_eq!(positions.len(), expected, "{query}");
    }
}
