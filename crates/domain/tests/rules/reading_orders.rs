//! Reading: bodies as the rules describe them.

use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId,
};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{
    AssignmentOrder, CarrierRatePlanOrder, CustomerRatePlanOrder, Effect, Order, PlanValues, RevCharge, RevProductOrder,
    RevServiceOrder, Setting, StatusOrder,
};
use lineshift_domain::reading::{read_associate_customer, read_bulk_change, read_effective_date};
use lineshift_domain::steps::steps_asked;
use lineshift_domain::terms::{LineIdentifier, OnPartialFailure, OnRevServiceFailure, PortalType, Step};
use rust_decimal::Decimal;

fn read_bulk(body: &str, portal: PortalType) -> Order {
    read_bulk_change(body.as_bytes(), portal, &Limits::default()).expect("an order of the right form")
}

fn read_associate(body: &str, portal: PortalType) -> Order {
    read_associate_customer(body.as_bytes(), portal, &Limits::default()).expect("an order of the right form")
}

#[test]
fn every_field_of_an_assignment_is_read() {
    let order = read_associate(
        r#"{
            "ServiceProviderId": 7, "Devices": ["89012602101234567890", "89012602101234567891"],
            "RevCustomerId": "4711", "SiteId": 3, "IntegrationAuthenticationId": 9,
            "CreateRevService": true, "ServiceTypeId": 11, "ProviderId": 12,
            "RevProducts": [{"ProductId": 21, "Rate": 9.95}, {"ProductId": 22, "Rate": 0.10, "Quantity": 2.5}],
            "UsagePlanGroupId": 31, "Prorate": true, "Description": "Meters",
            "AddCarrierRatePlan": true, "CarrierRatePlan": "10MB Pool", "CommPlan": "LTE",
            "AddCustomerRatePlan": true, "CustomerRatePlan": "41", "CustomerRatePool": 42, "CustomerDataAllocationMB": 512.5,
            "EffectiveDate": "2026-12-01", "ReplaceScheduled": true, "ProcessChanges": false,
            "Name": "December", "Reason": "Ticket 5", "OnRevServiceFailure": "continue", "OnPartialFailure": "Compensate"
        }"#,
        PortalType::M2M,
    );
    let effective_date = read_effective_date("2026-12-01");
    let product = |product_id, rate, quantity| RevProductOrder { product_id, rate, quantity };
    let assignment = AssignmentOrder {
        rev_customer_id: Some(RevCustomerId(4711)),
        site_id: Some(SiteId(3)),
        integration_authentication_id: Some(IntegrationAuthenticationId(9)),
        rev_service: Some(RevServiceOrder {
            service_type_id: 11,
            provider_id: 12,
            charge: RevCharge::Products(vec![
                product(21, Decimal::new(995, 2), Decimal::ONE),
                product(22, Decimal::new(1, 1), Decimal::new(25, 1)),
            ]),
            usage_plan_group_id: Some(31),
            prorate: true,
            description: Some("Meters".to_owned()),
        }),
        carrier_rate_plan: Some(CarrierRatePlanOrder {
            carrier_rate_plan: Some("10MB Pool".to_owned()),
            comm_plan: Some("LTE".to_owned()),
            effective_date,
        }),
        customer_rate_plan: Some(PlanValues {
            plan: Setting::Set(CustomerRatePlanId(41)),
            pool: Setting::Set(CustomerRatePoolId(42)),
            allocation_mb: Setting::Set(Decimal::new(5125, 1)),
        }),
        effective_date,
        replace_scheduled: true,
        on_rev_service_failure: OnRevServiceFailure::Continue,
        on_partial_failure: OnPartialFailure::Compensate,
    };
    let steps = steps_asked(&order.effect);
    assert_eq!(steps, [Step::RevService, Step::CarrierRatePlan, Step::Assignment, Step::CustomerRatePlan], "section 6");
    assert_eq!(order.effect, Effect::CustomerAssignment(assignment));
    assert_eq!((order.service_provider_id, order.portal), (ServiceProviderId(7), PortalType::M2M));
    assert_eq!(order.identifier, LineIdentifier::Iccid);
    assert_eq!(order.lines.iter().collect::<Vec<_>>(), ["89012602101234567890", "89012602101234567891"]);
    assert!(!order.process_changes);
    assert_eq!((order.name.as_deref(), order.reason.as_deref()), (Some("December"), Some("Ticket 5")));
}

#[test]
fn a_client_that_writes_every_field_orders_only_what_it_asks_for() {
    let order = read_associate(
        r#"{"ServiceProviderId":7,"Devices":["89012602101234567890"],"Numbers":[],"RevCustomerId":"","SiteId":3,
            "CreateRevService":false,"ServiceTypeId":null,"ProviderId":null,"RevPackageId":null,"RevProducts":[],
            "UsagePlanGroupId":null,"Prorate":false,"Description":"","AddCarrierRatePlan":false,"CarrierRatePlan":"",
            "CommPlan":null,"AddCustomerRatePlan":false,"CustomerRatePlan":null,"CustomerRatePool":null,
            "CustomerDataAllocationMB":null,"EffectiveDate":"","ReplaceScheduled":false,"IntegrationAuthenticationId":null,
            "ProcessChanges":null,"Name":" ","Reason":null,"OnRevServiceFailure":null,"OnPartialFailure":""}"#,
        PortalType::Mobility,
    );
    let assignment = AssignmentOrder { site_id: Some(SiteId(3)), ..AssignmentOrder::default() };
    assert_eq!(order.effect, Effect::CustomerAssignment(assignment), "the AMOP path (B6.1)");
    assert!(order.process_changes, "work starts at once unless the order says otherwise");
    assert_eq!(order.name, None);
    assert_eq!(steps_asked(&order.effect), [Step::Assignment]);
}

#[test]
fn the_seeds_order_of_one_device_is_taken() {
    let body = |identifier: &str| {
        format!(
            r#"{{"ServiceProviderId":7,"ChangeType":1,"Devices":null,
                 "AssociateCustomerRequest":{{{identifier},"RevCustomerId":"5"}}}}"#
        )
    };
    let order = read_bulk(
        &body(r#""ICCID":"89012602101234567890","Number":null,"JasperDeviceID":"89012602101234567890""#),
        PortalType::M2M,
    );
    assert_eq!(order.lines.iter().collect::<Vec<_>>(), ["89012602101234567890"]);
    assert_eq!(order.identifier, LineIdentifier::Iccid);
    let order = read_bulk(&body(r#""ICCID":"","Number":"15550001111","JasperDeviceID":"""#), PortalType::Mobility);
    assert_eq!(order.lines.iter().collect::<Vec<_>>(), ["15550001111"]);
    assert_eq!(order.identifier, LineIdentifier::Number);
}

#[test]
fn what_an_order_says_of_itself_may_stand_in_either_place() {
    let order = read_bulk(
        r#"{"ChangeType":1,"Devices":["89012602101234567890"],"Name":"Both",
            "AssociateCustomerRequest":{"ServiceProviderId":7,"ProcessChanges":false,"Name":"Both","Reason":"Inside","SiteId":3}}"#,
        PortalType::M2M,
    );
    assert_eq!(order.service_provider_id, ServiceProviderId(7));
    assert!(!order.process_changes);
    assert_eq!((order.name.as_deref(), order.reason.as_deref()), (Some("Both"), Some("Inside")));
}

#[test]
fn each_change_type_is_read_from_its_own_field() {
    let bulk = |change: &str| {
        let body = format!(r#"{{"serviceproviderid":7,"CHANGETYPE":{change},"numbers":["5550001111"]}}"#);
        read_bulk(&body, PortalType::Lnp).effect
    };
    let effective_date = read_effective_date("2026-12-01T08:00:00-05:00");
    let plan = bulk(
        r#"4,"CustomerRatePlanUpdate":{"CustomerRatePlanId":41,"CustomerDataAllocationMB":0,"CustomerPoolId":null,
             "EffectiveDate":"2026-12-01T13:00:00Z","ReplaceScheduled":true}"#,
    );
    let values = PlanValues { plan: Setting::Set(CustomerRatePlanId(41)), pool: Setting::Keep, allocation_mb: Setting::Clear };
    let expected = CustomerRatePlanOrder { values, effective_date, replace_scheduled: true };
    assert_eq!(plan, Effect::CustomerRatePlanChange(expected));
    assert_eq!(steps_asked(&plan), [Step::CustomerRatePlan]);

    let carrier = bulk(r#"7,"CarrierRatePlanUpdate":{"CarrierRatePlan":"A","EffectiveDate":"2026-12-01T13:00Z"}"#);
    let expected = CarrierRatePlanOrder { carrier_rate_plan: Some("A".to_owned()), comm_plan: None, effective_date };
    assert_eq!(carrier, Effect::CarrierRatePlanChange(expected));
    assert_eq!(steps_asked(&carrier), [Step::CarrierRatePlan]);

    let status = bulk(r#"2,"StatusUpdate":{"TargetStatus":"suspend","ReasonCode":"FF"}"#);
    let expected = StatusOrder { target_status: "suspend".to_owned(), reason_code: Some("FF".to_owned()) };
    assert_eq!(status, Effect::StatusUpdate(expected));
}

#[test]
fn an_activation_names_its_own_lines() {
    let order = read_bulk(
        r#"{"ServiceProviderId":7,"ChangeType":3,"NewServiceActivation":{
            "BillingAccount":"F-1","Lines":[{"ICCID":"89012602101234567890","IMEI":"123456789012345","ServiceZipCode":"30303"}],
            "RatePlanCode":"RP","OfferingCodes":["O1","O2"],"FirstName":"Ada","LastName":"Quill","StaticIp":"public",
            "CustomerRatePlanUpdate":{"CustomerRatePlanId":41},"AssociateCustomerRequest":{"RevCustomerId":"5"}}}"#,
        PortalType::Mobility,
    );
    assert_eq!(order.lines.iter().collect::<Vec<_>>(), ["89012602101234567890"]);
    let Effect::NewServiceActivation(activation) = order.effect else { panic!("an activation was ordered") };
    assert_eq!(activation.lines[0].imei, "123456789012345");
    assert_eq!(activation.offering_codes, ["O1", "O2"]);
    assert_eq!(activation.static_ip.as_deref(), Some("public"));
    assert_eq!(activation.assignment.and_then(|order| order.rev_customer_id), Some(RevCustomerId(5)));
    assert_eq!(activation.customer_rate_plan.map(|order| order.values.plan), Some(Setting::Set(CustomerRatePlanId(41))));
}

#[test]
fn a_byte_order_mark_and_escapes_are_read() {
    let order = read_associate(
        "\u{feff}{\"ServiceProviderId\":7,\"Devices\":[\"\\u0038901260210\"],\"Site\\u0049d\":3,\"Name\":\"Caf\\u00e9\"}",
        PortalType::M2M,
    );
    assert_eq!(order.lines.get(0), Some("8901260210"));
    assert_eq!(order.name.as_deref(), Some("Café"));
}

#[test]
fn a_million_devices_are_read_and_repeated_ones_kept() {
    let mut body = String::from(r#"{"ServiceProviderId":7,"SiteId":3,"Devices":["#);
    for nth in 0..1_000_000 {
        body.push_str(&format!("\"89{:018}\",", nth / 2));
    }
    body.pop();
    body.push_str("]}");
    let order = read_associate(&body, PortalType::M2M);
    assert_eq!(order.lines.len(), 1_000_000);
    assert_eq!(order.lines.get(999_999), Some("89000000000000499999"));
}
