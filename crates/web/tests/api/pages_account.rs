//! What people do about themselves: joining tenants, going from one to another, password, authenticator, sessions.

use lineshift_domain::ids::TenantId;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::authenticator::shown;
use lineshift_testkit::operator::Operator;
use lineshift_testkit::people::PASSWORD;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::one_time_password::now;

const OTHER_PASSWORD: &str = "brisk-lantern-hums-far";

/// The operator with Ada, and Beta, which has invited whoever has that address; what Beta was answered.
async fn invited(email: &str) -> (TestApp, TenantId, Value) {
    let app = TestApp::with_lines(0).await;
    let beta = app.operator.beside("Beta", 0).await.tenant();
    app.signed_in("ada@acme.example", &["viewer"], "*").await;
    let boss = app.of_tenant(beta, "boss", "*").await.0;
    let roles = boss.read("/api/v1/roles").await;
    let viewer = roles["items"].as_array().expect("items").iter().find(|role| role["name"] == "viewer").expect("a role");
    let body = json!({"email": email, "display_name": "A guest", "roles": [viewer["id"]], "reach": ["*"]});
    let added = boss.post("/api/v1/users", &body).await;
    assert_eq!(added.status, 201, "{}", added.text());
    (app, beta, added.json()["invitation"]["token"].clone())
}

#[tokio::test]
async fn whoever_was_added_to_a_second_tenant_joins_it_and_goes_there() {
    let (app, beta, token) = invited("ada@acme.example").await;
    let token = token.as_str().expect("a token");
    let mut ada = Browser::signed_in(&app, "ada@acme.example").await;
    let page = ada.page("/tenants").await;
    assert!(page.contains("Beta") && page.contains("You are here.") && !page.contains("Go there"), "{page}");
    let wrong = ada.send_from("/tenants", "/invitations", &[("token", token), ("password", "wrong")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("this is not your password") && !wrong.text().contains(token), "{}", wrong.text());
    let before = ada.cookie.clone();
    let fields = [("token", token), ("password", PASSWORD), ("new_password", OTHER_PASSWORD)];
    let joined = ada.send_from("/tenants", "/invitations", &fields).await;
    assert_eq!((joined.status, joined.header("location")), (303, "/tenants?saved"), "{}", joined.text());
    assert_ne!(ada.cookie, before, "with a new password the session is a new one");
    let page = ada.page("/tenants?saved").await;
    assert!(
        page.contains("You have joined.") && page.contains("Go there") && page.contains("No tenant has invited you."),
        "{page}"
    );
    let gone = ada.send_from("/tenants", "/tenant", &[("tenant_id", &beta.to_string())]).await;
    assert_eq!((gone.status, gone.header("location")), (303, "/"));
    assert!(ada.page("/").await.contains("<h1>Beta</h1>"));
    let written = app.of_tenant(beta, "reader", "*").await.0.read("/api/v1/audit?action=POST%20%2Finvitations").await;
    assert_eq!(
        written["items"].as_array().map(Vec::len),
        Some(2),
        "it stands in the log of the tenant that it concerns: {written}"
    );
}

#[tokio::test]
async fn an_invitation_is_declined() {
    let (app, beta, _) = invited("ada@acme.example").await;
    let mut ada = Browser::signed_in(&app, "ada@acme.example").await;
    let address = format!("/invitations/{beta}/decline");
    assert_eq!(ada.send_from("/tenants", &address, &[]).await.status, 422, "nobody said that they mean it");
    assert_eq!(ada.send_from("/tenants", "/invitations/999/decline", &[("sure", "yes")]).await.status, 404);
    let declined = ada.send_from("/tenants", &address, &[("sure", "yes")]).await;
    assert_eq!((declined.status, declined.header("location")), (303, "/tenants"), "{}", declined.text());
    assert!(!ada.page("/tenants").await.contains("Beta"));
}

#[tokio::test]
async fn a_new_person_sets_a_password_by_the_invitation() {
    let (app, _, token) = invited("new@beta.example").await;
    let token = token.as_str().expect("a token");
    let mut nobody = Browser::of(&app);
    let page = nobody.page("/invitation").await;
    assert!(page.contains("data-invitation") && page.contains("autocomplete=\"new-password\""), "{page}");
    let fields = |password: &'static str, again: &'static str| vec![("token", token), ("password", password), ("again", again)];
    let differ = nobody.send_form("/invitation", &fields(OTHER_PASSWORD, "something else")).await;
    assert_eq!(differ.status, 422);
    assert!(
        differ.text().contains("type the same password twice") && !differ.text().contains(OTHER_PASSWORD),
        "{}",
        differ.text()
    );
    let weak = nobody.send_form("/invitation", &fields("123456789012", "123456789012")).await;
    assert_eq!(weak.status, 422, "{}", weak.text());
    let taken = nobody.send_form("/invitation", &fields(OTHER_PASSWORD, OTHER_PASSWORD)).await;
    assert_eq!(taken.status, 200, "{}", taken.text());
    assert!(taken.text().contains("Your password is set."));
    let entered = nobody.send_form("/sign-in", &[("email", "new@beta.example"), ("password", OTHER_PASSWORD)]).await;
    assert_eq!(entered.status, 303, "{}", entered.text());
    let again = Browser::of(&app).send_form("/invitation", &fields(OTHER_PASSWORD, OTHER_PASSWORD)).await;
    assert_eq!(again.status, 422, "it holds once");
    assert!(again.text().contains("is not known, was used, or is over"), "{}", again.text());
}

#[tokio::test]
async fn whoever_has_an_account_is_told_to_sign_in_and_accept() {
    let (app, _, token) = invited("ada@acme.example").await;
    let token = token.as_str().expect("a token");
    let fields = [("token", token), ("password", OTHER_PASSWORD), ("again", OTHER_PASSWORD)];
    let answer = Browser::of(&app).send_form("/invitation", &fields).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains("There is an account with this address already") && page.contains("href=\"/tenants\""), "{page}");
    assert!(!page.contains("/api/v1"), "people are not sent to the API");
}

#[tokio::test]
async fn one_changes_ones_password_and_ends_ones_sessions() {
    let app = TestApp::with_lines(0).await;
    app.signed_in("ada@fleet.example", &["viewer"], "*").await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let elsewhere = Browser::signed_in(&app, "ada@fleet.example").await;
    let page = ada.page("/account").await;
    assert!(page.contains("This one.") && page.contains("M2M: view"), "{page}");
    let end = page.split("action=\"/account/sessions/").nth(1).and_then(|rest| rest.split('"').next()).expect("another session");
    for nth in page.split("action=\"/account/sessions/").skip(1) {
        assert!(nth.starts_with(|c: char| c.is_ascii_hexdigit()));
    }
    let end = format!("/account/sessions/{end}");
    assert_eq!(ada.send_from("/account", &end, &[]).await.status, 303);
    assert_eq!(ada.send_from("/account", &end, &[]).await.status, 404, "it is over");

    let wrong = [("password", "wrong"), ("new_password", OTHER_PASSWORD), ("again", OTHER_PASSWORD)];
    let wrong = ada.send_from("/account", "/account/password", &wrong).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("this is not your password") && !wrong.text().contains(OTHER_PASSWORD), "{}", wrong.text());
    let good = [("password", PASSWORD), ("new_password", OTHER_PASSWORD), ("again", OTHER_PASSWORD)];
    let changed = ada.send_from("/account", "/account/password", &good).await;
    assert_eq!((changed.status, changed.header("location")), (303, "/account?saved"), "{}", changed.text());
    assert!(ada.page("/account?saved").await.contains("Saved."), "this browser goes on");
    assert_eq!(elsewhere.open("/account").await.status, 303, "everybody else is out");
}

#[tokio::test]
async fn one_sets_an_authenticator_up_and_does_without_it() {
    let app = TestApp::sealing(Operator::with_lines(0).await).await;
    app.signed_in("ada@fleet.example", &["viewer"], "*").await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let begun = ada.send_from("/account", "/account/one-time-password", &[("password", PASSWORD)]).await;
    assert_eq!(begun.status, 200, "{}", begun.text());
    let page = begun.text();
    let value = |name: &str| {
        let rest = page.split(name).nth(1).and_then(|rest| rest.split("value=\"").nth(1)).expect("a field");
        rest.split('"').next().expect("it ends").to_owned()
    };
    let (secret, enrolment) = (value("id=\"secret\""), value("name=\"enrolment\""));
    let confirm = "/account/one-time-password/confirm";
    let wrong = ada.send_from("/account", confirm, &[("enrolment", &enrolment), ("one_time_password", "000")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains(&enrolment) && !wrong.text().contains(&secret), "it is shown once: {}", wrong.text());
    let code = shown(&secret, now(&app));
    let confirmed = ada.send_from("/account", confirm, &[("enrolment", &enrolment), ("one_time_password", &code)]).await;
    assert_eq!(confirmed.status, 303, "{}", confirmed.text());
    assert!(ada.page("/account").await.contains("Do without the authenticator"));
    app.operator.clock.advance(chrono::TimeDelta::minutes(1));
    let code = shown(&secret, now(&app));
    let ended = [("password", PASSWORD), ("one_time_password", code.as_str())];
    let ended = ada.send_from("/account", "/account/one-time-password/end", &ended).await;
    assert_eq!(ended.status, 303, "{}", ended.text());
    assert!(ada.page("/account").await.contains("Set up an authenticator"));
}
