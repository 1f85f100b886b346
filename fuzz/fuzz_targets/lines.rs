//! See crates/fuzz-targets/src/lines.rs.
#![no_main]

lineshift_fuzz::fuzz!("lines");
