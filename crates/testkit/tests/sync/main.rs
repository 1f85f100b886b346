//! Synchronisation over the simulated billing system, on a clock that goes when everybody waits.

mod gone;
mod lists;
mod mishaps;
mod report;
mod scale;
mod world;
