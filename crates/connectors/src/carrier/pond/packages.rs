//! Packages of SIMs, and the types that they are of.

use super::sims::{read_done, same};
use super::wire::{AddPackage, Package, PackageType, SetPackageStatus};
use super::{InventoryId, PackageId, PackageStatus, PackageTypeId, PondClient, PondPackage, PondPackageType};
use crate::Called;
use crate::carrier::IccId;
use crate::http::{Answer, Effect, Permit};
use crate::json::{self, body_of};

impl PondClient {
    pub(super) async fn packages_of(&self, iccid: &IccId) -> Called<Option<Vec<PondPackage>>> {
        let path = format!("/sim/{iccid}/package/infos");
        let called = self.all(&path, |package: Package| package_of(iccid, package)).await;
        // One that moved to the next page meanwhile is one.
        let called = called.map(|mut packages| {
            packages.sort_by(|one, other| one.id.cmp(&other.id));
            packages.dedup_by(|one, other| one.id == other.id);
            packages
        });
        called.or_not_found()
    }

    pub(super) async fn post_package(&self, permit: Permit, iccid: &IccId, of_type: &PackageTypeId) -> Called<PondPackage> {
        let body = body_of(&AddPackage { package_type_id: of_type.as_str() });
        let effect = Effect { method: "POST", path: format!("/sim/{iccid}/addPackage"), body };
        self.endpoint.send(permit, effect, |answer| read_added(answer, iccid, of_type)).await
    }

    pub(super) async fn post_package_status(&self, permit: Permit, id: &PackageId, status: PackageStatus) -> Called<()> {
        let body = body_of(&SetPackageStatus { package_status: status.as_str() });
        let effect = Effect { method: "POST", path: format!("/package/{id}/status"), body };
        self.endpoint.send(permit, effect, read_done).await
    }

    pub(super) async fn package_types_of(&self, inventory: &InventoryId) -> Called<Vec<PondPackageType>> {
        self.all(&format!("/inventory/{inventory}/packageTypes"), PackageType::into_package_type).await
    }
}

/// A package of that SIM, as far as it says so.
fn package_of(iccid: &IccId, package: Package) -> Result<PondPackage, String> {
    if let Some(answered) = &package.iccid {
        same(iccid, answered)?;
    }
    package.into_package()
}

/// The package that was created: 200 or 201 with a package of that SIM and, if it says so, that type (B7.3).
fn read_added(answer: &Answer, iccid: &IccId, of_type: &PackageTypeId) -> Result<PondPackage, String> {
    if !matches!(answer.status, 200 | 201) {
        return Err("added is 200 or 201".to_owned());
    }
    let package = package_of(iccid, json::read(answer)?)?;
    match &package.package_type_id {
        Some(other) if other != of_type => Err(format!("asked for a package of type {of_type}, it answers {other}")),
        _ => Ok(package),
    }
}
