//! The words of synchronisation: what is read from a billing system or a carrier, how far a run is, and what it found.

use crate::terms::stored_text;

stored_text! {
    /// What a run reads: the first two of a billing system, the others of a carrier.
    SyncPart {
        /// Customers, by when they were changed.
        Customers = "customers",
        /// Services and service products, and afterwards the reconciliation report.
        Services = "services",
        /// The carrier's rate plans.
        CarrierPlans = "carrier_plans",
        /// Lines, by when they were changed where the carrier can tell.
        Devices = "devices",
        /// What lines used in the cycle to date.
        Usage = "usage",
    }
}

impl SyncPart {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What of all that a run reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SyncParts(u8);

impl SyncParts {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// What a run of a billing account reads unless it is told otherwise; all that it can read.
    pub const BILLING: Self = Self::NONE.and(SyncPart::Customers).and(SyncPart::Services);
    /// What a run of a carrier's account reads unless it is told otherwise: all but usage, which costs a call a line.
    pub const CARRIER: Self = Self::NONE.and(SyncPart::CarrierPlans).and(SyncPart::Devices);

    /// These and one more.
    #[must_use]
    pub const fn and(self, part: SyncPart) -> Self {
        Self(self.0 | part.bit())
    }

    /// Whether that is among them.
    #[must_use]
    pub const fn has(self, part: SyncPart) -> bool {
        self.0 & part.bit() != 0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Those that the others lack.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Each, in the order of the glossary.
    pub fn iter(self) -> impl Iterator<Item = SyncPart> {
        SyncPart::ALL.iter().copied().filter(move |part| self.has(*part))
    }
}

impl FromIterator<SyncPart> for SyncParts {
    fn from_iter<I: IntoIterator<Item = SyncPart>>(parts: I) -> Self {
        parts.into_iter().fold(Self::NONE, Self::and)
    }
}

stored_text! {
    /// Whether a run goes on.
    SyncState {
        /// It is at work, waits for its account, or waits to be taken up again.
        Running = "running",
        /// It came to its end.
        Done = "done",
        /// It was given up; another run may begin.
        Failed = "failed",
    }
}

stored_text! {
    /// What a run does next, in this order; what was not asked for is skipped.
    SyncPhase {
        /// Lists customers.
        Customers = "customers",
        /// Lists services.
        Services = "services",
        /// Lists service products.
        ServiceProducts = "service_products",
        /// Asks for each service that no list showed as connected.
        UnseenServices = "unseen_services",
        /// Asks for each service product that no list showed as charged.
        UnseenProducts = "unseen_products",
        /// Looks for services that bill a line for another customer than its own.
        ReportBilled = "report_billed",
        /// Looks for lines that nobody is billed for.
        ReportAssigned = "report_assigned",
        /// Lists the carrier's rate plans.
        CarrierPlans = "carrier_plans",
        /// Lists lines.
        Devices = "devices",
        /// Asks for each line that no list showed; only where a list showed all of them.
        UnseenDevices = "unseen_devices",
        /// Asks what each chosen line used.
        Usage = "usage",
        /// Nothing: it came to its end.
        Finished = "finished",
    }
}

impl SyncPhase {
    /// What a run begins with.
    #[must_use]
    pub fn first(parts: SyncParts) -> Self {
        Self::ALL.iter().copied().find(|phase| phase.part().is_some_and(|part| parts.has(part))).unwrap_or(Self::Finished)
    }

    /// What follows once this phase is through.
    #[must_use]
    pub fn next(self, parts: SyncParts) -> Self {
        let mut later = Self::ALL.iter().copied().skip_while(|phase| *phase != self).skip(1);
        later.find(|phase| phase.part().is_some_and(|part| parts.has(part))).unwrap_or(Self::Finished)
    }

    /// What the phase reads or reports; none: nothing.
    const fn part(self) -> Option<SyncPart> {
        match self {
            Self::Customers => Some(SyncPart::Customers),
            Self::Services
            | Self::ServiceProducts
            | Self::UnseenServices
            | Self::UnseenProducts
            | Self::ReportBilled
            | Self::ReportAssigned => Some(SyncPart::Services),
            Self::CarrierPlans => Some(SyncPart::CarrierPlans),
            Self::Devices | Self::UnseenDevices => Some(SyncPart::Devices),
            Self::Usage => Some(SyncPart::Usage),
            Self::Finished => None,
        }
    }
}

stored_text! {
    /// What a run found.
    FindingKind {
        /// It was not known here.
        New = "new",
        /// It differed and was written here.
        Changed = "changed",
        /// It is disconnected or deleted there, as a read of that very thing said; of a plan, as the whole list did.
        Gone = "gone",
        /// It could not be taken in.
        LeftOut = "left_out",
        /// A connected service with a charge whose line is assigned to another customer, to none, or is unknown.
        BilledNotAssigned = "billed_not_assigned",
        /// A line assigned to a customer of the account, without a connected service that charges anything.
        AssignedNotBilled = "assigned_not_billed",
    }
}

stored_text! {
    /// What a finding is about.
    FindingSubject {
        /// A customer, by its id there.
        Customer = "customer",
        /// A service, by its id there.
        Service = "service",
        /// A service product, by its id there.
        ServiceProduct = "service_product",
        /// A line, by its id here.
        Line = "line",
        /// A carrier's rate plan, by its id here.
        CarrierPlan = "carrier_plan",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_through_what_was_asked_for_and_ends() {
        let phases = |parts: &[SyncPart]| {
            let parts = parts.iter().copied().collect();
            let mut phase = SyncPhase::first(parts);
            let mut passed = Vec::new();
            while phase != SyncPhase::Finished {
                passed.push(phase);
                phase = phase.next(parts);
            }
            passed
        };
        assert_eq!(phases(&[]), []);
        assert_eq!(phases(&[SyncPart::Customers]), [SyncPhase::Customers]);
        assert_eq!(phases(&[SyncPart::Services, SyncPart::Customers]), SyncPhase::ALL[..7]);
        assert_eq!(phases(&[SyncPart::Services]), SyncPhase::ALL[1..7]);
        assert_eq!(phases(&[SyncPart::CarrierPlans, SyncPart::Devices, SyncPart::Usage]), SyncPhase::ALL[7..11]);
        assert_eq!(phases(&[SyncPart::Usage]), [SyncPhase::Usage]);
        assert_eq!(phases(&[SyncPart::Devices]), [SyncPhase::Devices, SyncPhase::UnseenDevices]);
    }

    #[test]
    fn parts_are_told_apart() {
        let asked: SyncParts = [SyncPart::Usage, SyncPart::Customers, SyncPart::Usage].into_iter().collect();
        assert_eq!(asked.iter().collect::<Vec<_>>(), [SyncPart::Customers, SyncPart::Usage]);
        let foreign = asked.without(SyncParts::BILLING);
        assert_eq!(foreign.iter().collect::<Vec<_>>(), [SyncPart::Usage]);
        assert!(SyncParts::BILLING.without(SyncParts::BILLING).is_none() && !SyncParts::CARRIER.has(SyncPart::Usage));
    }
}
