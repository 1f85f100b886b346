//! What billing services can be made of, for people who order them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use lineshift_connectors::CallError;
use lineshift_connectors::billing::{Billing, Catalogue};
use lineshift_connectors::http::AccountKey;
use tokio::time::Instant;

use crate::{Engine, Result};

/// The longest that somebody waits for it. Reading goes on: whoever asks next finds it known.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a failure is believed, so that an outage is not asked about once for every page that is opened.
const FAILED_FOR: Duration = Duration::from_secs(60);

impl Engine {
    /// What services of a billing account can be made of; or why that is not known now, in words that give nothing of the account away.
    /// Cached (B7.6): each of its five lists is read once in ten minutes, 500 entries a call, while somebody orders. Whoever calls this has
    /// looked whether its caller may order there. Errors: `NotFound`.
    pub async fn billing_catalogue(&self, key: AccountKey) -> Result<std::result::Result<Catalogue, &'static str>> {
        let open = match self.open_billing(key).await? {
            Ok(open) => open,
            Err(_) => return Ok(Err("its account cannot be called")),
        };
        let reading = self.catalogues.reading((key, open.stored.version), open.connector);
        Ok(tokio::time::timeout(PATIENCE, reading).await.unwrap_or(Err("it has not answered yet")))
    }
}

/// What a reading came to.
type Read = std::result::Result<Catalogue, &'static str>;

/// An account as it was set at a time.
type Version = (AccountKey, i64);

/// Of an account one reading at a time, which all who ask wait for.
#[derive(Clone, Default)]
pub(crate) struct Catalogues(Arc<Mutex<HashMap<Version, Reading>>>);

/// A reading, and when it failed, if it did.
struct Reading {
    comes: Shared<BoxFuture<'static, Read>>,
    failed_at: Option<Instant>,
}

impl Reading {
    /// Whether it is under way, or failed so lately that the next one would fail alike. One that was cut off is neither.
    fn stands(&self) -> bool {
        match self.failed_at {
            Some(at) => at.elapsed() < FAILED_FOR,
            None => self.comes.peek().is_none(),
        }
    }
}

impl Catalogues {
    /// The reading that stands, or a new one. It goes on when nobody waits for it any more.
    fn reading(&self, version: Version, billing: Arc<dyn Billing>) -> Shared<BoxFuture<'static, Read>> {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reading) = readings.get(&version).filter(|reading| reading.stands()) {
            return reading.comes.clone();
        }
        let catalogues = self.clone();
        let task = tokio::spawn(async move {
            let read = read(billing).await;
            catalogues.note(version, read.is_err());
            read
        });
        let comes = async move { task.await.unwrap_or(Err("reading it broke off")) }.boxed().shared();
        // What was asked under other settings helps nobody.
        readings.retain(|(key, _), _| *key != version.0);
        readings.insert(version, Reading { comes: comes.clone(), failed_at: None });
        comes
    }

    /// A reading is over: what it brought is cached where it was read; a failure is remembered here.
    fn note(&self, version: Version, has_failed: bool) {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !has_failed {
            readings.remove(&version);
        } else if let Some(reading) = readings.get_mut(&version) {
            reading.failed_at = Some(Instant::now());
        }
    }
}

async fn read(billing: Arc<dyn Billing>) -> Read {
    let catalogue = billing.catalogue().await;
    // Nobody else of this process may call the account for long.
    billing.account().rest(Duration::ZERO).await;
    catalogue.map_err(|error| {
        tracing::warn!(%error, "the catalogue of a billing account was not read");
        why(&error)
    })
}

const fn why(error: &CallError) -> &'static str {
    match error {
        CallError::Unauthorized { .. } => "it refuses the account's credentials",
        CallError::NotNow(_) => "its account takes no call now",
        CallError::Rejected { .. } | CallError::NotFound { .. } => "it refuses to list them",
        CallError::NotSent(_) | CallError::LeaseLost | CallError::Unavailable(_) | CallError::Ambiguous(_) => {
            "it does not answer"
        }
    }
}
