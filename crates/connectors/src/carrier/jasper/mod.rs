//! Cisco IoT Control Center ("Jasper"). Marks of what is documented and what is not are those of carriers.md: all here is **D**
//! but for what [`OpenPoints`] and single fields say.

mod abilities;
mod carrier;
mod credentials;
mod devices;
mod errors;
mod open_points;
mod pages;
mod plans;
mod types;
mod wire;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

pub use self::carrier::Jasper;
pub use self::credentials::{JasperCredentials, UnreadableCredentials};
pub use self::open_points::{OpenPoints, StatedDefaults};
pub use self::types::{
    JasperAssignment, JasperAuditEntry, JasperDevice, JasperStatus, JasperUsage, MOST_DAYS_AHEAD, MOST_DAYS_OF_HISTORY, RatePlan,
};
use lineshift_domain::carrier::StatedLimits;

use super::IccId;
use crate::http::{Account, Endpoint, Masker, Permit};
use crate::{Batch, Called};

/// One call at a time and five a second an account, the users of its customers included (**S**); what minute and day can hold of
/// that.
pub const STATED_LIMITS: StatedLimits =
    StatedLimits { concurrency: 1, calls_a_second: Some(5), calls_a_minute: Some(300), calls_a_day: Some(432_000) };

/// One account of Jasper. A device that is not there is told by its code 20000001 and nothing else.
pub struct JasperClient {
    endpoint: Endpoint,
    open_points: Arc<dyn OpenPoints>,
}

impl JasperClient {
    /// Jasper at `base_address` (`https://<pod host>/rws/api/v1`), with the stated defaults for what is not public. The
    /// account is to keep to [`STATED_LIMITS`], also in a second.
    #[must_use]
    pub fn new(account: Account, base_address: &str, credentials: JasperCredentials) -> Self {
        let login = credentials.login();
        let token = SecretString::from(STANDARD.encode(login.expose_secret()));
        let basic = SecretString::from(format!("Basic {}", token.expose_secret()));
        let user = SecretString::from(credentials.user);
        let masker = Masker::new([&user, &credentials.api_key, &login, &token]);
        let endpoint = Endpoint::new(account, base_address, vec![("authorization", basic)], masker);
        Self { endpoint: endpoint.with_error_reader(errors::read_error), open_points: Arc::new(StatedDefaults) }
    }

    /// The same with other answers to what is not public.
    #[must_use]
    pub fn with_open_points(mut self, open_points: Arc<dyn OpenPoints>) -> Self {
        self.open_points = open_points;
        self
    }

    /// The account behind it.
    #[must_use]
    pub const fn account(&self) -> &Account {
        self.endpoint.account()
    }

    /// Whether the credentials work and may list devices: the first page of those modified since now.
    pub async fn test_connection(&self) -> Called<()> {
        self.devices_page(self.account().clock().now(), 1).await.map(drop)
    }

    /// One device; none: Jasper knows no such ICCID (20000001).
    pub async fn find_device(&self, iccid: &IccId) -> Called<Option<JasperDevice>> {
        self.device(iccid).await
    }

    /// Assigns a device what is set, now or at a moment. It sets state: where nobody knows whether it worked it may be sent again
    /// (**I**), and reading the device back says whether it did.
    pub async fn assign(&self, permit: Permit, iccid: &IccId, assignment: &JasperAssignment) -> Called<()> {
        self.put_device(permit, iccid, assignment).await
    }

    /// One page of the devices modified since a moment, from page 1, at most 50. They are listed with ICCID, status and
    /// plans; the other fields may be none.
    pub async fn list_devices(&self, modified_since: DateTime<Utc>, page: u32) -> Called<Batch<JasperDevice>> {
        self.devices_page(modified_since, page).await
    }

    /// What was changed of a device in the last so many days, at most [`MOST_DAYS_OF_HISTORY`]; none: no such ICCID.
    pub async fn list_audit_trail(&self, iccid: &IccId, days: u16) -> Called<Option<Vec<JasperAuditEntry>>> {
        self.audit_trail(iccid, days).await
    }

    /// What a device used in the cycle to date; none: no such ICCID.
    pub async fn find_usage(&self, iccid: &IccId) -> Called<Option<JasperUsage>> {
        self.usage(iccid).await
    }

    /// All rate plans of the account. Users who are no administrators are refused (10000030).
    pub async fn list_rate_plans(&self) -> Called<Vec<RatePlan>> {
        self.rate_plans().await
    }
}

#[cfg(test)]
mod tests;
