//! Reading: what holds for every body.

use lineshift_domain::limits::Limits;
use lineshift_domain::order::Order;
use lineshift_domain::reading::{codes, read_associate_customer, read_bulk_change, read_effective_date};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::terms::PortalType;
use proptest::prelude::*;

use crate::body::{Style, associate_customer, bulk_change, object};
use crate::orders::{assignment_orders, orders, styles};

const PLAIN: Style = Style { case: 0, nulls: false, offset_minutes: 0, blanks: false };

fn read_bulk(body: &[u8], portal: PortalType) -> Result<Order, Refusal> {
    read_bulk_change(body, portal, &Limits::default())
}

/// Every refusal says what is wrong, with codes of the list.
fn assert_explained(refusal: &Refusal) {
    assert!(!refusal.problems.is_empty());
    for problem in &refusal.problems {
        assert!(codes::ALL.contains(&problem.code.as_str()), "{problem:?}");
        assert!(!problem.message.is_empty(), "{problem:?}");
        let about_the_body = refusal.class != RefusalClass::Rule || problem.code == codes::MORE_PROBLEMS;
        assert_eq!(problem.field.is_empty(), about_the_body, "{problem:?}");
    }
}

fn read_all_ways(body: &[u8]) {
    for portal in PortalType::ALL {
        for read in [read_associate_customer, read_bulk_change] {
            if let Err(refusal) = read(body, *portal, &Limits::default()) {
                assert_explained(&refusal);
            }
        }
    }
}

/// Pieces of JSON and of orders, which put together at random come closer to a body than random bytes.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "1.5",
        "1e400",
        "1e-400",
        "18446744073709551616",
        "\"\"",
        "\"",
        "\\",
        "\\ud800",
        "\"89012602101234567890\"",
        "\"2026-12-01\"",
        "\"Devices\":",
        "\"Numbers\":",
        "\"SiteId\":",
        "\"ChangeType\":",
        "\"CustomerRatePlanUpdate\":{",
        "\"AssociateCustomerRequest\":{",
        "\"RevProducts\":[{",
        "\"Lines\":[{",
        "\"NewServiceActivation\":{",
        "\"RevCustomerId\":",
        "\"CreateRevService\":true,",
        "é",
        " ",
        "\n",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(crate::cases(256))]

    #[test]
    fn an_order_is_read_as_it_was_written(order in orders(), style in styles()) {
        let text = object(&bulk_change(&order, style), style);
        prop_assert_eq!(read_bulk(text.as_bytes(), order.portal), Ok(order));
    }

    #[test]
    fn an_assignment_is_read_as_it_was_written(order in assignment_orders(), style in styles()) {
        let text = object(&associate_customer(&order, style), style);
        let read = read_associate_customer(text.as_bytes(), order.portal, &Limits::default());
        prop_assert_eq!(read, Ok(order));
    }

    #[test]
    fn a_body_that_ends_early_or_goes_on_is_unreadable(order in orders(), at in any::<prop::sample::Index>()) {
        let text = object(&bulk_change(&order, PLAIN), PLAIN);
        let cut = &text.as_bytes()[..at.index(text.len())];
        for body in [cut, format!("{text},").as_bytes(), format!("{text}{{}}").as_bytes()] {
            let refusal = read_bulk(body, order.portal).expect_err("this is no JSON");
            prop_assert_eq!(refusal.class, RefusalClass::Unreadable);
            assert_explained(&refusal);
        }
    }

    #[test]
    fn an_unknown_field_is_named(order in orders(), at in any::<prop::sample::Index>()) {
        let mut entries = bulk_change(&order, PLAIN);
        entries.insert(at.index(entries.len() + 1), ("Colour", "1".to_owned()));
        let refusal = read_bulk(object(&entries, PLAIN).as_bytes(), order.portal).expect_err("there is no such field");
        prop_assert_eq!(refusal.class, RefusalClass::Rule);
        prop_assert_eq!(refusal.problems.len(), 1);
        prop_assert_eq!(refusal.problems[0].field.as_str(), "Colour");
        prop_assert_eq!(refusal.problems[0].code.as_str(), codes::UNKNOWN_FIELD);
    }

    #[test]
    fn a_repeated_field_is_named(order in orders(), at in any::<prop::sample::Index>()) {
        let mut entries = bulk_change(&order, PLAIN);
        let (name, value) = entries[at.index(entries.len())].clone();
        let again = if name == "Name" { "NAME" } else { name };
        entries.push((again, value));
        let refusal = read_bulk(object(&entries, PLAIN).as_bytes(), order.portal).expect_err("it stands there twice");
        prop_assert_eq!(refusal.problems.len(), 1);
        prop_assert_eq!(refusal.problems[0].field.as_str(), name);
        prop_assert_eq!(refusal.problems[0].code.as_str(), codes::REPEATED_FIELD);
    }

    #[test]
    fn a_value_of_a_wrong_type_is_named(order in assignment_orders(), at in any::<prop::sample::Index>()) {
        let mut entries = associate_customer(&order, PLAIN);
        let at = at.index(entries.len());
        entries[at].1 = "{}".to_owned();
        let read = read_associate_customer(object(&entries, PLAIN).as_bytes(), order.portal, &Limits::default());
        let refusal = read.expect_err("no field of an assignment is an object");
        assert_explained(&refusal);
        let wrong = |problem: &lineshift_domain::refusal::Problem| problem.field == entries[at].0 && problem.code == codes::WRONG_TYPE;
        prop_assert!(refusal.problems.iter().any(wrong), "{:?} in {:?}", entries[at], refusal);
    }

    #[test]
    fn a_missing_field_never_goes_unseen(order in orders(), at in any::<prop::sample::Index>()) {
        let mut entries = bulk_change(&order, PLAIN);
        let at = at.index(entries.len());
        let (name, _) = entries.remove(at);
        let read = read_bulk(object(&entries, PLAIN).as_bytes(), order.portal);
        if ["ProcessChanges", "Name", "Reason"].contains(&name) {
            prop_assert!(read.is_ok());
        } else {
            let refusal = read.expect_err("this field is needed");
            prop_assert_eq!(refusal.problems.len(), 1);
            // Where either may be given, Devices stands for both.
            let name = if name == "Numbers" && order.portal == PortalType::Mobility { "Devices" } else { name };
            prop_assert_eq!(refusal.problems[0].field.as_str(), name);
            prop_assert_eq!(refusal.problems[0].code.as_str(), codes::MISSING_FIELD);
        }
    }

    #[test]
    fn one_other_byte_is_read_or_explained(order in orders(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = object(&bulk_change(&order, PLAIN), PLAIN).into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        if let Err(refusal) = read_bulk(&body, order.portal) {
            assert_explained(&refusal);
        }
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all_ways(&body);
    }

    #[test]
    fn no_pieces_of_orders_panic(body in pieces()) {
        read_all_ways(body.as_bytes());
    }

    #[test]
    fn no_text_panics_as_a_date(text in "[0-9]{0,4}-?[0-9]{0,2}-?[0-9]{0,2}T?[0-9:.Z+é-]{0,20}") {
        let read = read_effective_date(&text);
        prop_assert!(read.is_none() || text.len() >= 10, "{:?}", text);
    }
}
