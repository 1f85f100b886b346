//! What billing services can be made of, for people who order them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use lineshift_connectors::CallError;
use lineshift_connectors::billing::{Billing, Catalogue};
use lineshift_connectors::http::AccountKey;

use crate::{Engine, Result};

/// The longest that somebody waits for it. Reading goes on: whoever asks next finds it known.
const PATIENCE: Duration = Duration::from_secs(2);

impl Engine {
    /// What services of a billing account can be made of; or why that is not known now, in words that give nothing of the account away.
    /// Cached (B7.6): five calls in ten minutes at most, while somebody orders. Whoever calls this has looked whether its caller may order
    /// there. Errors: `NotFound`.
    pub async fn billing_catalogue(&self, key: AccountKey) -> Result<std::result::Result<Catalogue, &'static str>> {
        let billing = match self.open_billing(key).await? {
            Ok(open) => open.connector,
            Err(_) => return Ok(Err("its account cannot be called")),
        };
        let reading = tokio::time::timeout(PATIENCE, self.catalogues.reading(key, billing));
        Ok(reading.await.unwrap_or(Err("it has not answered yet")))
    }
}

/// What a reading came to.
type Read = std::result::Result<Catalogue, &'static str>;

/// Of an account one reading at a time, which all who ask wait for: an outage is not asked about once for every page that is opened.
#[derive(Clone, Default)]
pub(crate) struct Catalogues(Arc<Mutex<HashMap<AccountKey, Shared<BoxFuture<'static, Read>>>>>);

impl Catalogues {
    /// The one under way, or a new one. It goes on when nobody waits for it any more.
    fn reading(&self, key: AccountKey, billing: Arc<dyn Billing>) -> Shared<BoxFuture<'static, Read>> {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || {
            let under_way = UnderWay { readings: self.clone(), key };
            let task = tokio::spawn(async move {
                let read = read(billing).await;
                drop(under_way);
                read
            });
            async move { task.await.unwrap_or(Err("reading it broke off")) }.boxed().shared()
        };
        readings.entry(key).or_insert_with(begin).clone()
    }
}

/// A reading under way, until it is over, however it ends.
struct UnderWay {
    readings: Catalogues,
    key: AccountKey,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.readings.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
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
