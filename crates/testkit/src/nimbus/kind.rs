//! What is known of Nimbus without calling it.

use std::sync::Arc;

use chrono::TimeDelta;
use lineshift_connectors::carrier::{
    Act, Believed, Callback, CallbackRefused, CallbackRequest, Carrier, CarrierKind, Known, Next, Repeat, Setting, paced,
};
use lineshift_connectors::http::Account;
use lineshift_domain::carrier::{Abilities, Answers, CarrierChange, CarrierStatus, RatePlanAbility, StatedLimits, StatusAbility};
use lineshift_domain::judge::RequiredData;
use lineshift_domain::terms::IntegrationKind;
use secrecy::SecretString;

use super::account::{NimbusAccount, read_credentials};
use super::callback::read_callback;

/// What a service provider of it is stored as.
pub const KIND: IntegrationKind = IntegrationKind::named("Nimbus");

/// What it can do.
pub static ABILITIES: Abilities = Abilities {
    kind: KIND,
    name: "Nimbus",
    devices_a_call: 50,
    answers: Answers::Later { calls_back: true, look_every: TimeDelta::seconds(30), deadline: TimeDelta::hours(1) },
    most_days_ahead: None,
    rate_plan: Some(RatePlanAbility { takes_comm_plan: false, reversible: true, calls: (1, 1), needs: RequiredData::NOTHING }),
    status: Some(StatusAbility { statuses: &STATUSES, takes_reason_code: false, calls: (1, 1), needs: RequiredData::NOTHING }),
    limits: StatedLimits { concurrency: 4, calls_a_second: None, calls_a_minute: Some(120), calls_a_day: None },
};

static STATUSES: [CarrierStatus; 2] = [
    CarrierStatus { name: "ACTIVE", is_active: true, reached_from: &["SUSPENDED"] },
    CarrierStatus { name: "SUSPENDED", is_active: false, reached_from: &["ACTIVE"] },
];

/// The carrier.
#[derive(Debug, Clone, Copy)]
pub struct Nimbus;

/// Nimbus, if each of its requests made something that another one would make once more: for what the engine does with such acts.
#[derive(Debug, Clone, Copy)]
pub struct CreatingNimbus;

impl CarrierKind for CreatingNimbus {
    fn abilities(&self) -> &'static Abilities {
        Nimbus.abilities()
    }

    fn next(&self, asked: &CarrierChange, known: &Known<'_>) -> Next {
        match Nimbus.next(asked, known) {
            Next::Send(act) => Next::Send(Act { repeat: Repeat::Creates, ..act }),
            next => next,
        }
    }

    fn connect(&self, account: Account, base_address: &str, credentials: &SecretString) -> Result<Arc<dyn Carrier>, String> {
        Nimbus.connect(account, base_address, credentials)
    }

    fn check_credentials(&self, credentials: &SecretString) -> Result<(), String> {
        Nimbus.check_credentials(credentials)
    }

    fn read_callback(&self, request: &CallbackRequest<'_>) -> Result<Callback, CallbackRefused> {
        Nimbus.read_callback(request)
    }
}

impl CarrierKind for Nimbus {
    fn abilities(&self) -> &'static Abilities {
        &ABILITIES
    }

    /// One request sets what is asked. It is only accepted, so the line is believed once it shows it.
    fn next(&self, asked: &CarrierChange, known: &Known<'_>) -> Next {
        let what = match asked {
            CarrierChange::RatePlan { .. } => "change plan",
            CarrierChange::Status { .. } => "change status",
        };
        Setting { carrier: ABILITIES.name, what, believed: Believed::WhenShown }.next(asked, known)
    }

    fn connect(&self, account: Account, base_address: &str, credentials: &SecretString) -> Result<Arc<dyn Carrier>, String> {
        let token = read_credentials(credentials)?;
        Ok(Arc::new(NimbusAccount::new(paced(account, &ABILITIES), base_address, &token)))
    }

    fn check_credentials(&self, credentials: &SecretString) -> Result<(), String> {
        read_credentials(credentials).map(drop)
    }

    fn read_callback(&self, request: &CallbackRequest<'_>) -> Result<Callback, CallbackRefused> {
        read_callback(request)
    }
}
