//! What must hold once nothing is open: between what was ordered, what the store says, and what the billing system's ledger has.

use std::collections::{BTreeMap, BTreeSet};

use lineshift_domain::ids::{BulkChangeId, DeviceChangeId};
use lineshift_domain::order::{AssignmentOrder, RevCharge};
use lineshift_domain::terms::{OnPartialFailure, OnRevServiceFailure};
use lineshift_engine::Clock as _;
use lineshift_simulators::revio::{RevioSimulator, Service, ServiceProduct};
use lineshift_store::billing::UnsettledFilter;
use lineshift_store::billing::{Looked, Settlement};

use crate::billing::BillingWorld;
use crate::crash::{Chance, damage, look};
use crate::operator::Operator;
use crate::store::TestStore;

/// What was ordered, and what stood before.
#[derive(Debug, Clone)]
pub struct Ordered {
    /// The changes.
    pub changes: Vec<(BulkChangeId, AssignmentOrder)>,
    /// Services at the billing system that somebody else had opened.
    pub services_before: BTreeSet<i64>,
    /// Products, likewise.
    pub products_before: BTreeSet<i64>,
}

/// A device change.
struct Row {
    id: i64,
    change: i64,
    iccid: String,
    number: String,
    status: String,
    code: String,
    holds: i64,
    attempt: i64,
    text: String,
}

/// A part of its Rev service.
struct Part {
    row: i64,
    part: i64,
    state: String,
    adopted: bool,
    id: Option<i64>,
}

impl Part {
    /// Whether this change created it, and it stands as far as is known.
    fn is_created(&self) -> bool {
        !self.adopted && matches!(self.state.as_str(), "done" | "stuck")
    }
}

/// All that is compared.
struct Books {
    rows: Vec<Row>,
    parts: Vec<Part>,
    /// Rows of which something at a carrier is unknown or stuck.
    unsettled_at_carriers: BTreeSet<i64>,
    services: Vec<Service>,
    products: Vec<ServiceProduct>,
    /// The store's: Rev.io's id, and whether it is connected.
    stored_services: BTreeMap<i64, bool>,
    stored_products: BTreeMap<i64, bool>,
}

async fn table(stored: &TestStore, query: &str) -> Vec<Vec<String>> {
    stored.inspect(query).await.unwrap_or_else(|error| panic!("{error:?}: {query}"))
}

fn whole(text: &str) -> i64 {
    text.parse().expect("a number")
}

async fn pairs(stored: &TestStore, query: &str) -> BTreeMap<i64, bool> {
    table(stored, query).await.iter().map(|row| (whole(&row[0]), row[1] == "1")).collect()
}

impl Books {
    async fn of(stored: &TestStore, simulator: &RevioSimulator) -> Self {
        let rows = "SELECT dc.id, dc.bulk_change_id, coalesce(dc.iccid, ''), coalesce(d.subscriber_number, ''), dc.status,
            coalesce(dc.error_code, ''), dc.holds, dc.attempt, coalesce(dc.status_details, '')
            FROM device_change dc LEFT JOIN device d ON d.id = dc.device_id ORDER BY dc.id";
        let row = |row: &Vec<String>| Row {
            id: whole(&row[0]),
            change: whole(&row[1]),
            iccid: row[2].clone(),
            number: row[3].clone(),
            status: row[4].clone(),
            code: row[5].clone(),
            holds: whole(&row[6]),
            attempt: whole(&row[7]),
            text: row[8].clone(),
        };
        let parts = "SELECT device_change_id, part, state, adopted, external_id FROM device_change_step
            WHERE step = 'rev_service' ORDER BY 1, 2";
        let unsettled = "SELECT device_change_id FROM device_change_step
            WHERE step <> 'rev_service' AND state IN ('intended', 'ambiguous', 'waiting', 'stuck')";
        let part = |row: &Vec<String>| Part {
            row: whole(&row[0]),
            part: whole(&row[1]),
            state: row[2].clone(),
            adopted: row[3] == "1",
            id: row[4].parse().ok(),
        };
        Self {
            rows: table(stored, rows).await.iter().map(row).collect(),
            parts: table(stored, parts).await.iter().map(part).collect(),
            unsettled_at_carriers: table(stored, unsettled).await.iter().map(|row| whole(&row[0])).collect(),
            services: simulator.ledger().services(),
            products: simulator.ledger().service_products(),
            stored_services: pairs(stored, "SELECT rev_service_id, disconnected_date IS NULL FROM rev_service").await,
            stored_products: pairs(
                stored,
                "SELECT rev_service_product_id, status IN ('PENDING', 'ACTIVE') FROM rev_service_product",
            )
            .await,
        }
    }

    fn parts_of(&self, row: i64) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.row == row)
    }

    fn connected(&self, id: i64) -> bool {
        self.services.iter().any(|service| service.service_id == id && service.disconnected_date.is_none())
    }

    fn charged(&self, id: i64) -> bool {
        self.products.iter().any(|product| product.service_product_id == id && product.status.is_live())
    }

    fn stands(&self, part: &Part) -> bool {
        part.id.is_some_and(|id| if part.part == 0 { self.connected(id) } else { self.charged(id) })
    }
}

/// Every rule that is broken, one text each.
pub async fn check(world: &BillingWorld, ordered: &Ordered) -> Vec<String> {
    let mut broken = check_books(world, ordered).await;
    broken.extend(damage(&world.operator.stored).await);
    for (rule, query) in NEVER {
        broken.extend(look(&world.operator.stored, query).await.into_iter().map(|row| format!("{rule}: {row}")));
    }
    broken
}

/// Those between what was ordered, the store's record of it, and the billing system's.
pub async fn check_books(world: &BillingWorld, ordered: &Ordered) -> Vec<String> {
    check_books_of(&world.operator, &world.simulator, ordered).await
}

/// The same of that operator and billing system.
pub async fn check_books_of(operator: &Operator, simulator: &RevioSimulator, ordered: &Ordered) -> Vec<String> {
    let books = Books::of(&operator.stored, simulator).await;
    let mut broken = Vec::new();
    let summary = simulator.ledger().summary();
    if (summary.duplicate_services, summary.duplicate_products) != (0, 0) {
        broken.push(format!("billed twice: {} services, {} products", summary.duplicate_services, summary.duplicate_products));
    }
    if summary.wrong_requests > 0 {
        broken.push(format!("wrong requests: {:?}", summary.wrong_texts));
    }
    for (id, order) in &ordered.changes {
        // It recounts.
        let change = operator.change(*id).await;
        if change.counts.open > 0 {
            broken.push(format!("change {id} has {} open rows", change.counts.open));
        }
        for row in books.rows.iter().filter(|row| row.change == id.0) {
            let mut found = check_row(&books, row, order);
            if !found.is_empty() {
                found.push(told(&books, row));
                broken.push(found.join("\n  "));
            }
        }
    }
    check_ledger(&books, ordered, &mut broken);
    check_stored(&books, &mut broken);
    broken
}

/// A row with its parts, for people.
fn told(books: &Books, row: &Row) -> String {
    let part = |part: &Part| {
        let whose = if part.adopted { "adopted" } else { "ours" };
        format!("[{} {} {whose} {:?}: {}]", part.part, part.state, part.id, if books.stands(part) { "stands" } else { "gone" })
    };
    let parts: Vec<String> = books.parts_of(row.id).map(part).collect();
    let Row { id, change, iccid, status, code, holds, attempt, text, .. } = row;
    format!("row {id} of change {change}, {iccid}: {status} {code} holds {holds} #{attempt} {text:?} {}", parts.join(" "))
}

fn check_row(books: &Books, row: &Row, order: &AssignmentOrder) -> Vec<String> {
    let mut broken = Vec::new();
    let mut rule = |holds: bool, text: &str| {
        if !holds {
            broken.push(text.to_owned());
        }
    };
    let parts: Vec<&Part> = books.parts_of(row.id).collect();
    let is_unknown = |part: &&&Part| matches!(part.state.as_str(), "intended" | "ambiguous" | "waiting" | "stuck");
    let at_carrier = usize::from(books.unsettled_at_carriers.contains(&row.id));
    let unsettled = at_carrier + parts.iter().filter(is_unknown).count();
    for part in &parts {
        rule(part.state != "done" || books.stands(part), "done, yet it is not there");
        rule(part.state != "reverted" || !books.stands(part), "undone, yet it is there");
    }
    match row.status.as_str() {
        "PROCESSED" => {
            rule(row.holds == 0, "it holds its line");
            rule(is_billed(books, row, order), "it is not billed as ordered");
        }
        "CANCELED" => {
            rule(row.holds == 0, "it holds its line");
            rule(parts.iter().all(|part| !part.is_created() && unsettled == 0), "canceled, yet something stands");
        }
        "ERROR" if row.holds != 0 => rule(row.holds & 4 == 4 && unsettled > 0, "it holds its line though all is settled"),
        "ERROR" => {
            rule(unsettled == 0, "it does not hold its line though something is unsettled");
            let undoes = order.on_partial_failure == OnPartialFailure::Compensate
                && order.on_rev_service_failure == OnRevServiceFailure::Skip;
            let stands = parts.iter().any(|part| part.is_created());
            rule(!(undoes && stands), "it was to be undone, yet something stands that it created");
            rule(!stands || row.text.contains("kept"), "it does not say that something was kept");
        }
        other => rule(false, &format!("it is {other}")),
    }
    broken
}

/// Whether the line has exactly one connected service with what was ordered.
fn is_billed(books: &Books, row: &Row, order: &AssignmentOrder) -> bool {
    let is_its = |service: &&Service| {
        let same_iccid = service.number2.as_deref().is_none_or(|number2| number2.is_empty() || number2 == row.iccid);
        service.disconnected_date.is_none() && service.number.as_deref() == Some(row.number.as_str()) && same_iccid
    };
    let services: Vec<&Service> = books.services.iter().filter(is_its).collect();
    let [service] = services.as_slice() else { return false };
    let charged = |product_id: Option<i64>| {
        let is_it = |product: &&ServiceProduct| {
            product.service_id == service.service_id
                && product.status.is_live()
                && product_id.is_none_or(|id| product.product_id == id)
        };
        books.products.iter().filter(is_it).count()
    };
    let charge = order.rev_service.as_ref().map(|service| &service.charge);
    match charge {
        Some(RevCharge::Products(products)) => products.iter().all(|product| charged(Some(product.product_id)) == 1),
        Some(RevCharge::Package(_)) => charged(None) > 0,
        None => true,
    }
}

/// What stands at the billing system and was not there before is named by the one who created it, or its line is held.
fn check_ledger(books: &Books, ordered: &Ordered, broken: &mut Vec<String>) {
    let held: BTreeSet<&str> = books.rows.iter().filter(|row| row.holds & 4 != 0).map(|row| row.iccid.as_str()).collect();
    let named = |product: bool, id: i64| {
        books.parts.iter().any(|part| (part.part > 0) == product && part.id == Some(id) && part.is_created())
    };
    let mut excused = BTreeSet::new();
    for service in &books.services {
        let iccid = service.number2.as_deref().unwrap_or_default();
        let is_named = named(false, service.service_id);
        if held.contains(iccid) || service.package_id.is_some() && is_named {
            excused.insert(service.service_id);
        }
        let is_new = !ordered.services_before.contains(&service.service_id);
        if is_new && service.disconnected_date.is_none() && !is_named && !held.contains(iccid) {
            broken.push(format!("service {} of {iccid} is billed, and nobody knows that he created it", service.service_id));
        }
        if !is_new && service.disconnected_date.is_some() {
            broken.push(format!("service {} of {iccid} was somebody else's, and was disconnected", service.service_id));
        }
    }
    for product in &books.products {
        let is_new = !ordered.products_before.contains(&product.service_product_id);
        let is_excused = excused.contains(&product.service_id) || product.package_id.is_some();
        if is_new && product.status.is_live() && !is_excused && !named(true, product.service_product_id) {
            let (id, service) = (product.service_product_id, product.service_id);
            broken.push(format!("product {id} of service {service} is charged, and nobody knows that he created it"));
        }
        if !is_new && !product.status.is_live() {
            broken.push(format!("product {} was somebody else's, and was disconnected", product.service_product_id));
        }
    }
}

/// The store's own record is the ledger's, where nobody has to settle anything.
fn check_stored(books: &Books, broken: &mut Vec<String>) {
    let held: BTreeSet<i64> = books.rows.iter().filter(|row| row.holds & 4 != 0).map(|row| row.id).collect();
    let unsure: BTreeSet<i64> =
        books.parts.iter().filter(|part| part.part == 0 && held.contains(&part.row)).filter_map(|part| part.id).collect();
    for (id, connected) in &books.stored_services {
        if *connected != books.connected(*id) && !unsure.contains(id) {
            broken.push(format!("rev_service says connected {connected} of service {id}; the ledger does not"));
        }
    }
    for (id, charged) in &books.stored_products {
        let product = books.products.iter().find(|product| product.service_product_id == *id);
        let is_unsure = product.is_none_or(|product| unsure.contains(&product.service_id));
        if *charged != books.charged(*id) && !is_unsure {
            broken.push(format!("rev_service_product says charged {charged} of product {id}; the ledger does not"));
        }
    }
    for part in books.parts.iter().filter(|part| part.state == "done") {
        let stored = if part.part == 0 { &books.stored_services } else { &books.stored_products };
        if part.id.is_none_or(|id| !stored.contains_key(&id)) {
            broken.push(format!("part {} of row {} is done, and {:?} is not stored", part.part, part.row, part.id));
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
        "the version was not raised once an action",
        "SELECT dt.device_id, dt.version FROM device_tenant dt WHERE dt.modified_by <> 'elsewhere' AND dt.version - 1
        < (SELECT count(DISTINCT h.bulk_change_id || h.action) FROM device_action_history h
           WHERE h.device_id = dt.device_id AND h.action <> 'service_line')",
    ),
    (
        "a processed line does not stand at its customer",
        "SELECT dc.id FROM device_change dc JOIN device_bulk_change b ON b.id = dc.bulk_change_id
        JOIN device_tenant dt ON dt.device_id = dc.device_id
        WHERE dc.status = 'PROCESSED' AND dt.rev_customer_id IS DISTINCT FROM b.rev_customer_id AND dt.modified_by <> 'elsewhere'",
    ),
    (
        "a processed line has no link to its service",
        "SELECT dc.id FROM device_change dc JOIN device_tenant dt ON dt.device_id = dc.device_id
        JOIN device_bulk_change b ON b.id = dc.bulk_change_id
        WHERE dc.status = 'PROCESSED' AND b.rev_customer_id IS NOT NULL AND dt.rev_service_id IS NULL AND dt.modified_by <> 'elsewhere'",
    ),
    (
        "a call was made without its intent",
        "SELECT device_change_id, part FROM device_change_step WHERE state IN ('done', 'stuck', 'ambiguous') AND adopted = 0
        AND request_key IS NULL",
    ),
];

/// A person settles, by what the ledger says, some of what is unsettled; the rest is left to the retry.
pub async fn settle_as_it_stands(world: &BillingWorld, chance: &mut Chance) {
    let (store, tenant, now) = (&world.operator.store, world.operator.tenant(), world.operator.clock.now());
    let unsettled = store.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 1_000).await.expect("listed").items;
    let held = look(&world.operator.stored, "SELECT id FROM device_change WHERE holds >= 4").await;
    let listed: BTreeSet<DeviceChangeId> = unsettled.iter().map(|step| step.record.device_change_id).collect();
    assert_eq!(listed.len(), held.len(), "every row that holds its line is listed");
    let books = Books::of(&world.operator.stored, &world.simulator).await;
    for row in listed {
        if chance.once_in(2) {
            continue;
        }
        // One answer is for all of a row, so that only one of one mind can be settled.
        let parts = || books.parts_of(row.0).filter(|part| matches!(part.state.as_str(), "stuck"));
        let stands = parts().filter(|part| books.stands(part)).count();
        if parts().count() == 0 || (stands != 0 && stands != parts().count()) {
            continue;
        }
        let how = if stands == 0 { Settlement::Gone } else { Settlement::Stands(None) };
        store.settle_steps(tenant, row, &how, Looked::default(), "operator", now).await.expect("settled");
    }
}
