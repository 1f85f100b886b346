//! What stands in the ledger and what was called, for tests and demonstrations.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::JasperSimulator;
use super::{AuditEntry, ChangeStatus, Device, Status};
use crate::chassis::Traffic;

/// The ledger in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Devices by status.
    pub devices: BTreeMap<Status, usize>,
    /// Fields that were changed.
    pub changed_fields: usize,
    /// Changes of fields that wait for their date.
    pub pending_fields: usize,
    /// Changes of fields that were not allowed any more when their date came.
    pub failed_fields: usize,
    /// Assignments (`PUT`) that were accepted.
    pub assignments: u64,
    /// Those among them that assigned nothing but what stood, or waited, already.
    pub repeated_assignments: u64,
    /// What was called.
    #[serde(flatten)]
    pub traffic: Traffic,
}

/// Reads the ledger of a running simulator; each call sees what stands then.
#[derive(Clone, Copy)]
pub struct LedgerView<'s> {
    pub(in crate::jasper) simulator: &'s JasperSimulator,
}

impl LedgerView<'_> {
    /// All of it in numbers.
    #[must_use]
    pub fn summary(self) -> Summary {
        let now = self.simulator.now();
        let mut state = self.simulator.state();
        state.ledger.settle(now);
        let ledger = &state.ledger;
        let mut devices = BTreeMap::new();
        for device in ledger.devices.values() {
            *devices.entry(device.status).or_default() += 1;
        }
        let count = |status: ChangeStatus| ledger.audit.iter().filter(|entry| entry.status == status).count();
        Summary {
            devices,
            changed_fields: count(ChangeStatus::Completed),
            pending_fields: count(ChangeStatus::Pending),
            failed_fields: count(ChangeStatus::Failed),
            assignments: ledger.assignments,
            repeated_assignments: ledger.repeated,
            traffic: state.journal.traffic(),
        }
    }

    /// A device.
    #[must_use]
    pub fn device(self, iccid: &str) -> Option<Device> {
        let now = self.simulator.now();
        let mut state = self.simulator.state();
        state.ledger.settle(now);
        state.ledger.devices.get(iccid).cloned()
    }

    /// All devices, by ICCID.
    #[must_use]
    pub fn devices(self) -> Vec<Device> {
        let now = self.simulator.now();
        let mut state = self.simulator.state();
        state.ledger.settle(now);
        state.ledger.devices.values().cloned().collect()
    }

    /// Every change that was ever accepted, in that order.
    #[must_use]
    pub fn audit_trail(self) -> Vec<AuditEntry> {
        let now = self.simulator.now();
        let mut state = self.simulator.state();
        state.ledger.settle(now);
        state.ledger.audit.clone()
    }
}
