//! What the simulated POND holds.

mod records;
mod seeding;
mod view;

use std::collections::BTreeMap;

use tokio::time::Instant;

pub use self::records::{Package, PackageStatus, ServiceStatus, Sim};
pub use self::view::{LedgerView, Summary};

/// Where the ids of packages start.
const FIRST_PACKAGE: u64 = 700_001;

/// All records.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By ICCID.
    pub(super) sims: BTreeMap<String, Sim>,
    /// By id.
    pub(super) packages: BTreeMap<i64, Package>,
    /// Ids of packages by ICCID, so that a list does not read them all.
    packages_by_sim: BTreeMap<String, Vec<i64>>,
    /// Package types by inventory: name by id.
    pub(super) inventories: BTreeMap<String, BTreeMap<String, String>>,
    /// How many packages were ever added, so that no id comes twice.
    added: u64,
}

impl Ledger {
    pub(super) fn has_package_type(&self, id: &str) -> bool {
        self.inventories.values().any(|types| types.contains_key(id))
    }

    /// Adds a package that is not activated.
    pub(super) fn add_package(&mut self, iccid: &str, type_id: &str, found_from: Option<Instant>) -> Package {
        let package_id = i64::try_from(FIRST_PACKAGE + self.added).unwrap_or(i64::MAX);
        self.added += 1;
        let package = Package {
            package_id,
            package_type_id: type_id.to_owned(),
            iccid: iccid.to_owned(),
            status: PackageStatus::Added,
            found_from,
        };
        self.packages.insert(package_id, package.clone());
        self.packages_by_sim.entry(package.iccid.clone()).or_default().push(package_id);
        package
    }

    /// The packages of a SIM, by id.
    pub(super) fn packages_of(&self, iccid: &str) -> impl Iterator<Item = &Package> {
        self.packages_by_sim.get(iccid).into_iter().flatten().filter_map(|id| self.packages.get(id))
    }

    /// Takes out a SIM with its packages.
    pub(super) fn remove_sim(&mut self, iccid: &str) {
        self.sims.remove(iccid);
        for id in self.packages_by_sim.remove(iccid).unwrap_or_default() {
            self.packages.remove(&id);
        }
    }
}
