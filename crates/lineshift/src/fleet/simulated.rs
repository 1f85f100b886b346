//! A generated fleet as its carriers have it: what fills their simulators.

use lineshift_domain::terms::IntegrationKind;
use lineshift_simulators::jasper::{Device, JasperSimulator, Status};
use lineshift_simulators::pond::{PackageStatus, PondSimulator, ServiceStatus, Sim};

use super::catalogue::{PROVIDERS, Provider};
use super::{Fleet, Line};

/// The inventory of POND that has the plans as package types.
pub(crate) const POND_INVENTORY: &str = "main";

/// The lines of the fleet that a carrier of that kind has, whichever account they are of.
fn lines_at(fleet: &Fleet, kind: IntegrationKind) -> impl Iterator<Item = Line> {
    fleet.lines().filter(move |line| PROVIDERS[line.provider].kind == kind)
}

fn accounts_at(kind: IntegrationKind) -> impl Iterator<Item = &'static Provider> {
    PROVIDERS.iter().filter(move |provider| provider.kind == kind)
}

/// Gives a simulated Jasper its plans and its lines of the fleet; answers how many lines.
pub(crate) fn fill_jasper(simulator: &JasperSimulator, fleet: &Fleet) -> usize {
    for account in accounts_at(IntegrationKind::JASPER) {
        for plan in account.carrier_plans {
            simulator.with_rate_plan(plan);
        }
        if let Some(plan) = account.communication_plan {
            simulator.with_communication_plan(plan);
        }
    }
    let mut lines = 0;
    for line in lines_at(fleet, IntegrationKind::JASPER) {
        let status = Status::ALL.into_iter().find(|status| status.name() == line.status);
        let mut device = Device::new(&line.iccid, line.carrier_rate_plan, line.activated_at);
        device.status = status.expect("the fleet's statuses are Jasper's");
        device.communication_plan = PROVIDERS[line.provider].communication_plan.map(str::to_owned);
        device.msisdn = line.number;
        device.imei = Some(line.imei);
        simulator.with_device_record(device);
        lines += 1;
    }
    lines
}

/// The same for a simulated POND. A line has one active package, of its plan.
pub(crate) fn fill_pond(simulator: &PondSimulator, fleet: &Fleet) -> usize {
    for account in accounts_at(IntegrationKind::POND) {
        for plan in account.carrier_plans {
            simulator.with_package_type(POND_INVENTORY, plan, plan);
        }
    }
    let mut lines = 0;
    for line in lines_at(fleet, IntegrationKind::POND) {
        let is_active = line.status == PROVIDERS[line.provider].active;
        let services = if is_active { ServiceStatus::Enabled } else { ServiceStatus::Disabled };
        let sim = Sim { msisdn: line.number, data: services, voice: services, sms: services, ..Sim::new(&line.iccid) };
        simulator.with_sim(sim);
        simulator.add_package(&line.iccid, line.carrier_rate_plan, PackageStatus::Active);
        lines += 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lineshift_engine::SystemClock;
    use lineshift_simulators::jasper::JasperOptions;
    use lineshift_simulators::pond::PondOptions;

    use super::*;

    #[test]
    fn the_carriers_have_the_lines_of_the_fleet_as_the_fleet_has_them() {
        let fleet = Fleet::new(1_000, 1);
        let jasper = JasperSimulator::new(JasperOptions::new("user", "key"), Arc::new(SystemClock));
        let pond = PondSimulator::new(PondOptions::new("demo", "key"), Arc::new(SystemClock));
        assert_eq!((fill_jasper(&jasper, &fleet), fill_pond(&pond, &fleet)), (500, 100));
        for line in lines_at(&fleet, IntegrationKind::JASPER) {
            let device = jasper.ledger().device(&line.iccid).expect("it is there");
            assert_eq!((device.status.name(), device.rate_plan.as_deref()), (line.status, Some(line.carrier_rate_plan)));
            assert_eq!(device.msisdn, line.number);
        }
        for line in lines_at(&fleet, IntegrationKind::POND) {
            let sim = pond.ledger().sim(&line.iccid).expect("it is there");
            assert_eq!(sim.data == ServiceStatus::Enabled, line.status == "In-Service");
            let packages = pond.ledger().packages_of(&line.iccid);
            let types: Vec<&str> = packages.iter().map(|package| package.package_type_id.as_str()).collect();
            assert_eq!(types, [line.carrier_rate_plan]);
        }
    }
}
