//! What is sealed, wherever it stands: read and sealed anew when a key takes another's place. What it says is nobody's business here.

use async_trait::async_trait;
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId, TenantId, UserId};

use crate::Result;
use crate::paging::Listed;

/// The columns of tenants that hold sealed texts: all of them, each named `..._encrypted` in the schema. Beside them stands
/// [`OF_USERS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealedColumn {
    /// `integration_authentication.secret_encrypted`: the credentials of an account.
    Accounts,
    /// `service_provider.callback_secret_encrypted`: what callbacks of a service provider must carry.
    Callbacks,
}

/// The table and column of what makes the one-time passwords of users, who are global.
pub const OF_USERS: (&str, &str) = ("users", "totp_secret_encrypted");

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

/// A row that holds a sealed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SealedRow {
    /// An account.
    Account(IntegrationAuthenticationId),
    /// A service provider that takes callbacks.
    Callbacks(ServiceProviderId),
    /// A user who is asked for one-time passwords.
    OneTimePasswords(UserId),
}

impl SealedRow {
    /// The id in its table.
    #[must_use]
    pub const fn id(self) -> i64 {
        match self {
            Self::Account(id) => id.0,
            Self::Callbacks(id) => id.0,
            Self::OneTimePasswords(id) => id.0,
        }
    }
}

/// A sealed text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedText {
    /// Where.
    pub row: SealedRow,
    /// The name of that integration or service provider, or the user's address, for people.
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
    /// credentials meanwhile wins. Rows of users are left out. Answers how many were replaced. The account's version stays as it is, for the credentials are
    /// the same: what was built from it goes on.
    async fn replace_sealed(&self, tenant: TenantId, texts: &[Resealed]) -> Result<u64>;
    /// What makes the one-time passwords of users, likewise; for the operator's own commands only.
    async fn list_sealed_of_users(&self, after: Option<i64>, limit: usize) -> Result<Listed<SealedText, i64>>;
    /// Replaces those of users, likewise; the step of the last one that was taken stays, so that none is taken twice.
    async fn replace_sealed_of_users(&self, texts: &[Resealed]) -> Result<u64>;
}
