//! Carriers: the plans of their catalogues, and what they say by callback.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{ServiceProviderId, TenantId};

use crate::Result;
use crate::catalogue::CarrierRatePlan;
use crate::paging::Listed;

/// What a callback says of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledBackLine {
    /// SIM card.
    pub iccid: String,
    /// Why it failed, masked and cut; none: it says that it worked.
    pub failed: Option<String>,
}

/// What a callback came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallbackNoted {
    /// Rows that are looked at sooner because of it.
    pub rows: u64,
    /// Rows of the request that do not wait yet: whoever sent it still has them in hand. Nothing was noted of them; it is to be repeated.
    pub early: u64,
}

/// Plans and callbacks of service providers' carriers.
#[async_trait]
pub trait CarrierStore {
    /// Stores plans of a service provider's carrier by their codes: new ones are added, name and activity of the others replaced.
    /// Of a code that is given twice, the last. Answers how many are new. Errors: `NotFound` when there is no such provider.
    async fn upsert_carrier_rate_plans(
        &self,
        tenant: TenantId,
        provider: ServiceProviderId,
        plans: &[CarrierRatePlan],
    ) -> Result<u64>;
    /// The plans of a service provider's carrier by code, from the one behind `after` on; `limit` at most
    /// [`crate::paging::MAX_PAGE_ITEMS`].
    async fn list_carrier_rate_plans(
        &self,
        tenant: TenantId,
        provider: ServiceProviderId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<CarrierRatePlan, String>>;

    /// Stores, sealed, the credentials that callbacks of a service provider must carry; none: it takes no callbacks any more. Errors:
    /// `NotFound`.
    async fn set_callback_secret(&self, tenant: TenantId, provider: ServiceProviderId, sealed: Option<&[u8]>) -> Result<()>;
    /// Those credentials, sealed; none were stored. Errors: `NotFound`.
    async fn get_callback_secret(&self, tenant: TenantId, provider: ServiceProviderId) -> Result<Option<Vec<u8>>>;
    /// Takes note of a callback about a request that the carrier had accepted (B5.6): the rows of that provider's changes that are
    /// PENDING and have a part waiting under that id are looked at at once, all of them when `lines` is empty, else those whose
    /// lines it names. What it says stands in the outcome of the part, why it failed with `carrier_refused`, and once in the row's
    /// log. It settles nothing: the read-back does. One that comes twice, too early (the row does not wait yet) or too late (it is
    /// final) changes nothing and answers 0 rows.
    async fn note_callback(
        &self,
        tenant: TenantId,
        provider: ServiceProviderId,
        request_id: &str,
        lines: &[CalledBackLine],
        now: DateTime<Utc>,
    ) -> Result<CallbackNoted>;
}
