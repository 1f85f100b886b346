//! The words of synchronisation: what is read from a billing system, how far a run is, and what it found.

use crate::terms::stored_text;

stored_text! {
    /// What a run reads.
    SyncPart {
        /// Customers, by when they were changed.
        Customers = "customers",
        /// Services and service products, and afterwards the reconciliation report.
        Services = "services",
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
        /// Nothing: it came to its end.
        Finished = "finished",
    }
}

impl SyncPhase {
    /// What a run begins with.
    #[must_use]
    pub const fn first(customers: bool) -> Self {
        if customers { Self::Customers } else { Self::Services }
    }

    /// What follows once this phase is through.
    #[must_use]
    pub const fn next(self, services: bool) -> Self {
        match self {
            Self::Customers if services => Self::Services,
            Self::Services => Self::ServiceProducts,
            Self::ServiceProducts => Self::UnseenServices,
            Self::UnseenServices => Self::UnseenProducts,
            Self::UnseenProducts => Self::ReportBilled,
            Self::ReportBilled => Self::ReportAssigned,
            Self::Customers | Self::ReportAssigned | Self::Finished => Self::Finished,
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
        /// It is disconnected or deleted there, as a read of that very thing said.
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_through_what_was_asked_for_and_ends() {
        let phases = |customers: bool, services: bool| {
            let mut phase = SyncPhase::first(customers);
            let mut passed = Vec::new();
            while phase != SyncPhase::Finished {
                passed.push(phase);
                phase = phase.next(services);
            }
            passed
        };
        assert_eq!(phases(true, false), [SyncPhase::Customers]);
        assert_eq!(phases(true, true), SyncPhase::ALL[..7]);
        assert_eq!(phases(false, true), SyncPhase::ALL[1..7]);
    }
}
