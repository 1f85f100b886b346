//! Attacks by name: what is written into requests is taken for what it says and for nothing else.

mod headers;
mod injection;
mod markup;
mod paths;

use lineshift_testkit::app::TestApp;
use lineshift_testkit::store::TestStore;
use reqwest::Url;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends a request as it stands, which no client would make so, and answers all of the answer. The server closes behind it.
async fn raw(app: &TestApp, head: &str) -> String {
    let url = Url::parse(&app.url).expect("a URL");
    let mut connection = TcpStream::connect(url.socket_addrs(|| None).expect("an address")[0]).await.expect("it listens");
    connection.write_all(head.as_bytes()).await.expect("it takes requests");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.expect("it answers and closes");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of a raw answer.
fn status(answer: &str) -> u16 {
    let word = answer.split_whitespace().nth(1).unwrap_or_default();
    word.parse().unwrap_or_else(|_| panic!("no answer: {answer:?}"))
}

/// The tables of the store.
async fn tables(app: &TestApp) -> Vec<String> {
    let query = match &app.operator.stored {
        TestStore::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name",
        TestStore::Postgres(..) => {
            "SELECT c.relname::text FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                 AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname"
        }
    };
    rows(app, query).await.into_iter().flatten().collect()
}

/// The rows of a query, each as one text.
async fn rows(app: &TestApp, query: &str) -> Vec<Vec<String>> {
    app.operator.stored.inspect(query).await.unwrap_or_else(|error| panic!("{error:?}: {query}"))
}

/// Every row of every table but those.
async fn everything(app: &TestApp, but: &[&str]) -> Vec<(String, Vec<Vec<String>>)> {
    let mut all = Vec::new();
    for table in tables(app).await.into_iter().filter(|table| !but.contains(&table.as_str())) {
        let mut found = rows(app, &format!("SELECT * FROM {table}")).await;
        found.sort();
        all.push((table, found));
    }
    all
}
