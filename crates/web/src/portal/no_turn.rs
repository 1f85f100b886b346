//! What becomes of forms for which there is no turn now.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::PortalType;
use lineshift_engine::Clock as _;
use lineshift_store::selections::{Selecting, SelectionKey};
use lineshift_testkit::operator::{Operator, iccid};
use lineshift_testkit::people::PASSWORD;
use tower::ServiceExt as _;

use crate::accounts::NoKey;
use crate::body::LargeBodies;
use crate::turns::Turns;
use crate::{Web, WireSettings, routes};

const EMAIL: &str = "ada@fleet.example";

/// Somebody with two chosen lines, where there is one turn of each kind, and nobody waits for it.
struct Desk {
    operator: Operator,
    web: Web,
    router: Router,
    cookie: String,
}

impl Desk {
    async fn new() -> Self {
        let operator = Operator::with_lines(2).await;
        let user = operator.user(EMAIL).await;
        operator.member(operator.tenant(), user, &["operator"], "*").await;
        let now = operator.clock.now();
        let (key, most) = (SelectionKey::at(user, PortalType::M2M, now), Selecting { now, most: 10 });
        let ids = [operator.device(1).await.id, operator.device(2).await.id];
        operator.store.select_lines(operator.tenant(), &key, &Reach::Everything, &ids, most).await.expect("chosen");
        let mut web = Web::new(operator.engine.clone(), None, Arc::new(NoKey), &WireSettings::default());
        web.readings = Turns::at("texts or files", 1, 1).impatient();
        web.large_bodies = LargeBodies { turns: Turns::at("large requests", 1, 1).impatient(), small_lines: 0 };
        let router = routes::build(web.clone(), &WireSettings::default());
        let mut desk = Self { operator, web, router, cookie: String::new() };
        let (_, cookie, _) = desk.ask("/sign-in", Some(&[("email", EMAIL), ("password", PASSWORD)])).await;
        desk.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        desk
    }

    /// What is answered to a form, or where there is none to whoever looks: status, the cookie or where it leads, the page.
    async fn ask(&self, path: &str, form: Option<&[(&str, &str)]>) -> (u16, String, String) {
        let body = form.map(|fields| form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish());
        let request = Request::builder().method(if body.is_some() { "POST" } else { "GET" }).uri(path);
        let request = request.header(header::COOKIE, &self.cookie);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(Body::from(body.unwrap_or_default())).expect("a request");
        let (parts, body) = self.router.clone().oneshot(request).await.expect("an answer").into_parts();
        let told = parts.headers.get(header::SET_COOKIE).or_else(|| parts.headers.get(header::LOCATION));
        let told = told.and_then(|told| told.to_str().ok()).unwrap_or_default().to_owned();
        let page = to_bytes(body, usize::MAX).await.expect("a page");
        (parts.status.as_u16(), told, String::from_utf8_lossy(&page).into_owned())
    }

    /// Sends a form of a page.
    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
        let (_, _, home) = self.ask("/", None).await;
        let token = value_after(&home, "name=\"csrf-token\" content=\"");
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf_token", &*token)]).collect();
        self.ask(path, Some(&fields)).await
    }
}

fn value_after(page: &str, mark: &str) -> String {
    let (_, rest) = page.split_once(mark).unwrap_or_else(|| panic!("no {mark} in {page}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_order_for_which_there_is_no_turn_keeps_its_form() {
    let desk = Desk::new().await;
    let fields = [("customer", "4711"), ("Name", "Monday")];
    let held = desk.web.large_bodies.turns.take(desk.operator.tenant()).await.expect("the turn");
    let (status, _, page) = desk.send("/m2m/order/assign", &fields).await;
    assert_eq!(status, 429, "{page}");
    assert!(page.contains("value=\"Monday\"") && page.contains("(customer 4711)"), "what was typed stays: {page}");
    assert!(page.contains("role=\"alert\"") && page.contains("send this one again later"), "{page}");
    drop(held);

    let (status, _, preview) = desk.send("/m2m/order/assign", &fields).await;
    assert_eq!(status, 200, "{preview}");
    let carried: Vec<(String, String)> = ["digest", "key", "seen", "service_provider"]
        .iter()
        .map(|name| ((*name).to_owned(), value_after(&preview, &format!("name=\"{name}\" value=\""))))
        .chain([("customer".to_owned(), "Fleet Rentals (customer 4711)".to_owned()), ("Name".to_owned(), "Monday".to_owned())])
        .collect();
    let carried: Vec<(&str, &str)> = carried.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let held = desk.web.large_bodies.turns.take(desk.operator.tenant()).await.expect("the turn");
    let (status, _, page) = desk.send("/m2m/order/assign/confirm", &carried).await;
    assert_eq!(status, 429, "{page}");
    assert!(page.contains("Send again") && page.contains("send this one again later"), "{page}");
    for (name, value) in &carried {
        assert!(page.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{name} is not kept: {page}");
    }
    let token = value_after(&page, "name=\"csrf_token\" value=\"");
    drop(held);
    let again: Vec<(&str, &str)> = carried.iter().copied().chain([("csrf_token", &*token)]).collect();
    let (status, leads_to, page) = desk.ask("/m2m/order/assign/confirm", Some(&again)).await;
    assert!(status == 303 && leads_to.starts_with("/m2m/bulk-changes/"), "{status} {leads_to} {page}");
}

#[tokio::test]
async fn what_was_pasted_or_ticked_stays_where_there_is_no_turn_to_read_it() {
    let desk = Desk::new().await;
    let held = desk.web.readings.take(desk.operator.tenant()).await.expect("the turn");
    let text = iccid(1);
    let (status, _, page) = desk.send("/m2m/selection/paste", &[("text", &text)]).await;
    assert_eq!(status, 429, "{page}");
    assert!(page.contains(&format!(">{text}</textarea>")) && page.contains("send this one again later"), "{page}");
    let (status, _, page) = desk.send("/m2m/selection/columns", &[("column", "1"), ("cells_1", "AAAA")]).await;
    assert_eq!(status, 429, "{page}");
    assert!(page.contains("name=\"cells_1\" value=\"AAAA\"") && page.contains("Send again"), "{page}");
    drop(held);
}
