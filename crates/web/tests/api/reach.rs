//! People who are limited to certain customers, sites or service providers see and order those only; what lies beyond is answered like
//! what is not there.

use lineshift_domain::ids::{RevCustomerId, RoleId, SiteId};
use lineshift_domain::limits::Limits;
use lineshift_domain::reach::Reach;
use lineshift_domain::rights::Rights;
use lineshift_domain::terms::PortalType;
use lineshift_engine::{Caller, Clock as _};
use lineshift_store::access::NewApiKey;
use lineshift_store::catalogue::{RevCustomer, Site};
use lineshift_store::import::ImportDevice;
use lineshift_store::people::{Membership, NewUser};
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::{iccid, number};
use lineshift_web::new_api_key_secret;
use serde_json::{Value, json};

/// Six lines: 1 and 2 the customer's, 3 and 4 another's, 5 and 6 nobody's.
pub(crate) struct World {
    pub(crate) app: TestApp,
    pub(crate) other_customer: RevCustomerId,
    pub(crate) other_site: SiteId,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let app = TestApp::with(6, limits, Options::default()).await;
        let (operator, now) = (&app.operator, app.operator.clock.now());
        let other = RevCustomer {
            id: RevCustomerId(operator.rev_customer.0 + 100),
            name: "Somebody Else".to_owned(),
            integration_authentication_id: operator.authentication,
            is_active: true,
        };
        let other_customer = operator.store.create_rev_customer(operator.tenant(), &other, now).await.expect("a customer");
        let site = Site { id: SiteId(0), name: "Elsewhere".to_owned(), rev_customer_id: Some(other_customer), is_active: true };
        let other_site = operator.store.create_site(operator.tenant(), &site, now).await.expect("a site");
        let world = Self { app, other_customer, other_site };
        world.assign(world.app.operator.rev_customer, &[1, 2]).await;
        world.assign(world.other_customer, &[3, 4]).await;
        world
    }

    /// Has lines assigned to a customer by somebody who may.
    pub(crate) async fn assign(&self, customer: RevCustomerId, lines: &[u64]) {
        let answer = self.app.admin().await.post("/M2M/AssociateCustomer", &self.assignment(customer, lines)).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        self.app.operator.run_until_idle().await;
    }

    fn assignment(&self, customer: RevCustomerId, lines: &[u64]) -> Value {
        let lines: Vec<String> = lines.iter().map(|line| iccid(*line)).collect();
        json!({"ServiceProviderId": self.app.operator.jasper.0, "Devices": lines, "RevCustomerId": customer.0.to_string(),
            "CreateRevService": false})
    }

    pub(crate) fn plan_change(&self, lines: &[u64], date: Option<&str>) -> Value {
        let lines: Vec<String> = lines.iter().map(|line| iccid(*line)).collect();
        json!({"ServiceProviderId": self.app.operator.jasper.0, "Devices": lines, "ChangeType": 4,
            "CustomerRatePlanUpdate": {"CustomerRatePlanId": self.app.operator.plan.0, "EffectiveDate": date}})
    }

    /// A key that reaches so far, with every permission.
    pub(crate) async fn limited(&self, reach: &str) -> HttpCaller {
        limited(&self.app, reach).await
    }

    pub(crate) fn own(&self) -> String {
        format!("customer:{}", self.app.operator.rev_customer.0)
    }
}

/// A key that reaches so far, with every permission.
pub(crate) async fn limited(app: &TestApp, reach: &str) -> HttpCaller {
    let secret = new_api_key_secret().expect("randomness");
    let key = NewApiKey {
        name: "limited".to_owned(),
        secret_hash: secret.hash(),
        scopes: "*".parse().expect("scopes"),
        reach: reach.parse().expect("a reach"),
        expires_at: None,
    };
    let operator = &app.operator;
    let id = operator.store.create_api_key(operator.tenant(), &key, operator.clock.now()).await.expect("a key");
    app.caller(Some(secret.format(operator.tenant(), id)))
}

pub(crate) fn ids(page: &Value) -> Vec<i64> {
    page["items"].as_array().expect("items").iter().map(|item| item["id"].as_i64().expect("an id")).collect()
}

pub(crate) async fn same_as_missing(caller: &HttpCaller, path: &str, missing: &str) {
    let (there, not) = (caller.get(path).await, caller.get(missing).await);
    assert_eq!((there.status, not.status), (404, 404), "{path}");
    assert_eq!(there.body, not.body, "{path}");
}

#[tokio::test]
async fn lists_hold_what_is_within_reach() {
    let world = World::new().await;
    let caller = world.limited(&world.own()).await;
    assert_eq!(ids(&caller.read("/api/v1/devices").await), [1, 2]);
    assert_eq!(ids(&caller.read("/api/v1/customers").await), [world.app.operator.rev_customer.0]);
    assert_eq!(ids(&caller.read("/api/v1/sites").await), [world.app.operator.rev_site.0]);
    assert_eq!(ids(&caller.read("/api/v1/service-providers").await).len(), 2, "providers do not limit");
    assert_eq!(ids(&caller.read("/api/v1/customer-rate-plans").await).len(), 2, "plans are there to be chosen");
    for hidden in ["/api/v1/bulk-changes", "/api/v1/integration-authentications", "/api/v1/unsettled-steps"] {
        assert_eq!(caller.read(hidden).await["items"], json!([]), "{hidden}");
    }
    for (filter, found) in [
        (format!("iccid={}", iccid(3)), 0),
        (format!("iccid={}", iccid(2)), 1),
        (format!("rev_customer_id={}", world.other_customer), 0),
        (format!("site_id={}", world.other_site), 0),
        (format!("service_provider_id={}", world.app.operator.jasper), 2),
    ] {
        assert_eq!(ids(&caller.read(&format!("/api/v1/devices?{filter}")).await).len(), found, "{filter}");
    }
    let nobody = world.limited("").await;
    for path in ["/api/v1/devices", "/api/v1/customers", "/api/v1/sites", "/api/v1/service-providers", "/api/v1/plan-queue"] {
        assert_eq!(nobody.read(path).await["items"], json!([]), "{path}");
    }
}

#[tokio::test]
async fn single_things_beyond_reach_are_like_missing_ones() {
    let world = World::new().await;
    let admin = world.app.admin().await;
    assert_eq!(admin.post("/M2M/BulkChange", &world.plan_change(&[1, 3], Some("2026-12-24"))).await.status, 202);
    world.app.operator.run_until_idle().await;
    let entries = admin.read("/api/v1/plan-queue").await;
    let entry_of = |device: i64| {
        let found = entries["items"].as_array().expect("entries").iter().find(|entry| entry["device_id"] == device);
        found.expect("an entry")["id"].as_i64().expect("an id")
    };
    let caller = world.limited(&world.own()).await;
    assert_eq!(ids(&caller.read("/api/v1/plan-queue").await), [entry_of(1)]);
    assert_eq!(caller.get(&format!("/api/v1/plan-queue/{}", entry_of(1))).await.status, 200);
    for (path, missing) in [
        ("/api/v1/devices/3".to_owned(), "/api/v1/devices/999"),
        ("/api/v1/devices/5".to_owned(), "/api/v1/devices/999"),
        ("/api/v1/devices/3/history".to_owned(), "/api/v1/devices/999/history"),
        ("/api/v1/devices/3/usage".to_owned(), "/api/v1/devices/999/usage"),
        (format!("/api/v1/customers/{}", world.other_customer), "/api/v1/customers/999"),
        (format!("/api/v1/sites/{}", world.other_site), "/api/v1/sites/999"),
        ("/api/v1/integration-authentications/1".to_owned(), "/api/v1/integration-authentications/999"),
        ("/api/v1/bulk-changes/1".to_owned(), "/api/v1/bulk-changes/999"),
        ("/api/v1/bulk-changes/1/devices".to_owned(), "/api/v1/bulk-changes/999/devices"),
        ("/api/v1/bulk-changes/1/log".to_owned(), "/api/v1/bulk-changes/999/log"),
        ("/api/v1/bulk-changes/1/events".to_owned(), "/api/v1/bulk-changes/999/events"),
        ("/api/v1/bulk-changes/1/export".to_owned(), "/api/v1/bulk-changes/999/export"),
        (format!("/api/v1/plan-queue/{}", entry_of(3)), "/api/v1/plan-queue/999"),
        ("/api/v1/plan-queue?device_id=3".to_owned(), "/api/v1/plan-queue?device_id=999"),
        ("/api/v1/plan-queue?bulk_change_id=1".to_owned(), "/api/v1/plan-queue?bulk_change_id=999"),
    ] {
        same_as_missing(&caller, &path, missing).await;
    }
    for path in [
        format!("/api/v1/plan-queue/{}/cancel", entry_of(3)),
        "/api/v1/bulk-changes/1/cancel".to_owned(),
        "/api/v1/bulk-changes/1/retry".to_owned(),
    ] {
        assert_eq!(caller.post(&path, &json!({})).await.status, 404, "{path}");
    }
    for path in ["/api/v1/sync-runs", "/api/v1/integrations/1/account"] {
        assert_eq!(caller.get(path).await.status, 403, "{path}: what the tenant has in common");
    }
}

/// How many rows found no line, and show nothing but what they were ordered by.
pub(crate) fn not_found(rows: &Value) -> usize {
    let rows = rows["items"].as_array().expect("rows").iter().filter(|row| row["error_code"] == "device_not_found");
    let shows_no_line = |row: &&Value| row["device_id"].is_null() && (row["iccid"].is_null() || row["number"].is_null());
    rows.filter(shows_no_line).count()
}

#[tokio::test]
async fn orders_reach_no_further() {
    let world = World::new().await;
    let caller = world.limited(&world.own()).await;
    // A customer beyond reach refuses the order as an unknown one does.
    let beyond = caller.post("/M2M/AssociateCustomer", &world.assignment(world.other_customer, &[1])).await;
    let unknown = caller.post("/M2M/AssociateCustomer", &world.assignment(RevCustomerId(999_999), &[1])).await;
    assert_eq!((beyond.status, unknown.status), (422, 422), "{}", beyond.text());
    let renamed = unknown.text().replace("999999", &world.other_customer.to_string());
    assert_eq!(beyond.text(), renamed);
    // Lines beyond reach are refused as lines that are not there.
    let answer = caller.post("/M2M/BulkChange", &world.plan_change(&[1, 3, 5, 99], None)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let body = answer.json();
    assert_eq!((&body["Accepted"], &body["Rejected"]), (&json!(1), &json!(3)), "{body}");
    world.app.operator.run_until_idle().await;
    let id = &body["BulkChangeId"];
    let rows = caller.read(&format!("/api/v1/bulk-changes/{id}/devices")).await;
    assert_eq!(not_found(&rows), 3, "{rows}");
    // They are not there when they are looked up again either.
    let retried = caller.post(&format!("/api/v1/bulk-changes/{id}/retry"), &json!({})).await;
    assert_eq!((retried.status, &retried.json()["rows"]), (200, &json!(3)), "{}", retried.text());
    world.app.operator.run_until_idle().await;
    let rows = caller.read(&format!("/api/v1/bulk-changes/{id}/devices")).await;
    assert_eq!(not_found(&rows), 3, "{rows}");
    assert_eq!(ids(&caller.read("/api/v1/bulk-changes").await), [id.as_i64().expect("an id")], "one's own");
    let validated = caller.post("/M2M/ValidateBulkChange", &world.plan_change(&[1, 3], None)).await.json();
    assert_eq!((&validated["Accepted"], &validated["Rejected"]), (&json!(1), &json!(1)), "{validated}");
}

/// Neither their number nor how many have it is told of lines beyond reach, at submission, when the page runs, or when it is retried.
#[tokio::test]
async fn numbers_are_looked_up_within_reach() {
    let world = World::new().await;
    let operator = &world.app.operator;
    let twin = ImportDevice { subscriber_number: Some(number(1)), ..operator.line(operator.jasper, 3, "ACTIVATED") };
    operator.import(&[twin]).await;
    let order = json!({"ServiceProviderId": operator.jasper.0, "Numbers": [number(1), number(4), number(77)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": operator.plan.0}});
    let caller = world.limited(&world.own()).await;
    let answer = caller.post("/LNP/BulkChange", &order).await.json();
    assert_eq!((&answer["Accepted"], &answer["Rejected"]), (&json!(1), &json!(2)), "{answer}");
    let devices = format!("/api/v1/bulk-changes/{}/devices", answer["BulkChangeId"]);
    for _ in 0..2 {
        operator.run_until_idle().await;
        let rows = caller.read(&devices).await;
        assert_eq!((&rows["items"][0]["status"], &rows["items"][0]["device_id"]), (&json!("PROCESSED"), &json!(1)), "{rows}");
        assert_eq!(not_found(&rows), 2, "{rows}");
        let retried = caller.post(&devices.replace("devices", "retry"), &json!({})).await;
        assert_eq!(retried.status, 200, "{}", retried.text());
    }
    // Whoever reaches both is told of both.
    let validated = world.app.admin().await.post("/LNP/ValidateBulkChange", &order).await.json();
    assert_eq!(validated["Devices"][0]["Code"], "number_ambiguous", "{validated}");
}

/// What was ordered needs the right to order when it runs, what was retried the right to edit; the other of the two does not do.
#[tokio::test]
async fn whoever_lost_the_right_to_order_does_not_go_on_by_another() {
    let world = World::new().await;
    let operator = &world.app.operator;
    let (store, tenant, now) = (&operator.store, operator.tenant(), operator.clock.now());
    let user = NewUser { email: "ann@example.com".to_owned(), display_name: "Ann".to_owned(), password_hash: None };
    let user = store.create_user(&user, now).await.expect("a user");
    let role = async |scopes: &str| {
        let role = store.create_role(tenant, scopes, &scopes.parse().expect("scopes")).await.expect("a role");
        Membership { roles: vec![role], reach: Reach::Everything, is_active: true }
    };
    let (both, create, edit) = (role("m2m:create m2m:edit").await, role("m2m:create").await, role("m2m:edit").await);
    let member = store.add_member(tenant, user, &both, now).await.expect("a member");
    let rights: Rights = store.find_rights(tenant, member, now).await.expect("a look").expect("rights");
    let ann = Caller { tenant, principal: member, name: "ann@example.com".to_owned(), rights };
    let plan = serde_json::to_vec(&world.plan_change(&[1], None)).expect("JSON");
    let order = || {
        let read = lineshift_domain::reading::read_bulk_change(&plan, PortalType::M2M, operator.engine.limits());
        read.expect("an order")
    };
    for (left, outcomes) in [(&create, ["PROCESSED", "rights_lost"]), (&edit, ["rights_lost", "PROCESSED"])] {
        store.update_member(tenant, member, &both).await.expect("as before");
        let submitted = operator.engine.submit(&ann, order(), None).await.expect("submitted");
        let lineshift_engine::Submission::Stored(ordered) = submitted else { panic!("stored: {submitted:?}") };
        store.update_member(tenant, member, left).await.expect("changed");
        operator.run_until_idle().await;
        assert_eq!(operator.outcomes(ordered.id).await, [outcomes[0]], "ordered, and {left:?} is left");

        // What somebody else ordered who is gone by now.
        store.update_member(tenant, member, &both).await.expect("as before");
        let guest = operator.key("guest", "m2m:create").await;
        let submitted = operator.engine.submit(&guest, order(), None).await.expect("submitted");
        let lineshift_engine::Submission::Stored(ordered) = submitted else { panic!("stored: {submitted:?}") };
        store.revoke_api_key(tenant, guest.principal, now).await.expect("revoked");
        operator.run_until_idle().await;
        operator.engine.retry(&ann, ordered.id, &[]).await.expect("retried");
        store.update_member(tenant, member, left).await.expect("changed");
        operator.run_until_idle().await;
        assert_eq!(operator.outcomes(ordered.id).await, [outcomes[1]], "retried, and {left:?} is left");
    }
}

/// Rights, and reach among them, are looked at again when a page runs (B5.3).
#[tokio::test]
async fn a_reach_that_shrank_ends_what_was_ordered_by_it() {
    let world = World::new().await;
    let operator = &world.app.operator;
    let (store, tenant, now) = (&operator.store, operator.tenant(), operator.clock.now());
    let role = store.create_role(tenant, "everything", &"*".parse().expect("scopes")).await.expect("a role");
    let user = NewUser { email: "ann@example.com".to_owned(), display_name: "Ann".to_owned(), password_hash: None };
    let user = store.create_user(&user, now).await.expect("a user");
    let membership = |reach: &str, roles: Vec<RoleId>, is_active| Membership {
        roles,
        reach: reach.parse::<Reach>().expect("a reach"),
        is_active,
    };
    let both = format!("customer:{} customer:{}", operator.rev_customer, world.other_customer);
    let member = store.add_member(tenant, user, &membership(&both, vec![role], true), now).await.expect("a member");
    let rights: Rights = store.find_rights(tenant, member, now).await.expect("a look").expect("rights");
    let ann = Caller { tenant, principal: member, name: "ann@example.com".to_owned(), rights };

    let order = async || {
        let plan = serde_json::to_vec(&world.plan_change(&[1, 3], None)).expect("JSON");
        let limits = operator.engine.limits();
        let order = lineshift_domain::reading::read_bulk_change(&plan, lineshift_domain::terms::PortalType::M2M, limits);
        let submitted = operator.engine.submit(&ann, order.expect("an order"), None).await.expect("submitted");
        let lineshift_engine::Submission::Stored(stored) = submitted else { panic!("stored: {submitted:?}") };
        assert_eq!(stored.accepted, 2);
        stored.id
    };
    let codes = async |id: lineshift_domain::ids::BulkChangeId| {
        operator.run_until_idle().await;
        let rows = store.list_device_changes(tenant, id, Default::default(), None, 9).await.expect("rows").items;
        rows.iter().map(|row| row.error_code.map(|code| code.as_str())).collect::<Vec<_>>()
    };
    for (reach, roles, is_active, expected) in [
        (both.as_str(), vec![role], true, [None, None]),
        (&world.own(), vec![role], true, [None, Some("rights_lost")]),
        (&both, vec![], true, [Some("rights_lost"); 2]),
        (&both, vec![role], false, [Some("rights_lost"); 2]),
    ] {
        store.update_member(tenant, member, &membership(&both, vec![role], true)).await.expect("as before");
        let id = order().await;
        store.update_member(tenant, member, &membership(reach, roles.clone(), is_active)).await.expect("changed");
        assert_eq!(codes(id).await, expected, "{reach} {roles:?} {is_active}");
    }
}
