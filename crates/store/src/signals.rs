//! Hints that something happened on the store, perhaps in another process: so that nobody waits for the next look.
//!
//! A hint may come twice, late or never. Whoever hears looks into the store, and looks by itself now and then all the same: nothing
//! depends on hints but how soon it happens.

use async_trait::async_trait;
use lineshift_domain::ids::{BulkChangeId, TenantId};

/// What a hint says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// There may be a page to run.
    Work,
    /// A plan queue entry or a synchronisation may fall due earlier than was known.
    Queue,
    /// Something of a bulk change has changed: its counts, its status, its log.
    Changed(TenantId, BulkChangeId),
    /// From now on hints come (again); some may have been missed before.
    Heard,
    /// From now on no hints come: the connection on which they come is lost.
    Deaf,
}

/// The hints of one store, as they come.
#[async_trait]
pub trait Signals: Send {
    /// Waits for the next. The first is [`Signal::Heard`], once hints come. Loses nothing when it is dropped while it waits.
    async fn next(&mut self) -> Signal;
}
