//! What only this engine can show of the store.

mod billing;
mod plan_queue;
