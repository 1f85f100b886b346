//! What only this engine can show of the store.

mod billing;
mod carriers;
mod plan_queue;
