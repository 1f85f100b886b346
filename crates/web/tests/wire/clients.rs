//! Who a client is taken for, and how many requests it may send, over real connections.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::operator::Operator;
use lineshift_web::{Rate, Rates, WireSettings};
use reqwest::Method;

/// So few that no machine is slow enough to get around them within a test.
fn few() -> Rates {
    Rates { per_key: Rate::default(), per_address: Rate { requests_per_second: 1, burst: 600 } }
}

async fn app(trusted: &[&str]) -> TestApp {
    let trusted_proxies = trusted.iter().map(|network| network.parse().expect("a network")).collect();
    let settings = WireSettings { trusted_proxies, rates: few(), ..WireSettings::default() };
    TestApp::on_wire(Operator::with_lines(1).await, &settings).await
}

async fn from(caller: &HttpCaller, address: &str) -> Answer {
    let request = caller.request(Method::GET, "/api/v1/me");
    send(request.header("x-forwarded-for", address).header("x-forwarded-proto", "https")).await
}

/// How many requests are left at once for the address.
fn left(answer: &Answer) -> u32 {
    let header = answer.header("ratelimit");
    let left = header.strip_prefix("\"address\";r=").and_then(|rest| rest.split(';').next());
    left.and_then(|left| left.parse().ok()).unwrap_or_else(|| panic!("{header:?}"))
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_a_limit_of_its_own() {
    let app = app(&["127.0.0.0/8"]).await;
    let viewer = app.viewer().await;
    for _ in 0..100 {
        from(&app.anonymous(), "192.0.2.66").await;
    }
    let flooding = from(&app.anonymous(), "192.0.2.66").await;
    assert_eq!(flooding.status, 401);
    assert!(left(&flooding) < 590, "{}", left(&flooding));
    let other = from(&viewer, "192.0.2.1").await;
    assert_eq!((other.status, left(&other)), (200, 599));
    assert_eq!(other.header("strict-transport-security"), "max-age=31536000", "the client speaks TLS with the proxy");
    assert_eq!(other.header("ratelimit-policy"), "\"address\";q=600;w=600");
}

#[tokio::test]
async fn whoever_is_no_trusted_proxy_makes_up_addresses_in_vain() {
    for trusted in [vec![], vec!["10.0.0.0/8", "128.0.0.0/1"]] {
        let app = app(&trusted).await;
        let mut last = None;
        for nth in 0..100 {
            last = Some(from(&app.anonymous(), &format!("192.0.2.{nth}")).await);
        }
        let last = last.expect("an answer");
        assert!(left(&last) < 590, "all of them count for one address: {}", left(&last));
        assert_eq!(last.header("strict-transport-security"), "", "nor is it believed that TLS is spoken");
    }
}
