//! What each call does once it fits the description: rules, and the ledger.

use serde_json::{Value, json};

use super::Pond;
use super::ledger::{Package, PackageStatus, ServiceStatus, Sim};
use crate::chassis;
use crate::chassis::answers::{Failure, Success};

/// How many elements a list has when the request does not say.
const COUNT: usize = 50;

type Work<'w> = chassis::Work<'w, Pond>;

/// Does what the call asks for.
pub(super) fn perform(work: &mut Work<'_>) -> Result<Success, Failure> {
    match work.call.operation.name.as_str() {
        "GET /{distributorId}/sim" => Ok(list(work, work.ledger.sims.values().map(Sim::json))),
        "GET /{distributorId}/sim/{iccid}" => sim(work).map(|sim| Success::of(sim.json())),
        "POST /{distributorId}/sim/{iccid}/status" => set_services(work),
        "POST /{distributorId}/sim/{iccid}/addPackage" => add_package(work),
        "GET /{distributorId}/sim/{iccid}/package/infos" => packages(work),
        "POST /{distributorId}/package/{packageId}/status" => set_package_status(work),
        "GET /{distributorId}/inventory/{inventoryId}/packageTypes" => package_types(work),
        name => Err(Failure::new(405, format!("{name} is not available")).coded("METHOD_NOT_ALLOWED")),
    }
}

fn sim<'l>(work: &'l Work<'_>) -> Result<&'l Sim, Failure> {
    let iccid = work.call.in_path("iccid");
    work.ledger.sims.get(iccid).ok_or_else(|| Failure::new(404, format!("there is no SIM {iccid}")).coded("SIM_NOT_FOUND"))
}

/// `POST /sim/{iccid}/status`: what is left out stays.
fn set_services(work: &mut Work<'_>) -> Result<Success, Failure> {
    let iccid = sim(work)?.iccid.clone();
    let body = &work.call.body;
    let asked = |name: &str| body[name].as_str().and_then(ServiceStatus::find);
    let (data, voice, sms) = (asked("simDataServiceStatus"), asked("simVoiceServiceStatus"), asked("simSmsServiceStatus"));
    if let Some(sim) = work.ledger.sims.get_mut(&iccid) {
        sim.data = data.unwrap_or(sim.data);
        sim.voice = voice.unwrap_or(sim.voice);
        sim.sms = sms.unwrap_or(sim.sms);
    }
    Ok(Success::without_body())
}

/// `POST /sim/{iccid}/addPackage`: one more each time.
fn add_package(work: &mut Work<'_>) -> Result<Success, Failure> {
    let iccid = sim(work)?.iccid.clone();
    let type_id = work.call.body["packageTypeId"].as_str().unwrap_or_default().to_owned();
    if !work.ledger.has_package_type(&type_id) {
        return Err(Failure::new(400, format!("there is no package type {type_id}")).coded("PACKAGE_TYPE_NOT_FOUND"));
    }
    let added = work.ledger.add_package(&iccid, &type_id, Some(work.found_from));
    Ok(Success::of(added.json(&work.options.added_status)))
}

/// `GET /sim/{iccid}/package/infos`; terminated ones included.
fn packages(work: &Work<'_>) -> Result<Success, Failure> {
    let iccid = &sim(work)?.iccid;
    let found = |package: &&Package| package.found_from.is_none_or(|from| from <= work.instant);
    let packages = work.ledger.packages_of(iccid).filter(found);
    Ok(list(work, packages.map(|package| package.json(&work.options.added_status))))
}

/// `POST /package/{packageId}/status`; what has that status already stays so, and what was terminated does not come back.
fn set_package_status(work: &mut Work<'_>) -> Result<Success, Failure> {
    let id: Option<i64> = work.call.in_path("packageId").parse().ok();
    let wanted = work.call.body["packageStatus"].as_str().and_then(PackageStatus::find);
    let Some(package) = id.and_then(|id| work.ledger.packages.get_mut(&id)) else {
        return Err(Failure::new(404, "there is no such package").coded("PACKAGE_NOT_FOUND"));
    };
    let wanted = wanted.unwrap_or(package.status);
    if package.status == PackageStatus::Terminated && wanted != PackageStatus::Terminated {
        return Err(Failure::new(409, "the package is terminated").coded("PACKAGE_TERMINATED"));
    }
    package.status = wanted;
    Ok(Success::without_body())
}

/// `GET /inventory/{inventoryId}/packageTypes`
fn package_types(work: &Work<'_>) -> Result<Success, Failure> {
    let id = work.call.in_path("inventoryId");
    let types = work.ledger.inventories.get(id);
    let types = types.ok_or_else(|| Failure::new(404, format!("there is no inventory {id}")).coded("INVENTORY_NOT_FOUND"))?;
    Ok(list(work, types.iter().map(|(id, name)| json!({ "packageTypeId": id, "name": name }))))
}

fn list(work: &Work<'_>, elements: impl Iterator<Item = Value>) -> Success {
    let offset = work.call.query.number("offset").unwrap_or(0);
    let count = work.call.query.number("count").unwrap_or(COUNT);
    let all: Vec<Value> = elements.collect();
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(offset).take(count).collect();
    Success::of(json!({ "total": total, "offset": offset, "count": page.len(), "elements": page }))
}
