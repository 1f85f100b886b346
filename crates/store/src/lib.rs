//! What is stored, as traits per aggregate, with the portable SQL and the contract tests that every engine runs.
//!
//! Every tenant-owned read and write takes a [`TenantId`](lineshift_domain::ids::TenantId) first; there is no unscoped
//! finder apart from the closed list in [`access::AccessStore`], [`work::WorkStore::list_runnable`],
//! [`plan_queue::PlanQueueStore::list_tenants_with_due_entries`] and [`sync::SyncStore::list_due_sync_runs`].

pub mod access;
pub mod audit;
pub mod billing;
pub mod bulk_changes;
pub mod carriers;
pub mod catalogue;
#[cfg(feature = "contract")]
pub mod contract;
pub mod devices;
mod error;
pub mod figures;
pub mod import;
pub mod paging;
pub mod people;
pub mod plan_queue;
pub mod secrets;
pub mod selections;
pub mod signals;
pub mod sql;
mod story;
pub mod sync;
pub mod work;

pub use error::StoreError;

/// Shorthand for what store methods return.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A whole store: every aggregate on one engine.
pub trait Store:
    access::AccessStore
    + audit::AuditStore
    + billing::BillingStore
    + carriers::CarrierStore
    + catalogue::CatalogueStore
    + devices::DeviceStore
    + figures::FigureStore
    + import::ImportStore
    + bulk_changes::BulkChangeStore
    + work::WorkStore
    + people::PeopleStore
    + plan_queue::PlanQueueStore
    + secrets::SecretStore
    + selections::SelectionStore
    + sync::SyncStore
    + Send
    + Sync
    + 'static
{
    /// The engine's name, as it stands in the store's URL and in JSON: `sqlite` or `postgres`.
    fn engine(&self) -> &'static str;

    /// Hints of what happens on this store in any process, from now on; none: its processes look by themselves.
    fn signals(&self) -> Option<Box<dyn signals::Signals>> {
        None
    }
}
