//! The API over a real listener, on a store and an engine of its own per test.

mod access;
mod api_keys;
mod billing;
mod bodies;
mod callbacks;
mod carrier_accounts;
mod carrier_orders;
mod carrier_refusals;
mod control;
mod embedded;
mod events;
mod export;
mod idempotency;
mod integrations;
mod isolation;
mod judging;
mod orders;
mod paging;
mod people;
mod plan_queue;
mod reach;
mod receiving;
mod reference;
mod refusals;
mod server;
mod sync;
