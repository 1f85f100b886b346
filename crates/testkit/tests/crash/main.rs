//! Faults (B4.5, B4.7, B5.1, B5.4, B8.3, B10.1, B10.2): processes that are really killed at every statement they write,
//! workers that lost their lease, and several processes on one store.

mod orders;

mod billing;
mod control;
mod guards;
mod import;
mod killed_at_carrier;
mod pages;
mod plan_queue;
mod processes;
mod random;
mod submission;
