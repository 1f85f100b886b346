//! SQL that is written into parameters, paths, cursors and fields: every one that the API's description names is tried.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use lineshift_domain::limits::Limits;
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::operator::iccid;
use reqwest::Method;
use serde_json::{Value, json};

use super::{everything, tables};

/// How many requests are on their way at a time.
const AT_ONCE: usize = 4;

/// What has meant something to some database or other: tried everywhere.
const SHARPEST: [&str; 14] = [
    "'",
    "\"",
    "\\",
    "'; DROP TABLE device; --",
    "' OR '1'='1",
    "1' UNION SELECT secret_hash FROM api_key --",
    "%",
    "_",
    "$1",
    "$$; SELECT pg_sleep(9); $$",
    "1\0",
    // A quotation mark of another width, marks that turn the reading direction or are not seen.
    "\u{ff07} OR 1=1 --",
    "\u{202e}\u{200b}\u{feff}",
    "9223372036854775808",
];

/// More of it: tried where it is stored.
const OTHERS: [&str; 15] = [
    "1; DROP TABLE session",
    "1 OR 1=1",
    "') OR ('1'='1",
    "%25",
    "*",
    "?1",
    ":name",
    "/*",
    "\u{2bc} OR 1=1",
    // Letters that fold to others, the last character that there is.
    "\u{212a}\u{130}\u{17f}",
    "\u{1f4a9}\u{10ffff}",
    "1e3",
    "NaN",
    "{\"$gt\":\"\"}",
    "[\"'\"]",
];

/// What is tried everywhere, and something very long.
fn payloads() -> impl Iterator<Item = String> {
    SHARPEST.into_iter().map(str::to_owned).chain(["'".repeat(4_000)])
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// An operation of the description, with everything in it that takes a value.
struct Operation {
    method: Method,
    path: String,
    parameters: Vec<(String, String)>,
    fields: Vec<String>,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&lineshift_web::openapi_json()).expect("JSON");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        // What streams goes on for ever.
        for (method, operation) in methods.as_object().expect("methods").iter().filter(|_| !path.ends_with("/events")) {
            let of = |parameter: &Value, name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let parameters = parameters.map(|parameter| (of(parameter, "in"), of(parameter, "name"))).collect();
            let mut fields = BTreeSet::new();
            collect_fields(&document, &operation["requestBody"]["content"]["application/json"]["schema"], "", &mut fields);
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            found.push(Operation { method, path: path.clone(), parameters, fields: fields.into_iter().collect() });
        }
    }
    found
}

/// The names of a body's fields, those of objects in it as `outer/inner`.
fn collect_fields(document: &Value, schema: &Value, within: &str, found: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        collect_fields(document, document.pointer(pointer).expect("what it refers to"), within, found);
    }
    for of in ["oneOf", "allOf", "anyOf"] {
        for part in schema[of].as_array().into_iter().flatten() {
            collect_fields(document, part, within, found);
        }
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let name = format!("{within}/{name}");
        // Two levels are all that there are; a schema that names itself ends here, too.
        if name.matches('/').count() < 3 {
            collect_fields(document, inner, &name, found);
            collect_fields(document, &inner["items"], &name, found);
        }
        found.insert(name);
    }
}

/// The address with ids that are there, and the named parameter of the path in place of one.
fn address(app: &TestApp, path: &str, instead: Option<(&str, &str)>) -> String {
    let path = instead.map_or_else(|| path.to_owned(), |(name, value)| path.replace(&format!("{{{name}}}"), &encoded(value)));
    let id = if path.contains("/customers/") { app.operator.rev_customer.0 } else { 1 };
    path.replace("{portal}", "M2M")
        .replace("{tenant_id}", &app.operator.tenant().to_string())
        .replace("{service_provider_id}", &app.operator.jasper.to_string())
        .replace("{id}", &id.to_string())
}

/// A body that its endpoint takes, so that a field is not passed over because of the others.
fn body(app: &TestApp, path: &str) -> Value {
    match path {
        "/{portal}/AssociateCustomer" => {
            json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": app.operator.amop_site.0})
        }
        "/{portal}/BulkChange" | "/{portal}/ValidateBulkChange" => json!({"ServiceProviderId": app.operator.jasper.0,
            "Devices": [iccid(1)], "ChangeType": 4, "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0}}),
        "/api/v1/users" => json!({"email": "a@example.com", "display_name": "A", "roles": [1], "reach": ["*"]}),
        "/api/v1/roles" => json!({"name": "A role", "scopes": ["m2m:view"]}),
        "/api/v1/api-keys" => json!({"name": "A key", "scopes": ["m2m:view"]}),
        _ => json!({"name": "A name"}),
    }
}

fn with_field(mut body: Value, field: &str, value: &str) -> Value {
    let mut place = &mut body;
    let parts: Vec<&str> = field.trim_start_matches('/').split('/').collect();
    for part in &parts[..parts.len() - 1] {
        if !place[*part].is_object() {
            place[*part] = json!({});
        }
        place = &mut place[*part];
    }
    place[parts[parts.len() - 1]] = json!(value);
    body
}

async fn with_things() -> (TestApp, HttpCaller) {
    // Thousands of requests are written down: here they need not wait for the disk.
    let options = Options { durable: false, ..Options::default() };
    let app = TestApp::with(3, Limits::default(), options).await;
    let admin = app.admin().await;
    let order = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"}});
    assert_eq!(admin.post("/M2M/BulkChange", &order).await.status, 202);
    app.operator.run_until_idle().await;
    (app, admin)
}

/// What is wrong with an answer to something that nothing is called.
fn wrong(asked: &str, answer: &Answer) -> Option<String> {
    let shown = || format!("{asked}: {} {}", answer.status, answer.text().chars().take(300).collect::<String>());
    let says_sql =
        ["syntax error", "sqlite", "SQLSTATE", "no such column", "unterminated"].iter().any(|mark| answer.text().contains(mark));
    (answer.status >= 500 || says_sql).then(shown)
}

#[tokio::test]
async fn sql_in_any_parameter_path_or_cursor_finds_and_changes_nothing() {
    let (app, admin) = with_things().await;
    // Who asked what is written down, and when keys were used.
    let but = ["audit_entry", "audit_outcome", "api_key"];
    let before = everything(&app, &but).await;
    let mut requests = Vec::new();
    for Operation { method, path, parameters, .. } in operations() {
        for (place, name) in parameters {
            for payload in payloads() {
                let asked = format!("{method} {path} {name}={payload:?}");
                let address = match place.as_str() {
                    "path" => address(&app, &path, Some((&name, &payload))),
                    "query" => format!("{}?{name}={}", address(&app, &path, None), encoded(&payload)),
                    // A header that ends in a statement; what no header can hold is for another test.
                    _ => address(&app, &path, None),
                };
                let request = admin.request(method.clone(), &address);
                let request = match place.as_str() {
                    "header" if reqwest::header::HeaderValue::from_str(&payload).is_err() => continue,
                    "header" => request.header(name.as_str(), &payload).json(&json!({"Devices": payload})),
                    _ if method == Method::GET => request,
                    _ => request.json(&json!({})),
                };
                requests.push((asked, request, place.clone()));
            }
        }
    }
    assert!(requests.len() > 1_000, "{}", requests.len());
    let wrong: Vec<String> = stream::iter(requests)
        .map(async |(asked, request, place)| {
            let answer = send(request).await;
            let found = answer.status == 200 && answer.header("content-type") == "application/json" && {
                let items = answer.json()["items"].as_array().map_or(1, Vec::len);
                items > 0 || place == "path"
            };
            let shown = found.then(|| format!("{asked} found {}", answer.text().chars().take(300).collect::<String>()));
            shown.or_else(|| wrong(&asked, &answer))
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(async |found| found)
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    let after = everything(&app, &but).await;
    for ((table, before), (_, after)) in before.iter().zip(&after) {
        assert_eq!(before, after, "{table}");
    }
}

#[tokio::test]
async fn sql_in_any_field_of_a_body_is_text_or_refused() {
    let (app, admin) = with_things().await;
    let stranger = app.stranger().await;
    assert_eq!(stranger.post("/api/v1/sites", &json!({"name": "Theirs"})).await.status, 201);
    let whose = "SELECT name FROM site ORDER BY name";
    let known = tables(&app).await;
    let mut requests = Vec::new();
    for Operation { method, path, fields, .. } in operations() {
        for field in &fields {
            for payload in payloads() {
                let body = with_field(body(&app, &path), field, &payload);
                let asked = format!("{method} {path} {field}={payload:?}");
                requests.push((asked, admin.request(method.clone(), &address(&app, &path, None)).json(&body)));
            }
        }
    }
    assert!(requests.len() > 1_000, "{}", requests.len());
    let wrong: Vec<String> = stream::iter(requests)
        .map(async |(asked, request)| wrong(&asked, &send(request).await))
        .buffer_unordered(AT_ONCE)
        .filter_map(async |found| found)
        .collect()
        .await;
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    assert_eq!(tables(&app).await, known, "no table more, none less");
    assert!(super::rows(&app, whose).await.contains(&vec!["Theirs".to_owned()]), "another tenant's stands as it stood");
    assert_eq!(stranger.read("/api/v1/sites").await["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(admin.read("/api/v1/devices").await["items"].as_array().map(Vec::len), Some(3), "every line is there");
}

#[tokio::test]
async fn what_is_stored_comes_back_letter_by_letter_and_wildcards_find_themselves_alone() {
    let (_app, admin) = with_things().await;
    for name in SHARPEST.into_iter().chain(OTHERS).filter(|name| !name.contains('\0')) {
        let made = admin.post("/api/v1/sites", &json!({"name": name})).await;
        assert_eq!(made.status, 201, "{name:?}: {}", made.text());
        let id = made.json()["id"].clone();
        assert_eq!(admin.read(&format!("/api/v1/sites/{id}")).await["name"], name, "{name:?}");
    }
    // The line whose number is asked for, and neither all nor those that look alike.
    let line = admin.read("/api/v1/devices?limit=1").await["items"][0].clone();
    let (iccid, number) = (line["iccid"].as_str().expect("an ICCID"), line["subscriber_number"].as_str().expect("a number"));
    for (name, value) in [("iccid", iccid), ("number", number)] {
        let found = admin.read(&format!("/api/v1/devices?{name}={}", encoded(value))).await;
        assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{name}");
        let all_but_one = value.len() - 1;
        for wild in ["%".to_owned(), format!("{}%", &value[..3]), format!("{}_", &value[..all_but_one]), "_".repeat(value.len())]
        {
            let found = admin.get(&format!("/api/v1/devices?{name}={}", encoded(&wild))).await;
            assert!(found.status == 422 || found.json()["items"] == json!([]), "{name}={wild}: {}", found.text());
        }
    }
    for (name, wild) in [("action", "POST %"), ("action", "%"), ("target", "%"), ("target", "sites/_")] {
        let found = admin.get(&format!("/api/v1/audit?{name}={}", encoded(wild))).await;
        assert!(found.status == 422 || found.json()["items"] == json!([]), "{name}={wild}: {}", found.text());
    }
}
