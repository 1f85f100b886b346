//! Line breaks and addresses in what may end in a header of an answer.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::send;
use reqwest::Method;
use serde_json::json;

use super::{raw, status};

/// Line breaks as they are smuggled: encoded, encoded twice, alone, of another alphabet.
const BREAKS: [&str; 8] = ["%0d%0a", "%0a", "%0d", "%250d%250a", "%e5%98%8a%e5%98%8d", "%c4%8d%c4%8a", "%e2%80%a8", "%00%0d%0a"];

const HEADER: &str = "Set-Cookie:%20lineshift=1.evil";

/// Whether an answer has a header, or a second answer, that somebody else wrote.
fn is_split(answer: &str) -> bool {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
    let lines = head.lines().skip(1);
    lines.clone().any(|line| line.starts_with("set-cookie") || line.starts_with("x-evil"))
        || answer.matches("HTTP/1.1 ").count() != 1
}

#[tokio::test]
async fn line_breaks_in_an_address_make_no_header() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    let order = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": ["x"], "SiteId": app.operator.amop_site.0});
    assert_eq!(admin.post("/M2M/AssociateCustomer", &order).await.status, 202);
    let key = admin.key().expect("a key");
    for line_break in BREAKS {
        // Ids and formats end in names of files, portals in Location.
        for path in [
            format!("/api/v1/bulk-changes/1{line_break}{HEADER}/export"),
            format!("/api/v1/bulk-changes/1/export?status=ERROR{line_break}{HEADER}"),
            format!("/api/v1/audit/export?format=csv{line_break}{HEADER}"),
            format!("/api/v1/sync-runs/1{line_break}{HEADER}/findings?format=csv"),
            format!("/docs{line_break}{HEADER}"),
            format!("/{line_break}{HEADER}"),
        ] {
            let answer =
                raw(&app, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"))
                    .await;
            assert!((400..500).contains(&status(&answer)), "{path}: {answer}");
            assert!(!is_split(&answer), "{path}: {answer}");
        }
        let path = format!("/M2M{line_break}{HEADER}/AssociateCustomer");
        let answer = raw(
            &app,
            &format!("POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"),
        )
        .await;
        assert!((400..500).contains(&status(&answer)) && !is_split(&answer), "{path}: {answer}");
    }
}

#[tokio::test]
async fn line_breaks_in_a_header_are_no_request() {
    let app = TestApp::with_lines(1).await;
    let key = app.admin().await.key().expect("a key").to_owned();
    for name in
        ["Idempotency-Key", "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Proto", "User-Agent", "Host", "Cookie", "Origin"]
    {
        for value in ["a\rX-Evil: 1", "a\0", "a\n\tX-Evil: 1"] {
            let host = if name == "Host" { "" } else { "Host: x\r\n" };
            let head = format!(
                "GET /api/v1/me HTTP/1.1\r\n{host}{name}: {value}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
            );
            let answer = raw(&app, &head).await;
            assert_eq!(status(&answer), 400, "{name}: {value:?}: {answer}");
            assert!(!is_split(&answer), "{name}: {answer}");
        }
    }
}

#[tokio::test]
async fn nothing_that_a_request_says_of_itself_is_said_back_in_a_header() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    let said = "evil.example";
    for (nth, name) in [
        "x-request-id",
        "host",
        "x-forwarded-host",
        "forwarded",
        "x-forwarded-for",
        "origin",
        "idempotency-key",
        "x-original-url",
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"name": format!("Site {nth}")});
        let made = send(admin.request(Method::POST, "/api/v1/sites").header(name, said).json(&body)).await;
        assert_eq!(made.status, 201, "{name}: {}", made.text());
        assert!(made.header("location").starts_with("/api/v1/sites/"), "{name}: {}", made.header("location"));
        let id = made.header("x-request-id");
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}: {id}");
        let told: Vec<_> = made
            .headers
            .iter()
            .filter(|(_, value)| value.as_bytes().windows(said.len()).any(|part| part == said.as_bytes()))
            .collect();
        assert!(told.is_empty(), "{name}: {told:?}");
    }
    for name in ["a\r\nSet-Cookie: a=b", "a\nb", "a\u{85}b", "a\0b"] {
        let refused = admin.post("/api/v1/sites", &json!({"name": name})).await;
        assert_eq!((refused.status, refused.problems()), (422, vec!["name wrong_form".to_owned()]), "{name:?}");
        assert!(refused.headers.get("set-cookie").is_none());
    }
    // Who signs in with an address of two lines is nobody.
    let refused = app.sign_in(&json!({"email": "a@b.example\r\nSet-Cookie: a=b", "password": "x"})).await;
    assert!((400..500).contains(&refused.status) && refused.headers.get("set-cookie").is_none(), "{}", refused.text());
}
