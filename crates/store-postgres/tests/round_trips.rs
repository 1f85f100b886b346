//! What every request asks before anything else, who calls, is one round trip: between the store and the server stands somebody who
//! hands on no answer before the end of the transaction was asked for, so that whoever waits for one in between waits in vain.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_domain::scopes::Scopes;
use lineshift_store::StoreError;
use lineshift_store::access::{AccessStore as _, NewApiKey};
use lineshift_store::people::{Membership, NewSession, NewUser, PeopleStore as _};
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_postgres::{Options, PostgresStore, connect};
use lineshift_store_sql::{Engine as _, Scope};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

const TOKEN: [u8; 32] = [5; 32];

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
}

/// Whoever stands between.
#[derive(Clone)]
struct Between {
    /// Whether answers wait until the end of a transaction was asked for.
    strict: watch::Sender<bool>,
    /// How often an end was asked for.
    ends: watch::Sender<u64>,
    /// What the client said, a message each: its kind, and its text where it is a plain one.
    said: Arc<Mutex<Vec<String>>>,
    /// How often the client went on after it had been answered something.
    trips: Arc<Mutex<Trips>>,
}

#[derive(Default)]
struct Trips {
    count: u64,
    was_answered: bool,
}

impl Between {
    /// Stands between the server of that URL and whoever connects to the one that is answered.
    async fn stand(server: &str) -> (String, Self) {
        let mut url = Url::parse(server).expect("a URL");
        let at = (url.host_str().expect("a host").to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        url.set_port(Some(listener.local_addr().expect("bound").port())).expect("a host");
        let (strict, ends) = (watch::Sender::new(false), watch::Sender::new(0));
        let between = Self { strict, ends, said: Arc::default(), trips: Arc::default() };
        let standing = between.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&at).await.expect("the server listens");
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(standing.clone().hand_questions(from_client, to_server));
                tokio::spawn(standing.clone().hand_answers(from_server, to_client));
            }
        });
        (url.to_string(), between)
    }

    async fn hand_questions(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        // The first message has no kind; no TLS is asked for on loopback.
        let Ok(length) = from.read_u32().await else { return };
        let mut first = vec![0; length as usize - 4];
        from.read_exact(&mut first).await.expect("a whole message");
        to.write_all(&[&length.to_be_bytes()[..], &first].concat()).await.expect("the server listens");
        while let Ok(kind) = from.read_u8().await {
            let length = from.read_u32().await.expect("a whole message");
            let mut body = vec![0; length as usize - 4];
            from.read_exact(&mut body).await.expect("a whole message");
            let text =
                if kind == b'Q' { String::from_utf8_lossy(&body).trim_end_matches('\0').to_owned() } else { String::new() };
            to.write_all(&[&[kind][..], &length.to_be_bytes(), &body].concat()).await.expect("the server listens");
            let mut trips = self.trips.lock().expect("nobody panics");
            trips.count += u64::from(std::mem::take(&mut trips.was_answered));
            drop(trips);
            if text == "COMMIT" {
                self.ends.send_modify(|ends| *ends += 1);
            }
            self.said.lock().expect("nobody panics").push(format!("{} {text}", char::from(kind)).trim_end().to_owned());
        }
    }

    async fn hand_answers(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = [0; 8_192];
        let (mut strict, mut ends) = (self.strict.subscribe(), self.ends.subscribe());
        loop {
            let Ok(read @ 1..) = from.read(&mut bytes).await else { return };
            if *strict.borrow_and_update() {
                // What was begun under this rule has an end, or nobody hears of it.
                drop(ends.wait_for(|ends| *ends > 0).await);
            }
            self.trips.lock().expect("nobody panics").was_answered = true;
            if to.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    }

    /// From now on answers wait for the end, and what is said is noted from its beginning.
    fn be_strict(&self) {
        self.ends.send_replace(0);
        self.strict.send_replace(true);
        self.said.lock().expect("nobody panics").clear();
        let mut trips = self.trips.lock().expect("nobody panics");
        (trips.count, trips.was_answered) = (0, true);
    }

    /// What was said since, and in how many round trips.
    fn heard(&self) -> (Vec<String>, u64) {
        let trips = self.trips.lock().expect("nobody panics").count;
        (self.said.lock().expect("nobody panics").clone(), trips)
    }
}

/// A tenant with a key, and somebody who is signed in.
async fn fill(store: &PostgresStore, name: &str) -> (TenantId, PrincipalId) {
    let tenant = store.create_tenant(name, chrono_tz::UTC, now()).await.expect("a tenant");
    let key = NewApiKey {
        name: format!("{name}'s"),
        secret_hash: [1; 32],
        scopes: Scopes::all(),
        reach: Reach::Everything,
        expires_at: None,
    };
    let key = store.create_api_key(tenant, &key, now()).await.expect("a key");
    let person = NewUser { email: format!("{name}@localhost"), display_name: name.to_owned(), password_hash: None };
    let user = store.create_user(&person, now()).await.expect("a user");
    let roles = store.list_roles(tenant).await.expect("roles").iter().map(|role| role.id).collect();
    let membership = Membership { roles, reach: Reach::Everything, is_active: true };
    let member = store.add_member(tenant, user, &membership, now()).await.expect("a member");
    let (address, agent, ends_at) = (String::new(), String::new(), now() + TimeDelta::hours(1));
    let session = NewSession { token_hash: TOKEN, member, ends_at, address, agent };
    store.begin_session(tenant, &session, now()).await.expect("begun");
    (tenant, key)
}

/// One connection, which gives up soon what is not answered.
fn options() -> Options {
    Options {
        connections: 1,
        statement_timeout: Duration::from_secs(2),
        answer_margin: Duration::from_secs(1),
        ..Options::default()
    }
}

#[tokio::test]
async fn who_calls_is_found_in_one_round_trip() {
    let database = TestDatabase::new().await;
    let (tenant, key) = fill(&database.store(Options::default()).await, "Aurora").await;
    let (url, between) = Between::stand(&database.app_url()).await;
    let store = connect(&url, options()).await.expect("it answers");
    // What a connection never ran is prepared once.
    store.find_api_key(tenant, key).await.expect("asked").expect("the key");
    store.find_signed_in(tenant, &TOKEN).await.expect("asked").expect("somebody");

    let expected = [format!("Q BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL app.tenant_id = '{tenant}'")];
    let expected = [&expected[..], &["B", "E", "S", "Q COMMIT"].map(str::to_owned)].concat();
    between.be_strict();
    assert!(store.find_api_key(tenant, key).await.expect("answered at once").is_some());
    assert_eq!(between.heard(), (expected.clone(), 1), "a key");
    between.be_strict();
    let found = store.find_signed_in(tenant, &TOKEN).await.expect("answered at once").expect("somebody");
    assert_eq!(between.heard(), (expected, 1), "a session with person, roles and reach");
    assert!(found.rights.scopes == Scopes::all(), "with what they may do: {:?}", found.rights);
    for (stranger, token) in [(PrincipalId(key.0 + 1_000), [5; 32]), (key, [6; 32])] {
        between.be_strict();
        let found = (store.find_api_key(tenant, stranger).await, store.find_signed_in(tenant, &token).await);
        assert_eq!((found.0.expect("asked").is_some(), found.1.expect("asked").is_some()), (stranger == key, token == TOKEN));
    }
}

#[tokio::test]
async fn whoever_waits_for_an_answer_in_between_is_noticed() {
    let database = TestDatabase::new().await;
    let (tenant, _) = fill(&database.store(Options::default()).await, "Aurora").await;
    let (url, between) = Between::stand(&database.app_url()).await;
    let soon = Duration::from_secs(1);
    let options = Options { statement_timeout: soon, answer_margin: soon, ..options() };
    let store = connect(&url, options).await.expect("it answers");
    store.get_tenant(tenant).await.expect("asked");
    between.be_strict();
    let waited = store.get_tenant(tenant).await;
    assert!(matches!(waited, Err(StoreError::Unavailable(_))), "{waited:?}");
}

#[tokio::test]
async fn a_look_up_leaves_no_tenant_to_the_next_one_on_its_connection() {
    let database = TestDatabase::new().await;
    let store = database.store(options()).await;
    let (one, key) = fill(&store, "Aurora").await;
    let (other, same) = fill(&store, "Borealis").await;
    assert_eq!(key, same, "alike, so that nothing but the tenant tells them apart");
    let held = |sql: &lineshift_store_sql::Sql<'_>| {
        sql.find("SELECT coalesce(current_setting('app.tenant_id', true), '')", &[], |row| row.get::<String>(0))
    };
    for (tenant, name) in [(one, "Aurora's"), (other, "Borealis's"), (one, "Aurora's")] {
        assert_eq!(store.find_api_key(tenant, key).await.expect("asked").expect("the key").name, name);
        assert_eq!(store.read(Scope::Across, held).await.expect("read").as_deref(), Some(""), "after a key");
        let found = store.find_signed_in(tenant, &TOKEN).await.expect("asked").expect("somebody");
        assert_eq!(format!("{}'s", found.display_name), name);
        assert_eq!(store.read(Scope::Across, held).await.expect("read").as_deref(), Some(""), "after a session");
    }
    // Nor does one that fails.
    let failed = store.find_in_one_trip(one, "SELECT 1 / 0", Vec::new(), |_| Ok(())).await;
    assert!(matches!(failed, Err(StoreError::Internal { .. })), "{failed:?}");
    assert_eq!(store.read(Scope::Across, held).await.expect("read").as_deref(), Some(""), "after a failure");
}

#[tokio::test]
async fn row_level_security_holds_a_look_up_to_its_tenant() {
    let database = TestDatabase::new().await;
    let store = database.store(options()).await;
    let (one, _) = fill(&store, "Aurora").await;
    let (other, _) = fill(&store, "Borealis").await;
    for table in ["api_key", "session", "member", "role"] {
        // Leaked: this test makes up its statements.
        let every: &'static str =
            format!("SELECT string_agg(DISTINCT tenant_id::text, ' ') FROM {table} WHERE $1::bigint > 0").leak();
        for tenant in [one, other] {
            let read = |row: &lineshift_store_sql::Row<'_>| row.get::<Option<String>>(0);
            let seen = store.find_in_one_trip(tenant, every, vec![tenant.0.into()], read).await.expect("asked").flatten();
            assert_eq!(seen, Some(tenant.to_string()), "a statement that forgot its tenant sees its own rows of {table} alone");
        }
    }
    let written = "WITH taken AS (DELETE FROM session WHERE tenant_id = $1 RETURNING 1) SELECT count(*) FROM taken";
    let refused = store.find_in_one_trip(one, written, vec![one.0.into()], |_| Ok(())).await;
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "nothing is written by one: {refused:?}");
    assert!(store.find_signed_in(one, &TOKEN).await.expect("asked").is_some());
}

#[tokio::test]
async fn a_connection_that_died_while_nobody_used_it_is_not_noticed_by_whoever_asks_who_calls() {
    let database = TestDatabase::new().await;
    let store = database.store(options()).await;
    let (tenant, key) = fill(&store, "Aurora").await;
    assert!(store.find_api_key(tenant, key).await.expect("asked").is_some());
    database.cut_off("usename = 'lineshift_app'").await;
    assert!(store.find_api_key(tenant, key).await.expect("asked anew").is_some());
}
