//! Billing, end to end over the simulated billing system, on a clock that goes when everybody waits.

mod flows;
mod pace;
mod seeds;
