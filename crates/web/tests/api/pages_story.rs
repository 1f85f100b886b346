//! The story of a line: what happened to it, what was asked for it and not done, what waits.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::{Value, json};

use crate::browser::{Browser, with_change};

/// What the page of the first line tells.
async fn story(browser: &Browser, address: &str) -> String {
    let page = browser.page(address).await;
    let (_, rest) = page.split_once("<h2 id=\"timeline\">").unwrap_or_else(|| panic!("no story in {page}"));
    rest.split_once("</section>").expect("it ends").0.to_owned()
}

/// Orders a plan change for the first line, with more fields, as somebody; its number.
async fn ordered(app: &TestApp, more: &Value) -> i64 {
    let mut body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "ChangeType": 4});
    let mut update = json!({"CustomerRatePlanId": app.operator.plan.0});
    for (name, value) in more.as_object().expect("fields") {
        match name.as_str() {
            "EffectiveDate" => update[name] = value.clone(),
            _ => body[name] = value.clone(),
        }
    }
    body["CustomerRatePlanUpdate"] = update;
    let orderer = app.with_scopes("<b>Ada</b>", "m2m:view m2m:create m2m:edit").await;
    let answer = orderer.post("/M2M/BulkChange", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    app.operator.run_until_idle().await;
    app.operator.clock.advance(chrono::TimeDelta::seconds(60));
    answer.json()["BulkChangeId"].as_i64().expect("an id")
}

#[tokio::test]
async fn a_line_tells_what_was_asked_and_not_done_with_what_happened() {
    let (app, assigned) = with_change(2).await;
    app.operator.clock.advance(chrono::TimeDelta::seconds(60));
    let held = ordered(&app, &json!({"ProcessChanges": false})).await;
    let refused = ordered(&app, &json!({})).await;
    let orderer = app.orderer().await;
    assert_eq!(orderer.post(&format!("/api/v1/bulk-changes/{held}/cancel"), &json!({})).await.status, 200);
    app.operator.run_until_idle().await;
    app.operator.clock.advance(chrono::TimeDelta::seconds(60));
    let scheduled = ordered(&app, &json!({"EffectiveDate": "2027-01-15"})).await;
    let entry = app.admin().await.read("/api/v1/plan-queue").await["items"][0]["id"].to_string();
    assert_eq!(orderer.post(&format!("/api/v1/plan-queue/{entry}/cancel"), &json!({})).await.status, 200);

    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let lines = app.admin().await.read(&format!("/api/v1/devices?iccid={}", iccid(1))).await;
    let line = lines["items"][0]["id"].to_string();
    let address = format!("/m2m/lines/{line}");
    let told = story(&ada, &address).await;
    let places: Vec<usize> = [
        "Scheduled for 2027-01-15 00:00: canceled",
        "Scheduled for 2027-01-15 00:00<",
        "Change customer rate plan: canceled",
        "Change customer rate plan: asked, refused",
        "Assigned",
    ]
    .iter()
    .map(|words| told.find(words).unwrap_or_else(|| panic!("no {words} in {told}")))
    .collect();
    assert!(places.is_sorted(), "newest first: {told}");
    assert!(told.contains("plan ") && told.contains("&#60;b&#62;Ada&#60;/b&#62;") && !told.contains("<b>Ada"), "{told}");
    for change in [held, refused, scheduled] {
        let link = format!("href=\"/m2m/bulk-changes/{change}/lines/");
        let row =
            told.split(&link).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("no {link} in {told}"));
        assert_eq!(ada.open(&format!("/m2m/bulk-changes/{change}/lines/{row}")).await.status, 200);
    }
    assert!(told.contains(&format!("href=\"/bulk-changes/{assigned}\"")), "{told}");
    assert_eq!(ada.open(&format!("{address}?asked_after=nonsense")).await.status, 422);

    // Whoever is limited sees what waits for their customers, and of what was refused what they ordered; and no portal that is not theirs.
    let site = format!("site:{}", app.operator.amop_site);
    app.signed_in("one@fleet.example", &["operator"], &site).await;
    let told = story(&Browser::signed_in(&app, "one@fleet.example").await, &address).await;
    assert!(told.contains("Scheduled for 2027-01-15") && !told.contains("asked, refused"), "{told}");
    assert!(!told.contains("href=\"/m2m/bulk-changes/"), "the changes are others': {told}");
    app.admin().await.post("/api/v1/roles", &json!({"name": "Of LNP", "scopes": ["lnp:view"]})).await;
    app.signed_in("lin@fleet.example", &["Of LNP"], "*").await;
    let told = story(&Browser::signed_in(&app, "lin@fleet.example").await, &format!("/lnp/lines/{line}")).await;
    assert!(!told.contains("Scheduled for") && !told.contains("asked, refused") && told.contains("Assigned"), "{told}");
}

#[tokio::test]
async fn a_long_story_is_told_page_by_page() {
    let (app, _) = with_change(1).await;
    ordered(&app, &json!({"ProcessChanges": false})).await;
    for _ in 0..55 {
        ordered(&app, &json!({})).await;
    }
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let lines = app.admin().await.read(&format!("/api/v1/devices?iccid={}", iccid(1))).await;
    let address = format!("/m2m/lines/{}", lines["items"][0]["id"]);
    let first = story(&ada, &address).await;
    assert_eq!((first.matches("asked, refused").count(), first.matches("Assigned").count()), (50, 0), "{first}");
    let next = first.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split(['"', '#']).next()).expect("earlier ones");
    let second = story(&ada, &next.replace("&#38;", "&")).await;
    assert_eq!((second.matches("asked, refused").count(), second.matches("Assigned").count()), (5, 1), "{second}");
    assert!(!second.contains("rel=\"next\""), "{second}");
}
