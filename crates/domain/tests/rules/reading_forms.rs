//! Reading: each way in which a body can be wrong, one table row each (B4.2 to B4.4, B9.3).

use lineshift_domain::limits::Limits;
use lineshift_domain::reading::{read_associate_customer, read_bulk_change};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::terms::PortalType::{self, Lnp, M2M, Mobility};

/// The field and code of each problem, in order.
fn problems(refusal: &Refusal) -> Vec<(&str, &str)> {
    assert_eq!(refusal.class, RefusalClass::Rule);
    refusal.problems.iter().map(|problem| (problem.field.as_str(), problem.code.as_str())).collect()
}

/// What is wrong with an assignment to a site, with these fields added.
fn check_associate(fields: &str, expected: &[(&str, &str)]) {
    let body = format!(r#"{{"ServiceProviderId":7,"Devices":["89012602101234567890"],{fields}}}"#);
    let refusal = read_associate_customer(body.as_bytes(), M2M, &Limits::default()).expect_err(&body);
    assert_eq!(problems(&refusal), expected, "{body}");
}

/// What is wrong with a bulk change.
fn check_bulk(portal: PortalType, fields: &str, expected: &[(&str, &str)]) {
    let body = format!(r#"{{"ServiceProviderId":7,{fields}}}"#);
    let refusal = read_bulk_change(body.as_bytes(), portal, &Limits::default()).expect_err(&body);
    assert_eq!(problems(&refusal), expected, "{body}");
}

#[test]
fn customers_and_sites_have_their_form() {
    check_associate(r#""Name":"x""#, &[("SiteId", "missing_field")]);
    check_associate(r#""RevCustomerId":4711"#, &[("RevCustomerId", "wrong_type")]);
    for text in ["47a", " ", "4711 ", "+5", "-5", "0", "0000", "1234567890123456789", "٤٢"] {
        check_associate(&format!(r#""RevCustomerId":"{text}""#), &[("RevCustomerId", "wrong_form")]);
    }
    check_associate(r#""SiteId":0"#, &[("SiteId", "out_of_range")]);
    check_associate(r#""SiteId":-3"#, &[("SiteId", "out_of_range")]);
    check_associate(r#""SiteId":9223372036854775808"#, &[("SiteId", "out_of_range")]);
    check_associate(r#""SiteId":1.5"#, &[("SiteId", "wrong_form")]);
    check_associate(r#""SiteId":1e2"#, &[("SiteId", "wrong_form")]);
    check_associate(r#""SiteId":"3""#, &[("SiteId", "wrong_type")]);
    check_associate(r#""SiteId":3,"IntegrationAuthenticationId":9"#, &[("IntegrationAuthenticationId", "conflicting_fields")]);
}

#[test]
fn an_option_needs_its_fields_and_fields_their_option() {
    let customer = r#""RevCustomerId":"5","#;
    for option in ["AddCarrierRatePlan", "AddCustomerRatePlan"] {
        check_associate(&format!(r#"{customer}"{option}":true"#), &[(option, "option_without_field")]);
        check_associate(&format!(r#"{customer}"{option}":"yes""#), &[(option, "wrong_type")]);
    }
    for (field, value) in [
        ("ServiceTypeId", "1"),
        ("ProviderId", "1"),
        ("RevPackageId", "1"),
        ("RevProducts", r#"[{"ProductId":1,"Rate":1}]"#),
        ("UsagePlanGroupId", "1"),
        ("Prorate", "true"),
        ("Description", r#""x""#),
        ("OnRevServiceFailure", r#""skip""#),
        ("CarrierRatePlan", r#""x""#),
        ("CommPlan", r#""x""#),
        ("CustomerRatePlan", "1"),
        ("CustomerRatePool", "0"),
        ("CustomerDataAllocationMB", "1"),
        ("ReplaceScheduled", "true"),
    ] {
        check_associate(&format!(r#"{customer}"{field}":{value}"#), &[(field, "field_without_option")]);
    }
    check_associate(
        r#""SiteId":3,"CreateRevService":true,"ServiceTypeId":1,"ProviderId":1,"RevPackageId":1"#,
        &[("CreateRevService", "conflicting_fields")],
    );
}

#[test]
fn a_rev_service_has_one_package_or_its_products() {
    let check = |fields: &str, expected: &[(&str, &str)]| {
        check_associate(&format!(r#""RevCustomerId":"5","CreateRevService":true,{fields}"#), expected);
    };
    check(
        r#""Prorate":true"#,
        &[
            ("ServiceTypeId", "option_without_field"),
            ("ProviderId", "option_without_field"),
            ("RevProducts", "option_without_field"),
        ],
    );
    let check =
        |fields: &str, expected: &[(&str, &str)]| check(&format!(r#""ServiceTypeId":1,"ProviderId":2,{fields}"#), expected);
    check(r#""RevProducts":[]"#, &[("RevProducts", "option_without_field")]);
    check(r#""RevPackageId":1,"RevProducts":[{"ProductId":1,"Rate":1}]"#, &[("RevProducts", "conflicting_fields")]);
    check(r#""RevProducts":{"ProductId":1}"#, &[("RevProducts", "wrong_type")]);
    check(r#""RevProducts":["1"]"#, &[("RevProducts", "wrong_type")]);
    let products = |list: &str, expected: &[(&str, &str)]| check(&format!(r#""RevProducts":[{list}]"#), expected);
    products(r#"{"ProductId":1,"Rate":1},7"#, &[("RevProducts[1]", "wrong_type")]);
    products(r#"{"ProductId":1,"Rate":1},{"ProductId":1,"Rate":2}"#, &[("RevProducts[1].ProductId", "conflicting_fields")]);
    products(r#"{}"#, &[("RevProducts[0].ProductId", "missing_field"), ("RevProducts[0].Rate", "missing_field")]);
    products(r#"{"ProductId":1,"Rate":0}"#, &[("RevProducts[0].Rate", "out_of_range")]);
    products(r#"{"ProductId":1,"Rate":-1.5}"#, &[("RevProducts[0].Rate", "out_of_range")]);
    products(r#"{"ProductId":1,"Rate":"1.5"}"#, &[("RevProducts[0].Rate", "wrong_type")]);
    products(r#"{"ProductId":1,"Rate":1,"Quantity":0}"#, &[("RevProducts[0].Quantity", "out_of_range")]);
    products(r#"{"ProductId":1,"Rate":0.1000000000000000055}"#, &[("RevProducts[0].Rate", "out_of_range")]);
    products(r#"{"ProductId":1,"Rate":1,"Amount":1}"#, &[("RevProducts[0].Amount", "unknown_field")]);
}

#[test]
fn texts_words_and_dates_have_their_form() {
    let site = r#""SiteId":3,"#;
    check_associate(&format!(r#"{site}"Name":"{}""#, "é".repeat(256)), &[("Name", "out_of_range")]);
    check_associate(&format!(r#"{site}"Reason":"{}""#, "x".repeat(1001)), &[("Reason", "out_of_range")]);
    check_associate(&format!(r#"{site}"Name":"a\u0000b""#), &[("Name", "wrong_form")]);
    check_associate(&format!(r#"{site}"Name":["x"]"#), &[("Name", "wrong_type")]);
    check_associate(&format!(r#"{site}"OnPartialFailure":"undo""#), &[("OnPartialFailure", "wrong_form")]);
    check_associate(&format!(r#"{site}"ProcessChanges":"true""#), &[("ProcessChanges", "wrong_type")]);
    check_associate(&format!(r#"{site}"EffectiveDate":"12/01/2026""#), &[("EffectiveDate", "wrong_form")]);
    check_associate(&format!(r#"{site}"EffectiveDate":20261201"#), &[("EffectiveDate", "wrong_type")]);
    let body = format!(
        r#"{{"ServiceProviderId":7,"Devices":["1"],{site}"Name":"{}","Reason":"{}"}}"#,
        "é".repeat(255),
        "x".repeat(1000)
    );
    assert!(read_associate_customer(body.as_bytes(), M2M, &Limits::default()).is_ok());
}

#[test]
fn plan_pool_and_allocation_have_their_form() {
    let check = |field: &str, value: &str, code: &str| {
        let body = format!(r#""Devices":["1"],"ChangeType":4,"CustomerRatePlanUpdate":{{"{field}":{value}}}"#);
        check_bulk(M2M, &body, &[(&format!("CustomerRatePlanUpdate.{field}"), code)]);
    };
    for field in ["CustomerRatePlanId", "CustomerPoolId"] {
        check(field, "-1", "out_of_range");
        check(field, "1.0", "wrong_form");
        check(field, r#""Gold""#, "wrong_form");
        check(field, r#""""#, "wrong_form");
        check(field, "true", "wrong_type");
    }
    check("CustomerDataAllocationMB", "-0.5", "out_of_range");
    check("CustomerDataAllocationMB", "1e30", "out_of_range");
    check("CustomerDataAllocationMB", r#""5""#, "wrong_type");
}

#[test]
fn lines_are_named_as_the_portal_knows_them() {
    let plan = r#""ChangeType":4,"CustomerRatePlanUpdate":{"CustomerRatePlanId":1}"#;
    check_bulk(M2M, &format!(r#"{plan},"Numbers":["5550001111"]"#), &[("Numbers", "wrong_portal")]);
    check_bulk(Lnp, &format!(r#"{plan},"Devices":["1"]"#), &[("Devices", "wrong_portal")]);
    check_bulk(Mobility, &format!(r#"{plan},"Devices":["1"],"Numbers":["1"]"#), &[("Numbers", "conflicting_fields")]);
    check_bulk(M2M, plan, &[("Devices", "missing_field")]);
    check_bulk(Lnp, plan, &[("Numbers", "missing_field")]);
    check_bulk(Mobility, &format!(r#"{plan},"Devices":[]"#), &[("Devices", "missing_field")]);
    check_bulk(M2M, &format!(r#"{plan},"Devices":"1""#), &[("Devices", "wrong_type")]);
    check_bulk(M2M, &format!(r#"{plan},"Devices":[8901]"#), &[("Devices[0]", "wrong_type")]);
    check_bulk(M2M, &format!(r#"{plan},"Devices":["1","2",null]"#), &[("Devices[2]", "wrong_type")]);
}

#[test]
fn an_order_of_one_device_names_it_once() {
    let check = |portal, listed: &str, inside: &str, expected: &[(&str, &str)]| {
        let request = format!(r#"{listed}"ChangeType":1,"AssociateCustomerRequest":{{"SiteId":3,{inside}}}"#);
        check_bulk(portal, &request, expected);
    };
    let path = |name: &str| format!("AssociateCustomerRequest.{name}");
    check(Mobility, "", r#""ICCID":"1","Number":"2""#, &[(&path("Number"), "conflicting_fields"), ("Devices", "missing_field")]);
    check(M2M, r#""Devices":["1"],"#, r#""ICCID":"1""#, &[(&path("ICCID"), "conflicting_fields")]);
    check(M2M, "", r#""Number":"5550001111""#, &[(&path("Number"), "wrong_portal")]);
    check(M2M, "", r#""ICCID":"1","JasperDeviceID":"2""#, &[(&path("JasperDeviceID"), "conflicting_fields")]);
    check(M2M, r#""Devices":["1"],"#, r#""JasperDeviceID":"1""#, &[(&path("JasperDeviceID"), "conflicting_fields")]);
    check(M2M, r#""Devices":["1"],"#, r#""Devices":["1"]"#, &[(&path("Devices"), "unknown_field")]);
    check(M2M, r#""Name":"a","Devices":["1"],"#, r#""Name":"b""#, &[(&path("Name"), "conflicting_fields")]);
}

#[test]
fn the_type_and_its_field_go_together() {
    let lines = r#""Devices":["1"]"#;
    let plan = r#""CustomerRatePlanUpdate":{"CustomerRatePlanId":1}"#;
    check_bulk(M2M, &format!("{lines},{plan}"), &[("ChangeType", "missing_field")]);
    check_bulk(M2M, &format!(r#"{lines},{plan},"ChangeType":5"#), &[("ChangeType", "unknown_change_type")]);
    check_bulk(M2M, &format!(r#"{lines},{plan},"ChangeType":4.0"#), &[("ChangeType", "unknown_change_type")]);
    check_bulk(M2M, &format!(r#"{lines},{plan},"ChangeType":"4""#), &[("ChangeType", "wrong_type")]);
    for (number, field) in
        [(1, "AssociateCustomerRequest"), (2, "StatusUpdate"), (4, "CustomerRatePlanUpdate"), (7, "CarrierRatePlanUpdate")]
    {
        check_bulk(M2M, &format!(r#"{lines},"ChangeType":{number}"#), &[(field, "missing_field")]);
        check_bulk(M2M, &format!(r#"{lines},"ChangeType":{number},"{field}":[]"#), &[(field, "wrong_type")]);
    }
    let both = format!(r#"{lines},{plan},"ChangeType":4,"StatusUpdate":{{"TargetStatus":"A"}}"#);
    check_bulk(M2M, &both, &[("StatusUpdate", "conflicting_fields")]);
    check_bulk(M2M, r#""ChangeType":3"#, &[("NewServiceActivation", "missing_field")]);
}

#[test]
fn an_order_asks_for_something() {
    let check = |number: i64, change: &str, field: &str, code: &str| {
        check_bulk(M2M, &format!(r#""Devices":["1"],"ChangeType":{number},{change}"#), &[(field, code)]);
    };
    check(4, r#""CustomerRatePlanUpdate":{"EffectiveDate":"2026-12-01"}"#, "CustomerRatePlanUpdate", "nothing_would_change");
    check(7, r#""CarrierRatePlanUpdate":{"CommPlan":""}"#, "CarrierRatePlanUpdate", "nothing_would_change");
    check(2, r#""StatusUpdate":{"ReasonCode":"x"}"#, "StatusUpdate.TargetStatus", "missing_field");
    check(2, r#""StatusUpdate":{"TargetStatus":" "}"#, "StatusUpdate.TargetStatus", "missing_field");
}

#[test]
fn an_activation_has_its_form() {
    let activation = |lines: &str, more: &str| {
        format!(
            r#""ChangeType":3,"NewServiceActivation":{{"BillingAccount":"B","RatePlanCode":"R","FirstName":"A","LastName":"Q",
               "Lines":{lines}{more}}}"#
        )
    };
    let line = r#"[{"ICCID":"1","IMEI":"2","ServiceZipCode":"3"}]"#;
    let path = |name: &str| format!("NewServiceActivation.{name}");
    check_bulk(Mobility, &activation("[]", ""), &[(&path("Lines"), "missing_field")]);
    check_bulk(Lnp, &activation(line, ""), &[(&path("Lines"), "wrong_portal")]);
    check_bulk(
        Mobility,
        &activation(r#"[{"ICCID":"1"}]"#, ""),
        &[(&path("Lines[0].IMEI"), "missing_field"), (&path("Lines[0].ServiceZipCode"), "missing_field")],
    );
    check_bulk(Mobility, &activation(line, r#","OfferingCodes":["a",""]"#), &[(&path("OfferingCodes[1]"), "wrong_form")]);
    check_bulk(Mobility, &activation(line, r#","OfferingCodes":[1]"#), &[(&path("OfferingCodes"), "wrong_type")]);
    check_bulk(
        Mobility,
        &activation(line, r#","AssociateCustomerRequest":{}"#),
        &[(&path("AssociateCustomerRequest.SiteId"), "missing_field")],
    );
    check_bulk(
        Mobility,
        &activation(line, r#","AssociateCustomerRequest":{"SiteId":1,"ICCID":"1"}"#),
        &[(&path("AssociateCustomerRequest.ICCID"), "unknown_field")],
    );
    let listed = format!(r#""Devices":["1"],{}"#, activation(line, ""));
    check_bulk(Mobility, &listed, &[("Devices", "conflicting_fields")]);
}

#[test]
fn all_problems_are_told_at_once_with_what_to_do() {
    let body =
        r#"{"ServiceProvider":7,"Devices":[],"RevCustomerId":"x","SiteId":"3","CreateRevService":true,"EffectiveDate":"soon"}"#;
    let refusal = read_associate_customer(body.as_bytes(), M2M, &Limits::default()).expect_err("much is wrong");
    assert_eq!(
        problems(&refusal),
        [
            ("ServiceProvider", "unknown_field"),
            ("ServiceProviderId", "missing_field"),
            ("Devices", "missing_field"),
            ("RevCustomerId", "wrong_form"),
            ("ServiceTypeId", "option_without_field"),
            ("ProviderId", "option_without_field"),
            ("RevProducts", "option_without_field"),
            ("EffectiveDate", "wrong_form"),
            ("SiteId", "wrong_type"),
        ],
    );
    let message = |nth: usize| refusal.problems[nth].message.as_str();
    assert_eq!(message(0), r#"there is no field "ServiceProvider" here; did you mean ServiceProviderId?"#);
    assert!(message(3).starts_with(r#"found "x", expected a text of up to 18 digits"#), "{}", message(3));
}
