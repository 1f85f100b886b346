//! What stands in the ledger and what was called, for tests and demonstrations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::RevioSimulator;
use super::{Customer, Ledger, Service, ServiceProduct};

/// The ledger in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Customers.
    pub customers: usize,
    /// Services that are not disconnected.
    pub services: usize,
    /// Services that are.
    pub disconnected_services: usize,
    /// Service products that are PENDING or ACTIVE.
    pub service_products: usize,
    /// Services beyond the first with the same customer, number and number2, none of them disconnected.
    pub duplicate_services: usize,
    /// Service products beyond the first with the same service and product, all of them PENDING or ACTIVE.
    pub duplicate_products: usize,
    /// Calls by method and path; what is not described counts as `unknown`.
    pub calls: BTreeMap<String, u64>,
    /// Calls by status, or by what came instead of an answer: `cut`, `reset`, `silence`.
    pub statuses: BTreeMap<String, u64>,
    /// Faults by kind.
    pub faults: BTreeMap<String, u64>,
    /// Calls that did not fit the description.
    pub wrong_requests: u64,
    /// What was wrong with the first of them.
    pub wrong_texts: Vec<String>,
    /// The most calls that were under way at once.
    pub most_at_once: usize,
    /// The most calls that were let through within a minute.
    pub most_a_minute: usize,
    /// Calls that will work later although their callers have given up.
    pub outstanding: usize,
}

/// Reads the ledger of a running simulator; each call sees what stands then.
#[derive(Clone, Copy)]
pub struct LedgerView<'s> {
    pub(in crate::revio) simulator: &'s RevioSimulator,
}

impl LedgerView<'_> {
    /// All of it in numbers.
    #[must_use]
    pub fn summary(self) -> Summary {
        let state = self.simulator.state();
        let (ledger, traffic) = (&state.ledger, state.journal.traffic());
        let services = ledger.services.values().filter(|service| service.disconnected_date.is_none()).count();
        Summary {
            customers: ledger.customers.len(),
            services,
            disconnected_services: ledger.services.len() - services,
            service_products: ledger.service_products.values().filter(|product| product.status.is_live()).count(),
            duplicate_services: duplicate_services(ledger),
            duplicate_products: duplicate_products(ledger),
            calls: traffic.calls,
            statuses: traffic.statuses,
            faults: traffic.faults,
            wrong_requests: traffic.wrong_requests,
            wrong_texts: traffic.wrong_texts,
            most_at_once: traffic.most_at_once,
            most_a_minute: traffic.most_a_minute,
            outstanding: traffic.outstanding,
        }
    }

    /// All customers, by id.
    #[must_use]
    pub fn customers(self) -> Vec<Customer> {
        self.simulator.state().ledger.customers.values().cloned().collect()
    }

    /// All services, disconnected ones included, by id.
    #[must_use]
    pub fn services(self) -> Vec<Service> {
        self.simulator.state().ledger.services.values().cloned().collect()
    }

    /// All service products, whatever their status, by id.
    #[must_use]
    pub fn service_products(self) -> Vec<ServiceProduct> {
        self.simulator.state().ledger.service_products.values().cloned().collect()
    }
}

fn duplicate_services(ledger: &Ledger) -> usize {
    let live = ledger.services.values().filter(|service| service.disconnected_date.is_none());
    beyond_the_first(live.map(|service| (service.customer_id, service.number.as_deref(), service.number2.as_deref())))
}

fn duplicate_products(ledger: &Ledger) -> usize {
    let live = ledger.service_products.values().filter(|product| product.status.is_live());
    beyond_the_first(live.map(|product| (product.service_id, product.product_id)))
}

fn beyond_the_first<K: Ord>(keys: impl Iterator<Item = K>) -> usize {
    let mut counts: BTreeMap<K, usize> = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts.values().map(|count| count - 1).sum()
}
