//! Every secret of a full demonstration is looked for in all that comes out of it: logs, errors, answers, measures, and the store.

mod forms;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use lineshift_connectors::credentials::{SealedFor, Vault};
use lineshift_connectors::http::AccountKey;
use lineshift_domain::ids::{ServiceProviderId, TenantId};
use lineshift_store::access::AccessStore as _;
use lineshift_store::carriers::CarrierStore as _;
use lineshift_store::secrets::{OF_USERS, SealedColumn, SealedRow, SecretStore as _};
use lineshift_store_sqlite::{Options, SqliteStore};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use self::forms::Secret;
use crate::program::{Place, Running};

const TENANT: TenantId = TenantId(1);

/// Given to the product while it runs: what callbacks must carry, and credentials that the other side refuses.
const OF_CALLBACKS: &str = "c4llb\"ck/S3cr3t+ü=7&";
const WRONG_PASSWORD: &str = "wr0ng/p\"ss+w0rd=5&é";

/// All that came out, with where it did.
#[derive(Default)]
struct Outputs(Vec<(String, String)>);

impl Outputs {
    fn add(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.0.push((place.into(), text.into()));
    }

    fn add_bytes(&mut self, place: &str, bytes: &[u8]) {
        self.add(place, String::from_utf8_lossy(bytes));
    }

    /// Where which secret stands, in which form.
    fn telling(&self, secrets: &[Secret]) -> Vec<String> {
        let mut told = Vec::new();
        for (place, text) in &self.0 {
            let found = secrets.iter().filter_map(|secret| secret.find(text).map(|form| (secret, form)));
            told.extend(found.map(|(secret, form)| format!("{place} tells {} as {form}", secret.name)));
        }
        told
    }
}

/// A server, and an API key of it.
struct Api<'a> {
    address: &'a str,
    key: &'a str,
}

impl Api<'_> {
    /// The whole answer, head and all, in one piece.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> String {
        self.call_as(&format!("authorization: Bearer {}\r\n", self.key), method, path, body)
    }

    /// The same by whoever shows these headers.
    fn call_as(&self, shown: &str, method: &str, path: &str, body: Option<&Value>) -> String {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let body = body.map(Value::to_string).unwrap_or_default();
        let (address, length) = (self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: {address}\r\n{shown}\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Every address of the description that can be read, with every id that there is; answers how many were found.
    fn read_everything(&self, description: &Value, outputs: &mut Outputs) -> usize {
        let mut found = 0;
        for (path, methods) in description["paths"].as_object().expect("paths") {
            if methods.get("get").is_none() {
                continue;
            }
            let ids: &[i64] = if path.contains('{') { &[1, 2, 3, 4, 5, 10, 70_000_000, i64::MAX] } else { &[1] };
            for id in ids {
                let path = filled(path, *id);
                let answer = self.call("GET", &path, None);
                assert!(!answer.starts_with("HTTP/1.0 429"), "nothing is read of {path}");
                found += usize::from(answer.starts_with("HTTP/1.0 200"));
                outputs.add(format!("GET {path}"), answer);
            }
        }
        found
    }

    /// What the product refuses, and what others refuse it: each with a secret in the request.
    fn provoke(&self, outputs: &mut Outputs, accounts: &[AccountKey]) {
        let callbacks = json!({ "user": "carrier", "password": OF_CALLBACKS });
        for provider in 1..=4 {
            let put = format!("/api/v1/service-providers/{provider}/callback-credentials");
            outputs.add(format!("PUT {put}"), self.call("PUT", &put, Some(&callbacks)));
            let post = format!("/callbacks/1/{provider}");
            outputs.add(format!("POST {post}"), self.call("POST", &post, Some(&callbacks)));
        }
        for account in accounts {
            let path = format!("/api/v1/integrations/{}/account", account.integration_authentication_id);
            let stored: Value = body_of(&self.call("GET", &path, None));
            let fields = match stored["integration_kind"].as_str() {
                Some("RevIO" | "Rev.io") => json!({ "user": "lineshift", "client_code": "demo", "password": WRONG_PASSWORD }),
                Some("Jasper") => json!({ "user": "lineshift", "api_key": WRONG_PASSWORD }),
                _ => json!({ "api_key": WRONG_PASSWORD, "distributor_id": "demo" }),
            };
            let address = &stored["base_address"];
            // Half of what is needed, a wrong type, something unknown, and all of it.
            for credentials in
                [json!({ "password": WRONG_PASSWORD }), json!(WRONG_PASSWORD), json!({ "x": WRONG_PASSWORD }), fields]
            {
                let request = json!({ "base_address": address, "is_local": true, "credentials": credentials });
                outputs.add(format!("PUT {path}"), self.call("PUT", &path, Some(&request)));
            }
            let test = format!("/api/v1/integrations/{}/test", account.integration_authentication_id);
            outputs.add(format!("POST {test}"), self.call("POST", &test, None));
        }
        let wrong = Api { address: self.address, key: WRONG_PASSWORD.trim_end_matches('é') };
        outputs.add("a wrong API key", wrong.call("GET", "/api/v1/me", None));
    }
}

/// The administrator of the demonstration signs in, looks at pages, sets an authenticator up and invites somebody; answers what was told
/// to them alone.
fn act_as_a_person(api: &Api<'_>, password: &str, outputs: &mut Outputs) -> Vec<Secret> {
    let wrong = json!({ "email": "admin@example.com", "password": WRONG_PASSWORD });
    outputs.add("a wrong password", api.call_as("", "POST", "/api/v1/session", Some(&wrong)));
    let right = json!({ "email": "admin@example.com", "password": password });
    let entered = api.call_as("", "POST", "/api/v1/session", Some(&right));
    let csrf = body_of(&entered)["csrf_token"].as_str().expect("a token").to_owned();
    let cookie = entered.split("set-cookie: ").nth(1).and_then(|rest| rest.split(';').next()).expect("a cookie").to_owned();
    let shown = format!("cookie: {cookie}\r\nx-csrf-token: {csrf}\r\n");
    for path in
        ["/", "/m2m/lines", "/m2m/bulk-changes", "/account", "/admin/users", "/admin/integrations/1", "/api/v1/me", "/no-such"]
    {
        let answer = api.call_as(&format!("accept: text/html\r\n{shown}"), "GET", path, None);
        assert!(answer.len() > 200, "{path}: {answer}");
        outputs.add(format!("the page {path}"), answer);
    }
    let told = body_of(&api.call_as(&shown, "POST", "/api/v1/one-time-password", Some(&json!({ "password": password }))));
    let guest = json!({ "email": "guest@example.com", "display_name": "A guest", "roles": [], "reach": ["*"] });
    let invited = body_of(&api.call_as(&shown, "POST", "/api/v1/users", Some(&guest)));
    let (_, session) = cookie.split_once("=1.").expect("lineshift=1.SECRET");
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{told} {invited}")).to_owned();
    vec![
        Secret::new("the administrator's password", password),
        Secret::new("a session", session),
        Secret::new("a token against forged requests", &csrf),
        Secret::new("the secret of an authenticator", &text(&told["secret"])),
        Secret::new("the word of an invitation", &text(&invited["invitation"]["token"])),
    ]
}

/// A path with that id in each of its places.
fn filled(path: &str, id: i64) -> String {
    let id = id.to_string();
    let parts = path.split('/').map(|part| if part.starts_with('{') { id.as_str() } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn body_of(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").expect("a head").1;
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// The demonstration as it stays open: its address, and the API key and the password that it shows this once, in lines of their own.
fn demonstrate(place: &Place) -> (Running, String, String, String) {
    let demo = Running::start(place.command(&["demo", "--devices", "200", "--dir", "kept"]));
    let password = demo.until("  password  ").split_whitespace().last().expect("a word").to_owned();
    let export = demo.until("export LINESHIFT_URL=");
    demo.until("Ctrl-C ends it");
    let value = |name: &str| {
        let mut words = export.split_whitespace();
        let found = words.find_map(|word| word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')));
        found.expect("it is shown").to_owned()
    };
    let address = value("LINESHIFT_URL").trim_start_matches("http://").to_owned();
    (demo, address, value("LINESHIFT_API_KEY"), password)
}

/// What the API key says beyond tenant and number.
fn secret_of(key: &str) -> &str {
    key.splitn(4, '_').nth(3).expect("ls_TENANT_ID_SECRET")
}

/// The credentials of every account as they are stored, opened with the key of the installation, value by value.
async fn stored_secrets(store: &SqliteStore, vault: &Vault) -> (Vec<AccountKey>, Vec<Secret>) {
    let (mut accounts, mut secrets) = (Vec::new(), Vec::new());
    let listed = store.list_sealed(TENANT, SealedColumn::Accounts, None, 100).await.expect("listed");
    for text in listed.items {
        let SealedRow::Account(id) = text.row else { panic!("an account") };
        let key = AccountKey { tenant_id: TENANT, integration_authentication_id: id };
        let opened = vault.open(key, &text.sealed).expect("it opens");
        let fields: Value = serde_json::from_str(opened.expose_secret()).expect("JSON");
        let values = fields.as_object().expect("fields").iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        // Names of users, clients and distributors are no secrets.
        let secret = values.filter(|(name, _)| ["password", "api_key", "subscription_key"].contains(&name.as_str()));
        secrets.extend(secret.map(|(name, value)| Secret::new(format!("{name} of {}", text.name), value)));
        accounts.push(key);
    }
    (accounts, secrets)
}

/// Every column of every row of every table, and the files as they are.
#[expect(clippy::disallowed_methods, reason = "the store is looked at behind the product's back")]
fn read_store(directory: &Path, outputs: &mut Outputs) {
    let store = rusqlite::Connection::open(directory.join("lineshift.sqlite3")).expect("it opens");
    let mut named = store.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").expect("a statement");
    let tables: Vec<String> = named.query_map((), |row| row.get(0)).expect("tables").map(Result::unwrap).collect();
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        let mut statement = store.prepare(&format!("SELECT * FROM \"{table}\"")).expect("a table");
        let columns = statement.column_count();
        let mut shown = Vec::new();
        let mut rows = statement.query(()).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..columns {
                use rusqlite::types::ValueRef::{Blob, Integer, Null, Real, Text};
                match row.get_ref(column).expect("a value") {
                    Text(bytes) | Blob(bytes) => shown.extend_from_slice(bytes),
                    Integer(number) => shown.extend(number.to_string().bytes()),
                    Real(number) => shown.extend(number.to_string().bytes()),
                    Null => {}
                }
                shown.push(b'\n');
            }
        }
        outputs.add_bytes(&format!("the table {table}"), &shown);
    }
    for file in std::fs::read_dir(directory).expect("the directory") {
        let path = file.expect("a file").path();
        outputs.add_bytes(&path.display().to_string(), &std::fs::read(&path).expect("it is ours"));
    }
}

/// Every column whose name says that it is sealed is one that a rotation of the key goes through.
#[expect(clippy::disallowed_methods, reason = "the schema is looked at behind the product's back")]
fn sealed_columns(directory: &Path) -> BTreeSet<(String, String)> {
    let store = rusqlite::Connection::open(directory.join("lineshift.sqlite3")).expect("it opens");
    let columns = "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND c.name LIKE '%\\_encrypted' ESCAPE '\\'";
    let mut statement = store.prepare(columns).expect("a statement");
    let found = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).expect("columns");
    found.map(Result::unwrap).collect()
}

#[tokio::test]
async fn no_secret_of_a_demonstration_comes_out_anywhere() {
    let mut place = Place::empty();
    let key = Vault::generate_key_text().expect("random bytes");
    let vault = Vault::from_key_text(&key).expect("a key");
    place.set("LINESHIFT_SECRET_KEY", key.expose_secret());
    // All that the product says of itself.
    place.set("LINESHIFT_LOG_FILTER", "info,lineshift=trace");
    // Everything is read in one go.
    place.set("LINESHIFT_LIMITS_REQUESTS_PER_SECOND_PER_KEY", "0");
    place.set("LINESHIFT_LIMITS_REQUESTS_PER_SECOND_PER_ADDRESS", "0");
    let mut outputs = Outputs::default();
    let description = place.run(&["openapi"]).json(0);

    let (demo, address, api_key, password) = demonstrate(&place);
    let store = lineshift_store_sqlite::open(&place.path("kept/lineshift.sqlite3"), Options::default()).await.expect("a store");
    let (accounts, mut secrets) = stored_secrets(&store, &vault).await;
    assert_eq!(secrets.len(), 3, "Rev.io, Jasper and POND");
    secrets.push(Secret::new("the key of the installation", key.expose_secret().trim_end_matches('=')));
    secrets.push(Secret::new("the API key", secret_of(&api_key)));
    secrets.push(Secret::new("the credentials of callbacks", OF_CALLBACKS));
    secrets.push(Secret::new("refused credentials", WRONG_PASSWORD));
    let provider = ServiceProviderId(1);
    let sealed = vault.seal(SealedFor::Callbacks(TENANT, provider), &SecretString::from(OF_CALLBACKS)).expect("sealed");
    store.set_callback_secret(TENANT, provider, Some(&sealed)).await.expect("stored");

    let api = Api { address: &address, key: &api_key };
    let found = api.read_everything(&description, &mut outputs);
    assert!(found > 50, "{found} answers with something in them");
    api.provoke(&mut outputs, &accounts);
    secrets.extend(act_as_a_person(&api, &password, &mut outputs));
    api.read_everything(&description, &mut outputs);
    let seen = demo.seen();
    let ended = demo.end_by("INT");
    assert_eq!(ended.code, 0, "{}", ended.err);
    // Shown this once, on purpose.
    let once = ["export LINESHIFT_URL=", "/docs with the key ", "  password  "];
    let shown = |line: &&str| !once.iter().any(|words| line.contains(words));
    let logged: Vec<&str> = seen.lines().chain(ended.err.lines()).filter(shown).collect();
    assert!(logged.len() > 100 && logged.iter().any(|line| line.contains(" TRACE ") || line.contains("DEBUG")), "{logged:?}");
    outputs.add("the demonstration's log", logged.join("\n"));
    outputs.add("the demonstration's output", ended.out);

    // A server on what it left, whose accounts are out of reach.
    place.set("LINESHIFT_STORE", &format!("sqlite://{}", place.path("kept/lineshift.sqlite3").display()));
    let made = place.run(&["admin", "key", "create", "second", "--json"]).json(0);
    let second = made["key"].as_str().expect("a key").to_owned();
    secrets.push(Secret::new("the second API key", secret_of(&second)));
    let server = Running::start(place.command(&["serve", "--listen", "127.0.0.1:0"]));
    let line = server.until("listening on http://");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("the address");
    let api = Api { address, key: &second };
    api.read_everything(&description, &mut outputs);
    api.provoke(&mut outputs, &accounts);
    for arguments in
        [&["admin", "integrations", "list"][..], &["admin", "key", "list"], &["admin", "sealed"], &["config", "show"]]
    {
        let ran = place.run(arguments);
        outputs.add(arguments.join(" "), ran.out + &ran.err);
    }
    let rotated = place.run(&["admin", "rotate-secret-key"]);
    outputs.add("rotate-secret-key", rotated.out + &rotated.err);
    let seen = server.seen();
    let ended = server.end_by("TERM");
    outputs.add("the server's log", seen + &ended.err);

    store.check_ready().await.expect("ready");
    drop(store);
    read_store(&place.path("kept"), &mut outputs);
    assert_eq!(outputs.telling(&secrets), Vec::<String>::new());
    let gone_through = SealedColumn::ALL.iter().map(|column| column.stored_as()).chain([OF_USERS]);
    let gone_through = gone_through.map(|(table, column)| (table.to_owned(), column.to_owned())).collect();
    assert_eq!(sealed_columns(&place.path("kept")), gone_through, "columns sealed, columns that a rotation goes through");
}
