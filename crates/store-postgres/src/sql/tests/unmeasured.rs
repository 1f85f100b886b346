//! Of a new database the planner knows nothing: no table has been analyzed yet, and what it plans for an empty one it may keep. What is
//! given rows of a change finds each by its key all the same, because it leaves the planner no choice (`rows`).

use std::collections::BTreeMap;

use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::plans::{FILL, connect};
use super::texts;
use crate::testing::TestDatabase;

/// The tables that have a row, or several, for each line of a change.
const TABLES: &[&str] = &["device_change", "device_change_step"];

/// What is scheduled for lines: of this table the planner must see that it has rows.
const SCHEDULED: &str = "customer_rate_plan_device_queue";

/// The column behind the tenant in each of their indexes.
type SecondColumns = BTreeMap<String, String>;

async fn rows(client: &Client, text: &str) -> Vec<Vec<String>> {
    let answer = client.simple_query(text).await.unwrap_or_else(|error| panic!("{error:?} in {text}"));
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect()),
        _ => None,
    };
    answer.into_iter().filter_map(row).collect()
}

async fn second_columns(client: &Client, tables: &str) -> SecondColumns {
    let listed = format!(
        "SELECT indexrelid::regclass, trim(split_part(pg_get_indexdef(indexrelid, 2, false), ' ', 1), '()')
        FROM pg_index WHERE indrelid::regclass::text = ANY ('{{{tables}}}')"
    );
    rows(client, &listed).await.into_iter().map(|mut row| (row.swap_remove(0), row.swap_remove(0))).collect()
}

/// Something of the type that may stand for a parameter.
fn example(type_name: &str) -> &'static str {
    match type_name {
        "text" | "json" | "jsonb" => "'[]'",
        "boolean" => "true",
        "bytea" => "'\\x00'",
        "text[]" => "'{\"\"}'",
        of if of.ends_with("[]") => "'{1}'",
        _ => "1",
    }
}

/// The plan of a statement, for parameters that are known or not.
async fn plan(client: &Client, text: &str) -> Value {
    client.batch_execute(&format!("PREPARE planned AS {text}")).await.unwrap_or_else(|error| panic!("{error:?} in {text}"));
    let types = "SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = 'planned'";
    let given: Vec<&str> = rows(client, types).await.iter().map(|row| example(&row[0])).collect();
    let given = if given.is_empty() { String::new() } else { format!("({})", given.join(",")) };
    let explained = rows(client, &format!("EXPLAIN (COSTS OFF, FORMAT JSON) EXECUTE planned{given}")).await;
    client.batch_execute("DEALLOCATE planned").await.expect("forgotten");
    serde_json::from_str(&explained[0][0]).expect("a plan")
}

/// What is given something, and looks for rows of changes or for what is scheduled, but not by what it is given.
const GIVEN_OTHERS: &[&str] = &[
    // A handful of portals: it goes through what is unsettled.
    "billing::LIST_UNSETTLED_ROWS",
    // Lines by what they are called: which rows hold each is looked up then.
    "devices::LOOK_UP_BY_ICCID",
    "devices::LOOK_UP_BY_NUMBER",
    // A reach: what is scheduled is listed, and looked at for whether it is within.
    "completion::CANCEL_ENTRIES_WITHIN",
    "reach::COUNT_DUE_ENTRIES",
    "reach::LIST_DUE_ENTRIES",
    "reach::LIST_ENTRIES_OF_CHANGE",
    "reach::LIST_OPEN_ENTRIES",
    "reach::LIST_OPEN_ENTRIES_OF_DEVICE",
];

/// Whether a statement is given rows of changes, or looks for those of given lines.
fn is_given_rows(name: &str, text: &str) -> bool {
    !GIVEN_OTHERS.contains(&name)
        && ["json_array_elements", "jsonb_array_elements", "unnest("].iter().any(|given| text.contains(given))
        && TABLES.iter().chain([&SCHEDULED]).any(|table| text.contains(&format!("FROM {table} AS")))
        || name == "pages::REPLACE_SCHEDULED"
}

/// What of a plan is not a search by the first columns of an index: all rows of a tenant, and pairs that are tried one by one.
fn wide(node: &Value, indexes: &SecondColumns, found: &mut Vec<String>) {
    let (kind, text) = (node["Node Type"].as_str().unwrap_or_default(), |name: &str| node[name].as_str().unwrap_or_default());
    match kind {
        "Seq Scan" if TABLES.contains(&text("Relation Name")) => found.push(format!("{kind} on {}", text("Relation Name"))),
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
            let (index, by) = (text("Index Name"), text("Index Cond"));
            let words = |word: &str| by.split(|at: char| !at.is_alphanumeric() && at != '_').any(|other| other == word);
            if indexes.get(index).is_some_and(|second| !words(second)) {
                found.push(format!("{kind} using {index} by {by:?}"));
            }
        }
        "Nested Loop" if text("Join Filter").contains(" = ") => found.push(format!("{kind} for {}", text("Join Filter"))),
        _ => {}
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        wide(below, indexes, found);
    }
}

#[tokio::test]
async fn given_rows_are_searched_for_one_by_one_where_nothing_was_analyzed() {
    let database = TestDatabase::new().await;
    let filling = connect(&database.superuser_url()).await;
    let client = connect(&database.app_url()).await;
    let (mut wrong, mut looked_at) = (Vec::new(), 0);
    for (state, fill) in [("empty", ""), ("filled", FILL)] {
        filling.batch_execute(fill).await.expect("rows to plan for");
        let tables = if fill.is_empty() { TABLES.join(",") } else { format!("{},{SCHEDULED}", TABLES.join(",")) };
        let indexes = second_columns(&filling, &tables).await;
        for mode in ["force_custom_plan", "force_generic_plan"] {
            let settings = format!(
                "SET enable_seqscan = off; SET enable_mergejoin = off; SET plan_cache_mode = {mode}; SET app.tenant_id = '1'"
            );
            client.batch_execute(&settings).await.expect("settings");
            for (name, text) in texts().filter(|(name, text)| is_given_rows(name, text)) {
                let mut found = Vec::new();
                wide(&plan(&client, text).await[0]["Plan"], &indexes, &mut found);
                wrong.extend(found.into_iter().map(|scan| format!("{name}, {state}, {mode}: {scan}")));
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 60, "{looked_at} plans were looked at");
    assert_eq!(wrong, Vec::<String>::new());
}
