//! POND as every carrier is asked.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::carrier::{Abilities, CarrierChange, CarrierLine, CarrierPackage};
use secrecy::SecretString;

use super::abilities::{ABILITIES, IN_SERVICE, OUT_OF_SERVICE};
use super::{
    InventoryId, PackageStatus, PondClient, PondCredentials, PondPackage, PondPackageType, PondServices, PondSim, ServiceStatus,
    saga,
};
use crate::carrier::setting::{Believed, Setting};
use crate::carrier::{
    Carrier, CarrierKind, IccId, Known, LineAct, LineRef, LineUsage, ListedLine, ListedPlan, Next, Sent, SentAll, paced,
    refused_here,
};
use crate::http::{Account, Permit};
use crate::{Batch, Called, Exchange};

/// POND IoT. A plan is a package type: a SIM comes to another by a package that is added, activated, and left alone there. A status is
/// that of all three services, believed once the SIM shows it (B9.2).
#[derive(Debug, Clone, Copy)]
pub struct Pond;

/// An account of POND, with what its credentials say of it.
struct PondAccount {
    client: PondClient,
    inventory: Option<InventoryId>,
}

impl CarrierKind for Pond {
    fn abilities(&self) -> &'static Abilities {
        &ABILITIES
    }

    fn next(&self, asked: &CarrierChange, known: &Known<'_>) -> Next {
        match asked {
            CarrierChange::RatePlan { .. } => saga::next(asked, known),
            CarrierChange::Status { .. } => {
                let setting = Setting { carrier: ABILITIES.name, what: "set services", believed: Believed::WhenShown };
                setting.next(asked, known)
            }
        }
    }

    fn connect(&self, account: Account, base_address: &str, credentials: &SecretString) -> Result<Arc<dyn Carrier>, String> {
        let credentials = PondCredentials::from_json(credentials).map_err(|error| error.to_string())?;
        let inventory = credentials.inventory_id.clone();
        let client = PondClient::new(paced(account, &ABILITIES), base_address, credentials);
        Ok(Arc::new(PondAccount { client, inventory }))
    }

    fn check_credentials(&self, credentials: &SecretString) -> Result<(), String> {
        PondCredentials::from_json(credentials).map(drop).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Carrier for PondAccount {
    fn account(&self) -> &Account {
        self.client.account()
    }

    async fn test_connection(&self) -> Called<()> {
        self.client.test_connection().await
    }

    async fn read_line(&self, line: &LineRef) -> Called<Option<CarrierLine>> {
        let Ok(iccid) = line.iccid.parse::<IccId>() else {
            return Called { result: Ok(None), exchange: Exchange::default() };
        };
        let Called { result, exchange } = self.client.find_sim(&iccid).await;
        let sim = match result {
            Ok(Some(sim)) => sim,
            Ok(None) => return Called { result: Ok(None), exchange },
            Err(error) => return Called { result: Err(error), exchange },
        };
        let called = self.client.list_packages(&iccid).await;
        let exchange = exchange.followed_by(&called.exchange);
        let with_packages = |packages: Vec<PondPackage>| {
            let packages: Vec<CarrierPackage> = packages.into_iter().map(CarrierPackage::from).collect();
            CarrierLine { rate_plan: only_plan(&packages), packages, ..CarrierLine::from(sim) }
        };
        Called { result: called.result.map(|packages| packages.map(with_packages)), exchange }
    }

    async fn send(&self, permit: Permit, asked: &CarrierChange, acts: &[LineAct<'_>]) -> SentAll {
        let &[LineAct { line, act }] = acts else { return refused_here("POND takes one SIM a call", acts.len()) };
        let Ok(iccid) = line.iccid.parse::<IccId>() else { return refused_here("POND knows SIMs by ICCIDs of digits", 1) };
        let done = |()| Sent::Done { external_id: None };
        if let CarrierChange::Status { status, .. } = asked {
            let Some(services) = services_of(status) else { return refused_here("that is no status of POND's services", 1) };
            return SentAll::same(self.client.set_services(permit, &iccid, services).await, 1, done);
        }
        let to = match act.what {
            saga::ADD => return self.add(permit, &iccid, asked).await,
            saga::ACTIVATE => PackageStatus::Active,
            saga::TERMINATE => PackageStatus::Terminated,
            _ => return refused_here("POND knows no such act", 1),
        };
        let Some(package) = act.about.as_deref().and_then(|id| id.parse().ok()) else {
            return refused_here("an act about a package names one", 1);
        };
        SentAll::same(self.client.set_package_status(permit, &package, to).await, 1, done)
    }

    /// The list names its elements by how many come before them, and may hold fewer than are asked for: a page is filled.
    async fn list_lines(&self, _changed_since: Option<DateTime<Utc>>, page: u32) -> Called<Batch<ListedLine>> {
        let size = self.client.page_size();
        let before = usize::try_from(page.saturating_sub(1)).unwrap_or(usize::MAX).saturating_mul(size);
        let mut records = Vec::new();
        let mut exchange = Exchange::default();
        loop {
            let called = self.client.list_sims(before.saturating_add(records.len())).await;
            exchange = exchange.followed_by(&called.exchange);
            let batch = match called.result {
                Ok(batch) => batch,
                Err(error) => return Called { result: Err(error), exchange },
            };
            let room = size - records.len();
            let has_more = batch.has_more || batch.records.len() > room;
            records.extend(batch.records.into_iter().take(room).map(listed));
            if records.len() == size || !has_more {
                return Called { result: Ok(Batch { records, has_more }), exchange };
            }
        }
    }

    fn lists_changes_only(&self) -> bool {
        false
    }

    async fn list_rate_plans(&self) -> Called<Option<Vec<ListedPlan>>> {
        let Some(inventory) = &self.inventory else { return Called { result: Ok(None), exchange: Exchange::default() } };
        let plan = |PondPackageType { id, name }: PondPackageType| {
            let code = id.to_string();
            ListedPlan { name: name.unwrap_or_else(|| code.clone()), code }
        };
        self.client.list_package_types(inventory).await.map(|types| Some(types.into_iter().map(plan).collect()))
    }

    async fn read_usage(&self, _line: &LineRef) -> Called<Option<LineUsage>> {
        Called { result: Ok(None), exchange: Exchange::default() }
    }

    fn tells_usage(&self) -> bool {
        false
    }
}

impl PondAccount {
    async fn add(&self, permit: Permit, iccid: &IccId, asked: &CarrierChange) -> SentAll {
        let CarrierChange::RatePlan { rate_plan: Some(plan), .. } = asked else {
            return refused_here("a package is of a type", 1);
        };
        let Ok(package_type) = plan.parse() else { return refused_here("that is no id of a package type of POND", 1) };
        let called = self.client.add_package(permit, iccid, &package_type).await;
        SentAll::same(called, 1, |package| Sent::Done { external_id: Some(package.id.to_string()) })
    }
}

fn services_of(status: &str) -> Option<PondServices> {
    let to = [(IN_SERVICE, ServiceStatus::Enabled), (OUT_OF_SERVICE, ServiceStatus::Disabled)];
    to.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(status)).map(|(_, services)| PondServices::all(services))
}

/// What a SIM's services come to; some of them enabled is no status. Of which nothing is said has the status that is said, if one is.
fn status_of(sim: &PondSim) -> Option<String> {
    match (sim.data, sim.voice, sim.sms) {
        (None, None, None) => sim.status.clone(),
        (Some(data), Some(voice), Some(sms)) if data == voice && voice == sms => {
            let name = if data == ServiceStatus::Enabled { IN_SERVICE } else { OUT_OF_SERVICE };
            Some(name.to_owned())
        }
        _ => None,
    }
}

impl From<PondSim> for CarrierLine {
    fn from(sim: PondSim) -> Self {
        Self { status: status_of(&sim), subscriber_number: sim.msisdn, imei: sim.imei, ..Self::default() }
    }
}

impl From<PondPackage> for CarrierPackage {
    fn from(package: PondPackage) -> Self {
        Self {
            is_active: package.is_active(),
            is_ended: package.is_ended(),
            id: package.id.to_string(),
            rate_plan: package.package_type_id.map(|id| id.to_string()),
        }
    }
}

fn listed(sim: PondSim) -> ListedLine {
    ListedLine { iccid: sim.iccid.to_string(), line: sim.into() }
}

/// The plan of the only active package; none: several are, or none is.
fn only_plan(packages: &[CarrierPackage]) -> Option<String> {
    let mut active = packages.iter().filter(|package| package.is_active);
    let only = active.next()?;
    if active.next().is_some() { None } else { only.rate_plan.clone() }
}
