//! Why a line was not changed: the closed list of codes (B4.6, B5.3, B7, B8) and their kinds.

use crate::terms::stored_text;

stored_text! {
    /// The kind of an error: who has to do something about it.
    ErrorKind {
        /// The order or the line's data is of the wrong form.
        Validation = "VALIDATION",
        /// The line does not qualify.
        Eligibility = "ELIGIBILITY",
        /// The orderer may not.
        Permission = "PERMISSION",
        /// Something else stands in the way or was faster.
        Conflict = "CONFLICT",
        /// An outside system refused or failed.
        Integration = "INTEGRATION",
        /// Lineshift itself failed.
        Internal = "INTERNAL",
    }
}

stored_text! {
    /// The reason for which one device change ended in ERROR. Stored names: never rename.
    Code {
        /// Rule 1: not 18 to 22 digits.
        InvalidIccid = "invalid_iccid",
        /// Rule 1: not 10 to 15 digits.
        InvalidNumber = "invalid_number",
        /// Rule 2: names no line of the tenant's inventory.
        DeviceNotFound = "device_not_found",
        /// Rule 2: names several lines.
        NumberAmbiguous = "number_ambiguous",
        /// Rule 3: belongs to another service provider.
        WrongServiceProvider = "wrong_service_provider",
        /// Rule 4: archived or deleted.
        DeviceArchived = "device_archived",
        /// Rule 5: the status is not an active one.
        DeviceNotActive = "device_not_active",
        /// Rule 5 for status updates: the carrier does not allow the move.
        StatusNotReachable = "status_not_reachable",
        /// Rule 6: an earlier change holds the line.
        ChangeInProgress = "change_in_progress",
        /// Rule 6: nobody knows yet what an earlier call did.
        OutcomeUnknown = "outcome_unknown",
        /// Rule 7: the customer is billed for this line already.
        ServiceLineExists = "service_line_exists",
        /// Rule 8: another customer is billed for this line.
        ActiveServiceLine = "active_service_line",
        /// Rule 9: a step needs data that the line lacks.
        MissingDeviceData = "missing_device_data",
        /// B8.5: more than the plan of the line allows.
        AllocationOverBound = "allocation_over_bound",
        /// B5.3: the line is no longer what was judged.
        ModifiedMeanwhile = "modified_meanwhile",
        /// The plan was made inactive since it was ordered.
        PlanInactive = "plan_inactive",
        /// The pool was made inactive since it was ordered.
        PoolInactive = "pool_inactive",
        /// The customer was made inactive since it was ordered.
        CustomerInactive = "customer_inactive",
        /// The site was made inactive since it was ordered.
        SiteInactive = "site_inactive",
        /// B5.3: the orderer's rights were taken away meanwhile.
        RightsLost = "rights_lost",
        /// B5.3: the integration's writes are disabled.
        WritesDisabled = "writes_disabled",
        /// B5.3: the integration's credentials were refused.
        CredentialsRefused = "credentials_refused",
        /// B7.2: the product is there with another rate or quantity.
        ProductDiffers = "product_differs",
        /// B7.4: the account's calls of the day are used up; the row waits.
        QuotaExhausted = "quota_exhausted",
        /// B7.3: the account cannot be called for a while; the row waits.
        AccountNotReady = "account_not_ready",
        /// The billing system refused the request.
        BillingRefused = "billing_refused",
        /// The billing system gave no usable answer in as many attempts as are allowed.
        BillingUnavailable = "billing_unavailable",
        /// The customer is closed in, or unknown to, the billing system.
        CustomerClosed = "customer_closed",
        /// A product, package, provider or service type is unknown to the billing system or inactive there.
        BillingReferenceInactive = "billing_reference_inactive",
        /// The package brings no product, so that nothing would be billed.
        PackageWithoutProducts = "package_without_products",
        /// The integration has no credentials, or they cannot be read with this key.
        CredentialsMissing = "credentials_missing",
        /// The carrier refused the request, or says that it failed.
        CarrierRefused = "carrier_refused",
        /// The carrier gave no usable answer in as many attempts as are allowed.
        CarrierUnavailable = "carrier_unavailable",
        /// The carrier has no such line.
        CarrierLineUnknown = "carrier_line_unknown",
        /// B5.6: the carrier has accepted the request; the row waits for what becomes of it.
        AwaitingCarrier = "awaiting_carrier",
        /// A store write kept failing (B5.5).
        StoreFailed = "store_failed",
    }
}

impl Code {
    /// The kind that this code belongs to.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::InvalidIccid | Self::InvalidNumber | Self::MissingDeviceData | Self::AllocationOverBound => {
                ErrorKind::Validation
            }
            Self::DeviceNotFound
            | Self::NumberAmbiguous
            | Self::WrongServiceProvider
            | Self::DeviceArchived
            | Self::DeviceNotActive
            | Self::StatusNotReachable
            | Self::PlanInactive
            | Self::PoolInactive
            | Self::CustomerInactive
            | Self::CustomerClosed
            | Self::BillingReferenceInactive
            | Self::PackageWithoutProducts
            | Self::CarrierLineUnknown
            | Self::SiteInactive => ErrorKind::Eligibility,
            Self::ChangeInProgress
            | Self::OutcomeUnknown
            | Self::ServiceLineExists
            | Self::ActiveServiceLine
            | Self::ModifiedMeanwhile
            | Self::ProductDiffers => ErrorKind::Conflict,
            Self::RightsLost => ErrorKind::Permission,
            Self::WritesDisabled
            | Self::CredentialsRefused
            | Self::CredentialsMissing
            | Self::QuotaExhausted
            | Self::AccountNotReady
            | Self::BillingRefused
            | Self::BillingUnavailable
            | Self::CarrierRefused
            | Self::CarrierUnavailable
            | Self::AwaitingCarrier => ErrorKind::Integration,
            Self::StoreFailed => ErrorKind::Internal,
        }
    }
}
