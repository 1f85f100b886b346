//! What can go wrong in a store, by what the caller can do about it.

/// A failed store call. Nothing of it took effect, with one exception: `Unavailable` may also mean that the connection was lost while
/// the database was told to commit. Then nobody knows whether it did, and the caller asks again in a way that has no further effect if it
/// did: a page under its epoch, which is closed or claimed by then (B5.1); an order under its idempotency key; a call outside from its
/// step as it is stored, which is read back before it is sent again (B7.3).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The thing does not exist for this tenant.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its id as text.
        id: String,
    },
    /// The write contradicts what is stored: a repeated name or key, a reference to something that is not there.
    #[error("{message}")]
    Conflict {
        /// What contradicts what.
        message: String,
    },
    /// The lease was lost: another worker holds the page, or the submission was given up. Nothing was changed (B5.1).
    #[error("the lease on {what} was lost")]
    LeaseLost {
        /// What was leased.
        what: String,
    },
    /// Another process is writing, or the connection broke: trying again may help (B5.5). Whether it took effect is unknown only if the
    /// connection broke during a commit.
    #[error("the store is busy or out of reach")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The disk is full. The store is intact; free space and try again.
    #[error("the store's disk is full: nothing of this was stored; free space, then try again")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store may only be read: a file without the right to write it, or a database server that is a standby.
    #[error("the store can only be read: check the permissions of its file, or that the database is no standby, then try again")]
    ReadOnly(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// This engine cannot do it.
    #[error("the {engine} store does not support {what}")]
    Unsupported {
        /// The engine.
        engine: &'static str,
        /// What was asked.
        what: &'static str,
    },
    /// Anything else: a bug or a damaged store.
    #[error("the store failed: {context}")]
    Internal {
        /// What was being done.
        context: String,
        /// Why it failed.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl StoreError {
    /// Whether the same call may work when tried again soon (B5.5).
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// A failure that should not happen.
    pub fn internal(context: impl Into<String>) -> Self {
        Self::Internal { context: context.into(), source: None }
    }

    /// Something that is not there.
    pub fn not_found(what: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }
}
