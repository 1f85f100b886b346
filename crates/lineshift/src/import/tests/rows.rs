//! What is said about rows that are wrong, word by word.

use lineshift_domain::ids::RevCustomerId;
use lineshift_domain::lines::read_line;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::LineIdentifier;
use lineshift_store::catalogue::CatalogueStore as _;
use lineshift_store::devices::FactsQuery;

use super::*;
use crate::exit::Refused;

const LINE: &str = "89014103211118510720";
const OTHER_LINE: &str = "89014103211118510738";

async fn with_lines() -> Fixture {
    let fixture = Fixture::with_catalogue().await;
    let text = format!("iccid,provider,status\n{LINE},Pod,ACTIVATED\n{OTHER_LINE},Pod,ACTIVATED\n");
    fixture.take(FileKind::Devices, &text).await;
    fixture
}

#[tokio::test]
async fn every_bad_cell_of_a_line_is_named_with_what_was_found_and_expected() {
    let fixture = Fixture::with_catalogue().await;
    let text = "iccid,provider,status,number,imei,is_archived,activated_at,ip_address\n\
                8.90141E+19,Pud,,555,abc,perhaps,12/01/2026,10.0.0\n\
                89014103211118510720,Pod,ACTIVATED,,,,,\n\
                89014103211118510720,Pod,ACTIVATED,,,,,\n";
    assert_eq!(
        fixture.refused(FileKind::Devices, text).await,
        [
            "line 2, column 1 (iccid): found \"8.90141E+19\", expected 18 to 22 digits; a spreadsheet has rounded it, format \
             the column as text",
            "line 2, column 2 (provider): found \"Pud\", expected the name of a service provider that is there; was \"Pod\" meant?",
            "line 2, column 3 (status): found nothing, expected the carrier's status of the line",
            "line 2, column 4 (number): found \"555\", expected 10 to 15 digits",
            "line 2, column 5 (imei): found \"abc\", expected 14 to 16 digits",
            "line 2, column 6 (is_archived): found \"perhaps\", expected true or false",
            "line 2, column 7 (activated_at): found \"12/01/2026\", expected a date in ISO 8601, such as 2026-12-01 or \
             2026-12-01T08:00:00Z",
            "line 2, column 8 (ip_address): found \"10.0.0\", expected an IP address",
            "line 4, column 1 (iccid): found \"89014103211118510720\", expected each iccid once; it stands in line 3 already",
        ]
    );
}

#[tokio::test]
async fn ids_are_bounded_by_what_every_json_reader_keeps() {
    let fixture = Fixture::with_catalogue().await;
    let good = |kind, text| fixture.take(kind, text);
    assert_eq!(good(FileKind::Pools, "id,name\n9007199254740991,Last\n").await.created, 1);
    for (kind, columns) in [
        (FileKind::Pools, "id,name\n9007199254740992,Pool\n"),
        (FileKind::Plans, "id,name\n9223372036854775807,Plan\n"),
        (FileKind::Sites, "id,name\n0,Site\n"),
        (FileKind::Customers, "id,name,authentication\n9007199254740992,Customer,Billing\n"),
    ] {
        let found = columns.lines().nth(1).and_then(|row| row.split(',').next()).expect("an id");
        assert_eq!(
            fixture.refused(kind, columns).await,
            [format!("line 2, column 1 (id): found \"{found}\", expected a whole number from 1 to 9007199254740991")]
        );
    }
}

#[tokio::test]
async fn a_wrong_header_is_refused_with_what_was_meant() {
    let fixture = Fixture::with_catalogue().await;
    let error = fixture.run(FileKind::Devices, b"iccd,provider,status,Status,colour\n", true).await.expect_err("refused");
    assert!(error.is::<Refused>());
    let text = error.to_string().replace(&fixture.dir.path().display().to_string(), "DIR");
    let known = "iccid, provider, status, and if wanted number, imei, is_archived, activated_at, carrier_rate_plan, \
                 communication_plan, ip_address, carrier_device_id";
    assert_eq!(
        text,
        format!(
            "the header of DIR/rows.csv is wrong; nothing was stored:\n  \
             line 1, column 1 (header): found \"iccd\", expected iccid (is that what was meant?)\n  \
             line 1, column 4 (header): found \"Status\", expected each column once\n  \
             line 1, column 5 (header): found \"colour\", expected one of {known}\n  \
             line 1: found no column iccid, expected the columns {known}"
        )
    );
    let error = fixture.run(FileKind::Pools, b"id;name\n", false).await.expect_err("refused").to_string();
    assert!(error.contains("found \"id;name\", expected columns separated by commas: id, name"), "{error}");
    let error = fixture.run(FileKind::Pools, b"", false).await.expect_err("refused").to_string();
    assert!(error.ends_with("rows.csv is empty, expected a header"), "{error}");
}

#[tokio::test]
async fn files_as_spreadsheets_save_them_are_read() {
    let fixture = Fixture::with_catalogue().await;
    let text = format!(
        "\u{feff}ICCID,Provider,Status,Number\r\n\" {} \",Pod,ACTIVATED,+1 (500) 555-0100\r\n,,,\r\n'{OTHER_LINE},\"Other pod\",ACTIVATED,\r\n",
        "8901-4103-2111-1851-0720"
    );
    let report = fixture.take(FileKind::Devices, &text).await;
    assert_eq!((report.rows, report.created), (2, 2));
    let devices = fixture.devices().await;
    let shown: Vec<_> = devices.iter().map(|device| (device.iccid.as_str(), device.subscriber_number.as_deref())).collect();
    assert_eq!(shown, [(LINE, Some("15005550100")), (OTHER_LINE, None)]);
}

#[tokio::test]
async fn rows_of_another_width_and_bytes_of_another_encoding_are_bad() {
    let fixture = Fixture::new().await;
    let found = fixture.refused(FileKind::Pools, b"id,name\n1\n2,a,b\n3,caf\xe9\n").await;
    assert_eq!(
        found,
        [
            "line 2: found 1 cells, expected 2 as in the header; a text with a comma stands in quotes",
            "line 3: found 3 cells, expected 2 as in the header; a text with a comma stands in quotes",
            "line 4, column 2 (name): found \"caf\u{fffd}\", expected UTF-8; save the file as \"CSV UTF-8\"",
        ]
    );
}

#[tokio::test]
async fn a_hundred_problems_are_listed_and_the_others_counted() {
    let fixture = Fixture::new().await;
    let text = format!("id,name\n1,good\n{}", "0,x\n".repeat(250));
    let report = fixture.run(FileKind::Pools, text.as_bytes(), false).await.expect("it is read");
    assert_eq!((report.rows, report.bad_rows, report.problem_count, report.problems.len()), (251, 250, 250, 100));
    assert_eq!(report.created, 0);
    let report = fixture.run(FileKind::Pools, text.as_bytes(), true).await.expect("it is read");
    assert_eq!((report.created, report.bad_rows), (1, 250), "the good one was not there before");
}

#[tokio::test]
async fn assignments_refer_to_what_is_there() {
    let fixture = with_lines().await;
    let text = format!(
        "iccid,site_id,customer_id,plan_id,pool_id,allocation_mb\n\
         {LINE},9,501,12,22,-1\n\
         {LINE},2,501,11,21,50\n\
         {OTHER_LINE},3,501,,,\n\
         {OTHER_LINE},1,,,,\n\
         89014103211118510795,3,,,,\n\
         {LINE},1,77,,,\n"
    );
    assert_eq!(
        fixture.refused(FileKind::Assignments, text).await,
        [
            "line 2, column 2 (site_id): found \"9\", expected the id of a site that is there; import sites first",
            "line 2, column 4 (plan_id): found \"12\", expected the id of a customer rate plan that is there; import plans first",
            "line 2, column 5 (pool_id): found \"22\", expected the id of a customer rate pool that is there; import pools first",
            "line 2, column 6 (allocation_mb): found \"-1\", expected a number such as 250 or 0.5, not negative",
            "line 3, column 1 (iccid): found \"89014103211118510720\", expected each iccid once; it stands in line 2 already",
            "line 3, column 2 (site_id): found \"2\", expected a site of the row's customer; this one belongs to Rev customer 502",
            "line 4, column 2 (site_id): found \"3\", expected a site of Rev customer 501; this one is a customer without Rev.io",
            "line 5, column 1 (iccid): found \"89014103211118510738\", expected each iccid once; it stands in line 4 already",
            "line 5, column 2 (site_id): found \"1\", expected a site of the row's customer; this one belongs to Rev customer 501",
            "line 6: found ICCID 89014103211118510795, expected a line of the inventory; import devices first",
            "line 7, column 1 (iccid): found \"89014103211118510720\", expected each iccid once; it stands in line 3 already",
            "line 7, column 3 (customer_id): found \"77\", expected the id of a Rev customer that is there; import customers first",
        ]
    );
    fixture.take(FileKind::Assignments, &format!("iccid,site_id,customer_id,plan_id\n{LINE},1,501,11\n")).await;
    let devices = fixture.devices().await;
    assert_eq!(devices[0].rev_customer_id, Some(RevCustomerId(501)));
    assert_eq!(devices[0].account_number.as_deref(), Some("501"));
    assert_eq!(devices[1].site_id, None);
}

#[tokio::test]
async fn products_of_a_service_are_read_together() {
    let fixture = with_lines().await;
    let header = "customer_id,service_id,iccid,service_product_id,product_id,rate,status";
    let text = format!("{header}\n501,7,{LINE},71,5,2.50,DISCONNECTED\n501,7,{LINE},72,6,1,active\n502,8,{OTHER_LINE},,,,\n");
    let report = fixture.take(FileKind::RevServices, &text).await;
    assert_eq!((report.rows, report.created), (3, 2));
    let iccid = |text| read_line(LineIdentifier::Iccid, text).expect("an ICCID");
    let query = FactsQuery::all(lineshift_domain::facts::Holds::NONE, None);
    let lines = [iccid(LINE), iccid(OTHER_LINE)];
    let found = fixture.store.look_up_lines(fixture.tenant.id, LineIdentifier::Iccid, &lines, query).await.expect("facts");
    let billed: Vec<bool> = found.iter().map(|line| line.facts.billed_to_other).collect();
    assert_eq!(billed, [true, false], "the second product of the first service is active; the other service has none");

    let text = format!("{header}\n501,7,{LINE},73,5,,SOLD\n502,8,,,6,,\n501,7,,74,5,,ACTIVE\n");
    assert_eq!(
        fixture.refused(FileKind::RevServices, text).await,
        [
            "line 2, column 7 (status): found \"SOLD\", expected one of PENDING, ACTIVE, DENIED, DISCONNECTED",
            "line 3, column 4 (service_product_id): found nothing, expected a whole number from 1 to 9007199254740991",
            "line 3, column 7 (status): found nothing, expected one of PENDING, ACTIVE, DENIED, DISCONNECTED",
            "line 4, column 2 (service_id): found \"7\", expected each service_id once; it stands in line 2 already",
        ]
    );
}

#[tokio::test]
async fn other_kinds_name_what_is_wrong_as_well() {
    let fixture = with_lines().await;
    let providers = "name,integration,authentication\nPod,Cisco,\nBill,Rev.io,\nThird,Jasper,Billing\nFourth,POND,Biling\n";
    assert_eq!(
        fixture.refused(FileKind::Providers, providers).await,
        [
            "line 2, column 2 (integration): found \"Cisco\", expected one of Jasper, ThingSpace, Telegence, POND, Rev.io",
            "line 3, column 2 (integration): found \"Rev.io\", expected a carrier's: Jasper, ThingSpace, Telegence, POND",
            "line 4, column 3 (authentication): found \"Billing\", expected an integration authentication of Jasper; this one opens \
             Rev.io",
            "line 5, column 3 (authentication): found \"Biling\", expected the name of a integration authentication that is there; \
             was \"Billing\" meant?",
        ]
    );
    let plans = "id,name,allocation_default_mb,allocation_bound_mb\n12,Odd,200,100\n";
    assert_eq!(
        fixture.refused(FileKind::Plans, plans).await,
        ["line 2, column 3 (allocation_default_mb): found \"200\", expected at most allocation_bound_mb, which is 100"]
    );
    let queue = format!("iccid,effective_date,portal,plan_id\n{LINE},,m2m,11\n{LINE},2027-01-01,M2M,\n{LINE},2027-01-01,Web,0\n");
    assert_eq!(
        fixture.refused(FileKind::PlanQueue, queue).await,
        [
            "line 2, column 2 (effective_date): found nothing, expected a date in ISO 8601, such as 2026-12-01",
            "line 3, column 4 (plan_id): found nothing, expected something that changes: plan_id, pool_id or allocation_mb",
            "line 4, column 3 (portal): found \"Web\", expected one of M2M, LNP, Mobility",
        ]
    );
}

/// A carrier account is linked to what it is called with; a file that does not say leaves that as it is.
#[tokio::test]
async fn a_carrier_account_keeps_what_it_is_called_with() {
    let fixture = Fixture::with_catalogue().await;
    let linked = async || {
        let providers =
            fixture.store.list_service_providers(fixture.tenant.id, &Reach::Everything, None, 10).await.expect("listed").items;
        let links: Vec<_> = providers.into_iter().map(|it| (it.name, it.integration_authentication_id.is_some())).collect();
        links
    };
    let [pod, other] = ["Pod", "Other pod"].map(str::to_owned);
    assert_eq!(linked().await, [(pod.clone(), false), (other.clone(), false)]);
    fixture.take(FileKind::Authentications, "name,integration\nControl Center,Jasper\n").await;
    fixture.take(FileKind::Providers, "name,integration,authentication\nPod,Jasper,Control Center\nOther pod,Jasper,\n").await;
    assert_eq!(linked().await, [(pod.clone(), true), (other.clone(), false)]);
    fixture.take(FileKind::Providers, "name,integration,write_enabled\nPod,Jasper,no\n").await;
    assert_eq!(linked().await, [(pod.clone(), true), (other.clone(), false)]);
    fixture.take(FileKind::Providers, "name,integration\nPod,POND\n").await;
    assert_eq!(linked().await, [(pod, false), (other, false)], "another carrier's account would be none of its kind");
}
