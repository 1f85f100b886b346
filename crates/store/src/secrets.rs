//! What is sealed, wherever it stands: read and sealed anew when a key takes another's place. What it says is nobody's business here.

use async_trait::async_trait;
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId, TenantId};

use crate::Result;
use crate::paging::Listed;

/// The columns that hold sealed texts: all of them, each named `..._encrypted` in the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealedColumn {
    /// `integration_authentication.secret_encrypted`: the credentials of an account.
    Accounts,
    /// `service_provider.callback_secret_encrypted`: what callbacks of a service provider must carry.
    Callbacks,
}

impl SealedColumn {
    /// Every one.
    pub const ALL: &[Self] = &[Self::Accounts, Self::Callbacks];

    /// The row of that id in it.
    #[must_use]
    pub const fn row(self, id: i64) -> SealedRow {
        match self {
            Self::Accounts => SealedRow::Account(IntegrationAuthenticationId(id)),
            Self::Callbacks => SealedRow::Callbacks(ServiceProviderId(id)),
        }
    }

    /// Its table and its name in the schema.
    #[must_use]
    pub const fn stored_as(self) -> (&'static str, &'static str) {
        match self {
            Self::Accounts => ("integration_authentication", "secret_encrypted"),
            Self::Callbacks => ("service_provider", "callback_secret_encrypted"),
        }
    }
}

/// A tenant's row that holds a sealed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealedRow {
    /// An account.
    Account(IntegrationAuthenticationId),
    /// A service provider that takes callbacks.
    Callbacks(ServiceProviderId),
}

impl SealedRow {
    /// The id in its table.
    #[must_use]
    pub const fn id(self) -> i64 {
        match self {
            Self::Account(id) => id.0,
            Self::Callbacks(id) => id.0,
        }
    }
}

/// A sealed text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedText {
    /// Where.
    pub row: SealedRow,
    /// The name of that integration or service provider, for people.
    pub name: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// A sealed text to be put in another's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// Where.
    pub row: SealedRow,
    /// What must stand there still.
    pub before: Vec<u8>,
    /// What stands there afterwards.
    pub after: Vec<u8>,
}

/// What is sealed, for whoever changes the key.
#[async_trait]
pub trait SecretStore {
    /// The sealed texts of a column by id, from the one behind `after` on; `limit` at most [`crate::paging::MAX_PAGE_ITEMS`]. Rows
    /// without one are left out.
    async fn list_sealed(
        &self,
        tenant: TenantId,
        column: SealedColumn,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Listed<SealedText, i64>>;
    /// Replaces sealed texts in one transaction, each only if what stands there is what was read: whoever stored other
    /// credentials meanwhile wins. Answers how many were replaced. The account's version stays as it is, for the credentials are
    /// the same: what was built from it goes on.
    async fn replace_sealed(&self, tenant: TenantId, texts: &[Resealed]) -> Result<u64>;
}
