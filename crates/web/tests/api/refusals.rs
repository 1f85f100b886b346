//! Every refusal of a whole request (B4.4): the status, every problem at once, and that nothing is stored.

use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::limits::Limits;
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::Clock as _;
use lineshift_store::catalogue::{CustomerRatePlan, CustomerRatePool, RevCustomer, ServiceProvider, Site};
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::{Operator, iccid, number};
use serde_json::{Value, json};

/// What stands in the store and may not be ordered.
struct Unusable {
    provider: ServiceProviderId,
    site: SiteId,
    plan: CustomerRatePlanId,
    pool: CustomerRatePoolId,
    /// Has no active site.
    homeless: RevCustomerId,
    customer: RevCustomerId,
}

async fn unusable(operator: &Operator) -> Unusable {
    let (store, tenant, now) = (&operator.store, operator.tenant(), operator.clock.now());
    let customer = |id, is_active| RevCustomer {
        id: RevCustomerId(id),
        name: format!("Customer {id}"),
        integration_authentication_id: operator.authentication,
        is_active,
    };
    let provider = ServiceProvider {
        id: ServiceProviderId(0),
        name: "Old carrier".to_owned(),
        integration_kind: IntegrationKind::POND,
        integration_authentication_id: None,
        write_enabled: false,
        is_active: false,
    };
    let plan = CustomerRatePlan {
        id: CustomerRatePlanId(0),
        name: "Old plan".to_owned(),
        monthly_price: None,
        allocation_default_mb: None,
        allocation_bound_mb: None,
        rev_product_id: None,
        is_active: false,
    };
    let pool = CustomerRatePool { id: CustomerRatePoolId(0), name: "Old pool".to_owned(), is_active: false };
    let site = Site { id: SiteId(0), name: "Closed".to_owned(), rev_customer_id: None, is_active: false };
    Unusable {
        provider: store.create_service_provider(tenant, &provider, now).await.expect("a provider"),
        site: store.create_site(tenant, &site, now).await.expect("a site"),
        plan: store.create_customer_rate_plan(tenant, &plan, now).await.expect("a plan"),
        pool: store.create_customer_rate_pool(tenant, &pool, now).await.expect("a pool"),
        homeless: store.create_rev_customer(tenant, &customer(5_000, true), now).await.expect("a customer"),
        customer: store.create_rev_customer(tenant, &customer(5_001, false), now).await.expect("a customer"),
    }
}

/// A body with some fields replaced, added or (null) left as null.
fn with(base: &Value, fields: Value) -> Value {
    let mut body = base.clone();
    let Value::Object(fields) = fields else { panic!("{fields} are no fields") };
    for (name, value) in fields {
        body[name] = value;
    }
    body
}

/// Posts each body and answers one line for each: its name, the status and all problems.
async fn answers(caller: &HttpCaller, path: &str, cases: Vec<(&str, Value)>) -> String {
    let mut lines = Vec::new();
    for (name, body) in cases {
        let answer = caller.post(path, &body).await;
        assert!(answer.status >= 400, "{name}: {}", answer.text());
        lines.push(format!("{name}: {} {}", answer.status, answer.problems().join(", ")));
    }
    lines.join("\n")
}

fn to_site(app: &TestApp) -> Value {
    json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": app.operator.amop_site.0})
}

fn to_customer(app: &TestApp) -> Value {
    json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "RevCustomerId": "4711"})
}

fn with_plan(app: &TestApp) -> Value {
    with(&to_site(app), json!({"AddCustomerRatePlan": true, "CustomerRatePlan": app.operator.plan.0}))
}

#[tokio::test]
async fn assignments_of_a_wrong_form_are_refused() {
    let app = TestApp::with_lines(3).await;
    let orderer = app.orderer().await;
    let (base, to_rev) = (to_site(&app), to_customer(&app));
    let cases = vec![
        ("nothing", json!({})),
        ("unknown field", with(&base, json!({"SiteIdd": 1}))),
        ("wrong types", with(&base, json!({"ServiceProviderId": "1", "Devices": "x", "SiteId": 1.5}))),
        ("no devices", with(&base, json!({"Devices": []}))),
        ("numbers in M2M", json!({"ServiceProviderId": app.operator.jasper.0, "Numbers": [number(1)], "SiteId": 1})),
        ("devices and numbers", with(&base, json!({"Numbers": [number(1)]}))),
        ("customer that is no number", with(&to_rev, json!({"RevCustomerId": "47x11"}))),
        ("AMOP without site", json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)]})),
        ("authentication without customer", with(&base, json!({"IntegrationAuthenticationId": 1}))),
        ("negative allocation", with(&with_plan(&app), json!({"CustomerDataAllocationMB": -1}))),
        ("option without fields", with(&base, json!({"AddCustomerRatePlan": true}))),
        ("fields without option", with(&base, json!({"CustomerRatePlan": app.operator.plan.0, "ReplaceScheduled": true}))),
        ("no date", with(&base, json!({"EffectiveDate": "12/24/2026"}))),
        ("wrong words", with(&base, json!({"OnPartialFailure": "undo", "OnRevServiceFailure": "retry"}))),
        ("Rev service without its fields", with(&to_rev, json!({"CreateRevService": true}))),
    ];
    insta::assert_snapshot!(answers(&orderer, "/M2M/AssociateCustomer", cases).await, @r#"
    nothing: 422 ServiceProviderId missing_field, Devices missing_field, SiteId missing_field
    unknown field: 422 SiteIdd unknown_field
    wrong types: 422 ServiceProviderId wrong_type, Devices wrong_type, SiteId wrong_form
    no devices: 422 Devices missing_field
    numbers in M2M: 422 Numbers wrong_portal
    devices and numbers: 422 Numbers conflicting_fields
    customer that is no number: 422 RevCustomerId wrong_form
    AMOP without site: 422 SiteId missing_field
    authentication without customer: 422 IntegrationAuthenticationId conflicting_fields
    negative allocation: 422 CustomerDataAllocationMB out_of_range
    option without fields: 422 AddCustomerRatePlan option_without_field
    fields without option: 422 CustomerRatePlan field_without_option, ReplaceScheduled field_without_option
    no date: 422 EffectiveDate wrong_form
    wrong words: 422 OnRevServiceFailure field_without_option, OnRevServiceFailure wrong_form, OnPartialFailure wrong_form
    Rev service without its fields: 422 ServiceTypeId option_without_field, ProviderId option_without_field, RevProducts option_without_field
    "#);
    assert_eq!(orderer.read("/api/v1/bulk-changes").await["items"], json!([]), "nothing was stored");
}

#[tokio::test]
async fn assignments_that_cannot_be_carried_out_are_refused() {
    let app = TestApp::with_lines(3).await;
    let unusable = unusable(&app.operator).await;
    let orderer = app.orderer().await;
    let (base, to_rev, planned) = (to_site(&app), to_customer(&app), with_plan(&app));
    let several = json!({"SiteId": 999, "CustomerRatePlan": 999, "CustomerRatePool": 999, "EffectiveDate": "2020-01-01"});
    let inactive = json!({"CustomerRatePlan": unusable.plan.0, "CustomerRatePool": unusable.pool.0});
    let service = json!({"CreateRevService": true, "ServiceTypeId": 1, "ProviderId": 2, "RevPackageId": 3});
    let cases = vec![
        ("unknown provider", with(&base, json!({"ServiceProviderId": 999}))),
        ("inactive provider", with(&base, json!({"ServiceProviderId": unusable.provider.0}))),
        ("unknown site", with(&base, json!({"SiteId": 999}))),
        ("inactive site", with(&base, json!({"SiteId": unusable.site.0}))),
        ("site of a Rev customer", with(&base, json!({"SiteId": app.operator.rev_site.0}))),
        ("unknown customer", with(&to_rev, json!({"RevCustomerId": "999"}))),
        ("inactive customer", with(&to_rev, json!({"RevCustomerId": unusable.customer.0.to_string()}))),
        ("customer without site", with(&to_rev, json!({"RevCustomerId": unusable.homeless.0.to_string()}))),
        ("site of nobody", with(&to_rev, json!({"SiteId": app.operator.amop_site.0}))),
        ("other authentication", with(&to_rev, json!({"IntegrationAuthenticationId": 999}))),
        ("unknown plan", with(&planned, json!({"CustomerRatePlan": 999}))),
        ("inactive plan and pool", with(&planned, inactive)),
        ("allocation over bound", with(&planned, json!({"CustomerDataAllocationMB": 1000.5}))),
        ("too far back", with(&base, json!({"EffectiveDate": "2025-10-27"}))),
        ("too far ahead", with(&base, json!({"EffectiveDate": "2028-12-01"}))),
        ("Rev service", with(&to_rev, service)),
        ("carrier plan", with(&base, json!({"AddCarrierRatePlan": true, "CarrierRatePlan": "M2M-5"}))),
        ("several at once", with(&planned, several)),
    ];
    insta::assert_snapshot!(answers(&orderer, "/M2M/AssociateCustomer", cases).await, @r#"
    unknown provider: 422 ServiceProviderId unknown_reference
    inactive provider: 422 ServiceProviderId unknown_reference
    unknown site: 422 SiteId unknown_reference
    inactive site: 422 SiteId unknown_reference
    site of a Rev customer: 422 SiteId site_of_rev_customer
    unknown customer: 422 RevCustomerId unknown_reference
    inactive customer: 422 RevCustomerId unknown_reference
    customer without site: 422 RevCustomerId customer_without_site
    site of nobody: 422 SiteId unknown_reference
    other authentication: 422 IntegrationAuthenticationId not_the_customers
    unknown plan: 422 CustomerRatePlan unknown_reference
    inactive plan and pool: 422 CustomerRatePool unknown_reference, CustomerRatePlan unknown_reference
    allocation over bound: 422 CustomerDataAllocationMB allocation_over_bound
    too far back: 422 EffectiveDate date_out_of_range
    too far ahead: 422 EffectiveDate date_out_of_range
    Rev service: 422 CreateRevService credentials_missing
    carrier plan: 422 CarrierRatePlan credentials_missing
    several at once: 422 EffectiveDate date_out_of_range, CustomerRatePool unknown_reference, CustomerRatePlan unknown_reference, SiteId unknown_reference
    "#);
    assert_eq!(orderer.read("/api/v1/bulk-changes").await["items"], json!([]), "nothing was stored");
}

#[tokio::test]
async fn bulk_changes_are_refused_as_a_whole_and_validated_alike() {
    let app = TestApp::with_lines(3).await;
    let orderer = app.orderer().await;
    let base = json!({
        "ServiceProviderId": app.operator.jasper.0, "ChangeType": 4, "Devices": [iccid(1)],
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    let bare =
        |change_type: i64| json!({"ServiceProviderId": app.operator.jasper.0, "ChangeType": change_type, "Devices": [iccid(1)]});
    let cases = || {
        vec![
            ("unknown type", with(&base, json!({"ChangeType": 5}))),
            ("type as text", with(&base, json!({"ChangeType": "4"}))),
            ("part of another type", with(&base, json!({"ChangeType": 1}))),
            ("two parts", with(&base, json!({"StatusUpdate": {"TargetStatus": "ACTIVATED"}}))),
            ("nothing would change", with(&base, json!({"CustomerRatePlanUpdate": {}}))),
            ("unknown plan", with(&base, json!({"CustomerRatePlanUpdate": {"CustomerRatePlanId": 999, "CustomerPoolId": 999}}))),
            ("unknown field inside", with(&base, json!({"CustomerRatePlanUpdate": {"PlanId": 1}}))),
            ("carrier plan change", with(&bare(7), json!({"CarrierRatePlanUpdate": {"CarrierRatePlan": "M2M-5"}}))),
            ("status update", with(&bare(2), json!({"StatusUpdate": {"TargetStatus": "DEACTIVATED"}}))),
            (
                "activation",
                json!({
                    "ServiceProviderId": app.operator.jasper.0, "ChangeType": 3,
                    "NewServiceActivation": {
                        "BillingAccount": "1", "RatePlanCode": "R", "OfferingCodes": ["O"], "FirstName": "A", "LastName": "B",
                        "Lines": [{"ICCID": iccid(9), "IMEI": "123456789012345", "ServiceZipCode": "60601"}],
                    },
                }),
            ),
            ("not ready yet, and worse", with(&bare(9), json!({"Devices": 1, "Extra": null}))),
        ]
    };
    let refused = answers(&orderer, "/M2M/BulkChange", cases()).await;
    insta::assert_snapshot!(refused, @r#"
    unknown type: 422 ChangeType unknown_change_type
    type as text: 422 ChangeType wrong_type
    part of another type: 422 AssociateCustomerRequest missing_field, CustomerRatePlanUpdate conflicting_fields
    two parts: 422 StatusUpdate conflicting_fields
    nothing would change: 422 CustomerRatePlanUpdate nothing_would_change
    unknown plan: 422 CustomerRatePlanUpdate.CustomerPoolId unknown_reference, CustomerRatePlanUpdate.CustomerRatePlanId unknown_reference
    unknown field inside: 422 CustomerRatePlanUpdate.PlanId unknown_field, CustomerRatePlanUpdate nothing_would_change
    carrier plan change: 422 CarrierRatePlanUpdate.CarrierRatePlan credentials_missing
    status update: 422 StatusUpdate.TargetStatus credentials_missing
    activation: 422 ChangeType not_available
    not ready yet, and worse: 422 Extra unknown_field, ChangeType unknown_change_type, Devices wrong_type
    "#);
    assert_eq!(refused, answers(&orderer, "/M2M/ValidateBulkChange", cases()).await);
    assert_eq!(orderer.read("/api/v1/bulk-changes").await["items"], json!([]), "nothing was stored");
}

#[tokio::test]
async fn what_one_may_not_use_is_answered_like_what_is_not_there() {
    let app = TestApp::with_lines(1).await;
    let unusable = unusable(&app.operator).await;
    let orderer = app.orderer().await;
    let message = async |site: i64| {
        let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": site});
        let answer = orderer.post("/M2M/AssociateCustomer", &body).await;
        answer.text().replace(&site.to_string(), "N")
    };
    assert_eq!(message(unusable.site.0).await, message(999_999).await);
}

#[tokio::test]
async fn more_devices_than_the_limit_are_refused_and_the_limit_is_said() {
    let limits = Limits { devices_per_change: 2, ..Limits::default() };
    let app = TestApp::with(3, limits, Options::default()).await;
    let orderer = app.orderer().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2), iccid(3)], "SiteId": app.operator.amop_site.0,
    });
    let answer = orderer.post("/M2M/AssociateCustomer", &body).await;
    assert_eq!((answer.status, answer.problems()), (422, vec!["Devices too_many_devices".to_owned()]));
    assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains("at most 2")), "{}", answer.text());
    assert_eq!(orderer.read("/api/v1/me").await["limits"]["devices_per_change"], 2);
}

#[tokio::test]
async fn an_order_without_the_right_is_refused_before_its_body_is_read() {
    let app = TestApp::with_lines(1).await;
    let viewer = app.viewer().await;
    for path in ["/M2M/AssociateCustomer", "/Mobility/BulkChange", "/LNP/ValidateBulkChange"] {
        let answer = viewer.post_bytes(path, "not even JSON").await;
        assert_eq!((answer.status, answer.problems()), (403, vec!["permission_missing".to_owned()]), "{path}");
    }
    let of_lnp = app.with_scopes("lnp", "lnp:create").await;
    assert_eq!(of_lnp.post("/M2M/BulkChange", &json!({})).await.status, 403);
    assert_eq!(of_lnp.post("/LNP/BulkChange", &json!({})).await.status, 422);
}

#[tokio::test]
async fn an_unknown_portal_is_no_address() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    for path in
        ["/m2m/BulkChange", "/IoT/AssociateCustomer", "/M2M/bulkchange", "/M2M/RevertBulkChange", "/api/AssociateCustomer"]
    {
        assert_eq!(admin.post(path, &json!({})).await.status, 404, "{path}");
    }
}

/// Ids are of the tenant that asks: those of another one do not exist.
#[tokio::test]
async fn things_of_another_tenant_do_not_exist_for_an_order() {
    let app = TestApp::with_lines(1).await;
    let stranger = app.stranger().await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": app.operator.amop_site.0,
        "AddCustomerRatePlan": true, "CustomerRatePlan": app.operator.plan.0, "CustomerRatePool": app.operator.pool.0,
    });
    let answer = stranger.post("/M2M/AssociateCustomer", &body).await;
    assert_eq!(answer.status, 422);
    let problems = answer.problems();
    assert!(problems.iter().all(|problem| problem.ends_with("unknown_reference")), "{problems:?}");
    assert_eq!(problems.len(), 4);
}
