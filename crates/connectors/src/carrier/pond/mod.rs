//! POND IoT. carriers.md marks all that it says of it **S**: seen in use, not documented. What it does not say is an open point
//! ([`OpenPoints`]) or read under each of the likely names.

mod abilities;
mod carrier;
mod credentials;
mod errors;
mod ids;
mod lists;
mod open_points;
mod packages;
mod saga;
mod sims;
mod types;
mod wire;

use std::sync::Arc;

pub use self::carrier::Pond;
pub use self::credentials::{DEFAULT_HEADER, PondCredentials, UnreadableCredentials};
pub use self::ids::{DistributorId, InventoryId, NoPondId, PackageId, PackageTypeId};
pub use self::open_points::{OpenPoints, StatedDefaults};
pub use self::types::{PackageStatus, PondPackage, PondPackageType, PondServices, PondSim, ServiceStatus};
use lineshift_domain::carrier::StatedLimits;

use super::IccId;
use crate::http::{Account, Endpoint, Masker, Permit};
use crate::{Batch, Called};

/// POND states no limits; ten calls at a time are known to be taken.
pub const STATED_LIMITS: StatedLimits =
    StatedLimits { concurrency: 10, calls_a_second: None, calls_a_minute: None, calls_a_day: None };

/// One account of POND. An error in the body is that error, also within a 2xx.
pub struct PondClient {
    endpoint: Endpoint,
    open_points: Arc<dyn OpenPoints>,
}

impl PondClient {
    /// POND at `base_address`, below which the distributor's id follows, with the stated defaults for what is not known.
    #[must_use]
    pub fn new(account: Account, base_address: &str, credentials: PondCredentials) -> Self {
        let PondCredentials { api_key, header, distributor_id, inventory_id: _ } = credentials;
        let masker = Masker::new([&api_key]);
        let base_address = format!("{}/{distributor_id}", base_address.trim_end_matches('/'));
        let endpoint = Endpoint::new(account, &base_address, vec![(header.as_str(), api_key)], masker);
        let endpoint = endpoint.with_error_reader(errors::read_error);
        Self { endpoint, open_points: Arc::new(StatedDefaults) }
    }

    /// The same with other answers to what is not known.
    #[must_use]
    pub fn with_open_points(mut self, open_points: Arc<dyn OpenPoints>) -> Self {
        self.open_points = open_points;
        self
    }

    /// The account behind it.
    #[must_use]
    pub const fn account(&self) -> &Account {
        self.endpoint.account()
    }

    /// Whether the credentials work: the first page of SIMs.
    pub async fn test_connection(&self) -> Called<()> {
        self.sims_page(0).await.map(drop)
    }

    /// One SIM; none: POND says that it is not there.
    pub async fn find_sim(&self, iccid: &IccId) -> Called<Option<PondSim>> {
        self.sim(iccid).await
    }

    /// Sets whether the services of a SIM are enabled. It sets state: where nobody knows whether it worked it may be sent again.
    pub async fn set_services(&self, permit: Permit, iccid: &IccId, services: PondServices) -> Called<()> {
        self.post_services(permit, iccid, services).await
    }

    /// One page of SIMs after the first `offset` of them. The next page follows after those that this one holds.
    pub async fn list_sims(&self, offset: usize) -> Called<Batch<PondSim>> {
        self.sims_page(offset).await
    }

    /// How many SIMs a page of a list is asked for.
    fn page_size(&self) -> usize {
        self.open_points.page_size().max(1)
    }

    /// All packages of a SIM, whatever their status; none: POND says that the SIM is not there.
    pub async fn list_packages(&self, iccid: &IccId) -> Called<Option<Vec<PondPackage>>> {
        self.packages_of(iccid).await
    }

    /// Adds a package of that type to a SIM. It creates one each time it is sent: anything but a readable package or a clear
    /// refusal is ambiguous, and is settled by [`Self::list_packages`] before it is sent again (B7.3).
    pub async fn add_package(&self, permit: Permit, iccid: &IccId, package_type: &PackageTypeId) -> Called<PondPackage> {
        self.post_package(permit, iccid, package_type).await
    }

    /// Activates or terminates a package. It sets state: where nobody knows whether it worked it may be sent again.
    pub async fn set_package_status(&self, permit: Permit, package: &PackageId, status: PackageStatus) -> Called<()> {
        self.post_package_status(permit, package, status).await
    }

    /// All package types of an inventory: the carrier plans.
    pub async fn list_package_types(&self, inventory: &InventoryId) -> Called<Vec<PondPackageType>> {
        self.package_types_of(inventory).await
    }
}

#[cfg(test)]
mod tests;
