//! Identifiers: one newtype each, so that a site's id cannot stand where a plan's is meant.
//!
//! All ids are 64-bit integers (B3.1). Those of tenant-owned things mean something only together with their [`TenantId`].

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id! {
    /// The operator whose data is isolated from all others.
    TenantId;
    /// A carrier account of the tenant.
    ServiceProviderId;
    /// One line in the carrier inventory.
    DeviceId;
    /// A customer that exists in Rev.io; the number is Rev.io's own customer id.
    RevCustomerId;
    /// Where lines are booked.
    SiteId;
    /// The credentials with which one billing or carrier account is called.
    IntegrationAuthenticationId;
    /// What the customer pays.
    CustomerRatePlanId;
    /// A shared data pool.
    CustomerRatePoolId;
    /// One order over many devices.
    BulkChangeId;
    /// That order for one device. Ids of one bulk change are consecutive, in device order.
    DeviceChangeId;
    /// Who acts for a tenant: an API key, or a person as a member of it. Both are numbered from one counter.
    PrincipalId;
    /// A person, whatever tenants they belong to.
    UserId;
    /// A named set of permissions of a tenant.
    RoleId;
    /// The billing line in Rev.io; the number is Rev.io's own service id.
    RevServiceId;
    /// One synchronisation with a billing system.
    SyncRunId;
    /// What is charged on a Rev service; the number is Rev.io's own service product id.
    RevServiceProductId;
}
