//! Filling the ledger, and changing it while the simulator runs.

use super::super::JasperSimulator;
use super::{Device, Status, Usage};

/// What is there is replaced. All of it holds from the next call on.
impl JasperSimulator {
    /// A rate plan.
    pub fn with_rate_plan(&self, name: &str) -> &Self {
        self.state().ledger.rate_plans.insert(name.to_owned());
        self
    }

    /// From now on no device can be given that rate plan, and no list has it.
    pub fn remove_rate_plan(&self, name: &str) -> &Self {
        self.state().ledger.rate_plans.remove(name);
        self
    }

    /// A communication plan.
    pub fn with_communication_plan(&self, name: &str) -> &Self {
        self.state().ledger.communication_plans.insert(name.to_owned());
        self
    }

    /// A customer.
    pub fn with_customer(&self, name: &str) -> &Self {
        self.state().ledger.customers.insert(name.to_owned());
        self
    }

    /// An activated device on that rate plan, added now.
    pub fn with_device(&self, iccid: &str, rate_plan: &str) -> &Self {
        self.with_device_record(Device::new(iccid, rate_plan, self.now()))
    }

    /// A device as given.
    pub fn with_device_record(&self, device: Device) -> &Self {
        self.state().ledger.devices.insert(device.iccid.clone(), device);
        self
    }

    /// Takes a device out of the ledger, as if it had never been there.
    pub fn remove_device(&self, iccid: &str) -> &Self {
        self.state().ledger.devices.remove(iccid);
        self
    }

    /// Changes a device as if somebody else had done it; nothing is checked, and the audit trail does not have it.
    pub fn change_device(&self, iccid: &str, change: impl FnOnce(&mut Device)) -> &Self {
        let now = self.now();
        if let Some(device) = self.state().ledger.devices.get_mut(iccid) {
            change(device);
            device.date_updated = now;
        }
        self
    }

    /// What a device has used in the cycle to date; that is no change of the device.
    pub fn use_up(&self, iccid: &str, usage: Usage) -> &Self {
        if let Some(device) = self.state().ledger.devices.get_mut(iccid) {
            device.usage = usage;
        }
        self
    }

    /// Plans, a customer, and `devices` devices from 8901000000000000001 on, every tenth of them not activated yet.
    pub fn with_examples(&self, devices: u32) -> &Self {
        self.with_rate_plan("Sensor 50 MB").with_rate_plan("Sensor 250 MB").with_rate_plan("Tracker");
        self.with_communication_plan("Data only").with_communication_plan("Data and SMS").with_customer("Acme");
        for number in 1..=u64::from(devices) {
            let iccid = (8_901_000_000_000_000_000 + number).to_string();
            let mut device = Device::new(&iccid, "Sensor 50 MB", self.now());
            device.communication_plan = Some("Data only".to_owned());
            device.msisdn = Some(format!("1555{number:07}"));
            if number % 10 == 0 {
                (device.status, device.date_activated) = (Status::Inventory, None);
            }
            self.with_device_record(device);
        }
        self
    }
}
