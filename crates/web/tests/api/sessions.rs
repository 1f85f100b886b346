//! Sessions: how long they last, what ends them, and that nobody else gets into one.

use chrono::TimeDelta;
use lineshift_engine::Clock as _;
use lineshift_store::people::{Membership, NewSession};
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{BrowserSession, HttpCaller, send};
use lineshift_testkit::people::PASSWORD;
use reqwest::Method;
use serde_json::json;

use crate::sign_in::bytes;

const ADA: &str = "ada@fleet.example";
const NEW_PASSWORD: &str = "brown-otter-likes-rain";

async fn with_ada() -> (TestApp, HttpCaller) {
    let app = TestApp::with_lines(1).await;
    let ada = app.signed_in(ADA, &["administrator"], "*").await;
    (app, ada)
}

async fn is_in(caller: &HttpCaller) -> bool {
    match caller.get("/api/v1/me").await.status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_left_alone_and_at_the_latest_after_half_a_day() {
    let (app, ada) = with_ada().await;
    let clock = &app.operator.clock;
    let begun = clock.now();
    let left_alone = app.signs_in(ADA).await;
    // Used every half hour it goes on, but not beyond its end.
    for nth in 1..24 {
        clock.set(&(begun + TimeDelta::minutes(30 * nth)).to_rfc3339());
        assert!(is_in(&ada).await, "after {} minutes", 30 * nth);
        seen(&app, clock.now().timestamp_micros()).await;
    }
    assert!(!is_in(&left_alone).await);
    clock.set(&(begun + TimeDelta::hours(12) - TimeDelta::seconds(1)).to_rfc3339());
    assert!(is_in(&ada).await);
    clock.set(&(begun + TimeDelta::hours(12)).to_rfc3339());
    assert!(!is_in(&ada).await);
    // Whoever signs in next has those dropped that are over.
    clock.advance(TimeDelta::seconds(1));
    app.signs_in(ADA).await;
    while app.operator.stored.inspect("SELECT count(*) FROM session").await.expect("rows") != [["1"]] {
        tokio::task::yield_now().await;
    }
}

/// Waits until the use of some session was noted as of then: it is done beside the request.
async fn seen(app: &TestApp, micros: i64) {
    let newest = "SELECT max(seen_at) FROM session";
    while app.operator.stored.inspect(newest).await.expect("rows") != [[micros.to_string()]] {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_session_left_alone_for_an_hour_is_over() {
    let (app, ada) = with_ada().await;
    app.operator.clock.advance(TimeDelta::minutes(60) - TimeDelta::seconds(1));
    let other = app.signs_in(ADA).await;
    app.operator.clock.advance(TimeDelta::seconds(1));
    assert!(!is_in(&ada).await);
    assert!(is_in(&other).await);
}

#[tokio::test]
async fn nobody_gets_in_with_a_cookie_that_was_changed() {
    let (app, ada) = with_ada().await;
    let other = app.operator.beside("Another", 1).await;
    let session = ada.session().clone();
    let nobody = bytes(&app.anonymous().get("/api/v1/me").await);
    assert_eq!(nobody.0, 401);
    let value = session.cookie.strip_prefix("lineshift=").expect("our cookie").to_owned();
    let (tenant, token) = value.split_once('.').expect("tenant and token");
    let last = if token.ends_with('A') { 'E' } else { 'A' };
    for changed in [
        format!("lineshift={tenant}.{}{last}", &token[..42]),
        format!("lineshift={}.{token}", other.tenant()),
        format!("lineshift=999.{token}"),
        format!("lineshift={tenant}.{}", &token[..42]),
        format!("lineshift={token}"),
        format!("lineshift={value}; lineshift={value}"),
        format!("lineshift=x; lineshift={value}"),
        format!("Lineshift={value}"),
        format!("__Host-lineshift={value}"),
        "lineshift=".to_owned(),
        "lineshift=1.' OR 1=1 --".to_owned(),
        format!("lineshift=1.{}", "A".repeat(5_000)),
    ] {
        let caller = app.anonymous().with_cookie(BrowserSession { cookie: changed.clone(), csrf: session.csrf.clone() });
        assert_eq!(bytes(&caller.get("/api/v1/me").await), nobody, "{changed}");
    }
    assert!(is_in(&ada).await);
}

#[tokio::test]
async fn a_cookie_that_somebody_put_there_is_worth_nothing_after_signing_in() {
    let (app, mallory) = with_ada().await;
    app.operator.member(app.operator.tenant(), app.operator.user("bob@fleet.example").await, &["viewer"], "*").await;
    // Bob's browser shows a session of somebody else when he signs in.
    let body = json!({"email": "bob@fleet.example", "password": PASSWORD});
    let planted = mallory.session().cookie.clone();
    let answer = send(app.anonymous().request(Method::POST, "/api/v1/session").header("cookie", &planted).json(&body)).await;
    let bob = app.anonymous().with_session(&answer);
    assert_ne!(bob.session().cookie, planted, "a token that nobody had before");
    assert!(!is_in(&mallory).await, "what was planted is over");
    // A token of the attacker's making is not taken over either.
    let made_up = format!("lineshift=1.{}", "B".repeat(43));
    let answer = send(app.anonymous().request(Method::POST, "/api/v1/session").header("cookie", &made_up).json(&body)).await;
    assert_ne!(app.anonymous().with_session(&answer).session().cookie, made_up);
    let mallory = app.anonymous().with_cookie(BrowserSession { cookie: made_up, csrf: String::new() });
    assert!(!is_in(&mallory).await);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_the_cookie_away() {
    let (_app, ada) = with_ada().await;
    let answer = ada.delete("/api/v1/session").await;
    assert_eq!((answer.status, answer.header("set-cookie")), (204, "lineshift=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"));
    assert!(!is_in(&ada).await, "whoever kept the cookie is out, too");
    assert_eq!(ada.delete("/api/v1/session").await.status, 401);
}

#[tokio::test]
async fn own_sessions_are_listed_and_ended_and_others_are_not() {
    let (app, ada) = with_ada().await;
    app.operator.clock.advance(TimeDelta::seconds(10));
    let phone = send(
        app.anonymous()
            .request(Method::POST, "/api/v1/session")
            .header("user-agent", format!("Telephone {}", "x".repeat(500)))
            .json(&json!({"email": ADA, "password": PASSWORD})),
    )
    .await;
    let phone = app.anonymous().with_session(&phone);
    let bob = app.signed_in("bob@fleet.example", &["administrator"], "*").await;
    let listed = ada.read("/api/v1/sessions").await;
    let items = listed["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "{listed}");
    assert_eq!((&items[0]["is_this"], &items[1]["is_this"]), (&json!(false), &json!(true)), "newest first");
    assert_eq!(items[0]["agent"].as_str().map(str::len), Some(200));
    assert_eq!((&items[0]["created_at"], &items[0]["address"]), (&json!("2026-12-01T09:00:10Z"), &json!("127.0.0.1")));
    let id = items[0]["id"].as_str().expect("an id");
    assert!(!phone.session().cookie.contains(id));

    let missing = bytes(&ada.delete(&format!("/api/v1/sessions/{}", "0".repeat(32))).await);
    assert_eq!(missing.0, 404);
    assert_eq!(bytes(&bob.delete(&format!("/api/v1/sessions/{id}")).await), missing, "that of somebody else is none");
    assert!(is_in(&phone).await);
    assert_eq!(ada.delete(&format!("/api/v1/sessions/{id}")).await.status, 204);
    assert!(!is_in(&phone).await && is_in(&ada).await && is_in(&bob).await);
}

#[tokio::test]
async fn another_password_signs_everybody_else_out() {
    let (app, ada) = with_ada().await;
    let other_tenant = app.operator.beside("Another", 1).await.tenant();
    let user = app.operator.store.find_user_by_email(ADA).await.expect("a store").expect("Ada").id;
    app.operator.member(other_tenant, user, &["viewer"], "*").await;
    let thief = app.signs_in(ADA).await;
    let elsewhere = app.sign_in(&json!({"email": ADA, "password": PASSWORD, "tenant_id": other_tenant.0})).await;
    let elsewhere = app.anonymous().with_session(&elsewhere);
    assert!(is_in(&elsewhere).await);

    let refused = ada.post("/api/v1/password", &json!({"password": "wrong", "new_password": NEW_PASSWORD})).await;
    assert_eq!((refused.status, refused.problems()), (422, vec!["password wrong_password".to_owned()]));
    let weak = ada.post("/api/v1/password", &json!({"password": PASSWORD, "new_password": "Ada2026!"})).await;
    assert_eq!(weak.problems(), ["new_password password_too_short"]);
    assert!(is_in(&thief).await, "nothing has changed yet");

    app.operator.clock.advance(TimeDelta::seconds(1));
    let changed = ada.post("/api/v1/password", &json!({"password": PASSWORD, "new_password": NEW_PASSWORD})).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let anew = app.anonymous().with_session(&changed);
    assert!(is_in(&anew).await);
    assert!(!is_in(&ada).await && !is_in(&thief).await && !is_in(&elsewhere).await);
    assert_eq!(changed.json()["ends_at"], "2026-12-01T21:00:00Z", "it lasts no longer for that");
    assert_eq!(app.sign_in(&json!({"email": ADA, "password": PASSWORD})).await.status, 401);
    assert_eq!(app.sign_in(&json!({"email": ADA, "password": NEW_PASSWORD})).await.status, 200);
}

#[tokio::test]
async fn guessing_the_password_in_a_session_is_counted_like_signing_in() {
    let (app, ada) = with_ada().await;
    for _ in 0..5 {
        let answer = ada.post("/api/v1/password", &json!({"password": "wrong", "new_password": NEW_PASSWORD})).await;
        assert_eq!(answer.status, 422);
    }
    let locked = ada.post("/api/v1/password", &json!({"password": PASSWORD, "new_password": NEW_PASSWORD})).await;
    assert_eq!((locked.status, locked.header("retry-after")), (429, "1"));
    assert_eq!(app.sign_in(&json!({"email": ADA, "password": PASSWORD})).await.status, 429);
}

#[tokio::test]
async fn whoever_loses_their_place_is_out_at_once() {
    let (app, ada) = with_ada().await;
    let (store, tenant) = (&app.operator.store, app.operator.tenant());
    let bob = app.signed_in("bob@fleet.example", &["viewer"], "*").await;
    let off = app.signed_in("off@fleet.example", &["viewer"], "*").await;
    let user = store.find_user_by_email("bob@fleet.example").await.expect("a store").expect("Bob").id;
    let member = store.find_member_of(tenant, user).await.expect("a store").expect("a member");
    assert_eq!(bob.get("/api/v1/devices").await.status, 200);
    let without_roles = Membership { roles: Vec::new(), reach: member.reach.clone(), is_active: true };
    store.update_member(tenant, member.id, &without_roles).await.expect("changed");
    assert_eq!(bob.get("/api/v1/devices").await.status, 403, "rights are looked up with every request");
    let inactive = Membership { is_active: false, ..without_roles };
    store.update_member(tenant, member.id, &inactive).await.expect("changed");
    assert!(!is_in(&bob).await);
    let user = store.find_user_by_email("off@fleet.example").await.expect("a store").expect("somebody").id;
    store.set_user_active(user, false).await.expect("changed");
    assert!(!is_in(&off).await && is_in(&ada).await);
}

#[tokio::test]
async fn whoever_signs_out_follows_nothing_any_more() {
    let (app, ada) = with_ada().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [lineshift_testkit::operator::iccid(1)], "ChangeType": 4,
        "ProcessChanges": false, "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    assert_eq!(ada.post("/M2M/BulkChange", &body).await.status, 202);
    let mut events = ada.follow("/api/v1/bulk-changes/1/events").await;
    let first = events.next().await.expect("an event");
    assert_eq!(first.0, "progress");
    assert_eq!(ada.delete("/api/v1/session").await.status, 204);
    assert_eq!(events.next().await, None, "the stream is over with the session");
}

#[tokio::test]
async fn another_tenant_is_another_session() {
    let (app, ada) = with_ada().await;
    let other = app.operator.beside("Another", 3).await.tenant();
    let foreign = app.operator.beside("Not theirs", 1).await.tenant();
    let user = app.operator.store.find_user_by_email(ADA).await.expect("a store").expect("Ada").id;
    app.operator.member(other, user, &["viewer"], "*").await;
    assert_eq!(ada.read("/api/v1/session").await["tenants"].as_array().map(Vec::len), Some(2));

    let missing = bytes(&ada.put("/api/v1/session/tenant", &json!({"tenant_id": 999})).await);
    assert_eq!(missing.0, 404);
    assert_eq!(bytes(&ada.put("/api/v1/session/tenant", &json!({"tenant_id": foreign.0})).await), missing);
    app.operator.clock.advance(TimeDelta::minutes(10));
    let switched = ada.put("/api/v1/session/tenant", &json!({"tenant_id": other.0})).await;
    assert_eq!(switched.status, 200, "{}", switched.text());
    assert_eq!(switched.json()["tenant"]["name"], "Another");
    assert_eq!(switched.json()["ends_at"], "2026-12-01T21:00:00Z", "it lasts no longer for that");
    let there = app.anonymous().with_session(&switched);
    assert!(!is_in(&ada).await, "the one before is over");
    assert_eq!(there.read("/api/v1/devices").await["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(there.get("/api/v1/integrations/1/account").await.status, 403, "she only looks there");
}

#[tokio::test]
async fn somebody_invited_sets_a_password_once() {
    let app = TestApp::with_lines(0).await;
    let (store, now) = (&app.operator.store, app.operator.clock.now());
    let user = lineshift_store::people::NewUser {
        email: "eve@fleet.example".to_owned(),
        display_name: "Eve Example".to_owned(),
        password_hash: None,
    };
    let user = store.create_user(&user, now).await.expect("a new user");
    app.operator.member(app.operator.tenant(), user, &["viewer"], "*").await;
    let token = "c".repeat(42) + "A";
    let hash: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(token.as_bytes()).into();
    store.set_invitation(user, &hash, now + TimeDelta::hours(1)).await.expect("invited");

    let accept = async |token: &str, password: &str| {
        app.anonymous().post("/api/v1/invitation", &json!({"token": token, "password": password})).await
    };
    let unknown = accept("x", NEW_PASSWORD).await;
    assert_eq!((unknown.status, unknown.problems()), (422, vec!["token invitation_unknown".to_owned()]));
    assert_eq!(accept(&token, "EveExample2026").await.problems(), ["password password_own_name"]);
    assert_eq!(accept(&token, NEW_PASSWORD).await.status, 204);
    assert_eq!(bytes(&accept(&token, PASSWORD).await), bytes(&unknown), "it holds once");
    assert_eq!(app.sign_in(&json!({"email": "eve@fleet.example", "password": NEW_PASSWORD})).await.status, 200);

    store.set_invitation(user, &hash, now + TimeDelta::hours(1)).await.expect("invited");
    app.operator.clock.advance(TimeDelta::hours(1));
    assert_eq!(bytes(&accept(&token, PASSWORD).await), bytes(&unknown), "and not for ever");
}

/// Whoever knew the password before is out, also where they signed in at the very moment; of several who take it up at once one does.
#[tokio::test]
async fn taking_up_an_invitation_signs_everybody_out_and_holds_once() {
    let (app, ada) = with_ada().await;
    let (store, now) = (&app.operator.store, app.operator.clock.now());
    let user = store.find_user_by_email(ADA).await.expect("a store").expect("Ada").id;
    let token = "d".repeat(42) + "A";
    let hash: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(token.as_bytes()).into();
    store.set_invitation(user, &hash, now + TimeDelta::hours(1)).await.expect("invited");
    let accept = async |password: &str| {
        let body = json!({"token": token, "password": password});
        app.anonymous().post("/api/v1/invitation", &body).await.status
    };
    let (one, two, three, four) = tokio::join!(
        accept("quiet-otter-likes-rain"),
        accept("brown-heron-likes-rain"),
        accept("green-badger-likes-rain"),
        accept("white-marten-likes-rain"),
    );
    let mut statuses = [one, two, three, four];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 422, 422, 422]);
    assert!(!is_in(&ada).await, "the clock stood still: she signed in at the same moment");
}

#[tokio::test]
async fn a_member_has_fifty_sessions_at_most() {
    let (app, ada) = with_ada().await;
    let (store, tenant) = (&app.operator.store, app.operator.tenant());
    let user = store.find_user_by_email(ADA).await.expect("a store").expect("Ada").id;
    let member = store.find_member_of(tenant, user).await.expect("a store").expect("a member").id;
    for token in 1..50 {
        app.operator.clock.advance(TimeDelta::seconds(1));
        let now = app.operator.clock.now();
        let (address, agent) = (String::new(), String::new());
        let session = NewSession { token_hash: [token; 32], member, ends_at: now + TimeDelta::hours(1), address, agent };
        store.begin_session(tenant, &session, now).await.expect("begun");
    }
    assert!(is_in(&ada).await, "hers is the fiftieth");
    app.operator.clock.advance(TimeDelta::seconds(1));
    let newest = app.signs_in(ADA).await;
    assert!(!is_in(&ada).await, "hers was the oldest");
    let listed = newest.read("/api/v1/sessions").await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(50), "all of them are listed");
}

#[tokio::test]
async fn a_key_has_no_session() {
    let app = TestApp::with_lines(0).await;
    let key = app.admin().await;
    assert_eq!(key.get("/api/v1/session").await.problems(), ["people_only"]);
    assert_eq!(key.get("/api/v1/sessions").await.status, 403);
}
