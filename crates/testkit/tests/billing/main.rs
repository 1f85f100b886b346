//! Billing, end to end over the simulated billing system, on a clock that goes when everybody waits.

mod account;
mod answers;
mod flows;
mod many_workers;
mod pace;
mod review;
mod seeds;
mod situation;
mod unknown;
