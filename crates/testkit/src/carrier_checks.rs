//! What must hold once nothing is open: between what was ordered of carriers, what the store says, and what their ledgers have.

use std::collections::{BTreeMap, BTreeSet};

use lineshift_domain::carrier::CarrierChange;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::order::Effect;
use lineshift_simulators::pond::{Package, PackageStatus, ServiceStatus};

use crate::carriers::CarrierWorld;
use crate::crash::{damage, look};

/// A change that asks something of a carrier.
#[derive(Debug, Clone)]
pub struct OrderedThere {
    /// The changes, with what each asks.
    pub changes: Vec<(BulkChangeId, CarrierChange)>,
    /// Packages at POND that somebody else had added.
    pub packages_before: BTreeSet<i64>,
    /// Lines with which somebody else meddled at their carrier: only what was done for them counts.
    pub meddled: BTreeSet<String>,
}

impl OrderedThere {
    /// These changes, on carriers as they stand now.
    #[must_use]
    pub fn on(world: &CarrierWorld) -> Self {
        let sims = world.pond.ledger().sims();
        let packages = sims.iter().flat_map(|sim| world.pond.ledger().packages_of(&sim.iccid));
        Self {
            changes: Vec::new(),
            packages_before: packages.map(|package| package.package_id).collect(),
            meddled: BTreeSet::new(),
        }
    }

    /// And that change.
    ///
    /// # Panics
    /// When it asks nothing of a carrier.
    pub fn add(&mut self, id: BulkChangeId, effect: &Effect) {
        self.changes.push((id, asked_of_carrier(effect).expect("it asks something of a carrier")));
    }
}

/// What an order asks of a carrier, at once.
#[must_use]
pub fn asked_of_carrier(effect: &Effect) -> Option<CarrierChange> {
    let plan = match effect {
        Effect::CarrierRatePlanChange(plan) => plan,
        Effect::CustomerAssignment(assignment) => assignment.carrier_rate_plan.as_ref()?,
        Effect::StatusUpdate(status) => {
            let (status, reason_code) = (status.target_status.clone(), status.reason_code.clone());
            return Some(CarrierChange::Status { status, reason_code });
        }
        Effect::CustomerRatePlanChange(_) | Effect::NewServiceActivation(_) => return None,
    };
    let (rate_plan, comm_plan) = (plan.carrier_rate_plan.clone(), plan.comm_plan.clone());
    Some(CarrierChange::RatePlan { rate_plan, comm_plan, effective_at: None })
}

/// A device change.
#[derive(Debug)]
struct Row {
    id: i64,
    change: i64,
    iccid: String,
    status: String,
    code: String,
    holds: i64,
    text: String,
    processed_at: i64,
}

/// An act of a row at a carrier.
#[derive(Debug)]
struct Part {
    row: i64,
    step: String,
    state: String,
    adopted: bool,
    part: i64,
    id: Option<i64>,
    outcome: String,
}

/// How a line stands.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    status: String,
    plan: String,
}

struct Books {
    rows: Vec<Row>,
    parts: Vec<Part>,
    here: BTreeMap<String, Line>,
    /// History: change, ICCID, action, old and new value.
    history: Vec<[String; 5]>,
}

fn whole(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

impl Books {
    async fn of(world: &CarrierWorld) -> Self {
        let table =
            async |query: &str| world.operator.stored.inspect(query).await.unwrap_or_else(|error| panic!("{error:?}: {query}"));
        let rows = "SELECT id, bulk_change_id, coalesce(iccid, ''), status, coalesce(error_code, ''), holds,
            coalesce(status_details, ''), coalesce(processed_at, 0) FROM device_change ORDER BY id";
        let row = |row: Vec<String>| Row {
            id: whole(&row[0]),
            change: whole(&row[1]),
            iccid: row[2].clone(),
            status: row[3].clone(),
            code: row[4].clone(),
            holds: whole(&row[5]),
            text: row[6].clone(),
            processed_at: whole(&row[7]),
        };
        let parts = "SELECT device_change_id, step, state, adopted, part, external_id, coalesce(outcome, '')
            FROM device_change_step WHERE step <> 'rev_service' ORDER BY 1, 5";
        let part = |part: Vec<String>| Part {
            row: whole(&part[0]),
            step: part[1].clone(),
            state: part[2].clone(),
            adopted: part[3] == "1",
            part: whole(&part[4]),
            id: part[5].parse().ok(),
            outcome: part[6].clone(),
        };
        let here = table("SELECT iccid, status, coalesce(carrier_rate_plan, '') FROM device").await;
        let line = |line: Vec<String>| (line[0].clone(), Line { status: line[1].clone(), plan: line[2].clone() });
        let history = table(
            "SELECT h.bulk_change_id, d.iccid, h.action, h.old_value, h.new_value FROM device_action_history h
            JOIN device d ON d.id = h.device_id WHERE h.action IN ('carrier_rate_plan', 'status')
            ORDER BY d.iccid, h.bulk_change_id, h.attempt, h.entry",
        );
        Self {
            rows: table(rows).await.into_iter().map(row).collect(),
            parts: table(parts).await.into_iter().map(part).collect(),
            here: here.into_iter().map(line).collect(),
            history: history.await.into_iter().map(|row| row.try_into().expect("five columns")).collect(),
        }
    }

    fn parts_of(&self, row: i64) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.row == row)
    }

    /// Whether a line is not held by any row.
    fn is_settled(&self, iccid: &str) -> bool {
        self.rows.iter().all(|row| row.iccid != iccid || row.holds == 0)
    }
}

/// Every rule that is broken, one text each.
pub async fn check(world: &CarrierWorld, ordered: &OrderedThere) -> Vec<String> {
    let books = Books::of(world).await;
    let mut broken = damage(&world.operator.stored).await;
    let (jasper, pond) = (world.jasper.ledger().summary(), world.pond.ledger().summary());
    if pond.duplicate_packages > 0 {
        broken.push(format!("{} packages were added beside one of the same type", pond.duplicate_packages));
    }
    for traffic in [&jasper.traffic, &pond.traffic] {
        if traffic.wrong_requests > 0 {
            broken.push(format!("wrong requests: {:?}", traffic.wrong_texts));
        }
    }
    for (id, asked) in &ordered.changes {
        // It recounts.
        let change = world.operator.change(*id).await;
        if change.counts.open > 0 {
            broken.push(format!("change {id} has {} open rows", change.counts.open));
        }
        for row in books.rows.iter().filter(|row| row.change == id.0) {
            let found = check_row(&books, row, asked, ordered);
            broken.extend(found.into_iter().map(|text| format!("{text}\n  {}", told(world, &books, row))));
        }
    }
    check_lines(world, &books, ordered, &mut broken);
    check_packages(world, &books, ordered, &mut broken);
    for (rule, query) in NEVER {
        broken.extend(look(&world.operator.stored, query).await.into_iter().map(|row| format!("{rule}: {row}")));
    }
    broken
}

/// A row with its acts and its line, for people.
fn told(world: &CarrierWorld, books: &Books, row: &Row) -> String {
    let Row { id, change, iccid, status, code, holds, text, .. } = row;
    let parts: Vec<String> = books.parts_of(*id).map(|part| format!("{part:?}")).collect();
    let (here, there) = (books.here.get(iccid), there(world, iccid));
    let packages = world.pond.ledger().packages_of(iccid);
    format!(
        "row {id} of change {change}, {iccid}: {status} {code} holds {holds} {text:?}\n  here {here:?}, there {there:?} {packages:?}\n  {}",
        parts.join("\n  ")
    )
}

/// How a line stands at its carrier; none: it is not there. A plan at POND is that of the only active package.
fn there(world: &CarrierWorld, iccid: &str) -> Option<Line> {
    if let Some(device) = world.jasper.ledger().device(iccid) {
        return Some(Line { status: device.status.name().to_owned(), plan: device.rate_plan.unwrap_or_default() });
    }
    let sim = world.pond.ledger().sim(iccid)?;
    let services = [sim.data, sim.voice, sim.sms];
    let status = if services == [ServiceStatus::Enabled; 3] { "In-Service" } else { "Out-of-Service" };
    let active = active_packages(world, iccid);
    let plan = if let [only] = active.as_slice() { only.package_type_id.clone() } else { String::new() };
    Some(Line { status: status.to_owned(), plan })
}

fn active_packages(world: &CarrierWorld, iccid: &str) -> Vec<Package> {
    let packages = world.pond.ledger().packages_of(iccid);
    packages.into_iter().filter(|package| package.status == PackageStatus::Active).collect()
}

fn check_row(books: &Books, row: &Row, asked: &CarrierChange, ordered: &OrderedThere) -> Vec<String> {
    let mut broken = Vec::new();
    let mut rule = |holds: bool, text: &str| {
        if !holds {
            broken.push(text.to_owned());
        }
    };
    let is_unknown = |part: &&Part| matches!(part.state.as_str(), "intended" | "ambiguous" | "waiting" | "stuck");
    let unsettled = books.parts_of(row.id).filter(is_unknown).count();
    let stored = |state: &str| books.parts_of(row.id).any(|part| part.state == state && part.outcome == "it stands as asked");
    match row.status.as_str() {
        "PROCESSED" => {
            rule(row.holds == 0 && unsettled == 0, "it holds its line");
            rule(
                row.text == "already so" || books.parts_of(row.id).count() == 0 || stored("done"),
                "it does not say that it stands",
            );
        }
        "CANCELED" => rule(row.holds == 0 && unsettled == 0, "canceled, yet something is unknown"),
        "ERROR" => rule(row.holds != 0 || unsettled == 0, "it does not hold its line though something is unsettled"),
        other => rule(false, &format!("it is {other}")),
    }
    let actions = |action: &str| {
        let change = row.change.to_string();
        let of_row = move |entry: &&[String; 5]| entry[0] == change && entry[1] == row.iccid && entry[2] == action;
        books.history.iter().filter(of_row).collect::<Vec<_>>()
    };
    let (action, value) = match asked {
        CarrierChange::RatePlan { rate_plan, .. } => ("carrier_rate_plan", rate_plan.clone().unwrap_or_default()),
        CarrierChange::Status { status, .. } => ("status", status.clone()),
    };
    let written = actions(action);
    let says_so = |entry: &&[String; 5]| entry[4].to_lowercase().contains(&value.to_lowercase());
    if row.status == "PROCESSED" && row.text != "already so" && books.parts_of(row.id).any(|part| !part.adopted) {
        // Another row may have brought the line there while this one waited; then this one had nothing to write.
        let of_others = |entry: &&[String; 5]| entry[0] != row.change.to_string() && entry[1] == row.iccid && entry[2] == action;
        let by_another = books.history.iter().filter(of_others).any(|entry| says_so(&entry));
        let last = written.last().is_some_and(says_so) || by_another;
        if !last && !ordered.meddled.contains(&row.iccid) {
            broken.push(format!("the history does not say that it came to {value}: {written:?}"));
        }
    }
    broken
}

/// Whether no other row of the line ended later.
fn is_last(books: &Books, row: &Row) -> bool {
    books.rows.iter().all(|other| other.iccid != row.iccid || other.id == row.id || other.processed_at < row.processed_at)
}

/// A line that nobody has to settle stands here as it stands there, and where the last row of it is PROCESSED, as that one asked.
fn check_lines(world: &CarrierWorld, books: &Books, ordered: &OrderedThere, broken: &mut Vec<String>) {
    for (iccid, here) in books.here.iter().filter(|(iccid, _)| !ordered.meddled.contains(*iccid) && books.is_settled(iccid)) {
        let Some(there) = there(world, iccid) else { continue };
        let row = books.rows.iter().filter(|row| &row.iccid == iccid).max_by_key(|row| (row.processed_at, row.id));
        let Some(row) = row else { continue };
        // One that ended half-way says what it left active, or may have.
        let says_so = |text: &str| text.contains("still active beside");
        let says_several = |row: &Row| row.iccid == *iccid && row.status == "ERROR" && says_so(&row.text);
        let plan_is_unknown = here.plan.is_empty() && books.rows.iter().any(says_several);
        // A status that was taken and could not be read back, because the account may not be called any more, is said to be kept.
        let says_kept = |row: &Row| row.iccid == *iccid && row.status == "ERROR" && row.text.contains("set services: done");
        let status_is_said = books.rows.iter().any(says_kept);
        if (here.status != there.status && !status_is_said) || (here.plan != there.plan && !plan_is_unknown) {
            broken.push(format!("a line stands here otherwise than there\n  {}", told(world, books, row)));
        }
        let asked = ordered.changes.iter().find(|(id, _)| id.0 == row.change).map(|(_, asked)| asked);
        let stands = match asked {
            Some(CarrierChange::RatePlan { rate_plan: Some(plan), .. }) => *plan == there.plan,
            Some(CarrierChange::Status { status, .. }) => status.eq_ignore_ascii_case(&there.status),
            _ => true,
        };
        if row.status == "PROCESSED" && is_last(books, row) && !stands {
            broken.push(format!("a processed line does not stand there as asked\n  {}", told(world, books, row)));
        }
    }
}

/// Whoever added a package knows that he did, or its line is held; and what was there before is no act of ours.
fn check_packages(world: &CarrierWorld, books: &Books, ordered: &OrderedThere, broken: &mut Vec<String>) {
    for sim in world.pond.ledger().sims() {
        for package in world.pond.ledger().packages_of(&sim.iccid) {
            let id = package.package_id;
            let named = books.parts.iter().any(|part| part.part < 10 && part.id == Some(id) && part.step == "carrier_rate_plan");
            let is_new = !ordered.packages_before.contains(&id);
            if is_new && !named && books.is_settled(&sim.iccid) && package.status != PackageStatus::Terminated {
                broken.push(format!("package {id} of {} is there, and nobody knows that he added it", sim.iccid));
            }
        }
    }
}

/// What never holds once nothing is open; each query answers the rows that break the rule.
const NEVER: &[(&str, &str)] = &[
    (
        "a page is left",
        "SELECT bulk_change_id, page, state, owner FROM device_bulk_change_page WHERE state <> 'completed' OR owner IS NOT NULL",
    ),
    ("a final row waits", "SELECT id FROM device_change WHERE next_check_at IS NOT NULL"),
    (
        "a log entry stands twice",
        "SELECT device_change_id, attempt, entry, count(*) FROM device_bulk_change_log
        GROUP BY bulk_change_id, device_change_id, attempt, entry HAVING count(*) > 1",
    ),
    (
        "a call was made without its intent",
        "SELECT device_change_id, part FROM device_change_step WHERE state IN ('stuck', 'ambiguous') AND adopted = 0
        AND request_key IS NULL",
    ),
    (
        "an undo was done twice, or a change of one attempt",
        "SELECT device_id, bulk_change_id, attempt, entry, count(*) FROM device_action_history
        GROUP BY device_id, bulk_change_id, attempt, entry HAVING count(*) > 1",
    ),
];

/// How many changing calls arrived at the carriers of which no log entry tells. What was never answered, and what a process that died
/// heard and could not store, is among them.
pub async fn untold_calls(world: &CarrierWorld) -> i64 {
    let traffic = [world.jasper.ledger().summary().traffic, world.pond.ledger().summary().traffic];
    let changing = |(name, _): &(&String, &u64)| !name.starts_with("GET");
    let arrived: u64 = traffic.iter().flat_map(|traffic| traffic.calls.iter().filter(changing)).map(|(_, count)| count).sum();
    let told = "SELECT count(*) FROM device_bulk_change_log WHERE log_entry_description LIKE 'Update % Rate Plan: % API'
        OR log_entry_description LIKE 'Update % Status: % API' OR log_entry_description LIKE 'Undo % Rate Plan: % API'";
    i64::try_from(arrived).expect("a few") - world.operator.count(told).await
}
