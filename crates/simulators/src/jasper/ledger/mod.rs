//! What the simulated Jasper holds.

mod records;
mod seeding;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

pub(super) use self::records::FieldChange;
pub use self::records::{AuditEntry, ChangeStatus, Device, Status, Usage};
pub use self::view::{LedgerView, Summary};

/// All records.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By ICCID.
    pub(super) devices: BTreeMap<String, Device>,
    pub(super) rate_plans: BTreeSet<String>,
    pub(super) communication_plans: BTreeSet<String>,
    pub(super) customers: BTreeSet<String>,
    /// Every change that was ever accepted, in that order.
    pub(super) audit: Vec<AuditEntry>,
    /// Changes that wait, by their date and where they stand in the audit trail.
    pending: BTreeMap<(DateTime<Utc>, usize), FieldChange>,
    /// Assignments that were accepted.
    assignments: u64,
    /// Those among them that assigned nothing but what stood, or waited, already.
    repeated: u64,
}

impl Ledger {
    /// Assigns fields now or on a later date. What stands or waits already leaves no trace, so that sending again is harmless.
    pub(super) fn assign(&mut self, iccid: &str, changes: Vec<FieldChange>, from: DateTime<Utc>, now: DateTime<Utc>, user: &str) {
        self.assignments += 1;
        let before = self.audit.len();
        for change in changes {
            let Some(device) = self.devices.get(iccid) else { return };
            let mut waiting = self.pending.range((from, 0)..=(from, usize::MAX));
            let waits = waiting.any(|((_, at), pending)| *pending == change && self.audit[*at].iccid == iccid);
            let prior_value = change.prior(device);
            let stands = from <= now && prior_value.as_deref() == Some(change.value());
            if stands || waits {
                continue;
            }
            self.audit.push(AuditEntry {
                iccid: iccid.to_owned(),
                field: change.field(),
                prior_value,
                value: change.value().to_owned(),
                effective_date: from,
                status: ChangeStatus::Pending,
                user_name: user.to_owned(),
            });
            self.pending.insert((from, self.audit.len() - 1), change);
        }
        self.repeated += u64::from(self.audit.len() == before);
        self.settle(now);
    }

    /// Brings into force what has reached its date, in the order of dates. What is not allowed any more by then fails.
    pub(super) fn settle(&mut self, now: DateTime<Utc>) {
        while let Some(first) = self.pending.first_entry().filter(|first| first.key().0 <= now) {
            let ((_, at), change) = first.remove_entry();
            let entry = &mut self.audit[at];
            let Some(device) = self.devices.get_mut(&entry.iccid) else {
                entry.status = ChangeStatus::Failed;
                continue;
            };
            entry.prior_value = change.prior(device);
            entry.status = match change.apply(device, entry.effective_date) {
                Ok(()) => ChangeStatus::Completed,
                Err(_) => ChangeStatus::Failed,
            };
        }
    }
}
