//! The way outside: real accounts over TLS, with credentials that are opened only here (item 6 of "Billing", B7.5).

use std::sync::Arc;

use anyhow::{Context as _, Result};
use lineshift_connectors::billing::revio::{RevioBilling, RevioCredentials};
use lineshift_connectors::carrier::Carriers;
use lineshift_connectors::credentials::{SealedFor, Vault, VaultError};
use lineshift_connectors::http::{Account, AccountKey, AccountLimits, CallMeter, Destinations, HttpsTransport};
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_engine::{Clock, Connect, Connector, SystemClock};
use lineshift_store::billing::IntegrationAccount;
use lineshift_web::accounts::{NO_KEY, SealCredentials};
use lineshift_web::credentials::{fields_of, how_to_give, is_callable, not_callable};
use secrecy::SecretString;

use crate::cli::Context;
use crate::vault::Keys;

/// Calls accounts, and seals and opens their credentials. Without a key it works, too, but for sealed credentials.
pub(crate) struct Outside {
    clock: Arc<dyn Clock>,
    keys: Option<Keys>,
    carriers: Carriers,
    /// Where accounts may be.
    destinations: Destinations,
    /// For all accounts but the local ones, so that they share connections.
    tls: Arc<HttpsTransport>,
    /// For accounts that are marked as local.
    local: Arc<HttpsTransport>,
}

impl Outside {
    /// With the keys that the configuration names, if it names any.
    ///
    /// # Errors
    /// The keys cannot be read, or others may read them; there is no TLS on this machine.
    pub(crate) fn of(context: &Context) -> Result<Arc<Self>> {
        Self::calling(context.settings().outbound.destinations(), Keys::of(context)?)
    }

    /// With those keys, where no network is listed.
    ///
    /// # Errors
    /// There is no TLS on this machine.
    pub(crate) fn with_keys(keys: Option<Keys>) -> Result<Arc<Self>> {
        Self::calling(Destinations::default(), keys)
    }

    fn calling(destinations: Destinations, keys: Option<Keys>) -> Result<Arc<Self>> {
        let transport = |is_local| HttpsTransport::to(destinations.of_account(is_local)).map(Arc::new);
        let tls = transport(false).context("preparing outside calls")?;
        let local = transport(true).context("preparing outside calls")?;
        Ok(Arc::new(Self { clock: Arc::new(SystemClock), keys, carriers: Carriers::default(), destinations, tls, local }))
    }
}

/// How a process is given a key.
const GIVE_KEY: &str = "name its file as secrets.key_file, or give it in LINESHIFT_SECRET_KEY";

/// Why an account cannot be called at all, and what to do.
fn missing(account: &IntegrationAccount, why: &str, to_do: &str) -> Reason {
    Reason::new(Code::CredentialsMissing, format!("the integration {:?} cannot be called: {why}; {to_do}", account.name))
}

impl Connect for Outside {
    fn connect(
        &self,
        key: AccountKey,
        account: &IntegrationAccount,
        limits: AccountLimits,
        meter: Arc<dyn CallMeter>,
    ) -> Result<Connector, Reason> {
        let set = format!("lineshift admin integrations set {:?}", account.name);
        let carrier = self.carriers.find(account.integration_kind);
        if !is_callable(&self.carriers, account.integration_kind) {
            let why = not_callable(&self.carriers, account.integration_kind);
            return Err(missing(account, &why, "give the order one that it calls"));
        }
        let Some(address) = account.base_address.as_deref() else {
            return Err(missing(account, "it has no address", &format!("give it one: {set} --address URL")));
        };
        if !account.is_local && !address.starts_with("https://") {
            return Err(missing(account, "its address is not https://", &format!("correct it: {set} --address URL")));
        }
        // Names are looked at when they are resolved; a literal address need not wait for that.
        if let Err(forbidden) = self.destinations.of_account(account.is_local).check_url(address) {
            return Err(missing(account, &forbidden.to_string(), &format!("or correct it: {set} --address URL")));
        }
        let how = match fields_of(account.integration_kind) {
            Some(_) => format!("{set} {}", how_to_give(account.integration_kind)),
            None => how_to_give(account.integration_kind),
        };
        let Some(sealed) = account.secret_encrypted.as_deref() else {
            return Err(missing(account, "it has no credentials", &format!("store some: {how}")));
        };
        let again = format!("or store them again: {how}");
        let unreadable = |why: String| missing(account, &format!("its credentials cannot be opened: {why}"), &again);
        let json = self.open(key.into(), sealed).map_err(unreadable)?;
        let transport = if account.is_local { Arc::clone(&self.local) } else { Arc::clone(&self.tls) };
        let clock = Arc::clone(&self.clock);
        let seed = getrandom::u64().unwrap_or_default();
        let called = Account::new(key, account.name.as_str(), limits, clock, meter, transport, seed);
        match carrier {
            Some(carrier) => Ok(Connector::Carrier(carrier.connect(called, address, &json).map_err(unreadable)?)),
            None => {
                let credentials = RevioCredentials::from_json(&json).map_err(|error| unreadable(error.to_string()))?;
                Ok(Connector::Billing(Arc::new(RevioBilling::new(called, address, credentials))))
            }
        }
    }

    fn carriers(&self) -> Carriers {
        self.carriers.clone()
    }
}

impl SealCredentials for Outside {
    fn seal(&self, row: SealedFor, credentials: &SecretString) -> Result<Vec<u8>, String> {
        let keys = self.keys.as_ref().ok_or_else(|| NO_KEY.to_owned())?;
        keys.seal(row, credentials).map_err(|error| error.to_string())
    }

    fn open(&self, row: SealedFor, sealed: &[u8]) -> Result<SecretString, String> {
        let Some(keys) = &self.keys else {
            let needed = Vault::needed_key(sealed).map_err(|error| error.to_string())?;
            return Err(format!("they are sealed with the key {needed}, and this process was given none; {GIVE_KEY}"));
        };
        keys.open(row, sealed).map_err(|error| match error {
            VaultError::OtherKey { .. } => format!("{error}; {GIVE_KEY}"),
            _ => error.to_string(),
        })
    }
}
