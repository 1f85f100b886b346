//! What goes to and comes from POND, field by field. Unknown fields in answers are tolerated.

use serde::{Deserialize, Deserializer, Serialize};

use super::types::{PondPackage, PondPackageType, PondServices, PondSim, ServiceStatus};
use super::{PackageId, PackageTypeId};
use crate::carrier::{IccId, values};

/// The body of `POST /sim/{iccid}/status`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetServices {
    sim_data_service_status: &'static str,
    sim_voice_service_status: &'static str,
    sim_sms_service_status: &'static str,
}

impl From<PondServices> for SetServices {
    fn from(services: PondServices) -> Self {
        Self {
            sim_data_service_status: services.data.as_str(),
            sim_voice_service_status: services.voice.as_str(),
            sim_sms_service_status: services.sms.as_str(),
        }
    }
}

/// The body of `POST /sim/{iccid}/addPackage`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddPackage<'a> {
    pub(super) package_type_id: &'a str,
}

/// The body of `POST /package/{packageId}/status`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetPackageStatus {
    pub(super) package_status: &'static str,
}

/// A SIM in an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sim {
    #[serde(deserialize_with = "values::iccid")]
    iccid: IccId,
    #[serde(default, deserialize_with = "values::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "service_status")]
    sim_data_service_status: Option<ServiceStatus>,
    #[serde(default, deserialize_with = "service_status")]
    sim_voice_service_status: Option<ServiceStatus>,
    #[serde(default, deserialize_with = "service_status")]
    sim_sms_service_status: Option<ServiceStatus>,
    #[serde(default, deserialize_with = "values::text")]
    msisdn: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    imsi: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    imei: Option<String>,
}

impl From<Sim> for PondSim {
    fn from(sim: Sim) -> Self {
        Self {
            iccid: sim.iccid,
            status: sim.status,
            data: sim.sim_data_service_status,
            voice: sim.sim_voice_service_status,
            sms: sim.sim_sms_service_status,
            msisdn: sim.msisdn,
            imsi: sim.imsi,
            imei: sim.imei,
        }
    }
}

fn service_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ServiceStatus>, D::Error> {
    values::parsed(deserializer, |text| ServiceStatus::find(text).ok_or("expected ENABLED or DISABLED"))
}

/// A package in an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Package {
    #[serde(default, deserialize_with = "values::text")]
    package_id: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    package_type_id: Option<String>,
    #[serde(default)]
    package_type: Option<Named>,
    #[serde(default, deserialize_with = "values::text")]
    package_status: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    status: Option<String>,
    /// Whose package it is, if it says so.
    #[serde(default, deserialize_with = "values::optional_iccid")]
    pub(super) iccid: Option<IccId>,
}

/// Something with an id.
#[derive(Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "values::text")]
    id: Option<String>,
}

impl Package {
    pub(super) fn into_package(self) -> Result<PondPackage, String> {
        let id = one_of(("packageId", self.package_id), ("id", self.id))?.ok_or("missing field `packageId`")?;
        let type_id = one_of(
            ("packageTypeId", self.package_type_id),
            ("packageType.id", self.package_type.and_then(|package_type| package_type.id)),
        )?;
        Ok(PondPackage {
            id: id.parse::<PackageId>().map_err(|error| format!("packageId: {error}"))?,
            package_type_id: type_id
                .map(|id| id.parse::<PackageTypeId>().map_err(|error| format!("packageTypeId: {error}")))
                .transpose()?,
            status: one_of(("packageStatus", self.package_status), ("status", self.status))?,
        })
    }
}

/// A package type in an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PackageType {
    #[serde(default, deserialize_with = "values::text")]
    package_type_id: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    name: Option<String>,
}

impl PackageType {
    pub(super) fn into_package_type(self) -> Result<PondPackageType, String> {
        let id = one_of(("packageTypeId", self.package_type_id), ("id", self.id))?.ok_or("missing field `packageTypeId`")?;
        let id = id.parse().map_err(|error| format!("packageTypeId: {error}"))?;
        Ok(PondPackageType { id, name: self.name })
    }
}

/// The value of a field that may have either of two names. Two that differ are no answer: nobody knows which is meant.
fn one_of(first: (&str, Option<String>), second: (&str, Option<String>)) -> Result<Option<String>, String> {
    match (first.1, second.1) {
        (Some(one), Some(other)) if one != other => Err(format!("{} and {} differ", first.0, second.0)),
        (one, other) => Ok(one.or(other)),
    }
}
