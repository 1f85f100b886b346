//! The seeds' design: transactions of 100 rows, four statements a device, with the leanest driver. What stays the same is
//! bound once.

use anyhow::{Context as _, Result};
use rusqlite::{Connection, Statement, ToSql};

use super::fleet::Kind;
use super::peers::Page;
use super::script::Values;
use lineshift_engine::{Clock as _, SystemClock};

/// Rows a transaction.
const ROWS: i64 = 100;

/// A statement of which what varies is bound by place.
struct Bound<'c> {
    statement: Statement<'c>,
    places: Vec<usize>,
}

impl<'c> Bound<'c> {
    /// Prepares a statement, binds what stays the same, and finds the places of what varies.
    fn new(connection: &'c Connection, sql: &str, values: &Values, varying: &[&str]) -> Result<Self> {
        let mut statement = connection.prepare(sql).with_context(|| format!("preparing {sql}"))?;
        values.bind(&mut statement)?;
        let place = |name: &&str| statement.parameter_index(name)?.with_context(|| format!("{name} does not stand in {sql}"));
        let places = varying.iter().map(place).collect::<Result<_>>()?;
        Ok(Self { statement, places })
    }

    fn bind(&mut self, varying: &[&dyn ToSql]) -> Result<()> {
        for (place, value) in self.places.iter().zip(varying) {
            self.statement.raw_bind_parameter(*place, value)?;
        }
        Ok(())
    }

    fn execute(&mut self, varying: &[&dyn ToSql]) -> Result<()> {
        self.bind(varying)?;
        self.statement.raw_execute()?;
        Ok(())
    }
}

/// One row of a page with its line.
struct Line {
    row: i64,
    device: i64,
    iccid: String,
    archived: bool,
    status: String,
    unchanged: bool,
    old: String,
    new: String,
    value: Option<i64>,
}

/// How a refused row ends.
struct Refused {
    kind: &'static str,
    code: &'static str,
    details: String,
}

/// The statements of one kind of change.
struct Statements<'c> {
    read: Bound<'c>,
    update: Bound<'c>,
    mark: Bound<'c>,
    log: Bound<'c>,
    history: Bound<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(connection: &'c Connection, kind: Kind, values: &Values) -> Result<Self> {
        let (read, update, read_varies, update_varies): (_, _, &[&str], &[&str]) = match kind {
            Kind::PlanChange => (
                include_str!("../../bench-sql/per_device/read_plan_change.sql"),
                include_str!("../../bench-sql/per_device/update_plan_change.sql"),
                &["$from", "$to"],
                &["$now", "$device"],
            ),
            Kind::AmopAssignment => (
                include_str!("../../bench-sql/per_device/read_amop_assignment.sql"),
                include_str!("../../bench-sql/per_device/update_amop_assignment.sql"),
                &["$from", "$to", "$now"],
                &["$now", "$device", "$value"],
            ),
        };
        let mark = include_str!("../../bench-sql/per_device/mark.sql");
        let mark_varies = &["$now", "$row", "$status", "$kind", "$code", "$details", "$done"];
        let log = include_str!("../../bench-sql/per_device/log.sql");
        let log_varies = &["$now", "$row", "$iccid", "$status", "$entry", "$text", "$request", "$response", "$error"];
        let history = include_str!("../../bench-sql/per_device/history.sql");
        Ok(Self {
            read: Bound::new(connection, read, values, read_varies)?,
            update: Bound::new(connection, update, values, update_varies)?,
            mark: Bound::new(connection, mark, values, mark_varies)?,
            log: Bound::new(connection, log, values, log_varies)?,
            history: Bound::new(connection, history, values, &["$now", "$device", "$old", "$new"])?,
        })
    }

    fn read(&mut self, from: i64, to: i64, now: i64) -> Result<Vec<Line>> {
        self.read.bind(&[&from, &to, &now])?;
        let mut rows = self.read.statement.raw_query();
        let mut lines = Vec::with_capacity(100);
        while let Some(row) = rows.next()? {
            lines.push(Line {
                row: row.get(0)?,
                device: row.get(1)?,
                iccid: row.get(2)?,
                archived: row.get(3)?,
                status: row.get(4)?,
                unchanged: row.get(5)?,
                old: row.get(6)?,
                new: row.get(7)?,
                value: row.get(8)?,
            });
        }
        Ok(lines)
    }
}

/// The texts of one run.
struct Texts {
    entry: i64,
    text: String,
    request: String,
    response: String,
    refused_request: String,
    archived: String,
    not_active: (String, String),
    modified: String,
}

impl Texts {
    fn of(values: &Values) -> Result<Self> {
        Ok(Self {
            entry: values.number("$entry")?,
            text: values.text("$text")?,
            request: values.text("$request")?,
            response: values.text("$response")?,
            refused_request: values.text("$refused_request")?,
            archived: values.text("$archived")?,
            not_active: (values.text("$not_active_1")?, values.text("$not_active_2")?),
            modified: values.text("$modified")?,
        })
    }

    fn refuse(&self, line: &Line) -> Option<Refused> {
        if line.archived {
            return Some(Refused { kind: "ELIGIBILITY", code: "device_archived", details: self.archived.clone() });
        }
        if line.status != "ACTIVATED" {
            let details = format!("{}{}{}", self.not_active.0, line.status, self.not_active.1);
            return Some(Refused { kind: "ELIGIBILITY", code: "device_not_active", details });
        }
        (!line.unchanged).then(|| Refused { kind: "CONFLICT", code: "modified_meanwhile", details: self.modified.clone() })
    }
}

/// Runs all pages, 100 rows at a time.
pub(super) fn run(connection: &Connection, kind: Kind, pages: &[Page], values: &Values) -> Result<()> {
    let mut values = values.clone();
    let texts = Texts::of(&values)?;
    values.set("$month", super::peers::month(SystemClock.now()));
    let mut statements = Statements::prepare(connection, kind, &values)?;
    for (_, first, last) in pages {
        for from in (*first..=*last).step_by(ROWS.unsigned_abs() as usize) {
            let now = SystemClock.now().timestamp_micros();
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for line in statements.read(from, (from + ROWS - 1).min(*last), now)? {
                one(&mut statements, &texts, &line, now)?;
            }
            connection.prepare_cached("COMMIT")?.execute([])?;
        }
    }
    Ok(())
}

fn one(statements: &mut Statements<'_>, texts: &Texts, line: &Line, now: i64) -> Result<()> {
    let none: Option<&str> = None;
    let Some(refused) = texts.refuse(line) else {
        statements.update.execute(&[&now, &line.device, &line.value])?;
        statements.mark.execute(&[&now, &line.row, &"PROCESSED", &none, &none, &none, &1])?;
        let (entry, text, request, response) = (&texts.entry, &texts.text, &texts.request, &texts.response);
        statements.log.execute(&[&now, &line.row, &line.iccid, &"PROCESSED", entry, text, request, response, &none])?;
        return statements.history.execute(&[&now, &line.device, &line.old, &line.new]);
    };
    let error = format!("{}: {}", refused.code, refused.details);
    statements.mark.execute(&[&now, &line.row, &"ERROR", &refused.kind, &refused.code, &refused.details, &0])?;
    let (text, request) = ("Process: Device Refused", &texts.refused_request);
    statements.log.execute(&[&now, &line.row, &line.iccid, &"ERROR", &0, &text, request, &none, &error])
}
