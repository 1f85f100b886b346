//! Taking over another store row by row: how an installation grows from the embedded store to PostgreSQL.
//!
//! The other store is held in one write transaction meanwhile, so that nothing changes under the hand, and everything is read again from
//! both and compared before it is called done. The target must hold no tenant. It is written as the owner of its schema, each tenant's
//! rows in transactions of that tenant.

mod tables;

use std::collections::HashMap;
use std::sync::LazyLock;

use lineshift_domain::ids::TenantId;
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::{Engine, OpenTransaction, OwnedValue, Parameter, Scope, Sql, SqlStore};

pub use self::tables::{Holds, TABLES, Table};
use crate::engine::Postgres;

/// Rows read, written and compared at a time.
const ROWS: i64 = 2_000;

/// Global rows that every database has from its migrations; the other store may know more of them.
const MADE_BY_MIGRATIONS: &str = "device_status";

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The table in hand.
    pub table: &'static str,
    /// Whether its rows are compared by now rather than copied.
    pub comparing: bool,
    /// Rows done of it.
    pub rows: u64,
}

/// What was taken over of a table: every row of it stands in both stores, the same in every column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenOver {
    /// The table.
    pub table: &'static str,
    /// Its rows.
    pub rows: u64,
}

/// A row by column.
type Row = Vec<OwnedValue>;

/// Takes everything over that the other store holds, and compares it.
///
/// # Errors
/// `Conflict`: the target has a tenant already; the other store is at work (a page is held, or an order still arrives); a row differs after
/// all. `Internal`: the two schemas differ. The target is as it was, or holds part of it: empty it and begin anew.
pub async fn take_over<E: Engine>(
    from: &SqlStore<E>,
    to: &SqlStore<Postgres>,
    progress: impl Fn(Progress),
) -> Result<Vec<TakenOver>> {
    let tenants_here = to.read(Scope::Across, |sql| ids(sql, "SELECT id FROM tenant ORDER BY id")).await?;
    if !tenants_here.is_empty() {
        let message = "the target holds tenants already: name a database that was only just migrated".to_owned();
        return Err(StoreError::Conflict { message });
    }
    // Whichever tenant is named: on the other side each statement says whose rows it wants, and one transaction reads them all.
    let held = from.begin(TenantId(0)).await?;
    held.run(refuse_while_at_work).await?;
    let tenants = held.run(|sql| ids(sql, "SELECT id FROM tenant ORDER BY id")).await?;
    let mut taken = Vec::new();
    for table in TABLES {
        let mut rows = 0;
        for scope in scopes(table, &tenants) {
            let mut after = None;
            loop {
                let given = read_open(&held, table, scope, after.clone()).await?;
                let Some(last) = given.last() else { break };
                after = Some(key_of(table, last));
                rows += given.len() as u64;
                to.write(scope, move |sql| insert(sql, table, &given)).await?;
                progress(Progress { table: table.name, comparing: false, rows });
            }
        }
        taken.push(TakenOver { table: table.name, rows });
    }
    take_over_counters(&held, to, &tenants).await?;
    for (table, taken) in TABLES.iter().zip(&taken) {
        compare(&held, to, (table, taken.rows), &tenants, &progress).await?;
    }
    Ok(taken)
}

/// A store at work would go on with what is copied here, and both would do it.
fn refuse_while_at_work(sql: &Sql<'_>) -> Result<()> {
    let held = "SELECT count(*) FROM device_bulk_change_page WHERE owner IS NOT NULL";
    let arriving = "SELECT count(*) FROM device_bulk_change WHERE receiving_until IS NOT NULL";
    let found = |text: &'static str| sql.find(text, &[], |row| row.get::<i64>(0)).map(Option::unwrap_or_default);
    let (held, arriving) = (found(held)?, found(arriving)?);
    if held + arriving == 0 {
        return Ok(());
    }
    let message = format!(
        "the other store is at work: {held} pages are held by workers and {arriving} orders still arrive; stop its servers and workers, \
         let what they hold run out (start one and stop it again by SIGTERM), and try again"
    );
    Err(StoreError::Conflict { message })
}

fn ids(sql: &Sql<'_>, text: &'static str) -> Result<Vec<TenantId>> {
    sql.query(text, &[], |row| row.get(0).map(TenantId))
}

/// In whose name the rows of a table are read and written.
fn scopes(table: &Table, tenants: &[TenantId]) -> Vec<Scope> {
    if table.is_owned() { tenants.iter().copied().map(Scope::Tenant).collect() } else { vec![Scope::Across] }
}

fn key_of(table: &Table, row: &Row) -> Row {
    row[usize::from(table.is_owned())..table.keys].to_vec()
}

async fn read_open<O: OpenTransaction>(held: &O, table: &'static Table, scope: Scope, after: Option<Row>) -> Result<Vec<Row>> {
    held.run(move |sql| read(sql, table, scope, after.as_ref())).await
}

/// The next rows by key.
fn read(sql: &Sql<'_>, table: &'static Table, scope: Scope, after: Option<&Row>) -> Result<Vec<Row>> {
    let texts = texts(table);
    let mut parameters: Vec<&dyn Parameter> = vec![&ROWS];
    if let Scope::Tenant(tenant) = &scope {
        parameters.push(&tenant.0);
    }
    let text = match after {
        Some(key) => {
            parameters.extend(key.iter().map(|value| value as &dyn Parameter));
            texts.next
        }
        None => texts.first,
    };
    sql.query(text, &parameters, |row| {
        let read = |(column, (_, holds)): (usize, &(&str, Holds))| {
            Ok(match holds {
                Holds::Integers => row.get::<Option<i64>>(column)?.into(),
                Holds::Texts => row.get::<Option<String>>(column)?.into(),
                Holds::Bytes => row.get::<Option<Vec<u8>>>(column)?.map_or(OwnedValue::Null, OwnedValue::Bytes),
            })
        };
        table.columns.iter().enumerate().map(read).collect()
    })
}

fn insert(sql: &Sql<'_>, table: &'static Table, rows: &[Row]) -> Result<()> {
    sql.execute_each(texts(table).insert, rows, |row, take| {
        let parameters: Vec<&dyn Parameter> = row.iter().map(|value| value as &dyn Parameter).collect();
        take(&parameters)
    })
}

/// Ids made from now on lie behind those that are there.
async fn take_over_counters<O: OpenTransaction>(held: &O, to: &SqlStore<Postgres>, tenants: &[TenantId]) -> Result<()> {
    let counters = held
        .run(|sql| sql.query("SELECT name, next_id FROM id_counter", &[], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?))))
        .await?;
    for tenant in tenants.iter().copied() {
        let counters = counters.clone();
        to.write(tenant, move |sql| {
            counters.iter().filter(|(name, _)| name != "tenant").try_for_each(|(name, next)| sql.raise_ids(tenant, name, *next))
        })
        .await?;
    }
    let raise = "SELECT setval('tenant_id_seq', greatest((SELECT max(id) FROM tenant), 1))";
    to.write(Scope::Across, move |sql| sql.query(raise, &[], |_| Ok(())).map(|_| ())).await
}

/// Reads a table again on both sides, row by row in the order of the key.
async fn compare<O: OpenTransaction>(
    held: &O,
    to: &SqlStore<Postgres>,
    (table, expected): (&'static Table, u64),
    tenants: &[TenantId],
    progress: &impl Fn(Progress),
) -> Result<()> {
    let mut rows = 0;
    for scope in scopes(table, tenants) {
        let mut after: Option<Row> = None;
        loop {
            let theirs = read_open(held, table, scope, after.clone()).await?;
            let from = after.clone();
            let ours = to.read(scope, move |sql| read(sql, table, scope, from.as_ref())).await?;
            if let Some(difference) = first_difference(table, &theirs, &ours) {
                return Err(StoreError::Conflict { message: difference });
            }
            let Some(last) = theirs.last() else { break };
            after = Some(key_of(table, last));
            rows += theirs.len() as u64;
            progress(Progress { table: table.name, comparing: true, rows });
        }
    }
    if rows == expected {
        return Ok(());
    }
    Err(StoreError::Conflict { message: format!("{}: {expected} rows were copied, {rows} are there", table.name) })
}

/// What differs first, without the values: they may be anybody's.
fn first_difference(table: &Table, theirs: &[Row], ours: &[Row]) -> Option<String> {
    if table.name == MADE_BY_MIGRATIONS {
        let missing = theirs.iter().find(|row| !ours.contains(row));
        return missing.map(|row| format!("{}: the row with the key {:?} is not there", table.name, key_of(table, row)));
    }
    if theirs.len() != ours.len() {
        return Some(format!("{}: {} rows there and {} here after the same key", table.name, theirs.len(), ours.len()));
    }
    let (theirs, ours) = theirs.iter().zip(ours).find(|(theirs, ours)| theirs != ours)?;
    let differs = |(column, _): &(usize, &(&str, Holds))| theirs[*column] != ours[*column];
    let columns: Vec<&str> = table.columns.iter().enumerate().filter(differs).map(|(_, (name, _))| *name).collect();
    Some(format!("{}: the row with the key {:?} differs in {}", table.name, key_of(table, theirs), columns.join(", ")))
}

/// The statements of a table.
struct Texts {
    /// Its first rows by key: `$1` how many, `$2` the tenant if it is owned.
    first: &'static str,
    /// Those after a key: `$1` and `$2` as before, then the rest of the key.
    next: &'static str,
    /// Inserts rows, one array a column.
    insert: &'static str,
}

/// Made once from the list of tables and kept for good: statements are known by texts that do not end.
static TEXTS: LazyLock<HashMap<&'static str, Texts>> =
    LazyLock::new(|| TABLES.iter().map(|table| (table.name, Texts::of(table))).collect());

fn texts(table: &Table) -> &'static Texts {
    &TEXTS[table.name]
}

impl Texts {
    fn of(table: &Table) -> Self {
        let name = table.name;
        let columns: Vec<&str> = table.columns.iter().map(|(column, _)| *column).collect();
        let (key, listed) = (&columns[..table.keys], columns.join(", "));
        let (owner, rest, first_of_key) = if table.is_owned() { ("tenant_id = $2", &key[1..], 3) } else { ("1 = 1", key, 2) };
        let places: Vec<String> = (first_of_key..).take(rest.len()).map(|place| format!("${place}")).collect();
        let select = format!("SELECT {listed} FROM {name} WHERE {owner}");
        let order = format!("ORDER BY {} LIMIT $1", key.join(", "));
        let arrays: Vec<String> =
            table.columns.iter().zip(1..).map(|((_, holds), place)| format!("${place}::{}", holds.array())).collect();
        let on_conflict = if name == MADE_BY_MIGRATIONS { " ON CONFLICT DO NOTHING" } else { "" };
        Self {
            first: format!("{select} {order}").leak(),
            next: format!("{select} AND ({}) > ({}) {order}", rest.join(", "), places.join(", ")).leak(),
            insert: format!("INSERT INTO {name} ({listed}) SELECT * FROM unnest({}){on_conflict}", arrays.join(", ")).leak(),
        }
    }
}
