//! Paths that lead somewhere else: to files, or past who may ask.

use lineshift_testkit::app::TestApp;

use super::{raw, status};

/// Ways up, as they have been written to get past those who look for two full stops.
const WAYS_UP: [&str; 13] = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "%252e%252e%252f",
    "..\\",
    "..%5c",
    "....//",
    "..;/",
    "%c0%ae%c0%ae/",
    "..%c0%af",
    "%uff0e%uff0e/",
    ".%00./",
];

const FILES: [&str; 4] = ["etc/passwd", "proc/self/environ", "store.sqlite3", "Cargo.toml"];

async fn get(app: &TestApp, path: &str) -> String {
    raw(app, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
}

fn shows_a_file(answer: &str) -> bool {
    ["root:x:", "PATH=", "SQLite format", "[package]"].iter().any(|mark| answer.contains(mark))
}

#[tokio::test]
async fn no_path_leads_to_a_file() {
    let app = TestApp::with_lines(0).await;
    for below in ["/docs/", "/docs/swagger-ui.css/", "/", "/openapi.json/", "/api/v1/", "/healthz/", "/M2M/"] {
        for up in WAYS_UP {
            for file in FILES {
                let path = format!("{below}{}{file}", up.repeat(8));
                let answer = get(&app, &path).await;
                assert!((400..500).contains(&status(&answer)), "{path}: {answer}");
                assert!(!shows_a_file(&answer), "{path}: {answer}");
            }
        }
    }
    for path in
        ["/docs//etc/passwd", "//etc/passwd", "/docs/%2fetc%2fpasswd", "/docs/file:///etc/passwd", "/docs/C:%5cWindows%5cwin.ini"]
    {
        let answer = get(&app, path).await;
        assert!((400..500).contains(&status(&answer)) && !shows_a_file(&answer), "{path}: {answer}");
    }
}

#[tokio::test]
async fn no_path_leads_past_who_may_ask() {
    let app = TestApp::with_lines(1).await;
    let hidden = ["api/v1/devices", "api/v1/me", "api/v1/audit"];
    for open in ["/healthz/", "/readyz/", "/docs/", "/openapi.json/", "/api/v1/session/"] {
        for up in WAYS_UP.iter().chain(["", "/", "./", "%2f"].iter()) {
            for target in hidden {
                for path in [format!("{open}{up}{target}"), format!("{open}{}{target}", up.repeat(3))] {
                    let answer = get(&app, &path).await;
                    assert!((400..500).contains(&status(&answer)), "{path}: {answer}");
                }
            }
        }
    }
    // Other ways to write the same address are other addresses, and whoever has no key is nobody at any of them.
    for path in [
        "/api/v1/Devices",
        "/API/v1/devices",
        "/api/v1//devices",
        "/api/v1/./devices",
        "/api/v1/devices/",
        "/api/v1/devices%00",
        "/api/v1/devices%20",
        "/api/v1/devices;x=1",
        "/api/v1/%64evices",
        "/api/v1/devices?x=/healthz",
        "/api/v1/devices%3f/healthz",
        "http://x/api/v1/devices",
        "http://x/healthz/../api/v1/devices",
    ] {
        let answer = get(&app, path).await;
        assert!(matches!(status(&answer), 400 | 401 | 404), "{path}: {answer}");
        assert!(!answer.contains("\"items\""), "{path}: {answer}");
    }
}
