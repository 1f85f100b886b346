//! See crates/fuzz-targets/src/callbacks.rs.
#![no_main]

lineshift_fuzz::fuzz!("callbacks");
