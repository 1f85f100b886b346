//! Pages of changes that go on, beside what moves under them: other windows, other portals, what is not started.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::{Value, json};

use crate::browser::{Browser, with_change};

/// An app with a change of two lines that waits for a start, its number, and somebody who may start it.
async fn with_a_held_change() -> (TestApp, i64, Browser) {
    let app = TestApp::with_lines(2).await;
    let held = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)], "SiteId": app.operator.amop_site.0,
        "ProcessChanges": false,
    });
    let answer = app.orderer().await.post("/M2M/AssociateCustomer", &held).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let id = answer.json()["BulkChangeId"].as_i64().expect("an id");
    (app, id, ada)
}

async fn change(app: &TestApp, id: i64) -> Value {
    app.admin().await.read(&format!("/api/v1/bulk-changes/{id}")).await
}

#[tokio::test]
async fn another_portals_address_steers_nothing() {
    let (app, id, mut ada) = with_a_held_change().await;
    for act in ["cancel", "start", "retry"] {
        let refused = ada.send_from("/m2m/bulk-changes", &format!("/lnp/bulk-changes/{id}/{act}"), &[]).await;
        assert_eq!(refused.status, 404, "{act}: {}", refused.text());
    }
    let change = change(&app, id).await;
    assert!(change["held"] == true && change["counts"]["open"] == 2, "it stands as before: {change}");
}

#[tokio::test]
async fn a_page_that_only_waits_for_a_start_does_not_load_itself_again() {
    let (_app, id, mut ada) = with_a_held_change().await;
    let address = format!("/m2m/bulk-changes/{id}");
    let held = ada.page(&address).await;
    assert!(!held.contains("http-equiv=\"refresh\"") && held.contains(">Reload</a>"), "{held}");
    assert_eq!(ada.send_from(&address, &format!("{address}/start"), &[]).await.status, 303);
    assert!(ada.page(&address).await.contains("http-equiv=\"refresh\""), "what runs is followed without a script, too");
}

#[tokio::test]
async fn a_stream_tells_when_somebody_starts_the_change() {
    let (app, id, mut ada) = with_a_held_change().await;
    let mut events = app.orderer().await.follow(&format!("/api/v1/bulk-changes/{id}/events")).await;
    let (_, first) = events.next().await.expect("an event at once");
    assert_eq!((&first["held"], &first["status"]), (&json!(true), &json!("NEW")));
    let address = format!("/m2m/bulk-changes/{id}");
    ada.send_from(&address, &format!("{address}/start"), &[]).await;
    let (_, next) = events.next().await.expect("it is told, although no line has moved");
    assert_eq!((&next["held"], &next["counts"]), (&json!(false), &first["counts"]));
}

#[tokio::test]
async fn what_another_tenants_page_asks_is_not_answered_of_this_ones_change() {
    let (app, id) = with_change(2).await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let vic = Browser::signed_in(&app, "vic@fleet.example").await;
    let (own, other) = (app.operator.tenant().0, app.operator.tenant().0 + 1);
    let [events, download, scheduled] =
        ["api/v1/bulk-changes/{id}/events", "m2m/bulk-changes/{id}/download", "m2m/bulk-changes/{id}/scheduled"]
            .map(|path| format!("/{}", path.replace("{id}", &id.to_string())));
    for address in [&events, &download, &scheduled] {
        let answered = vic.open(&format!("{address}?tenant={own}")).await;
        assert_eq!(answered.status, 200, "{address}: {}", answered.text());
        let refused = vic.open(&format!("{address}?tenant={other}")).await;
        assert_eq!(refused.status, 409, "{address}: {}", refused.text());
        assert!(refused.text().contains("another tenant than the one that you are in by now"), "{}", refused.text());
        let wrong = vic.open(&format!("{address}?tenant=fleet")).await;
        assert!([400, 422].contains(&wrong.status), "{address}: {}", wrong.status);
    }
    let page = vic.page(&format!("/m2m/bulk-changes/{id}")).await;
    assert!(page.contains(&format!("<input type=\"hidden\" name=\"tenant\" value=\"{own}\">")), "ticked ones, too: {page}");
}

#[tokio::test]
async fn a_download_that_is_refused_is_a_page_that_says_why() {
    let (app, id) = with_change(2).await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let vic = Browser::signed_in(&app, "vic@fleet.example").await;
    let page = vic.page(&format!("/m2m/bulk-changes/{id}")).await;
    // With the attribute a browser keeps whatever is answered as a file: the page for signing in, or that too many are written just now.
    assert!(!page.contains(" download>") && !page.contains(" download="), "{page}");
    let file = vic.open(&format!("/m2m/bulk-changes/{id}/download?format=csv")).await;
    assert!(file.header("content-disposition").starts_with("attachment; filename="), "it is kept as a file all the same");
}
