//! The limits around a router, with a clock that stands still unless a test moves it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request as HttpRequest, header};
use axum::routing::get;
use tower::ServiceExt as _;

use super::*;
use crate::serve::Peer;
use crate::{WireSettings, layers};

/// Two keys that differ in their secret alone.
const SECRETS: [&str; 2] = ["A", "Q"];

fn key(nth: usize) -> String {
    format!("ls_1_2_{}", SECRETS[nth].repeat(43))
}

struct Door(Router);

impl Door {
    fn new(per_key: Rate, per_address: Rate) -> Self {
        let routes =
            ["/x", "/healthz", "/readyz"].into_iter().fold(Router::new(), |router, path| router.route(path, get(|| async {})));
        Self(layers::around(routes, &WireSettings { rates: Rates { per_key, per_address }, ..WireSettings::default() }))
    }

    async fn knock(&self, path: &str, from: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = HttpRequest::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer = Peer { ip: from.parse().expect("an address"), tls: false };
        let request = request.extension(peer).body(Body::empty()).expect("a request");
        self.0.clone().oneshot(request).await.expect("an answer")
    }

    async fn status(&self, from: &str, key: Option<&str>) -> u16 {
        let headers: Vec<_> = key.iter().map(|key| ("x-api-key", *key)).collect();
        self.knock("/x", from, &headers).await.status().as_u16()
    }
}

fn rate(requests_per_second: u32, burst: u32) -> Rate {
    Rate { requests_per_second, burst }
}

fn header_of(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().expect("ASCII").to_owned()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn answers_say_how_things_stand_and_the_one_too_many_when_to_come_again() {
    let door = Door::new(rate(1, 2), rate(10, 100));
    let bearer = format!("Bearer {}", key(0));
    let headers = [("authorization", bearer.as_str())];
    let knock = || door.knock("/x", "192.0.2.1", &headers);
    let first = knock().await;
    assert_eq!(first.status(), 200);
    assert_eq!(header_of(&first, "ratelimit-policy"), r#""address";q=100;w=10, "key";q=2;w=2"#);
    assert_eq!(header_of(&first, "ratelimit"), r#""address";r=99;t=1, "key";r=1;t=1"#);
    assert_eq!(knock().await.status(), 200);
    tokio::time::advance(Duration::from_millis(400)).await;
    let refused = knock().await;
    assert_eq!(refused.status(), 429);
    assert_eq!(header_of(&refused, "retry-after"), "1");
    assert_eq!(header_of(&refused, "content-type"), "application/problem+json");
    assert_eq!(
        header_of(&refused, "x-content-type-options"),
        "nosniff",
        "what stands around every answer stands around this one"
    );
    assert_eq!(header_of(&refused, "ratelimit"), r#""address";r=99;t=1, "key";r=0;t=2"#);
    let body = to_bytes(refused.into_body(), usize::MAX).await.expect("a body");
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("too-many-requests") && body.contains("from this key; come again in 1 s"), "{body}");
    tokio::time::advance(Duration::from_millis(600)).await;
    assert_eq!(knock().await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_the_same_key_however_it_is_sent() {
    let door = Door::new(rate(1, 2), Rate::default());
    let (key, spaced) = (key(0), format!("bearer   {} ", key(0)));
    assert_eq!(door.knock("/x", "192.0.2.1", &[("x-api-key", &key)]).await.status(), 200);
    assert_eq!(door.knock("/x", "192.0.2.2", &[("authorization", spaced.trim_end())]).await.status(), 200);
    assert_eq!(door.status("192.0.2.3", Some(&key)).await, 429);
}

#[tokio::test(start_paused = true)]
async fn whoever_knows_only_the_ids_of_a_key_cannot_use_it_up() {
    let door = Door::new(rate(1, 2), rate(1, 1_000));
    for _ in 0..100 {
        door.status("192.0.2.66", Some(&key(1))).await;
    }
    assert_eq!(door.status("192.0.2.66", Some(&key(1))).await, 429);
    assert_eq!(door.status("192.0.2.1", Some(&key(0))).await, 200, "the same ids, another secret");
}

#[tokio::test(start_paused = true)]
async fn a_flood_from_one_address_locks_out_that_address_only() {
    let door = Door::new(rate(100, 100), rate(1, 5));
    let mut admitted = 0;
    for nth in 0..100 {
        // Made-up keys count for their address as well.
        let made_up = format!("ls_1_{}_{}", nth + 1, "A".repeat(43));
        admitted += usize::from(door.status("192.0.2.66", (nth % 2 == 0).then_some(&made_up)).await == 200);
    }
    assert_eq!(admitted, 5);
    assert_eq!(door.status("192.0.2.1", Some(&key(0))).await, 200);
    assert_eq!(door.status("192.0.2.1", None).await, 200);
    assert_eq!(door.status("192.0.2.66", Some(&key(0))).await, 429);
    assert_eq!(door.status("192.0.2.2", Some(&key(0))).await, 200, "what the address was refused cost the key nothing");
}

#[tokio::test(start_paused = true)]
async fn an_ipv6_network_is_one_client_and_a_mapped_address_its_ipv4() {
    let door = Door::new(Rate::default(), rate(1, 2));
    assert_eq!(door.status("2001:db8:0:1::1", None).await, 200);
    assert_eq!(door.status("2001:db8:0:1:ffff::2", None).await, 200);
    assert_eq!(door.status("2001:db8:0:1:1234:5678:9abc:def0", None).await, 429);
    assert_eq!(door.status("2001:db8:0:2::1", None).await, 200);
    assert_eq!(door.status("192.0.2.1", None).await, 200);
    assert_eq!(door.status("::ffff:192.0.2.1", None).await, 200);
    assert_eq!(door.status("192.0.2.1", None).await, 429);
}

#[tokio::test(start_paused = true)]
async fn health_is_always_told_and_without_a_rate_nothing_is_limited_or_said() {
    let door = Door::new(rate(1, 1), rate(1, 1));
    for path in ["/healthz", "/readyz"].repeat(10) {
        let answer = door.knock(path, "192.0.2.1", &[]).await;
        assert_eq!((answer.status().as_u16(), header_of(&answer, "ratelimit")), (200, String::new()));
    }
    assert_eq!(door.status("192.0.2.1", None).await, 200, "they cost nothing");
    let open = Door::new(Rate::default(), Rate::default());
    for _ in 0..10_000 {
        let answer = open.knock("/x", "192.0.2.1", &[("x-api-key", &key(0))]).await;
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key(RATE_LIMIT_POLICY)), (200, false));
    }
    assert!(!open.knock("/x", "192.0.2.1", &[]).await.headers().contains_key(header::RETRY_AFTER));
}
