//! Reading: bodies that cannot be read, and bodies that are too large.

use lineshift_domain::limits::Limits;
use lineshift_domain::reading::{codes, read_associate_customer, read_bulk_change};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::terms::PortalType;

fn refused(body: &[u8], limits: &Limits) -> Refusal {
    read_associate_customer(body, PortalType::M2M, limits).expect_err("this cannot be read")
}

fn check_unreadable(body: impl AsRef<[u8]>, code: &str, place: &str) {
    let refusal = refused(body.as_ref(), &Limits::default());
    assert_eq!(refusal.class, RefusalClass::Unreadable);
    assert_eq!((refusal.problems[0].field.as_str(), refusal.problems[0].code.as_str()), ("", code));
    assert!(refusal.problems[0].message.contains(place), "{} lacks {place:?}", refusal.problems[0].message);
    assert_eq!(refusal.problems.len(), 1);
}

#[test]
fn what_is_no_json_object_is_unreadable_and_says_where() {
    check_unreadable("", codes::MALFORMED_JSON, "empty");
    check_unreadable("\u{feff} \n", codes::MALFORMED_JSON, "empty");
    check_unreadable("{\"SiteId\":3,\n \"Devices\":[\"1\"", codes::MALFORMED_JSON, "at line 2, column 15");
    check_unreadable("{\"SiteId\":3}\n}", codes::MALFORMED_JSON, "at line 2, column 1: trailing characters");
    check_unreadable("{'SiteId':3}", codes::MALFORMED_JSON, "at line 1, column 2");
    check_unreadable("{\"SiteId\":03}", codes::MALFORMED_JSON, "at line 1, column 12: invalid number");
    check_unreadable("{\"SiteId\":1e999}", codes::MALFORMED_JSON, "number out of range");
    check_unreadable(b"{\"SiteId\":3,\n\"Name\":\"\xff\"}", codes::NOT_UTF8, "at line 2, column 9");
    check_unreadable("[1]", codes::NOT_AN_OBJECT, "the body is an array, expected a JSON object");
    check_unreadable("null", codes::NOT_AN_OBJECT, "null");
}

#[test]
fn nesting_ends_at_the_limit() {
    let nested = |levels: usize| format!("{{\"Colour\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    check_unreadable(nested(32), codes::TOO_DEEP, "deeper than 32 levels at line 1");
    check_unreadable(nested(1_000_000), codes::TOO_DEEP, "deeper than 32 levels");
    let refusal = refused(nested(31).as_bytes(), &Limits::default());
    assert_eq!(refusal.class, RefusalClass::Rule, "32 levels can be read");
    let endless = Limits { body_depth: usize::MAX, ..Limits::default() };
    assert_eq!(refused(nested(1_000_000).as_bytes(), &endless).problems[0].code, codes::TOO_DEEP);
}

#[test]
fn too_many_bytes_or_values_are_refused() {
    let limits = Limits { body_bytes: 10, ..Limits::default() };
    let refusal = refused(b"{\"SiteId\":3}", &limits);
    assert_eq!((refusal.class, refusal.problems[0].code.as_str()), (RefusalClass::TooLarge, codes::BODY_TOO_LARGE));
    let zeros = format!("{{\"Colour\":[{}0]}}", "0,".repeat(4_100_000));
    check_unreadable(zeros, codes::TOO_MANY_VALUES, "values at line 1");
}

#[test]
fn one_device_too_many_is_refused_by_rule() {
    let limits = Limits { devices_per_change: 2, ..Limits::default() };
    let body = |count: usize| format!(r#"{{"ServiceProviderId":7,"SiteId":3,"Devices":[{}]}}"#, vec!["\"1\""; count].join(","));
    assert!(read_associate_customer(body(2).as_bytes(), PortalType::M2M, &limits).is_ok());
    let refusal = refused(body(3).as_bytes(), &limits);
    assert_eq!(refusal.class, RefusalClass::Rule);
    assert_eq!((refusal.problems[0].field.as_str(), refusal.problems[0].code.as_str()), ("Devices", codes::TOO_MANY_DEVICES));
    assert_eq!(refusal.problems[0].message, "found 3 devices, expected at most 2; order in several bulk changes");

    let lines = [r#"{"ICCID":"1","IMEI":"2","ServiceZipCode":"3"}"#; 3].join(",");
    let activation = format!(
        r#"{{"ServiceProviderId":7,"ChangeType":3,"NewServiceActivation":{{"BillingAccount":"B","RatePlanCode":"R",
             "FirstName":"A","LastName":"Q","Lines":[{lines}]}}}}"#
    );
    let refusal = read_bulk_change(activation.as_bytes(), PortalType::Mobility, &limits).expect_err("one too many");
    assert_eq!(refusal.problems[0].code, codes::TOO_MANY_DEVICES);
}

#[test]
fn a_body_of_nothing_but_mistakes_gets_a_short_answer() {
    let unknown: Vec<String> = (0..1000).map(|nth| format!("\"{}{nth}\":1", "x".repeat(500))).collect();
    let refusal = refused(format!("{{{}}}", unknown.join(",")).as_bytes(), &Limits::default());
    assert_eq!(refusal.problems.len(), 101);
    assert_eq!(refusal.problems[100].code, codes::MORE_PROBLEMS);
    assert!(refusal.problems[100].message.starts_with("903 more problems"), "{}", refusal.problems[100].message);
    assert!(refusal.problems.iter().all(|problem| problem.message.len() < 1000));
}
