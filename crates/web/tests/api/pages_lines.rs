//! Choosing lines, as a browser without JavaScript does it.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, send};
use lineshift_testkit::operator::{iccid, number};
use reqwest::Method;
use serde_json::json;

use crate::browser::{Browser, token_of};

/// How many lines the page says are chosen.
pub(crate) fn count_of(page: &str) -> &str {
    let (_, rest) = page.split_once("data-chosen>").expect("a page that says how many are chosen");
    rest.split('<').next().expect("the count ends")
}

/// The ids of the lines that a page shows.
pub(crate) fn ids_of(page: &str) -> Vec<String> {
    let boxes = page.split("name=\"line\" value=\"").skip(1);
    boxes.map(|rest| rest.split('"').next().expect("the attribute ends").to_owned()).collect()
}

pub(crate) async fn ada(app: &TestApp) -> Browser {
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    Browser::signed_in(app, "ada@fleet.example").await
}

/// Pastes a text; the page that says what became of it.
pub(crate) async fn paste(browser: &mut Browser, text: &str) -> Answer {
    browser.send_from("/m2m/selection/paste", "/m2m/selection/paste", &[("text", text)]).await
}

#[tokio::test]
async fn ticked_lines_stay_chosen_from_page_to_page_and_sign_in_to_sign_in() {
    let app = TestApp::with_lines(120).await;
    let mut browser = ada(&app).await;
    let page = browser.page("/m2m/lines").await;
    assert_eq!((count_of(&page), ids_of(&page).len()), ("0", 50));
    let ids = ids_of(&page);
    let fields = [("line", ids[0].as_str()), ("line", ids[1].as_str()), ("line", "999999"), ("back", "/m2m/lines?after=x")];
    let added = browser.send_from("/m2m/lines", "/m2m/selection/add", &fields).await;
    assert_eq!((added.status, added.header("location")), (303, "/m2m/lines?after=x"), "{}", added.text());
    for elsewhere in ["https://evil.example/", "//evil.example", "/sign-out", "/m2m/\\evil"] {
        let fields = [("line", ids[1].as_str()), ("back", elsewhere)];
        let led = browser.send_from("/m2m/lines", "/m2m/selection/add", &fields).await;
        assert_eq!(led.header("location"), "/m2m/selection", "{elsewhere}");
    }
    let page = browser.page("/m2m/lines").await;
    assert_eq!((count_of(&page), page.matches(" checked>").count()), ("2", 2));
    assert_eq!(count_of(&browser.page("/mobility/lines").await), "0", "each portal has a selection of its own");

    let mut again = Browser::signed_in(&app, "ada@fleet.example").await;
    let page = again.page("/m2m/selection").await;
    assert!(page.contains(&iccid(1)) && page.contains(&iccid(2)) && !page.contains(&iccid(3)), "{page}");
    let answer = again.send_from("/m2m/lines", "/m2m/selection/remove", &[("line", &ids[0]), ("quiet", "1")]).await;
    assert_eq!(answer.json(), json!({"lines": 1, "count": "1", "chosen": []}));
    let wrong = again.send_from("/m2m/lines", "/m2m/selection/add", &[("line", "one")]).await;
    assert_eq!(wrong.status, 400, "{}", wrong.text());

    app.signed_in("eve@fleet.example", &["operator"], "*").await;
    assert_eq!(count_of(&Browser::signed_in(&app, "eve@fleet.example").await.page("/m2m/lines").await), "0");
    let cleared = again.send_from("/m2m/selection", "/m2m/selection/clear", &[]).await;
    assert_eq!(cleared.header("location"), "/m2m/selection");
    assert_eq!(count_of(&again.page("/m2m/lines").await), "0");
}

#[tokio::test]
async fn all_lines_that_match_are_chosen_at_once() {
    let app = TestApp::with_lines(120).await;
    let provider = app.operator.jasper.0.to_string();
    let mut browser = ada(&app).await;
    let path = format!("/m2m/lines?service_provider_id={provider}");
    let page = browser.page(&path).await;
    assert!(page.contains(&format!(r#"name="service_provider_id" value="{provider}""#)), "{page}");
    // Entries of one moment stand in no order.
    app.operator.clock.advance(chrono::TimeDelta::seconds(1));
    let fields = [("service_provider_id", provider.as_str()), ("back", path.as_str())];
    let chosen = browser.send_from(&path, "/m2m/selection/matching", &fields).await;
    assert_eq!((chosen.status, chosen.header("location")), (303, path.as_str()), "{}", chosen.text());
    assert_eq!(count_of(&browser.page("/m2m/lines").await), "120");
    let page = browser.page("/m2m/selection").await;
    assert_eq!(ids_of(&page).len(), 100);
    let next = page.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a next page");
    assert_eq!(ids_of(&browser.page(&next.replace("&amp;", "&")).await).len(), 20);
    let entries = app.admin().await.read("/api/v1/audit").await;
    let written = &entries["items"][0];
    assert_eq!((&written["action"], &written["devices"]), (&json!("POST /{portal}/selection/matching"), &json!(120)));
    let unknown = browser.send_from("/m2m/lines", "/m2m/selection/matching", &[("colour", "red")]).await;
    assert_eq!(unknown.status, 422, "a filter that is not known chooses nothing: {}", unknown.text());
}

#[tokio::test]
pub(crate) async fn pasted_text_is_read_whatever_stands_around() {
    let app = TestApp::with_lines(5).await;
    let mut browser = ada(&app).await;
    let text = format!(
        "Hello,\r\nplease move \"{}\"; '{}' and {}\t({}) <b>8.90126E+19</b> 89012602101234500000 89019999999999999999 8901260210123 \
         8901260210123456",
        iccid(1),
        iccid(2),
        iccid(1),
        number(3),
    );
    let answer = paste(&mut browser, &text).await;
    let page = answer.text();
    assert_eq!((answer.status, count_of(&page)), (200, "3"), "{page}");
    assert!(page.contains("<h1>3 lines added</h1>") && page.contains("more than once"), "{page}");
    assert!(page.contains("Last digits are lost: 2") && page.contains("format the column as text and export again"), "{page}");
    assert!(page.contains("8.90126E+19") && page.contains("89012602101234500000"));
    assert!(
        page.contains("Not found: 2") && page.contains("89019999999999999999") && page.contains("Not well-formed: 1"),
        "{page}"
    );

    let again = paste(&mut browser, &text).await.text();
    assert!(again.contains("<h1>0 lines added</h1>") && again.contains("<b>3</b> were chosen already"), "{again}");
    let nothing = paste(&mut browser, "<script>nothing</script>").await.text();
    assert!(nothing.contains("role=\"alert\"") && nothing.contains("&#60;script&#62;nothing"), "the text is kept: {nothing}");
}

#[tokio::test]
async fn a_long_text_is_taken_and_one_that_is_too_long_refused() {
    let app = TestApp::with_lines(3).await;
    let mut browser = ada(&app).await;
    let many = format!("{}{}", format!("{}\n", iccid(1)).repeat(100_000), iccid(2));
    let page = paste(&mut browser, &many).await.text();
    assert!(page.contains("<h1>2 lines added</h1>") && page.contains("<b>99,999</b> stood there more than once"), "{page}");
    let token = token_of(&browser.page("/m2m/lines").await);
    let long = "x".repeat(2 << 20);
    let refused = browser.send_form("/m2m/selection/add", &[("csrf_token", &token), ("line", &long)]).await;
    assert_eq!(refused.status, 413, "other forms stay short");
}

#[tokio::test]
async fn lines_beyond_reach_are_not_chosen_and_nobody_chooses_who_may_not_order() {
    let app = TestApp::with_lines(3).await;
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": app.operator.amop_site.0});
    assert_eq!(app.orderer().await.post("/M2M/AssociateCustomer", &body).await.status, 202);
    app.operator.run_until_idle().await;
    app.signed_in("lim@fleet.example", &["operator"], &format!("site:{}", app.operator.amop_site)).await;
    let mut limited = Browser::signed_in(&app, "lim@fleet.example").await;
    let page = paste(&mut limited, &format!("{} {} {}", iccid(1), iccid(2), number(3))).await.text();
    assert!(page.contains("<h1>1 lines added</h1>") && page.contains("Not found: 2"), "{page}");
    limited.send_from("/m2m/lines", "/m2m/selection/matching", &[]).await;
    assert_eq!(count_of(&limited.page("/m2m/selection").await), "1");

    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let mut viewer = Browser::signed_in(&app, "vic@fleet.example").await;
    let page = viewer.page("/m2m/lines").await;
    assert!(!page.contains("selection") && !page.contains("type=\"checkbox\""), "what one may not do is not offered: {page}");
    for path in ["/m2m/selection", "/m2m/selection/paste"] {
        assert_eq!(viewer.open(path).await.status, 403, "{path}");
    }
    for act in ["add", "remove", "matching", "clear", "paste"] {
        assert_eq!(viewer.send_from("/", &format!("/m2m/selection/{act}"), &[]).await.status, 403, "{act}");
    }
}

/// Sends a file as a browser does.
pub(crate) async fn upload(browser: &Browser, name: &str, content: &[u8]) -> Answer {
    let token = token_of(&browser.page("/m2m/selection/upload").await);
    let mut body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n--x\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request = browser.caller.request(Method::POST, "/m2m/selection/upload").header("cookie", &browser.cookie);
    send(request.header("content-type", "multipart/form-data; boundary=x").body(body)).await
}

/// The hidden fields of the second step: name and value.
fn cells_of(page: &str) -> Vec<(String, String)> {
    let fields = page.split("<input type=\"hidden\" name=\"cells_").skip(1);
    fields
        .map(|rest| {
            let (place, rest) = rest.split_once("\" value=\"").expect("a value");
            (format!("cells_{place}"), rest.split('"').next().expect("the attribute ends").replace("&#43;", "+"))
        })
        .collect()
}

/// Ticks columns of a page that shows them, and goes on.
async fn choose_columns(browser: &mut Browser, page: &str, ticked: &[&str]) -> String {
    let cells = cells_of(page);
    let mut fields: Vec<(&str, &str)> = cells.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.extend(ticked.iter().map(|place| ("column", *place)));
    let answer = browser.send_from("/m2m/selection/upload", "/m2m/selection/columns", &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text()
}

#[tokio::test]
async fn the_likeliest_column_of_a_file_is_suggested_and_another_may_be_chosen() {
    let app = TestApp::with_lines(6).await;
    let mut browser = ada(&app).await;
    let rows: String =
        (1..=4).map(|nth| format!("490154203237{nth:03};{};{};M\u{fc}ller\r\n", number(nth), iccid(nth))).collect();
    let csv = format!("\u{feff}IMEI;Phone;SIM <b>card;Owner\r\n{rows};;8.90126E+19;\r\n");
    let page = upload(&browser, "lines <1>.csv", csv.as_bytes()).await.text();
    assert!(page.contains("Columns of lines &#60;1&#62;.csv") && page.contains("Column C: SIM &#60;b&#62;card"), "{page}");
    assert!(page.contains("4 ICCIDs, 1 of no use") && page.contains("Column B: Phone") && page.contains("4 numbers"), "{page}");
    assert_eq!(page.matches(" checked>").count(), 1);
    assert!(page.contains("name=\"column\" value=\"0\" checked"), "{page}");
    assert_eq!(count_of(&page), "0", "nothing is chosen before");
    let chosen = choose_columns(&mut browser, &page, &["0"]).await;
    assert!(chosen.contains("<h1>4 lines added</h1>") && chosen.contains("Last digits are lost: 1"), "{chosen}");
    browser.send_from("/m2m/selection", "/m2m/selection/clear", &[]).await;
    let both = choose_columns(&mut browser, &page, &["0", "1"]).await;
    assert!(both.contains("<h1>4 lines added</h1>") && both.contains("<b>4</b> were chosen already"), "{both}");
    let none = choose_columns(&mut browser, &page, &[]).await;
    assert!(none.contains("No column was ticked"), "{none}");
}

#[tokio::test]
async fn what_is_no_table_is_refused_in_words_and_without_a_token_nothing_is_read() {
    let app = TestApp::with_lines(1).await;
    let mut browser = ada(&app).await;
    for (name, content, says) in [
        ("old.xls", &b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], "old.xls: This is a workbook of the old form"),
        ("broken.xlsx", b"PK\x03\x04broken", "broken.xlsx: The workbook cannot be read"),
        ("names.csv", b"name\nAnn", "names.csv: No column of this file holds ICCIDs"),
    ] {
        let answer = upload(&browser, name, content).await;
        let page = answer.text();
        assert!(answer.status == 200 && page.contains("role=\"alert\"") && page.contains(says), "{name}: {page}");
    }
    let large = upload(&browser, "large.csv", &vec![b'1'; 22 << 20]).await;
    assert_eq!(large.status, 413);
    let body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n1\r\n--x--\r\n";
    for (path, status) in [("/m2m/selection/upload", 403), ("/m2m/selection/paste", 415)] {
        let request = browser.caller.request(Method::POST, path).header("cookie", &browser.cookie);
        let answer = send(request.header("content-type", "multipart/form-data; boundary=x").body(body)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    let fields = [("column", "0"), ("cells_0", "!!")];
    let made_up = browser.send_from("/m2m/selection/upload", "/m2m/selection/columns", &fields).await;
    assert_eq!(made_up.status, 400, "{}", made_up.text());
}

#[tokio::test]
async fn lines_are_sought_by_names_and_by_several_things_at_once() {
    let app = TestApp::with_lines(60).await;
    let body =
        json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)], "SiteId": app.operator.amop_site.0});
    assert_eq!(app.orderer().await.post("/M2M/AssociateCustomer", &body).await.status, 202);
    app.operator.run_until_idle().await;
    let site = app.operator.amop_site.0;
    let admin = app.admin().await;
    admin.patch(&format!("/api/v1/sites/{site}"), &json!({"name": "Nimbus & Söhne"})).await;
    let browser = ada(&app).await;
    let led = browser.open("/m2m/lines?site=nimbus+%26+s%C3%B6hne&order=newest&status=ACTIVATED").await;
    let address = format!("/m2m/lines?order=newest&status=ACTIVATED&site_id={site}");
    assert_eq!((led.status, led.header("location")), (303, address.as_str()), "{}", led.text());
    let page = browser.page(&address).await;
    assert!(page.contains("value=\"Nimbus &#38; Söhne\""), "the name stands in the field: {page}");
    let places = [iccid(1), iccid(2)].map(|line| page.find(&line).expect("both lines"));
    assert!(places[0] > places[1] && ids_of(&page).len() == 2, "newest first: {page}");
    assert!(page.contains("role=\"status\">2 lines<") && page.contains("Choose all lines that match: 2 lines"), "{page}");
    assert_eq!(
        browser.open("/m2m/lines?site=imbu").await.header("location"),
        format!("/m2m/lines?site_id={site}"),
        "a part of it"
    );

    let nobody = browser.page("/m2m/lines?customer=%3Cb%3ENobody").await;
    assert!(nobody.contains("No customer is called") && nobody.contains("value=\"&#60;b&#62;Nobody\""), "{nobody}");
    let begun = browser.page(&format!("/m2m/lines?site_id={site}&iccid={}", &iccid(1)[..6])).await;
    assert!(ids_of(&begun).len() == 2 && !begun.contains("in the order of their ICCIDs"), "in the site's order: {begun}");
    let none = browser.page(&format!("/m2m/lines?site_id={site}&status=DEACTIVATED")).await;
    assert!(none.contains("No line is like that"), "{none}");
    let wrong = browser.page("/m2m/lines?order=sideways&site_id=x").await;
    assert!(wrong.contains("role=\"alert\""), "{wrong}");
    assert!(browser.page("/m2m/lines").await.contains("60 lines"));
}

#[tokio::test]
async fn lines_are_found_by_how_their_iccid_begins() {
    let app = TestApp::with_lines(60).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let whole = iccid(3);
    let with_blank = format!("{} {}*", &whole[..4], &whole[4..10]);
    for typed in [whole[..6].to_owned(), whole[..17].to_owned(), format!("{}*", &whole[..8]), with_blank] {
        let page = ada.page(&format!("/m2m/lines?iccid={}", typed.replace(' ', "+"))).await;
        assert!(page.contains(&iccid(1)) && page.contains("in the order of their ICCIDs"), "{typed}: {page}");
        assert_eq!(page.matches("<th scope=\"row\">").count(), 50, "{typed}");
    }
    let page = ada.page(&format!("/m2m/lines?iccid={}", &whole[..6])).await;
    let next = page.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a next page");
    assert_eq!(ada.page(&next.replace("&#38;", "&")).await.matches("<th scope=\"row\">").count(), 10);
    let one = ada.page(&format!("/m2m/lines?iccid={whole}*")).await;
    assert_eq!(one.matches("<th scope=\"row\">").count(), 1, "{one}");
    assert!(ada.page("/m2m/lines?iccid=000000").await.contains("No line is like that"));
    for wrong in ["89012", "89012*", "890126x", "*"] {
        let page = ada.page(&format!("/m2m/lines?iccid={wrong}")).await;
        assert!(page.contains("role=\"alert\"") && page.contains("the first 6 or more"), "{wrong}: {page}");
    }
    let chosen = ada.send_from("/m2m/lines", "/m2m/selection/matching", &[("iccid", &whole[..6])]).await;
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    assert!(ada.page("/m2m/selection").await.contains("<b data-chosen>60</b>"));

    // Whoever is limited finds what is theirs.
    app.signed_in("one@fleet.example", &["operator"], "customer:4711").await;
    let one = Browser::signed_in(&app, "one@fleet.example").await;
    assert!(one.page(&format!("/m2m/lines?iccid={}", &whole[..6])).await.contains("No line is like that"));
}
