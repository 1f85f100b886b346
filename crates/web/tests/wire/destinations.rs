//! Networks that an administrator lists for accounts of integrations.

use lineshift_connectors::http::Destinations;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, CLIENT_CODE, PASSWORD, USER};
use lineshift_testkit::http::send;
use lineshift_web::WireSettings;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn an_account_may_be_in_a_network_that_is_listed_and_in_no_other() {
    let destinations = Destinations::public(&["10.7.0.0/16".parse().expect("a network")]);
    let world = BillingWorld::with_lines(0).await;
    let app = TestApp::on_wire(world.operator, &WireSettings { destinations, ..WireSettings::default() }).await;
    let admin = app.admin().await;
    let put = async |address: &str, is_local: bool| {
        let credentials = json!({"user": USER, "client_code": CLIENT_CODE, "password": PASSWORD});
        let body = json!({"base_address": address, "is_local": is_local, "credentials": credentials});
        send(admin.request(Method::PUT, "/api/v1/integrations/1/account").json(&body)).await.status
    };
    assert_eq!(put("https://10.7.1.2/v1", false).await, 200);
    assert_eq!(put("http://10.7.1.2/v1", true).await, 200);
    assert_eq!(put("https://10.8.1.2/v1", false).await, 422);
    assert_eq!(put("http://10.8.1.2/v1", true).await, 422);
}
