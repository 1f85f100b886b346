//! What can go wrong in an engine call.

use lineshift_domain::refusal::Refusal;
use lineshift_store::StoreError;

/// A failed engine call.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A rule refuses the request; nothing of it was stored.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
