//! What stands in the ledger and what was called, for tests and demonstrations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::PondSimulator;
use super::{Package, PackageStatus, Sim};
use crate::chassis::Traffic;

/// The ledger in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// SIMs.
    pub sims: usize,
    /// Packages that were added and not activated.
    pub added_packages: usize,
    /// Packages in use.
    pub active_packages: usize,
    /// Packages that are over.
    pub terminated_packages: usize,
    /// Packages beyond the first of a SIM and a type, none of them terminated.
    pub duplicate_packages: usize,
    /// SIMs with several packages in use.
    pub sims_with_several: usize,
    /// What was called.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Reads the ledger of a running simulator; each call sees what stands then.
#[derive(Clone, Copy)]
pub struct LedgerView<'s> {
    pub(in crate::pond) simulator: &'s PondSimulator,
}

impl LedgerView<'_> {
    /// All of it in numbers.
    #[must_use]
    pub fn summary(self) -> Summary {
        let state = self.simulator.state();
        let packages = || state.ledger.packages.values();
        let count = |status: PackageStatus| packages().filter(|package| package.status == status).count();
        let standing = packages().filter(|package| package.status != PackageStatus::Terminated);
        let active = packages().filter(|package| package.status == PackageStatus::Active);
        let by_sim = numbers(active.map(|package| package.iccid.as_str()));
        let by_type = numbers(standing.map(|package| (package.iccid.as_str(), package.package_type_id.as_str())));
        Summary {
            sims: state.ledger.sims.len(),
            added_packages: count(PackageStatus::Added),
            active_packages: count(PackageStatus::Active),
            terminated_packages: count(PackageStatus::Terminated),
            duplicate_packages: by_type.values().map(|number| number - 1).sum(),
            sims_with_several: by_sim.values().filter(|number| **number > 1).count(),
            traffic: state.journal.traffic(),
        }
    }

    /// A SIM.
    #[must_use]
    pub fn sim(self, iccid: &str) -> Option<Sim> {
        self.simulator.state().ledger.sims.get(iccid).cloned()
    }

    /// All SIMs, by ICCID.
    #[must_use]
    pub fn sims(self) -> Vec<Sim> {
        self.simulator.state().ledger.sims.values().cloned().collect()
    }

    /// The packages of a SIM, whatever their status, by id.
    #[must_use]
    pub fn packages_of(self, iccid: &str) -> Vec<Package> {
        self.simulator.state().ledger.packages_of(iccid).cloned().collect()
    }
}

fn numbers<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts: BTreeMap<K, usize> = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}
