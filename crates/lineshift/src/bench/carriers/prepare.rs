//! A tenant with accounts at both carriers and at Rev.io, lines at each, and the orders for them.

use std::ops::Range;

use anyhow::{Result, ensure};
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{BodyForm, CarrierRatePlanOrder, Effect, Order, StatusOrder};
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_engine::{Caller, Clock as _, SystemClock};
use lineshift_store::billing::{AccountSettings, BillingStore as _};
use lineshift_store::carriers::CarrierStore as _;
use lineshift_store::catalogue::{CarrierRatePlan, CatalogueStore as _, IntegrationAuthentication, ServiceProvider};
use lineshift_store::import::{IMPORT_ROWS, ImportDevice, ImportStore as _};
use lineshift_store_sqlite::SqliteStore;

use super::super::billing;
use super::{Sizes, Systems};
use crate::fleet::catalogue::{PROVIDERS, ROUTERS, SENSORS};
use crate::fleet::{Fleet, Line, Special};

/// The example fleet has so many lines for each line that is ordered of an account: one in ten is of it, three of four are on the plan
/// that is left, and some are special.
const FLEET_A_LINE: u64 = 20;

/// Lines at the carriers, as their simulators have them.
pub(super) struct Lines {
    fleet: Fleet,
    jasper: Vec<Line>,
    pond: Vec<Line>,
}

impl Lines {
    /// As many as are ordered.
    pub(super) fn of(sizes: Sizes) -> Self {
        let (at_jasper, at_pond) = (2 * sizes.jasper + sizes.status, sizes.pond + sizes.pond_beside);
        let fleet = Fleet::new(at_jasper.max(at_pond) * FLEET_A_LINE, 1);
        let of = |provider: usize, count: u64| {
            let on_first = |plan: &str| plan == PROVIDERS[provider].carrier_plans[0];
            let lines = fleet.lines_of(provider);
            let lines = lines.filter(|line| line.special == Special::Ordinary && on_first(line.device_at_carrier().plan));
            lines.take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
        };
        Self { fleet, jasper: of(ROUTERS, at_jasper), pond: of(SENSORS, at_pond) }
    }

    /// Lines of the fleet of which the simulators have their share.
    pub(super) const fn fleet(&self) -> u64 {
        self.fleet.devices()
    }
}

/// Makes the orders.
pub(super) struct Orders {
    jasper: (ServiceProviderId, Vec<String>),
    pond: (ServiceProviderId, Vec<String>),
    billed: ServiceProviderId,
}

impl Orders {
    /// A plan change of these lines at Jasper.
    pub(super) fn jasper(&self, places: Range<u64>) -> Order {
        order(&self.jasper, places, to_plan(ROUTERS))
    }

    /// A plan change of these lines at POND.
    pub(super) fn pond(&self, places: Range<u64>) -> Order {
        order(&self.pond, places, to_plan(SENSORS))
    }

    /// A status update of these lines at Jasper.
    pub(super) fn status(&self, places: Range<u64>) -> Order {
        let deactivated = StatusOrder { target_status: "DEACTIVATED".to_owned(), reason_code: None };
        order(&self.jasper, places, Effect::StatusUpdate(deactivated))
    }

    /// A billing change of these lines.
    pub(super) fn billing(&self, places: Range<u64>, limits: &Limits) -> Result<Order> {
        billing::order(self.billed, places, limits)
    }
}

fn to_plan(provider: usize) -> Effect {
    let plan = PROVIDERS[provider].carrier_plans[1].to_owned();
    Effect::CarrierRatePlanChange(CarrierRatePlanOrder { carrier_rate_plan: Some(plan), ..CarrierRatePlanOrder::default() })
}

fn order((provider, lines): &(ServiceProviderId, Vec<String>), places: Range<u64>, effect: Effect) -> Order {
    let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    Order {
        form: BodyForm::BulkChange,
        portal: PortalType::M2M,
        service_provider_id: *provider,
        identifier: LineIdentifier::Iccid,
        lines: lines[place(places.start)..place(places.end)].iter().collect(),
        process_changes: true,
        name: None,
        reason: None,
        effect,
    }
}

/// Fills the store; answers who orders, and what.
pub(super) async fn prepare(store: &SqliteStore, systems: &Systems, sizes: Sizes, lines: &Lines) -> Result<(Caller, Orders)> {
    let billed_lines = sizes.billing + sizes.billing_beside;
    let (caller, billed) = billing::prepare(store, &systems.revio.address, billed_lines).await?;
    let jasper = make_carrier(store, &caller, ROUTERS, &systems.jasper.address).await?;
    let pond = make_carrier(store, &caller, SENSORS, &systems.pond.address).await?;
    for (provider, lines) in [(jasper, &lines.jasper), (pond, &lines.pond)] {
        let rows: Vec<ImportDevice> = lines.iter().map(|line| line.device(&[provider; PROVIDERS.len()])).collect();
        for rows in rows.chunks(IMPORT_ROWS) {
            let imported = store.import_devices(caller.tenant, rows, "bench", SystemClock.now()).await?;
            ensure!(imported.refused.is_empty(), "lines were refused: {:?}", imported.refused.first());
        }
    }
    store.checkpoint().await?;
    let iccids = |lines: &[Line]| lines.iter().map(|line| line.iccid.clone()).collect();
    Ok((caller, Orders { jasper: (jasper, iccids(&lines.jasper)), pond: (pond, iccids(&lines.pond)), billed }))
}

/// A service provider with an account at the simulator of that address, and the plans of the carrier.
async fn make_carrier(store: &SqliteStore, caller: &Caller, place: usize, address: &str) -> Result<ServiceProviderId> {
    let (tenant, now, of_fleet) = (caller.tenant, SystemClock.now(), PROVIDERS[place]);
    let account = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: of_fleet.name.to_owned(),
        integration_kind: of_fleet.kind,
        is_active: true,
    };
    let account = store.create_integration_authentication(tenant, &account, now).await?;
    let settings = AccountSettings {
        base_address: address.to_owned(),
        // The credentials are the simulator's, which this process knows; the store only has to have some.
        secret_encrypted: Some(vec![0]),
        is_local: true,
        write_enabled: true,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    };
    store.set_account(tenant, account, &settings, now).await?;
    let provider = ServiceProvider {
        id: ServiceProviderId(0),
        name: of_fleet.name.to_owned(),
        integration_kind: of_fleet.kind,
        integration_authentication_id: Some(account),
        write_enabled: true,
        is_active: true,
    };
    let provider = store.create_service_provider(tenant, &provider, now).await?;
    let plan = |code: &str| CarrierRatePlan { code: code.to_owned(), name: code.to_owned(), is_active: true };
    store.upsert_carrier_rate_plans(tenant, provider, &of_fleet.carrier_plans.map(plan)).await?;
    Ok(provider)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fleet::Size;

    #[test]
    fn the_fleet_has_all_lines_that_are_ordered() {
        for lines in [200, 100_000] {
            let sizes = Sizes::of(Size { fleet: 1_000_000, lines });
            let found = Lines::of(sizes);
            assert_eq!(found.jasper.len() as u64, 2 * sizes.jasper + sizes.status);
            assert_eq!(found.pond.len() as u64, sizes.pond + sizes.pond_beside);
        }
    }
}
