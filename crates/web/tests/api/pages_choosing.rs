//! What cannot be chosen, as whoever tries is told.

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Effect;
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use rust_xlsxwriter::{Workbook, Worksheet};
use serde_json::json;

use crate::browser::Browser;
use crate::pages_lines::{ada, count_of, ids_of, paste, upload};

/// An app with 120 lines where an order takes 60.
async fn small() -> TestApp {
    TestApp::with(120, Limits { devices_per_change: 60, ..Limits::default() }, Options::default()).await
}

#[tokio::test]
async fn what_is_left_out_as_the_selection_is_full_is_said() {
    let app = small().await;
    let mut browser = ada(&app).await;
    let lists = browser.page("/m2m/lines?order=newest").await;
    let back = [("back", "/m2m/lines")];
    let cut = browser.send_from("/m2m/lines", "/m2m/selection/matching", &back).await;
    let page = cut.text();
    assert_eq!((cut.status, count_of(&page)), (200, "60"), "{page}");
    assert!(page.contains("<h1>60 lines added</h1>") && page.contains("role=\"alert\""), "{page}");
    let says = "The selection is full: it holds 60 lines, as many as one order takes, and not all lines that match were chosen.";
    assert!(page.contains(says) && page.contains("Order for those that are chosen, or take some out first"), "{page}");
    assert!(page.contains("href=\"/m2m/order\"") && page.contains("href=\"/m2m/lines\">Back"), "{page}");
    let again = browser.send_from("/m2m/lines", "/m2m/selection/matching", &back).await.text();
    assert!(again.contains("<h1>0 lines added</h1>") && again.contains(says), "{again}");

    let newest = ids_of(&lists);
    let ticks = [("line", newest[0].as_str()), ("line", newest[1].as_str()), ("back", "/m2m/lines")];
    let ticked = browser.send_from("/m2m/lines", "/m2m/selection/add", &ticks).await;
    assert!(ticked.status == 200 && ticked.text().contains("2 of the ticked lines were left out"), "{}", ticked.text());
    assert_eq!(count_of(&browser.page("/m2m/selection").await), "60");

    let oldest = ids_of(&browser.page("/m2m/lines").await);
    browser.send_from("/m2m/lines", "/m2m/selection/remove", &[("line", &oldest[0])]).await;
    let exact = browser.send_from("/m2m/lines", "/m2m/selection/add", &[("line", &newest[0])]).await;
    assert_eq!(exact.status, 303, "what fits is not talked about: {}", exact.text());
}

#[tokio::test]
async fn all_lines_that_match_may_just_fit() {
    let app = TestApp::with(60, Limits { devices_per_change: 60, ..Limits::default() }, Options::default()).await;
    let mut browser = ada(&app).await;
    for _ in 0..2 {
        let all = browser.send_from("/m2m/lines", "/m2m/selection/matching", &[("back", "/m2m/lines")]).await;
        assert_eq!((all.status, all.header("location")), (303, "/m2m/lines"), "{}", all.text());
    }
    assert_eq!(count_of(&browser.page("/m2m/lines").await), "60");
}

#[tokio::test]
async fn a_script_is_told_which_of_its_ticks_are_chosen() {
    let app = small().await;
    let mut browser = ada(&app).await;
    let newest = ids_of(&browser.page("/m2m/lines?order=newest").await);
    let some = [("quiet", "1"), ("line", newest[0].as_str()), ("line", newest[0].as_str()), ("line", "999999")];
    let told = browser.send_from("/m2m/lines", "/m2m/selection/add", &some).await.json();
    assert_eq!((&told["lines"], &told["count"], &told["chosen"]), (&json!(1), &json!("1"), &json!([newest[0]])));
    let gone = "1 of the ticked lines cannot be chosen: they are not there any more, or not for you to see.";
    assert_eq!(told["refused"], gone);

    browser.send_from("/m2m/lines", "/m2m/selection/matching", &[]).await;
    let again = [("quiet", "1"), ("line", newest[0].as_str()), ("line", newest[1].as_str())];
    let told = browser.send_from("/m2m/lines", "/m2m/selection/add", &again).await.json();
    assert_eq!((&told["lines"], &told["chosen"]), (&json!(60), &json!([newest[0]])));
    let why = told["refused"].as_str().expect("a reason");
    assert!(why.starts_with("The selection is full: it holds 60 lines") && why.contains("1 of the ticked lines"), "{why}");
    let out = browser.send_from("/m2m/lines", "/m2m/selection/remove", &again).await.json();
    assert_eq!(out, json!({"lines": 59, "count": "59", "chosen": []}));
}

#[tokio::test]
async fn what_was_chosen_a_week_ago_is_on_no_page_any_more() {
    let app = TestApp::with_lines(10).await;
    let mut browser = ada(&app).await;
    paste(&mut browser, &format!("{} {}", iccid(1), iccid(2))).await;
    let clock = &app.operator.clock;
    clock.advance(TimeDelta::days(7) - TimeDelta::minutes(30));
    let mut browser = Browser::signed_in(&app, "ada@fleet.example").await;
    assert_eq!(count_of(&browser.page("/m2m/lines").await), "2", "it is kept from one sign-in to the next");
    clock.advance(TimeDelta::minutes(31));
    let lines = browser.page("/m2m/lines").await;
    assert_eq!((count_of(&lines), lines.matches(" checked>").count()), ("0", 0), "{lines}");
    let selection = browser.page("/m2m/selection").await;
    assert!(count_of(&selection) == "0" && ids_of(&selection).is_empty(), "{selection}");
    assert!(browser.page("/m2m/order").await.contains("No lines are chosen"));
    let ids = ids_of(&lines);
    browser.send_from("/m2m/lines", "/m2m/selection/remove", &[("line", &ids[0])]).await;
    assert_eq!(count_of(&browser.page("/m2m/lines").await), "0", "nobody revives it by taking out of it");
    browser.send_from("/m2m/lines", "/m2m/selection/add", &[("line", &ids[4])]).await;
    let selection = browser.page("/m2m/selection").await;
    assert_eq!((count_of(&selection), ids_of(&selection)), ("1", vec![ids[4].clone()]));
}

/// Somebody of one site has chosen lines of it, and half of them move to another customer.
async fn half_moves_away(lines: u64) -> (TestApp, Browser) {
    let app = TestApp::with_lines(lines).await;
    let operator = &app.operator;
    operator.run(operator.order((1..=lines).map(iccid), operator.amop_assignment())).await;
    app.signed_in("lim@fleet.example", &["operator"], &format!("site:{}", operator.amop_site)).await;
    let mut limited = Browser::signed_in(&app, "lim@fleet.example").await;
    let chosen = limited.send_from("/m2m/lines", "/m2m/selection/matching", &[("back", "/m2m/selection")]).await;
    assert_eq!(chosen.status, 303, "{}", chosen.text());
    assert_eq!(count_of(&limited.page("/m2m/selection").await), thousands(lines));
    let away = Effect::CustomerAssignment(operator.rev_assignment());
    operator.run(operator.order((1..=lines / 2).map(iccid), away)).await;
    (app, limited)
}

fn thousands(count: u64) -> String {
    if count < 1_000 { count.to_string() } else { format!("{},{:03}", count / 1_000, count % 1_000) }
}

#[tokio::test]
async fn a_line_that_moved_beyond_reach_is_on_no_page_any_more() {
    let (app, limited) = half_moves_away(4).await;
    let selection = limited.page("/m2m/selection").await;
    assert_eq!((count_of(&selection), ids_of(&selection).len()), ("2", 2), "{selection}");
    assert!(!selection.contains(&iccid(1)) && selection.contains(&iccid(3)), "{selection}");
    assert!(limited.page("/m2m/order").await.contains("2 chosen"));
    app.operator.clock.advance(TimeDelta::seconds(1));
    assert_eq!(count_of(&limited.page("/m2m/lines").await), "2");
}

#[tokio::test]
async fn a_large_selection_is_counted_anew_when_it_changes_and_after_a_minute() {
    let (app, mut limited) = half_moves_away(1_010).await;
    let selection = limited.page("/m2m/selection").await;
    assert_eq!(count_of(&selection), "1,010", "as it was counted a moment ago");
    assert!(!selection.contains(&iccid(1)), "but what is beyond reach is not shown: {selection}");
    assert!(limited.page("/m2m/order").await.contains("1,010 chosen"), "ordering begins with the same number");
    let plan = app.operator.plan.to_string();
    let preview = limited.send_from("/m2m/order", "/m2m/order/customer-rate-plan", &[("CustomerRatePlanId", &plan)]).await;
    assert!(preview.text().contains("Lines 1 to 100 of 505"), "but nothing is ordered for those: {}", preview.text());
    app.operator.clock.advance(TimeDelta::seconds(61));
    let selection = limited.page("/m2m/selection").await;
    assert_eq!(count_of(&selection), "505");
    limited.send_from("/m2m/selection", "/m2m/selection/remove", &[("line", &ids_of(&selection)[0])]).await;
    assert_eq!(count_of(&limited.page("/m2m/lines").await), "504", "what one does oneself counts at once");
}

#[tokio::test]
async fn a_workbook_as_programs_write_it_is_read() {
    let app = TestApp::with_lines(9).await;
    let browser = ada(&app).await;
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("M & M").expect("a name");
    for (column, header) in ["When", "Phone", "SIM <b>"].into_iter().enumerate() {
        sheet.write_string(0, u16::try_from(column).expect("few"), header).expect("written");
    }
    for line in 1..=8_u32 {
        sheet.write_number(line, 0, 46_000.123_456_789 + f64::from(line)).expect("written");
        sheet.write_number(line, 1, 6_175_550_100.0 + f64::from(line)).expect("written");
        sheet.write_string(line, 2, iccid(line.into())).expect("written");
    }
    workbook.add_worksheet().write_string(0, 0, "nothing here").expect("written");
    let page = upload(&browser, "lines.xlsx", &workbook.save_to_buffer().expect("packed")).await.text();
    assert!(page.contains("Column C of sheet M &#38; M: SIM &#60;b&#62;") && page.contains("8 ICCIDs"), "{page}");
    assert!(page.contains("Column B of sheet M &#38; M: Phone") && page.contains("8 numbers"), "{page}");
    assert!(!page.contains("When"), "dates name no lines: {page}");
}

#[tokio::test]
async fn a_workbook_with_too_many_sheets_is_refused_in_words() {
    let app = TestApp::with_lines(1).await;
    let browser = ada(&app).await;
    let mut workbook = Workbook::new();
    for _ in 0..51 {
        let mut sheet = Worksheet::new();
        sheet.write_string(0, 0, iccid(1)).expect("written");
        workbook.push_worksheet(sheet);
    }
    let page = upload(&browser, "many.xlsx", &workbook.save_to_buffer().expect("packed")).await.text();
    let says =
        "many.xlsx: The workbook has more than 50 sheets: leave those out that name no lines, or save the one sheet as CSV.";
    assert!(page.contains("role=\"alert\"") && page.contains(says), "{page}");
}

#[tokio::test]
async fn likely_columns_that_are_not_offered_are_named() {
    let app = TestApp::with_lines(1).await;
    let browser = ada(&app).await;
    let table = |columns: usize| {
        let heads: Vec<String> =
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][..columns].iter().map(|nth| format!("SIM {nth}")).collect();
        format!("{}\n{}\n", heads.join(";"), vec![iccid(1); columns].join(";"))
    };
    let eight = upload(&browser, "lines.csv", table(8).as_bytes()).await.text();
    assert!(eight.contains("Column H: SIM h") && !eight.contains("likeliest columns are offered"), "{eight}");
    let ten = upload(&browser, "lines.csv", table(10).as_bytes()).await.text();
    assert!(ten.contains("Only the 8 likeliest columns are offered"), "{ten}");
    assert!(ten.contains("left out: Column I: SIM i; Column J: SIM j."), "{ten}");
}
