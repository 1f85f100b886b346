//! Writes one page of a run, set by set, in one transaction with the place at which the run goes on.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use lineshift_domain::ids::RevCustomerId;
use lineshift_domain::sync::{FindingKind, FindingSubject};
use lineshift_store::Result;
use lineshift_store::sync::{SyncBatch, SyncClaim, SyncCounts, SyncPlace, SyncedCustomer};
use serde_json::{Value, json};

use super::{lines, plans, products, runs, services, usage};
use crate::engine::Sql;
use crate::json::json as to_json;
use crate::row::micros;
use crate::sql::sync as text;
use crate::value::Parameter;

/// A page that is being written.
pub(super) struct Page<'a> {
    pub(super) sql: &'a Sql<'a>,
    pub(super) claim: &'a SyncClaim,
    pub(super) now: DateTime<Utc>,
    pub(super) counts: SyncCounts,
    findings: Vec<Value>,
    left_out: Vec<Value>,
}

/// A finding to write.
pub(super) struct Found {
    pub(super) subject: FindingSubject,
    pub(super) subject_id: i64,
    pub(super) customer: Option<i64>,
    pub(super) service: Option<i64>,
    /// The line here; none: that of the service.
    pub(super) device: Option<i64>,
    pub(super) line: Option<String>,
    pub(super) here: Option<String>,
    pub(super) there: Option<String>,
}

/// Writes the page and moves the run on.
pub(super) fn record(
    sql: &Sql<'_>,
    claim: &SyncClaim,
    batch: &SyncBatch,
    next: SyncPlace,
    now: DateTime<Utc>,
) -> Result<SyncClaim> {
    let mut page = Page { sql, claim, now, counts: SyncCounts::default(), findings: Vec::new(), left_out: Vec::new() };
    page.customers(&batch.customers)?;
    services::write(&mut page, &batch.services, &batch.gone_services)?;
    products::write(&mut page, &batch.products, &batch.gone_products)?;
    plans::write(&mut page, batch.carrier_plans.as_deref(), batch.plans_refused.as_deref())?;
    lines::write(&mut page, batch)?;
    usage::write(&mut page, &batch.usage)?;
    page.write_findings()?;
    runs::advance(sql, claim, next, &page.counts, now)
}

/// What is stored of a customer.
struct Stored {
    account: i64,
    name: String,
    is_active: bool,
    closed_there: Option<bool>,
    updated_there: Option<DateTime<Utc>>,
    seen: bool,
}

impl Page<'_> {
    pub(super) fn tenant(&self) -> i64 {
        self.claim.tenant_id.0
    }

    pub(super) fn run(&self) -> i64 {
        self.claim.run.id.0
    }

    /// Since when this system's own writes are left alone.
    pub(super) fn began(&self) -> i64 {
        micros(self.claim.run.started_at)
    }

    /// Notes a finding.
    pub(super) fn find(&mut self, kind: FindingKind, found: Found) {
        let Found { subject, subject_id, customer, service, device, line, here, there } = found;
        let row = json!([kind.as_str(), subject.as_str(), subject_id, customer, service, line, here, there, device]);
        // What is left out has no row that could say whether it was seen before: those that are new among them are counted when
        // they are written.
        if kind == FindingKind::LeftOut { self.left_out.push(row) } else { self.findings.push(row) }
    }

    /// Counts a record that was met for the first time.
    pub(super) fn count(&mut self, kind: Option<FindingKind>) {
        self.counts.read += 1;
        match kind {
            Some(FindingKind::New) => self.counts.new += 1,
            Some(_) => self.counts.changed += 1,
            None => self.counts.unchanged += 1,
        }
    }

    fn write_findings(&mut self) -> Result<()> {
        let left_out = self.store_findings(&self.left_out)?;
        self.counts.read += left_out;
        self.counts.left_out += left_out;
        self.store_findings(&self.findings).map(|_| ())
    }

    fn store_findings(&self, rows: &[Value]) -> Result<i64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let parameters: [&dyn Parameter; 4] = [&self.tenant(), &to_json(rows)?, &self.run(), &micros(self.now)];
        let written = self.sql.execute(text::STORE_FINDINGS, &parameters)?;
        Ok(i64::try_from(written).expect("a page has few findings"))
    }

    /// Of the customers given, those of this run's account that are stored.
    pub(super) fn known_customers(&self, ids: &[i64]) -> Result<HashMap<i64, bool>> {
        let given = to_json(ids)?;
        let found =
            self.sql.query(text::FIND_CUSTOMERS, &[&self.tenant(), &given], |row| Ok((row.place(0)?, row.get::<i64>(1)?)))?;
        let account = self.claim.run.integration_authentication_id.0;
        Ok(found.into_iter().map(|(place, of)| (ids[place], of == account)).collect())
    }

    fn customers(&mut self, given: &[SyncedCustomer]) -> Result<()> {
        let given = last_of_each(given, |customer| customer.id);
        if given.is_empty() {
            return Ok(());
        }
        let stored = self.stored_customers(&given)?;
        let (mut written, mut sites, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for (place, customer) in given.iter().enumerate() {
            let RevCustomerId(id) = customer.id;
            match stored.get(&place) {
                Some(stored) if stored.account != self.claim.run.integration_authentication_id.0 => {
                    let here = format!("a customer of integration {} has this id", stored.account);
                    self.find(FindingKind::LeftOut, about(customer, Some(here)));
                    continue;
                }
                Some(stored) => {
                    let change = self.compare(customer, stored);
                    written.extend(change);
                }
                None => {
                    written.push(row_of(customer, !customer.is_closed));
                    sites.push(json!([id, customer.name]));
                    self.count(Some(FindingKind::New));
                    self.find(FindingKind::New, about(customer, None));
                }
            }
            seen.push(id);
        }
        self.write_customers(&written, &sites, &seen)
    }

    fn stored_customers(&self, given: &[&SyncedCustomer]) -> Result<HashMap<usize, Stored>> {
        let ids = to_json(&given.iter().map(|customer| customer.id.0).collect::<Vec<_>>())?;
        let run = self.run();
        let stored = self.sql.query(text::FIND_CUSTOMERS, &[&self.tenant(), &ids], |row| {
            let stored = Stored {
                account: row.get(1)?,
                name: row.get(2)?,
                is_active: row.get(3)?,
                closed_there: row.get(4)?,
                updated_there: row.maybe_time(5)?,
                seen: row.get::<Option<i64>>(6)? == Some(run),
            };
            Ok((row.place(0)?, stored))
        })?;
        Ok(stored.into_iter().collect())
    }

    /// What is to be written of a customer that is here, if anything is. What a run has seen is through: if a list shows it again
    /// and otherwise, the next run says so.
    fn compare(&mut self, customer: &SyncedCustomer, stored: &Stored) -> Option<Value> {
        if stored.seen {
            return None;
        }
        // A list that was read earlier than what is stored has nothing to say.
        let is_stale = customer.updated_at.zip(stored.updated_there).is_some_and(|(there, here)| there < here);
        // Somebody here may have made an open customer inactive: only closing and opening it there changes that.
        let is_active = match (stored.closed_there, customer.is_closed) {
            (Some(before), after) if before == after => stored.is_active,
            (_, true) => false,
            (Some(true), false) => true,
            (_, false) => stored.is_active,
        };
        let differs = !is_stale && (stored.name != customer.name || stored.is_active != is_active);
        self.count(differs.then_some(FindingKind::Changed));
        if differs {
            let here = format!("{}{}", stored.name, if stored.is_active { "" } else { " (inactive)" });
            self.find(FindingKind::Changed, about(customer, Some(here)));
        }
        let is_newer = customer.updated_at != stored.updated_there || stored.closed_there != Some(customer.is_closed);
        (!is_stale && (differs || is_newer)).then(|| row_of(customer, is_active))
    }

    fn write_customers(&self, written: &[Value], sites: &[Value], seen: &[i64]) -> Result<()> {
        let (tenant, now) = (self.tenant(), micros(self.now));
        if !written.is_empty() {
            let account = self.claim.run.integration_authentication_id.0;
            self.sql.execute(text::STORE_CUSTOMERS, &[&tenant, &to_json(written)?, &account, &now])?;
        }
        if !sites.is_empty() {
            let first =
                self.sql.reserve_ids(self.claim.tenant_id, "site", i64::try_from(sites.len()).expect("a page of customers"))?;
            self.sql.execute(text::STORE_FIRST_SITES, &[&tenant, &to_json(sites)?, &first, &now])?;
        }
        self.sql.execute(text::MARK_CUSTOMERS, &[&tenant, &to_json(seen)?, &self.run()]).map(|_| ())
    }
}

fn row_of(customer: &SyncedCustomer, is_active: bool) -> Value {
    let updated = customer.updated_at.map(micros);
    json!([customer.id.0, customer.name, i64::from(is_active), i64::from(customer.is_closed), updated])
}

fn about(customer: &SyncedCustomer, here: Option<String>) -> Found {
    let there = format!("{}{}", customer.name, if customer.is_closed { " (closed)" } else { "" });
    let id = customer.id.0;
    let subject = FindingSubject::Customer;
    Found { subject, subject_id: id, customer: Some(id), service: None, device: None, line: None, here, there: Some(there) }
}

/// Each once, as it was given last, in the order of their keys: a list that grows while it is read shows some twice.
pub(super) fn last_of_each<T, K: Ord>(given: &[T], key: impl Fn(&T) -> K) -> Vec<&T> {
    given.iter().map(|one| (key(one), one)).collect::<std::collections::BTreeMap<K, &T>>().into_values().collect()
}

/// What differs between two records, as a finding shows it.
#[derive(Default)]
pub(super) struct Differences {
    here: Vec<String>,
    there: Vec<String>,
}

impl Differences {
    /// Notes a value that differs; what is not known there is no difference.
    pub(super) fn known<T: PartialEq + ToString>(&mut self, name: &str, here: Option<&T>, there: Option<&T>) {
        if there.is_some() {
            self.exactly(name, here, there);
        }
    }

    /// Notes a value that differs, none being a value, too.
    pub(super) fn exactly<T: PartialEq + ToString>(&mut self, name: &str, here: Option<&T>, there: Option<&T>) {
        if here != there {
            let shown = |value: Option<&T>| format!("{name} {}", value.map_or_else(|| "none".to_owned(), ToString::to_string));
            self.here.push(shown(here));
            self.there.push(shown(there));
        }
    }

    /// What stands here and there; none: nothing differs.
    pub(super) fn shown(self) -> Option<(String, String)> {
        (!self.here.is_empty()).then(|| (self.here.join(", "), self.there.join(", ")))
    }
}
