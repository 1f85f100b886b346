//! Filling the ledger, and changing it while the simulator runs.

use super::super::PondSimulator;
use super::{PackageStatus, Sim};

/// What is there is replaced. All of it holds from the next call on.
impl PondSimulator {
    /// A package type of an inventory.
    pub fn with_package_type(&self, inventory: &str, id: &str, name: &str) -> &Self {
        let mut state = self.state();
        state.ledger.inventories.entry(inventory.to_owned()).or_default().insert(id.to_owned(), name.to_owned());
        drop(state);
        self
    }

    /// From now on no inventory has that package type.
    pub fn remove_package_type(&self, id: &str) -> &Self {
        for types in self.state().ledger.inventories.values_mut() {
            types.remove(id);
        }
        self
    }

    /// A SIM as given.
    pub fn with_sim(&self, sim: Sim) -> &Self {
        self.state().ledger.sims.insert(sim.iccid.clone(), sim);
        self
    }

    /// Takes a SIM with its packages out of the ledger, as if it had never been there.
    pub fn remove_sim(&self, iccid: &str) -> &Self {
        self.state().ledger.remove_sim(iccid);
        self
    }

    /// A package as if somebody else had added it; answers its id.
    pub fn add_package(&self, iccid: &str, type_id: &str, status: PackageStatus) -> i64 {
        let mut state = self.state();
        let id = state.ledger.add_package(iccid, type_id, None).package_id;
        if let Some(package) = state.ledger.packages.get_mut(&id) {
            package.status = status;
        }
        id
    }

    /// Changes a package as if somebody else had done it.
    pub fn change_package(&self, id: i64, status: PackageStatus) -> &Self {
        if let Some(package) = self.state().ledger.packages.get_mut(&id) {
            package.status = status;
        }
        self
    }

    /// Package types of the inventory `main`, and `sims` SIMs from 8944000000000000001 on, each with an active package.
    pub fn with_examples(&self, sims: u32) -> &Self {
        for (id, name) in [("101", "Sensor 50 MB"), ("102", "Sensor 250 MB"), ("103", "Tracker")] {
            self.with_package_type("main", id, name);
        }
        for number in 1..=u64::from(sims) {
            let iccid = (8_944_000_000_000_000_000 + number).to_string();
            self.with_sim(Sim { msisdn: Some(format!("4470{number:08}")), ..Sim::new(&iccid) });
            self.add_package(&iccid, "101", PackageStatus::Active);
        }
        self
    }
}
