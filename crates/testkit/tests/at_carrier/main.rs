//! Lines moved at their carriers: by themselves, within assignments, and whatever goes wrong.

mod account;
mod assignment;
mod billing_fails;
mod faulty;
mod flows;
mod late;
mod later;
mod many_waiting;
mod out_of_reach;
mod plan_gone;
mod saga;
mod seeds;
mod situation;
mod undo;
mod unknown;
