//! Signing in with a password: who is let in, what others are told, and who has to wait.

use chrono::TimeDelta;
use lineshift_engine::Clock as _;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, send};
use lineshift_testkit::operator::Operator;
use lineshift_testkit::people::PASSWORD;
use lineshift_web::WireSettings;
use reqwest::Method;
use serde_json::{Value, json};

const ADA: &str = "ada@fleet.example";

/// An operator with Ada, who administrates it.
async fn with_ada() -> TestApp {
    let app = TestApp::with_lines(1).await;
    let ada = app.operator.user(ADA).await;
    app.operator.member(app.operator.tenant(), ada, &["administrator"], "*").await;
    app
}

fn with(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

/// What an answer says, without what differs from request to request.
pub(crate) fn bytes(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let told = answer.headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    let mut headers: Vec<_> =
        told.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect();
    headers.sort();
    (answer.status, headers, answer.text())
}

/// Fails that many times, waiting as long as it takes in between.
async fn fail(app: &TestApp, email: &str, times: usize) {
    for nth in 0..times {
        let answer = app.sign_in(&with(email, "wrong")).await;
        assert_eq!(answer.status, 401, "the {nth}th: {}", answer.text());
    }
}

#[tokio::test]
async fn somebody_signs_in_and_is_told_who_they_are() {
    let app = with_ada().await;
    let answer = app.sign_in(&with("Ada@Fleet.example", PASSWORD)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.header("set-cookie");
    let (pair, attributes) = cookie.split_once("; ").expect("a cookie");
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax", "on plain HTTP");
    let token = pair.strip_prefix("lineshift=1.").expect("the tenant stands before the token");
    assert_eq!(token.len(), 43);
    let session = answer.json();
    assert_eq!(session["person"]["email"], ADA);
    assert_eq!(session["person"]["reach"], "*");
    assert_eq!(session["tenant"], json!({"id": 1, "name": "Altaworx", "time_zone": "America/Chicago"}));
    assert_eq!(session["tenants"], json!([session["tenant"]]));
    assert_eq!((&session["ends_at"], &session["idle_seconds"]), (&json!("2026-12-01T21:00:00Z"), &json!(3_600)));

    let ada = app.anonymous().with_session(&answer);
    assert_eq!(ada.read("/api/v1/session").await, session, "the same at any time");
    let me = ada.read("/api/v1/me").await;
    assert_eq!(me["person"], session["person"]);
    assert!(me.get("key").is_none(), "{me}");
    assert_eq!(ada.read("/api/v1/devices").await["items"].as_array().map(Vec::len), Some(1), "she may look");
    let stored = app.operator.stored.inspect("SELECT token_hash, address, agent FROM session").await.expect("rows");
    assert!(!format!("{stored:?}").contains(token), "only the hash is stored");
    assert!(format!("{stored:?}").contains("127.0.0.1"), "{stored:?}");
}

/// A proxy on this machine is trusted, and says that it was called over TLS.
#[tokio::test]
async fn over_tls_the_cookie_is_for_this_host_and_tls_alone() {
    let wire = WireSettings { trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")], ..WireSettings::default() };
    let app = TestApp::on_wire(Operator::with_lines(0).await, &wire).await;
    let ada = app.operator.user(ADA).await;
    app.operator.member(app.operator.tenant(), ada, &["viewer"], "*").await;
    let over_tls = |method: Method, path: &str| {
        let request = app.anonymous().request(method, path).header("x-forwarded-proto", "https");
        request.header("x-forwarded-for", "192.0.2.7")
    };
    let answer = send(over_tls(Method::POST, "/api/v1/session").json(&with(ADA, PASSWORD))).await;
    let (cookie, attributes) = answer.header("set-cookie").split_once("; ").expect("a cookie");
    assert!(cookie.starts_with("__Host-lineshift=1."), "{cookie}");
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Secure");
    assert_eq!(send(over_tls(Method::GET, "/api/v1/me").header("cookie", cookie)).await.status, 200);
    let listed = send(over_tls(Method::GET, "/api/v1/sessions").header("cookie", cookie)).await.json();
    assert_eq!(listed["items"][0]["address"], "192.0.2.7");
    let bare = cookie.strip_prefix("__Host-").expect("the prefix");
    let planted = send(over_tls(Method::GET, "/api/v1/me").header("cookie", bare)).await;
    assert_eq!(planted.status, 401, "one that somebody put there without TLS counts for nothing");
}

#[tokio::test]
async fn what_they_order_is_theirs() {
    let app = with_ada().await;
    let ada = app.signs_in(ADA).await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [lineshift_testkit::operator::iccid(1)], "ChangeType": 4,
        "ProcessChanges": false, "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    let answer = ada.post("/M2M/BulkChange", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(ada.read("/api/v1/bulk-changes").await["items"][0]["created_by"], ADA);
}

#[tokio::test]
async fn who_signed_in_is_written_down_and_nothing_of_the_password() {
    let app = with_ada().await;
    fail(&app, ADA, 1).await;
    let ada = app.signs_in(ADA).await;
    let logged = ada.read("/api/v1/audit").await;
    let entries = logged["items"].as_array().expect("items");
    assert_eq!(entries.len(), 1, "{logged}");
    assert!(entries[0].to_string().contains(ADA) && entries[0].to_string().contains("POST /api/v1/session"), "{logged}");
    let hashes =
        app.operator.stored.inspect("SELECT count(*) FROM audit_outcome WHERE body_hash IS NOT NULL").await.expect("rows");
    assert_eq!(hashes, [["0"]], "a hash of the body would be one to try passwords against");
}

#[tokio::test]
async fn everything_that_is_wrong_is_answered_alike() {
    let app = with_ada().await;
    let (store, clock) = (&app.operator.store, &app.operator.clock);
    let off = app.operator.user("off@fleet.example").await;
    app.operator.member(app.operator.tenant(), off, &["viewer"], "*").await;
    store.set_user_active(off, false).await.expect("made inactive");
    app.operator.user("nowhere@fleet.example").await;
    let invited = lineshift_store::people::NewUser {
        email: "invited@fleet.example".to_owned(),
        display_name: "I".to_owned(),
        password_hash: None,
    };
    store.create_user(&invited, clock.now()).await.expect("a user without a password");

    let wrong = bytes(&app.sign_in(&with(ADA, "wrong")).await);
    assert_eq!(wrong.0, 401);
    assert!(wrong.2.contains("sign_in_refused") && !wrong.1.iter().any(|(name, _)| name == "set-cookie"));
    let cases = [
        ("nobody@fleet.example", PASSWORD),
        ("off@fleet.example", PASSWORD),
        ("nowhere@fleet.example", PASSWORD),
        ("invited@fleet.example", PASSWORD),
        ("invited@fleet.example", ""),
        (ADA, ""),
        (ADA, "tall-window-sings-loW"),
        ("' OR 1=1 --", PASSWORD),
    ];
    for (email, password) in cases {
        // The address has to wait by now: that is another test.
        clock.advance(TimeDelta::minutes(16));
        assert_eq!(bytes(&app.sign_in(&with(email, password)).await), wrong, "{email}");
    }
    clock.advance(TimeDelta::minutes(16));
    let elsewhere = json!({"email": ADA, "password": PASSWORD, "tenant_id": 2});
    assert_eq!(bytes(&app.sign_in(&elsewhere).await), wrong, "a tenant that she does not belong to");
}

#[tokio::test]
async fn a_body_is_read_as_everywhere_and_repeats_no_secret() {
    let app = with_ada().await;
    let answer = app.sign_in(&json!({"email": "", "pasword": "s3cret", "one_time_password": 5, "tenant_id": 0})).await;
    assert_eq!(
        answer.problems(),
        [
            "email wrong_form",
            "password missing_field",
            "one_time_password wrong_type",
            "tenant_id wrong_form",
            "pasword unknown_field"
        ]
    );
    assert!(!answer.text().contains("s3cret"));
    assert_eq!(app.sign_in(&with(ADA, &"x".repeat(2_000))).await.problems(), ["password out_of_range"]);
    assert_eq!(app.anonymous().post_empty("/api/v1/session").await.status, 415, "a form of another site is not read");
}

#[tokio::test]
async fn whoever_keeps_failing_waits_longer_each_time() {
    let app = with_ada().await;
    let clock = &app.operator.clock;
    fail(&app, ADA, 5).await;
    for seconds in [1, 2, 4, 8] {
        let locked = app.sign_in(&with(ADA, PASSWORD)).await;
        assert_eq!((locked.status, locked.header("retry-after")), (429, seconds.to_string().as_str()));
        assert_eq!(locked.problems(), ["too_many_attempts"], "the right password is not looked at");
        clock.advance(TimeDelta::seconds(seconds));
        fail(&app, ADA, 1).await;
    }
    clock.advance(TimeDelta::hours(24) + TimeDelta::seconds(1));
    fail(&app, ADA, 5).await;
}

#[tokio::test]
async fn accounts_that_are_not_there_lock_alike() {
    let app = with_ada().await;
    let clock = &app.operator.clock;
    let mut seen = Vec::new();
    for email in [ADA, "nobody@fleet.example"] {
        let mut answers = Vec::new();
        for _ in 0..8 {
            answers.push(bytes(&app.sign_in(&with(email, "wrong")).await));
        }
        seen.push(answers);
        // The address's failures are forgotten, and the account's with them.
        clock.advance(TimeDelta::hours(25));
    }
    assert_eq!(seen[0], seen[1], "bytes and headers, one after another");
    assert_eq!(seen[0].iter().filter(|answer| answer.0 == 429).count(), 3);
}

#[tokio::test]
async fn an_address_that_fails_everywhere_is_locked_for_everybody() {
    let app = with_ada().await;
    for nth in 0..5 {
        fail(&app, &format!("guess{nth}@fleet.example"), 1).await;
    }
    assert_eq!(app.sign_in(&with(ADA, PASSWORD)).await.status, 429);
    app.operator.clock.advance(TimeDelta::seconds(1));
    assert_eq!(app.sign_in(&with(ADA, PASSWORD)).await.status, 200);
    let left = app.operator.stored.inspect("SELECT failures FROM sign_in_failure ORDER BY failures DESC").await.expect("rows");
    assert_eq!(left[0], ["5"], "whoever signs in does not clear the address");
}

#[tokio::test]
async fn signing_in_forgets_the_failures_of_the_account_alone() {
    let app = with_ada().await;
    fail(&app, ADA, 4).await;
    app.signs_in(ADA).await;
    let left = app.operator.stored.inspect("SELECT failures FROM sign_in_failure").await.expect("rows");
    assert_eq!(left, [["4"]], "the address's are left");
}

#[tokio::test]
async fn many_at_once_do_not_pass_where_one_after_another_would_wait() {
    let app = std::sync::Arc::new(with_ada().await);
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let app = std::sync::Arc::clone(&app);
        tries.spawn(async move { app.sign_in(&with(ADA, "wrong")).await.status });
    }
    let statuses = tries.join_all().await;
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    assert!(looked_at <= 5, "{statuses:?}");
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn an_address_does_not_try_more_at_once_than_one_after_another() {
    let app = std::sync::Arc::new(with_ada().await);
    let mut tries = tokio::task::JoinSet::new();
    for nth in 0..60 {
        let app = std::sync::Arc::clone(&app);
        tries.spawn(async move { app.sign_in(&with(&format!("guess{nth}@fleet.example"), "wrong")).await.status });
    }
    let statuses = tries.join_all().await;
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(looked_at, 5, "{statuses:?}");
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
}

#[tokio::test]
async fn fifty_people_at_once_are_all_let_in() {
    let app = std::sync::Arc::new(TestApp::with_lines(0).await);
    for nth in 0..50 {
        let user = app.operator.user(&format!("p{nth}@fleet.example")).await;
        app.operator.member(app.operator.tenant(), user, &["viewer"], "*").await;
    }
    let key = app.viewer().await;
    let mut signing_in = tokio::task::JoinSet::new();
    for nth in 0..50 {
        let app = std::sync::Arc::clone(&app);
        signing_in.spawn(async move { app.sign_in(&with(&format!("p{nth}@fleet.example"), PASSWORD)).await.status });
    }
    // Meanwhile others are answered: their requests do not stand in that line.
    let mut answered = 0;
    while !signing_in.is_empty() {
        tokio::select! {
            biased;
            answer = key.get("/api/v1/me") => {
                assert_eq!(answer.status, 200);
                answered += 1;
            }
            Some(status) = signing_in.join_next() => assert_eq!(status.expect("no panic"), 200),
        }
        while let Some(status) = signing_in.try_join_next() {
            assert_eq!(status.expect("no panic"), 200);
        }
    }
    assert!(answered >= 50, "{answered} others were answered");
    let sessions = app.operator.stored.inspect("SELECT count(*) FROM session").await.expect("rows");
    assert_eq!(sessions, [["50"]]);
}
