//! Every statement has its text, and every text and every function keeps to the rules by which the schema distributes by tenant.

mod plans;
mod sought;
mod unmeasured;
mod words;

use std::collections::BTreeSet;

use lineshift_store::sql as portable;
use lineshift_store_sql::TUNED;

use self::words::{Reference, Words};
use crate::migrate::MIGRATIONS;

type Statements = &'static [(&'static str, &'static str)];

/// The texts that both engines share, by file.
const PORTABLE: &[(&str, Statements)] = &[
    ("portable access", portable::access::ALL),
    ("portable audit", portable::audit::ALL),
    ("portable billing", portable::billing::ALL),
    ("portable bulk_changes", portable::bulk_changes::ALL),
    ("portable carriers", portable::carriers::ALL),
    ("portable catalogue", portable::catalogue::ALL),
    ("portable devices", portable::devices::ALL),
    ("portable figures", portable::figures::ALL),
    ("portable line_numbers", portable::line_numbers::ALL),
    ("portable people", portable::people::ALL),
    ("portable plan_queue", portable::plan_queue::ALL),
    ("portable secrets", portable::secrets::ALL),
    ("portable selections", portable::selections::ALL),
    ("portable sync", portable::sync::ALL),
];

/// Every text that is sent to PostgreSQL by name: file and name, text.
fn texts() -> impl Iterator<Item = (String, &'static str)> {
    PORTABLE
        .iter()
        .chain(super::FILES)
        .flat_map(|(file, all)| all.iter().map(move |(name, text)| (format!("{file}::{name}"), *text)))
}

/// What looks across tenants, and only at what every tenant's processes may see.
const ACROSS: &[&str] = &[
    // Which tenants have work: read before one is chosen, without a lock.
    "portable plan_queue::LIST_TENANTS_WITH_WORK",
    "portable plan_queue::NEXT_WORK",
];

/// What answers otherwise each time it is called, or reaches beyond the tenant's rows.
const NEVER: &[&str] = &[
    "random",
    "gen_random_uuid",
    "clock_timestamp",
    "timeofday",
    "nextval",
    "setval",
    "currval",
    "lastval",
    "set_config",
    "txid_current",
    "pg_current_xact_id",
    "pg_sleep",
    "notify",
    "listen",
    "pg_notify",
    "pg_advisory_lock",
    "pg_advisory_xact_lock",
    "pg_try_advisory_lock",
    "pg_try_advisory_xact_lock",
    "pg_advisory_lock_shared",
    "pg_advisory_xact_lock_shared",
];

/// The time is a parameter of every text.
const CLOCKS: &[&str] =
    &["now", "current_timestamp", "localtimestamp", "statement_timestamp", "transaction_timestamp", "current_date"];

/// Functions that pass over tenants: they make and drop partitions and policies, for the owner or in his name.
const OWNERS: &[&str] = &["lineshift_own_by_tenant", "lineshift_ensure_partitions", "lineshift_drop_partitions"];

/// The tables that tenants own.
fn owned_tables() -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    for migration in MIGRATIONS {
        let words = Words::of(migration.sql);
        tables.extend(words.tables_made_with("tenant_id"));
    }
    assert!(tables.len() > 20 && !tables.contains("tenant") && tables.contains("device_tenant"), "{tables:?}");
    tables
}

#[test]
fn each_name_has_a_text() {
    let named: BTreeSet<String> = TUNED.iter().map(|name| (*name).to_owned()).collect();
    let written: BTreeSet<String> =
        super::FILES.iter().flat_map(|(file, all)| all.iter().map(move |(name, _)| format!("{file}::{name}"))).collect();
    assert_eq!(written.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new(), "texts without a name");
    assert_eq!(named.difference(&written).collect::<Vec<_>>(), Vec::<&String>::new(), "names without a text");
}

#[test]
fn parameters_are_numbered_without_a_gap() {
    for (name, text) in texts() {
        let numbers = Words::of(text).parameters();
        let expected: BTreeSet<usize> = (1..=numbers.len()).collect();
        assert_eq!(numbers, expected, "{name}");
    }
}

/// `tenant_id = $1` on the target and again in every join and subselect; the tenant first among what is inserted.
#[test]
fn every_table_is_searched_by_tenant() {
    let tables = owned_tables();
    let mut wrong = Vec::new();
    for (name, text) in texts().filter(|(name, _)| !ACROSS.contains(&name.as_str())) {
        let words = Words::of(text);
        wrong.extend(words.without_tenant(&tables, &["$1"]).into_iter().map(|reference| format!("{name}: {reference}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// So do the functions; those that take no tenant touch no tenant's rows.
#[test]
fn functions_take_the_tenant_first() {
    let tables = owned_tables();
    let (mut wrong, mut found) = (Vec::new(), 0);
    for migration in MIGRATIONS {
        for function in Words::functions(migration.sql).into_iter().filter(|function| !OWNERS.contains(&function.name.as_str())) {
            found += 1;
            let body = Words::of(&function.body);
            if function.first_parameter == "p_tenant_id" {
                let missing = body.without_tenant(&tables, &["p_tenant_id"]);
                wrong.extend(missing.into_iter().map(|reference| format!("{}: {reference}", function.name)));
            } else {
                let touched = body.references(&tables);
                wrong.extend(
                    touched.into_iter().map(|Reference { table, .. }| format!("{} takes no tenant: {table}", function.name)),
                );
            }
        }
    }
    assert!(found > 15, "{found} functions were found");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn nothing_volatile_stands_in_a_text_or_a_function() {
    let mut wrong = Vec::new();
    for (name, text) in texts() {
        let words = Words::of(text);
        wrong.extend(words.any_of(NEVER).chain(words.calls_of(CLOCKS)).map(|word| format!("{name}: {word}")));
    }
    for migration in MIGRATIONS {
        for function in Words::functions(migration.sql) {
            wrong.extend(Words::of(&function.body).any_of(NEVER).map(|word| format!("{}: {word}", function.name)));
        }
        wrong.extend(Words::of(migration.sql).any_of(&["trigger"]).map(|word| format!("{}: {word}", migration.name)));
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// A cluster answers columns from where they are; anything else it would have to work out elsewhere.
#[test]
fn only_columns_are_returned() {
    for (name, text) in texts() {
        for returned in Words::of(text).returned() {
            assert!(returned.chars().all(|at| at.is_alphanumeric() || "_.".contains(at)), "{name} returns {returned}");
        }
    }
}
