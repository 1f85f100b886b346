//! What tests look at, and the few things that they do to an operator behind an order's back.

use lineshift_domain::reach::Reach;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use lineshift_domain::ids::{BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, DeviceChangeId, SiteId};
use lineshift_domain::order::Order;
use lineshift_domain::refusal::Refusal;
use lineshift_domain::terms::{DeviceChangeStatus, PlanQueueState};
use lineshift_engine::{Caller, Clock, Engine, EngineError};
use lineshift_store::bulk_changes::{DeviceChangeFilter, DeviceChangeView, LogEntry};
use lineshift_store::devices::{DeviceFilter, DeviceView, HistoryEntry};
use lineshift_store::import::{ImportAssignment, ImportDevice};
use lineshift_store::plan_queue::{PlanQueueEntry, PlanQueueFilter};
use lineshift_store::work::{PageClaim, PageResult, RunnableChange};
use lineshift_store_sqlite::Options;

use crate::operator::{Operator, iccid};

/// More than any of these tests has in one list.
const ALL: usize = 100_000;

fn shown_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn shown<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Reading.
impl Operator {
    /// The rows of a change in device order.
    pub async fn rows(&self, id: BulkChangeId) -> Vec<DeviceChangeView> {
        let all = DeviceChangeFilter::default();
        self.store.list_device_changes(self.tenant(), id, all, None, ALL).await.expect("rows").items
    }

    /// What became of each line, in the order of the request: the code of those in ERROR, the status of the others.
    pub async fn outcomes(&self, id: BulkChangeId) -> Vec<&'static str> {
        let mut rows = self.rows(id).await;
        rows.sort_by_key(|row| row.request_position);
        rows.iter().map(|row| row.error_code.map_or_else(|| row.status.as_str(), |code| code.as_str())).collect()
    }

    /// The whole log of a change.
    pub async fn log(&self, id: BulkChangeId) -> Vec<LogEntry> {
        self.store.list_log(self.tenant(), id, None, None, ALL).await.expect("log").items
    }

    /// A line with its assignment.
    pub async fn device(&self, line: u64) -> DeviceView {
        let named = DeviceFilter::Iccid(iccid(line));
        let found = self.store.list_devices(self.tenant(), &Reach::Everything, &named, None, 2).await.expect("lines").items;
        found.into_iter().next().unwrap_or_else(|| panic!("line {line} is not in the inventory"))
    }

    /// A line's history, newest first.
    pub async fn history(&self, line: u64) -> Vec<HistoryEntry> {
        let device = self.device(line).await.id;
        self.store.list_device_history(self.tenant(), &Reach::Everything, device, None, ALL).await.expect("history").items
    }

    /// The open plan queue entries by date.
    pub async fn open_entries(&self) -> Vec<PlanQueueEntry> {
        self.store
            .list_queue_entries(self.tenant(), &Reach::Everything, PlanQueueFilter::Open, None, ALL)
            .await
            .expect("entries")
            .items
    }

    /// A change's plan queue entries in that state.
    pub async fn entries(&self, id: BulkChangeId, state: PlanQueueState) -> Vec<PlanQueueEntry> {
        let filter = PlanQueueFilter::OfChange(id, state);
        self.store.list_queue_entries(self.tenant(), &Reach::Everything, filter, None, ALL).await.expect("entries").items
    }

    /// How many bulk changes the caller sees.
    pub async fn changes_seen_by(&self, caller: &Caller) -> usize {
        self.store.list_bulk_changes(caller.tenant, caller.principal, None, ALL).await.expect("changes").items.len()
    }

    /// Why an order is refused as a whole.
    pub async fn refused(&self, order: Order) -> Refusal {
        match self.engine.submit(&self.caller, order, None).await {
            Err(EngineError::Refused(refusal)) => refusal,
            other => panic!("the order should be refused, yet {other:?}"),
        }
    }

    /// The first column of the first row, as a number.
    pub async fn count(&self, query: &str) -> i64 {
        let rows = self.stored.inspect(query).await.expect("a query");
        rows[0][0].parse().expect("a number")
    }
}

/// As text, for snapshots.
impl Operator {
    /// One line a row: place in the request, ICCID or number, status, kind, code, attempt, text.
    pub async fn shown_rows(&self, id: BulkChangeId) -> String {
        let mut text = String::new();
        for row in self.rows(id).await {
            let line = row.iccid.or(row.number).unwrap_or_default();
            let (kind, code, details) = (shown(row.error_kind), shown(row.error_code), shown(row.status_details));
            let (place, status, attempt) = (row.request_position, row.status, row.attempt);
            writeln!(text, "{place} {line} {status} {kind} {code} #{attempt} {details}").expect("a text");
        }
        text
    }

    /// Each entry of a change's log in full.
    pub async fn shown_log(&self, id: BulkChangeId) -> String {
        let mut text = String::new();
        for entry in self.log(id).await {
            let (row, at) = (entry.device_change_id.map_or(0, |id| id.0), shown_time(entry.processed_at));
            let LogEntry { attempt, entry: place, portal, description, process_by, response_status, .. } = &entry;
            let errors = if entry.has_errors { "has errors" } else { "no errors" };
            writeln!(text, "row {row} #{attempt}.{place} {at} {portal} {process_by} {response_status} {errors}: {description}")
                .expect("a text");
            for (name, part) in
                [("request", &entry.request_text), ("response", &entry.response_text), ("error", &entry.error_text)]
            {
                if let Some(part) = part {
                    writeln!(text, "  {name}: {}", part.replace('\n', " | ")).expect("a text");
                }
            }
        }
        text
    }

    /// Each entry of the lines' histories, by line, newest first.
    pub async fn shown_history(&self, lines: impl IntoIterator<Item = u64>) -> String {
        let mut text = String::new();
        for line in lines {
            for entry in self.history(line).await {
                let HistoryEntry { bulk_change_id, attempt, entry: place, action, old_value, new_value, changed_by, .. } = &entry;
                let at = shown_time(entry.at);
                writeln!(text, "line {line} {at} change {bulk_change_id} #{attempt}.{place} {action} by {changed_by}")
                    .expect("a text");
                writeln!(text, "  from {old_value}\n    to {new_value}").expect("a text");
            }
        }
        text
    }

    /// Each row of the cross-provider history of this tenant, by line and date.
    pub async fn shown_cross_provider_history(&self) -> String {
        let query = format!(
            "SELECT d.iccid, h.bulk_change_id, h.attempt, h.entry, h.valid_from, h.valid_to, h.service_provider_id, h.rev_customer_id,
                h.site_id, h.account_number, h.customer_rate_plan_id, h.customer_rate_pool_id, h.customer_data_allocation_mb
             FROM cross_provider_device_history h JOIN device d ON d.tenant_id = h.tenant_id AND d.id = h.device_id
             WHERE h.tenant_id = {} ORDER BY d.iccid, h.valid_from, h.valid_to IS NULL, h.bulk_change_id",
            self.tenant()
        );
        let rows = self.stored.inspect(&query).await.expect("the history");
        rows.iter().map(|row| shown_present(row)).collect()
    }
}

/// One row of the cross-provider history: as its query says.
fn shown_present(row: &[String]) -> String {
    let or = |column: usize, none: &str| if row[column] == "NULL" { none.to_owned() } else { row[column].clone() };
    let time = |column: usize| {
        let at = row[column].parse().ok().and_then(DateTime::from_timestamp_micros);
        at.map_or_else(|| "now".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
    };
    let line = &row[0][row[0].len() - 3..row[0].len() - 1];
    let mut text = format!("line {line} change {} #{}.{} {} to {}", row[1], row[2], row[3], time(4), time(5));
    let names = ["provider", "customer", "site", "account", "plan", "pool", "allocation"];
    for (nth, name) in names.iter().enumerate() {
        let sign = if nth == 0 { ':' } else { ',' };
        write!(text, "{sign} {name} {}", or(6 + nth, "-")).expect("a text");
    }
    text + "\n"
}

/// Doing.
impl Operator {
    /// Books lines at a site (of the Rev customer if it is the depot) and on a plan, as another system would: without any
    /// bulk change.
    pub async fn book(&self, lines: impl IntoIterator<Item = u64>, site_id: SiteId, plan: Option<CustomerRatePlanId>) {
        let row = |line| ImportAssignment {
            iccid: iccid(line),
            rev_customer_id: (site_id == self.rev_site).then_some(self.rev_customer),
            site_id,
            customer_rate_plan_id: plan,
            customer_rate_pool_id: None,
            customer_data_allocation_mb: None,
            effective_date: None,
        };
        let rows: Vec<ImportAssignment> = lines.into_iter().map(row).collect();
        let done = self.store.import_assignments(self.tenant(), &rows, "elsewhere", self.clock.now()).await.expect("booked");
        assert!(done.refused.is_empty(), "{:?}", done.refused);
    }

    /// Changes a line of the inventory.
    pub async fn change_line(&self, line: u64, change: impl FnOnce(&mut ImportDevice)) {
        let mut row = self.line(self.jasper, line, "ACTIVATED");
        change(&mut row);
        self.import(&[row]).await;
    }

    /// Makes a site inactive.
    pub async fn close_site(&self, id: SiteId) {
        let mut site = self.store.get_site(self.tenant(), id).await.expect("a site");
        site.is_active = false;
        self.store.update_site(self.tenant(), &site, self.clock.now()).await.expect("closed");
    }

    /// Makes the Rev customer inactive.
    pub async fn close_customer(&self) {
        let mut customer = self.store.get_rev_customer(self.tenant(), self.rev_customer).await.expect("a customer");
        customer.is_active = false;
        self.store.update_rev_customer(self.tenant(), &customer, self.clock.now()).await.expect("closed");
    }

    /// Makes a plan inactive.
    pub async fn close_plan(&self, id: CustomerRatePlanId) {
        let mut plan = self.store.get_customer_rate_plan(self.tenant(), id).await.expect("a plan");
        plan.is_active = false;
        self.store.update_customer_rate_plan(self.tenant(), &plan, self.clock.now()).await.expect("closed");
    }

    /// Makes a pool inactive.
    pub async fn close_pool(&self, id: CustomerRatePoolId) {
        let mut pool = self.store.get_customer_rate_pool(self.tenant(), id).await.expect("a pool");
        pool.is_active = false;
        self.store.update_customer_rate_pool(self.tenant(), &pool, self.clock.now()).await.expect("closed");
    }

    /// A second engine in its own right: its own connections to the same rows.
    pub async fn second_engine(&self, options: Options) -> Engine {
        let beside = self.stored.beside(options).await;
        Engine::new(beside.store(), Arc::clone(&self.clock) as Arc<dyn Clock>, *self.engine.limits())
    }

    /// Claims the next page of a change for that owner, until the default lease has run out.
    pub async fn claim(&self, id: BulkChangeId, owner: &str) -> Option<PageClaim> {
        let (change, now) = (RunnableChange { tenant_id: self.tenant(), bulk_change_id: id }, self.clock.now());
        self.store.claim_page(change, owner, now + self.engine.limits().lease(), now).await.expect("a claim")
    }

    /// Runs exactly one page of a change.
    pub async fn run_one_page(&self, id: BulkChangeId) {
        let claim = self.claim(id, "one page").await.expect("a page is ready");
        self.run_page(&claim).await;
    }

    /// Runs a claimed page of which no row waits, and completes it.
    pub async fn run_page(&self, claim: &PageClaim) -> PageResult {
        let result = self.engine.run_page(claim).await.expect("the page runs");
        self.store.complete_page(&claim.to_complete(), self.clock.now()).await.expect("the page is completed");
        result
    }

    /// The ids of a change's rows in that status, in device order.
    pub async fn row_ids(&self, id: BulkChangeId, status: DeviceChangeStatus) -> Vec<DeviceChangeId> {
        self.rows(id).await.into_iter().filter(|row| row.status == status).map(|row| row.id).collect()
    }
}
