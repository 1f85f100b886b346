//! What handlers read out of requests before they look anything up: for tests that make requests up by the million, without a server.
//!
//! Nobody's rights are asked here, and nothing is stored.

use axum::http::Uri;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId, IntegrationAuthenticationId, PrincipalId, SiteId};
use lineshift_domain::terms::{IntegrationKind, PlanQueueState};
use lineshift_engine::Engine;
use lineshift_store::audit::AuditKey;
use lineshift_store::billing::IntegrationAccount;
use lineshift_store::bulk_changes::LogKey;
use lineshift_store::devices::HistoryKey;
use lineshift_store::plan_queue::PlanQueueKey;
use lineshift_store::sync::FindingKey;
use secrecy::SecretString;

use crate::accounts::NoKey;
use crate::api::people::{api_keys, roles, users};
use crate::api::reference::{
    customer_rate_plans, customer_rate_pools, customers, integration_authentications, service_providers, sites,
};
use crate::api::{callbacks, integrations, unsettled};
use crate::cursor::Cursor;
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::views::ProblemView;
use crate::{Web, WireSettings};

/// What a body is read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// In a form of its own: the same for all bodies that mean the same. Secrets are left out.
    pub meaning: String,
    /// What is left of it by a change that says nothing, where there are such changes.
    pub unchanged: Option<String>,
}

/// The bodies of `/api/v1` that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A service provider.
    ServiceProvider,
    /// A site.
    Site,
    /// A customer.
    Customer,
    /// A customer rate plan.
    CustomerRatePlan,
    /// A customer rate pool.
    CustomerRatePool,
    /// An integration authentication.
    IntegrationAuthentication,
    /// How an account of that kind of integration is called.
    Account(IntegrationKind),
    /// What callbacks have to carry.
    CallbackCredentials,
    /// A role.
    Role,
    /// A person.
    User,
    /// An API key.
    ApiKey,
    /// What became of a line.
    Settlement,
}

impl Body {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ServiceProvider,
        Self::Site,
        Self::Customer,
        Self::CustomerRatePlan,
        Self::CustomerRatePool,
        Self::IntegrationAuthentication,
        Self::Account(IntegrationKind::REV_IO),
        Self::Account(IntegrationKind::JASPER),
        Self::Account(IntegrationKind::POND),
        Self::CallbackCredentials,
        Self::Role,
        Self::User,
        Self::ApiKey,
        Self::Settlement,
    ];
}

/// Reads as the handlers of an API over an engine do.
pub struct Reader(Web);

impl Reader {
    /// As that engine's API would.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self(Web::new(engine, None, std::sync::Arc::new(NoKey), &WireSettings::default()))
    }

    /// Reads a body.
    ///
    /// # Errors
    /// The answer that it would get: 400 or 422.
    pub fn body(&self, kind: Body, body: &[u8]) -> Result<Read, ProblemView> {
        let read = match kind {
            Body::ServiceProvider => service_providers::read_body(&self.0, body),
            Body::Site => sites::read_body(&self.0, body),
            Body::Customer => customers::read_body(&self.0, body),
            Body::CustomerRatePlan => customer_rate_plans::read_body(&self.0, body),
            Body::CustomerRatePool => customer_rate_pools::read_body(&self.0, body),
            Body::IntegrationAuthentication => integration_authentications::read_body(&self.0, body),
            Body::Account(kind) => whole(body, |fields| integrations::read_settings(fields, &account_of(kind), &self.0)),
            Body::CallbackCredentials => whole(body, callbacks::read_expected),
            Body::Role => whole(body, |fields| roles::read(fields, None)),
            Body::User => whole(body, |fields| {
                let (person, membership) = users::read_new(fields)?;
                Some((person.email, person.display_name, membership))
            }),
            Body::ApiKey => whole(body, |fields| api_keys::read(fields, [0; 32], self.0.engine.clock().now())),
            Body::Settlement => whole(body, unsettled::read_settlement),
        };
        read.map_err(|problem| problem.view())
    }
}

/// What callbacks of a service provider have to carry, as it is sealed, out of the body that says so.
///
/// # Errors
/// The answer that it would get: 400 or 422.
pub fn read_callback_credentials(body: &[u8]) -> Result<SecretString, ProblemView> {
    let mut fields = Fields::read(body).map_err(|problem| problem.view())?;
    let expected = callbacks::read_expected(&mut fields);
    fields.finish(expected).map_err(|problem| problem.view())
}

fn whole<T: std::fmt::Debug>(body: &[u8], read: impl FnOnce(&mut Fields) -> Option<T>) -> Result<Read, ApiProblem> {
    let mut fields = Fields::read(body)?;
    let read = read(&mut fields);
    let read = fields.finish(read)?;
    Ok(Read { meaning: format!("{read:?}"), unchanged: None })
}

/// One that was not called yet.
fn account_of(kind: IntegrationKind) -> IntegrationAccount {
    IntegrationAccount {
        id: IntegrationAuthenticationId(1),
        name: "account".to_owned(),
        integration_kind: kind,
        is_active: true,
        write_enabled: true,
        is_local: false,
        base_address: None,
        secret_encrypted: None,
        version: 1,
        refused_at: None,
        refused_text: None,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    }
}

/// The cursors that a word is one of: the word as this one would be written. At most one list takes a word.
#[must_use]
pub fn read_cursor(word: &str) -> Vec<String> {
    fn of<K: Cursor>(word: &str) -> Option<String> {
        K::decode(word).map(|key| key.encode())
    }
    let readers = [
        of::<BulkChangeId>,
        of::<DeviceId>,
        of::<DeviceChangeId>,
        of::<SiteId>,
        of::<PrincipalId>,
        of::<(Option<Code>, DeviceChangeId)>,
        of::<LogKey>,
        of::<AuditKey>,
        of::<HistoryKey>,
        of::<PlanQueueKey>,
        of::<FindingKey>,
    ];
    readers.iter().filter_map(|read| read(word)).collect()
}

/// Reads the query of an address as lists do: limit, cursor, a filter by id, one by term.
///
/// # Errors
/// The answer that it would get: 400 or 422.
pub fn read_query(address: &Uri) -> Result<String, ProblemView> {
    let read = || {
        let mut parameters = Parameters::read(address)?;
        let limit = parameters.limit();
        let after = parameters.cursor::<DeviceId>("after");
        let id = parameters.id("device_id", DeviceId);
        let state = parameters.term("state", PlanQueueState::ALL);
        let text = parameters.text("text");
        parameters.finish()?;
        Ok(format!("{limit} {after:?} {id:?} {state:?} {text:?}"))
    };
    read().map_err(|problem: ApiProblem| problem.view())
}
