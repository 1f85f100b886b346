//! See crates/fuzz-targets/src/outside.rs.
#![no_main]

lineshift_fuzz::fuzz!("outside");
