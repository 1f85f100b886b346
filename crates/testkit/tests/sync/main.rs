//! Synchronisation over the simulated billing system and carriers, on a clock that goes when everybody waits.

mod carrier_lists;
mod carrier_mishaps;
mod carrier_orders;
mod carrier_usage;
mod carrier_world;
mod gone;
mod lists;
mod mishaps;
mod report;
mod scale;
mod world;
